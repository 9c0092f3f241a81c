/** When to connect again: full jitter, and at once when the network or the page comes back. */
import type { Clock } from "./clock.ts";

export const FIRST_DELAY_MS = 500;
const DELAY_FACTOR = 1.5;
export const LONGEST_DELAY_MS = 30_000;
/** The same in the first minutes, when what went away is most often on its way back. */
export const LONGEST_EARLY_DELAY_MS = 1_500;
/** The same where a relay is there and its host is not yet. */
export const LONGEST_SOON_DELAY_MS = 1_000;
export const EARLY_MS = 2 * 60_000;
/** A connection that held so long counts as good: the next delay starts small again. One that is accepted and ends at
 * once does not, or a host that falls over at every device would be hit twice a second by all of them. */
export const STEADY_MS = 5_000;

/**
 * Milliseconds before try `failures + 1`, `downMs` after it was up last, for a `chance` from 0 to below 1. All of the delay
 * is chance, so that a thousand devices that lost one relay do not come back together.
 */
export function retryDelayMs(failures: number, downMs: number, chance: number, isSoon = false): number {
  const early = isSoon ? LONGEST_SOON_DELAY_MS : LONGEST_EARLY_DELAY_MS;
  return chance * Math.min(downMs < EARLY_MS ? early : LONGEST_DELAY_MS, FIRST_DELAY_MS * DELAY_FACTOR ** failures);
}

export interface DialOptions {
  /**
   * One connection from its dialling to its end; `up` is called once when it stands. Resolves with whether another is
   * wanted: "soon" where what was reached waits for the other side as well, "stop" after a refusal, which no repetition
   * mends. A rejection ends the dialling with that error.
   */
  attempt(up: () => void, signal: AbortSignal): Promise<"again" | "soon" | "stop">;
  /** From 0 to below 1. */
  chance(): number;
  /** A wait begins: milliseconds until the next attempt, for the screen. */
  waiting?(ms: number): void;
  readonly clock: Clock;
}

export interface Dial {
  /** The network or the page came back: a wait ends now. While an attempt runs, the next one will not wait. */
  wake(): void;
  /** Aborts the attempt or the wait. */
  stop(): void;
  readonly done: Promise<void>;
}

/** Starts at once. */
export function dial(options: DialOptions): Dial {
  const stopping = new AbortController();
  let woken = false;
  let endWait: (() => void) | undefined;

  async function run(): Promise<void> {
    let failures = 0;
    let downAt = options.clock.now();
    while (!stopping.signal.aborted) {
      woken = false;
      let upAt: number | undefined;
      const verdict = await options.attempt(() => {
        upAt = options.clock.now();
      }, stopping.signal);
      if (verdict === "stop") return;
      const now = options.clock.now();
      if (upAt !== undefined && now - upAt >= STEADY_MS) {
        failures = 0;
        downAt = now;
      }
      const delay = retryDelayMs(failures, now - downAt, options.chance(), verdict === "soon");
      failures++;
      if (woken || stopping.signal.aborted) continue;
      options.waiting?.(delay);
      await wait(delay);
    }
  }

  function wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const stopTimer = options.clock.setTimer(ms, resolve);
      endWait = () => {
        stopTimer();
        resolve();
      };
    });
  }

  return {
    wake() {
      woken = true;
      endWait?.();
    },
    stop() {
      stopping.abort();
      endWait?.();
    },
    done: run(),
  };
}
