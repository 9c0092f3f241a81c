/**
 * The steps of a run whose process the keeper holds. Each is acted on when it is stored; when one cannot be stored
 * nothing of it happened, and after a while all starts over from what is.
 */
import type { Entry, Fact } from "@flybridge/protocol/entry.ts";
import type { AgentMark, StorageError } from "../core/ports.ts";
import type { Ledger } from "./ledger.ts";
import type { RunStep } from "./running.ts";
import type { Surroundings } from "./surroundings.ts";
import { Timer } from "./timer.ts";

/** When nothing could be stored, it is tried again after this long. */
const RETRY_MS = 1_000;

export interface Stepping {
  /** Where the process stands. */
  mark(): AgentMark;
  /** A step is stored; its entries are acted on next. */
  stored(mark: AgentMark | undefined): void;
  act(entry: Entry): void;
  /** All that is stored was acted on: there may be room for a prompt, and more to show. */
  acted(): void;
  /** Nothing was stored. Gives what starts over from what is; undefined where there is no process. */
  failed(): (() => void) | undefined;
}

export class Steps implements Disposable {
  readonly #around: Pick<Surroundings, "after" | "log">;
  readonly #ledger: Ledger;
  readonly #run: Stepping;
  readonly #retry: Timer;

  constructor(around: Pick<Surroundings, "after" | "log">, ledger: Ledger, run: Stepping) {
    this.#around = around;
    this.#ledger = ledger;
    this.#run = run;
    this.#retry = new Timer(around);
  }

  /** Until then nothing more is heard or stored. */
  get isWaiting(): boolean {
    return this.#retry.isSet;
  }

  write(facts: readonly Fact[], { marked, stored, ...step }: Omit<RunStep, "answers">): void {
    const mark = marked ? this.#run.mark() : undefined;
    this.#ledger.write(facts, { ...step, mark }, (entries, failure) => {
      if (failure) this.#startOver(failure);
      else this.#stored(entries, mark);
      stored?.(failure);
    });
  }

  retry(work: () => void): void {
    this.#retry.set(RETRY_MS, work);
  }

  [Symbol.dispose](): void {
    this.#retry[Symbol.dispose]();
  }

  #stored(entries: readonly Entry[], mark: AgentMark | undefined): void {
    this.#run.stored(mark);
    for (const entry of entries) this.#run.act(entry);
    this.#run.acted();
  }

  #startOver({ fault }: StorageError): void {
    this.#around.log("nothing could be stored", { session: this.#ledger.stored.session, fault });
    const again = this.#run.failed();
    if (again) this.retry(again);
  }
}
