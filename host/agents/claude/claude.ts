/**
 * Claude Code: the person's own `claude`, one process per session, over its stream-json protocol. It asks for
 * permission over the same pipe (`--permission-prompt-tool stdio`), which also brings its questions and plans.
 */
import { randomUUID } from "node:crypto";
import type { AgentInfo } from "@flybridge/protocol/agent.ts";
import type { Entry } from "@flybridge/protocol/entry.ts";
import { CallError } from "@flybridge/protocol/error.ts";
import type { AgentName } from "@flybridge/protocol/ids.ts";
import type { Agent, Attached, Ended, Launch, LaunchOrder } from "../agent.ts";
import { kept } from "../bounds.ts";
import { findInstall } from "../program.ts";
import { answerTo } from "./ask.ts";
import { answerLine, promptLine, requestLine } from "./control.ts";
import { hear } from "./hear.ts";
import { DRIVEN, hooks } from "./hooks.ts";
import { CLAUDE, INSTALL, signInProblem } from "./install.ts";
import { outside, processesOf } from "./live.ts";
import { freshMemory, nextId, resumedMemory, type Memory } from "./memory.ts";
import { past, recall } from "./recall.ts";
import { transcriptOf } from "./transcript.ts";

const NAME = "claude" as AgentName;

/** Characters of its error output that are shown to a person. */
const LAST_WORDS_CHARS = 2_000;

/** Messages as JSON lines both ways, words as they come, our own prompts repeated when taken, asks over the same pipe. */
const SPOKEN =
  "--input-format stream-json --output-format stream-json --verbose --include-partial-messages --replay-user-messages --permission-prompt-tool stdio".split(
    " ",
  );

/** Set by a Claude Code that runs us inside itself; a child that sees them refuses to start or reports to the wrong one. */
const OUTER = ["CLAUDECODE", "CLAUDE_CODE_ENTRYPOINT", "CLAUDE_CODE_SSE_PORT", "CLAUDE_CODE_SESSION_ID"];

const GONE =
  "Claude Code no longer has this conversation: its file under ~/.claude/projects is gone. Start a new session.";

export const claude: Agent<Memory> = { name: NAME, look, launch, hear, act, explain, recall, outside, hooks };

/** Aliases that every version resolves; a running session says what they stand for. */
const MODELS: AgentInfo["models"] = [
  { value: "default", label: "Default", detail: "What Claude Code recommends" },
  { value: "opus", label: "Opus", detail: "For hard tasks" },
  { value: "sonnet", label: "Sonnet", detail: "For everyday tasks" },
  { value: "haiku", label: "Haiku", detail: "Fastest" },
];

/** Bypassing permissions is not offered: Claude refuses it unless it was started for that. */
const MODES: AgentInfo["modes"] = [
  { value: "default", label: "Ask", detail: "Asks before edits and commands" },
  { value: "acceptEdits", label: "Accept edits", detail: "Edits without asking, asks before commands" },
  { value: "plan", label: "Plan", detail: "Reads and plans, changes nothing" },
  { value: "auto", label: "Auto", detail: "Claude decides what needs asking" },
];

async function look(env: Readonly<Record<string, string>>): Promise<AgentInfo> {
  const install = await findInstall(CLAUDE, env);
  const problem = install.problem ?? (await signInProblem(env));
  return {
    agent: NAME,
    title: CLAUDE.title,
    models: MODELS,
    modes: MODES,
    attaches: "files",
    remembers: true,
    install: [...INSTALL],
    ...(install.version === undefined ? {} : { version: install.version }),
    ...(problem === undefined ? {} : { problem }),
  };
}

async function launch(order: LaunchOrder): Promise<Launch<Memory>> {
  const install = await findInstall(CLAUDE, order.env);
  if (install.problem) throw new CallError("agent_unavailable", install.problem.message);
  const { session, workspace, before, from } = order;
  const memory = before === undefined ? freshMemory(session, workspace) : resumedMemory(session, workspace, before);
  // From its second process on, a session knows the name of its conversation itself: it may have become another.
  const first = before === undefined ? from : undefined;
  if (first && !first.fork) memory.conversation = first.conversation;
  const transcript = await transcriptOf(order.env, memory.conversation);
  if (from?.fork === false) await refuseOpen(order.env, memory.conversation);
  const forked = from?.fork === true && transcript !== "stored" ? from.conversation : undefined;
  if (first && (await transcriptOf(order.env, first.conversation)) !== "stored")
    throw new CallError("agent_unavailable", GONE);
  if (transcript === "broken") memory.conversation = randomUUID();
  const conversation = [
    ...(forked === undefined ? [] : ["--resume", forked, "--fork-session"]),
    transcript === "stored" ? "--resume" : "--session-id",
    memory.conversation,
  ];
  const facts = first ? await past(order.env, first.conversation, memory) : [];
  const env: Record<string, string> = { ...order.env, CLAUDE_CODE_EMIT_SESSION_STATE_EVENTS: "1", [DRIVEN]: "1" };
  for (const name of OUTER) delete env[name];
  return {
    argv: [
      install.path,
      "-p",
      ...SPOKEN,
      ...conversation,
      // One word each, so that a value can never be read as another option.
      ...(order.model === undefined || order.model === "default" ? [] : [`--model=${order.model}`]),
      ...(order.mode === undefined ? [] : [`--permission-mode=${order.mode}`]),
    ],
    env,
    memory,
    writes: [requestLine("initialize", Number(nextId(memory, "")))],
    ...(facts.length === 0 ? {} : { facts }),
  };
}

/** Two processes that write one conversation lose what the other said. */
async function refuseOpen(env: LaunchOrder["env"], conversation: string): Promise<void> {
  const open = (await processesOf(env)).find((one) => one.conversation === conversation);
  if (!open) return;
  throw new CallError(
    "agent_unavailable",
    `Another Claude Code on this machine (process ${open.pid}) has this conversation open. End it there, then resume here; or fork it.`,
  );
}

function act(memory: Memory, entry: Entry, attached: readonly Attached[]): readonly string[] {
  const { fact, seq } = entry;
  switch (fact.kind) {
    case "prompt.accepted": {
      if (!memory.written.includes(fact.prompt)) memory.written.push(fact.prompt);
      return [promptLine(fact.prompt, fact.text, memory.turn === undefined ? "queue" : fact.delivery, attached)];
    }
    case "prompt.withdrawn": {
      if (!memory.written.includes(fact.prompt)) return [];
      return [requestLine("cancel", seq, { message_uuid: fact.prompt })];
    }
    case "interrupt.asked":
      return [requestLine("interrupt", seq)];
    case "session.configured":
      return [
        ...(fact.model === undefined ? [] : [requestLine("model", seq, { model: fact.model })]),
        ...(fact.mode === undefined ? [] : [requestLine("mode", seq, { mode: fact.mode })]),
      ];
    case "ask.settled": {
      const pending = memory.asks[fact.ask];
      if (!pending || (fact.settlement.kind !== "answered" && fact.settlement.kind !== "ruled")) return [];
      const response = answerTo(pending, fact.settlement.answer);
      if (!response) return [];
      delete memory.asks[fact.ask];
      return [answerLine(fact.ask, response)];
    }
    default:
      return [];
  }
}

function explain(memory: Memory, ended: Ended): string | undefined {
  const errors = kept(ended.errors.trim(), LAST_WORDS_CHARS);
  if (/No conversation found/iu.test(errors)) {
    return GONE;
  }
  if (/is already in use/iu.test(errors)) {
    return "Another Claude Code on this machine holds this conversation. End it there, then resume here.";
  }
  if (/Invalid API key|Please run \/login|authentication/iu.test(errors)) {
    return `Claude Code is not signed in. Run \`claude\` in a terminal on this machine and sign in. (${errors})`;
  }
  if (ended.signal !== null) return memory.fault;
  if (ended.code === 0) return undefined;
  return memory.fault ?? (errors === "" ? undefined : errors);
}
