/**
 * The port of an agent: one vendor's events on one side, our entries on the other. An agent is one folder and one line
 * in `catalogue.ts`; it does no I/O of its own beyond `look`, `launch`, `recall` and `rested`. The keeper holds the process, the
 * host moves the lines. A terminal is the one agent that speaks by its screen (`screen-agent.ts`).
 *
 * `hear` and `act` are folds over a memory that is plain JSON. The host stores that memory, the offset in the child's
 * output and the entries that came of it in one transaction; after a crash it hears again from the stored offset. So
 * both must be deterministic: the same memory and the same line give the same drafts and writes, no clock, no chance.
 */
import type { AgentInfo } from "@flybridge/protocol/agent.ts";
import type { Answer, Ask } from "@flybridge/protocol/ask.ts";
import type { Attachment } from "@flybridge/protocol/attachment.ts";
import type { Continued, Conversation, Said } from "@flybridge/protocol/conversation.ts";
import type { Entry, Fact } from "@flybridge/protocol/entry.ts";
import type { AgentName, ItemId, SessionId } from "@flybridge/protocol/ids.ts";
import type { ToolItem } from "@flybridge/protocol/item.ts";
import type { Hook } from "@flybridge/protocol/methods.ts";

/** What a line of output means, in order. */
export type Draft =
  | { readonly kind: "fact"; readonly fact: Fact }
  /** Text for the end of an open item's body; journaled at checkpoints, sent to devices at once. */
  | { readonly kind: "grow"; readonly item: ItemId; readonly text: string };

export interface Heard {
  readonly drafts: readonly Draft[];
  /** Lines for the child's input, without newline. Each is written once, even when heard again after a crash. */
  readonly writes: readonly string[];
}

export interface LaunchOrder {
  readonly session: SessionId;
  /** Real path of an existing folder. */
  readonly workspace: string;
  readonly model?: string | undefined;
  readonly mode?: string | undefined;
  /** The memory of the process that ended, when the session goes on where it stopped. */
  readonly before?: unknown;
  /** The conversation of its own that a new session goes on with. Given at every launch of that session. */
  readonly from?: Continued | undefined;
  /** The environment children get: the host's own, without anything that opens the host. */
  readonly env: Readonly<Record<string, string>>;
}

export interface Launch<Memory> {
  /** Program (an absolute path) and arguments. No secrets: other users can see them. */
  readonly argv: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string>>;
  readonly memory: Memory;
  /** Lines for the child's input at its start. */
  readonly writes: readonly string[];
  /** What happened before, where the session goes on with a conversation: journaled right after the start. */
  readonly facts?: readonly Fact[];
}

/** An attachment of a prompt, with what an agent may want of it. */
export interface Attached extends Attachment {
  /** Where the host keeps it: an absolute path that the agent may read. */
  readonly path: string;
  /** Its bytes, base64 with padding. */
  readonly data: string;
}

/** What an agent keeps of its conversations on this machine. Reads only; what is broken is passed over. */
export interface Recall {
  /** Newest first, at most `limit`. Never rejects. */
  list(env: Readonly<Record<string, string>>, limit: number): Promise<readonly Conversation[]>;
  /** The last of what was said, oldest first, at most `limit`; undefined when there is no such conversation. */
  read(
    env: Readonly<Record<string, string>>,
    conversation: string,
    limit: number,
  ): Promise<readonly Said[] | undefined>;
  /** The conversation that a memory of the agent's is about. */
  of(memory: unknown): string | undefined;
}

/** A process of the agent that this host did not start, with the conversation that is open in it. */
export interface Stranger {
  readonly conversation: string;
  readonly workspace: string;
  readonly title?: string | undefined;
  readonly version?: string | undefined;
  /** Absent where several conversations share a process, or it is not known. */
  readonly pid?: number | undefined;
  readonly state: "idle" | "busy" | "waiting";
  /** When it came into that state. */
  readonly since: number;
  /**
   * The agent's `launch` with `from` takes part in it while it goes on there: the host opens a session that does, once
   * it is no longer idle. Otherwise it is only shown, from `read`.
   */
  readonly joins?: boolean | undefined;
}

/** How an agent's conversations that are open at some other place are seen from here. Reads only. */
export interface Outside {
  /** Those that are open now. Never rejects. */
  list(env: Readonly<Record<string, string>>): Promise<readonly Stranger[]>;
  /** Calls `changed` when `list` may give something else. A hint: it is asked now and then anyway. */
  watch?(env: Readonly<Record<string, string>>, changed: () => void): Disposable;
  /**
   * What was said since `mark`, the newest part of all where there is none, and the mark to go on from: plain JSON, and
   * what `launch` is given as `before` when the session goes on here. Never rejects. Absent where all join.
   */
  read?(
    env: Readonly<Record<string, string>>,
    conversation: string,
    mark: unknown,
  ): Promise<{ readonly facts: readonly Fact[]; readonly mark: unknown }>;
  /** What its person is asked there, as far as the tools that wait for their results tell. Absent where all join. */
  asks?(stranger: Stranger, tools: readonly ToolItem[], ask: string): Ask;
}

/**
 * A program of the host's that an agent runs beside a question of its own, because its settings say so, and that may
 * answer it. `program` is its absolute path.
 */
export interface Hooks {
  /** Whether the settings name the program. The three never reject: what is in the way becomes `problem`. */
  inspect(env: Readonly<Record<string, string>>, program: string): Promise<Hook>;
  install(env: Readonly<Record<string, string>>, program: string): Promise<Hook>;
  remove(env: Readonly<Record<string, string>>, program: string): Promise<Hook>;
  /** What the agent gave the program, JSON of any kind, as an ask of that id; undefined where it asks nothing. */
  open(event: unknown, ask: string): HookAsk | undefined;
  /** What the program prints for an answer; undefined where the answer does not belong to what is asked. */
  print(pending: unknown, answer: Answer): string | undefined;
}

export interface HookAsk {
  readonly conversation: string;
  readonly workspace: string;
  readonly ask: Ask;
  /** For `print`. */
  readonly pending: unknown;
}

export interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  /** The last of what it wrote to its error output. */
  readonly errors: string;
}

export interface Agent<Memory = unknown> {
  readonly name: AgentName;
  /** Looks for the program on this machine. Never throws: what is wrong becomes `problem`, with how to mend it. */
  look(env: Readonly<Record<string, string>>): Promise<AgentInfo>;
  /** Throws `CallError("agent_unavailable")` when it cannot be started, saying how to mend it. */
  launch(order: LaunchOrder): Promise<Launch<Memory>>;
  /** One line of output, without its newline, any bytes decoded as UTF-8. May change `memory`. Never throws. */
  hear(memory: Memory, line: string, at: number): Heard;
  /**
   * A fact that a device caused, or a rule (`ask.settled`). May change `memory`. Given again after a crash; the keeper
   * writes it once. With a prompt comes what is attached to it, for those whose `look` says that they take it.
   */
  act(memory: Memory, entry: Entry, attached: readonly Attached[]): readonly string[];
  /** Why the process ended, in words for a person, when its last words or memory tell. May be undefined. */
  explain(memory: Memory, ended: Ended): string | undefined;
  /**
   * A conversation that `recall` names has come to rest after a turn, and that is stored. For what else on this machine
   * shows it: a hint, which a crash may lose. Returns at once, never throws. Absent where nothing does.
   */
  rested?(conversation: string, env: Readonly<Record<string, string>>): void;
  /** Absent where it keeps no conversations that can be gone on with. */
  readonly recall?: Recall;
  /** Absent where its processes that others started cannot be seen. */
  readonly outside?: Outside;
  /** Absent where it runs no program when it asks. */
  readonly hooks?: Hooks;
}
