/** The agent that watches a session's programs: what it remembers, how far it was told, and its look at the present one. */
import type { Entry } from "@flybridge/protocol/entry.ts";
import type { ScreenAgent, Signal } from "../../agents/screen-agent.ts";
import { type Around, Looking } from "./looking.ts";

export class Watch implements Disposable {
  readonly #agent: ScreenAgent;
  readonly #around: Omit<Around, "watcher">;
  #memory: unknown;
  #acted: number;
  #looking: Looking | undefined;

  constructor(agent: ScreenAgent, acted: number, around: Omit<Around, "watcher">) {
    this.#agent = agent;
    this.#acted = acted;
    this.#around = around;
  }

  get memory(): unknown {
    return this.#memory;
  }

  /** The last entry of a device's that the agent was told of. */
  get acted(): number {
    return this.#acted;
  }

  /** Signals of the present program that it was told of. */
  get heard(): number {
    return this.#looking?.heard ?? 0;
  }

  /** Another program, of which it is told what comes after `acted`. */
  begin(memory: unknown, acted: number): void {
    this.#acted = acted;
    this.resume(memory, 0);
  }

  /** The same program. */
  resume(memory: unknown, heard: number): void {
    this.#memory = memory;
    this.end();
    this.#looking = new Looking({ ...this.#around, watcher: this.#agent.watch(memory) }, heard);
  }

  /** Of what a device caused, once. */
  tell(entry: Entry): void {
    if (!this.#looking || entry.seq <= this.#acted) return;
    this.#acted = entry.seq;
    this.#looking.act(entry);
  }

  signal(number: number, signal: Signal): void {
    this.#looking?.signal(number, signal);
  }

  drew(): void {
    this.#looking?.drew();
  }

  look(): void {
    this.#looking?.look();
  }

  end(): void {
    this.#looking?.[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    this.end();
  }
}
