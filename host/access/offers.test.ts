import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, it } from "node:test";
import { CallError } from "@flybridge/protocol/error.ts";
import type { DeviceId } from "@flybridge/protocol/ids.ts";
import { MAX_OFFER_MS, MAX_OPEN_OFFERS, OFFER_MS } from "@flybridge/protocol/limits.ts";
import { toBase64Url } from "@flybridge/protocol/offer.ts";
import { makeOffers, type Offer } from "./offers.ts";

const owner = { kind: "owner" } as const;
const by = "d".repeat(43) as DeviceId;
const is = (id: Uint8Array) => (offer: Offer) => offer.id === id;
const START = 1_760_000_000_000;

function world() {
  const clock = { now: START };
  const offers = makeOffers({ now: () => clock.now, random: (bytes) => new Uint8Array(randomBytes(bytes)) });
  return { clock, offers };
}

describe("an offer", () => {
  it("[A37] has 32 secret bytes of its own, a thousand times", () => {
    const { offers } = world();
    const made = Array.from({ length: 1000 }, () => {
      const offer = offers.make(owner, by);
      offers.withdraw(is(offer.id));
      return offer;
    });
    for (const { id, secret } of made) assert.deepEqual([id.length, secret.length], [8, 32]);
    assert.equal(new Set(made.map(({ secret }) => toBase64Url(secret))).size, 1000);
    assert.equal(new Set(made.map(({ id }) => toBase64Url(id))).size, 1000);
  });

  it("is used by one of a thousand that come at once, with the grant it was made for", async () => {
    const { offers } = world();
    const grant = {
      kind: "session",
      session: "01980000-0000-7000-8000-0000000000aa" as never,
      verbs: ["read"],
      until: START,
      by,
    } as const;
    const { id } = offers.make({ ...grant, verbs: ["read"] }, by);
    const won = await Promise.all(
      Array.from({ length: 1000 }, async () => Promise.resolve().then(() => offers.consume(id))),
    );
    const winners = won.filter((offer) => offer !== undefined);
    assert.equal(winners.length, 1);
    assert.deepEqual(winners[0]?.grant, grant);
    assert.equal(offers.get(id)?.secret, undefined);
  });

  it("shows its secret without being used up: who asks has proven nothing yet", () => {
    const { offers } = world();
    const { id, secret } = offers.make(owner, by);
    for (let at = 0; at < 3; at++) assert.equal(offers.get(id)?.secret, secret);
    assert.equal(offers.consume(id)?.secret, secret);
  });

  it("lives five minutes unless it says otherwise, ten at most, to the millisecond", () => {
    const { clock, offers } = world();
    const lives: [number | undefined, number][] = [
      [undefined, OFFER_MS],
      [1_000, 1_000],
      [10 * MAX_OFFER_MS, MAX_OFFER_MS],
    ];
    for (const [life, wanted] of lives) {
      clock.now = START;
      const { id, expires } = offers.make(owner, by, life);
      assert.equal(expires, START + wanted);
      clock.now = expires - 1;
      assert.ok(offers.get(id)?.secret);
      clock.now = expires;
      assert.equal(offers.get(id)?.secret, undefined);
      assert.equal(offers.consume(id), undefined);
    }
  });

  it("is ended by a clock that jumps, forward beyond its end or back to before its beginning, and stays ended", () => {
    for (const jump of [OFFER_MS + 1, 365 * 24 * 3_600_000, -1, -3_600_000]) {
      const { clock, offers } = world();
      const { id } = offers.make(owner, by);
      clock.now = START + jump;
      assert.equal(offers.get(id)?.secret, undefined, `${jump}`);
      clock.now = START;
      assert.equal(offers.consume(id), undefined, `${jump}, and back`);
    }
  });

  it("is one of three at most; what is used, late or withdrawn makes room", () => {
    const { clock, offers } = world();
    const open = Array.from({ length: MAX_OPEN_OFFERS }, () => offers.make(owner, by)) as [Offer, Offer, Offer];
    const full = () =>
      assert.throws(
        () => offers.make(owner, by),
        (error) => error instanceof CallError && error.code === "too_many",
      );
    full();
    offers.consume(open[0].id);
    offers.make(owner, by);
    full();
    offers.withdraw(is(open[1].id));
    offers.make(owner, by);
    full();
    clock.now += OFFER_MS;
    for (let at = 0; at < MAX_OPEN_OFFERS; at++) offers.make(owner, by);
    full();
  });

  it("that is used, late, withdrawn, unknown or no id at all is the same nothing", () => {
    const { clock, offers } = world();
    const [used, late, withdrawn] = [offers.make(owner, by), offers.make(owner, by, 1_000), offers.make(owner, by)];
    offers.consume(used.id);
    offers.withdraw(is(withdrawn.id));
    offers.withdraw(is(withdrawn.id));
    offers.withdraw(() => false);
    clock.now += 1_000;
    for (const id of [used.id, late.id, withdrawn.id, new Uint8Array(8), new Uint8Array(0), new Uint8Array(9)]) {
      assert.equal(offers.get(id)?.secret, undefined);
      assert.equal(offers.consume(id), undefined);
    }
  });
});
