/** Claude Code that is missing, old, mad or dying: each is said with how to mend it, and the session can go on. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, it } from "node:test";
import type { Entry, Fact, FactOf } from "@flybridge/protocol/entry.ts";
import { CallError } from "@flybridge/protocol/error.ts";
import type { AgentName, SessionId } from "@flybridge/protocol/ids.ts";
import { startAnthropic, toldIn } from "./anthropic.ts";
import { type BareDevice, newIntent } from "./bare.ts";
import { claudeEnv, findClaude } from "./claude.ts";
import { startWorld, type World } from "./world.ts";

const CLAUDE = "claude" as AgentName;
const FIVE_MB = "0123456789 ábc\n".repeat(Math.ceil((5 * 1024 * 1024) / 16));
const LIMIT = { timeout: 240_000 };
/** The promise: a dead agent is seen within this time. */
const SEEN_MS = 2_000;

/** Of the entries from `after` on, the first of a kind. */
function fact<Kind extends Fact["kind"]>(
  device: BareDevice,
  session: SessionId,
  kind: Kind,
  fits: (fact: FactOf<Kind>) => boolean = () => true,
  after = 0,
): Promise<FactOf<Kind>> {
  return device.untilEntry(session, (entry: Entry) =>
    entry.seq > after && entry.fact.kind === kind && fits(entry.fact as FactOf<Kind>)
      ? (entry.fact as FactOf<Kind>)
      : undefined,
  );
}

async function open(device: BareDevice, workspace: string, prompt?: string): Promise<SessionId> {
  const { session } = await device.call("session.create", {
    workspace,
    agent: CLAUDE,
    ...(prompt === undefined ? {} : { prompt }),
  });
  await device.call("session.follow", { session, from: 1 });
  return session;
}

const lastOf = (device: BareDevice, session: SessionId): number => device.entriesOf(session).at(-1)?.seq ?? 0;

/** A world whose `claude` is `script` (of Node), in a folder that comes first in PATH. */
async function standIn(script: string, version = "2.1.300"): Promise<World> {
  const world = await startWorld({ env: { ANTHROPIC_API_KEY: "sk-ant-fake" } });
  write(world, script, version);
  return world;
}

/** HOME/.local/bin is where a host looks too. What it is may change between two starts of it. */
function write(world: World, script: string, version = "2.1.300"): void {
  const bin = join(world.home, ".local", "bin");
  mkdirSync(bin, { recursive: true });
  const path = join(bin, "claude");
  const told = `if (process.argv[2] === "--version") { console.log(${JSON.stringify(`${version} (Claude Code)`)}); process.exit(0); }`;
  writeFileSync(path, `#!${process.execPath}\n${told}\n${HELPERS}\n${script}\n`);
  chmodSync(path, 0o755);
}

/** What stand-ins have at hand: `say(message)`, `heard(line => …)`, `init()` as the real one begins a turn. */
const HELPERS = `
const fs = require("node:fs");
const say = (message) => fs.writeSync(1, (typeof message === "string" ? message : JSON.stringify(message)) + "\\n");
const heard = (hear) => require("node:readline").createInterface({ input: process.stdin }).on("line", (line) => hear(JSON.parse(line)));
const answer = (request) => say({ type: "control_response", response: { subtype: "success", request_id: request.request_id, response: { models: [], claude_code_version: "2.1.300" } } });
const init = () => say({ type: "system", subtype: "init", session_id: "s", model: "m", permissionMode: "default", claude_code_version: "2.1.300" });
const result = () => say({ type: "result", subtype: "success", is_error: false, result: "ok", terminal_reason: "completed", usage: {} });
`;

const elsewhere = ["/usr/local/bin/claude", "/opt/homebrew/bin/claude", join(dirname(process.execPath), "claude")].some(
  (path) => existsSync(path),
);

describe("claude that cannot be started", LIMIT, () => {
  it(
    "is said to be missing, with how to install it, and once it is there the session goes on",
    { skip: elsewhere && "a claude lies where every host looks" },
    async () => {
      await using world = await startWorld({ env: { PATH: "/usr/bin:/bin", ANTHROPIC_API_KEY: "sk-ant-fake" } });
      const device = await world.pair();
      const { agents } = await device.call("agent.list", {});
      const problem = agents.find(({ agent }) => agent === CLAUDE)?.problem;
      assert.equal(problem?.code, "not_installed");
      assert.match(problem?.message ?? "", /npm install -g @anthropic-ai\/claude-code/u);
      const session = await open(device, world.home, "are you there?");
      const ended = await fact(device, session, "agent.ended");
      assert.equal(ended.cause, "failed");
      assert.match(ended.detail ?? "", /not installed.*npm install/u);
      // The prompt waits for it.
      write(
        world,
        `heard((m) => { if (m.type === "control_request") answer(m); else { say({ ...m, isReplay: true }); init(); result(); } });`,
      );
      await device.call("session.resume", { session });
      const taken = await fact(device, session, "prompt.taken");
      assert.equal(taken.prompt as string, session as string);
      device.close();
    },
  );

  it("is said to be too old, with how to update it", async () => {
    await using world = await standIn("", "1.0.44");
    const device = await world.pair();
    const { agents } = await device.call("agent.list", {});
    const claude = agents.find(({ agent }) => agent === CLAUDE);
    assert.equal(claude?.problem?.code, "too_old");
    assert.match(claude?.problem?.message ?? "", /1\.0\.44 is too old.*claude update/u);
    const session = await open(device, world.home);
    assert.match((await fact(device, session, "agent.ended")).detail ?? "", /too old.*claude update/u);
    device.close();
  });

  it("is said not to be signed in, with how to sign in", async () => {
    await using world = await startWorld();
    write(world, "");
    const device = await world.pair();
    const { agents } = await device.call("agent.list", {});
    const problem = agents.find(({ agent }) => agent === CLAUDE)?.problem;
    assert.equal(problem?.code, "not_signed_in");
    assert.match(problem?.message ?? "", /Run `claude`.*sign in/u);
    device.close();
  });
});

describe("claude that is mad", LIMIT, () => {
  const GARBAGE: Record<string, string> = {
    "words that are no JSON": `say("Segmentation fault?"); say("{"); say("[1,2"); say("null"); say("42"); say('"text"');`,
    "lines of a megabyte": `say("x".repeat(1024 * 1024)); say({ type: "novel", text: "y".repeat(1024 * 1024) });`,
    "bytes that are no text": `fs.writeSync(1, Buffer.from([0xff, 0xfe, 0x00, 0x80, 0x0a, 0xc3, 0x28, 0x0a]));`,
    "control characters": `say("\\u001b]52;c;aGk=\\u0007\\u001b[2J\\u0000\\u0007"); say({ type: "\\u001b[31m", subtype: "\\u202e" });`,
    "messages of the wrong shape": `for (const m of [{}, { type: 1 }, { type: "assistant" }, { type: "assistant", message: { content: "x" } }, { type: "user", message: [] }, { type: "stream_event" }, { type: "stream_event", event: { type: "content_block_delta", index: 99, delta: {} } }, { type: "control_request" }, { type: "control_request", request_id: "r", request: { subtype: "can_use_tool" } }, { type: "control_cancel_request", request_id: {} }, { type: "result" }, { type: "system", subtype: {} }, JSON.parse('{"__proto__":{"type":"result"}}')]) say(m);`,
    "10,000 lines of it": `for (let i = 0; i < 10_000; i++) say("garbage " + i);`,
  };
  for (const [what, script] of Object.entries(GARBAGE)) {
    it(`is borne when it writes ${what}, and its next good message is heard`, async () => {
      await using world = await standIn(
        `heard((m) => { if (m.type === "control_request") { answer(m); return; } say({ ...m, isReplay: true }); init(); ${script} result(); });`,
      );
      const { pid } = world;
      const device = await world.pair();
      const session = await open(device, world.home, "go");
      const ended = await fact(device, session, "turn.ended");
      assert.ok(ended);
      assert.ok(
        device.entriesOf(session).some(({ fact: one }) => one.kind === "notice" && one.raw !== undefined),
        "what it wrote is shown",
      );
      await device.call("session.prompt", { session, text: "again", delivery: "queue" });
      await fact(
        device,
        session,
        "turn.ended",
        undefined,
        device.entriesOf(session).find(({ fact: one }) => one === ended)?.seq ?? 0,
      );
      process.kill(pid, 0);
      assert.equal(world.pid, pid);
      device.close();
    });
  }

  const ASK = `say({ type: "control_request", request_id: "ask1", request: { subtype: "can_use_tool", tool_name: "Bash", input: { command: "ls" }, tool_use_id: "t1" } });`;
  const TOOL = `say({ type: "assistant", message: { content: [{ type: "tool_use", id: "t1", name: "Bash", input: { command: "ls" } }] } });`;
  const STREAM = `say({ type: "stream_event", event: { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } } }); say({ type: "stream_event", event: { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "half a sen" } } });`;
  const PROMPTED = `heard((m) => { if (m.type === "control_request") { answer(m); return; } say({ ...m, isReplay: true }); `;
  const STAGES: Record<string, string> = {
    "at once": `process.stderr.write("dyld: library not loaded\\n"); process.exit(3);`,
    "before its first words, by a signal": `process.kill(process.pid, "SIGSEGV");`,
    "before it took the prompt": `heard((m) => { if (m.type === "control_request") answer(m); else process.exit(3); });`,
    "after it began": `${PROMPTED} init(); process.exit(3); });`,
    "in the middle of a sentence": `${PROMPTED} init(); ${STREAM} process.exit(3); });`,
    "in the middle of a line": `${PROMPTED} init(); fs.writeSync(1, '{"type":"assis'); process.exit(3); });`,
    "with a tool running": `${PROMPTED} init(); ${TOOL} process.exit(3); });`,
    "with an ask open": `${PROMPTED} init(); ${TOOL} ${ASK} setTimeout(() => process.exit(3), 50); });`,
    "after the turn, without a word": `${PROMPTED} init(); result(); process.exit(0); });`,
  };
  for (const [when, script] of Object.entries(STAGES)) {
    it(`is seen when it dies ${when}: all it left open is closed, and the session goes on when it is resumed`, async () => {
      await using world = await standIn(script);
      const device = await world.pair();
      const session = await open(device, world.home, "go");
      const ended = await fact(device, session, "agent.ended");
      const calm = when === "after the turn, without a word";
      assert.equal(ended.cause, calm ? "exited" : "failed");
      if (when === "at once") assert.match(ended.detail ?? "", /library not loaded/u);
      const follow = await device.call("session.follow", { session });
      assert.ok(follow.kind === "window");
      assert.deepEqual(follow.state.asks, []);
      assert.deepEqual(follow.state.items, []);
      assert.equal(follow.state.running, undefined);
      assert.equal(follow.state.status.kind, "ended");
      const kinds = follow.entries.map(({ fact: one }) => one.kind);
      assert.equal(
        kinds.filter((kind) => kind === "turn.began").length,
        kinds.filter((kind) => kind === "turn.ended").length,
      );
      if (when === "in the middle of a sentence") {
        assert.match(JSON.stringify(follow.entries), /half a sen/u);
      }
      if (when === "with an ask open") {
        assert.match(JSON.stringify(follow.entries), /"settlement":\{"kind":"void"\}/u);
        await assert.rejects(
          device.call("ask.answer", { session, ask: "ask1" as never, answer: { kind: "allow", choice: "once" } }),
          (error: unknown) => error instanceof CallError && error.code === "already_settled",
        );
      }
      write(world, `${PROMPTED} init(); result(); });`);
      const before = lastOf(device, session);
      await device.call("session.prompt", { session, text: "and now?", delivery: "queue" });
      await fact(device, session, "turn.ended", ({ outcome }) => outcome === "completed", before);
      device.close();
    });
  }
});

describe("a prompt of 5 MB", LIMIT, () => {
  it("reaches the agent byte for byte; one over the limit is refused before anything is stored", async () => {
    await using world = await standIn(
      `const { createHash } = require("node:crypto"); heard((m) => { if (m.type === "control_request") { answer(m); return; } say({ ...m, message: {}, isReplay: true }); init(); const { content } = m.message; const text = typeof content === "string" ? content : content.map((one) => one.text).join(""); say({ type: "assistant", message: { content: [{ type: "text", text: createHash("sha256").update(text).digest("hex") }] } }); result(); });`,
    );
    const device = await world.pair();
    const session = await open(device, world.home);
    await device.call("session.prompt", { session, text: FIVE_MB, delivery: "queue" });
    const { item } = await fact(device, session, "item.completed", (one) => one.item.kind === "words");
    assert.equal(item.body, createHash("sha256").update(FIVE_MB).digest("hex"));
    assert.equal((await fact(device, session, "prompt.accepted")).text, FIVE_MB);
    await fact(device, session, "turn.ended");
    const before = lastOf(device, session);
    const over = (length: number): Promise<unknown> =>
      device.call("session.prompt", { session, text: "x".repeat(length), delivery: "queue" }, newIntent());
    const refused = (words: RegExp) => (error: unknown) =>
      error instanceof CallError && error.code === "bad_params" && words.test(error.message);
    await assert.rejects(over(6 * 1024 * 1024 + 1), refused(/text/u));
    await assert.rejects(over(7 * 1024 * 1024 + 1), refused(/at most/u));
    const { entries } = await device.call("session.page", { session, before: 1_000_000, limit: 1 });
    assert.equal(entries.at(-1)?.seq, before);
    device.close();
  });
});

const found = findClaude();
if (found === undefined && process.env["CI"])
  throw new Error("Claude Code is not in .cache/agents. `npm test` brings it.");

describe(
  "the real claude",
  { ...LIMIT, skip: found === undefined && "Claude Code is not in .cache/agents; npm test brings it" },
  () => {
    it("[D39] that is killed with an ask open is seen within 2 s; a late answer reaches nobody, and a resumed session goes on", async () => {
      await using model = await startAnthropic();
      const { HOME: _, ...env } = claudeEnv({ home: "", url: model.url });
      await using world = await startWorld({ env: { ...env, PATH: `${dirname(found ?? "")}:${env["PATH"] ?? ""}` } });
      const device = await world.pair();
      const session = await open(device, world.home, `[[tool Bash {"command":"touch ${world.home}/touched"}]]`);
      const { ask } = await fact(device, session, "ask.opened");
      const { pid } = await fact(device, session, "agent.started");
      const began = performance.now();
      process.kill(pid, "SIGKILL");
      const ended = await fact(device, session, "agent.ended");
      assert.ok(performance.now() - began < SEEN_MS);
      assert.equal(ended.signal, "SIGKILL");
      const settled = await fact(device, session, "ask.settled");
      assert.deepEqual(settled.settlement, { kind: "void" });
      await assert.rejects(
        device.call("ask.answer", { session, ask: ask.ask, answer: { kind: "allow", choice: "once" } }),
        (error: unknown) =>
          error instanceof CallError && error.code === "already_settled" && /agent ended/u.test(error.message),
      );
      const before = lastOf(device, session);
      await device.call("session.resume", { session });
      await device.call("session.prompt", { session, text: "[[text back again]]", delivery: "queue" });
      const words = await fact(device, session, "item.completed", ({ item }) => item.kind === "words", before);
      assert.equal(words.item.body, "back again");
      assert.equal(existsSync(join(world.home, "touched")), false);
      device.close();
    });

    it("is given a long prompt whole; one of 5 MB, for which no model has room, it refuses itself, and goes on", async () => {
      await using model = await startAnthropic();
      const { HOME: _, ...env } = claudeEnv({ home: "", url: model.url });
      await using world = await startWorld({ env: { ...env, PATH: `${dirname(found ?? "")}:${env["PATH"] ?? ""}` } });
      const device = await world.pair();
      const long = await open(device, world.home);
      const text = `begin ${"0123456789 abcde\n".repeat(20_000)} end. [[text read]]`;
      await device.call("session.prompt", { session: long, text, delivery: "queue" });
      assert.equal((await fact(device, long, "turn.ended")).outcome, "completed");
      assert.ok(toldIn(model.requests.at(-1)).includes(text), "the model saw all of it");
      const session = await open(device, world.home);
      await device.call("session.prompt", { session, text: FIVE_MB, delivery: "queue" });
      const ended = await fact(device, session, "turn.ended");
      assert.equal(ended.outcome, "failed");
      assert.match(ended.detail ?? "", /too long/iu);
      const { status } = (await device.call("session.list", {})).sessions.find((one) => one.session === session) ?? {};
      assert.equal(status?.kind, "idle");
      device.close();
    });

    it("shows file names and output with control characters and bidi marks as they are", async () => {
      await using model = await startAnthropic();
      const { HOME: _, ...env } = claudeEnv({ home: "", url: model.url });
      await using world = await startWorld({ env: { ...env, PATH: `${dirname(found ?? "")}:${env["PATH"] ?? ""}` } });
      const device = await world.pair();
      const name = "in\u202egpj.\u001b[31mvoice\u2066.txt";
      const { session } = await device.call("session.create", {
        workspace: world.home,
        agent: CLAUDE,
        mode: "acceptEdits",
      });
      await device.call("session.follow", { session, from: 1 });
      const write = { file_path: join(world.home, name), content: "a\u0007b\u202ec\n" };
      const command = { command: "printf 'x\\033]52;c;aGk=\\007\\342\\200\\256y\\n'" };
      await device.call("session.prompt", {
        session,
        text: `[[tool Write ${JSON.stringify(write)}]] [[tool Bash ${JSON.stringify(command)}]]`,
        delivery: "queue",
      });
      const written = await fact(
        device,
        session,
        "item.completed",
        ({ item }) => item.kind === "tool" && item.tool.name === "Write",
      );
      assert.ok(written.item.kind === "tool");
      assert.equal(written.item.tool.object, write.file_path);
      assert.equal(written.item.tool.state, "done");
      assert.match(JSON.stringify(written.item.tool.edits), /a\\u0007b\u202ec/u);
      const over = await device.until(() => {
        const ask = device.entriesOf(session).find(({ fact: one }) => one.kind === "ask.opened");
        const ended = device.entriesOf(session).find(({ fact: one }) => one.kind === "turn.ended");
        return ask ?? ended;
      });
      if (over.fact.kind === "ask.opened")
        await device.call("ask.answer", { session, ask: over.fact.ask.ask, answer: { kind: "allow", choice: "once" } });
      const ran = await fact(
        device,
        session,
        "item.completed",
        ({ item }) => item.kind === "tool" && item.tool.name === "Bash",
      );
      assert.ok(ran.item.body.includes("\u202ey"), JSON.stringify(ran.item.body));
      device.close();
    });
  },
);
