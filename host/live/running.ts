/**
 * What a session asks of whatever runs it: an agent behind pipes, a terminal, or a process that was started elsewhere.
 * Contract: every step is written through `write`, and nothing is done outside before what it comes of is stored.
 */
import type { Answer } from "@flybridge/protocol/ask.ts";
import type { Fact } from "@flybridge/protocol/entry.ts";
import type { AskId, ItemId } from "@flybridge/protocol/ids.ts";
import type { Size } from "@flybridge/protocol/terminal.ts";
import type { StorageError } from "../core/ports.ts";
import type { Step } from "./ledger.ts";

export interface RunStep extends Omit<Step, "mark"> {
  /** Stores where the process stands as well. */
  readonly marked?: boolean;
  /** Answers as they were given, where the facts hold what may be kept of them: told to the agent, stored nowhere. */
  readonly answers?: ReadonlyMap<AskId, Answer> | undefined;
  readonly stored?: (failure: StorageError | undefined) => void;
}

export interface Running extends Disposable {
  /** What the keeper knows its newest process by: session and launch, with a dot between. */
  readonly name: string;
  /** The next process of the session; one that cannot be started ends the session, and says why. Never rejects. */
  start(first?: { readonly size?: Size | undefined }): Promise<void>;
  /** After a start of the host: finds the process again, or says that it is gone. */
  recover(): void;
  /** The keeper is gone, and every process with it. */
  lost(): void;
  /** Stores a step and acts on it; when it cannot be stored, all starts over from what is. */
  write(facts: readonly Fact[], step: RunStep): void;
  /** Characters so far of an item that is open. */
  lengthOf(item: ItemId): number;
  /** The text of an open item after so many characters. */
  textFrom(item: ItemId, offset: number): string;
}
