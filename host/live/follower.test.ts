import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { Delta, Entry, Fact } from "@flybridge/protocol/entry.ts";
import type { ItemId } from "@flybridge/protocol/ids.ts";
import type { Item } from "@flybridge/protocol/item.ts";
import { Bodies } from "./bodies.ts";
import { Follower } from "./follower.ts";

const PAGE = 3;
const words = (id: string, body = ""): Item => ({ item: id as ItemId, body, at: 0, kind: "words" });

/** A session's side: entries that are stored, and what streams. */
class Session {
  readonly entries: Entry[] = [];
  readonly bodies = new Bodies();
  readonly open = new Set<ItemId>();
  reads = 0;
  /** Written, and not stored yet: what streams runs ahead of it. */
  #written: Fact[] = [];

  write(...facts: Fact[]): void {
    this.#written.push(...facts);
  }
  store(...facts: Fact[]): void {
    const written = [...this.#written, ...facts];
    this.#written = [];
    for (const fact of written) {
      this.entries.push({ seq: this.entries.length + 1, at: 0, fact });
      if (fact.kind === "item.began") this.open.add(fact.item.item);
      if (fact.kind === "item.completed") this.open.delete(fact.item.item);
    }
  }
  begin(id: string): void {
    this.bodies.begin(words(id));
    this.store({ kind: "item.began", item: words(id) });
  }
  complete(id: string): void {
    const body = this.bodies.textOf(id as ItemId);
    this.bodies.end(id as ItemId);
    this.store({ kind: "item.completed", item: words(id, body) });
  }
  get last(): number {
    return this.entries.length;
  }
  read(from: number): readonly Entry[] {
    this.reads += 1;
    return this.entries.slice(from - 1, from - 1 + PAGE);
  }
  *streams(): Generator<{ item: ItemId; length: number }> {
    for (const item of this.open) yield { item, length: this.bodies.lengthOf(item) };
  }
  textFrom(item: ItemId, offset: number): string {
    return this.bodies.textFrom(item, offset);
  }
}

/** A device's side: folds what it is given, and fails at whatever is missed or repeated. */
class Device {
  readonly seqs: number[] = [];
  readonly texts = new Map<ItemId, string>();
  /** What it takes now: entries and deltas, counted by the call. */
  room = Number.POSITIVE_INFINITY;
  calls = 0;
  goneFor: string | undefined;

  constructor(after = 0) {
    this.seqs.push(after);
  }
  ready(): boolean {
    return this.room > 0;
  }
  entries(entries: readonly Entry[]): void {
    this.#take();
    assert.ok(entries.length > 0, "no empty batches");
    for (const { seq, fact } of entries) {
      assert.equal(seq, (this.seqs.at(-1) ?? 0) + 1, "contiguous, each once");
      this.seqs.push(seq);
      if (fact.kind === "item.began") this.texts.set(fact.item.item, fact.item.body);
      else if (fact.kind === "item.grew") {
        const text = this.texts.get(fact.item);
        if (text === undefined) continue;
        assert.ok(fact.offset <= text.length, "a checkpoint leaves no hole");
        assert.ok(
          (text.slice(0, fact.offset) + fact.text).startsWith(text) ||
            text.startsWith(text.slice(0, fact.offset) + fact.text),
        );
        if (fact.offset + fact.text.length > text.length)
          this.texts.set(fact.item, text.slice(0, fact.offset) + fact.text);
      } else if (fact.kind === "item.completed") this.texts.delete(fact.item.item);
    }
  }
  delta({ item, offset, text }: Delta): void {
    this.#take();
    const known = this.texts.get(item);
    assert.ok(known !== undefined, "a delta of an item that is open here");
    assert.equal(offset, known.length, "deltas go on where the text ends");
    assert.notEqual(text, "");
    this.texts.set(item, known + text);
  }
  gone(reason: string): void {
    this.goneFor = reason;
  }
  #take(): void {
    assert.ok(this.ready(), "nothing is given to who is not ready");
    this.room -= 1;
    this.calls += 1;
  }
}

describe("a follower", () => {
  it("gives entries in pages, in order, from where the device is", () => {
    const session = new Session();
    session.store(...Array.from({ length: 8 }, (): Fact => ({ kind: "notice", level: "info", text: "x" })));
    const device = new Device(2);
    const follower = new Follower(session, device, 2, []);
    follower.pump();
    assert.deepEqual(device.seqs, [2, 3, 4, 5, 6, 7, 8]);
    assert.equal(device.calls, 2);
    follower.pump();
    assert.equal(device.calls, 2);
  });

  it("reads nothing for a device that does not read, and holds nothing for it but a number", () => {
    const session = new Session();
    const device = new Device();
    device.room = 1;
    const follower = new Follower(session, device, 0, []);
    session.store({ kind: "notice", level: "info", text: "x" });
    follower.pump();
    const reads = session.reads;
    for (let at = 0; at < 1000; at++) {
      session.store({ kind: "notice", level: "info", text: "x" });
      follower.pump();
    }
    assert.equal(session.reads, reads);
    device.room = Number.POSITIVE_INFINITY;
    follower.pump();
    assert.equal(device.seqs.at(-1), 1001);
  });

  it("gives a slow device the newest text at once, not every step to it", () => {
    const session = new Session();
    const device = new Device();
    session.begin("i");
    const follower = new Follower(session, device, 0, []);
    follower.pump();
    device.room = 0;
    for (let at = 0; at < 100; at++) {
      session.bodies.grow("i" as ItemId, `${at} `);
      follower.pump();
    }
    device.room = 1;
    follower.pump();
    assert.equal(device.calls, 2);
    assert.equal(device.texts.get("i" as ItemId), session.bodies.textOf("i" as ItemId));
  });

  it("streams an item that began before, when it is told how much of it the device has", () => {
    const session = new Session();
    session.begin("i");
    session.bodies.grow("i" as ItemId, "abc");
    session.store(...session.bodies.checkpoint());
    session.bodies.grow("i" as ItemId, "def");
    const device = new Device(2);
    device.texts.set("i" as ItemId, "abc");
    new Follower(session, device, 2, [["i" as ItemId, 3]]).pump();
    assert.equal(device.texts.get("i" as ItemId), "abcdef");
  });

  it("says no text of an item before the entry that begins it, nor after the one that completes it", () => {
    const session = new Session();
    const device = new Device();
    const follower = new Follower(session, device, 0, []);
    session.bodies.begin(words("i"));
    session.bodies.grow("i" as ItemId, "early");
    session.open.add("i" as ItemId);
    follower.pump();
    assert.equal(device.calls, 0);
    session.store({ kind: "item.began", item: words("i") });
    follower.pump();
    assert.equal(device.texts.get("i" as ItemId), "early");
    session.complete("i");
    session.open.add("i" as ItemId);
    follower.pump();
    assert.equal(device.texts.size, 0);
  });

  it("passes on that the session is gone", () => {
    const device = new Device();
    new Follower(new Session(), device, 0, []).gone("removed");
    assert.equal(device.goneFor, "removed");
  });

  it("misses nothing and repeats nothing, however the device reads and whatever happens meanwhile", () => {
    const steps = fc.array(fc.tuple(fc.nat({ max: 11 }), fc.nat({ max: 4 })), { maxLength: 120, size: "max" });
    fc.assert(
      fc.property(steps, (events) => {
        const session = new Session();
        const device = new Device();
        const follower = new Follower(session, device, 0, []);
        let count = 0;
        for (const [event, amount] of events) {
          const [some] = [...session.open].slice(amount % Math.max(1, session.open.size));
          if (event === 0) session.begin(`i${count++}`);
          else if (event <= 3 && some !== undefined) session.bodies.grow(some, `${count++} `.repeat(amount + 1));
          else if (event === 4) session.write(...session.bodies.checkpoint());
          else if (event === 5 && some !== undefined) session.complete(some);
          else if (event === 6) session.store({ kind: "notice", level: "info", text: "x" });
          else if (event === 7) device.room = amount;
          else if (event === 8) session.store();
          else follower.pump();
        }
        session.store();
        device.room = Number.POSITIVE_INFINITY;
        follower.pump();
        assert.equal(device.seqs.at(-1), session.last);
        for (const item of session.open) assert.equal(device.texts.get(item), session.bodies.textOf(item));
        assert.deepEqual(new Set(device.texts.keys()), session.open);
      }),
      { numRuns: 500 },
    );
  });

  it("goes on from any number, with the text that has streamed since, as a session begins it", () => {
    const session = new Session();
    for (const id of ["i", "j", "k"]) {
      session.begin(id);
      session.bodies.grow(id as ItemId, `${id}1 `);
      session.store(...session.bodies.checkpoint());
      session.bodies.grow(id as ItemId, `${id}2 `);
    }
    session.store(...session.bodies.checkpoint());
    session.complete("j");
    const journaled = folded(session.entries).texts;
    session.bodies.grow("i" as ItemId, "live");
    session.bodies.grow("k" as ItemId, "live");
    for (let cursor = 0; cursor <= session.last; cursor++) {
      const device = folded(session.entries.slice(0, cursor));
      const given = [...journaled].map(([item, text]) => [item, text.length] as const);
      new Follower(session, device, cursor, given).pump();
      assert.equal(device.seqs.at(-1), session.last);
      assert.deepEqual(Object.fromEntries(device.texts), { i: "i1 i2 live", k: "k1 k2 live" }, `from ${cursor}`);
    }
  });
});

/** A device that has these entries and nothing that only streamed. */
function folded(entries: readonly Entry[]): Device {
  const device = new Device();
  if (entries.length > 0) device.entries(entries);
  return device;
}
