import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Ask } from "@flybridge/protocol/ask.ts";
import type { AskId } from "@flybridge/protocol/ids.ts";
import { RULE_CHOICES } from "@flybridge/protocol/rule.ts";
import { Fault } from "./fault.ts";
import { answerFrom, type ReplyFlags } from "./reply.ts";

const approval: Ask = {
  kind: "approval",
  ask: "a" as AskId,
  evidence: { tool: "Bash", kind: "command", command: "ls", edits: [], input: "{}" },
  choices: [
    { choice: "always", label: "Always allow ls", scope: "always" },
    { choice: "once", label: "Allow once", scope: "once" },
  ],
};
const plan: Ask = {
  kind: "plan",
  ask: "p" as AskId,
  plan: "# Plan",
  choices: [{ choice: "start", label: "Start", scope: "session" }],
};
const question = (header: string, id: string, many = false) => ({
  question: id,
  header,
  text: `${header}?`,
  options: [{ label: "One" }, { label: "Two=2" }],
  many,
  secret: false,
});
const one: Ask = { kind: "question", ask: "q" as AskId, questions: [question("Number", "q1")] };
const two: Ask = {
  kind: "question",
  ask: "q" as AskId,
  questions: [question("Number", "q1"), question("Many", "q2", true)],
};

const refused = (ask: Ask, flags: ReplyFlags, says: RegExp): void => {
  assert.throws(
    () => answerFrom(ask, flags),
    (error) => error instanceof Fault && error.exit === 2 && says.test(error.message),
  );
};

describe("an answer from flags", () => {
  it("allows once unless more is asked for by name, even when more is offered first", () => {
    assert.deepEqual(answerFrom(approval, { allow: "" }), { kind: "allow", choice: "once" });
    assert.deepEqual(answerFrom(approval, { allow: "always" }), { kind: "allow", choice: "always" });
    assert.deepEqual(answerFrom(approval, { allow: "Always allow ls" }), { kind: "allow", choice: "always" });
    refused(approval, { allow: "alway" }, /does not offer "alway".*\[always\|once\]/u);
  });

  it("denies with or without a reason", () => {
    assert.deepEqual(answerFrom(plan, { deny: "" }), { kind: "deny" });
    assert.deepEqual(answerFrom(one, { deny: "no" }), { kind: "deny", reason: "no" });
  });

  it("approves a plan as it is or as edited, or sends it back", () => {
    assert.deepEqual(answerFrom(plan, { approve: "", edited: "# Mine" }), {
      kind: "approve",
      choice: "start",
      edited: "# Mine",
    });
    assert.deepEqual(answerFrom(plan, { revise: "more" }), { kind: "revise", feedback: "more" });
    refused(plan, { edited: "# Mine" }, /goes with --approve/u);
  });

  it("picks by number, label and header; one question needs no name", () => {
    assert.deepEqual(answerFrom(one, { pick: ["Two=2"] }), {
      kind: "replies",
      replies: [{ question: "q1", picks: ["Two=2"] }],
    });
    assert.deepEqual(answerFrom(two, { pick: ["2=1", "Many=Two=2"], text: ["q1=my=own"], note: ["1=n"] }), {
      kind: "replies",
      replies: [
        { question: "q2", picks: ["One", "Two=2"] },
        { question: "q1", picks: [], text: "my=own", note: "n" },
      ],
    });
    refused(two, { pick: ["One"] }, /does not say which question.*1 \(Number\), 2 \(Many\)/u);
    refused(one, { pick: ["Three"] }, /no option Three/u);
    refused(two, { pick: ["1=One", "1=2"] }, /takes one option, not 2/u);
  });

  it("names the host's own rules by their scope, where the agent has no choice of that name", () => {
    const rules = Object.values(RULE_CHOICES).map((choice) => ({ choice, label: choice, scope: "always" as const }));
    const ruled: Ask = { ...approval, choices: [{ choice: "once", label: "Once", scope: "once" }, ...rules] };
    assert.deepEqual(answerFrom(ruled, { allow: "always" }), { kind: "allow", choice: RULE_CHOICES.always });
    assert.deepEqual(answerFrom(ruled, { allow: "session" }), { kind: "allow", choice: RULE_CHOICES.session });
    const both: Ask = { ...approval, choices: [...approval.choices, ...rules] };
    assert.deepEqual(answerFrom(both, { allow: "always" }), { kind: "allow", choice: "always" });
    refused(approval, { allow: "session" }, /does not offer "session"/u);
  });

  it("is none where the ask is answered in another place, which it names", () => {
    refused({ ...approval, elsewhere: "Answer it in tmux." }, { allow: "" }, /Answer it in tmux/u);
  });

  it("is one, and of the kind that was asked for", () => {
    refused(approval, { allow: "", deny: "" }, /one answer/u);
    refused(approval, { approve: "" }, /cannot be answered with "approve"/u);
    refused(one, { allow: "x" }, /cannot be answered with "allow"/u);
    refused(plan, { pick: ["x"] }, /not a question/u);
    assert.equal(answerFrom(approval, {}), undefined);
  });
});
