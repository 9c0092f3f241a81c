import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Signal } from "../../agents/screen-agent.ts";
import { Emulator, type EmulatorEvents, SCROLLBACK_LINES } from "./emulator.ts";

const SIZE = { cols: 80, rows: 24 };
const SILENT: EmulatorEvents = { answer: () => {}, signal: () => {} };

/** Everything a snapshot must carry, in one stream. */
const STREAM = Buffer.from(
  [
    ...Array.from({ length: 60 }, (_, at) => `\u001b[3${at % 8}mline ${at}\u001b[0m of some 漢字 🚀 text\r\n`),
    "\u001b[1;4mbold underlined\u001b[0m\u001b[38;2;10;20;30mtrue colour\u001b[48;5;17m background\u001b[0m\r\n",
    "a long line ".repeat(20),
    "\r\n\u001b(0lqqqk\u001b(B box\r\n",
    "\u001b[?2004h\u001b[?1h\u001b=\u001b[3 q",
    "\u001b[?1049h\u001b[2J\u001b[5;20r\u001b[?1003h\u001b[?1006h\u001b[H\u001b[7minverse\u001b[0m",
    "\u001b[5;1Hin the region\u001b[20;1H\r\nscrolled\r\nagain\u001b[?25l",
    "\u001b[10;10Hat ten\u001b[31m",
  ].join(""),
);

describe("an emulator", () => {
  it("draws the same from a snapshot at any byte as without one", () => {
    const tail = Buffer.from("tail\r\n\u001b[2mdim\r\nmore é 🚀 \u001b[0m.");
    for (let cut = STREAM.length - 400; cut <= STREAM.length; cut++) {
      using straight = new Emulator(SIZE, SILENT);
      straight.write(STREAM.subarray(0, cut));
      using restored = Emulator.restored(straight.snapshot(), SILENT);
      assert.equal(restored.text(), straight.text(), `right after a cut at ${cut}`);
      const rest = Buffer.concat([STREAM.subarray(cut), tail]);
      straight.write(rest);
      restored.write(rest);
      assert.deepEqual(seen(restored), seen(straight), `cut at ${cut}`);
    }
  });

  it("draws a program's whole screen from a snapshot after it was made narrower, and wider again", () => {
    using straight = new Emulator(SIZE, SILENT);
    const filled = Array.from({ length: SIZE.rows }, (_, at) => `\u001b[${at + 1};1H\u001b[44m\u001b[2Kline ${at}`);
    straight.write(
      Buffer.from(`before\u001b[?1049h${filled.join("")}\u001b[1;1H${"wide ".repeat(16)}\u001b[3;51H漢字`),
    );
    for (const cols of [51, 70]) {
      straight.resize({ cols, rows: 20 });
      using restored = Emulator.restored(straight.snapshot(), SILENT);
      assert.deepEqual(seen(restored), seen(straight), `${cols} columns`);
      assert.match(restored.text(), /^(?:wide ){10}/u);
      assert.ok(restored.screen().lines.every(({ text }) => text.length <= cols));
    }
  });

  it("keeps scrollback in a snapshot, and a second snapshot is the same", () => {
    using straight = new Emulator(SIZE, SILENT);
    straight.write(Buffer.from(Array.from({ length: 1_500 }, (_, at) => `${at + 1} some words\r\n`).join("")));
    const snapshot = straight.snapshot();
    using restored = Emulator.restored(snapshot, SILENT);
    assert.equal(restored.snapshot().text, snapshot.text);
    assert.equal(restored.page(undefined, 1_000).lines.at(-1), straight.page(undefined, 1_000).lines.at(-1));
    assert.equal(restored.page(undefined, 2_000).lines.length, 1_000);
    assert.ok(Buffer.byteLength(snapshot.text) <= 80_000);
  });

  it("bounds a snapshot of lines that are full and coloured", () => {
    using emulator = new Emulator(SIZE, SILENT);
    const line = Array.from({ length: 40 }, (_, at) => `\u001b[38;5;${at}mx\u001b[48;5;${at}my`).join("");
    emulator.write(Buffer.from(`${line}\r\n`.repeat(1_100)));
    const { text } = emulator.snapshot();
    assert.ok(Buffer.byteLength(text) <= 80_000, `${Buffer.byteLength(text)} bytes`);
    using restored = Emulator.restored({ size: SIZE, text, unfinished: Buffer.alloc(0) }, SILENT);
    assert.equal(restored.text(), emulator.text());
  });

  it("answers queries, each once, and none while it is restored", () => {
    const answers: string[] = [];
    const events = { answer: (text: string) => answers.push(text), signal: () => {} } as EmulatorEvents;
    using emulator = new Emulator(SIZE, events);
    emulator.write(Buffer.from("ab\u001b[6n\u001b[c\u001b]7501;?\u0007"));
    assert.deepEqual(answers, ["\u001b[1;3R", "\u001b[?1;2c", "\u001b]7501;?1\u001b\\"]);
    emulator.write(Buffer.from("\u001b[6"));
    using restored = Emulator.restored(emulator.snapshot(), events);
    assert.equal(answers.length, 3);
    restored.write(Buffer.from("n"));
    assert.deepEqual(answers.slice(3), ["\u001b[1;3R"]);
  });

  it("tells what programs say of themselves", () => {
    const signals: Signal[] = [];
    using emulator = new Emulator(SIZE, { answer: () => {}, signal: (signal) => signals.push(signal) });
    const message = Buffer.from("approve Bash: touch yy1").toString("base64");
    emulator.write(
      Buffer.from(
        [
          `\u001b]7501;state=blocked:app=claude-code:kind=permission:msg=${message}\u001b\\`,
          "\u001b]7501;state=working:app=codex\u0007",
          "\u001b]7501;nonsense\u0007\u001b]7501;state=\u0007",
          "\u001b]9;It needs you\u0007\u001b]9;4;1;50\u0007",
          "\u001b]99;i=1:d=0:p=title;From kitty\u001b\\\u001b]99;i=1:p=?;\u001b\\",
          "\u001b]777;notify;Title;Body\u0007",
          "\u001b]2;a \u202etitle\u0007",
          "\u0007",
          "\u001b]52;c;aGVsbG8=\u0007",
        ].join(""),
      ),
    );
    assert.deepEqual(signals, [
      { kind: "status", state: "blocked", about: "permission", app: "claude-code", text: "approve Bash: touch yy1" },
      { kind: "status", state: "working", app: "codex" },
      { kind: "notified", text: "It needs you" },
      { kind: "notified", text: "From kitty" },
      { kind: "notified", text: "Title Body" },
      { kind: "title", text: "a ⟨U+202E⟩title" },
      { kind: "bell" },
    ]);
  });

  it("shows cells with their looks", () => {
    using emulator = new Emulator({ cols: 30, rows: 3 }, SILENT);
    emulator.write(Buffer.from("\u001b[1;31mred\u001b[0m plain \u001b[7minv\u001b[0m\r\n漢x"));
    const { lines, cursor } = emulator.screen();
    assert.deepEqual(lines[0]?.spans, [
      { text: "red", bold: true, fg: 1 },
      { text: " plain " },
      { text: "inv", inverse: true },
    ]);
    assert.equal(lines[1]?.text, "漢x");
    assert.deepEqual(lines[1]?.spans, [{ text: "漢x" }]);
    assert.deepEqual(cursor, { row: 1, col: 3, visible: true });
  });

  it("knows when plain text leaves nothing of what was there", () => {
    using emulator = new Emulator(SIZE, SILENT);
    assert.equal(emulator.scrollsWhole, true);
    emulator.write(Buffer.from("\u001b[3;10r"));
    assert.equal(emulator.scrollsWhole, false);
    emulator.write(Buffer.from("\u001b[r\u001b["));
    assert.equal(emulator.scrollsWhole, false);
    emulator.write(Buffer.from("m"));
    assert.equal(emulator.scrollsWhole, true);
  });

  it("stands floods, binaries and broken text", () => {
    using emulator = new Emulator(SIZE, SILENT);
    for (let seed = 1; seed < 300; seed++)
      emulator.write(Buffer.from(Array.from({ length: 999 }, (_, at) => (seed * 7919 + at * at * 104_729) % 256)));
    emulator.write(Buffer.from(`\u001b[${"9".repeat(100_000)}m\u001b]0;${"t".repeat(1_000_000)}\u0007`));
    // Each of these would be done two thousand million times.
    for (const final of "@ABCDEFGHIJKLMPSTXZ`abcdefghlmnpqrstu")
      emulator.write(Buffer.from(`x\u001b[2147483647${final}\u001b[2147483647;2147483647${final}`));
    emulator.write(Buffer.from("\u001b[8;9999;9999t"));
    emulator.write(Buffer.from([0xc3, 0x28, 0xff, 0xfe, 0xed, 0xa0, 0x80]));
    emulator.write(Buffer.from("\u001bc".repeat(1_000)));
    emulator.write(Buffer.from("still here"));
    assert.equal(emulator.screen().lines[0]?.text, "still here");
    assert.deepEqual(emulator.size, SIZE);
    assert.ok(emulator.page(undefined, 1_000).lines.length <= SCROLLBACK_LINES);
  });
});

function seen(emulator: Emulator): unknown {
  const { lines, ...screen } = emulator.screen();
  return {
    ...screen,
    lines: lines.map(({ text, spans, wrapped }) => ({ text, spans, wrapped })),
    brackets: emulator.takesBrackets,
  };
}
