import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type Line, Lines, MAX_LINE_BYTES } from "./lines.ts";

const encoder = new TextEncoder();
const START = 1_000;

/** All of `bytes`, given in pieces that end at `cuts`, as one output that begins at START. */
function heard(bytes: Uint8Array, cuts: readonly number[]): Line[] {
  const lines = new Lines(START);
  const ends = [...new Set([...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length])].sort((a, b) => a - b);
  let from = 0;
  const found: Line[] = [];
  for (const to of ends) {
    const piece = bytes.slice(from, to);
    found.push(...lines.push(START + from, piece));
    // What was heard is kept by nobody else: the piece's memory is the socket's.
    piece.fill(0x21);
    from = to;
  }
  assert.equal(lines.next, START + bytes.length);
  const rest = lines.rest();
  return rest ? [...found, rest] : found;
}

describe("lines of an output", () => {
  it("are the same wherever the output is cut, each with where it begins and ends", () => {
    const text = fc
      .array(fc.constantFrom("\n", "a", "é", "😀", "\r", "{}", "", "\u0000"), { maxLength: 60 })
      .map((parts) => parts.join(""));
    fc.assert(
      fc.property(text, fc.array(fc.nat(), { maxLength: 20 }), (output, cuts) => {
        const bytes = encoder.encode(output);
        const wanted = output.split("\n");
        if (wanted.at(-1) === "") wanted.pop();
        const found = heard(bytes, cuts);
        assert.deepEqual(
          found.map((line) => line.text),
          wanted,
        );
        let at = START;
        for (const line of found) {
          assert.equal(line.start, at);
          at = line.end;
        }
        assert.equal(at, START + bytes.length);
      }),
    );
  });

  it("go on from any line's end after a crash, as if nothing had been", () => {
    const bytes = encoder.encode("one\ntwo\n\nthree\nfour");
    const whole = heard(bytes, []);
    for (const [at, line] of whole.entries()) {
      const again = new Lines(line.end);
      const after = [...again.push(line.end, bytes.slice(line.end - START))];
      const rest = again.rest();
      assert.deepEqual(rest ? [...after, rest] : after, whole.slice(at + 1));
    }
  });

  it("pass over what was seen already", () => {
    const lines = new Lines(0);
    assert.deepEqual(
      [...lines.push(0, encoder.encode("one\ntw"))].map(({ text }) => text),
      ["one"],
    );
    assert.deepEqual([...lines.push(0, encoder.encode("one\n"))], []);
    assert.deepEqual(
      [...lines.push(0, encoder.encode("one\ntwo\nth"))].map(({ text }) => text),
      ["two"],
    );
    assert.deepEqual(
      [...lines.push(2, encoder.encode("e\ntwo\nthree\n"))].map(({ text }) => text),
      ["three"],
    );
    assert.equal(lines.next, 14);
  });

  it("refuse a gap, and take what belongs there afterwards", () => {
    const lines = new Lines(0);
    assert.deepEqual([...lines.push(0, encoder.encode("on"))], []);
    assert.throws(() => [...lines.push(3, encoder.encode("x"))], RangeError);
    assert.deepEqual([...lines.push(2, encoder.encode("e\n"))], [{ start: 0, end: 4, text: "one" }]);
  });

  it("that are too long are skipped, and the next one is heard", () => {
    const chunk = new Uint8Array(1024 * 1024).fill(0x61);
    const lines = new Lines(0);
    let at = 0;
    const push = (bytes: Uint8Array) => {
      const found = [...lines.push(at, bytes)];
      at += bytes.length;
      return found;
    };
    for (let held = 0; held < MAX_LINE_BYTES; held += chunk.length) assert.deepEqual(push(chunk), []);
    const [whole] = push(encoder.encode("\n"));
    assert.equal(whole?.text?.length, MAX_LINE_BYTES, "exactly the limit is a line");
    const beginning = at;
    for (let held = 0; held < 2 * MAX_LINE_BYTES; held += chunk.length) push(chunk);
    assert.deepEqual(push(encoder.encode("\nnext\n")), [
      { start: beginning, end: beginning + 2 * MAX_LINE_BYTES + 1, text: undefined },
      { start: beginning + 2 * MAX_LINE_BYTES + 1, end: at, text: "next" },
    ]);
  });

  it("that are not UTF-8 are lines still", () => {
    assert.deepEqual(
      [...new Lines(0).push(0, Uint8Array.of(0xff, 0x41, 0x0a))].map(({ text }) => text),
      ["\ufffdA"],
    );
  });

  it("have no rest after a newline", () => {
    const lines = new Lines(5);
    assert.equal(lines.rest(), undefined);
    assert.equal([...lines.push(5, encoder.encode("a\nb"))].length, 1);
    assert.deepEqual(lines.rest(), { start: 7, end: 8, text: "b" });
    assert.equal(lines.rest(), undefined);
  });
});
