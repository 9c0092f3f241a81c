/** A turn: Codex names it, we count what it used, and its end closes what it left open. */
import type { AgentOption, AgentSetting } from "@flybridge/protocol/agent.ts";
import type { FactOf, Usage } from "@flybridge/protocol/entry.ts";
import type { AskId, TurnId } from "@flybridge/protocol/ids.ts";
import { MAX_OPTIONS } from "@flybridge/protocol/limits.ts";
import type { Draft, Heard } from "../agent.ts";
import { foreignIdOf, labelOf, wordsOf } from "../bounds.ts";
import { listAt, numberAt, objectAt, textAt, type Json } from "../json.ts";
import { planAsk } from "./ask.ts";
import { closeItems } from "./item.ts";
import { NO_TOKENS, type Memory, type Tokens } from "./memory.ts";
import { isConfigured, MODE_OPTIONS, modeOf } from "./mode.ts";
import { promptLine } from "./prompt.ts";
import { requestLine } from "./wire.ts";

type Ended = FactOf<"turn.ended">;

/** The setting of how much the model thinks. */
const EFFORT = "effort";
/** Degrees of it that are kept of one model; they have six. */
const MAX_EFFORTS = 16;
/** Turns that are over and remembered: late news of them begins nothing. */
const MAX_OVER = 16;

/** Nothing where that turn is open or over; another that is still open has ended without saying so. */
export function beginTurn(memory: Memory, named: string | undefined): Heard {
  const turn = foreignIdOf(named) as TurnId | undefined;
  if (turn === undefined || turn === memory.turn || memory.over.includes(turn)) return { drafts: [], writes: [] };
  const before = closeTurn(memory, { outcome: "failed", detail: "Codex began another turn and did not end this one." });
  memory.turn = turn;
  memory.spoken = true;
  memory.spent = NO_TOKENS;
  // A plan is not waited for when the conversation goes on.
  const drafts = [...before, ...withdrawn(memory, (ask) => ask.kind === "plan")];
  drafts.push({ kind: "fact", fact: { kind: "turn.began", turn } });
  const stop = memory.stopping;
  memory.stopping = false;
  return { drafts, writes: stop ? [interruptLine(memory, turn)] : [] };
}

export function endTurn(memory: Memory, turn: Json): Heard {
  const named = foreignIdOf(textAt(turn, "id"));
  if (named === undefined || memory.over.includes(named)) return { drafts: [], writes: [] };
  // A turn may end before anything of it was told.
  const begun = beginTurn(memory, named);
  const status = textAt(turn, "status");
  const outcome = status === "completed" || status === "interrupted" ? status : "failed";
  const detail = outcome === "failed" ? faultOf(objectAt(turn, "error")) : undefined;
  if (detail === undefined) delete memory.fault;
  else memory.fault = detail;
  const plan = memory.plan;
  const closed = closeTurn(memory, {
    outcome,
    usage: usageOf(memory),
    ...(detail === undefined ? {} : { detail: wordsOf(detail) }),
  });
  // It was theirs, though it ended before it could say so.
  const taken = memory.prompts.filter((one) => one.state === "started" && one.turn === named);
  memory.prompts = memory.prompts.filter((one) => !taken.includes(one));
  const drafts: Draft[] = [
    ...begun.drafts,
    ...taken.map(({ prompt }): Draft => ({ kind: "fact", fact: { kind: "prompt.taken", prompt } })),
    ...closed,
  ];
  if (plan !== undefined && outcome === "completed") drafts.push(planAsk(memory, plan));
  return { drafts, writes: leftPrompts(memory) };
}

/** Closes the turn with all that it left open; nothing where there is none. */
export function closeTurn(memory: Memory, how: Omit<Ended, "kind" | "turn">): Draft[] {
  const { turn } = memory;
  if (turn === undefined) return [];
  const left = closeItems(memory, (open) => !open.lasting && open.thread === memory.thread);
  // A question that does not hold up the turn may outlive it; what an interrupted one asked is asked no more.
  const asks = how.outcome === "completed" ? [] : withdrawn(memory, (ask) => ask.turn === turn);
  memory.over = [...memory.over, turn].slice(-MAX_OVER);
  memory.stopping = false;
  delete memory.turn;
  delete memory.plan;
  return [...left, ...asks, { kind: "fact", fact: { kind: "turn.ended", turn, ...how } }];
}

/** The next that waits: Codex drops what was steered into a turn that ended first, and runs one turn at a time. */
export function leftPrompts(memory: Memory): string[] {
  if (memory.turn !== undefined || !memory.ready) return [];
  if (memory.prompts.some(({ state }) => state === "started")) return [];
  const next = memory.prompts[0];
  if (!next) return [];
  next.state = "started";
  return [promptLine(memory, next)];
}

export function withdrawn(memory: Memory, which: (ask: Memory["asks"][string]) => boolean): Draft[] {
  return Object.entries(memory.asks).flatMap(([ask, pending]) => {
    if (!which(pending)) return [];
    delete memory.asks[ask];
    return [{ kind: "fact", fact: { kind: "ask.settled", ask: ask as AskId, settlement: { kind: "withdrawn" } } }];
  });
}

export function interruptLine(memory: Memory, turn: string): string {
  return requestLine("interrupt", turn, { threadId: memory.thread, turnId: turn });
}

/** Told after each call of the model: the whole thread's total, and that call's own. */
export function hearUsage(memory: Memory, usage: Json | undefined): void {
  const total = tokensIn(objectAt(usage, "total"));
  const last = objectAt(usage, "last");
  // Where the total was not known before, the call's own is all that surely belongs here.
  const step = memory.total ? minus(total, memory.total) : tokensIn(last);
  memory.total = total;
  if (memory.turn === undefined) return;
  const { spent } = memory;
  memory.spent = {
    input: spent.input + step.input,
    cached: spent.cached + step.cached,
    output: spent.output + step.output,
  };
  const size = numberAt(usage, "modelContextWindow");
  if (size !== undefined) memory.context = { used: numberAt(last, "totalTokens") ?? 0, size };
}

/** What Codex says it runs with, where it differs from what it said before. */
export function report(
  memory: Memory,
  said: {
    version?: string | undefined;
    model?: string | undefined;
    mode?: AgentOption;
    effort?: string | undefined;
    title?: string | undefined;
  },
): Draft[] {
  const { told } = memory;
  const mode = said.mode?.value;
  const model = said.model ?? told.model;
  const effort = said.effort ?? told.effort;
  const changed: Omit<FactOf<"agent.reported">, "kind"> = {
    ...(said.version !== undefined && said.version !== told.version ? { version: labelOf(said.version) } : {}),
    ...(said.model !== undefined && said.model !== told.model ? { model: labelOf(said.model) } : {}),
    ...(mode !== undefined && mode !== told.mode ? { mode: labelOf(mode) } : {}),
    ...(said.title !== undefined && said.title !== told.title ? { title: labelOf(said.title) } : {}),
    ...(said.mode && isConfigured(said.mode) && mode !== told.mode ? { modes: [said.mode, ...MODE_OPTIONS] } : {}),
    ...(model !== told.model || effort !== told.effort ? settingsFor(memory, model, effort) : {}),
  };
  memory.chosen = {
    ...memory.chosen,
    ...(said.model === undefined ? {} : { model: said.model }),
    ...(said.effort === undefined ? {} : { effort: said.effort }),
    planning: said.mode === undefined ? memory.chosen.planning : mode === "plan",
  };
  memory.told = {
    ...told,
    ...(said.version === undefined ? {} : { version: said.version }),
    ...(model === undefined ? {} : { model }),
    ...(mode === undefined ? {} : { mode }),
    ...(effort === undefined ? {} : { effort }),
    ...(said.title === undefined ? {} : { title: said.title }),
  };
  return Object.keys(changed).length === 0 ? [] : [{ kind: "fact", fact: { kind: "agent.reported", ...changed } }];
}

/** `model/list`: what can be chosen, each with its own degrees of thinking. */
export function hearModels(memory: Memory, result: Json | undefined): Draft[] {
  const listed = listAt(result, "data")
    .filter((model) => model["hidden"] !== true && textAt(model, "model") !== undefined)
    .slice(0, MAX_OPTIONS);
  if (listed.length === 0) return [];
  memory.models = listed.map((model) => ({
    value: labelOf(textAt(model, "model") ?? ""),
    efforts: listAt(model, "supportedReasoningEfforts")
      .slice(0, MAX_EFFORTS)
      .map((one) => labelOf(textAt(one, "reasoningEffort") ?? "")),
  }));
  const models = listed.map((model): AgentOption => {
    const value = labelOf(textAt(model, "model") ?? "");
    const detail = textAt(model, "description");
    const label = labelOf(textAt(model, "displayName") ?? value);
    return { value, label, ...(detail === undefined ? {} : { detail: labelOf(detail) }) };
  });
  const { model, effort } = memory.told;
  return [{ kind: "fact", fact: { kind: "agent.reported", models, ...settingsFor(memory, model, effort) } }];
}

/** Settings as responses and `threadSettings` tell them. */
export function reportSettings(memory: Memory, from: Json | undefined, sandbox: Json | undefined): Draft[] {
  if (!from) return [];
  if (textAt(sandbox, "type") === "workspaceWrite" && sandbox) memory.writable = sandbox;
  const collaborationMode = objectAt(from, "collaborationMode");
  const mode = modeOf({ approvalPolicy: from["approvalPolicy"], sandbox, collaborationMode });
  const effort = textAt(from, "effort") ?? textAt(from, "reasoningEffort");
  return report(memory, { model: textAt(from, "model"), mode, effort });
}

function settingsFor(
  memory: Memory,
  model: string | undefined,
  effort: string | undefined,
): { settings?: AgentSetting[] } {
  const efforts = memory.models.find((one) => one.value === model)?.efforts ?? [];
  if (efforts.length === 0) return {};
  const options: AgentOption[] = efforts.map((value) => ({ value, label: value }));
  const fallback = { value: "", label: "Default", detail: "What the model does by itself" };
  const known = effort !== undefined && efforts.includes(effort);
  return {
    settings: [
      {
        setting: EFFORT,
        label: "Thinking",
        detail: "How much the model thinks before it answers",
        value: known ? effort : "",
        options: known ? options : [fallback, ...options],
      },
    ],
  };
}

function usageOf(memory: Memory): Usage {
  const { spent, context } = memory;
  return {
    input: Math.max(0, spent.input - spent.cached),
    output: spent.output,
    cached: spent.cached,
    ...(context ? { context } : {}),
  };
}

function tokensIn(usage: Json | undefined): Tokens {
  return {
    input: numberAt(usage, "inputTokens") ?? 0,
    cached: numberAt(usage, "cachedInputTokens") ?? 0,
    output: numberAt(usage, "outputTokens") ?? 0,
  };
}

function minus(a: Tokens, b: Tokens): Tokens {
  return {
    input: Math.max(0, a.input - b.input),
    cached: Math.max(0, a.cached - b.cached),
    output: Math.max(0, a.output - b.output),
  };
}

/** What happened, what it means, how to mend it; with Codex's own words, which name the cause. */
export function faultOf(error: Json | undefined): string {
  const more = textAt(error, "additionalDetails");
  const words = [readable(textAt(error, "message") ?? "Codex did not say why."), ...(more === undefined ? [] : [more])];
  const own = words.join(" ");
  const info = error?.["codexErrorInfo"];
  const code = typeof info === "string" ? info : Object.keys(objectAt(error, "codexErrorInfo") ?? {})[0];
  switch (code) {
    case "unauthorized":
      return `The model's service refused the sign-in. Run \`codex login\` on this machine. (${own})`;
    case "usageLimitExceeded":
    case "rateLimitExceeded":
    case "sessionBudgetExceeded":
      return `The account's limit is reached. Wait, or use another model. (${own})`;
    case "serverOverloaded":
    case "internalServerError":
    case "httpConnectionFailed":
    case "responseStreamConnectionFailed":
    case "responseStreamDisconnected":
    case "responseTooManyFailedAttempts":
      return `The model's service cannot answer now. Send the prompt again in a while. (${own})`;
    case "contextWindowExceeded":
      return `The conversation is too long for the model. Send /compact, or start a new session. (${own})`;
    case "modelNotFound":
      return `There is no such model. Choose another. (${own})`;
    case "sandboxError":
      return `Codex's sandbox failed. (${own})`;
    default:
      return own;
  }
}

/** A refused request comes as the service's JSON. */
function readable(message: string): string {
  try {
    const body: unknown = JSON.parse(message);
    return textAt(objectAt(body as Json, "error"), "message") ?? message;
  } catch {
    return message;
  }
}
