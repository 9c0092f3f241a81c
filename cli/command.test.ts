import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Flags, parse } from "./command.ts";
import { Fault } from "./fault.ts";
import { oneOf, shortEnds } from "./prefix.ts";
import { keyFrom } from "./keyboard.ts";

const definition = {
  name: "answer",
  words: [
    { name: "ID", about: "a session", required: true },
    { name: "ASK", about: "an ask" },
  ],
  flags: {
    allow: { type: "optional", about: "" },
    pick: { type: "string", multiple: true, about: "" },
    yes: { type: "boolean", short: "y", about: "" },
  } satisfies Flags,
} as const;

describe("what was typed", () => {
  it("is read in any order, with repeated flags and flags that may stand alone", () => {
    assert.deepEqual(
      { ...parse(definition, ["a", "--allow", "session", "--pick", "1=x", "--pick=2=y", "-y"]).flags },
      { allow: "session", pick: ["1=x", "2=y"], yes: true },
    );
    assert.deepEqual({ ...parse(definition, ["a", "--allow", "--json"]).flags }, { allow: "" });
    assert.deepEqual({ ...parse(definition, ["a", "--allow="]).flags }, { allow: "" });
    assert.deepEqual(parse(definition, ["--", "-a", "--allow"]).words, ["-a", "--allow"]);
  });

  it("is refused when it does not fit", () => {
    for (const [words, says] of [
      [[], /ID is missing/u],
      [["a", "b", "c"], /"c" is one word too many/u],
      [["a", "--nope"], /Unknown option '--nope'/u],
      [["a", "--pick"], /argument missing/u],
      [["a", "--yes=no"], /does not take an argument/u],
    ] as const)
      assert.throws(
        () => parse(definition, words),
        (error) => error instanceof Fault && error.exit === 2 && says.test(error.message),
      );
  });

  it("does not ask for words when help is wanted", () => {
    assert.equal(parse(definition, ["--help"]).help, true);
  });
});

describe("a few characters of an id", () => {
  const things = [
    { id: "01a1-aaaa", title: "one" },
    { id: "01a1-bbbb", title: "two" },
    { id: "01a1", title: "\u001b[2Jthree" },
  ];
  const find = (typed: string): string =>
    oneOf(
      things,
      typed,
      "session",
      ({ id }) => id,
      ({ title }) => title,
    ).id;

  it("mean the one that begins or ends so, is so, or is called so", () => {
    assert.equal(find("01a1-a"), "01a1-aaaa");
    assert.equal(find("bbbb"), "01a1-bbbb");
    assert.equal(find("01a1"), "01a1");
    assert.equal(find("two"), "01a1-bbbb");
  });

  it("list the candidates when they fit several, made safe, and none when they fit none", () => {
    assert.throws(() => find("01a"), {
      code: "ambiguous",
      message: /fits 3 sessions.*01a1-aaaa {2}one.*⟨U\+001B⟩\[2Jthree/su,
    });
    for (const typed of ["", "zz"]) assert.throws(() => find(typed), { code: "not_found" });
  });

  it("are shown as many as tell all apart", () => {
    const short = shortEnds(["0000000011111111", "1111111111111111", "0000000022222222"]);
    assert.deepEqual([...short.values()], ["011111111", "111111111", "022222222"]);
  });
});

describe("a key", () => {
  it("is text, Enter, Ctrl-C or Ctrl-D; nothing else does anything", () => {
    assert.deepEqual(keyFrom("a", { name: "a" }), { kind: "text", text: "a" });
    assert.deepEqual(keyFrom("\r", { name: "return" }), { kind: "enter" });
    assert.deepEqual(keyFrom("\u0003", { name: "c", ctrl: true }), { kind: "interrupt" });
    assert.deepEqual(keyFrom("\u0004", { name: "d", ctrl: true }), { kind: "leave" });
    assert.equal(keyFrom("\u001b[A", { name: "up" }), undefined);
    assert.equal(keyFrom("\u001b", { name: "escape" }), undefined);
  });
});
