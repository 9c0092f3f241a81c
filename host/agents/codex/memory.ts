/**
 * What the adapter must remember between two lines, as plain JSON: it is stored with every batch of entries, so it
 * holds what is open and nothing that is finished.
 */
import type { ItemId, PromptId, TurnId } from "@flybridge/protocol/ids.ts";
import type { Item } from "@flybridge/protocol/item.ts";
import type { Draft } from "../agent.ts";
import type { Json } from "../json.ts";

/** Codex's own ids of items that are over: one that is told again must not begin again. */
const MAX_DONE = 64;

export interface OpenItem {
  item: Item;
  /** The thread it belongs to: the session's own, or a sub-agent's. */
  readonly thread: string;
  /** Characters of the body so far. */
  length: number;
  /** The body so far, of words and thoughts: an interrupted one is never told whole. */
  text: string;
  /** It has shown itself: words and thoughts begin with their first character. */
  begun: boolean;
  /** It may go on when its turn is over: a background terminal, a sub-agent. */
  lasting: boolean;
}

/** A prompt that Codex was given, or will be, and has not taken. */
export interface WrittenPrompt {
  readonly prompt: PromptId;
  readonly input: readonly Json[];
  /** `held`: not given yet, until the thread is open or the turn is over. */
  state: "held" | "started" | "steered";
  /** The turn that it began. */
  turn?: string;
}

/** An ask whose answer Codex waits for: what is needed to word the answer. */
export interface PendingAsk {
  readonly kind: "decision" | "permissions" | "questions" | "form" | "tool" | "plan" | "unknown";
  /** The id of the server's request; absent where it was no request. */
  readonly request?: string | number;
  readonly turn?: string;
  /** What a reason for a no refers to. */
  readonly about: string;
  /** Decisions as Codex states them, in the order of the choices. */
  readonly decisions: readonly unknown[];
  /** What else the answer is made of: the questions, the schema, the permissions. */
  readonly detail: Json;
}

/** A model and its degrees of thinking. */
export interface Model {
  readonly value: string;
  readonly efforts: readonly string[];
}

export interface Tokens {
  readonly input: number;
  readonly cached: number;
  readonly output: number;
}

export const NO_TOKENS: Tokens = { input: 0, cached: 0, output: 0 };

export interface Memory {
  readonly workspace: string;
  /** Counts what needs an id of ours, over all processes of the session. */
  count: number;
  /** Codex's own name of the conversation, once there is one. */
  thread?: string;
  /** Whether the conversation has had a turn: before that Codex stores nothing of it. */
  spoken: boolean;
  /** The thread is open in this process. */
  ready: boolean;
  /** Why it cannot be opened: no prompt will be taken. */
  refused?: string;
  /** The server is another's, which has threads that are none of ours. */
  readonly shared: boolean;
  /** The mode that is to be set when the thread is open. */
  mode?: string;
  turn?: TurnId;
  /** Turns that are over, newest last. */
  over: string[];
  /** It was told to stop before the turn had a name. */
  stopping: boolean;
  prompts: WrittenPrompt[];
  items: Record<string, OpenItem>;
  done: string[];
  /** Sub-agents' threads, with the item that each is. */
  children: Record<string, ItemId>;
  asks: Record<string, PendingAsk>;
  /** The plan that the running turn has made: asked about at its end. */
  plan?: string;
  models: Model[];
  /** What was last reported, so that only changes are. */
  told: { version?: string; model?: string; mode?: string; effort?: string; title?: string };
  /** What was last chosen or told, whichever came later: a change of one setting repeats the others. */
  chosen: { model?: string; effort?: string; planning: boolean };
  /** The sandbox for writing in the workspace, as the settings on this machine have it. */
  writable?: Json;
  /** Of the whole thread, as last told; and of the running turn. */
  total?: Tokens;
  spent: Tokens;
  context?: { used: number; size: number };
  /** What went wrong last, in Codex's words: why a process that ends next ended. */
  fault?: string;
}

export function freshMemory(workspace: string, shared: boolean): Memory {
  return {
    workspace,
    count: 0,
    spoken: false,
    ready: false,
    shared,
    over: [],
    stopping: false,
    prompts: [],
    items: {},
    done: [],
    children: {},
    asks: {},
    models: [],
    told: {},
    chosen: { planning: false },
    spent: NO_TOKENS,
  };
}

/** For a new process of the same session: what was open died with the old one, the counts go on. */
export function resumedMemory(workspace: string, shared: boolean, before: unknown): Memory {
  const fresh = freshMemory(workspace, shared);
  if (typeof before !== "object" || before === null) return fresh;
  const old = before as Partial<Memory>;
  return {
    ...fresh,
    count: old.count ?? 0,
    spoken: old.spoken ?? false,
    over: old.over ?? [],
    ...(old.thread === undefined ? {} : { thread: old.thread }),
  };
}

/** An id that no other thing of this session has. */
export function nextId<Id extends string>(memory: Memory, prefix: string): Id {
  memory.count += 1;
  return `${prefix}${memory.count}` as Id;
}

/** Codex's item is over. */
export function finish(memory: Memory, id: string): void {
  delete memory.items[id];
  memory.done = [...memory.done, id].slice(-MAX_DONE);
}

export function began(item: Item): Draft {
  return { kind: "fact", fact: { kind: "item.began", item } };
}

export function completed(item: Item): Draft {
  return { kind: "fact", fact: { kind: "item.completed", item } };
}
