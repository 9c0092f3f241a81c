/**
 * What is written of one session: facts become entries here, and one step of them is stored whole or not at all. So
 * there are two folds: one with all that was written, which decides, and one with all that is stored, which is shown.
 */
import type { Entry, Fact } from "@flybridge/protocol/entry.ts";
import { apply, sameSummary, summaryOf } from "@flybridge/protocol/fold.ts";
import type { DeviceId, IntentId } from "@flybridge/protocol/ids.ts";
import { PAGE_CHARS, PAGE_ENTRIES } from "@flybridge/protocol/limits.ts";
import type { FollowResult } from "@flybridge/protocol/methods.ts";
import type { SessionState } from "@flybridge/protocol/session.ts";
import type { AgentMark, StorageError } from "../core/ports.ts";
import type { Surroundings } from "./surroundings.ts";

export interface Step {
  /** A person was or will be told that it is kept, so it must survive a loss of power. */
  readonly flushed: boolean;
  /** Entries of a new session that its state has already; the facts come after them. */
  readonly first?: readonly Entry[];
  readonly mark?: AgentMark | undefined;
  /** Given the number of the step's last entry. */
  readonly intent?: ((seq: number) => { id: IntentId; by: DeviceId; answer: unknown }) | undefined;
}

export class Ledger {
  readonly #around: Pick<Surroundings, "journal" | "writer" | "now">;
  /** With everything that was written, stored or not. Intents are decided on it. */
  #written: SessionState;
  /** With everything that is stored: what is shown. Never ahead of `#written`. */
  #stored: SessionState;
  /** The entries of the newest stored step, for followers that are at the head. */
  #recent: readonly Entry[] = [];

  constructor(state: SessionState, around: Pick<Surroundings, "journal" | "writer" | "now">) {
    this.#around = around;
    this.#written = state;
    this.#stored = state;
  }

  get written(): SessionState {
    return this.#written;
  }

  get stored(): SessionState {
    return this.#stored;
  }

  /** `settled` is called once: with the step's entries when they are stored, or with why nothing was. */
  write(
    facts: readonly Fact[],
    step: Step,
    settled: (entries: readonly Entry[], failure?: StorageError) => void,
  ): void {
    const before = this.#written;
    const entries = [...(step.first ?? [])];
    const isNew = entries.length > 0;
    const at = this.#around.now();
    for (const fact of facts) {
      const entry = { seq: this.#written.last + 1, at, fact: this.#placed(fact) };
      this.#written = apply(this.#written, entry);
      entries.push(entry);
    }
    const state = this.#written;
    this.#around.writer.write(
      {
        session: state.session,
        state,
        entries,
        ...(step.mark ? { mark: step.mark } : {}),
        ...(step.intent ? { intent: step.intent(state.last) } : {}),
        ...(isNew || !sameSummary(before, state) ? { feed: { kind: "session", summary: summaryOf(state) } } : {}),
      },
      step.flushed,
      (failure) => {
        if (failure) {
          // Nothing was stored, so nothing happened.
          this.#written = this.#stored;
          settled([], failure);
          return;
        }
        this.#stored = state;
        if (entries.length > 0) this.#recent = entries;
        settled(entries);
      },
    );
  }

  /** Stored entries from `from` on, a page of them at most. */
  read(from: number): readonly Entry[] {
    const oldest = this.#recent[0]?.seq;
    if (oldest !== undefined && from >= oldest) return this.#recent.slice(from - oldest, from - oldest + PAGE_ENTRIES);
    return this.#around.journal.read(this.#stored.session, from, PAGE_ENTRIES, PAGE_CHARS);
  }

  entry(seq: number): Entry | undefined {
    return this.#around.journal.read(this.#stored.session, seq, 1, PAGE_CHARS)[0];
  }

  /** What is stored after `seq`, oldest first; also what is stored meanwhile. */
  *after(seq: number): Generator<Entry, void> {
    for (let from = seq + 1; from <= this.#stored.last;) {
      const entries = this.#around.journal.read(this.#stored.session, from, PAGE_ENTRIES, PAGE_CHARS);
      const newest = entries.at(-1);
      if (newest === undefined) return;
      yield* entries;
      from = newest.seq + 1;
    }
  }

  /** Entries before `before`, and whether there are more before those. */
  page(before: number, limit: number): { entries: Entry[]; more: boolean } {
    const entries = this.#around.journal.readBack(this.#stored.session, before, limit, PAGE_CHARS);
    return { entries, more: (entries[0]?.seq ?? 1) > 1 };
  }

  /** The newest page, with what came before it of the items that are open. */
  window(): FollowResult {
    const state = this.#stored;
    const { entries, more } = this.page(state.last + 1, PAGE_ENTRIES);
    const first = entries[0]?.seq ?? 1;
    const carried = state.items
      .filter((one) => one.began < first)
      .flatMap((one) => this.#around.journal.readItem(state.session, one.item, first));
    return { kind: "window", state, entries, more, carried };
  }

  #placed(fact: Fact): Fact {
    if (fact.kind !== "item.completed") return fact;
    const began = this.#written.items.find((one) => one.item === fact.item.item)?.began;
    return began === undefined ? fact : { ...fact, began };
  }
}
