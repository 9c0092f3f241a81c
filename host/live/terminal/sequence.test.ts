import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Sequence } from "./sequence.ts";

/** Streams that are whole at their end, of each kind of sequence there is. */
const WHOLE = [
  "plain text\r\n",
  "\u001b[31mred\u001b[0m",
  "\u001b[?1049h\u001b[2J\u001b[1;1H",
  "\u001b]0;a title\u0007after",
  "\u001b]8;;https://example.org\u001b\\link\u001b]8;;\u001b\\",
  "\u001bPq#0;2;0;0;0~~@@\u001b\\x",
  "\u001b_a program's own\u001b\\",
  "\u001b(0lqqk\u001b(B",
  "\u001b7\u001b8\u001bc",
  "\u001b]0;given up\u0018still text",
  "\u009b31m8-bit \u009d0;t\u009c done",
  "é ü 漢字 🚀 e\u0301",
  "\u00a0no break\u00a0",
  "\u001b[38;2;1;2;3m\u001b[",
].map((text) => Buffer.from(text));

describe("a sequence", () => {
  it("is whole at the end of what is whole, however it is cut", () => {
    for (const stream of WHOLE.slice(0, -1)) {
      for (let cut = 0; cut <= stream.length; cut++) {
        const sequence = new Sequence();
        sequence.push(stream.subarray(0, cut));
        sequence.push(stream.subarray(cut));
        assert.equal(sequence.unfinished.length, 0, `${JSON.stringify(stream.toString())} cut at ${cut}`);
      }
      const bytewise = new Sequence();
      for (const byte of stream) bytewise.push(Buffer.from([byte]));
      assert.equal(bytewise.unfinished.length, 0);
    }
  });

  it("holds exactly what is open", () => {
    for (const [text, open] of [
      ["text\u001b", "\u001b"],
      ["a\u001b[38;5", "\u001b[38;5"],
      ["a\u001b]0;tit", "\u001b]0;tit"],
      ["\u001b[0m\u001b]8;;http://x\u001b", "\u001b"],
      ["\u001bPq~~\u0007 BEL ends no picture", "\u001bPq~~\u0007 BEL ends no picture"],
      ["\u009b31", "\u009b31"],
      ["\u001b[31m\u001b(", "\u001b("],
    ] as const) {
      const sequence = new Sequence();
      sequence.push(Buffer.from(text));
      assert.equal(sequence.unfinished.toString(), open, JSON.stringify(text));
    }
    const partial = new Sequence();
    partial.push(Buffer.from("ok 🚀").subarray(0, -2));
    assert.deepEqual([...partial.unfinished], [0xf0, 0x9f]);
  });

  it("is bounded, and ends all the same", () => {
    const sequence = new Sequence();
    sequence.push(Buffer.from("\u001b]0;"));
    for (let at = 0; at < 100; at++) sequence.push(Buffer.alloc(64 * 1024, "x"));
    assert.equal(sequence.unfinished.toString(), "\u001b]");
    sequence.push(Buffer.from("\u0007"));
    assert.equal(sequence.unfinished.length, 0);
  });

  it("takes any bytes", () => {
    const sequence = new Sequence();
    for (let seed = 1; seed < 3_000; seed++) {
      sequence.push(Buffer.from(Array.from({ length: seed % 17 }, (_, at) => (seed * 7919 + at * 104_729) % 256)));
      assert.ok(sequence.unfinished.length <= 4096);
    }
  });
});
