import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { startAnthropic, toldIn } from "./anthropic.ts";

function ask(url: string, messages: object[], stream = false): Promise<Response> {
  return fetch(`${url}/v1/messages?beta=true`, {
    method: "POST",
    body: JSON.stringify({ model: "m", stream, messages }),
  });
}

describe("a played model", () => {
  it("plays the n-th step on the n-th call after the prompt, and says the last result at the end", async () => {
    await using model = await startAnthropic();
    const prompt = { role: "user", content: "[[tool Bash {}]][[text Second.]]" };
    const spoke = { role: "assistant", content: [] };
    const done = { role: "user", content: [{ type: "tool_result", content: "out" }] };
    const text = async (messages: object[]): Promise<unknown> =>
      ((await (await ask(model.url, messages)).json()) as { content: unknown[] }).content[0];
    assert.equal(((await text([prompt])) as { name: string }).name, "Bash");
    assert.deepEqual(await text([prompt, spoke, done]), { type: "text", text: "Second." });
    assert.deepEqual(await text([prompt, spoke, done, spoke, done]), {
      type: "text",
      text: "All done. Last result: out",
    });
    assert.deepEqual(await text([{ role: "user", content: "plain" }]), { type: "text", text: "You said: plain" });
    assert.equal(model.requests.length, 4);
    assert.match(toldIn(model.requests[1]), /out/u);
  });

  it("streams in small pieces, and waits where the script says so", async () => {
    await using model = await startAnthropic();
    const response = await ask(
      model.url,
      [{ role: "user", content: "[[text Hello there, you]][[+wait go]][[+text Bye]]" }],
      true,
    );
    let text = "";
    const decoder = new TextDecoder();
    for await (const chunk of response.body as ReadableStream<Uint8Array>) {
      text += decoder.decode(chunk, { stream: true });
      if (text.includes("content_block_stop")) model.release("go");
    }
    assert.match(text, /event: message_start[\s\S]*text_delta[\s\S]*message_stop/u);
  });

  it("answers a script it cannot play, and lives on", async () => {
    await using model = await startAnthropic();
    assert.equal((await ask(model.url, [{ role: "user", content: "[[tool Bash {broken]]" }])).status, 400);
    assert.equal((await fetch(`${model.url}/v1/messages`, { method: "POST", body: "not json" })).status, 400);
    assert.equal((await ask(model.url, [{ role: "user", content: "[[http 529]]" }])).status, 529);
    assert.equal((await ask(model.url, [])).status, 200);
    await assert.rejects(async () =>
      (await ask(model.url, [{ role: "user", content: "[[text a]][[drop]]" }], true)).text(),
    );
  });
});
