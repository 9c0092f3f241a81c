/**
 * One line of a transcript as what it means: what a person said, what the agent said, a tool and its result. Items are
 * named by what the line is named, so that a line that is read twice is the same item twice.
 */
import type { Said } from "@flybridge/protocol/conversation.ts";
import type { Fact } from "@flybridge/protocol/entry.ts";
import type { ItemId } from "@flybridge/protocol/ids.ts";
import type { Item } from "@flybridge/protocol/item.ts";
import { MAX_BODY_CHARS } from "@flybridge/protocol/limits.ts";
import { foreignIdOf, kept, wordsOf } from "../bounds.ts";
import { isObject, listAt, objectAt, parsed, textAt, type Json } from "../json.ts";
import type { Memory } from "./memory.ts";
import { hearToolResult, hearToolUse } from "./tool.ts";

/** Only these lines are read: the rest is Claude's own bookkeeping, and much longer. */
const SPOKEN = /"type":"(?:user|assistant)"/u;
/** What Claude tells its model in a person's name. */
const REMARKS =
  /<(system-reminder|local-command-stdout|local-command-stderr|local-command-caveat|bash-stdout|bash-stderr|task-notification)>[\s\S]*?<\/\1>/gu;
const COMMAND = /<command-name>([\s\S]*?)<\/command-name>/u;
const ARGUMENTS = /<command-args>([\s\S]*?)<\/command-args>/u;

/** The facts of a line; `memory` holds the tools that are open. `at` is for lines that do not say when. */
export function factsOf(memory: Memory, line: string, at: number): Fact[] {
  const message = spoken(line);
  if (!message) return [];
  const when = timeOf(message) ?? at;
  const name = foreignIdOf(textAt(message, "uuid"));
  if (name === undefined) return [];
  const blocks = blocksOf(message);
  const item = (kind: "prompt" | "words" | "thought", text: string, place: number): Fact[] =>
    text.trim() === ""
      ? []
      : [completed({ kind, item: `${name}.${place}` as ItemId, body: kept(text, MAX_BODY_CHARS), at: when })];
  if (textAt(message, "type") === "user") {
    const prompt = promptOf(message);
    if (prompt !== "") return item("prompt", prompt, 0);
    const whole = withResults(message);
    return blocks
      .filter((block) => textAt(block, "type") === "tool_result")
      .flatMap((block) => hearToolResult(memory, block, whole, when))
      .flatMap((draft) => (draft.kind === "fact" ? [draft.fact] : []));
  }
  return blocks.flatMap((block, place): Fact[] => {
    const type = textAt(block, "type") ?? "";
    if (type === "text") return item("words", textAt(block, "text") ?? "", place);
    if (type === "thinking") return item("thought", textAt(block, "thinking") ?? "", place);
    if (type !== "tool_use") return [];
    return hearToolUse(memory, block, undefined, when).flatMap((draft) => (draft.kind === "fact" ? [draft.fact] : []));
  });
}

/** What was said in a line, for a preview; nothing for tools and thoughts. */
export function saidIn(line: string): Said | undefined {
  const message = spoken(line);
  if (!message) return undefined;
  const who = textAt(message, "type") === "user" ? ("person" as const) : ("agent" as const);
  const text = who === "person" ? promptOf(message) : wordsIn(message);
  if (text.trim() === "") return undefined;
  const at = timeOf(message);
  return { who, text: wordsOf(text), ...(at === undefined ? {} : { at }) };
}

/** What a person said, without what Claude put into their mouth; empty where the line is nothing of the kind. */
export function promptIn(line: string): string {
  const message = spoken(line);
  return message && textAt(message, "type") === "user" ? promptOf(message) : "";
}

function spoken(line: string): Json | undefined {
  if (!SPOKEN.test(line)) return undefined;
  const message = parsed(line);
  if (!message || message["isSidechain"] === true || message["isMeta"] === true) return undefined;
  const type = textAt(message, "type");
  return type === "user" || type === "assistant" ? message : undefined;
}

function promptOf(message: Json): string {
  // The summary that a compacted conversation goes on from is addressed to the model.
  if (message["isCompactSummary"] === true) return "";
  const content = objectAt(message, "message")?.["content"];
  const blocks = blocksOf(message);
  if (blocks.some((block) => textAt(block, "type") === "tool_result")) return "";
  const text = typeof content === "string" ? content : textsIn(blocks);
  const command = COMMAND.exec(text)?.[1];
  if (command !== undefined) return `/${command.replace(/^\//u, "")} ${ARGUMENTS.exec(text)?.[1] ?? ""}`.trim();
  const own = text.replaceAll(REMARKS, "").trim();
  return /^\[Request interrupted by user[^\]]*\]$/u.test(own) ? "" : own;
}

function wordsIn(message: Json): string {
  return textsIn(blocksOf(message));
}

function textsIn(blocks: readonly Json[]): string {
  return blocks
    .filter((block) => textAt(block, "type") === "text")
    .map((block) => textAt(block, "text") ?? "")
    .filter((text) => text !== "")
    .join("\n");
}

function blocksOf(message: Json): readonly Json[] {
  return listAt(objectAt(message, "message"), "content");
}

/** The same result stands under other names than over the pipe. */
function withResults(message: Json): Json {
  const structured = message["toolUseResult"];
  const refused = textAt(message, "toolDenialKind") === "user-rejected";
  const decision = objectAt(message, "permissionDecision");
  const metas = blocksOf(message).map((block) => ({
    id: textAt(block, "tool_use_id"),
    ...(decision ? { permission_decision: decision } : {}),
    ...(refused ? { non_execution_kind: "user-rejected" } : {}),
  }));
  return { ...(isObject(structured) ? { tool_use_result: structured } : {}), tool_result_meta: metas };
}

function completed(item: Item): Fact {
  return { kind: "item.completed", item };
}

function timeOf(message: Json): number | undefined {
  const at = Date.parse(textAt(message, "timestamp") ?? "");
  return Number.isFinite(at) && at > 0 ? at : undefined;
}
