/** How a process is ended, and all it started: it is asked to, and when it has not after a while, it is made to. */
import type { Child } from "./child.ts";
import type { Surroundings } from "./surroundings.ts";
import { Timer } from "./timer.ts";

/** Between asking and making. */
const GRACE_MS = 3_000;

export class Stop implements Disposable {
  readonly #timer: Timer;

  constructor(around: Pick<Surroundings, "after">) {
    this.#timer = new Timer(around);
  }

  begin(child: Child | undefined, signals: readonly Parameters<Child["signal"]>[0][]): void {
    if (!child) return;
    for (const signal of signals) child.signal(signal);
    this.#timer.set(GRACE_MS, () => child.signal("SIGKILL"));
  }

  /** It is gone. */
  clear(): void {
    this.#timer.clear();
  }

  [Symbol.dispose](): void {
    this.#timer[Symbol.dispose]();
  }
}
