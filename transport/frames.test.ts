import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";

import { decodeControl, encodeControl } from "./control.ts";
import {
  CHUNK_BYTES,
  FLAG_LAST,
  FrameError,
  MAX_PLAINTEXT_BYTES,
  packRecord,
  paddedBytes,
  RECORD_ROOM_BYTES,
  unpackRecord,
  type Frame,
} from "./frames.ts";

const frame = (stream: number, length: number): Frame => ({
  stream,
  flags: FLAG_LAST,
  data: new Uint8Array(length).fill(7),
});

describe("records", () => {
  it("give back the frames that were packed", () => {
    const anyFrame = fc.record(
      {
        stream: fc.integer({ min: 0, max: 31 }),
        flags: fc.integer({ min: 0, max: 3 }),
        data: fc.uint8Array({ maxLength: 3_000 }),
      },
      { noNullPrototype: true },
    );
    fc.assert(
      fc.property(fc.array(anyFrame, { maxLength: 12 }), (frames) => {
        assert.deepEqual(unpackRecord(packRecord(frames)), frames);
      }),
    );
  });

  it("come in few sizes: 256, doubling to 16,384, then multiples of 4,096, up to one that fits its tag", () => {
    assert.equal(paddedBytes(0), 256);
    assert.equal(paddedBytes(254), 256);
    assert.equal(paddedBytes(255), 512);
    assert.equal(paddedBytes(16_382), 16_384);
    assert.equal(paddedBytes(16_383), 20_480);
    assert.equal(paddedBytes(RECORD_ROOM_BYTES), MAX_PLAINTEXT_BYTES);
    assert.ok(MAX_PLAINTEXT_BYTES + 16 <= 65_535);
    const sizes = new Set(Array.from({ length: RECORD_ROOM_BYTES + 1 }, (_, bytes) => paddedBytes(bytes)));
    assert.equal(sizes.size, 7 + 11);
  });

  it("hide whether the answer was yes or no", () => {
    assert.equal(packRecord([frame(2, 1)]).length, packRecord([frame(2, 200)]).length);
  });

  it("are refused whole when anything in them is not as it must be", () => {
    const good = packRecord([frame(1, 10)]);
    const changed = (at: number, value: number) => {
      const bad = good.slice();
      bad[at] = value;
      return bad;
    };
    const bad: Record<string, Uint8Array> = {
      "too short": good.subarray(0, 255),
      "wrong bucket": new Uint8Array(512).fill(0),
      "no bucket": new Uint8Array(300),
      "half a header": changed(1, 13),
      "stream 32": changed(2, 32),
      "unknown flag": changed(3, 4),
      "longer than its record": changed(5, 11),
      "a chunk too large": packRecord([{ stream: 1, flags: 0, data: new Uint8Array(CHUNK_BYTES + 1) }]),
      "padding that speaks": changed(200, 1),
      "length that leads past the end": changed(0, 0xff),
    };
    assert.equal(unpackRecord(good).length, 1);
    for (const [why, record] of Object.entries(bad)) assert.throws(() => unpackRecord(record), FrameError, why);
  });

  it("of any bytes throw FrameError or parse, and nothing else", () => {
    const sized = fc.constantFrom(256, 512, 1024).chain((size) => fc.uint8Array({ minLength: size, maxLength: size }));
    fc.assert(
      fc.property(fc.oneof(sized, fc.uint8Array({ maxLength: 400 })), (record) => {
        try {
          unpackRecord(record);
        } catch (error) {
          assert.ok(error instanceof FrameError);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe("control frames", () => {
  it("give back what was said", () => {
    for (const control of [
      { kind: "ready" },
      { kind: "credit", stream: 31, bytes: 0xffff_ffff },
      { kind: "ping", number: 0x8000_0001 },
      { kind: "pong", number: 0 },
      { kind: "bye", reason: "grüße" },
    ] as const)
      assert.deepEqual(decodeControl(encodeControl(control)), control);
  });

  it("cut a long goodbye between characters", () => {
    const said = decodeControl(encodeControl({ kind: "bye", reason: `x${"ü".repeat(200)}` }));
    assert.deepEqual(said, { kind: "bye", reason: `x${"ü".repeat(59)}` });
  });

  it("of any bytes throw FrameError or parse, and nothing else", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 130 }), (data) => {
        try {
          decodeControl(data);
        } catch (error) {
          assert.ok(error instanceof FrameError);
        }
      }),
      { numRuns: 500 },
    );
  });
});
