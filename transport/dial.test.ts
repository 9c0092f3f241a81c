import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";

import {
  dial,
  EARLY_MS,
  FIRST_DELAY_MS,
  LONGEST_DELAY_MS,
  LONGEST_EARLY_DELAY_MS,
  LONGEST_SOON_DELAY_MS,
  retryDelayMs,
  STEADY_MS,
} from "./dial.ts";
import { fakeClock } from "./fake-clock.ts";

describe("the wait before dialling again", () => {
  it("is all chance, grows by half each time, and stops at a few seconds first, and at thirty later", () => {
    assert.equal(retryDelayMs(0, 0, 0), 0);
    assert.equal(retryDelayMs(0, 0, 0.5), FIRST_DELAY_MS / 2);
    assert.equal(retryDelayMs(2, 0, 0.5), (FIRST_DELAY_MS * 1.5 * 1.5) / 2);
    assert.equal(retryDelayMs(10_000, EARLY_MS - 1, 0.5), LONGEST_EARLY_DELAY_MS / 2);
    assert.equal(retryDelayMs(10_000, EARLY_MS - 1, 0.5, true), LONGEST_SOON_DELAY_MS / 2);
    assert.equal(retryDelayMs(10_000, EARLY_MS, 0.5), LONGEST_DELAY_MS / 2);
    fc.assert(
      fc.property(fc.nat(), fc.nat(), fc.double({ min: 0, max: 0.999, noNaN: true }), (failures, down, chance) => {
        const delay = retryDelayMs(failures, down, chance);
        assert.ok(delay >= 0 && delay < LONGEST_DELAY_MS);
      }),
    );
  });
});

describe("dialling", () => {
  it("starts at once, waits longer after each failure, and starts small again after a steady connection", async () => {
    const clock = fakeClock();
    const waits: number[] = [];
    let lasts = 0;
    const calling = dial({
      attempt: (up) =>
        new Promise((resolve) => {
          if (lasts === 0) resolve("again");
          else {
            up();
            clock.setTimer(lasts, () => {
              resolve("again");
            });
          }
        }),
      chance: () => 0.5,
      waiting: (ms) => void waits.push(ms),
      clock,
    });
    await clock.turn(250 + 375 + 562);
    assert.deepEqual(waits, [250, 375, 562.5]);
    lasts = STEADY_MS - 1;
    await clock.turn(1 + STEADY_MS);
    assert.equal(waits.at(-1), 750, "a connection that fell over at once counts as a failure");
    lasts = STEADY_MS;
    await clock.turn(750 + STEADY_MS);
    assert.equal(waits.at(-1), 250);
    calling.stop();
    await calling.done;
  });

  it("goes on at once when it is woken", async () => {
    const clock = fakeClock();
    let attempts = 0;
    const calling = dial({
      attempt: () => {
        attempts++;
        return Promise.resolve("again");
      },
      chance: () => 0.9,
      clock,
    });
    await clock.turn(0);
    assert.equal(attempts, 1);
    calling.wake();
    await clock.turn(0);
    assert.equal(attempts, 2);
    calling.stop();
    await calling.done;
    assert.equal(clock.timers, 0);
  });

  it("ends after a refusal, which no repetition mends", async () => {
    const clock = fakeClock();
    await dial({ attempt: () => Promise.resolve("stop"), chance: () => 0, clock }).done;
    assert.equal(clock.timers, 0);
  });

  it("ends with the error of an attempt that throws", async () => {
    const { done } = dial({ attempt: () => Promise.reject(new Error("no key")), chance: () => 0, clock: fakeClock() });
    await assert.rejects(done, /no key/u);
  });
});
