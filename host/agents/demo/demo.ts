/** An agent that needs nothing: a scripted one, for a first look at the product and for tests of everything above it. */
import { fileURLToPath } from "node:url";
import type { AgentInfo } from "@flybridge/protocol/agent.ts";
import type { Entry } from "@flybridge/protocol/entry.ts";
import type { AgentName } from "@flybridge/protocol/ids.ts";
import * as v from "valibot";
import type { Agent, Ended, Heard, Launch, LaunchOrder } from "../agent.ts";
import { rawOf } from "../bounds.ts";
import { parsed } from "../json.ts";
import { Said } from "./wire.ts";

const NAME = "demo" as AgentName;
const PROGRAM = fileURLToPath(import.meta.resolve("./main.ts"));

/** Processes of this session so far. */
export interface Memory {
  launches: number;
}

export const demo: Agent<Memory> = { name: NAME, look, launch, hear, act, explain };

const INFO: AgentInfo = {
  agent: NAME,
  title: "Demo",
  version: "1.0.0",
  models: [
    { value: "demo", label: "Demo", detail: "At the pace of a real agent" },
    { value: "demo-quick", label: "Demo, quick", detail: "Three times as fast" },
  ],
  modes: [
    { value: "ask", label: "Ask", detail: "Asks before edits and commands" },
    { value: "auto", label: "Auto", detail: "Asks for nothing but questions and plans" },
  ],
  attaches: "files",
};

function look(): Promise<AgentInfo> {
  return Promise.resolve(INFO);
}

function launch(order: LaunchOrder): Promise<Launch<Memory>> {
  const before = (order.before as Partial<Memory> | undefined)?.launches ?? 0;
  return Promise.resolve({
    argv: [process.execPath, PROGRAM, String(before), order.model ?? "demo", order.mode ?? "ask"],
    env: { ...order.env },
    memory: { launches: before + 1 },
    writes: [],
  });
}

function hear(_memory: Memory, line: string): Heard {
  if (line.trim() === "") return { drafts: [], writes: [] };
  const said = v.safeParse(Said, parsed(line));
  if (said.success) return { drafts: [said.output], writes: [] };
  const fact = {
    kind: "notice" as const,
    level: "warning" as const,
    text: "The demo wrote a line that is no message of its own.",
    raw: rawOf(line),
  };
  return { drafts: [{ kind: "fact", fact }], writes: [] };
}

function act(_memory: Memory, entry: Entry): readonly string[] {
  const { fact } = entry;
  switch (fact.kind) {
    case "prompt.accepted":
    case "prompt.withdrawn":
    case "interrupt.asked":
    case "session.configured":
      return [JSON.stringify(fact)];
    case "ask.settled":
      return "answer" in fact.settlement ? [JSON.stringify(fact)] : [];
    default:
      return [];
  }
}

function explain(_memory: Memory, ended: Ended): string | undefined {
  const words = ended.errors.trim();
  return ended.code === 0 || words === "" ? undefined : rawOf(words);
}
