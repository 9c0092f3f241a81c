/** Ends a host (SIGKILL) at moments that a seed chooses, and starts it again; the seed replays them. */
import type { Moment } from "./returning.ts";
import type { World } from "./world.ts";

/** A host dies when this has happened so many times. */
export interface KillPoint {
  readonly moment: Moment | "call";
  readonly count: number;
}

/** How often each moment comes in the story that is played. */
export type Counts = Readonly<Record<KillPoint["moment"], number>>;

/** Numbers from 0 to 1 that a seed repeats (mulberry32). */
export function chance(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function pointsFrom(seed: number, kills: number, counts: Counts): KillPoint[] {
  const next = chance(seed);
  const moments = Object.keys(counts) as KillPoint["moment"][];
  return Array.from({ length: kills }, () => {
    const moment = moments[Math.floor(next() * moments.length)] ?? "entry";
    return { moment, count: 1 + Math.floor(next() * counts[moment]) };
  });
}

export class Kills {
  /** What happened so far. */
  readonly counts: Record<KillPoint["moment"], number> = { entry: 0, delta: 0, intent: 0, reply: 0, call: 0 };
  /** Points at which the host was ended, in order. */
  readonly done: KillPoint[] = [];
  readonly #world: World;
  #waiting: readonly KillPoint[];
  #up: Promise<void> = Promise.resolve();
  #down = false;

  constructor(world: World, points: readonly KillPoint[]) {
    this.#world = world;
    this.#waiting = points;
  }

  /** True when that was a moment to end the host, which is done. */
  readonly happened = (moment: KillPoint["moment"]): boolean => {
    this.counts[moment] += 1;
    return this.#strike();
  };

  /** Resolves when a host is up. */
  readonly up = (): Promise<void> => this.#up;

  /** Nothing is killed any more; resolves when a host is up. A world must not be taken down while one is being started. */
  async end(): Promise<void> {
    this.#waiting = [];
    await this.#up;
  }

  /** What never came to its moment is done now, one after the other. */
  async rest(): Promise<void> {
    while (this.#waiting.length > 0 || this.#down) {
      const [point] = this.#waiting;
      if (!this.#down && point) this.#kill(point);
      await this.#up;
    }
  }

  /** One at a time: what is due while the host is down ends the next one as soon as something happens there. */
  #strike(): boolean {
    if (this.#down) return false;
    const due = this.#waiting.find(({ moment, count }) => this.counts[moment] >= count);
    if (due) this.#kill(due);
    return due !== undefined;
  }

  #kill(point: KillPoint): void {
    this.#waiting = this.#waiting.filter((one) => one !== point);
    this.done.push(point);
    // The signal is sent before this call returns: the host does not come to its next step.
    void this.reviveAfter(this.#world.kill());
  }

  /** For whoever ends the host by other means: once `dead` resolves it is started again; devices wait for that. */
  reviveAfter(dead: Promise<unknown>): Promise<void> {
    this.#down = true;
    this.#up = dead
      .then(() => this.#world.kill())
      .then(() => this.#world.restart())
      .finally(() => {
        this.#down = false;
      });
    // Those who wait for it hear of a failure.
    this.#up.catch(() => undefined);
    return this.#up;
  }
}
