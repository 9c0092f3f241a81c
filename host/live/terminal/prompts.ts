/** Prompts on their way to the program in a terminal: one while it is at rest, those that steer at once. */
import type { PromptId } from "@flybridge/protocol/ids.ts";
import type { Ledger } from "../ledger.ts";
import type { Canvas } from "./canvas.ts";
import type { Keyboard } from "./keyboard.ts";

export class Prompts {
  readonly #ledger: Ledger;
  readonly #canvas: Canvas;
  readonly #keyboard: Keyboard;
  readonly #taken: (prompt: PromptId) => void;
  readonly #handed = new Set<PromptId>();

  /** `taken` is told of each that the keeper has. */
  constructor(ledger: Ledger, canvas: Canvas, keyboard: Keyboard, taken: (prompt: PromptId) => void) {
    this.#ledger = ledger;
    this.#canvas = canvas;
    this.#keyboard = keyboard;
    this.#taken = taken;
  }

  /** Types those that wait and may be typed now. */
  deliver(): void {
    const open = new Set(this.#ledger.written.prompts.map(({ prompt }) => prompt));
    for (const waiting of this.#ledger.stored.prompts) {
      if (this.#handed.has(waiting.prompt) || !open.has(waiting.prompt)) continue;
      const isBusy = this.#ledger.written.running !== undefined || this.#handed.size > 0;
      if (isBusy && waiting.delivery === "queue") continue;
      const entry = this.#ledger.entry(waiting.seq);
      if (entry?.fact.kind !== "prompt.accepted") continue;
      this.#handed.add(waiting.prompt);
      this.#type(waiting.prompt, entry.fact.text);
    }
  }

  /** The program is gone. */
  clear(): void {
    this.#handed.clear();
  }

  #type(prompt: PromptId, text: string): void {
    const { drawing } = this.#canvas;
    drawing?.drawAll();
    this.#keyboard.prompt(prompt, text, drawing?.takesBrackets === true, (taken) => {
      this.#handed.delete(prompt);
      if (taken) this.#taken(prompt);
    });
  }
}
