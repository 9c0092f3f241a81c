import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { fakeClock } from "./fake-clock.ts";
import { ANSWER_MS, DEAD_MS, Heartbeat } from "./heartbeat.ts";

function beating(paceMs?: number) {
  const clock = fakeClock();
  const pings: number[] = [];
  const deaths: number[] = [];
  const heartbeat = new Heartbeat(
    clock,
    { ping: () => void pings.push(clock.now()), dead: () => void deaths.push(clock.now()) },
    paceMs,
  );
  heartbeat.begin();
  return { clock, heartbeat, pings, deaths };
}

describe("a heartbeat", () => {
  it("asks at its pace, and gives up when a ping is not answered in time, or nothing has come for long", async () => {
    const asking = beating(15_000);
    await asking.clock.turn(DEAD_MS);
    assert.deepEqual([asking.pings, asking.deaths], [[15_000], [15_000 + ANSWER_MS]]);
    const listening = beating();
    await listening.clock.turn(DEAD_MS);
    assert.deepEqual([listening.pings, listening.deaths], [[], [DEAD_MS]]);
    assert.equal(asking.clock.timers + listening.clock.timers, 0);
  });

  it("has less patience when it is told so, and its own again", async () => {
    const { clock, heartbeat, pings, deaths } = beating(30_000);
    await clock.turn(29_000);
    heartbeat.pace(1_000, 2_000);
    await clock.turn(500);
    assert.deepEqual(pings, [29_000], "it asks at once");
    heartbeat.heard();
    await clock.turn(1_000);
    assert.deepEqual(pings, [29_000, 30_000]);
    heartbeat.pace(30_000);
    await clock.turn(5_000);
    assert.deepEqual(deaths, []);
    heartbeat.heard();
    heartbeat.pace(1_000, 2_000);
    await clock.turn(3_000);
    assert.deepEqual(deaths, [37_500]);
  });

  it("has its patience again for a ping that it sends when it becomes impatient", async () => {
    const { clock, heartbeat, pings, deaths } = beating(5_000);
    await clock.turn(5_400);
    heartbeat.pace(1_000, 2_000);
    await clock.turn(1_900);
    assert.deepEqual([pings.slice(0, 2), deaths], [[5_000, 5_400], []]);
    await clock.turn(1_000);
    assert.deepEqual(deaths, [7_400]);
  });
});
