/** What the real Claude Code says too seldom to wait for: lines as its types describe them, and lines of nobody. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Answer } from "@flybridge/protocol/ask.ts";
import type { Fact } from "@flybridge/protocol/entry.ts";
import type { AskId, PromptId } from "@flybridge/protocol/ids.ts";
import { MAX_BODY_CHARS } from "@flybridge/protocol/limits.ts";
import { DEVICE } from "@flybridge/testing/driven.ts";
import { claude } from "./claude.ts";
import { freshMemory, type Memory } from "./memory.ts";

const AT = 1_700_000_000_000;

function fresh(): Memory {
  return freshMemory("01900000-0000-7000-8000-000000000000", "/home/ada");
}

/** The facts of some messages, and what is written back. */
function heard(memory: Memory, ...messages: (object | string)[]): { facts: Fact[]; writes: string[]; grown: string } {
  const all = messages.map((one) => claude.hear(memory, typeof one === "string" ? one : JSON.stringify(one), AT));
  const drafts = all.flatMap((one) => [...one.drafts]);
  return {
    facts: drafts.flatMap((draft) => (draft.kind === "fact" ? [draft.fact] : [])),
    writes: all.flatMap((one) => [...one.writes]),
    grown: drafts.flatMap((draft) => (draft.kind === "grow" ? [draft.text] : [])).join(""),
  };
}

function kinds(facts: readonly Fact[]): string[] {
  return facts.map((fact) => fact.kind);
}

const init = {
  type: "system",
  subtype: "init",
  session_id: "s",
  model: "m",
  permissionMode: "default",
  claude_code_version: "2.1.0",
};
const result = {
  type: "result",
  subtype: "success",
  is_error: false,
  terminal_reason: "completed",
  usage: {},
  total_cost_usd: 0,
};

function delta(text: string, index = 0): object {
  return { type: "stream_event", event: { type: "content_block_delta", index, delta: { type: "text_delta", text } } };
}
function start(type: string, index = 0): object {
  return { type: "stream_event", event: { type: "content_block_start", index, content_block: { type } } };
}
function toolUse(id: string, name: string, input: object): object {
  return { type: "assistant", message: { content: [{ type: "tool_use", id, name, input }] } };
}
function toolResult(id: string, content: unknown, more: object = {}): object {
  return { type: "user", message: { content: [{ type: "tool_result", tool_use_id: id, content }] }, ...more };
}

describe("claude hears", () => {
  it("keeps what it does not know as a notice with the line", () => {
    const memory = fresh();
    for (const line of [
      "not json",
      '"text"',
      "[]",
      "null",
      '{"type":"brand_new","x":1}',
      '{"type":"system","subtype":"brand_new"}',
      "{}",
    ]) {
      const { facts } = heard(memory, line);
      assert.deepEqual(kinds(facts), ["notice"], line);
      assert.equal(facts[0]?.kind === "notice" ? facts[0].raw : "", line);
    }
    assert.deepEqual(
      heard(memory, "", '{"type":"keep_alive"}', '{"type":"system","subtype":"thinking_tokens"}').facts,
      [],
    );
  });

  it("answers a request it does not know with an error, and shows it", () => {
    const { facts, writes } = heard(fresh(), {
      type: "control_request",
      request_id: "r1",
      request: { subtype: "hook_callback" },
    });
    assert.deepEqual(kinds(facts), ["notice"]);
    assert.deepEqual(JSON.parse(writes[0] ?? ""), {
      type: "control_response",
      response: { subtype: "error", request_id: "r1", error: 'Flybridge does not know the request "hook_callback".' },
    });
  });

  it("does not say streamed words twice, and says whole those that were not streamed", () => {
    const memory = fresh();
    const { facts, grown } = heard(
      memory,
      init,
      start("text"),
      delta("Hello "),
      delta("you"),
      { type: "assistant", message: { content: [{ type: "text", text: "Hello you" }] } },
      { type: "stream_event", event: { type: "content_block_stop", index: 0 } },
      { type: "assistant", message: { content: [{ type: "text", text: "Not streamed" }] } },
      result,
    );
    assert.equal(grown, "Hello you");
    const bodies = facts.flatMap((fact) => (fact.kind === "item.completed" ? [fact.item.body] : []));
    assert.deepEqual(bodies, ["Hello you", "Not streamed"]);
    assert.deepEqual(memory.blocks, []);
  });

  it("ends what a broken stream left open when the message begins again", () => {
    const again = { type: "stream_event", event: { type: "message_start", message: {} } };
    const { facts } = heard(
      fresh(),
      init,
      start("text"),
      delta("Half a sen"),
      again,
      start("text"),
      delta("Whole"),
      result,
    );
    const bodies = facts.flatMap((fact) => (fact.kind === "item.completed" ? [fact.item.body] : []));
    assert.deepEqual(bodies, ["Half a sen", "Whole"]);
  });

  it("keeps a body within its limit and says that it was cut", () => {
    const memory = fresh();
    const whole = "x".repeat(MAX_BODY_CHARS + 5_000);
    const { facts, grown } = heard(memory, init, start("text"), delta(whole), delta("more"), {
      type: "assistant",
      message: { content: [{ type: "text", text: whole }] },
    });
    const done = facts.find((fact) => fact.kind === "item.completed");
    const body = done?.kind === "item.completed" ? done.item.body : "";
    assert.ok(body.length <= MAX_BODY_CHARS && grown.length <= MAX_BODY_CHARS);
    assert.ok(body.startsWith(grown));
    assert.match(body.slice(-100), /more characters were not kept/u);
  });

  it("keeps control characters and half emoji as they came", () => {
    const { facts } = heard(
      fresh(),
      init,
      toolUse("t", "Bash", { command: "x" }),
      toolResult("t", "\u001b[31mred\u202e\u0000 \ud83d"),
    );
    const done = facts.find((fact) => fact.kind === "item.completed");
    assert.equal(done?.kind === "item.completed" && done.item.body, "\u001b[31mred\u202e\u0000 \ud83d");
  });

  it("ends a turn whose result never came, when Claude is at rest", () => {
    const { facts } = heard(fresh(), init, toolUse("t", "Read", { file_path: "/a" }), {
      type: "system",
      subtype: "session_state_changed",
      state: "idle",
    });
    assert.deepEqual(kinds(facts).slice(-2), ["item.completed", "turn.ended"]);
  });

  it("says a refused sign-in, a limit and a broken service so that a person can mend them", () => {
    const detail = (status: number): string => {
      const failed = {
        ...result,
        is_error: true,
        terminal_reason: "api_error",
        api_error_status: status,
        result: "words of the API",
      };
      const ended = heard(fresh(), init, failed).facts.at(-1);
      return ended?.kind === "turn.ended" && ended.outcome === "failed" ? (ended.detail ?? "") : "";
    };
    assert.match(detail(401), /sign in again.*words of the API/u);
    assert.match(detail(429), /limit is reached/u);
    assert.match(detail(529), /Send the prompt again/u);
    assert.match(detail(400), /refused the request/u);
  });

  it("shows the list of steps, written whole or step by step", () => {
    const memory = fresh();
    const whole = heard(
      memory,
      init,
      toolUse("a", "TodoWrite", {
        todos: [
          { content: "One", status: "completed" },
          { content: "Two", status: "in_progress" },
        ],
      }),
      toolResult("a", "ok"),
    );
    const listed = (facts: Fact[]): unknown[] =>
      facts.flatMap((fact) => (fact.kind === "item.completed" && fact.item.kind === "todo" ? [fact.item.steps] : []));
    assert.deepEqual(listed(whole.facts), [
      [
        { text: "One", state: "done" },
        { text: "Two", state: "doing" },
      ],
    ]);
    const stepwise = heard(
      memory,
      toolUse("b", "TaskCreate", { subject: "One" }),
      toolResult("b", "ok", { tool_use_result: { task: { id: "1", subject: "One" } } }),
      toolUse("c", "TaskUpdate", { taskId: "1", status: "completed" }),
      toolResult("c", "ok", { tool_use_result: { taskId: "1", statusChange: { from: "pending", to: "completed" } } }),
    );
    assert.deepEqual(listed(stepwise.facts), [[{ text: "One", state: "open" }], [{ text: "One", state: "done" }]]);
    assert.ok(!stepwise.facts.some((fact) => fact.kind === "item.began" && fact.item.kind === "tool"));
  });

  it("offers each suggestion in words, and none that says too much", () => {
    const request = (more: object): object => ({
      type: "control_request",
      request_id: "r1",
      request: {
        subtype: "can_use_tool",
        tool_name: "mcp__git-hub__push",
        input: { branch: "main" },
        mcp_server: { name: "git-hub" },
        permission_suggestions: [
          {
            type: "addRules",
            rules: [{ toolName: "mcp__git-hub__push" }],
            behavior: "allow",
            destination: "userSettings",
          },
          { type: "addDirectories", directories: ["/a", "/b"], destination: "session" },
          { type: "setMode", mode: "acceptEdits", destination: "session" },
          { type: "somethingNew", destination: "localSettings" },
        ],
        ...more,
      },
    });
    const opened = heard(fresh(), request({ decision_reason_type: "workingDir", blocked_path: "/etc" })).facts[0];
    assert.ok(opened?.kind === "ask.opened" && opened.ask.kind === "approval");
    assert.equal(opened.ask.evidence.server, "git-hub");
    assert.equal(opened.ask.evidence.reason, "It reaches outside the workspace. It touches /etc.");
    assert.deepEqual(
      opened.ask.choices.map((choice) => [choice.choice, choice.scope]),
      [
        ["once", "once"],
        ["suggestion-0", "always"],
        ["suggestion-1", "session"],
        ["suggestion-2", "session"],
        ["suggestion-3", "always"],
      ],
    );
    assert.match(opened.ask.choices[1]?.label ?? "", /`mcp__git-hub__push` in all projects/u);
    assert.match(opened.ask.choices[2]?.label ?? "", /\/a, \/b/u);
    assert.match(opened.ask.choices[4]?.detail ?? "", /somethingNew/u);
    const careful = heard(fresh(), request({ suppress_always_allow_rule: true })).facts[0];
    assert.ok(careful?.kind === "ask.opened" && careful.ask.kind === "approval");
    assert.equal(careful.ask.choices.length, 4);
  });

  it("turns an MCP server's form into questions and the replies into its fields", () => {
    const memory = fresh();
    const opened = heard(memory, {
      type: "control_request",
      request_id: "e1",
      request: {
        subtype: "elicitation",
        mcp_server_name: "demo",
        message: "Who deploys?",
        requested_schema: {
          properties: {
            who: { type: "string", enum: ["me", "you"] },
            sure: { type: "boolean", title: "Sure?" },
            times: { type: "integer" },
          },
        },
      },
    }).facts[0];
    assert.ok(opened?.kind === "ask.opened" && opened.ask.kind === "question");
    assert.deepEqual(
      opened.ask.questions.map((one) => one.header),
      ["who", "Sure?", "times"],
    );
    assert.equal(opened.ask.questions[0]?.text, "Who deploys?");
    const replies = [
      { question: "q1", picks: ["me"] },
      { question: "q2", picks: ["Yes"] },
      { question: "q3", picks: [], text: "3" },
    ];
    const [line] = settle(memory, "e1", { kind: "replies", replies });
    assert.deepEqual((JSON.parse(line ?? "") as { response: { response: unknown } }).response.response, {
      action: "accept",
      content: { who: "me", sure: true, times: 3 },
    });
  });

  it("answers an ask once, and not after it was withdrawn", () => {
    const memory = fresh();
    const request = (id: string): object => ({
      type: "control_request",
      request_id: id,
      request: { subtype: "can_use_tool", tool_name: "Bash", input: { command: "x" } },
    });
    heard(memory, request("r1"), request("r2"));
    assert.equal(settle(memory, "r1", { kind: "allow", choice: "once" }).length, 1);
    assert.equal(settle(memory, "r1", { kind: "allow", choice: "once" }).length, 0);
    const cancelled = heard(
      memory,
      { type: "control_cancel_request", request_id: "r2" },
      { type: "control_cancel_request", request_id: "r2" },
    );
    assert.deepEqual(kinds(cancelled.facts), ["ask.settled"]);
    assert.equal(settle(memory, "r2", { kind: "deny" }).length, 0);
    assert.deepEqual(memory.asks, {});
  });

  it("asks again with the same line when an act is given again after a crash", () => {
    const stored = JSON.stringify(fresh());
    const prompt = "01900000-0000-7000-8000-000000000001" as PromptId;
    const facts: Fact[] = [
      { kind: "prompt.accepted", prompt, text: "hi", delivery: "queue", by: DEVICE },
      { kind: "interrupt.asked", by: DEVICE },
      { kind: "session.configured", model: "opus", mode: "plan", by: DEVICE },
    ];
    const twice = [0, 1].map(() => {
      const memory = JSON.parse(stored) as Memory;
      return facts.flatMap((fact, place) => claude.act(memory, { seq: place + 1, at: AT, fact }, []));
    });
    assert.deepEqual(twice[0], twice[1]);
    assert.equal(twice[0]?.length, 4);
  });
});

function settle(memory: Memory, ask: string, answer: Answer): readonly string[] {
  const fact: Fact = { kind: "ask.settled", ask: ask as AskId, settlement: { kind: "answered", answer, by: DEVICE } };
  return claude.act(memory, { seq: 1, at: AT, fact }, []);
}
