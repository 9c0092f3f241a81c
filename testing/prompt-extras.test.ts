/** What goes with a prompt, with the real host and the real Claude Code: it reaches the model as what it is, once. */
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, describe, it } from "node:test";
import type { Attachment, Upload } from "@flybridge/protocol/attachment.ts";
import type { FactOf } from "@flybridge/protocol/entry.ts";
import type { AgentName, SessionId } from "@flybridge/protocol/ids.ts";
import { type Anthropic, type ModelCall, startAnthropic } from "./anthropic.ts";
import { BareDevice, newIntent } from "./bare.ts";
import { claudeEnv, findClaude } from "./claude.ts";
import { startWorld, type World } from "./world.ts";

const found = findClaude();
const skip = found === undefined ? "Claude Code is not in .cache/agents; npm test brings it" : false;

const PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
const picture: Upload = { name: "screen.png", type: "image/png", data: PNG };
const base64 = (text: string): string => Buffer.from(text).toString("base64");

/** The blocks of all that the model was shown, newest call. */
function blocksIn(call: ModelCall | undefined): Record<string, unknown>[] {
  return (call?.messages ?? []).flatMap(({ content }) =>
    typeof content === "string" ? [{ type: "text", text: content }] : content.map((block) => ({ ...block })),
  );
}

function pictures(call: ModelCall | undefined): unknown[] {
  return blocksIn(call).flatMap((block) => (block["type"] === "image" ? [block["source"]] : []));
}

describe("what goes with a prompt, with the real Claude Code", { skip }, () => {
  let model: Anthropic;
  let world: World;
  let phone: BareDevice;
  let workspace: string;
  let session: SessionId;
  const folder = (): string => join(world.state, "attachments");

  /** Until the prompt's turn has ended. */
  const ended = async (seq: number): Promise<void> => {
    await phone.untilEntry(session, (entry) => entry.seq > seq && entry.fact.kind === "turn.ended");
  };
  const prompt = async (text: string, attachments: Upload[]): Promise<{ seq: number; prompt: string }> => {
    const intent = newIntent();
    const { seq } = await phone.call("session.prompt", { session, text, delivery: "queue", attachments }, intent);
    return { seq, prompt: intent };
  };
  const acceptedAt = (seq: number): FactOf<"prompt.accepted"> => {
    const fact = phone.entriesOf(session).find((entry) => entry.seq === seq)?.fact;
    assert.equal(fact?.kind, "prompt.accepted");
    return fact as FactOf<"prompt.accepted">;
  };
  const open = async (attachments: Upload[]): Promise<void> => {
    session = newIntent() as string as SessionId;
    const first = { agent: "claude" as AgentName, workspace, prompt: "Look. [[text I see.]]", attachments };
    await phone.call("session.create", first, session as string as never);
    await phone.call("session.follow", { session, from: 1 });
    await ended(2);
  };

  before(async () => {
    model = await startAnthropic();
    const { HOME: _, ...env } = claudeEnv({ home: "", url: model.url });
    world = await startWorld({ env: { ...env, PATH: `${dirname(found ?? "")}:${env["PATH"] ?? ""}` } });
    workspace = join(world.home, "project");
    mkdirSync(join(workspace, "src"), { recursive: true });
    writeFileSync(join(workspace, "src", "tide table.ts"), "export const word = 'HERON';\n");
    writeFileSync(join(workspace, "README.md"), "The word is KITE.\n");
    writeFileSync(join(world.home, "secret.txt"), "");
    symlinkSync("../secret.txt", join(workspace, "link.txt"));
    phone = await world.pair("phone");
    await open([picture]);
  });
  after(async () => {
    phone?.close();
    await world?.[Symbol.asyncDispose]();
    await model?.close();
  });

  it("gives a picture with the first prompt to the model as a picture, and names it by its hash in the journal", () => {
    assert.deepEqual(pictures(model.requests.at(-1)), [{ type: "base64", media_type: "image/png", data: PNG }]);
    const [kept] = acceptedAt(2).attachments ?? [];
    assert.deepEqual(
      [kept?.name, kept?.type, kept?.size],
      ["screen.png", "image/png", Buffer.from(PNG, "base64").length],
    );
    const [file] = readdirSync(folder());
    assert.equal(file, `${kept?.hash}.png`);
    assert.equal(statSync(folder()).mode & 0o777, 0o700);
    assert.equal(statSync(join(folder(), file ?? "")).mode & 0o777, 0o600);
  });

  it("gives texts in full, a PDF as a document, and says of the rest where it lies", async () => {
    const before = model.requests.length;
    const { seq } = await prompt("Read them. [[text Read.]]", [
      { name: "notes.md", type: "text/markdown", data: base64("# The word is OSPREY") },
      { name: "paper.pdf", type: "application/pdf", data: base64("%PDF-1.4\n%%EOF\n") },
      {
        name: "../../data.bin",
        type: "application/octet-stream",
        data: Buffer.from([0, 1, 2, 255]).toString("base64"),
      },
    ]);
    await ended(seq);
    const blocks = blocksIn(model.requests[before]);
    const texts = blocks.map((block) => (typeof block["text"] === "string" ? block["text"] : ""));
    assert.ok(texts.some((text) => text.includes('"notes.md"') && text.includes("# The word is OSPREY")));
    assert.ok(blocks.some((block) => block["type"] === "document"));
    const place =
      texts
        .find((text) => text.includes("data.bin"))
        ?.split(" at ")
        .at(-1)
        ?.trim() ?? "";
    assert.equal(dirname(place), folder());
    assert.deepEqual([...readFileSync(place)], [0, 1, 2, 255]);
  });

  it("gives its bytes to who may read the session, and to nobody by another session's name", async () => {
    const [kept] = acceptedAt(2).attachments as [Attachment];
    assert.equal((await phone.call("attachment.read", { session, hash: kept.hash })).data, PNG);
    const other = newIntent() as string as SessionId;
    await phone.call("session.create", { agent: "demo" as AgentName, workspace }, other as string as never);
    await assert.rejects(phone.call("attachment.read", { session: other, hash: kept.hash }), { code: "not_found" });
    await assert.rejects(phone.call("attachment.read", { session, hash: "0".repeat(64) }), { code: "not_found" });
    await assert.rejects(phone.call("attachment.read", { session, hash: "../../host.json" }), { code: "bad_params" });
  });

  it("refuses what is no attachment, and then stores and does nothing", async () => {
    const last = phone.entriesOf(session).at(-1)?.seq;
    const files = readdirSync(folder());
    const hostile: Upload[][] = [
      [{ name: "a", type: "text/plain", data: "no base64!" }],
      [{ name: "a", type: "text/plain", data: "YQ" }],
      [{ name: "a", type: "text/plain", data: "" }],
      [{ name: "", type: "text/plain", data: "YQ==" }],
      [{ name: "a", type: "no type", data: "YQ==" }],
      [{ name: "a", type: "text/plain", data: "A".repeat(6 * 1024 * 1024 + 4) }],
      Array.from({ length: 17 }, () => picture),
      [picture, { name: "a", type: "text/plain", data: "***" }],
    ];
    for (const attachments of hostile) await assert.rejects(prompt("Take it.", attachments), { code: "bad_params" });
    assert.equal(phone.entriesOf(session).at(-1)?.seq, last);
    assert.deepEqual(readdirSync(folder()), files);
  });

  it("keeps the same picture once, whoever sends it how often", async () => {
    const files = readdirSync(folder());
    const intent = newIntent();
    const params = {
      session,
      text: "Again. [[text Yes.]]",
      delivery: "queue" as const,
      attachments: [picture, picture],
    };
    const [one, two] = await Promise.all([1, 2].map(() => phone.call("session.prompt", params, intent)));
    assert.deepEqual(one, two);
    await ended(one?.seq ?? 0);
    assert.deepEqual(readdirSync(folder()), files);
  });

  it("gives it although the host was killed after it was stored and before the agent had it", async () => {
    const before = model.requests.length;
    const { seq } = await prompt("Wait. [[wait gate]][[text Waited.]]", []);
    await phone.untilEntry(session, (entry) => entry.seq > seq && entry.fact.kind === "turn.began");
    const late = { name: "n.txt", type: "text/plain", data: base64("late") };
    const queued = await prompt("And this. [[text This too.]]", [picture, late]);
    await world.kill();
    await world.restart();
    phone = await BareDevice.reconnect(phone.keys);
    await phone.call("session.follow", { session, from: 1 });
    model.release("gate");
    const taken = await phone.untilEntry(
      session,
      ({ seq: at, fact }) => fact.kind === "prompt.taken" && (fact.prompt as string) === queued.prompt && at,
    );
    await ended(taken);
    const calls = model.requests.slice(before).filter((call) => JSON.stringify(call).includes("And this."));
    assert.equal(calls.length, 1, "given once");
    assert.ok(JSON.stringify(calls[0]).includes("late"));
    assert.equal(pictures(calls[0]).length, pictures(model.requests[before]).length + 1);
  });

  it("finds files to mention, and Claude reads what is mentioned", async () => {
    assert.equal((await phone.call("session.find", { session, text: "tide" })).paths[0], "src/tide table.ts");
    assert.deepEqual((await phone.call("session.find", { session, text: "link" })).paths, []);
    assert.deepEqual((await phone.call("workspace.find", { path: workspace, text: "readme" })).paths, ["README.md"]);
    await assert.rejects(phone.call("workspace.find", { path: "project", text: "a" }), { code: "bad_params" });
    await assert.rejects(phone.call("workspace.find", { path: join(world.home, "none"), text: "a" }), {
      code: "not_found",
    });
    const before = model.requests.length;
    const { seq } = await prompt('Read @README.md and @"src/tide table.ts" [[text Both.]]', []);
    await ended(seq);
    const shown = JSON.stringify(model.requests[before]?.messages);
    assert.ok(shown.includes("The word is KITE") && shown.includes("HERON"), "both were read");
  });

  it("tells which commands and models the running agent offers", async () => {
    const followed = await phone.call("session.follow", { session });
    assert.equal(followed.kind, "window");
    const { commands = [], models = [] } = followed.kind === "window" ? followed.state : {};
    assert.ok(
      commands.some(({ name }) => name === "compact"),
      JSON.stringify(commands).slice(0, 400),
    );
    assert.ok(commands.every(({ name, detail = "" }) => !name.startsWith("/") && detail.length <= 200));
    assert.ok(models.some(({ value }) => value === "sonnet"));
  });

  it("drops the files with the last session that names them", async () => {
    const first = session;
    const [kept] = acceptedAt(2).attachments as [Attachment];
    await open([picture]);
    const second = session;
    const remove = async (one: SessionId): Promise<void> => {
      await phone.call("session.stop", { session: one }, newIntent());
      await phone.untilEntry(one, ({ fact }) => fact.kind === "agent.ended");
      await phone.call("session.remove", { session: one }, newIntent());
    };
    await remove(first);
    assert.deepEqual(readdirSync(folder()), [`${kept.hash}.png`], "the other session still has it");
    assert.equal((await phone.call("attachment.read", { session: second, hash: kept.hash })).data, PNG);
    await remove(second);
    assert.deepEqual(readdirSync(folder()), []);
    using db = new DatabaseSync(join(world.state, "flybridge.db"), { readOnly: true });
    assert.deepEqual(db.prepare("SELECT * FROM attachment").all(), []);
  });
});
