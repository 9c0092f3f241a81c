/** A real agent at its desk: a home and a workspace of its own, a model that answers from the prompt, and one long story. */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ApprovalAsk, Ask } from "@flybridge/protocol/ask.ts";
import type { Continued } from "@flybridge/protocol/conversation.ts";
import { uuid7From, type SessionId } from "@flybridge/protocol/ids.ts";
import type { ToolItem } from "@flybridge/protocol/item.ts";
import { geminiEnv, opencodeEnv, type RealAgent } from "@flybridge/testing/acp.ts";
import { startChatCompletions, toldInCompletion } from "@flybridge/testing/chat-completions.ts";
import { DEVICE, drive, type Driven } from "@flybridge/testing/driven.ts";
import { startGemini, toldInGeneration } from "@flybridge/testing/gemini.ts";
import { acpAgent } from "./acp.ts";
import { KNOWN } from "./known.ts";

const session = uuid7From(1, new Uint8Array(10)) as string as SessionId;

/** The agent as the catalogue has it. */
export function known(name: RealAgent): ReturnType<typeof acpAgent> {
  const entry = KNOWN.find((one) => one.name === name);
  assert.ok(entry);
  return acpAgent(entry);
}

export class Desk implements AsyncDisposable {
  readonly agent: RealAgent;
  readonly workspace = mkdtempSync(join(tmpdir(), "flybridge-work-"));
  readonly env: Record<string, string>;
  /** What the model was shown last. */
  readonly told: () => string;
  readonly #home: string;
  readonly #close: () => Promise<void>;

  private constructor(
    agent: RealAgent,
    home: string,
    env: Record<string, string>,
    told: () => string,
    close: () => Promise<void>,
  ) {
    this.agent = agent;
    this.#home = home;
    this.env = env;
    this.told = told;
    this.#close = close;
  }

  static async at(agent: RealAgent): Promise<Desk> {
    const home = mkdtempSync(join(tmpdir(), "flybridge-home-"));
    if (agent === "opencode") {
      const model = await startChatCompletions();
      const told = (): string => toldInCompletion(model.requests.at(-1));
      return new Desk(agent, home, opencodeEnv({ home, url: model.url }), told, () => model.close());
    }
    const model = await startGemini();
    const told = (): string => toldInGeneration(model.requests.at(-1));
    return new Desk(agent, home, geminiEnv({ home, url: model.url }), told, () => model.close());
  }

  sit(more: { readonly before?: unknown; readonly from?: Continued } = {}): Promise<Driven> {
    return drive(known(this.agent), { session, workspace: this.workspace, env: this.env, ...more });
  }

  file(name: string): string | undefined {
    const path = join(this.workspace, name);
    return existsSync(path) ? readFileSync(path, "utf8") : undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
    for (const folder of [this.#home, this.workspace]) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** How each calls its tools. */
export const TOOLS = {
  opencode: {
    run: (command: string) => `[[tool bash ${JSON.stringify({ command, description: "Run it" })}]]`,
    write: (path: string, content: string) => `[[tool write ${JSON.stringify({ filePath: path, content })}]]`,
  },
  gemini: {
    run: (command: string) => `[[tool run_shell_command ${JSON.stringify({ command, description: "Run it" })}]]`,
    write: (path: string, content: string) => `[[tool write_file ${JSON.stringify({ file_path: path, content })}]]`,
  },
};

export function tools(driven: Driven): ToolItem[] {
  return driven.items().filter((item) => item.kind === "tool");
}

export function spoken(driven: Driven): string[] {
  return driven.items().flatMap((item) => (item.kind === "words" ? [item.body] : []));
}

/** Prompts, and gives the approval that it comes to. */
export async function asking(driven: Driven, text: string): Promise<ApprovalAsk> {
  const asked = driven.ask();
  driven.prompt(text);
  return approval(await asked);
}

export async function turnAfter(driven: Driven, work: () => void): ReturnType<Driven["turn"]> {
  const before = driven.entries.length;
  work();
  return driven.fact("turn.ended", undefined, before);
}

/** The answer that is good for this ask, or for those to come. */
export function yes(ask: ApprovalAsk, lasting = false): { kind: "allow"; choice: string } {
  const choice = ask.choices.find((one) => (one.scope === "once") !== lasting);
  assert.ok(choice);
  return { kind: "allow", choice: choice.choice };
}

/** Every kind of answer an ask can be given, diffs, an image, an interrupt during an ask, and a model that fails. */
export async function playStory(at: Desk, driven: Driven): Promise<void> {
  const { run, write } = TOOLS[at.agent];
  // Gemini CLI stops a model that repeats itself, so every piece is another.
  const hello = Array.from({ length: 8 }, (_, at) => `${at * at} ways to say hello ${at * 7}`).join(", ");
  const greeted = await driven.turn(`Hi. [[think Let me see.]][[text ${hello}]]`);
  assert.equal(greeted.outcome, "completed", greeted.detail);
  assert.deepEqual(spoken(driven), [hello]);
  assert.ok(driven.items().some((item) => item.kind === "thought" && item.body.includes("Let me see.")));
  const state = driven.state();
  assert.ok((state.models?.length ?? 0) > 1 && (state.modes?.length ?? 0) > 1 && (state.commands?.length ?? 0) > 1);

  const command = "echo made it && touch made";
  const once = await asking(driven, `Run. ${run(command)}[[text Ran.]]`);
  assert.deepEqual([once.evidence.command, once.evidence.kind], [command, "command"]);
  assert.equal(once.choices[0]?.scope, "once");
  assert.equal(at.file("made"), undefined);
  await turnAfter(driven, () => driven.answer(once, yes(once)));
  assert.equal(at.file("made"), "");
  assert.deepEqual([tools(driven)[0]?.tool.object, tools(driven)[0]?.tool.state], [command, "done"]);

  const diff = await asking(driven, `Write. ${write(join(at.workspace, "n.txt"), "one\ntwo\n")}[[text Wrote.]]`);
  assert.equal(diff.evidence.edits[0]?.diff, "@@ -0,0 +1,2 @@\n+one\n+two");
  await turnAfter(driven, () => driven.answer(diff, yes(diff)));
  assert.equal(at.file("n.txt"), "one\ntwo\n");
  assert.deepEqual([tools(driven)[1]?.tool.kind, tools(driven)[1]?.tool.edits[0]?.added], ["edit", 2]);

  const no = await asking(driven, `No. ${run("touch refused")}`);
  await turnAfter(driven, () => driven.answer(no, { kind: "deny" }));
  assert.equal(at.file("refused"), undefined);
  assert.equal(tools(driven)[2]?.tool.state, "refused");

  await asking(driven, `Stop. ${run("touch stopped")}[[text Not said.]]`);
  const stopped = await turnAfter(driven, () => driven.give({ kind: "interrupt.asked", by: DEVICE }));
  assert.equal(stopped.outcome, "interrupted");
  assert.equal(at.file("stopped"), undefined);
  assert.equal(driven.state().asks.length, 0);

  const both = `${run("touch first")}${run("touch second").replace("[[", "[[+")}`;
  const first = await asking(driven, `Two. ${both}[[text Both.]]`);
  const next = driven.ask();
  driven.answer(first, yes(first));
  const second = approval(await next);
  await turnAfter(driven, () => driven.answer(second, yes(second)));
  assert.deepEqual([at.file("first"), at.file("second")], ["", ""]);

  const always = await asking(driven, `Always. ${run("touch kept")}`);
  await turnAfter(driven, () => driven.answer(always, yes(always, true)));
  assert.equal((await driven.turn(`Again. ${run("touch kept")}[[text Kept.]]`)).outcome, "completed");

  await lookAt(at, driven);
  const failed = await driven.turn("Fail. [[http 400 the model is on fire]]");
  assert.equal(failed.outcome, "failed");
  assert.match(failed.detail ?? "", /the model is on fire/u);
}

/** An image goes as such, another file by where it lies. */
async function lookAt(at: Desk, driven: Driven): Promise<void> {
  const path = join(at.workspace, "notes.txt");
  writeFileSync(path, "Notes that lie in a file.");
  const dot = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
  const image = {
    name: "dot.png",
    type: "image/png",
    size: 70,
    hash: "0".repeat(64),
    path: join(at.workspace, "dot.png"),
  };
  const notes = { name: "notes.txt", type: "text/plain", size: 25, hash: "1".repeat(64), path };
  const attached = [
    { ...image, data: dot },
    { ...notes, data: "" },
  ];
  await turnAfter(driven, () => driven.prompt("Look. [[text Seen.]]", "queue", attached));
  const prompt = driven.written.findLast((line) => line.includes("session/prompt")) ?? "";
  assert.match(prompt, /"type":"image","mimeType":"image\/png"/u);
  assert.match(prompt, /"type":"resource_link","name":"notes.txt","uri":"file:/u);
  assert.equal(spoken(driven).at(-1), "Seen.");
}

/** A refusal whose reason reaches the model, a process that ends, and another that goes on. */
export async function playReturn(at: Desk, script: string): Promise<string> {
  const before = await refuseWithReason(at, script);
  await using second = await at.sit({ before });
  await second.turn("And now? [[text It goes on.]]");
  assert.deepEqual(spoken(second), ["It goes on."]);
  // Gemini CLI does not always have in a new process what it was told in the one before.
  if (at.agent !== "gemini") assert.match(at.told(), /Use mkdir instead\./u);
  return before.conversation;
}

async function refuseWithReason(at: Desk, script: string): Promise<{ readonly conversation: string }> {
  await using driven = await at.sit();
  await driven.turn(`Begin. ${script}[[text Begun.]]`);
  const no = await asking(driven, `No. ${TOOLS[at.agent].run("touch refused")}`);
  driven.answer(no, { kind: "deny", reason: "Use mkdir instead." });
  const isOver = (): boolean => driven.state().running === undefined && driven.state().asks.length === 0;
  await driven.until(() => spoken(driven).some((one) => one.includes("Use mkdir")) && isOver(), "the reason's turn");
  // What is killed at once may not have stored what was said.
  driven.child.stdin?.end();
  await driven.ended;
  return JSON.parse(JSON.stringify(driven.memory())) as { conversation: string };
}

function approval(ask: Ask): ApprovalAsk {
  assert.equal(ask.kind, "approval");
  return ask as ApprovalAsk;
}
