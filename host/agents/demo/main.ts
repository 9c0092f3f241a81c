/**
 * The demo's process: reads facts, plays scenes, says drafts. One turn at a time; prompts that come meanwhile wait, or
 * steer the running turn. It touches no file and runs no command: everything it shows is made up.
 */
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Answer } from "@flybridge/protocol/ask.ts";
import type { FactOf } from "@flybridge/protocol/entry.ts";
import type { AskId, TurnId } from "@flybridge/protocol/ids.ts";
import { COMMANDS, sceneFor } from "./scenes.ts";
import { Interrupted, SceneFault, stageOf, type Say } from "./stage.ts";
import { PACE, type Start, type Told } from "./wire.ts";

type Prompt = FactOf<"prompt.accepted">;

const start: Start = {
  before: Number(process.argv[2] ?? 0),
  model: process.argv[3] ?? "demo",
  mode: process.argv[4] ?? "ask",
};
const pace = Number(process.env[PACE] ?? 1);

let { model, mode } = start;
let count = 0;
let waiting: Prompt[] = [];
let running: AbortController | undefined;
let steered: Prompt[] = [];
const answers = new Map<AskId, (answer: Answer) => void>();

await main();

async function main(): Promise<void> {
  await say({ kind: "fact", fact: { kind: "agent.reported", model, mode, version: "1.0.0", commands: COMMANDS } });
  for await (const line of createInterface({ input: process.stdin })) await hear(JSON.parse(line) as Told);
  // Its host is gone for good: nobody is left to play for.
  process.exit(0);
}

async function hear(told: Told): Promise<void> {
  switch (told.kind) {
    case "prompt.accepted":
      if (running && told.delivery === "steer") steered.push(told);
      else waiting.push(told);
      if (!running) void playAll();
      return;
    case "prompt.withdrawn":
      waiting = waiting.filter((one) => one.prompt !== told.prompt);
      steered = steered.filter((one) => one.prompt !== told.prompt);
      return;
    case "interrupt.asked":
      running?.abort(new Interrupted());
      return;
    case "session.configured":
      model = told.model ?? model;
      mode = told.mode ?? mode;
      return say({ kind: "fact", fact: { kind: "agent.reported", model, mode } });
    case "ask.settled":
      if ("answer" in told.settlement) answers.get(told.ask)?.(told.settlement.answer);
      answers.delete(told.ask);
      return;
  }
}

async function playAll(): Promise<void> {
  for (let prompt = waiting.shift(); prompt; prompt = waiting.shift()) {
    running = new AbortController();
    await play(prompt, running.signal);
    // What was steered too late for the turn is a turn of its own.
    waiting = [...steered.splice(0), ...waiting];
    running = undefined;
  }
}

async function play(prompt: Prompt, signal: AbortSignal): Promise<void> {
  const turn = nextId() as TurnId;
  await say({ kind: "fact", fact: { kind: "prompt.taken", prompt: prompt.prompt } });
  await say({ kind: "fact", fact: { kind: "turn.began", turn } });
  const { scene, rest } = sceneFor(prompt.text);
  const { stage, clear, usage } = stageOf({
    turn,
    rest,
    signal,
    say,
    id: nextId,
    free: () => mode === "auto",
    pace: () => (model === "demo-quick" ? pace / 3 : pace),
    answered: (ask) => new Promise((resolve) => answers.set(ask, resolve)),
    steered: () => {
      const taken = steered.splice(0);
      for (const one of taken) void say({ kind: "fact", fact: { kind: "prompt.taken", prompt: one.prompt } });
      return taken.map((one) => one.text);
    },
  });
  let ended: Omit<FactOf<"turn.ended">, "kind" | "turn"> = { outcome: "completed" };
  try {
    if (prompt.attachments?.length)
      await stage.words(
        `You attached ${prompt.attachments.map(({ name, size }) => `\`${name}\` (${size} bytes)`).join(", ")}.`,
      );
    await scene(stage);
  } catch (fault) {
    ended =
      fault instanceof Interrupted
        ? { outcome: "interrupted" }
        : { outcome: "failed", detail: fault instanceof SceneFault ? fault.message : String(fault) };
  }
  answers.clear();
  await clear();
  await say({ kind: "fact", fact: { kind: "turn.ended", turn, ...ended, usage: usage() } });
}

/** Waits where the reader is slow, so that a flood costs no memory. */
async function say(said: Parameters<Say>[0]): Promise<void> {
  if (!process.stdout.write(`${JSON.stringify(said)}\n`)) await once(process.stdout, "drain");
}

function nextId(): string {
  count += 1;
  return `d${start.before}.${count}`;
}
