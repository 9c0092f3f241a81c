/**
 * Any agent that speaks ACP (Agent Client Protocol, version 1), from one line of configuration: JSON-RPC as lines over
 * its input and output, one process per session, one conversation in it.
 */
import { dirname, delimiter } from "node:path";
import type { AgentInfo } from "@flybridge/protocol/agent.ts";
import type { Entry } from "@flybridge/protocol/entry.ts";
import { CallError } from "@flybridge/protocol/error.ts";
import type { AgentName } from "@flybridge/protocol/ids.ts";
import type { Agent, Attached, Ended, Launch, LaunchOrder } from "../agent.ts";
import { kept } from "../bounds.ts";
import { answerTo, cancelAsks } from "./ask.ts";
import type { AcpEntry } from "./entry.ts";
import { hear } from "./hear.ts";
import { findInstall, methodIn, signInProblem, versionAt, type Versions } from "./install.ts";
import { freshMemory, resumedMemory, type Memory } from "./memory.ts";
import { greetingLine } from "./open.ts";
import { promptLines, withdrawPrompt } from "./prompt.ts";
import { notificationLine, probeLine, PROBE } from "./rpc.ts";
import { changeLines, settingLines } from "./settings.ts";

/** Characters of its error output that are shown to a person. */
const LAST_WORDS_CHARS = 2_000;

export function acpAgent(entry: AcpEntry): Agent<Memory> {
  const name = entry.name as AgentName;
  const versions: Versions = new Map();
  return {
    name,
    look: (env) => look(entry, env, versions),
    launch: (order) => launch(entry, order),
    hear,
    act,
    explain,
  };
}

async function look(entry: AcpEntry, env: Readonly<Record<string, string>>, versions: Versions): Promise<AgentInfo> {
  const found = await findInstall(entry, env);
  const version = found.path === undefined ? undefined : await versionAt(entry, found.path, env, versions);
  const problem =
    found.problem ?? (typeof version === "object" ? version.problem : undefined) ?? (await signInProblem(entry, env));
  return {
    agent: entry.name as AgentName,
    title: entry.title,
    // What there is to choose from, an agent says only in a conversation.
    models: [],
    modes: [],
    attaches: "files",
    ...(entry.install === undefined ? {} : { install: [...entry.install] }),
    ...(typeof version === "string" ? { version } : {}),
    ...(problem === undefined ? {} : { problem }),
  };
}

async function launch(entry: AcpEntry, order: LaunchOrder): Promise<Launch<Memory>> {
  const install = await findInstall(entry, order.env);
  if (install.problem) throw new CallError("agent_unavailable", install.problem.message);
  const { workspace, before, from, model, mode } = order;
  const fresh = before === undefined ? freshMemory(entry, workspace) : resumedMemory(entry, workspace, before);
  const memory: Memory = {
    ...fresh,
    from,
    authenticate: methodIn(entry, order.env),
    wanted: { ...(model === undefined ? {} : { model }), ...(mode === undefined ? {} : { mode }) },
  };
  const path = order.env["PATH"] ?? "";
  return {
    argv: [install.path, ...entry.command.slice(1)],
    // Many are scripts that look for a Node; a host started at login has a shorter PATH than the person's shell.
    env: { ...order.env, PATH: `${path}${path === "" ? "" : delimiter}${dirname(process.execPath)}`, ...entry.env },
    memory,
    writes: [greetingLine(memory)],
  };
}

function act(memory: Memory, entry: Entry, attached: readonly Attached[]): readonly string[] {
  const { fact } = entry;
  switch (fact.kind) {
    case "prompt.accepted":
      return promptLines(memory, entry, attached);
    case "prompt.withdrawn":
      withdrawPrompt(memory, fact.prompt);
      return [];
    case "interrupt.asked":
      return interruptLines(memory);
    case "session.configured":
      return configureLines(memory, fact);
    case "ask.settled": {
      const pending = memory.asks[fact.ask];
      if (!pending || (fact.settlement.kind !== "answered" && fact.settlement.kind !== "ruled")) return [];
      const line = answerTo(memory, pending, fact.settlement.answer);
      if (line === undefined) return [];
      delete memory.asks[fact.ask];
      return memory.later.length === 0 ? [line] : [line, probeLine(memory)];
    }
    default:
      return [];
  }
}

/** Requests that are open must be answered `cancelled` (ACP, Prompt turn, Cancellation). */
function interruptLines(memory: Memory): string[] {
  const { turn, conversation } = memory;
  if (turn === undefined || conversation === undefined) return [];
  turn.cancelled = true;
  const asks = cancelAsks(memory);
  const cancel = notificationLine("session/cancel", { sessionId: conversation });
  return asks.length === 0 ? [cancel] : [cancel, ...asks, probeLine(memory)];
}

function configureLines(
  memory: Memory,
  fact: Extract<Entry["fact"], { kind: "session.configured" }>,
): readonly string[] {
  if (memory.stage !== "open") {
    if (fact.model !== undefined) memory.wanted.model = fact.model;
    if (fact.mode !== undefined) memory.wanted.mode = fact.mode;
    return [];
  }
  return [
    ...(fact.model === undefined ? [] : changeLines(memory, "model", fact.model)),
    ...(fact.mode === undefined ? [] : changeLines(memory, "mode", fact.mode)),
    ...(fact.setting === undefined ? [] : settingLines(memory, fact.setting.setting, fact.setting.value)),
    ...(memory.later.length === 0 ? [] : [probeLine(memory)]),
  ];
}

function explain(memory: Memory, ended: Ended): string | undefined {
  // It was asked to end.
  if (ended.signal === "SIGTERM") return undefined;
  const errors = kept(lastWords(ended.errors), LAST_WORDS_CHARS);
  const words = errors === "" ? "" : ` (${errors})`;
  if (memory.stage === "greeting") {
    return `${memory.title} ended before it said a word of ACP. Is it the right command, and a version that speaks it?${words}`;
  }
  if (memory.stage === "opening") return `${memory.title} ended while it opened the conversation.${words}`;
  if (memory.stage === "failed") return memory.fault;
  if (ended.signal !== null || ended.code === 0) return undefined;
  return errors === "" ? memory.fault : errors;
}

/** Without what an agent remarks on our probe, which it rightly does not know. */
function lastWords(errors: string): string {
  const at = errors.lastIndexOf(PROBE);
  if (at < 0) return errors.trim();
  const rest = errors
    .slice(at + PROBE.length)
    .split("\n")
    .slice(1);
  return rest
    .slice(
      Math.max(
        0,
        rest.findIndex((line) => /[\p{L}\p{N}]/u.test(line)),
      ),
    )
    .join("\n")
    .trim();
}
