/** The real Codex behind host and keeper, with bare devices: what is asked survives all who could answer it. */
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import type { ApprovalAsk } from "@flybridge/protocol/ask.ts";
import type { Entry, Fact, FactOf } from "@flybridge/protocol/entry.ts";
import { CallError } from "@flybridge/protocol/error.ts";
import type { AgentName, SessionId } from "@flybridge/protocol/ids.ts";
import { type BareDevice, newIntent } from "./bare.ts";
import { codexPlace, findCodex, run, runOutside, type CodexPlace } from "./codex.ts";
import { startOpenAi, toldIn, type OpenAi } from "./openai.ts";
import { startWorld, type World } from "./world.ts";

const skip = findCodex() === undefined ? "Codex is not in .cache/agents; npm test brings it" : false;
const agent = "codex" as AgentName;

class Stage implements AsyncDisposable {
  readonly model: OpenAi;
  readonly place: CodexPlace;
  readonly world: World;

  private constructor(model: OpenAi, place: CodexPlace, world: World) {
    this.model = model;
    this.place = place;
    this.world = world;
  }

  static async set(): Promise<Stage> {
    const model = await startOpenAi();
    const place = codexPlace(model.url);
    return new Stage(model, place, await startWorld({ env: place.env }));
  }

  get workspace(): string {
    return this.place.workspace;
  }

  /** Processes of Codex that this stage's keeper holds. */
  pids(): number[] {
    const listed = execFileSync("ps", ["-A", "-o", "pid=,args="], { encoding: "utf8", maxBuffer: 16 * 1024 * 1024 });
    return listed
      .split("\n")
      .filter((line) => line.includes("codex app-server"))
      .map((line) => Number.parseInt(line, 10))
      .filter((pid) => environmentOf(pid).includes(this.place.codex));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.world[Symbol.asyncDispose]();
    await this.model.close();
    this.place[Symbol.dispose]();
  }
}

function environmentOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, "utf8");
  } catch {
    return "";
  }
}

async function begin(device: BareDevice, params: object): Promise<SessionId> {
  const intent = newIntent();
  await device.call("session.create", { agent, ...params } as never, intent);
  const session = intent as string as SessionId;
  await device.call("session.follow", { session, from: 1 });
  return session;
}

/** The facts of a kind that a device has been told of a session, in order, each entry once. */
function facts<Kind extends Fact["kind"]>(device: BareDevice, session: SessionId, kind: Kind): FactOf<Kind>[] {
  const all = new Map<number, Entry>(device.entriesOf(session).map((entry) => [entry.seq, entry]));
  return [...all.values()].flatMap(({ fact }) => (fact.kind === kind ? [fact as FactOf<Kind>] : []));
}

function asksOf(device: BareDevice, session: SessionId): ApprovalAsk[] {
  return facts(device, session, "ask.opened").flatMap(({ ask }) => (ask.kind === "approval" ? [ask] : []));
}

function allow(ask: ApprovalAsk, scope: "once" | "session" = "once"): { kind: "allow"; choice: string } {
  return { kind: "allow", choice: ask.choices.find((one) => one.scope === scope)?.choice ?? "" };
}

describe("Codex behind the host", { skip }, () => {
  it("[E22] [E23] [E15] keeps two asks, raised with no device there and a host killed, for whoever comes", async () => {
    await using stage = await Stage.set();
    const [one, two] = [join(stage.place.folder, "one"), join(stage.place.folder, "two")];
    const first = await stage.world.pair("first");
    const session = await begin(first, {
      workspace: stage.workspace,
      prompt: `[[wait alone]][[${runOutside(`touch ${one}`)}]][[+${runOutside(`touch ${two}`)}]][[text Both are decided]]`,
    });
    await first.untilEntry(session, ({ fact }) => fact.kind === "turn.began");
    first.close();
    await first.ended;
    stage.model.release("alone");
    // Nobody is there, and then not even a host.
    const shell = await stage.world.shell();
    await shell.call("session.follow", { session, from: 1 });
    await shell.until(() => (asksOf(shell, session).length === 2 ? true : undefined));
    const pids = stage.pids();
    assert.equal(pids.length, 1);
    shell.close();
    await stage.world.kill();
    assert.deepEqual(stage.pids(), pids, "the process lives on");
    await stage.world.restart();

    const late = await stage.world.pair("late");
    const followed = await late.call("session.follow", { session });
    assert.ok(followed.kind === "window");
    const open = followed.state.asks.flatMap(({ ask }) => (ask.kind === "approval" ? [ask] : []));
    assert.deepEqual(new Set(open.map(({ evidence }) => evidence.command)), new Set([`touch ${one}`, `touch ${two}`]));
    const [yes, no] = open[0]?.evidence.command === `touch ${one}` ? open : open.toReversed();
    assert.ok(yes && no);
    await late.call("ask.answer", { session, ask: no.ask, answer: { kind: "deny", reason: "One is enough" } });
    await late.call("ask.answer", { session, ask: yes.ask, answer: allow(yes) });
    // The first answer holds, whoever comes after.
    const again = late.call("ask.answer", { session, ask: no.ask, answer: allow(no) });
    await assert.rejects(again, (error) => error instanceof CallError);
    await late.untilEntry(session, ({ fact }) => fact.kind === "turn.ended");
    assert.ok(existsSync(one) && !existsSync(two));
    assert.match(toldIn(stage.model.requests.at(-1)), /One is enough/u);
    assert.deepEqual(stage.pids(), pids);
    // Once more without a question open, and the conversation is still the same.
    await stage.world.kill();
    await stage.world.restart();
    const back = await stage.world.pair("back");
    await back.call("session.follow", { session });
    await back.call("session.prompt", { session, text: "[[text Still the same]]", delivery: "queue" } as never);
    await back.untilEntry(session, ({ fact }) => fact.kind === "turn.ended");
    assert.match(toldIn(stage.model.requests.at(-1)), /One is enough[\s\S]*Still the same/u);
    assert.deepEqual(stage.pids(), pids);
  });

  it("[E24] [E25] tells who follows of turns, words as they grow, items, asks and their end; another session still asks", async () => {
    await using stage = await Stage.set();
    const phone = await stage.world.pair("phone");
    const other = await stage.world.pair("other");
    const edit = "custom apply_patch *** Begin Patch\n*** Add File: a.txt\n+one\n*** End Patch";
    const again = edit.replace("Add File: a.txt\n+one", "Update File: a.txt\n@@\n-one\n+two");
    const mode = "ask";
    const prompt = `[[slow 20]][[text ${"word ".repeat(20)}]][[+${run("echo hi")}]][[${edit}]][[${again}]]`;
    const session = await begin(phone, { workspace: stage.workspace, mode, prompt });
    await other.call("session.follow", { session, from: 1 });
    await other.until(() => (asksOf(other, session).length === 1 ? true : undefined));
    const [ask] = asksOf(other, session);
    assert.ok(ask);
    await other.call("ask.answer", { session, ask: ask.ask, answer: allow(ask, "session") });
    await phone.untilEntry(session, ({ fact }) => fact.kind === "turn.ended");
    assert.equal(asksOf(phone, session).length, 1, "asked once for the session");
    const [settled] = facts(phone, session, "ask.settled");
    assert.deepEqual([settled?.ask, settled?.settlement.kind], [ask.ask, "answered"]);
    const kinds = facts(phone, session, "item.completed").map(({ item }) => item.kind);
    assert.deepEqual(kinds, ["words", "tool", "tool", "tool", "words"]);
    assert.ok(phone.messages.filter((message) => message.t === "delta").length >= 3, "it was seen to grow");

    const second = await begin(phone, {
      workspace: stage.workspace,
      mode,
      prompt: `[[${again.replace("-one\n+two", "-two\n+three")}]]`,
    });
    await phone.until(() => (asksOf(phone, second).length === 1 ? true : undefined));
    await phone.call("session.interrupt", { session: second });
    await phone.untilEntry(second, ({ fact }) => fact.kind === "turn.ended" && fact.outcome === "interrupted");
    await phone.until(() =>
      facts(phone, second, "ask.settled")[0]?.settlement.kind === "withdrawn" ? true : undefined,
    );
    assert.equal(readFileSync(join(stage.workspace, "a.txt"), "utf8"), "two\n");
  });

  it("[E14] [E18] [E26] goes on with a conversation begun at the keyboard, with its history, an image and no new thread", async () => {
    await using stage = await Stage.set();
    const { env } = stage.place;
    const words = ["exec", "--skip-git-repo-check", "[[comment Begun]][[+text At the keyboard]]"];
    const keyboard = spawn(findCodex() ?? "", words, { cwd: stage.workspace, env, stdio: "ignore" });
    assert.deepEqual(await once(keyboard, "exit"), [0, null]);
    const phone = await stage.world.pair("phone");
    const { conversations } = await phone.call("conversation.list", { agent });
    const [found] = conversations;
    assert.deepEqual([conversations.length, found?.workspace], [1, stage.workspace]);
    const dot = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
    const session = await begin(phone, {
      workspace: stage.workspace,
      from: { conversation: found?.conversation ?? "", fork: false },
      prompt: "[[text And here]]",
      attachments: [{ name: "dot.png", type: "image/png", data: dot }],
    });
    await phone.untilEntry(session, ({ fact }) => fact.kind === "turn.ended");
    const items = facts(phone, session, "item.completed").map(({ item }) => item);
    assert.deepEqual(
      items.map((item) => [item.kind, item.kind === "words" && item.commentary === true, item.body]),
      [
        ["prompt", false, "[[comment Begun]][[+text At the keyboard]]"],
        ["words", true, "Begun"],
        ["words", false, "At the keyboard"],
        ["words", false, "And here"],
      ],
    );
    const told = toldIn(stage.model.requests.at(-1));
    assert.match(told, /At the keyboard[\s\S]*\[image data:image\/png;base64,/u);
    const after = await phone.call("conversation.list", { agent });
    assert.deepEqual(
      after.conversations.map((one) => [one.conversation, one.session]),
      [[found?.conversation, session]],
    );
  });
});
