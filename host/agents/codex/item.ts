/**
 * Codex's thread items as ours. `item/started` begins one, deltas grow it, `item/completed` tells it once more, whole;
 * an interrupted turn leaves items without their end, which its own end supplies.
 */
import type { ItemId } from "@flybridge/protocol/ids.ts";
import type { Item } from "@flybridge/protocol/item.ts";
import { MAX_BODY_CHARS, MAX_PLAN_CHARS } from "@flybridge/protocol/limits.ts";
import type { Draft } from "../agent.ts";
import { kept, labelOf, rawOf, room, wordsOf } from "../bounds.ts";
import { listAt, numberAt, textAt, textsAt, type Json } from "../json.ts";
import { began, completed, finish, nextId, type Memory, type OpenItem } from "./memory.ts";
import { toolOf } from "./tool.ts";
import { OURS } from "./wire.ts";

type TextKind = "words" | "thought";

/** Steps of one list that are shown. */
const MAX_STEPS = 500;

/** Of no use to a person, or told in another way. */
const SILENT = new Set(["hookPrompt", "functionCallOutput"]);

const TEXTS: Record<string, TextKind> = { agentMessage: "words", plan: "words", reasoning: "thought" };

export function hearItemStarted(memory: Memory, params: Json, item: Json, at: number): Draft[] {
  const id = textAt(item, "id") ?? "";
  const type = textAt(item, "type") ?? "";
  if (memory.items[id] || memory.done.includes(id)) return [];
  if (type === "userMessage") return isOurs(memory, item) ? [...takePrompt(memory, item), ...silenced(memory, id)] : [];
  if (type === "subAgentActivity") return hearSubAgent(memory, item, params, at);
  const text = TEXTS[type];
  if (text !== undefined) {
    // It shows itself with its first character.
    openText(memory, params, { id, kind: text, commentary: isCommentary(item), at: startOf(params, at) });
    return [];
  }
  const told = toolOf(item);
  if (!told) return [];
  const made: Item = {
    kind: "tool",
    ...commonOf(memory, params, startOf(params, at)),
    tool: { ...told.tool, state: "running" },
  };
  memory.items[id] = {
    item: made,
    thread: textAt(params, "threadId") ?? "",
    length: 0,
    text: "",
    begun: true,
    lasting: textAt(item, "type") === "commandExecution" && textAt(item, "processId") !== undefined,
  };
  return [began(made)];
}

export function hearItemCompleted(memory: Memory, params: Json, item: Json, line: string, at: number): Draft[] {
  const id = textAt(item, "id") ?? "";
  const type = textAt(item, "type") ?? "";
  if (memory.done.includes(id)) return [];
  switch (type) {
    case "userMessage":
      finish(memory, id);
      return isChild(memory, params) ? [] : hearPerson(memory, params, item, at);
    case "subAgentActivity":
      return [];
    case "contextCompaction":
      finish(memory, id);
      return [noticed("info", "The conversation was compacted: the agent goes on from a summary.")];
    case "enteredReviewMode":
      finish(memory, id);
      return [noticed("info", `A review began: ${textAt(item, "review") ?? ""}`)];
    case "exitedReviewMode":
      return wholeText(memory, params, item, "words", textAt(item, "review") ?? "", at);
    case "agentMessage":
      return wholeText(memory, params, item, "words", textAt(item, "text") ?? "", at);
    case "plan": {
      const plan = textAt(item, "text") ?? "";
      if (!isChild(memory, params) && plan.trim() !== "") memory.plan = kept(plan, MAX_PLAN_CHARS);
      return wholeText(memory, params, item, "words", plan, at);
    }
    case "reasoning": {
      const summary = textsAt(item, "summary").join("\n\n");
      return wholeText(memory, params, item, "thought", summary || textsAt(item, "content").join("\n\n"), at);
    }
    default:
  }
  const told = toolOf(item);
  if (!told) {
    finish(memory, id);
    if (SILENT.has(type)) return [];
    return [noticed("info", `Codex did something Flybridge does not know yet (${type || "no type"}).`, line)];
  }
  const first = memory.items[id] ? [] : hearItemStarted(memory, params, item, at);
  const open = memory.items[id];
  if (!open || open.item.kind !== "tool") return first;
  finish(memory, id);
  const state = told.tool.state === "running" ? "done" : told.tool.state;
  const edits = told.tool.edits.length > 0 ? told.tool.edits : open.item.tool.edits;
  return [
    ...first,
    completed({ ...open.item, body: kept(told.body, MAX_BODY_CHARS), tool: { ...told.tool, edits, state } }),
  ];
}

/** Text for an item's body. Only words and thoughts may come before their item was told: one may listen in late. */
export function hearDelta(memory: Memory, params: Json, kind: TextKind | "output", delta: string, at: number): Draft[] {
  const id = textAt(params, "itemId") ?? "";
  if (delta === "" || id === "" || memory.done.includes(id)) return [];
  const open =
    memory.items[id] ?? (kind === "output" ? undefined : openText(memory, params, { id, kind, commentary: false, at }));
  if (!open || (open.item.kind === "tool") !== (kind === "output")) return [];
  const piece = room(open.length, delta);
  open.length += piece.length;
  if (kind !== "output") open.text += piece;
  const drafts = open.begun ? [] : [began(open.item)];
  open.begun = true;
  if (piece !== "") drafts.push({ kind: "grow", item: open.item.item, text: piece });
  return drafts;
}

/** A new part of a thought's summary. */
export function hearPart(memory: Memory, params: Json, at: number): Draft[] {
  const open = memory.items[textAt(params, "itemId") ?? ""];
  return open && open.length > 0 ? hearDelta(memory, params, "thought", "\n\n", at) : [];
}

/** A patch that the model is still writing. */
export function hearPatch(memory: Memory, params: Json): void {
  const open = memory.items[textAt(params, "itemId") ?? ""];
  const told = toolOf({ type: "fileChange", changes: listAt(params, "changes"), status: "inProgress" });
  if (open?.item.kind === "tool" && told) open.item = { ...open.item, tool: told.tool };
}

export function hearSteps(memory: Memory, params: Json, at: number): Draft[] {
  const states: Record<string, "open" | "doing" | "done"> = { pending: "open", inProgress: "doing", completed: "done" };
  const steps = listAt(params, "plan")
    .slice(0, MAX_STEPS)
    .map((step) => ({
      text: labelOf(textAt(step, "step") ?? ""),
      state: states[textAt(step, "status") ?? ""] ?? ("open" as const),
    }));
  const body = wordsOf(textAt(params, "explanation") ?? "");
  const item: Item = { kind: "todo", ...commonOf(memory, params, at), body, steps };
  return [began({ ...item, body: "" }), completed(item)];
}

/** What a turn's end leaves open: all of the thread's own that cannot go on without it. */
export function closeItems(memory: Memory, which: (open: OpenItem) => boolean): Draft[] {
  return Object.entries(memory.items).flatMap(([id, open]) => {
    if (!which(open)) return [];
    finish(memory, id);
    if (!open.begun) return [];
    if (open.item.kind === "tool")
      return [completed({ ...open.item, tool: { ...open.item.tool, state: "failed" as const } })];
    return [completed({ ...open.item, body: open.text })];
  });
}

export function noticed(level: "info" | "warning" | "error", text: string, raw?: string): Draft {
  const fact = {
    kind: "notice" as const,
    level,
    text: wordsOf(text),
    ...(raw === undefined ? {} : { raw: rawOf(raw) }),
  };
  return { kind: "fact", fact };
}

/** Whether a message is about a thread of one of the session's sub-agents. */
export function isChild(memory: Memory, params: Json): boolean {
  return Object.hasOwn(memory.children, textAt(params, "threadId") ?? "");
}

/** What a person is called elsewhere: input of a message as text. */
export function inputText(input: readonly Json[]): string {
  return input
    .map((part) => textAt(part, "text") ?? textAt(part, "path") ?? `[${textAt(part, "type") ?? "something"}]`)
    .join("\n");
}

/** Codex repeats the id that a prompt was given by, when its model is about to see it. */
function takePrompt(memory: Memory, item: Json): Draft[] {
  const id = textAt(item, "clientId");
  const written = memory.prompts.find(({ prompt }) => prompt === id);
  if (!written) return [];
  memory.prompts = memory.prompts.filter((one) => one !== written);
  return [{ kind: "fact", fact: { kind: "prompt.taken", prompt: written.prompt } }];
}

/** Written by a device, or by us in the person's name. */
function isOurs(memory: Memory, item: Json): boolean {
  const id = textAt(item, "clientId");
  return id !== undefined && (id.startsWith(OURS) || memory.prompts.some(({ prompt }) => prompt === id));
}

function silenced(memory: Memory, id: string): Draft[] {
  finish(memory, id);
  return [];
}

/** A prompt that was written at some other place. */
function hearPerson(memory: Memory, params: Json, item: Json, at: number): Draft[] {
  if (isOurs(memory, item)) return takePrompt(memory, item);
  const body = kept(inputText(listAt(item, "content")), MAX_BODY_CHARS);
  if (body.trim() === "") return [];
  const prompt: Item = { kind: "prompt", ...commonOf(memory, params, startOf(params, at)), body };
  return [began({ ...prompt, body: "" }), completed(prompt)];
}

/** A sub-agent is one item for as long as it works; what it does hangs below. */
function hearSubAgent(memory: Memory, item: Json, params: Json, at: number): Draft[] {
  const thread = textAt(item, "agentThreadId") ?? "";
  const path = textAt(item, "agentPath") ?? "sub-agent";
  const key = `agent:${thread}`;
  const kind = textAt(item, "kind");
  if (kind === "started") {
    if (thread === "" || memory.children[thread] !== undefined) return [];
    const made: Item = {
      kind: "tool",
      ...commonOf(memory, params, at),
      tool: { name: "spawn_agent", kind: "agent", object: labelOf(path), input: "{}", edits: [], state: "running" },
    };
    memory.children[thread] = made.item;
    memory.items[key] = {
      item: made,
      thread: textAt(params, "threadId") ?? "",
      length: 0,
      text: "",
      begun: true,
      lasting: true,
    };
    return [began(made)];
  }
  const open = memory.items[key];
  if ((kind !== "completed" && kind !== "interrupted") || open?.item.kind !== "tool") return [];
  delete memory.items[key];
  const state = kind === "completed" ? ("done" as const) : ("failed" as const);
  return [
    ...closeItems(memory, (one) => one.thread === thread),
    completed({ ...open.item, tool: { ...open.item.tool, state } }),
  ];
}

function wholeText(memory: Memory, params: Json, item: Json, kind: TextKind, text: string, at: number): Draft[] {
  const id = textAt(item, "id") ?? "";
  const commentary = isCommentary(item);
  const open = memory.items[id] ?? openText(memory, params, { id, kind, commentary, at: startOf(params, at) });
  finish(memory, id);
  if (open.item.kind === "tool" || (!open.begun && text.trim() === "")) return [];
  const marked = open.item.kind === "words" && commentary ? { ...open.item, commentary } : open.item;
  if (!open.begun) return [began(open.item), completed({ ...marked, body: kept(text, MAX_BODY_CHARS) })];
  // What streamed stands: a device has it already. What did not come in pieces comes now.
  const more = text.startsWith(open.text) ? room(open.length, text.slice(open.text.length)) : "";
  const body = text.startsWith(open.text) || kind === "thought" ? text : open.text;
  return [
    ...(more === "" || kind === "thought" ? [] : [{ kind: "grow" as const, item: open.item.item, text: more }]),
    completed({ ...marked, body: kept(body, MAX_BODY_CHARS) }),
  ];
}

function openText(
  memory: Memory,
  params: Json,
  of: { readonly id: string; readonly kind: TextKind; readonly commentary: boolean; readonly at: number },
): OpenItem {
  const common = commonOf(memory, params, of.at);
  const item: Item =
    of.kind === "words"
      ? { kind: "words", ...common, ...(of.commentary ? { commentary: true } : {}) }
      : { kind: "thought", ...common };
  const open: OpenItem = {
    item,
    thread: textAt(params, "threadId") ?? "",
    length: 0,
    text: "",
    begun: false,
    lasting: false,
  };
  memory.items[of.id] = open;
  return open;
}

function commonOf(memory: Memory, params: Json, at: number) {
  const parent = memory.children[textAt(params, "threadId") ?? ""];
  return {
    item: nextId<ItemId>(memory, "i"),
    ...(memory.turn === undefined || parent !== undefined ? {} : { turn: memory.turn }),
    ...(parent === undefined ? {} : { parent }),
    body: "",
    at,
  };
}

function isCommentary(item: Json): boolean {
  return textAt(item, "phase") === "commentary";
}

/** Codex's own clock where it says it; milliseconds since 1970. */
function startOf(params: Json, at: number): number {
  const told = numberAt(params, "startedAtMs") ?? numberAt(params["item"] as Json | undefined, "startedAtMs");
  return told !== undefined && Number.isSafeInteger(told) && told >= 0 ? told : at;
}
