import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Drawing, type DrawingEvents } from "./drawing.ts";
import { Emulator, SCROLLBACK_LINES } from "./emulator.ts";
import { BLANK } from "./kept.ts";

const SILENT: DrawingEvents = { answer: () => {}, signal: () => {}, drew: () => {} };
const lines = (count: number, line: (at: number) => string): string =>
  Array.from({ length: count }, (_, at) => line(at)).join("");

/** Floods, of which some may be left out and some may not. */
const FLOODS: Readonly<Record<string, string>> = {
  numbers: lines(40_000, (at) => `${at}\r\n`),
  "long lines": lines(2_000, (at) => `${"a long line ".repeat(20)}${at}\r\n`),
  "tabs and blanks": lines(30_000, (at) => `\t${at % 7 === 0 ? "" : at}\tx  \r\n`),
  "a staircase": lines(30_000, (at) => `${at % 100}\n${at % 9 === 0 ? "\r\n" : ""}`),
  "no line end at all": "x".repeat(300_000),
  "colours among them": lines(20_000, (at) => (at % 5_000 === 0 ? "\u001b[31mred\u001b[0m\r\n" : `${at}\r\n`)),
  "an open sequence": `${lines(20_000, (at) => `${at}\r\n`)}\u001b[3`,
};
const BEFORE: Readonly<Record<string, string>> = {
  nothing: "",
  "some lines and a colour": "one\r\ntwo\r\n\u001b[32mgreen ",
  "a region that scrolls": "\u001b[2J\u001b[1;1Htop\u001b[3;10r\u001b[3;1H",
  "the other screen": "main\u001b[?1049h\u001b[H",
  "a sequence that is open": "x\u001b]0;never ended",
};

describe("a drawing", () => {
  for (const [before, start] of Object.entries(BEFORE))
    it(`draws of a flood what drawing all of it would, after ${before}`, () => {
      for (const [name, flood] of Object.entries(FLOODS)) {
        using drawing = new Drawing(BLANK, SILENT);
        using straight = new Emulator(BLANK.snapshot.size, { answer: () => {}, signal: () => {} });
        drawing.push(Buffer.from(start));
        drawing.drawAll();
        const bytes = Buffer.from(flood);
        for (let at = 0; at < bytes.length; at += 65_521) drawing.push(bytes.subarray(at, at + 65_521));
        drawing.drawAll();
        straight.write(Buffer.from(start));
        straight.write(bytes);
        for (const more of ["", "\r\nafter\u001b[1m!\r\n"]) {
          drawing.push(Buffer.from(more));
          drawing.drawAll();
          straight.write(Buffer.from(more));
          assert.equal(drawing.text(), straight.text(), name);
          assert.deepEqual(drawing.screen().cursor, straight.screen().cursor, name);
          assert.deepEqual(drawing.page(undefined, SCROLLBACK_LINES), straight.page(undefined, SCROLLBACK_LINES), name);
        }
        assert.equal(drawing.drawn, drawing.end);
      }
    });

  it("draws by itself, and says so; little at once, and all of much", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    using drawing: Drawing = new Drawing(BLANK, {
      ...SILENT,
      drew() {
        if (drawing.drawn === drawing.end && drawing.text().includes("the end")) resolve();
      },
    });
    for (const bytes of ["first ", lines(50_000, (at) => `\u001b[3${at % 8}m${at}\r\n`), "the end"])
      drawing.push(Buffer.from(bytes));
    await promise;
  });

  it("gives its sizes back where they were, when output is drawn again", () => {
    const output = Buffer.from("x".repeat(200));
    using first = new Drawing(BLANK, SILENT);
    first.push(output.subarray(0, 100));
    first.resize({ cols: 30, rows: 10 });
    first.push(output.subarray(100));
    first.drawAll();
    using again = new Drawing(BLANK, SILENT);
    again.resizeAt([[100, 30, 10]]);
    again.push(output);
    again.drawAll();
    assert.equal(again.text(), first.text());
    assert.deepEqual(again.size, { cols: 30, rows: 10 });
  });

  it("keeps the newest output by its offset", () => {
    using drawing = new Drawing({ ...BLANK, offset: 1_000 }, SILENT);
    const bytes = Buffer.from(Array.from({ length: 700_000 }, (_, at) => at % 251));
    for (let at = 0; at < bytes.length; at += 99_991) drawing.push(bytes.subarray(at, at + 99_991));
    const { recent } = drawing;
    assert.equal(recent.end, 701_000);
    assert.equal(recent.end - recent.start, 256 * 1024);
    let read = Buffer.alloc(0);
    for (let at = recent.start; at < recent.end;) {
      const piece = recent.read(at, 30_000);
      read = Buffer.concat([read, piece]);
      at += piece.length;
    }
    assert.ok(read.equals(bytes.subarray(bytes.length - 256 * 1024)));
    assert.throws(() => recent.read(recent.start - 1, 1), RangeError);
  });
});
