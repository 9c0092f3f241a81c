import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Row } from "@flybridge/client/view.ts";
import type { AskId, DeviceId, ItemId, PromptId } from "@flybridge/protocol/ids.ts";
import { styleFor } from "./terminal.ts";
import { makeTranscript } from "./transcript.ts";

const plain = styleFor(false, {});

function printed(): { text: string; show(rows: readonly Row[]): string } {
  const state = { text: "" };
  const transcript = makeTranscript({ write: (text) => (state.text += text), style: plain, nameOf: () => "phone" });
  return {
    get text() {
      return state.text;
    },
    show(rows) {
      const before = state.text.length;
      transcript.show({ rows: [...rows] });
      return state.text.slice(before);
    },
  };
}

const words = (key: string, body: string, open: boolean): Row => ({
  kind: "item",
  key,
  at: 1,
  open,
  item: { kind: "words", item: key as ItemId, body, at: 1 },
});
const tool = (key: string, open: boolean, body = "", object = "npm test"): Row => ({
  kind: "item",
  key,
  at: 1,
  open,
  took: 3_000,
  item: {
    kind: "tool",
    item: key as ItemId,
    body,
    at: 1,
    tool: { name: "Bash", kind: "command", object, input: "{}", edits: [], state: open ? "running" : "done", exit: 0 },
  },
});

describe("a transcript", () => {
  it("[A06] prints words as they grow, each once, and ends their line", () => {
    const out = printed();
    assert.equal(out.show([words("a", "Hel", true)]), "Hel");
    assert.equal(out.show([words("a", "Hello", true)]), "lo");
    assert.equal(out.show([words("a", "Hello", true)]), "");
    assert.equal(out.show([words("a", "Hello.", false)]), ".\n");
    assert.equal(out.show([words("a", "Hello.", false)]), "");
  });

  it("prints a tool when it begins and when it ends, with its last lines", () => {
    const out = printed();
    assert.equal(out.show([tool("t", true)]), "● Bash npm test\n");
    const end = out.show([tool("t", false, "1\n2\n3\n4\n5\n6\n7\n")]);
    assert.match(end, /… 2 more lines\n.*3\n.*4\n.*5\n.*6\n.*7\n.*Bash done, exit 0 · 3 s\n$/su);
  });

  it("breaks the line of streaming words for what cannot wait, then goes on", () => {
    const out = printed();
    out.show([words("a", "One", true)]);
    assert.equal(out.show([words("a", "One", true), tool("t", true)]), "\n● Bash npm test\n");
    assert.equal(out.show([words("a", "One two", true), tool("t", true)]), " two");
  });

  it("keeps the words of two that stream at once apart, also when the later one ends first", () => {
    const out = printed();
    out.show([words("a", "A1", true)]);
    out.show([words("a", "A1", true), words("b", "B1", true)]);
    out.show([words("a", "A1", true), words("b", "B1 B2", false)]);
    out.show([words("a", "A1 A2", false), words("b", "B1 B2", false)]);
    assert.equal(out.text, "A1 A2\nB1 B2\n");
  });

  it("goes on after the rows were replaced by a newer window", () => {
    const out = printed();
    out.show([words("a", "A", false), words("b", "B", true)]);
    out.show([words("c", "C", true)]);
    out.show([words("c", "C.", false)]);
    assert.equal(out.text, "A\nB\nC.\n");
  });

  it("does not let an agent script the terminal", () => {
    const out = printed();
    const hostile = "\u001b]52;c;cm0gLXJm\u0007\u001b[2J\r\u009b31m\u202egpj.exe\u0000";
    const rows: Row[] = [
      words("a", hostile, false),
      tool("t", false, hostile, hostile),
      { kind: "notice", key: "n", at: 1, level: "error", text: hostile },
      { kind: "prompt", key: "p", at: 1, prompt: "p" as PromptId, text: hostile, delivery: "queue", state: "done" },
      { kind: "turn", key: "u", at: 1, outcome: "failed", detail: hostile },
      {
        kind: "mark",
        key: "m",
        at: 1,
        fact: { kind: "agent.ended", cause: "failed", code: null, signal: hostile, detail: hostile },
      },
      {
        kind: "ask",
        key: "k",
        at: 1,
        dismissed: false,
        ask: {
          kind: "approval",
          ask: "k" as AskId,
          from: hostile,
          evidence: {
            tool: hostile,
            kind: "command",
            purpose: hostile,
            command: hostile,
            directory: hostile,
            path: hostile,
            url: hostile,
            server: hostile,
            reason: hostile,
            input: hostile,
            edits: [{ path: hostile, diff: `+${hostile}\n-${hostile}`, added: 1, removed: 1 }],
          },
          choices: [{ choice: hostile, label: hostile, detail: `${hostile}2`, scope: "once" }],
        },
        settlement: { kind: "answered", answer: { kind: "deny", reason: hostile }, by: "d" as DeviceId },
      },
      {
        kind: "ask",
        key: "q",
        at: 1,
        dismissed: false,
        ask: {
          kind: "question",
          ask: "q" as AskId,
          questions: [
            {
              question: hostile,
              header: hostile,
              text: hostile,
              options: [{ label: hostile, detail: hostile }],
              many: true,
              secret: false,
            },
          ],
        },
        settlement: {
          kind: "answered",
          answer: { kind: "replies", replies: [{ question: "x", picks: [hostile], note: hostile }] },
          by: "d" as DeviceId,
        },
      },
      {
        kind: "ask",
        key: "l",
        at: 1,
        dismissed: false,
        ask: {
          kind: "plan",
          ask: "l" as AskId,
          plan: hostile,
          path: hostile,
          choices: [{ choice: "x", label: hostile, scope: "once" }],
        },
        settlement: { kind: "answered", answer: { kind: "revise", feedback: hostile }, by: "d" as DeviceId },
      },
    ];
    out.show(rows);
    assert.match(out.text, /⟨U\+001B⟩\]52/u);
    assert.deepEqual(out.text.match(/(?!\n)[\p{Cc}\p{Bidi_Control}]/gu), null);
  });

  it("leaves emoji whole however the text was cut on its way", () => {
    const family = "👨‍👩‍👧 ok";
    const out = printed();
    for (let length = 1; length <= family.length; length++) out.show([words("a", family.slice(0, length), true)]);
    out.show([words("a", family, false)]);
    assert.equal(out.text, `${family}\n`);
  });
});
