/** What is typed to the program in a terminal, each once by its id. Who types is told whether the keeper has it. */
import type { Child } from "../child.ts";
import type { Surroundings } from "../surroundings.ts";
import { Timer } from "../timer.ts";

/** Answers to a program's queries that the keeper has not confirmed; of more, the program is to ask again. */
const MAX_ANSWERS_BYTES = 64 * 1024;
/** A program takes an Enter that comes with a paste for a part of it. */
const ENTER_AFTER_PASTE_MS = 120;

type Settled = (taken: boolean) => void;

export class Keyboard implements Disposable {
  readonly #reader: () => Child | undefined;
  /** What waits for the keeper's word. */
  readonly #typed = new Map<string, Settled[]>();
  readonly #enter: Timer;
  #answersBytes = 0;

  /** `reader`: undefined while there is no program that reads. */
  constructor(around: Pick<Surroundings, "after">, reader: () => Child | undefined) {
    this.#reader = reader;
    this.#enter = new Timer(around);
  }

  get isRead(): boolean {
    return this.#reader() !== undefined;
  }

  /** Where no program reads, nothing is typed and nobody is told. */
  type(id: string, keys: string, settled: Settled = () => {}): void {
    const child = this.#reader();
    if (!child) return;
    this.#typed.set(id, [...(this.#typed.get(id) ?? []), settled]);
    child.type(id, keys);
  }

  /** `pasted`: the program said that it wants pastes as such. */
  prompt(prompt: string, text: string, pasted: boolean, settled: Settled): void {
    const id = `p${prompt}`;
    const lines = text.replaceAll(/\r\n?|\n/gu, "\r");
    if (!pasted) return this.type(`${id}.0`, `${lines}\r`, settled);
    this.type(`${id}.0`, bracketed(lines), (taken) => {
      if (!taken) return settled(false);
      this.#enter.set(ENTER_AFTER_PASTE_MS, () => this.type(`${id}.1`, "\r", settled));
    });
  }

  /** To a query. The ids are the same when the same output is drawn again after a crash. */
  answer(number: number, text: string): void {
    if (!this.isRead || this.#answersBytes + text.length > MAX_ANSWERS_BYTES) return;
    this.#answersBytes += text.length;
    this.type(`q${number}`, text, () => {
      this.#answersBytes -= text.length;
    });
  }

  /** The keeper's word. */
  settle(id: string, taken: boolean): void {
    const waiting = this.#typed.get(id);
    this.#typed.delete(id);
    for (const told of waiting ?? []) told(taken);
  }

  /** The program is gone: what waits will never be taken. */
  release(): void {
    this.#enter.clear();
    for (const id of this.#typed.keys()) this.settle(id, false);
  }

  [Symbol.dispose](): void {
    this.#enter[Symbol.dispose]();
  }
}

/** A paste as programs want it that said so. What would end it early is left out. */
function bracketed(text: string): string {
  return `\u001b[200~${text.replaceAll("\u001b", "")}\u001b[201~`;
}
