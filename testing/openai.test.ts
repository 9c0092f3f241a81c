import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { startOpenAi, toldIn } from "./openai.ts";

interface Event {
  readonly type: string;
  readonly delta?: string;
  readonly item?: { readonly type: string; readonly call_id?: string; readonly phase?: string };
}

async function call(url: string, input: readonly object[]): Promise<Event[]> {
  const response = await fetch(`${url}/responses`, {
    method: "POST",
    body: JSON.stringify({ model: "m", stream: true, input }),
  });
  const text = await response.text();
  return [...text.matchAll(/^data: (?<json>.+)$/gmu)].map((found) => JSON.parse(found.groups?.["json"] ?? "") as Event);
}

const user = (text: string): object => ({ type: "message", role: "user", content: [{ type: "input_text", text }] });
const output = (text: string): object => ({ type: "function_call_output", call_id: "c", output: text });

describe("a played OpenAI model", () => {
  it("plays one step a call, words in pieces, tools with and without a namespace, side by side", async () => {
    await using model = await startOpenAi();
    const prompt = user(
      '[[comment First look at this]][[+tool run {"cmd":"ls"}]][[+nstool mcp__demo go {"a":1}]][[text End]]',
    );
    const first = await call(model.url, [user("<environment_context>x</environment_context>"), prompt]);
    const deltas = first.filter((event) => event.type === "response.output_text.delta").map((event) => event.delta);
    assert.ok(deltas.length > 1);
    assert.equal(deltas.join(""), "First look at this");
    const items = first.flatMap((event) => (event.type === "response.output_item.done" ? [event.item] : []));
    assert.deepEqual(
      items.map((item) => [item?.type, item?.phase]),
      [
        ["message", "commentary"],
        ["function_call", undefined],
        ["function_call", undefined],
      ],
    );
    assert.equal(first.at(-1)?.type, "response.completed");
    const said = items.map((item) => ({ ...item, ...(item?.type === "message" ? { role: "assistant" } : {}) }));
    const then = await call(model.url, [prompt, ...said, output("a"), output("b")]);
    assert.ok(then.some((event) => event.delta === "End"));
    const last = await call(model.url, [
      prompt,
      ...said,
      output("a"),
      { role: "assistant", content: "End" },
      output("z"),
    ]);
    assert.match(last.map((event) => event.delta ?? "").join(""), /All done\. Last result: z/u);
    assert.match(toldIn(model.requests.at(-1)), /End\nz/u);
  });

  it("refuses, waits and cuts as it is told", async () => {
    await using model = await startOpenAi();
    const refused = await fetch(`${model.url}/responses`, {
      method: "POST",
      body: JSON.stringify({ input: "[[http 429 slow down]]" }),
    });
    assert.deepEqual(
      [refused.status, ((await refused.json()) as { error: { message: string } }).error.message],
      [429, "slow down"],
    );
    const bad = await fetch(`${model.url}/responses`, {
      method: "POST",
      body: JSON.stringify({ input: "[[tool run {broken]]" }),
    });
    assert.equal(bad.status, 400);
    await assert.rejects(call(model.url, [user("[[text a]][[drop]]")]));
    const waited = call(model.url, [user("[[wait go]][[text b]]")]);
    model.release("go");
    assert.ok((await waited).some((event) => event.delta === "b"));
    assert.match(
      (await call(model.url, [user("Hello")])).map((event) => event.delta ?? "").join(""),
      /You said: Hello/u,
    );
  });
});
