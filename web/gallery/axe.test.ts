/** Every screen, as axe sees it: nothing that somebody cannot read or reach. */
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { violations } from "./axe.contract.ts";
import { DESKTOP, makeStage, PHONE, type Stage } from "./stage.contract.ts";
import { settled, STATES } from "./states.contract.ts";

let stage: Stage;
before(async () => {
  stage = await makeStage();
});
afterEach(async () => await stage.clear());
after(async () => await stage[Symbol.asyncDispose]());

describe("every screen", () => {
  for (const state of STATES)
    it(`${state}: axe finds nothing, in light and dark, on phone and desktop`, async () => {
      for (const [options, colorScheme] of [
        [PHONE, "light"],
        [DESKTOP, "dark"],
      ] as const) {
        const { page, faults } = await stage.open(state, { ...options, colorScheme });
        await settled(page);
        assert.deepEqual(await violations(page), [], `${state} ${colorScheme}`);
        assert.deepEqual(faults, []);
      }
    });
});
