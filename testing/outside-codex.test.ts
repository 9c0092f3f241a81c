/** The real Codex in a terminal that this host did not start: seen when it asks, and answered from a phone. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { Ask } from "@flybridge/protocol/ask.ts";
import type { FeedEntry } from "@flybridge/protocol/feed.ts";
import type { Summary } from "@flybridge/protocol/session.ts";
import type { BareDevice } from "./bare.ts";
import { codexPlace, findCodex, runOutside } from "./codex.ts";
import { startOpenAi } from "./openai.ts";
import { findTmux, Tmux } from "./tmux.ts";
import { startWorld } from "./world.ts";

const LIMIT = { timeout: 180_000 };
const PATIENCE_MS = 60_000;

const found = findCodex();
if (found === undefined && process.env["CI"]) throw new Error("Codex is not in .cache/agents. `npm test` brings it.");
const missing = found === undefined ? "Codex is not in .cache/agents" : findTmux() === undefined && "there is no tmux";

describe("codex in a terminal of its own", { ...LIMIT, skip: missing }, () => {
  it("[D33] is in the feed when it asks, answered from either side; the other side's dialog closes", async () => {
    await using model = await startOpenAi();
    using place = codexPlace(model.url, { more: '[projects."/"]\ntrust_level = "trusted"' });
    const workspace = realpathSync(place.workspace);
    await using _server = await serve(place.env, place.codex);
    await using world = await startWorld({ env: place.env });
    const device = await world.pair("phone");
    const { facts } = await device.call("feed.follow", { from: 0 });
    using terminal = new Tmux([found ?? "", "-C", workspace], { cwd: workspace, env: place.env });
    await terminal.until(/describe a task/u, "Codex, ready");
    const one = join(place.folder, "one");
    await terminal.line(`[[${runOutside(`touch ${one}`)}]]`);
    await terminal.until(/Would you like to run/u, "its dialog");
    const { summary, ask } = await asked(device, facts);
    assert.deepEqual([summary.agent, summary.workspace, summary.outside], ["codex", workspace, undefined]);
    assert.ok(ask.kind === "approval" && ask.evidence.command === `touch ${one}`);
    await device.call("ask.answer", {
      session: summary.session,
      ask: ask.ask,
      answer: { kind: "allow", choice: ask.choices[0]?.choice ?? "" },
    });
    await terminal.until((screen) => existsSync(one) && !screen.includes("Would you like to run"), "the end of it");
    const two = join(place.folder, "two");
    await terminal.line(`[[${runOutside(`touch ${two}`)}]]`);
    await terminal.until(/Would you like to run/u, "its dialog");
    const second = await asked(device, facts);
    assert.equal(second.summary.session, summary.session);
    terminal.keys("y");
    await within("no ask", device, () => newest(device, facts).every(({ asks }) => asks.length === 0) || undefined);
    await terminal.until(() => existsSync(two), "the second file");
    device.close();
  });
});

/** The server in the background that Codex's screens share: they start one where there is none, which takes its time. */
async function serve(env: Readonly<Record<string, string>>, home: string): Promise<AsyncDisposable> {
  const folder = join(home, "app-server-control");
  mkdirSync(folder);
  const path = join(folder, "app-server-control.sock");
  const server: ChildProcess = spawn(found ?? "", ["app-server", "--listen", `unix://${path}`], {
    env,
    stdio: "ignore",
  });
  for (const began = performance.now(); !existsSync(path); await delay(50))
    assert.ok(performance.now() - began < PATIENCE_MS, "the server listens");
  return {
    async [Symbol.asyncDispose]() {
      if (server.exitCode !== null || server.signalCode !== null) return;
      const exit = once(server, "exit");
      server.kill("SIGKILL");
      await exit;
    },
  };
}

function newest(device: BareDevice, first: readonly FeedEntry[]): Summary[] {
  const all = new Map<string, Summary>();
  const came = device.messages.flatMap((message) => (message.t === "feed" ? message.facts : []));
  for (const { fact } of [...first, ...came]) if (fact.kind === "session") all.set(fact.summary.session, fact.summary);
  return [...all.values()];
}

function asked(device: BareDevice, first: readonly FeedEntry[]): Promise<{ summary: Summary; ask: Ask }> {
  return within("an ask", device, () => {
    for (const summary of newest(device, first)) {
      const [open] = summary.asks;
      if (open) return { summary, ask: open.ask };
    }
    return undefined;
  });
}

function within<T>(what: string, device: BareDevice, find: () => T | undefined): Promise<T> {
  const late = delay(PATIENCE_MS, undefined, { ref: false }).then(() => {
    throw new Error(`waited in vain for ${what}; the feed says ${JSON.stringify(newest(device, []))}`);
  });
  return Promise.race([device.until(find), late]);
}
