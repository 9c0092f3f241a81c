/**
 * What the adapter must remember between two lines, as plain JSON: it is stored with every batch of entries, so it
 * holds what is open and nothing that is finished.
 */
import type { ItemId, TurnId } from "@flybridge/protocol/ids.ts";
import type { Item, ToolItem } from "@flybridge/protocol/item.ts";
import type { Draft } from "../agent.ts";
import type { Json } from "../json.ts";

/** A block of text that streams. Its text is kept because an interrupted one may never be told whole. */
export interface OpenBlock {
  /** The tool call of the sub-agent that speaks; absent for the session's own agent. */
  readonly parent?: ItemId | undefined;
  readonly index: number;
  readonly kind: "words" | "thought";
  /** Absent until the first character came: blocks without any are not shown. */
  item?: ItemId;
  at: number;
  text: string;
}

export interface RunningTool {
  readonly item: ToolItem;
  /** It went on in the background: its result was only that it began. */
  background?: boolean;
}

/** An ask whose answer the agent waits for: what is needed to word the answer. */
export interface PendingAsk {
  readonly kind: "approval" | "question" | "plan" | "form";
  /** What the tool was to be given: an answer repeats it, with what the person changed. */
  readonly input: Json;
  readonly suggestions: readonly Json[];
}

interface Model {
  readonly value: string;
  readonly resolved: string;
}

export interface Memory {
  /** Claude's own name of the conversation: ours at first, another after `/clear`. */
  conversation: string;
  readonly workspace: string;
  /** Counts what needs an id of ours, over all processes of the session. */
  count: number;
  turn?: TurnId;
  /** What was last reported, so that only changes are. */
  version?: string;
  model?: string;
  mode?: string;
  models: readonly Model[];
  /** Prompts that were written and not yet taken. */
  written: string[];
  blocks: OpenBlock[];
  tools: Record<string, RunningTool>;
  asks: Record<string, PendingAsk>;
  /** Claude's own task list, where it keeps one by single steps. */
  steps: { readonly id: string; text: string; state: "open" | "doing" | "done" }[];
  /** Tokens in the context window, as of the newest model call, and the money spent as of the newest turn. */
  context: number;
  dollars: number;
  /** What went wrong last, in Claude's words: why a process that ends next ended. */
  fault?: string;
}

export function freshMemory(session: string, workspace: string): Memory {
  return {
    conversation: session,
    workspace,
    count: 0,
    models: [],
    written: [],
    blocks: [],
    tools: {},
    asks: {},
    steps: [],
    context: 0,
    dollars: 0,
  };
}

/** For a new process of the same session: what was open died with the old one, the counts go on. */
export function resumedMemory(session: string, workspace: string, before: unknown): Memory {
  const fresh = freshMemory(session, workspace);
  if (typeof before !== "object" || before === null) return fresh;
  const old = before as Partial<Memory>;
  return {
    ...fresh,
    conversation: old.conversation ?? session,
    count: old.count ?? 0,
    steps: old.steps ?? [],
    context: old.context ?? 0,
    dollars: old.dollars ?? 0,
  };
}

/** An id that no other thing of this session has. */
export function nextId<Id extends string>(memory: Memory, prefix: string): Id {
  memory.count += 1;
  return `${prefix}${memory.count}` as Id;
}

export function began(item: Item): Draft {
  return { kind: "fact", fact: { kind: "item.began", item } };
}

export function completed(item: Item): Draft {
  return { kind: "fact", fact: { kind: "item.completed", item } };
}
