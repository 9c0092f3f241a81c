/** Offers, whatever is done with them and however the clock goes: each is used at most once, and never when it is over. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, it } from "node:test";
import fc from "fast-check";
import { CallError } from "@flybridge/protocol/error.ts";
import type { DeviceId } from "@flybridge/protocol/ids.ts";
import { MAX_OFFER_MS, MAX_OPEN_OFFERS, OFFER_MS } from "@flybridge/protocol/limits.ts";
import { makeOffers, type Offer } from "./offers.ts";

const RUNS = 500;
const GIVERS = ["a", "b"].map((letter) => letter.repeat(43) as DeviceId);
const START = 1_760_000_000_000;

/** What the model knows of one that was made: it lives by the clock at each look, and until somebody ends it. */
interface Known {
  readonly offer: Offer;
  isOver: boolean;
}

const life = fc.option(fc.integer({ min: 1_000, max: 2 * MAX_OFFER_MS }), { nil: undefined });
const step = fc.oneof(
  fc.record({ kind: fc.constant("make" as const), by: fc.constantFrom(...GIVERS), life }),
  fc.record({ kind: fc.constant("use" as const), which: fc.nat() }),
  fc.record({ kind: fc.constant("ask" as const), which: fc.nat() }),
  fc.record({ kind: fc.constant("withdraw" as const), which: fc.nat() }),
  fc.record({ kind: fc.constant("giver is gone" as const), by: fc.constantFrom(...GIVERS) }),
  fc.record({ kind: fc.constant("time" as const), by: fc.integer({ min: -OFFER_MS / 2, max: OFFER_MS }) }),
  fc.record({ kind: fc.constant("a stranger's id" as const) }),
);

describe("offers", () => {
  it("are used at most once, never late, never once they were withdrawn or their giver is gone, and else always", () => {
    const property = fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const clock = { now: START };
      const offers = makeOffers({ now: () => clock.now, random: (bytes) => new Uint8Array(randomBytes(bytes)) });
      const made: Known[] = [];
      const pick = (which: number): Known | undefined => made[which % Math.max(1, made.length)];
      const end = (isIt: (offer: Offer) => boolean): void => {
        offers.withdraw(isIt);
        for (const one of made) one.isOver ||= isIt(one.offer);
      };
      for (const one of steps) {
        const open = made.filter(({ isOver }) => !isOver);
        switch (one.kind) {
          case "make":
            if (open.length < MAX_OPEN_OFFERS)
              made.push({ offer: offers.make({ kind: "owner" }, one.by, one.life), isOver: false });
            else assert.throws(() => offers.make({ kind: "owner" }, one.by, one.life), CallError);
            break;
          case "use": {
            const known = pick(one.which);
            const used = known && offers.consume(known.offer.id);
            assert.deepEqual(used, known?.isOver === false ? known.offer : undefined);
            if (known) known.isOver = true;
            break;
          }
          case "ask": {
            const known = pick(one.which);
            assert.deepEqual(known && offers.get(known.offer.id), known?.isOver === false ? known.offer : undefined);
            break;
          }
          case "withdraw": {
            const known = pick(one.which);
            end((offer) => offer === known?.offer);
            break;
          }
          case "giver is gone":
            end(({ by }) => by === one.by);
            break;
          case "time":
            clock.now += one.by;
            for (const known of made) known.isOver ||= clock.now < known.offer.made || clock.now >= known.offer.expires;
            break;
          case "a stranger's id":
            assert.equal(offers.consume(new Uint8Array(randomBytes(8))), undefined);
        }
        // Each step looks at the clock, so that one that was over and is not again stays over.
        assert.deepEqual(
          offers.list(),
          made.filter(({ isOver }) => !isOver).map(({ offer }) => offer),
        );
        for (const { offer } of made) assert.ok(offer.expires - offer.made <= MAX_OFFER_MS);
      }
    });
    fc.assert(property, { numRuns: RUNS });
  });
});
