import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { shortened, visible, visibleLine } from "./text.ts";

describe("visible text", () => {
  it("shows controls, and keeps tab and newline", () => {
    assert.equal(visible("a\tb\nc"), "a\tb\nc");
    assert.equal(visible("\u001b[2J"), "⟨U+001B⟩[2J");
    assert.equal(visible("\u0000\r\u007f\u009b"), "⟨U+0000⟩⟨U+000D⟩⟨U+007F⟩⟨U+009B⟩");
  });

  it("shows what turns the direction of its neighbours", () => {
    const marks = [0x061c, 0x200e, 0x200f, 0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x2066, 0x2067, 0x2068, 0x2069];
    for (const mark of marks) {
      const shown = visible(`a${String.fromCodePoint(mark)}b`);
      assert.equal(shown, `a⟨U+${mark.toString(16).toUpperCase().padStart(4, "0")}⟩b`);
    }
  });

  it("shows what has no glyph, hidden sentences in tag characters among it", () => {
    const marks = [
      0x00ad, 0x034f, 0x115f, 0x180e, 0x200b, 0x200c, 0x2028, 0x2029, 0x2060, 0x206f, 0x3164, 0xfeff, 0xffa0, 0xfff9,
    ];
    for (const mark of [...marks, 0xe0001, 0xe0041, 0xe007f, 0xe0100])
      assert.match(visible(`a${String.fromCodePoint(mark)}b`), /^a⟨U\+[0-9A-F]{4,5}⟩b$/u, mark.toString(16));
    const hidden = [..."rm -rf"].map((letter) => String.fromCodePoint(0xe0000 + (letter.codePointAt(0) ?? 0))).join("");
    assert.equal(visible(`ls${hidden}`).includes(hidden), false);
  });

  it("leaves emoji whole: joined ones, coloured ones, flags and keycaps", () => {
    for (const emoji of ["👩🏽‍💻", "👨‍👩‍👧‍👦", "🏳️‍🌈", "❤️‍🔥", "⚠️", "⚠︎", "1️⃣", "🇫🇷", "🧔🏻‍♂️"]) assert.equal(visible(emoji), emoji);
  });

  it("shows a joiner that joins nothing", () => {
    for (const text of ["rm\u200d -rf", "⚠\u200dx", "⚠\u200d", "\u200d⚠", "⚠\u200d\u200d⚠"])
      assert.ok(visible(text).includes("⟨U+200D⟩"), JSON.stringify(text));
    assert.equal(visible("x\ufe0f"), "x⟨U+FE0F⟩");
  });

  it("leaves letters of every script as they are", () => {
    for (const text of ["naïve — “ok”", "日本語", "שלום", "مرحبا", "한글", "e\u0301", "\ud800", "𝒳"])
      assert.equal(visible(text), text);
  });

  it("has nothing left to show the second time", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        assert.equal(visible(visible(text)), visible(text));
        assert.doesNotMatch(visible(text), /\p{Bidi_Control}|(?![\n\t])\p{Cc}/u);
        assert.doesNotMatch(visibleLine(text), /[\n\t\r]/u);
      }),
    );
  });

  it("makes one line of several", () => {
    assert.equal(visibleLine("  a\n\n\tb \u2028 c\r\n"), "a b c");
    assert.equal(visibleLine("\u202etxt.exe"), "⟨U+202E⟩txt.exe");
  });
});

describe("shortened text", () => {
  it("is as it was when it fits, and says that it was cut", () => {
    assert.equal(shortened("abc", 3), "abc");
    assert.equal(shortened("abcd", 3), "ab…");
    assert.equal(shortened("", 0), "");
  });

  it("never is longer than the limit, nor ends in half a character", () => {
    assert.equal(shortened("a😀😀", 4), "a😀…");
    assert.equal(shortened("a😀😀", 3), "a…");
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 40 }), fc.integer({ min: 1, max: 50 }), (text, limit) => {
        const short = shortened(text, limit);
        assert.ok(short.length <= limit);
        assert.ok(short === text || short.endsWith("…"));
        assert.equal(short.isWellFormed(), true);
      }),
    );
  });
});
