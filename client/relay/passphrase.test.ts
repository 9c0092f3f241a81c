import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Strength, strengthOf, type Weakness } from "./passphrase.ts";

const EMAIL = "Nora.Lindqvist@Example.org";

describe("a passphrase", () => {
  it("is refused where anybody would try it, with what to do instead", () => {
    const refused: [string, Weakness][] = [
      ["", "too_short"],
      ["nine char", "too_short"],
      ["\u{1f600}\u{1f601}\u{1f602}\u{1f603}\u{1f604}", "too_short"],
      ["x1".repeat(501), "too_long"],
      ["aaaaaaaaaaaaaaa", "repeated"],
      ["abcabcabcabcabc", "repeated"],
      ["xk7xk7xk7xk7xk7xk7", "repeated"],
      ["walnutwalnutwal", "repeated"],
      ["1234567890", "repeated"],
      ["qwertyuiop123", "repeated"],
      ["0987654321asdfgh", "repeated"],
      ["nora.lindqvist@example.org", "email"],
      ["NORA.LINDQVIST", "email"],
      ["lindqvist1984", "email"],
      ["noralindqvist!", "email"],
      ["example.org2024", "email"],
      ["Password123!", "notorious"],
      ["!!!letmein!!!", "notorious"],
      ["correct horse battery staple", "notorious"],
      ["flybridge 2026", "notorious"],
    ];
    for (const [text, weakness] of refused) {
      const strength = strengthOf(text, EMAIL);
      assert.equal(strength.weakness, weakness, text);
      assert.equal(strength.level, "weak");
      assert.match(strength.message, /\.$/u);
    }
  });

  it("is taken otherwise, the better the more is in it", () => {
    const taken: [string, Strength["level"]][] = [
      ["tq4 vb9 mf", "weak"],
      ["walnut boat", "weak"],
      ["walnut boat lamp", "fair"],
      ["Walnut-boat-7", "fair"],
      ["walnut boat lamp seventeen", "good"],
      ["nora likes walnut boats best", "good"],
      ["Orgel und Nebelhorn überall", "good"],
      ["正しい馬の電池とホチキス全部覚えて", "fair"],
    ];
    for (const [text, level] of taken)
      assert.deepEqual(
        [text, strengthOf(text, EMAIL).weakness, strengthOf(text, EMAIL).level],
        [text, undefined, level],
      );
    assert.equal(strengthOf("walnut boat", "").weakness, undefined);
  });

  it("is looked at quickly, however long it is", () => {
    for (const text of ["ab".repeat(500), `${"a".repeat(999)}b`, "ab".repeat(50_000)]) strengthOf(text, EMAIL);
  });
});
