/** A turn: a prompt begins it, the answer to that prompt ends it and says why. */
import type { FactOf, Usage } from "@flybridge/protocol/entry.ts";
import type { PromptId, TurnId } from "@flybridge/protocol/ids.ts";
import type { Draft } from "../agent.ts";
import { wordsOf } from "../bounds.ts";
import { numberAt, objectAt, parsed, textAt, type Json } from "../json.ts";
import { cancelAsks } from "./ask.ts";
import { nextId, type Memory } from "./memory.ts";
import { notice, told } from "./notice.ts";
import { AUTH_REQUIRED } from "./rpc.ts";
import { closeText } from "./text.ts";
import { closeTools } from "./tool.ts";

type Ended = FactOf<"turn.ended">;

/** Whatever is heard after a prompt says that it has arrived. */
export function beginTurn(memory: Memory): Draft[] {
  const open = memory.turn;
  if (open === undefined || open.turn !== undefined) return [];
  // What an agent said between two turns ends where a person speaks.
  const left = closeText(memory);
  const turn = nextId<TurnId>(memory, "t");
  open.turn = turn;
  return [...left, ...taken(open.prompt), told({ kind: "turn.began", turn })];
}

/** The answer to the prompt. Drafts, and lines for what the agent left unanswered. */
export function endTurn(memory: Memory, message: Json): { drafts: Draft[]; writes: string[] } {
  const open = memory.turn;
  if (open?.turn === undefined) return { drafts: [], writes: [] };
  const error = objectAt(message, "error");
  const result = objectAt(message, "result");
  const reason = textAt(result, "stopReason");
  const usage = usageOf(memory, result);
  const cancelled = open.cancelled === true && (reason === "cancelled" || error !== undefined);
  const how: Omit<Ended, "kind" | "turn"> =
    cancelled || reason === "cancelled"
      ? { outcome: "interrupted", usage }
      : { ...outcomeOf(memory, reason, error), usage };
  const quiet = open.refused === true && how.outcome === "completed" && memory.text === undefined;
  const left = [...closeText(memory), ...closeTools(memory, "failed")];
  // A reason that was to follow a refusal has nothing to follow when the turn was stopped.
  if (how.outcome === "interrupted") memory.waiting = memory.waiting.filter((one) => one.prompt !== undefined);
  const follows = memory.waiting.some((one) => one.prompt === undefined);
  const writes = cancelAsks(memory);
  const withdrawn = memory.later.splice(0).map(told);
  delete memory.turn;
  if (how.outcome === "failed" && how.detail !== undefined) memory.fault = how.detail;
  return {
    drafts: [
      ...left,
      ...withdrawn,
      ...(quiet && !follows
        ? [notice("info", `${memory.title} ended its turn when it was told no. Send a prompt to go on.`)]
        : []),
      told({ kind: "turn.ended", turn: open.turn, ...how }),
    ],
    writes,
  };
}

/** Prompts that can go nowhere are taken and fail, so that nobody waits for them. */
export function failWaiting(memory: Memory): Draft[] {
  const detail = wordsOf(memory.fault ?? `${memory.title} did not open a conversation.`);
  return memory.waiting.splice(0).flatMap(({ prompt }) => {
    const turn = nextId<TurnId>(memory, "t");
    return [
      ...taken(prompt),
      told({ kind: "turn.began", turn }),
      told({ kind: "turn.ended", turn, outcome: "failed", detail }),
    ];
  });
}

export function hearUsage(memory: Memory, update: Json): void {
  const [used, size] = [numberAt(update, "used"), numberAt(update, "size")];
  if (used !== undefined && size !== undefined && size > 0) memory.context = { used, size };
  const cost = objectAt(update, "cost");
  const amount = numberAt(cost, "amount");
  // Other money is not turned into dollars.
  if (amount !== undefined && textAt(cost, "currency")?.toUpperCase() === "USD") memory.dollars = amount;
}

/** An error of the agent's in words: its message, and what is in it when that is JSON of some service behind it. */
export function errorWords(error: Json | undefined): string {
  const message = textAt(error, "message") ?? "it did not say why";
  const inner = parsed(message);
  const words = textAt(objectAt(inner, "error"), "message") ?? textAt(inner, "message") ?? message;
  const data = error?.["data"];
  const more =
    typeof data === "string"
      ? data
      : (textAt(objectAt(error, "data"), "details") ?? textAt(objectAt(error, "data"), "message"));
  return more === undefined || words.includes(more) ? words : `${words}: ${more}`;
}

function taken(prompt: PromptId | undefined): Draft[] {
  return prompt === undefined ? [] : [told({ kind: "prompt.taken", prompt })];
}

function outcomeOf(
  memory: Memory,
  reason: string | undefined,
  error: Json | undefined,
): { outcome: "completed" | "failed"; detail?: string } {
  if (error !== undefined) {
    const words = errorWords(error);
    const detail =
      numberAt(error, "code") === AUTH_REQUIRED
        ? `${memory.title} is not signed in. ${memory.how ?? "Sign in to it in a terminal on this machine."} (${words})`
        : `${memory.title} could not answer: ${words}`;
    return { outcome: "failed", detail: wordsOf(detail) };
  }
  switch (reason) {
    case "end_turn":
      return { outcome: "completed" };
    case "max_tokens":
      return {
        outcome: "failed",
        detail: "The answer was cut: the model reached its limit of tokens. Send a prompt to go on.",
      };
    case "max_turn_requests":
      return { outcome: "failed", detail: "The agent reached its limit of steps in one turn. Send a prompt to go on." };
    case "refusal":
      return {
        outcome: "failed",
        detail: `${memory.title} refused to go on. What was said since the prompt is not kept in the conversation.`,
      };
    default:
      return {
        outcome: "failed",
        detail: `${memory.title} ended its turn without a reason that is known ("${wordsOf(reason ?? "none").slice(0, 200)}").`,
      };
  }
}

/** Tokens as the answer has them; money and the window as they were told last. */
function usageOf(memory: Memory, result: Json | undefined): Usage {
  const usage = objectAt(result, "usage");
  const quota = objectAt(objectAt(objectAt(result, "_meta"), "quota"), "token_count");
  const dollars = Math.max(0, memory.dollars - memory.paid);
  memory.paid = memory.dollars;
  return {
    input:
      (numberAt(usage, "inputTokens") ?? numberAt(quota, "input_tokens") ?? 0) +
      (numberAt(usage, "cachedWriteTokens") ?? 0),
    output: numberAt(usage, "outputTokens") ?? numberAt(quota, "output_tokens") ?? 0,
    cached: numberAt(usage, "cachedReadTokens") ?? 0,
    ...(memory.dollars > 0 ? { dollars } : {}),
    ...(memory.context === undefined ? {} : { context: memory.context }),
  };
}
