/** The hook as agents run it, with a host and without one: what it prints, how long it waits, and whom it lets in. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { AgentName, AskId, SessionId } from "@flybridge/protocol/ids.ts";
import type { SessionState } from "@flybridge/protocol/session.ts";
import type { BareDevice } from "./bare.ts";
import { startWorld, type World } from "./world.ts";

const CLAUDE = "claude" as AgentName;
const LIMIT = { timeout: 300_000 };
const PATIENCE_MS = 45_000;

let world: World;
let device: BareDevice;
let program: string;
before(async () => {
  world = await startWorld();
  device = await world.pair();
  assert.equal((await device.call("hook.install", { agent: CLAUDE })).state, "installed");
  program = join(world.state, "hook");
});
after(async () => {
  device.close();
  await world[Symbol.asyncDispose]();
});

/** A Claude Code, by the file it keeps: this process stands for it. */
function claudeIs(status: "busy" | "waiting" | "idle", conversation: string): void {
  const folder = join(world.home, ".claude", "sessions");
  mkdirSync(folder, { recursive: true });
  const told = {
    pid: process.pid,
    sessionId: conversation,
    cwd: world.home,
    status,
    statusUpdatedAt: Date.now(),
    version: "2.1.328",
    entrypoint: "cli",
  };
  writeFileSync(join(folder, `${process.pid}.json`), JSON.stringify(told));
}

interface Run {
  readonly child: ChildProcess;
  /** What it printed, once it has ended. */
  readonly printed: Promise<string>;
}

function hook(event: string | object, env: Record<string, string> = {}): Run {
  const child = spawn(program, ["claude"], {
    env: { PATH: process.env["PATH"] ?? "", ...env },
    stdio: ["pipe", "pipe", "pipe"],
  });
  let text = "";
  child.stdout.on("data", (bytes: Buffer) => (text += bytes.toString()));
  child.stdin.on("error", () => {});
  child.stdin.end(typeof event === "string" ? event : JSON.stringify(event));
  const printed = once(child, "close").then(([code, signal]) => {
    if (signal === null) assert.equal(code, 0, "it never fails");
    return text;
  });
  return { child, printed };
}

function asking(conversation: string, command = "ls"): object {
  return {
    session_id: conversation,
    cwd: world.home,
    hook_event_name: "PermissionRequest",
    tool_name: "Bash",
    tool_input: { command },
  };
}

/** The session that shows the conversation, when it is as it should be. */
async function until(
  conversation: string,
  fits: (state: SessionState) => boolean,
): Promise<{ session: SessionId; state: SessionState }> {
  for (const began = performance.now(); ; await new Promise((resolve) => setTimeout(resolve, 50))) {
    for (const { session } of (await device.call("session.list", {})).sessions) {
      const follow = await device.call("session.follow", { session });
      if (follow.kind === "window" && follow.state.from?.conversation === conversation && fits(follow.state))
        return { session, state: follow.state };
    }
    if (performance.now() - began > PATIENCE_MS) {
      const { sessions } = await device.call("session.list", {});
      throw new Error(`waited in vain; the host has ${JSON.stringify(sessions)}`);
    }
  }
}

const asked = (conversation: string): ReturnType<typeof until> =>
  until(conversation, ({ asks }) => asks.some(({ ask }) => ask.source === "hook"));
const quiet = (conversation: string): ReturnType<typeof until> => until(conversation, ({ asks }) => asks.length === 0);

function allow(session: SessionId, ask: AskId | undefined): Promise<unknown> {
  return device.call("ask.answer", {
    session,
    ask: ask ?? ("" as AskId),
    answer: { kind: "allow", choice: "once" },
  });
}

const socketPath = (): string => world.socket.replace(/\.host$/u, ".hook");

describe("the hook", LIMIT, () => {
  it("is asked, and prints what a device answers in Claude's words", async () => {
    claudeIs("busy", "c-answered");
    const { printed } = hook(asking("c-answered", "touch x"));
    const { session, state } = await asked("c-answered");
    assert.equal(state.outside, true);
    const [open] = state.asks;
    assert.ok(open?.ask.kind === "approval");
    assert.equal(open.ask.evidence.command, "touch x");
    claudeIs("waiting", "c-answered");
    await allow(session, open.ask.ask);
    assert.deepEqual(JSON.parse(await printed), {
      hookSpecificOutput: {
        hookEventName: "PermissionRequest",
        decision: { behavior: "allow", updatedInput: { command: "touch x" } },
      },
    });
  });

  it("lets go without a word when its dialog was answered, and its ask is taken back", async () => {
    claudeIs("busy", "c-keyboard");
    const { printed } = hook(asking("c-keyboard"));
    await asked("c-keyboard");
    claudeIs("waiting", "c-keyboard");
    claudeIs("busy", "c-keyboard");
    assert.equal(await printed, "");
    await quiet("c-keyboard");
  });

  it("that is ended by its agent takes its ask with it", async () => {
    claudeIs("busy", "c-killed");
    const { child, printed } = hook(asking("c-killed"));
    await asked("c-killed");
    child.kill("SIGKILL");
    await printed;
    await quiet("c-killed");
  });

  it("waits over a restart of the host, and is told what was answered meanwhile; two ask side by side", async () => {
    claudeIs("waiting", "c-restart");
    const [one, two] = [hook(asking("c-restart", "one")), hook(asking("c-restart", "two"))];
    const { session, state } = await until("c-restart", ({ asks }) => asks.length === 2);
    const named = (command: string) =>
      state.asks.find(({ ask }) => ask.kind === "approval" && ask.evidence.command === command)?.ask.ask;
    one.child.kill("SIGSTOP");
    await world.kill();
    await world.restart();
    device = await world.pair();
    // This one has not come back yet: its answer waits for it.
    await allow(session, named("one"));
    await allow(session, named("two"));
    assert.match(await two.printed, /"allow"[\s\S]*two/u);
    one.child.kill("SIGCONT");
    assert.match(await one.printed, /"allow"[\s\S]*one/u);
    await quiet("c-restart");
  });

  it("says nothing where there is no ask, no agent of this person's, or a host that drives it itself", async () => {
    claudeIs("busy", "c-nothing");
    const before = (await device.call("session.list", {})).sessions.length;
    const nothings: [string | object, Record<string, string>][] = [
      ["", {}],
      ["not JSON", {}],
      ["null", {}],
      [{ ...asking("c-nothing"), hook_event_name: "Stop" }, {}],
      [asking("c-of-nobody"), {}],
      [asking("c-of-nobody"), { FLYBRIDGE_SESSION: "../../etc" }],
      [asking("c-nothing"), { FLYBRIDGE_DRIVEN: "1" }],
    ];
    for (const [event, env] of nothings) assert.equal(await hook(event, env).printed, "", JSON.stringify(event));
    const { sessions } = await device.call("session.list", {});
    assert.ok(sessions.length <= before + 1);
    assert.ok(sessions.every(({ asks }) => asks.length === 0));
  });

  it("has a door of its own, for this person alone, that takes nothing else and survives what comes", async () => {
    assert.equal(statSync(socketPath()).mode & 0o777, 0o600);
    const lines = [
      "\n",
      "{}\n",
      "[1]\n",
      `${JSON.stringify({ v: 1, hook: "x", agent: "claude", began: 0, again: false, event: {} })}\n`,
      `${JSON.stringify({ v: 1, hook: "a".repeat(32), agent: "claude", began: 0, again: true, event: { hook_event_name: 1 } })}\n`,
      `${JSON.stringify({ t: "call", call: 1, method: "session.list", params: {} })}\n`,
      "GET / HTTP/1.1\r\n\r\n",
    ];
    for (const line of lines) assert.equal(await said(line), '{"print":""}\n', line.slice(0, 60));
    const flood = connect(socketPath());
    flood.on("error", () => {});
    const closed = new Promise<void>((resolve) => flood.on("close", () => resolve()));
    const block = Buffer.alloc(1024 * 1024, 0x61);
    for (let sent = 0; sent < 9; sent++) flood.write(block);
    flood.resume();
    await closed;
    const idle: Socket[] = [];
    for (let count = 0; count < 80; count++) idle.push(connect(socketPath()).on("error", () => {}));
    for (const socket of idle) socket.destroy();
    claudeIs("busy", "c-still");
    const { printed } = hook(asking("c-still"));
    const { session, state } = await asked("c-still");
    await allow(session, state.asks[0]?.ask.ask);
    assert.match(await printed, /"allow"/u);
  });

  it("says nothing where the host died, and does not wait for it long", async () => {
    await world.kill();
    const path = socketPath();
    assert.equal(existsSync(path), true, "a dead host's socket lies there");
    assert.equal(await hook(asking("c-none")).printed, "");
    await world.restart();
    device = await world.pair();
  });

  function said(line: string): Promise<string> {
    return new Promise((resolve) => {
      let text = "";
      const socket = connect(socketPath(), () => socket.end(line));
      socket.on("data", (bytes) => (text += bytes.toString()));
      socket.on("error", () => {});
      socket.on("close", () => resolve(text));
    });
  }
});
