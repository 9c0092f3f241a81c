/** A clock that a test turns by hand. */
import type { Clock } from "./clock.ts";

export interface FakeClock extends Clock {
  /** Lets so many milliseconds pass, ringing what falls due, in order, with the promises between. */
  turn(ms: number): Promise<void>;
  readonly timers: number;
}

export function fakeClock(): FakeClock {
  let now = 0;
  const timers = new Set<{ readonly at: number; readonly ring: () => void }>();
  const settle = () => new Promise<void>((resolve) => setImmediate(resolve));
  return {
    now: () => now,
    setTimer(ms, ring) {
      const timer = { at: now + ms, ring };
      timers.add(timer);
      return () => {
        timers.delete(timer);
      };
    },
    async turn(ms) {
      const end = now + ms;
      await settle();
      for (;;) {
        const [next] = [...timers].filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at);
        if (!next) break;
        timers.delete(next);
        now = Math.max(now, next.at);
        next.ring();
        await settle();
      }
      now = end;
    },
    get timers() {
      return timers.size;
    },
  };
}
