import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Answer, type Ask, isWithheld, keepable, mismatchOf } from "./ask.ts";
import type { AskId } from "./ids.ts";

const ask = "ask-1" as AskId;
const choices = [{ choice: "once", label: "Allow", scope: "once" as const }];
const approval: Ask = {
  kind: "approval",
  ask,
  choices,
  evidence: { tool: "Bash", kind: "command", edits: [], input: "{}" },
};
const plan: Ask = { kind: "plan", ask, plan: "1. …", choices };
const question: Ask = {
  kind: "question",
  ask,
  questions: [
    {
      question: "one",
      header: "One",
      text: "Which?",
      options: [{ label: "A" }, { label: "B" }],
      many: false,
      secret: false,
    },
    {
      question: "many",
      header: "Many",
      text: "Which?",
      options: [{ label: "A" }, { label: "B" }],
      many: true,
      secret: false,
    },
  ],
};

const allow: Answer = { kind: "allow", choice: "once" };
const approve: Answer = { kind: "approve", choice: "once" };
const revise: Answer = { kind: "revise", feedback: "smaller" };
const deny: Answer = { kind: "deny" };
const replies = (...list: [question: string, ...picks: string[]][]): Answer => ({
  kind: "replies",
  replies: list.map(([key, ...picks]) => ({ question: key, picks })),
});

describe("an answer", () => {
  it("fits an ask, or says why not", () => {
    const table: [Ask, Answer, string | undefined][] = [
      [approval, allow, undefined],
      [approval, deny, undefined],
      [approval, { kind: "deny", reason: "no" }, undefined],
      [approval, { kind: "allow", choice: "always" }, "unknown_choice"],
      [approval, approve, "wrong_kind"],
      [approval, revise, "wrong_kind"],
      [approval, replies(), "wrong_kind"],
      [plan, approve, undefined],
      [plan, { ...approve, edited: "2. …" }, undefined],
      [plan, revise, undefined],
      [plan, deny, undefined],
      [plan, { kind: "approve", choice: "other" }, "unknown_choice"],
      [plan, allow, "wrong_kind"],
      [plan, replies(), "wrong_kind"],
      [question, replies(), undefined],
      [question, replies(["one", "A"]), undefined],
      [question, replies(["one"], ["many"]), undefined],
      [question, replies(["many", "A", "B"]), undefined],
      [
        question,
        { kind: "replies", replies: [{ question: "one", picks: [], text: "own words", note: "n" }] },
        undefined,
      ],
      [question, deny, undefined],
      [question, replies(["three", "A"]), "unknown_question"],
      [question, replies(["one", "C"]), "unknown_option"],
      [question, replies(["one", "a"]), "unknown_option"],
      [question, replies(["one", "A", "B"]), "unknown_option"],
      [question, replies(["one", "A"], ["one", "B"]), "repeated"],
      [question, replies(["many", "A"], ["one", "A"], ["many", "B"]), "repeated"],
      [question, allow, "wrong_kind"],
      [question, revise, "wrong_kind"],
    ];
    for (const [asked, answer, code] of table) {
      const mismatch = mismatchOf(asked, answer);
      assert.equal(mismatch?.code, code, `${asked.kind}: ${JSON.stringify(answer)}`);
      if (mismatch) assert.match(mismatch.message, /\w.*\.$/u);
    }
  });
});

describe("an answer as it may be kept", () => {
  const secret: Ask = {
    kind: "question",
    ask,
    questions: [
      { question: "user", header: "User", text: "User?", options: [], many: false, secret: false },
      { question: "password", header: "Password", text: "Password?", options: [], many: false, secret: true },
    ],
  };
  const given: Answer = {
    kind: "replies",
    replies: [
      { question: "user", picks: [], text: "ada" },
      { question: "password", picks: [], text: "hunter2", note: "hunter2 too" },
    ],
  };

  it("holds nothing that was given to a secret question, and says that something is missing", () => {
    const kept = keepable(secret, given);
    assert.ok(!JSON.stringify(kept).includes("hunter2"));
    assert.ok(JSON.stringify(kept).includes("ada"));
    assert.ok(isWithheld(kept));
    assert.ok(!isWithheld(given));
  });

  it("is the same where nothing is secret", () => {
    assert.equal(keepable(approval, allow), allow);
    const answer = replies(["one", "A"]);
    assert.equal(keepable(question, answer), answer);
  });

  it("cannot be given to an ask that is answered elsewhere", () => {
    assert.equal(mismatchOf({ ...approval, elsewhere: "Open the terminal." }, deny)?.code, "elsewhere");
  });
});
