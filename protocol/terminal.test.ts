import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { SessionId } from "./ids.ts";
import { MAX_COLUMNS, MAX_ROWS } from "./limits.ts";
import { decodeFrame, encodeFrame, type Frame } from "./terminal.ts";

const SESSION = "01980000-0000-7000-8000-0000000000aa" as SessionId;
const PLAIN = { noNullPrototype: true } as const;
const size = fc.record(
  { cols: fc.integer({ min: 1, max: MAX_COLUMNS }), rows: fc.integer({ min: 1, max: MAX_ROWS }) },
  PLAIN,
);
const offset = fc.integer({ min: 0, max: 2 ** 48 - 1 });
const bytes = fc.uint8Array({ maxLength: 300 });
const frames: fc.Arbitrary<Frame> = fc.oneof(
  fc.record({ kind: fc.constant("snapshot" as const), offset, size, bytes }, PLAIN),
  fc.record({ kind: fc.constant("output" as const), offset, bytes }, PLAIN),
  fc.record({ kind: fc.constant("size" as const), size, whose: fc.constantFrom("nobody", "this", "other") }, PLAIN),
  fc.constant({ kind: "ended" as const }),
);

describe("frames of a terminal", () => {
  it("come out as they went in", () => {
    fc.assert(
      fc.property(frames, (frame) => {
        assert.deepEqual(decodeFrame(encodeFrame(SESSION, frame)), { session: SESSION, frame });
      }),
    );
  });

  it("are laid out as written", () => {
    const { buffer } = encodeFrame(SESSION, { kind: "output", offset: 2 ** 32 + 5, bytes: Uint8Array.of(0x68, 0x69) });
    assert.equal(
      Buffer.from(buffer as ArrayBuffer).toString("hex"),
      "02019800000000700080000000000000aa0001000000056869",
    );
  });

  it("of a kind that only a newer host knows are passed over", () => {
    const frame = encodeFrame(SESSION, { kind: "ended" });
    frame[0] = 77;
    assert.deepEqual(decodeFrame(frame), { session: SESSION, frame: undefined });
  });

  it("throw RangeError, and nothing else, for bytes that are none", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (garbage) => {
        try {
          decodeFrame(garbage);
        } catch (error) {
          assert.ok(error instanceof RangeError, String(error));
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
