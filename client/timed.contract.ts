/** A test's hand on the clock: time goes on until something has come of what is awaited. */
import assert from "node:assert/strict";
import type { FakeClock } from "@flybridge/transport/fake-clock.ts";

/**
 * Milliseconds of the fake clock between looks: short beside every limit and what a ping has to be answered in. There are
 * many, for what is loaded meanwhile takes real time.
 */
const LOOK_MS = 20;
const MOST_LOOKS = 200_000;

export class Timed {
  readonly clock: FakeClock;

  constructor(clock: FakeClock) {
    this.clock = clock;
  }

  async pass(ms: number): Promise<void> {
    for (const end = this.clock.now() + ms; this.clock.now() < end;) await this.clock.turn(LOOK_MS);
  }

  async until(what: string, met: () => boolean): Promise<void> {
    for (let look = 0; look < MOST_LOOKS; look++) {
      if (met()) return;
      await this.clock.turn(LOOK_MS);
    }
    assert.fail(`never: ${what}`);
  }

  /** What a promise comes to, while time goes on. */
  async outcome<T>(promise: Promise<T>): Promise<T> {
    let done = false;
    const end = (): void => {
      done = true;
    };
    promise.then(end, end);
    await this.until("an outcome", () => done);
    return promise;
  }
}
