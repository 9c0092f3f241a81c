/** A turn: `system/init` begins it, `result` ends it and says how, what it used and what went wrong. */
import type { FactOf, Usage } from "@flybridge/protocol/entry.ts";
import type { PromptId, TurnId } from "@flybridge/protocol/ids.ts";
import type { Draft } from "../agent.ts";
import { labelOf, wordsOf } from "../bounds.ts";
import { isObject, numberAt, objectAt, textAt, textsAt, type Json } from "../json.ts";
import { nextId, type Memory } from "./memory.ts";
import { closeBlocks } from "./stream.ts";
import { closeTools } from "./tool.ts";

type Ended = FactOf<"turn.ended">;

/** Nothing where a turn is open: a message folded into it begins no other. */
export function beginTurn(memory: Memory): Draft[] {
  if (memory.turn !== undefined) return [];
  const turn = nextId<TurnId>(memory, "t");
  memory.turn = turn;
  return [{ kind: "fact", fact: { kind: "turn.began", turn } }];
}

export function endTurn(memory: Memory, result: Json): Draft[] {
  const usage = usageOf(memory, result);
  const outcome = outcomeOf(result);
  const detail = outcome === "failed" ? detailOf(memory, result) : undefined;
  if (detail !== undefined) memory.fault = detail;
  else delete memory.fault;
  return closeTurn(memory, { outcome, usage, ...(detail === undefined ? {} : { detail: wordsOf(detail) }) });
}

/** Closes the turn with all that it left open; nothing where there is none. */
export function closeTurn(memory: Memory, how: Omit<Ended, "kind" | "turn">): Draft[] {
  if (memory.turn === undefined) return [];
  const left = [...closeBlocks(memory), ...closeTools(memory)];
  const { turn } = memory;
  delete memory.turn;
  return [...left, { kind: "fact", fact: { kind: "turn.ended", turn, ...how } }];
}

/** A prompt reached the model's hands, whether as a turn of its own or folded into the running one. */
export function takePrompt(memory: Memory, uuid: string | undefined): Draft[] {
  if (uuid === undefined || !memory.written.includes(uuid)) return [];
  memory.written = memory.written.filter((one) => one !== uuid);
  return [{ kind: "fact", fact: { kind: "prompt.taken", prompt: uuid as PromptId } }];
}

/** What Claude says it runs with, where it differs from what it said before, and what it offers. */
export function report(
  memory: Memory,
  said: { version?: string; model?: string; mode?: string },
  offered: Partial<FactOf<"agent.reported">> = {},
): Draft[] {
  const model = said.model === undefined ? undefined : aliasOf(memory, said.model);
  const changed: Omit<FactOf<"agent.reported">, "kind"> = {
    ...(said.version !== undefined && said.version !== memory.version ? { version: labelOf(said.version) } : {}),
    ...(model !== undefined && model !== memory.model ? { model: labelOf(model) } : {}),
    ...(said.mode !== undefined && said.mode !== memory.mode ? { mode: labelOf(said.mode) } : {}),
  };
  Object.assign(memory, changed);
  const told = { ...changed, ...offered };
  return Object.keys(told).length === 0 ? [] : [{ kind: "fact", fact: { ...told, kind: "agent.reported" } }];
}

/** By why it stopped: a refused request ends with the subtype `success`. */
function outcomeOf(result: Json): Ended["outcome"] {
  const reason = textAt(result, "terminal_reason");
  if (reason?.startsWith("aborted") === true) return "interrupted";
  if (result["is_error"] === true || (reason !== undefined && reason !== "completed")) return "failed";
  return textAt(result, "subtype") === "success" ? "completed" : "failed";
}

/** What happened, what it means, how to mend it; with Claude's own words, which name the cause. */
function detailOf(memory: Memory, result: Json): string {
  const own = [...textsAt(result, "errors"), textAt(result, "result") ?? memory.fault ?? ""].filter(
    (one) => one !== "",
  );
  const words = own.join(" ") || "Claude Code did not say why.";
  const status = numberAt(result, "api_error_status");
  if (status === 401 || status === 403 || /Invalid API key|Please run \/login/iu.test(words)) {
    return `The model's service refused the sign-in. Run \`claude\` on this machine and sign in again. (${words})`;
  }
  if (status === 429) return `The account's limit is reached. Wait, or use another model. (${words})`;
  if (status === 529 || (status !== undefined && status >= 500)) {
    return `The model's service cannot answer now. Send the prompt again in a while. (${words})`;
  }
  if (status !== undefined) return `The model's service refused the request. (${words})`;
  switch (textAt(result, "subtype")) {
    case "error_max_turns":
      return `The agent reached its limit of steps. Send a prompt to go on. (${words})`;
    case "error_max_budget_usd":
      return `The agent reached its limit of money. (${words})`;
    default:
      return words;
  }
}

/** Totals run over all turns of a session, across its processes too, so a turn's own are differences. */
function usageOf(memory: Memory, result: Json): Usage {
  const total = numberAt(result, "total_cost_usd");
  const since = objectAt(result, "model_usage_since_last_result");
  const models = Object.values(since ?? {}).filter(isObject);
  const sum = (key: string): number => models.reduce((all, model) => all + (numberAt(model, key) ?? 0), 0);
  // `/clear` sets the total back to zero.
  const spent = since ? sum("costUSD") : Math.max(0, (total ?? memory.dollars) - memory.dollars);
  memory.dollars = total ?? memory.dollars;
  const size = Math.max(
    0,
    ...Object.values(objectAt(result, "modelUsage") ?? {})
      .filter(isObject)
      .map((model) => numberAt(model, "contextWindow") ?? 0),
  );
  const main = objectAt(result, "usage");
  return {
    input: since
      ? sum("inputTokens") + sum("cacheCreationInputTokens")
      : (numberAt(main, "input_tokens") ?? 0) + (numberAt(main, "cache_creation_input_tokens") ?? 0),
    output: since ? sum("outputTokens") : (numberAt(main, "output_tokens") ?? 0),
    cached: since ? sum("cacheReadInputTokens") : (numberAt(main, "cache_read_input_tokens") ?? 0),
    dollars: spent,
    ...(size === 0 ? {} : { context: { used: memory.context, size } }),
  };
}

/** People choose `sonnet` and Claude reports `claude-sonnet-5-5`: the name they chose by is told where there is one. */
function aliasOf(memory: Memory, model: string): string {
  return memory.models.find((one) => one.resolved === model && one.value !== "default")?.value ?? model;
}
