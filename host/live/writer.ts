/**
 * Group commit: steps written in one turn of the event loop are stored in one transaction, and those who wrote them are
 * told when they are stored. Nothing is acted on, acknowledged or shown before that.
 */
import type { FeedEntry } from "@flybridge/protocol/feed.ts";
import { type Append, type Journal, StorageError } from "../core/ports.ts";

type Stored = (failure: StorageError | undefined) => void;

export interface Writer {
  /** `flushed`: a person was or will be told that it is kept, so it must survive a loss of power. */
  write(step: Append, flushed: boolean, stored: Stored): void;
  /** Stores what is waiting, now. */
  flush(): void;
}

export function makeWriter(journal: Journal, published: (facts: readonly FeedEntry[]) => void): Writer {
  let waiting: { readonly step: Append; readonly flushed: boolean; readonly stored: Stored }[] = [];

  const flush = (): void => {
    const batch = waiting;
    if (batch.length === 0) return;
    waiting = [];
    let facts: FeedEntry[] = [];
    let failure: StorageError | undefined;
    try {
      facts = journal.append(
        batch.map(({ step }) => step),
        batch.some(({ flushed }) => flushed),
      );
    } catch (error) {
      failure = error instanceof StorageError ? error : new StorageError("broken", String(error), { cause: error });
    }
    const faults: unknown[] = [];
    for (const { stored } of batch) attempt(faults, () => stored(failure));
    if (facts.length > 0) attempt(faults, () => published(facts));
    if (faults.length > 0) throw faults[0];
  };

  return {
    write(step, flushed, stored) {
      if (waiting.length === 0) setImmediate(flush);
      waiting.push({ step, flushed, stored });
    },
    flush,
  };
}

/** One who fails when it is told must not keep the others from being told: what is stored is stored for all of them. */
function attempt(faults: unknown[], work: () => void): void {
  try {
    work();
  } catch (fault) {
    faults.push(fault);
  }
}
