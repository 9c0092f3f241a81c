import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import fc from "fast-check";
import type { FeedEntry, FeedFact } from "@flybridge/protocol/feed.ts";
import type { DeviceId } from "@flybridge/protocol/ids.ts";
import { openStore } from "../machine/store/store.ts";
import { makeFeed } from "./feed.ts";

const root = mkdtempSync(join(tmpdir(), "flybridge-feed-"));
const stores: Disposable[] = [];
after(() => {
  for (const store of stores) store[Symbol.dispose]();
  rmSync(root, { recursive: true, force: true });
});

const gone = (n: number): FeedFact => ({ kind: "device.gone", device: String(n).padStart(43, "0") as DeviceId });

function world() {
  const store = openStore(join(root, `${stores.length}.db`));
  stores.push({ [Symbol.dispose]: () => store.close() });
  const feed = makeFeed(store.feed);
  const put = (n: number) => store.feed.put(gone(n));
  /** A follower that fails at whatever is repeated or out of order. */
  const follow = (from: number) => {
    const device = { room: Number.POSITIVE_INFINITY, seen: [] as number[], about: new Set<string>() };
    const take = (facts: readonly FeedEntry[]) => {
      for (const { seq, fact } of facts) {
        assert.ok(seq > (device.seen.at(-1) ?? from), `${seq} after ${device.seen.at(-1)}`);
        device.seen.push(seq);
        device.about.add(JSON.stringify(fact));
      }
    };
    const { answer, following } = feed.follow(from, {
      ready: () => device.room > 0,
      facts(facts) {
        assert.ok(device.room > 0 && facts.length > 0);
        device.room -= 1;
        take(facts);
      },
    });
    take(answer.facts);
    return { device, answer, following };
  };
  return { store, feed, put, follow };
}

describe("the feed's followers", () => {
  it("get what holds, then what is new", () => {
    const { feed, put, follow } = world();
    put(1);
    put(2);
    const { device, answer } = follow(0);
    assert.deepEqual([device.seen, answer.last], [[1, 2], 2]);
    feed.published([put(3)]);
    assert.deepEqual(device.seen, [1, 2, 3]);
    assert.deepEqual(follow(2).answer, { facts: [{ seq: 3, fact: gone(3) }], last: 3 });
    assert.deepEqual(follow(3).answer, { facts: [], last: 3 });
  });

  it("that are slow get what they missed at once, newest fact about each thing only", () => {
    const { feed, put, follow } = world();
    const { device, following } = follow(0);
    device.room = 0;
    for (let at = 0; at < 50; at++) feed.published([put(at % 3)]);
    following.pump();
    assert.deepEqual(device.seen, []);
    device.room = 1;
    following.pump();
    assert.deepEqual(device.seen, [48, 49, 50]);
    following.pump();
    assert.deepEqual(device.seen, [48, 49, 50]);
  });

  it("are not confused by facts that are published later than newer ones, or not at all", () => {
    const { feed, put, follow } = world();
    const { device } = follow(0);
    const first = put(1);
    const second = put(2);
    feed.published([second]);
    feed.published([first]);
    feed.published([]);
    feed.published([put(3)]);
    assert.deepEqual(device.seen, [1, 2, 3]);
  });

  it("that know more than the host, because it was put back to a backup, get everything", () => {
    const { store, put } = world();
    put(1);
    const { answer } = makeFeed(store.feed).follow(100, { ready: () => true, facts: () => {} });
    assert.deepEqual(answer, { facts: [{ seq: 1, fact: gone(1) }], last: 1 });
  });

  it("get nothing once they are gone", () => {
    const { feed, put, follow } = world();
    const { device, following } = follow(0);
    following[Symbol.dispose]();
    feed.published([put(1)]);
    assert.deepEqual(device.seen, []);
  });

  it("end up with the newest of everything, each once and in order, however they read", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat({ max: 5 }), fc.nat({ max: 3 })), { maxLength: 40 }), (events) => {
        const { feed, put, follow, store } = world();
        const { device, following } = follow(0);
        let unpublished: FeedEntry[] = [];
        for (const [event, amount] of events) {
          if (event <= 2) unpublished.push(put(amount));
          else if (event === 3) device.room = amount;
          else if (event === 4) following.pump();
          else {
            feed.published(unpublished);
            unpublished = [];
          }
        }
        device.room = Number.POSITIVE_INFINITY;
        following.pump();
        assert.equal(device.seen.at(-1) ?? 0, store.feed.last());
        for (const { fact } of store.feed.after(0)) assert.ok(device.about.has(JSON.stringify(fact)));
      }),
      { numRuns: 30 },
    );
  });
});
