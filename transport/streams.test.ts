import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { deflateRawSync, inflateRawSync } from "node:zlib";
import fc from "fast-check";

import type { Inflate } from "./deflate.ts";
import { FLAG_DEFLATED, FLAG_LAST, FrameError, type Frame } from "./frames.ts";
import { Incoming } from "./incoming.ts";
import { webInflate } from "./inflate-web.ts";
import { Outgoing } from "./outgoing.ts";
import { MAX_MESSAGE_BYTES, queueBytes, Streams, UNFINISHED_BYTES, windowBytes } from "./streams.ts";

const syncInflate: Inflate = (bytes, maxBytes) => new Uint8Array(inflateRawSync(bytes, { maxOutputLength: maxBytes }));
const filled = (length: number, byte = 1) => new Uint8Array(length).fill(byte);

interface Heard {
  readonly stream: number;
  readonly length: number;
  readonly first: number | undefined;
}

function listener(inflate?: Inflate, use?: (stream: number) => Promise<void> | undefined) {
  const heard: Heard[] = [];
  const failures: FrameError[] = [];
  const incoming = new Incoming(
    {
      message(stream, bytes) {
        heard.push({ stream, length: bytes.length, first: bytes[0] });
        return use?.(stream);
      },
      owes() {},
      failed(error) {
        failures.push(error);
      },
    },
    inflate,
  );
  return { incoming, heard, failures };
}

/** Carries one record's frames over, and the credit back. False when nothing moved. */
function carry(outgoing: Outgoing, incoming: Incoming): boolean {
  const frames = outgoing.take(0);
  for (const frame of frames) incoming.accept(frame);
  const owed = incoming.owed();
  for (const { stream, bytes } of owed) outgoing.grant(stream, bytes);
  return frames.length + owed.length > 0;
}

describe("streams", () => {
  it("deliver every message whole and in order within its stream", () => {
    const anyMessage = fc.record({
      stream: fc.integer({ min: 1, max: 31 }),
      length: fc.oneof(fc.integer({ min: 0, max: 50 }), fc.integer({ min: 0, max: 90_000 })),
    });
    fc.assert(
      fc.property(fc.array(anyMessage, { maxLength: 30 }), fc.boolean(), (messages, deflated) => {
        const outgoing = new Outgoing(deflated ? deflateRawSync : undefined);
        const { incoming, heard } = listener(syncInflate);
        const sent = messages.map(({ stream, length }, index) => ({
          stream,
          length,
          first: length > 0 ? index : undefined,
        }));
        for (const { stream, length, first } of sent) assert.ok(outgoing.send(stream, filled(length, first)));
        while (carry(outgoing, incoming));
        for (let stream = 1; stream < 32; stream++)
          assert.deepEqual(
            heard.filter((message) => message.stream === stream),
            sent.filter((message) => message.stream === stream),
          );
      }),
      { numRuns: 60 },
    );
  });

  it("let a call sent after 4 MB of bulk arrive before it", () => {
    const outgoing = new Outgoing();
    const { incoming, heard } = listener();
    outgoing.send(Streams.bulk, filled(4_000_000));
    carry(outgoing, incoming);
    outgoing.send(Streams.calls, filled(100));
    carry(outgoing, incoming);
    assert.deepEqual(heard, [{ stream: Streams.calls, length: 100, first: 1 }]);
    while (carry(outgoing, incoming));
    assert.deepEqual(heard[1], { stream: Streams.bulk, length: 4_000_000, first: 1 });
  });

  it("rank calls before asks before entries before terminal before bulk", () => {
    const outgoing = new Outgoing();
    for (const stream of [5, 4, 3, 2, 1]) outgoing.send(stream, filled(10));
    assert.deepEqual(
      outgoing.take(0).map(({ stream }) => stream),
      [1, 2, 3, 4, 5],
    );
  });

  it("stop when nobody reads, hold up no other stream, and go on with the credit that comes back", async () => {
    const outgoing = new Outgoing();
    let read = () => {};
    const reading = new Promise<void>((resolve) => {
      read = resolve;
    });
    const { incoming, heard } = listener(undefined, (stream) => (stream === Streams.terminal ? reading : undefined));
    let sent = 0;
    while (outgoing.send(Streams.terminal, filled(1_000))) sent++;
    while (carry(outgoing, incoming));
    const onTheWay = sent * 1_004 - outgoing.queued(Streams.terminal);
    assert.ok(onTheWay <= windowBytes(Streams.terminal), `${onTheWay} bytes unread`);
    assert.ok(onTheWay > windowBytes(Streams.terminal) - 2_008, `${onTheWay} bytes unread`);
    outgoing.send(Streams.asks, filled(5));
    carry(outgoing, incoming);
    assert.equal(heard.at(-1)?.stream, Streams.asks);
    read();
    await reading;
    while (carry(outgoing, incoming)) await reading;
    assert.equal(outgoing.queued(Streams.terminal), 0);
    assert.equal(heard.length, sent + 1);
  });

  it("refuse what would fill the queue, and say when it is short again", () => {
    const outgoing = new Outgoing();
    let sent = 0;
    while (outgoing.send(Streams.entries, filled(10_000))) sent++;
    assert.ok(outgoing.queued(Streams.entries) > queueBytes(Streams.entries));
    assert.ok(outgoing.queued(Streams.entries) < queueBytes(Streams.entries) + 10_100);
    assert.deepEqual(outgoing.drained(), []);
    const { incoming, heard } = listener();
    let drains = 0;
    while (carry(outgoing, incoming)) drains += outgoing.drained().length;
    assert.equal(drains, 1);
    assert.equal(heard.length, sent);
    assert.equal(outgoing.queued(Streams.entries), 0);
  });

  it("count empty messages, so that they cannot be sent without end", () => {
    const outgoing = new Outgoing();
    let sent = 0;
    while (outgoing.send(Streams.asks, filled(0))) sent++;
    assert.ok(sent <= queueBytes(Streams.asks) / 4 + 1);
  });

  it("take 8 MiB and not a byte more", () => {
    const outgoing = new Outgoing();
    const { incoming, heard } = listener();
    assert.throws(() => outgoing.send(Streams.bulk, filled(MAX_MESSAGE_BYTES + 1)), RangeError);
    assert.throws(() => outgoing.send(0, filled(1)), RangeError);
    assert.throws(() => outgoing.send(32, filled(1)), RangeError);
    assert.ok(outgoing.send(Streams.bulk, filled(MAX_MESSAGE_BYTES)));
    while (carry(outgoing, incoming));
    assert.equal(heard[0]?.length, MAX_MESSAGE_BYTES);
  });

  it("let eight messages of 8 MiB on eight streams all arrive, within the bound of unfinished ones", () => {
    const outgoing = new Outgoing();
    const { incoming, heard } = listener();
    for (let stream = 10; stream < 18; stream++) outgoing.send(stream, filled(MAX_MESSAGE_BYTES));
    while (carry(outgoing, incoming));
    assert.equal(heard.length, 8);
  });
});

describe("a peer that cheats", () => {
  const piece = (stream: number, length: number, flags = 0): Frame => ({ stream, flags, data: filled(length) });

  it("is found when it sends without credit", () => {
    const { incoming } = listener(undefined, () => new Promise(() => {}));
    // The window takes eight such pieces with their headers, and not a ninth.
    for (let count = 0; count < 8; count++) incoming.accept(piece(Streams.terminal, 16_000, FLAG_LAST));
    assert.throws(() => {
      incoming.accept(piece(Streams.terminal, 16_000, FLAG_LAST));
    }, /no credit/u);
  });

  it("is found when it grants credit that was not used", () => {
    assert.throws(() => new Outgoing().grant(4, 1), FrameError);
    assert.throws(() => new Outgoing().grant(0, 1), FrameError);
  });

  it("is found when a message grows over 8 MiB, or many unfinished ones together", () => {
    const one = listener().incoming;
    const grow = (incoming: Incoming, stream: number, bytes: number) => {
      for (let sent = 0; sent < bytes; sent += 16_000) {
        incoming.accept(piece(stream, 16_000));
        incoming.owed();
      }
    };
    assert.throws(() => {
      grow(one, 5, MAX_MESSAGE_BYTES + 16_000);
    }, /over the limit/u);
    const many = listener().incoming;
    assert.throws(() => {
      for (let stream = 5; stream < 15; stream++) grow(many, stream, UNFINISHED_BYTES / 8);
    }, /unfinished/u);
  });

  it("is found by empty pieces, late flags, and messages on the pipe's own stream", () => {
    assert.throws(() => listener().incoming.accept(piece(5, 0)), FrameError);
    assert.throws(() => listener().incoming.accept(piece(0, 1, FLAG_LAST)), FrameError);
    const { incoming } = listener(syncInflate);
    incoming.accept(piece(5, 10));
    assert.throws(() => incoming.accept(piece(5, 10, FLAG_DEFLATED)), FrameError);
    incoming.accept(piece(5, 10, FLAG_LAST));
  });

  it("delivers nothing more after it was found", () => {
    const { incoming, heard } = listener();
    assert.throws(() => incoming.accept(piece(5, 0)), FrameError);
    incoming.accept(piece(1, 5, FLAG_LAST));
    assert.equal(heard.length, 0);
  });
});

describe("deflated messages", () => {
  for (const [name, inflate] of [
    ["at once", syncInflate],
    ["later", webInflate],
  ] as const) {
    const settle = async (heard: readonly unknown[], count: number) => {
      while (heard.length < count) await new Promise((resolve) => setImmediate(resolve));
    };

    it(`keep their place in the stream, and hold up no other (inflated ${name})`, async () => {
      const outgoing = new Outgoing(deflateRawSync);
      const { incoming, heard } = listener(inflate);
      for (const length of [50_000, 10, 60_000, 20]) outgoing.send(Streams.entries, filled(length));
      outgoing.send(Streams.bulk, filled(30));
      while (carry(outgoing, incoming));
      await settle(heard, 5);
      assert.deepEqual(
        heard.filter(({ stream }) => stream === Streams.entries).map(({ length }) => length),
        [50_000, 10, 60_000, 20],
      );
      if (name === "later") assert.equal(heard[0]?.stream, Streams.bulk);
    });

    it(`end the pipe when they are bombs, cut, garbage or have a tail (inflated ${name})`, async () => {
      const bomb = deflateRawSync(new Uint8Array(MAX_MESSAGE_BYTES + 1));
      const good = deflateRawSync(filled(2_000));
      for (const data of [
        bomb,
        good.subarray(0, -1),
        filled(40, 0xff),
        ...(name === "later" ? [joined(good, filled(9))] : []),
      ]) {
        const { incoming, heard, failures } = listener(inflate);
        try {
          incoming.accept({ stream: 3, flags: FLAG_LAST | FLAG_DEFLATED, data });
          await settle(failures, 1);
        } catch (error) {
          assert.ok(error instanceof FrameError);
        }
        assert.equal(heard.length, 0);
      }
    });
  }

  it("are smaller on the way, and left alone when they would not be", () => {
    const outgoing = new Outgoing(deflateRawSync);
    outgoing.send(Streams.entries, filled(100_000));
    assert.ok(outgoing.queued(Streams.entries) < 1_000);
    const noise = crypto.getRandomValues(new Uint8Array(4_000));
    outgoing.send(Streams.bulk, noise);
    assert.equal(outgoing.queued(Streams.bulk), 4_004);
    outgoing.send(Streams.terminal, filled(4_000));
    assert.equal(outgoing.queued(Streams.terminal), 4_004);
  });

  it("are refused when nobody agreed to inflate", () => {
    assert.throws(
      () =>
        listener().incoming.accept({ stream: 3, flags: FLAG_LAST | FLAG_DEFLATED, data: deflateRawSync(filled(10)) }),
      FrameError,
    );
  });
});

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  return Uint8Array.of(...a, ...b);
}
