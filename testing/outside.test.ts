/** The real Claude Code in terminals that this host did not start, and what a phone sees and does of it. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, realpathSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, it } from "node:test";
import type { Ask } from "@flybridge/protocol/ask.ts";
import type { Entry, FactOf } from "@flybridge/protocol/entry.ts";
import type { FeedEntry } from "@flybridge/protocol/feed.ts";
import type { AgentName, SessionId } from "@flybridge/protocol/ids.ts";
import type { Summary } from "@flybridge/protocol/session.ts";
import { type Anthropic, startAnthropic } from "./anthropic.ts";
import type { BareDevice } from "./bare.ts";
import { claudeEnv, findClaude } from "./claude.ts";
import { TerminalDevice } from "./terminal.ts";
import { findTmux, Tmux } from "./tmux.ts";
import { startWorld, type World } from "./world.ts";

const CLAUDE = "claude" as AgentName;
const LIMIT = { timeout: 240_000 };
/** Nothing here takes long; what does not come is not coming. */
const PATIENCE_MS = 60_000;

const found = findClaude();
if (found === undefined && process.env["CI"])
  throw new Error("Claude Code is not in .cache/agents. `npm test` brings it.");
const missing =
  found === undefined ? "Claude Code is not in .cache/agents" : findTmux() === undefined && "there is no tmux";

describe("claude in a terminal of its own", { ...LIMIT, skip: missing }, () => {
  it("[D33] is in the feed when it asks, is answered from a device, and its dialog closes and the command runs", async () => {
    await using at = await place();
    const device = await at.world.pair("phone");
    await feed(device);
    const { hooks } = await device.call("hook.list", {});
    assert.deepEqual([hooks[0]?.agent, hooks[0]?.state], [CLAUDE, "absent"]);
    assert.equal((await device.call("hook.install", { agent: CLAUDE })).state, "installed");
    using terminal = await at.claude();
    await terminal.line(tool("touch one", "make one"));
    const { session, ask } = await asked(device, ({ source }) => source === "hook");
    assert.ok(ask.kind === "approval");
    assert.deepEqual([ask.evidence.command, ask.evidence.purpose, ask.elsewhere], ["touch one", "make one", undefined]);
    const shown = latest(device, session);
    assert.deepEqual([shown?.outside, shown?.workspace, shown?.agent], [true, at.workspace, CLAUDE]);
    await terminal.until(/Do you want to proceed/u, "the dialog");
    assert.equal(existsSync(join(at.workspace, "one")), false);
    await device.call("ask.answer", { session, ask: ask.ask, answer: { kind: "allow", choice: "once" } });
    await terminal.until(/All done/u, "the end of the turn");
    assert.doesNotMatch(terminal.screen, /Do you want to proceed/u);
    assert.equal(existsSync(join(at.workspace, "one")), true);
    await idle(device, session);
    await follow(device, session);
    await untilItem(device, session, (item) => item.kind === "prompt" && item.body.includes("touch one"));
    await untilItem(device, session, (item) => item.kind === "tool" && item.tool.state === "done");
    await untilItem(device, session, (item) => item.kind === "words" && item.body.includes("All done"));

    // A question, and a no.
    const questions = [
      {
        question: "Which database?",
        header: "DB",
        multiSelect: false,
        options: [
          { label: "Postgres", description: "" },
          { label: "SQLite", description: "" },
        ],
      },
    ];
    await terminal.line(`[[tool AskUserQuestion ${JSON.stringify({ questions })}]]`);
    const question = await asked(device, (one) => one.kind === "question" && one.source === "hook");
    assert.equal(question.session, session, "the same conversation is the same session");
    const replies = [{ question: "q1", picks: ["SQLite"] }];
    await device.call("ask.answer", { session, ask: question.ask.ask, answer: { kind: "replies", replies } });
    await terminal.until(/Last result: [\s\S]*SQLite/u, "the answer");
    await terminal.line(tool("touch never"));
    const refused = await asked(device, (one) => one.kind === "approval");
    await device.call("ask.answer", { session, ask: refused.ask.ask, answer: { kind: "deny", reason: "Better not" } });
    await terminal.until(/Better not/u, "the reason");
    assert.equal(existsSync(join(at.workspace, "never")), false);
    device.close();
  });

  it("[D34] answered at the keyboard, takes its card back; asked while the host is away, it is asked when it is there again", async () => {
    await using at = await place();
    const device = await at.world.pair("tablet");
    await device.call("hook.install", { agent: CLAUDE });
    await feed(device);
    using hooked = await at.claude();
    await hooked.line(tool("touch two"));
    const { session, ask } = await asked(device, ({ source }) => source === "hook");
    await hooked.until(/Do you want to proceed/u, "the dialog");
    await answerThere(hooked);
    await noAsk(device, session);
    await follow(device, session);
    const settled = await device.untilEntry(
      session,
      ({ fact }) => fact.kind === "ask.settled" && fact.ask === ask.ask && fact,
    );
    assert.deepEqual(settled.settlement, { kind: "withdrawn" });
    await hooked.until(/All done/u, "the end of the turn");
    assert.equal(existsSync(join(at.workspace, "two")), true);

    // The hook waits over a restart of the host, and is answered after it.
    await hooked.line(tool("touch three"));
    const before = await asked(device, ({ source }) => source === "hook");
    await at.world.kill();
    await at.world.restart();
    const again = await at.world.pair("phone again");
    await feed(again);
    const after = await asked(again, ({ source }) => source === "hook");
    assert.deepEqual([after.session, after.ask.ask], [session, before.ask.ask]);
    await again.call("ask.answer", { session, ask: after.ask.ask, answer: { kind: "allow", choice: "once" } });
    await hooked.until(() => existsSync(join(at.workspace, "three")), "the third file");
    again.close();
  });

  it("asks once where this host has it: in a terminal of the host's by the hook, over a pipe by the pipe", async () => {
    await using at = await place();
    const device = await at.world.pair("phone");
    await feed(device);
    await device.call("hook.install", { agent: CLAUDE });
    const command = [found ?? "", "--permission-mode", "manual"];
    const terminal = await TerminalDevice.open(device, command, { workspace: at.workspace });
    const { session } = terminal;
    await terminal.shows(/manual mode on/u);
    await terminal.type(tool("touch five"));
    await terminal.shows(/touch five/u);
    await terminal.type("\r");
    const { ask, session: where } = await asked(device, ({ source }) => source === "hook");
    assert.equal(where, session, "the terminal it runs in");
    await device.call("ask.answer", { session, ask: ask.ask, answer: { kind: "allow", choice: "once" } });
    await within("the fifth file", device, () => existsSync(join(at.workspace, "five")) || undefined);
    const piped = await device.call("session.create", {
      agent: CLAUDE,
      workspace: at.workspace,
      prompt: tool("touch six"),
    });
    const own = await asked(device, ({ source }) => source === undefined);
    assert.equal(own.session, piped.session);
    await device.call("ask.answer", { ...piped, ask: own.ask.ask, answer: { kind: "allow", choice: "once" } } as never);
    await idle(device, piped.session);
    assert.equal(existsSync(join(at.workspace, "six")), true);
    await follow(device, piped.session);
    await device.untilEntry(piped.session, ({ fact }) => fact.kind === "turn.ended");
    const opened = device.entriesOf(piped.session).filter(({ fact }) => fact.kind === "ask.opened");
    assert.equal(opened.length, 1);
    assert.deepEqual([...summaries(device).keys()].sort(), [session, piped.session].sort(), "no session more");
    for (const one of [session, piped.session]) {
      await device.call("session.stop", { session: one });
      await status(device, one, "ended");
    }
    device.close();
  });

  it("without the hook, is seen to ask and says where to answer; ended, it is continued here", async () => {
    await using at = await place();
    // Started before the host looks for the first time: the host is away.
    await at.world.kill();
    using terminal = await at.claude();
    await terminal.line(tool("touch four", "make four"));
    await terminal.until(/Do you want to proceed/u, "the dialog");
    await at.world.restart();
    const device = await at.world.pair("phone");
    await feed(device);
    const { session, ask } = await asked(device, ({ elsewhere }) => elsewhere !== undefined);
    assert.match(ask.elsewhere ?? "", /own terminal.*flybridge hooks install/u);
    assert.ok(ask.kind === "approval");
    assert.equal(ask.evidence.command, "touch four");
    await assert.rejects(
      device.call("ask.answer", { session, ask: ask.ask, answer: { kind: "allow", choice: "once" } }),
      /own terminal/u,
    );
    await assert.rejects(
      device.call("session.prompt", { session, text: "x", delivery: "queue" }),
      /terminal of its own/u,
    );
    await answerThere(terminal);
    await noAsk(device, session);
    await terminal.until(/All done/u, "the end of the turn");
    await idle(device, session);
    terminal.keys("C-c");
    terminal.keys("C-c");
    await status(device, session, "ended");
    const { conversations } = await device.call("conversation.list", {});
    assert.deepEqual(
      conversations.map((one) => [one.agent, one.session, one.workspace, one.open]),
      [[CLAUDE, session, at.workspace, undefined]],
    );
    const { said } = await device.call("conversation.read", {
      agent: CLAUDE,
      conversation: conversations[0]?.conversation ?? "",
    });
    assert.match(said.map(({ text }) => text).join("\n"), /touch four[\s\S]*All done/u);

    await follow(device, session);
    await untilItem(device, session, (item) => item.kind === "words" && item.body.includes("All done"));
    const had = completed(device, session).length;
    await device.call("session.prompt", { session, text: "[[text going on]]", delivery: "queue" });
    await untilItem(device, session, (item) => item.kind === "words" && item.body === "going on");
    await idle(device, session);
    assert.equal(latest(device, session)?.outside, undefined);
    assert.ok(completed(device, session).length <= had + 2, "what was there is not told again");
    const told = JSON.stringify(at.model.requests.at(-1)?.messages);
    assert.match(told, /touch four/u, "the model was told what came before");

    // A fork is another session, and begins with the same past.
    const from = { conversation: conversations[0]?.conversation ?? "", fork: true };
    const fork = await device.call("session.create", {
      agent: CLAUDE,
      workspace: at.workspace,
      from,
      prompt: "[[text forked]]",
    });
    await follow(device, fork.session);
    await untilItem(device, fork.session, (item) => item.kind === "words" && item.body === "forked");
    assert.ok(
      completed(device, fork.session).some((item) => item.kind === "prompt" && item.body.includes("touch four")),
    );
    device.close();
  });
});

interface Place extends AsyncDisposable {
  readonly world: World;
  readonly model: Anthropic;
  readonly workspace: string;
  /** A Claude Code in a terminal, ready for a prompt. */
  claude(): Promise<Tmux>;
}

/** A host, a model, and a home in which Claude has nothing to ask or to fetch when it starts. */
async function place(): Promise<Place> {
  const stack = new AsyncDisposableStack();
  const model = stack.use(await startAnthropic());
  const { HOME: _, ...env } = claudeEnv({ home: "", url: model.url });
  const path = `${dirname(found ?? "")}:${env["PATH"] ?? ""}`;
  const world = stack.use(await startWorld({ env: { ...env, PATH: path } }));
  const home = realpathSync(world.home);
  const workspace = join(home, "work");
  mkdirSync(workspace);
  // Claude takes the nearest repository for the project; another's settings must not be found above.
  execFileSync("git", ["init", "-q", workspace]);
  const trusted = { hasTrustDialogAccepted: true, hasCompletedProjectOnboarding: true, projectOnboardingSeenCount: 9 };
  writeFileSync(
    join(home, ".claude.json"),
    JSON.stringify({
      hasCompletedOnboarding: true,
      hasSeenAutoDefaultNotice: true,
      numStartups: 20,
      theme: "dark",
      autoUpdates: false,
      customApiKeyResponses: { approved: ["sk-ant-fake"], rejected: [] },
      projects: { [workspace]: trusted },
    }),
  );
  return {
    world,
    model,
    workspace,
    async claude() {
      const argv = [found ?? "", "--permission-mode", "manual"];
      const terminal = new Tmux(argv, { cwd: workspace, env: { ...env, PATH: path, HOME: home } });
      await terminal.until(/manual mode on/u, "Claude Code, ready");
      return terminal;
    },
    async [Symbol.asyncDispose]() {
      // What a host says that ended by itself would be lost with it.
      if (world.errors() !== "") console.error(world.errors());
      await stack.disposeAsync();
    },
  };
}

function tool(command: string, description = "do it"): string {
  return `[[tool Bash ${JSON.stringify({ command, description })}]]`;
}

/** Claude takes no key in the first moments of a dialog, so it is pressed until the dialog is gone. */
async function answerThere(terminal: Tmux): Promise<void> {
  let pressed = 0;
  await terminal.until((screen) => {
    if (!/Do you want to proceed/u.test(screen)) return true;
    if (pressed++ % 10 === 5) terminal.keys("1");
    return false;
  }, "the screen without the dialog");
}

/** What the feed began with, by device; what came later is among its messages. */
const begun = new WeakMap<BareDevice, readonly FeedEntry[]>();

async function feed(device: BareDevice): Promise<void> {
  begun.set(device, (await device.call("feed.follow", { from: 0 })).facts);
}

async function follow(device: BareDevice, session: SessionId): Promise<void> {
  await device.call("session.follow", { session, from: 1 });
}

/** The newest summary that the feed gave of each session. */
function summaries(device: BareDevice): Map<SessionId, Summary> {
  const all = new Map<SessionId, Summary>();
  const came = device.messages.flatMap((message) => (message.t === "feed" ? message.facts : []));
  for (const { fact } of [...(begun.get(device) ?? []), ...came])
    if (fact.kind === "session") all.set(fact.summary.session, fact.summary);
  return all;
}

function latest(device: BareDevice, session: SessionId): Summary | undefined {
  return summaries(device).get(session);
}

function asked(device: BareDevice, fits: (ask: Ask) => boolean): Promise<{ session: SessionId; ask: Ask }> {
  return within("an ask", device, () => {
    for (const { session, asks } of summaries(device).values()) {
      const open = asks.find(({ ask }) => fits(ask));
      if (open) return { session, ask: open.ask };
    }
    return undefined;
  });
}

async function noAsk(device: BareDevice, session: SessionId): Promise<void> {
  await within("no ask", device, () => latest(device, session)?.asks.length === 0 || undefined);
}

async function status(device: BareDevice, session: SessionId, kind: Summary["status"]["kind"]): Promise<void> {
  await within(kind, device, () => latest(device, session)?.status.kind === kind || undefined);
}

function idle(device: BareDevice, session: SessionId): Promise<void> {
  return status(device, session, "idle");
}

function completed(device: BareDevice, session: SessionId): FactOf<"item.completed">["item"][] {
  return device.entriesOf(session).flatMap(({ fact }: Entry) => (fact.kind === "item.completed" ? [fact.item] : []));
}

async function untilItem(
  device: BareDevice,
  session: SessionId,
  fits: (item: FactOf<"item.completed">["item"]) => boolean,
): Promise<FactOf<"item.completed">["item"]> {
  return within("an item", device, () => completed(device, session).find(fits));
}

async function within<T>(what: string, device: BareDevice, find: () => T | undefined): Promise<T> {
  const { stack } = new Error("asked for here");
  const timer = new Promise<never>((_, reject) =>
    setTimeout(() => {
      const seen = [...summaries(device).values()].map((one) => JSON.stringify(one).slice(0, 600));
      reject(new Error(`waited in vain for ${what}; the feed says:\n${seen.join("\n")}\n${stack}`));
    }, PATIENCE_MS).unref(),
  );
  return Promise.race([device.until(find), timer]);
}
