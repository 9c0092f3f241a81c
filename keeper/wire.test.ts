import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  decodeOrder,
  decodeReport,
  encodeOrder,
  encodeReport,
  type Frame,
  FrameReader,
  type Order,
  type Report,
  WireError,
} from "./wire.ts";

const LIMIT = 1024;
const bytes = Buffer.from([0, 255, 10, 13]);
const state = {
  child: "c",
  pid: 7,
  kind: "pipes",
  exit: { code: null, signal: "SIGKILL" },
  start: 1,
  end: 2,
  errorsStart: 0,
  errorsEnd: 3,
  inputs: 4,
} as const;
const orders: readonly Order[] = [
  { type: "hello", wire: 1 },
  {
    type: "spawn",
    child: "c",
    argv: ["a", "b"],
    env: { A: "=é" },
    cwd: "/",
    terminal: { cols: 80, rows: 24 },
    umask: 18,
    spoolBytes: null,
  },
  { type: "input", child: "c", id: "i", bytes },
  { type: "endInput", child: "c", id: "i" },
  { type: "read", child: "c", from: 2 ** 50 },
  { type: "ack", child: "c", taken: 2, stored: 1 },
  { type: "resize", child: "c", cols: 1, rows: 1 },
  { type: "signal", child: "c", signal: "SIGTERM", group: true },
  { type: "forget", child: "c" },
  { type: "shutdown" },
];
const reports: readonly Report[] = [
  { type: "hello", wire: 1, pid: 1, startedAt: 2, children: [state] },
  { type: "refused", code: "wire_version", message: "m", wire: 1, pid: 1 },
  { type: "spawned", state },
  { type: "failed", order: "input", child: "c", id: null, code: "exited", message: "m" },
  { type: "output", child: "c", offset: 0, bytes },
  { type: "errors", child: "c", offset: 0, bytes },
  { type: "taken", child: "c", id: "i", inputs: 1 },
  { type: "exit", child: "c", code: 1, signal: null, end: 9, bytes },
  { type: "replaced" },
  { type: "unsupported", code: 9 },
];

describe("the keeper's wire", () => {
  it("brings every message through, however the stream is cut", () => {
    const stream = Buffer.concat([...orders.flatMap(encodeOrder), ...reports.flatMap(encodeReport)]);
    for (const size of [1, 3, 7, stream.byteLength]) {
      const reader = new FrameReader(LIMIT);
      const frames: Frame[] = [];
      for (let at = 0; at < stream.byteLength; at += size) frames.push(...reader.push(stream.subarray(at, at + size)));
      const got = frames.map((frame, index) => (index < orders.length ? decodeOrder(frame) : decodeReport(frame)));
      assert.deepEqual(got, [...orders, ...reports]);
    }
  });

  it("gives nothing for a frame that is not whole", () => {
    const stream = Buffer.concat(encodeOrder({ type: "forget", child: "c" }));
    assert.deepEqual([...new FrameReader(LIMIT).push(stream.subarray(0, -1))], []);
  });

  it("knows no code of a newer peer, and says so rather than fail", () => {
    const frame: Frame = { code: 200, head: {}, bytes: new Uint8Array(0) };
    assert.equal(decodeOrder(frame), null);
    assert.equal(decodeReport(frame), null);
  });

  it("ignores fields of a newer peer", () => {
    assert.deepEqual(decode(1, { wire: 2, features: ["x"] }), { type: "hello", wire: 2 });
  });

  it("refuses a length over the limit before the frame is there", () => {
    const reader = new FrameReader(LIMIT);
    assert.throws(() => [...reader.push(Buffer.from([0, 0, 4, 1]))], { code: "oversize" });
  });

  it("refuses what is malformed", () => {
    const malformed: Record<string, () => unknown> = {
      "a frame too short for its head": () => read([0, 0, 0, 1, 1]),
      "a head longer than its frame": () => read([0, 0, 0, 7, 1, 0, 0, 0, 3, 0x7b, 0x7d]),
      "a head that is not JSON": () => read([0, 0, 0, 7, 1, 0, 0, 0, 2, 0x7b, 0x7b]),
      "a head that is no object": () => decode(1, [1]),
      "a missing field": () => decode(5, { child: "c" }),
      "a negative offset": () => decode(5, { child: "c", from: -1 }),
      "a fraction": () => decode(5, { child: "c", from: 0.5 }),
      "an empty id": () => decode(9, { child: "" }),
      "a long id": () => decode(9, { child: "c".repeat(129) }),
      "an unknown signal": () => decode(8, { child: "c", signal: "SIGSEGV", group: true }),
      "a terminal without cells": () => decode(7, { child: "c", cols: 0, rows: 1 }),
      "no program": () => decode(2, { ...spawn, argv: [] }),
      "a NUL in an argument": () => decode(2, { ...spawn, argv: ["a\0b"] }),
      "an equals sign in a name": () => decode(2, { ...spawn, env: { "A=B": "" } }),
      "bytes where none belong": () => decodeOrder({ code: 10, head: {}, bytes }),
    };
    for (const [what, attempt] of Object.entries(malformed)) {
      assert.throws(attempt, (error) => error instanceof WireError && error.code === "malformed", what);
    }
    assert.ok(decode(2, spawn));
  });
});

const spawn = { child: "c", argv: ["a"], env: {}, cwd: "/", terminal: null, umask: null, spoolBytes: null };
const decode = (code: number, head: unknown): Order | null => decodeOrder({ code, head, bytes: new Uint8Array(0) });
const read = (frame: readonly number[]): Frame[] => [...new FrameReader(LIMIT).push(Buffer.from(frame))];
