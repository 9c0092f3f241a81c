import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { Ear, linkContract } from "./link.contract.ts";
import { memoryLink, memoryWire } from "./memory.ts";

linkContract("memory", () => ({
  ends: memoryLink({ maxFrameBytes: 65_535 }),
  maxFrameBytes: 65_535,
  dispose() {},
}));

describe("a memory wire", () => {
  it("holds frames until it is pumped", () => {
    const wire = memoryWire();
    const ear = new Ear(wire.ends[1]);
    for (const byte of [1, 2, 3]) wire.ends[0].send(Uint8Array.of(byte));
    assert.equal(wire.waiting, 3);
    wire.pump(2);
    assert.deepEqual(ear.frames.map(String), ["1", "2"]);
    assert.equal(wire.ends[0].buffered, 1);
  });

  it("loses what is on it when it is cut", async () => {
    const wire = memoryWire();
    const ears = wire.ends.map((end) => new Ear(end));
    wire.ends[0].send(Uint8Array.of(1));
    wire.cut();
    for (const ear of ears) {
      await ear.until(({ ends }) => ends.length === 1);
      assert.equal(ear.ends[0]?.kind, "cut");
      assert.equal(ear.frames.length, 0);
    }
  });

  it("changes frames as it is told", async () => {
    const [a, b] = memoryLink({
      tamper: (frame, from, index) => (from === 0 && index === 1 ? [frame, frame] : [frame]),
    });
    const ear = new Ear(b);
    for (const byte of [1, 2, 3]) a.send(Uint8Array.of(byte));
    await ear.until(({ frames }) => frames.length === 4);
    assert.deepEqual(ear.frames.map(String), ["1", "2", "2", "3"]);
  });
});
