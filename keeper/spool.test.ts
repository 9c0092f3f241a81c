import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { Spool } from "./spool.ts";
import { MEMORY_MAX_BYTES } from "./wire.ts";

const folder = mkdtempSync(join(tmpdir(), "spool-"));
const LIMIT_BYTES = 512 * 1024;
after(() => rmSync(folder, { recursive: true, force: true }));

describe("a spool", () => {
  it("gives back what was put in, at any offset, through memory and a file that wraps around", () => {
    using spool = new Spool(folder, LIMIT_BYTES);
    const random = seeded(20_261_120);
    let start = 0;
    let end = 0;
    // 40 MB through a file of some 5 MB.
    while (end < 40_000_000) {
      while (!spool.full) {
        const size = 1 + Math.floor(random() ** 4 * 70_000);
        spool.append(pattern(end, size));
        end += size;
      }
      for (let reads = 0; reads < 5; reads++) {
        const from = start + Math.floor(random() * (end - start));
        const got = spool.read(from, 1 + Math.floor(random() * 100_000));
        assert.ok(got.byteLength > 0);
        assert.ok(got.equals(pattern(from, got.byteLength)), `at ${from}`);
      }
      start += 1 + Math.floor(random() * (end - start));
      spool.forget(start);
      assert.equal(spool.start, start);
      assert.equal(spool.end, end);
    }
    spool.forget(end);
    assert.equal(spool.read(end, 1).byteLength, 0);
  });

  it("is full at its bound, takes a last chunk all the same, and has room again when bytes are forgotten", () => {
    using spool = new Spool(folder, LIMIT_BYTES);
    while (!spool.full) spool.append(pattern(spool.end, 64 * 1024));
    assert.equal(spool.end, LIMIT_BYTES);
    spool.append(pattern(spool.end, 64 * 1024));
    assert.ok(spool.read(LIMIT_BYTES, 64 * 1024).equals(pattern(LIMIT_BYTES, 64 * 1024)));
    spool.forget(64 * 1024);
    assert.ok(spool.full);
    spool.forget(64 * 1024 + 1);
    assert.ok(!spool.full);
  });

  it("leaves no file behind, not even while it is in use", () => {
    using spool = new Spool(folder, LIMIT_BYTES);
    while (!spool.full) spool.append(pattern(spool.end, 64 * 1024));
    assert.deepEqual(readdirSync(folder), []);
  });

  it("says it is full when the disk refuses, loses nothing, and goes on when the disk does", () => {
    const later = join(folder, "not-yet-there");
    using spool = new Spool(later, LIMIT_BYTES);
    while (!spool.full) spool.append(pattern(spool.end, 10_000));
    const { end } = spool;
    assert.ok(end > MEMORY_MAX_BYTES - 20_000 && end < MEMORY_MAX_BYTES + 20_000);
    assert.ok(spool.read(0, end).equals(pattern(0, end)));
    mkdirSync(later);
    spool.forget(1);
    assert.ok(!spool.full);
    assert.ok(spool.read(1, end - 1).equals(pattern(1, end - 1)));
  });

  it("counts what small chunks cost", () => {
    using spool = new Spool(join(folder, "never-there"), LIMIT_BYTES);
    while (!spool.full) spool.append(pattern(spool.end, 1));
    assert.ok(spool.end < MEMORY_MAX_BYTES / 100);
  });
});

/** Bytes of an endless stream in which no two places look alike. */
function pattern(from: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  for (let index = 0; index < length; index++) {
    const at = from + index;
    bytes[index] = (at ^ (at >>> 7) ^ (at >>> 13) ^ (at >>> 19)) & 255;
  }
  return bytes;
}

/** mulberry32 */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
