/** One thing that is to happen later: set again it begins anew, and once it has rung it is not set. */
import type { Surroundings } from "./surroundings.ts";

export class Timer implements Disposable {
  readonly #around: Pick<Surroundings, "after">;
  #pending: Disposable | undefined;

  constructor(around: Pick<Surroundings, "after">) {
    this.#around = around;
  }

  get isSet(): boolean {
    return this.#pending !== undefined;
  }

  set(milliseconds: number, work: () => void): void {
    this.clear();
    this.#pending = this.#around.after(milliseconds, () => {
      this.#pending = undefined;
      work();
    });
  }

  clear(): void {
    this.#pending?.[Symbol.dispose]();
    this.#pending = undefined;
  }

  [Symbol.dispose](): void {
    this.clear();
  }
}
