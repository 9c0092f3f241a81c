/**
 * What the adapter must remember between two lines, as plain JSON: it is stored with every batch of entries, so it
 * holds what is open and nothing that is finished.
 */
import type { Continued } from "@flybridge/protocol/conversation.ts";
import type { Fact } from "@flybridge/protocol/entry.ts";
import type { AskId, ItemId, PromptId, TurnId } from "@flybridge/protocol/ids.ts";
import type { ToolItem } from "@flybridge/protocol/item.ts";
import type { Json } from "../json.ts";
import type { AcpEntry } from "./entry.ts";

/** JSON-RPC 2.0 §4: what a request is answered by. */
export type RpcId = string | number;

/** A request of ours that is not answered. */
export type Sent =
  | { readonly kind: "initialize" | "authenticate" | "new" | "resume" | "load" | "fork" | "turn" | "quiet" }
  | { readonly kind: "model" | "mode" | "setting"; readonly value: string };

/** Text that streams. It is kept because nothing tells it whole. */
export interface OpenText {
  readonly kind: "words" | "thought" | "prompt";
  /** The agent's own id of the message, where it gives one: another id is another message. */
  readonly message?: string | undefined;
  readonly item: ItemId;
  readonly at: number;
  text: string;
}

export interface RunningTool {
  item: ToolItem;
  /** An item that is shown; until then the agent has not said what it is about. */
  began: boolean;
  /** Its list of steps is shown in its place. */
  silent?: boolean;
  /** A person said no. */
  refused?: boolean;
  /** What it wrote, where that does not go on from the body shown so far. */
  output?: string;
  exit?: number;
}

/** An ask whose answer the agent waits for: what is needed to word the answer. */
export interface PendingAsk {
  readonly id: RpcId;
  readonly kind: "approval" | "plan" | "form" | "address";
  /** The agent's id of the tool call. */
  readonly call?: string;
  /** What it is about, in a few words. */
  readonly about: string;
  /** Of an approval or a plan. */
  readonly options: readonly Json[];
  /** Of a form. */
  readonly schema?: Json;
  /** Of an address: the agent's own name of the request. */
  readonly elicitation?: string;
}

/** A prompt that is not written yet: the conversation is not open, another one runs, or a setting is being changed. */
export interface WaitingPrompt {
  /** Absent for what the adapter says itself: the reason of a refusal. */
  readonly prompt?: PromptId;
  readonly blocks: readonly Json[];
}

export interface Turn {
  /** Absent until the agent was heard after the prompt. */
  turn?: TurnId;
  readonly request: number;
  readonly prompt?: PromptId;
  cancelled?: boolean;
  /** Something was refused since the agent last said words. */
  refused?: boolean;
}

/** How a setting is changed: by the option of that name, or by the older method. */
export interface Control {
  readonly option?: string;
}

/** What the agent said it can do. */
export interface Able {
  readonly load: boolean;
  readonly resume: boolean;
  readonly fork: boolean;
  readonly image: boolean;
}

export interface Memory {
  /** Its name for people. */
  readonly title: string;
  readonly workspace: string;
  /** Counts what needs an id of ours, over all processes of the session. */
  count: number;
  /** `failed`: no conversation could be opened, and `fault` says why; a prompt tries again where that can help. */
  stage: "greeting" | "opening" | "open" | "failed";
  fault?: string;
  hopeless?: boolean;
  able: Able;
  /** What it calls its ways to sign in, for a person. */
  signIns: string[];
  /** What the person is told to do, where that is known. */
  readonly how?: string | undefined;
  /** The way to sign in that the environment stands for; tried once. */
  authenticate?: string | undefined;
  /** The agent's own name of the conversation. */
  conversation?: string;
  /** Where a new session goes on, until it has a conversation of its own. */
  readonly from?: Continued | undefined;
  /** While the agent repeats what was said before: told, or known already. */
  history?: "shown" | "hidden";
  /** Something was repeated since it was last looked whether that is over. */
  repeated?: boolean;
  /** Of what is told, the newest items, and how many were left out. */
  told: Fact[];
  toldChars: number;
  untold: number;
  /** What was chosen before the conversation was open. */
  wanted: { model?: string; mode?: string };
  readonly asksIn: readonly string[];
  sent: Record<string, Sent>;
  waiting: WaitingPrompt[];
  turn?: Turn;
  text?: OpenText;
  tools: Record<string, RunningTool>;
  /** Calls of the running turn that came to their end: what is said of them later is not another call. */
  ended: string[];
  asks: Record<AskId, PendingAsk>;
  /** Facts that come of an act: told with the next line, because an act tells none. */
  later: Fact[];
  /** Notices that are given once. */
  noticed: string[];
  reported: { version?: string; model?: string; mode?: string; title?: string };
  version: string;
  control: { model?: Control; mode?: Control };
  /** Values of settings that are yes or no, which travel as that. */
  switches: string[];
  modes: string[];
  models: string[];
  steps?: string;
  context?: { used: number; size: number };
  dollars: number;
  /** What the last turn cost, of the whole. */
  paid: number;
}

export function freshMemory(entry: AcpEntry, workspace: string): Memory {
  return {
    title: entry.title,
    workspace,
    count: 0,
    stage: "greeting",
    able: { load: false, resume: false, fork: false, image: false },
    signIns: [],
    how: entry.signIn?.how,
    told: [],
    toldChars: 0,
    untold: 0,
    wanted: {},
    asksIn: entry.asks ?? [],
    sent: {},
    waiting: [],
    tools: {},
    ended: [],
    asks: {},
    later: [],
    noticed: [],
    reported: {},
    version: "unknown",
    control: {},
    switches: [],
    modes: [],
    models: [],
    dollars: 0,
    paid: 0,
  };
}

/** For a new process of the same session: what was open died with the old one, the counts go on. */
export function resumedMemory(entry: AcpEntry, workspace: string, before: unknown): Memory {
  const fresh = freshMemory(entry, workspace);
  if (typeof before !== "object" || before === null) return fresh;
  const old = before as Partial<Memory>;
  return {
    ...fresh,
    count: typeof old.count === "number" ? old.count : 0,
    ...(typeof old.conversation === "string" ? { conversation: old.conversation } : {}),
  };
}

/** A number that no other thing of this session has. */
export function nextNumber(memory: Memory): number {
  memory.count += 1;
  return memory.count;
}

export function nextId<Id extends string>(memory: Memory, prefix: string): Id {
  return `${prefix}${nextNumber(memory)}` as Id;
}
