/** What goes into a terminal and what comes out of it besides the screen: pure parts, fed with the worst. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { copyFrom } from "./clipboard.ts";
import { commandFrom, firstSize } from "./command.ts";
import { arrowKey, heldKey } from "./keys.ts";
import { addressesIn, targetOf } from "./links.ts";
import { pasteFrom } from "./paste.ts";

const none = { ctrl: false, alt: false };

describe("a key", () => {
  it("is what a program reads, with Ctrl and Alt and in application mode", () => {
    assert.equal(arrowKey("up", none, false), "\u001b[A");
    assert.equal(arrowKey("up", none, true), "\u001bOA");
    assert.equal(arrowKey("left", { ctrl: true, alt: false }, true), "\u001b[1;5D");
    assert.equal(arrowKey("right", { ctrl: true, alt: true }, false), "\u001b[1;7C");
    const ctrl = { ctrl: true, alt: false };
    for (const [typed, wanted] of [
      ["c", "\u0003"],
      ["C", "\u0003"],
      ["[", "\u001b"],
      ["@", "\u0000"],
      [" ", "\u0000"],
      ["?", "\u007f"],
      ["4", "\u001c"],
      ["\\", "\u001c"],
      ["é", "é"],
      ["世", "世"],
      ["9", "9"],
    ] as const)
      assert.equal(heldKey(typed, ctrl), wanted, typed);
    assert.equal(heldKey("b", { ctrl: false, alt: true }), "\u001bb");
  });
});

describe("a paste", () => {
  it("is asked about where each line would run, and never ends its own brackets", () => {
    assert.deepEqual(pasteFrom("ls", false), { typed: "ls", text: "ls", lines: 1, ask: false, dropped: 0 });
    assert.equal(pasteFrom("ls\n", false).ask, true);
    assert.equal(pasteFrom("a\r\nb\rc", false).typed, "a\rb\rc");
    assert.equal(pasteFrom("a\nb", true).ask, false);
    assert.equal(pasteFrom("x".repeat(6_000), true).ask, true);
    const evil = pasteFrom("a\u001b[201~\u0003rm -rf x\n\u009b201~", true);
    assert.equal(evil.typed, "\u001b[200~a[201~rm -rf x\r201~\u001b[201~");
    assert.equal(evil.dropped, 3);
    assert.equal(pasteFrom("\ttab", false).typed, "\ttab");
  });
});

describe("what a program wants in the clipboard", () => {
  it("is text in base64, and nothing else", () => {
    const of = (text: string): string => `c;${Buffer.from(text).toString("base64")}`;
    assert.equal(copyFrom(of("héllo")), "héllo");
    assert.equal(copyFrom(`;${Buffer.from("x").toString("base64")}`), "x");
    const refused = ["", "c", "c;", "c;?", "c;****", "c;/w==", "c;A", `c;${"A".repeat(4_000_000)}`, "c;YQ==YQ=="];
    for (const bad of refused) assert.equal(copyFrom(bad), undefined, bad.slice(0, 20));
  });
});

describe("an address", () => {
  it("is found without the sentence around it, and only of the web", () => {
    const found = (line: string): string[] => addressesIn(line).map(({ text }) => text);
    assert.deepEqual(found("see https://a.example/x?y=1#z, or (http://b.example/(c))."), [
      "https://a.example/x?y=1#z",
      "http://b.example/(c)",
    ]);
    assert.deepEqual(found("'https://a.example'\"https://b.example\"<https://c.example>"), [
      "https://a.example",
      "https://b.example",
      "https://c.example",
    ]);
    for (const line of ["javascript:alert(1)", "file:///etc/passwd", "ftp://x", "https://", "http://[", "xhttps:/y"])
      assert.deepEqual(found(line), [], line);
    for (const bad of [
      "javascript:alert(1)",
      "data:text/html,x",
      "file:///x",
      "ssh://x",
      "",
      "//x",
      `https://${"a".repeat(3_000)}`,
    ])
      assert.equal(targetOf(bad), undefined, bad.slice(0, 30));
    const start = performance.now();
    addressesIn("https://".repeat(20_000) + ")".repeat(20_000));
    assert.ok(performance.now() - start < 5_000);
  });
});

describe("a command", () => {
  it("is its words, or a shell's to read, or the shell itself", () => {
    assert.equal(commandFrom("  "), undefined);
    assert.deepEqual(commandFrom("npm run  dev"), ["npm", "run", "dev"]);
    assert.deepEqual(commandFrom("make && ./run 'a b'"), ["sh", "-c", "make && ./run 'a b'"]);
    assert.deepEqual(commandFrom("echo $HOME"), ["sh", "-c", "echo $HOME"]);
    for (const [width, height, pixels] of [
      [390, 844, 12],
      [0, 0, 12],
      [1e9, 1e9, 1],
    ] as const) {
      const { cols, rows } = firstSize(width, height, pixels);
      assert.ok(cols >= 10 && cols <= 1_000 && rows >= 10 && rows <= 500);
    }
  });
});
