/**
 * Codex: the person's own `codex`, one app-server per session on pipes that the keeper holds (ADR 0017). Where a
 * server of the person's own has the conversation open already, as its screen starts one, that one is joined instead.
 */
import { fileURLToPath } from "node:url";
import type { AgentInfo } from "@flybridge/protocol/agent.ts";
import type { Entry } from "@flybridge/protocol/entry.ts";
import { CallError } from "@flybridge/protocol/error.ts";
import type { AgentName } from "@flybridge/protocol/ids.ts";
import type { Agent, Attached, Ended, Launch, LaunchOrder } from "../agent.ts";
import { kept } from "../bounds.ts";
import type { Json } from "../json.ts";
import { findInstall } from "../program.ts";
import { answerTo, cancelLine } from "./ask.ts";
import { configuredModel, readConfig, signInProblem } from "./config.ts";
import { nudge } from "./desktop.ts";
import { hear } from "./hear.ts";
import { historyOf } from "./history.ts";
import { CODEX, INSTALL } from "./install.ts";
import { freshMemory, resumedMemory, type Memory } from "./memory.ts";
import { MODE_OPTIONS, openingOf, settingsOf } from "./mode.ts";
import { deliver } from "./prompt.ts";
import { recall, rolloutOf } from "./rollout.ts";
import { controlSocket, isLoaded, outside } from "./shared.ts";
import { interruptLine } from "./turn.ts";
import { INITIALIZE, initializedLine, requestLine } from "./wire.ts";

const NAME = "codex" as AgentName;
const ATTACH = fileURLToPath(import.meta.resolve("./attach.ts"));

/** Characters of its error output that are shown to a person. */
const LAST_WORDS_CHARS = 2_000;

/** Set by a Codex that runs us inside itself: a child would take its sandbox for its own. */
const OUTER = [
  "CODEX_SANDBOX",
  "CODEX_SANDBOX_NETWORK_DISABLED",
  "CODEX_THREAD_ID",
  "CODEX_INTERNAL_ORIGINATOR_OVERRIDE",
];

export const codex: Agent<Memory> = { name: NAME, look, launch, hear, act, explain, rested, recall, outside };

async function look(env: Readonly<Record<string, string>>): Promise<AgentInfo> {
  const install = await findInstall(CODEX, env);
  const config = await readConfig(env);
  const problem = install.problem ?? (await signInProblem(env, config));
  const model = configuredModel(config);
  return {
    agent: NAME,
    title: CODEX.title,
    models: model === undefined ? [] : [{ value: model, label: model, detail: "From config.toml" }],
    modes: [...MODE_OPTIONS],
    attaches: "files",
    remembers: true,
    install: [...INSTALL],
    ...(install.version === undefined ? {} : { version: install.version }),
    ...(problem === undefined ? {} : { problem }),
  };
}

async function launch(order: LaunchOrder): Promise<Launch<Memory>> {
  const install = await findInstall(CODEX, order.env);
  if (install.problem) throw new CallError("agent_unavailable", install.problem.message);
  const { workspace, before, from } = order;
  const known = resumedMemory(workspace, false, before).thread;
  const conversation = known ?? from?.conversation;
  const isCopy = known === undefined && from?.fork === true;
  const isJoined = conversation !== undefined && !isCopy && (await isLoaded(order.env, conversation));
  const memory = before === undefined ? freshMemory(workspace, isJoined) : resumedMemory(workspace, isJoined, before);
  const rollout = conversation === undefined ? undefined : await rolloutOf(order.env, conversation);
  const opening = openingLine(order, memory, { conversation, isCopy, isStored: isJoined || rollout !== undefined });
  const isFirst = known === undefined && conversation !== undefined;
  const env: Record<string, string> = { ...order.env };
  for (const name of OUTER) delete env[name];
  return {
    argv: isJoined
      ? [process.execPath, ATTACH, controlSocket(order.env)]
      : // Debugging output would fill the spool of what a person is shown when it ends.
        [install.path, "app-server"],
    env,
    memory,
    writes: [
      requestLine("initialize", memory.count, INITIALIZE),
      initializedLine(),
      opening,
      requestLine("models", memory.count, {}),
    ],
    ...(isFirst && rollout !== undefined ? { facts: await historyOf(order.env, conversation, memory) } : {}),
  };
}

/** A conversation that had no turn is stored nowhere, so there is nothing to lose in beginning it anew. */
function openingLine(
  order: LaunchOrder,
  memory: Memory,
  of: { readonly conversation: string | undefined; readonly isCopy: boolean; readonly isStored: boolean },
): string {
  const { conversation, isCopy, isStored } = of;
  if (order.mode !== undefined) memory.mode = order.mode;
  const params: Json = {
    cwd: order.workspace,
    ...(order.model === undefined ? {} : { model: order.model }),
    ...openingOf(order.mode),
  };
  if (conversation === undefined || (!isStored && !memory.spoken && order.from === undefined)) {
    delete memory.thread;
    return requestLine("start", memory.count, params);
  }
  const found = { threadId: conversation, excludeTurns: true };
  if (isCopy) return requestLine("fork", memory.count, { ...found, ...params });
  memory.thread = conversation;
  memory.spoken = true;
  // Who joins changes nothing of how a person runs it there.
  return requestLine("resume", memory.count, memory.shared ? found : { ...found, ...params });
}

function act(memory: Memory, entry: Entry, attached: readonly Attached[]): readonly string[] {
  const { fact, seq } = entry;
  switch (fact.kind) {
    case "prompt.accepted":
      return deliver(memory, fact, attached);
    case "prompt.withdrawn":
      memory.prompts = memory.prompts.filter(({ prompt, state }) => prompt !== fact.prompt || state !== "held");
      return [];
    case "interrupt.asked": {
      const cancels = Object.values(memory.asks).flatMap((pending) => cancelLine(pending) ?? []);
      if (memory.turn !== undefined) return [...cancels, interruptLine(memory, memory.turn)];
      memory.stopping = memory.prompts.some(({ state }) => state === "started");
      return cancels;
    }
    case "session.configured": {
      const threadId = memory.thread;
      if (!memory.ready) {
        if (fact.mode !== undefined) memory.mode = fact.mode;
        return [];
      }
      const { model, mode } = fact;
      const effort = fact.setting?.setting === "effort" && fact.setting.value !== "" ? fact.setting.value : undefined;
      if (model !== undefined) memory.chosen.model = model;
      if (effort !== undefined) memory.chosen.effort = effort;
      const settings: Json = {
        ...(mode === undefined ? {} : settingsOf(mode, memory)),
        ...(model === undefined ? {} : { model }),
        ...(effort === undefined ? {} : { effort }),
      };
      if (mode !== undefined) memory.chosen.planning = mode === "plan";
      return [
        ...(Object.keys(settings).length === 0 ? [] : [requestLine("configure", seq, { threadId, ...settings })]),
        ...(fact.title === undefined ? [] : [requestLine("name", seq, { threadId, name: fact.title })]),
      ];
    }
    case "ask.settled": {
      const { settlement } = fact;
      const pending = memory.asks[fact.ask];
      if (!pending || (settlement.kind !== "answered" && settlement.kind !== "ruled")) return [];
      const lines = answerTo(memory, fact.ask, pending, settlement.answer);
      if (lines.length > 0 || pending.kind === "plan") delete memory.asks[fact.ask];
      return lines;
    }
    default:
      return [];
  }
}

function explain(memory: Memory, ended: Ended): string | undefined {
  const errors = kept(plain(ended.errors).trim(), LAST_WORDS_CHARS);
  if (memory.shared) {
    return memory.fault ?? "The Codex that this session had joined has ended. Resume to go on in one of its own.";
  }
  if (/config\.toml|Error loading config/iu.test(errors)) {
    return `Codex cannot read its settings. Correct config.toml in its folder. (${errors})`;
  }
  if (ended.signal !== null) return memory.fault;
  if (ended.code === 0) return undefined;
  return memory.fault ?? (errors === "" ? undefined : errors);
}

function rested(conversation: string, env: Readonly<Record<string, string>>): void {
  void nudge(conversation, env);
}

/** Its log is coloured. */
function plain(text: string): string {
  // eslint-disable-next-line no-control-regex
  return text.replaceAll(/\u001b\[[0-9;]*m/gu, "");
}
