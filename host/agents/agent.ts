/**
 * The port of an agent: one vendor's events on one side, our entries on the other. An agent is one folder and one line
 * in `catalogue.ts`; it does no I/O of its own beyond `look`. The keeper holds the process, the host moves the lines.
 *
 * `hear` and `act` are folds over a memory that is plain JSON. The host stores that memory, the offset in the child's
 * output and the entries that came of it in one transaction; after a crash it hears again from the stored offset. So
 * both must be deterministic: the same memory and the same line give the same drafts and writes, no clock, no chance.
 */
import type { AgentInfo } from "@flybridge/protocol/agent.ts";
import type { Entry, Fact } from "@flybridge/protocol/entry.ts";
import type { AgentName, ItemId, SessionId } from "@flybridge/protocol/ids.ts";

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
  /** A fact that a device caused. May change `memory`. Given again after a crash; the keeper writes it once. */
  act(memory: Memory, entry: Entry): readonly string[];
  /** Why the process ended, in words for a person, when its last words or memory tell. May be undefined. */
  explain(memory: Memory, ended: Ended): string | undefined;
}
