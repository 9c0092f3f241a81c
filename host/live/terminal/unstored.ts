/** Since when a screen shows what is not stored, and when it is to be: once it rests, or after a while however it moves. */
import type { Surroundings } from "../surroundings.ts";
import { Timer } from "../timer.ts";

/** The screen is stored when nothing was drawn for this long; and at the latest after so much time. */
const QUIET_MS = 1_000;
const LATEST_MS = 30_000;

export class Unstored implements Disposable {
  readonly #store: () => void;
  readonly #timer: Timer;
  #drewAt = 0;
  #since: number | undefined;

  constructor(around: Pick<Surroundings, "after">, store: () => void) {
    this.#store = store;
    this.#timer = new Timer(around);
  }

  get isAny(): boolean {
    return this.#since !== undefined;
  }

  drew(): void {
    this.#drewAt = performance.now();
    this.#since ??= this.#drewAt;
  }

  /** One timer that looks at the time when it rings, not one for each change. */
  storeSoon(): void {
    if (this.#timer.isSet) return;
    this.#timer.set(QUIET_MS, () => {
      if (this.#since === undefined) return;
      const now = performance.now();
      const isDue = now - this.#drewAt >= QUIET_MS * 0.9 || now - this.#since >= LATEST_MS;
      if (isDue) this.#store();
      else this.storeSoon();
    });
  }

  /** It is being stored. */
  clear(): void {
    this.#since = undefined;
    this.#timer.clear();
  }

  [Symbol.dispose](): void {
    this.#timer[Symbol.dispose]();
  }
}
