/** Time as this folder may use it: passed in, so that a test turns it by hand. */

export interface Clock {
  /** Milliseconds that never go back. */
  now(): number;
  /** Calls `ring` once after `ms`. The answer stops it; stopping twice, or after it rang, is harmless. */
  setTimer(ms: number, ring: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  setTimer(ms, ring) {
    const timer = setTimeout(ring, ms);
    return () => {
      clearTimeout(timer);
    };
  },
};
