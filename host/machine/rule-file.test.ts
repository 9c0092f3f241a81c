/** The file of rules on a real disk: what was made is there again, and what cannot be understood allows nothing. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync, mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, beforeEach, describe, it } from "node:test";
import type { AgentName, DeviceId, SessionId } from "@flybridge/protocol/ids.ts";
import { MAX_RULES } from "@flybridge/protocol/limits.ts";
import type { Rule } from "@flybridge/protocol/rule.ts";
import type { NewRule } from "../core/ports.ts";
import { openRules, type RuleFile } from "./rule-file.ts";

const SESSION = "01980000-0001-7000-8000-000000000001" as SessionId;
const OTHER = "01980000-0001-7000-8000-000000000002" as SessionId;
const print = (digit: string): string => digit.repeat(64);
const ruleFor = (fingerprint: string, session?: SessionId): NewRule => ({
  fingerprint,
  ...(session === undefined ? {} : { session }),
  agent: "claude" as AgentName,
  tool: "mcp__git.hub__merge",
  server: "git.hub",
  request: '{"pull": 7}',
  workspace: "/home/ada/work",
  mode: "default",
  by: "d".padEnd(43, "-") as DeviceId,
});

describe("the rule file", () => {
  const root = mkdtempSync(join(tmpdir(), "flybridge-rules-"));
  let count = 0;
  let path = "";
  let later: (() => void) | undefined;
  const open = (): RuleFile =>
    openRules({
      path,
      now: () => 1_000 + count++,
      random: randomBytes,
      after(_, work) {
        later = work;
        return { [Symbol.dispose]: () => (later = undefined) };
      },
    });
  beforeEach(() => {
    const folder = join(root, String(count++));
    mkdirSync(folder);
    path = join(folder, "rules.json");
    later = undefined;
  });
  after(() => rmSync(root, { recursive: true, force: true }));

  it("[E49] keeps what is always allowed in a file of the owner's that a person can read", () => {
    const made = open().make(ruleFor(print("a")));
    assert.equal(statSync(path).mode & 0o777, 0o600);
    const text = readFileSync(path, "utf8");
    assert.match(text, /\n {2}"version": 1,\n/u);
    assert.match(text, /"tool": "mcp__git\.hub__merge"/u);
    const again = open();
    assert.equal(again.problem, undefined);
    assert.deepEqual(again.list(), [made]);
    assert.equal(again.use(print("a"), OTHER)?.rule, made.rule);
    assert.equal(again.use(print("b"), OTHER), undefined);
  });

  it("keeps what is allowed for a session in memory alone, and for that session alone", () => {
    const rules = open();
    rules.make(ruleFor(print("a"), SESSION));
    assert.ok(rules.use(print("a"), SESSION));
    assert.equal(rules.use(print("a"), OTHER), undefined);
    assert.equal(open().use(print("a"), SESSION), undefined);
  });

  it("makes the same rule once, and counts how often it was used", () => {
    const rules = open();
    const made = rules.make(ruleFor(print("a")));
    assert.deepEqual(rules.make(ruleFor(print("a"))), made);
    rules.use(print("a"), SESSION);
    const used = rules.use(print("a"), SESSION);
    assert.equal(used?.used, 2);
    assert.ok(used.last);
    later?.();
    assert.deepEqual(open().list(), [used]);
    rules.use(print("a"), SESSION);
    rules[Symbol.dispose]();
    assert.equal(open().list()[0]?.used, 3);
  });

  it("forgets a revoked rule at once and for good", () => {
    const rules = open();
    const always = rules.make(ruleFor(print("a")));
    const session = rules.make(ruleFor(print("b"), SESSION));
    rules.revoke(always.rule);
    rules.revoke(session.rule);
    rules.revoke(always.rule);
    assert.equal(rules.use(print("a"), SESSION), undefined);
    assert.equal(rules.use(print("b"), SESSION), undefined);
    assert.deepEqual(open().list(), []);
  });

  it("takes over what a person changed", () => {
    open().make(ruleFor(print("a")));
    const file = JSON.parse(readFileSync(path, "utf8")) as { version: number; rules: Rule[] };
    file.rules = [];
    writeFileSync(path, JSON.stringify(file));
    assert.deepEqual(open().list(), []);
  });

  const good = { ...ruleFor(print("a")), rule: "0123456789abcdef", made: 1, used: 0 };
  for (const [what, text] of [
    ["no JSON", "{"],
    ["another JSON", "[]"],
    ["null", "null"],
    ["nothing", ""],
    ["a newer version", JSON.stringify({ version: 2, rules: [] })],
    ["no version", JSON.stringify({ rules: [good] })],
    ["a rule that lacks something", JSON.stringify({ version: 1, rules: [{ ...good, fingerprint: "abc" }] })],
    ["a rule of a session", JSON.stringify({ version: 1, rules: [{ ...good, session: SESSION }] })],
    ["two of one id", JSON.stringify({ version: 1, rules: [good, good] })],
    ["too many", JSON.stringify({ version: 1, rules: Array.from({ length: MAX_RULES + 1 }, () => good) })],
    ["too much", " ".repeat(9 * 1024 * 1024)],
  ] as const)
    it(`sets a file aside that holds ${what}, and says so`, () => {
      writeFileSync(path, text);
      const rules = open();
      assert.match(rules.problem ?? "", /No rule applies; it is now .*rules\.json\.aside-1/u);
      assert.deepEqual(rules.list(), []);
      assert.equal(rules.use(print("a"), SESSION), undefined);
      assert.equal(readFileSync(`${path}.aside-1`, "utf8"), text);
      rules.make(ruleFor(print("b")));
      assert.equal(open().list().length, 1);
    });

  it("neither reads nor replaces what is no file of the owner's", () => {
    mkdirSync(path);
    const rules = open();
    assert.match(rules.problem ?? "", /cannot be read/u);
    assert.throws(() => rules.make(ruleFor(print("a"))), /none can be made/u);
    assert.deepEqual(rules.list(), []);
    rules.make(ruleFor(print("a"), SESSION));
    assert.deepEqual(readdirSync(path), []);
  });

  it("keeps no more than it says, and of a long request its beginning", () => {
    const rules = open();
    const { request } = rules.make({ ...ruleFor(print("a"), SESSION), request: "x".repeat(100_000) });
    assert.equal(request.length, 1_000);
    for (let at = 1; at < MAX_RULES; at++) rules.make(ruleFor(String(at).padStart(64, "0"), SESSION));
    assert.throws(() => rules.make(ruleFor(print("f"), SESSION)), /1000 rules/u);
  });
});
