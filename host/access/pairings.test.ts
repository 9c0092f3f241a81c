import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, it } from "node:test";
import { CallError } from "@flybridge/protocol/error.ts";
import type { FeedFact } from "@flybridge/protocol/feed.ts";
import type { DeviceId } from "@flybridge/protocol/ids.ts";
import { CONFIRM_MS } from "@flybridge/protocol/limits.ts";
import type { Occurrence } from "./audit.ts";
import { makePairings } from "./pairings.ts";

const OWNER = "o".repeat(43) as DeviceId;
const introduction = { name: "A phone", kind: "phone" } as const;

function world() {
  const facts: FeedFact[] = [];
  const noted: Occurrence[] = [];
  const timers: (() => void)[] = [];
  const pairings = makePairings({
    publish: (fact) => facts.push(fact),
    note: (what) => noted.push(what),
    now: () => 1_000,
    random: (bytes) => new Uint8Array(randomBytes(bytes)),
    after(milliseconds, work) {
      assert.equal(milliseconds, CONFIRM_MS);
      timers.push(work);
      return { [Symbol.dispose]: () => void timers.splice(timers.indexOf(work), 1) };
    },
  });
  const gone = new AbortController();
  const ask = (digits = "012345") => pairings.ask({ introduction, way: "tls", digits, gone: gone.signal });
  return { facts, noted, timers, pairings, gone, ask };
}

describe("a device that waits to be confirmed", () => {
  it("[E09] is shown without its digits, and let in by them", async () => {
    const { pairings, ask, facts, noted, timers } = world();
    const isIn = ask();
    const [pairing] = pairings.list();
    assert.ok(pairing);
    assert.deepEqual(pairing, {
      pairing: pairing.pairing,
      ...introduction,
      way: "tls",
      asked: 1_000,
      expires: 1_000 + CONFIRM_MS,
    });
    assert.ok(!JSON.stringify([facts, noted]).includes("012345"));
    pairings.confirm(pairing.pairing, "012345", OWNER);
    assert.equal(await isIn, true);
    assert.deepEqual(pairings.list(), []);
    assert.deepEqual(timers, []);
    assert.deepEqual(
      facts.map(({ kind }) => kind),
      ["pairing", "pairing.gone"],
    );
  });

  it("[E09] has one attempt: other digits turn it away, and then the right ones let nobody in", async () => {
    const { pairings, ask, noted } = world();
    const isIn = ask();
    const id = pairings.list()[0]?.pairing ?? "";
    const confirm = (digits: string) => () => pairings.confirm(id, digits, OWNER);
    assert.throws(confirm("012346"), (error) => error instanceof CallError && error.code === "bad_answer");
    assert.throws(confirm("012345"), (error) => error instanceof CallError && error.code === "not_found");
    assert.equal(await isIn, false);
    assert.deepEqual(noted.at(-1), { event: "pairing.refused", by: OWNER, detail: "phone A phone, by tls" });
  });

  it("[E09] is turned away by a person, by time, and by its own leaving: nobody's word is no", async () => {
    for (const [how, end, event] of [
      [
        "refused",
        (one: ReturnType<typeof world>) => one.pairings.refuse(one.pairings.list()[0]?.pairing ?? "", OWNER),
        "pairing.refused",
      ],
      ["late", (one: ReturnType<typeof world>) => one.timers[0]?.(), "pairing.expired"],
      ["gone", (one: ReturnType<typeof world>) => one.gone.abort(), "pairing.expired"],
    ] as const) {
      const one = world();
      const isIn = one.ask();
      end(one);
      assert.equal(await isIn, false, how);
      assert.equal(one.noted.at(-1)?.event, event, how);
      assert.deepEqual(one.pairings.list(), [], how);
    }
  });

  it("does not take another's digits, and is one of few", async () => {
    const { pairings, ask } = world();
    const waiting = Array.from({ length: 8 }, (_, at) => ask(`00000${at}`));
    assert.equal(await ask(), false, "more than a person can tell apart");
    const [first, second] = pairings.list();
    assert.throws(() => pairings.confirm(first?.pairing ?? "", "000001", OWNER), { code: "bad_answer" });
    pairings.confirm(second?.pairing ?? "", "000001", OWNER);
    assert.deepEqual([await waiting[0], await waiting[1]], [false, true]);
  });
});
