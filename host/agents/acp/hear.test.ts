/** Lines as agents are known to write them, and as nobody should. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Answer, ApprovalAsk, Ask, PlanAsk } from "@flybridge/protocol/ask.ts";
import { Fact } from "@flybridge/protocol/entry.ts";
import type { AskId, PromptId } from "@flybridge/protocol/ids.ts";
import { MAX_BODY_CHARS } from "@flybridge/protocol/limits.ts";
import { DEVICE } from "@flybridge/testing/driven.ts";
import * as v from "valibot";
import type { Attached } from "../agent.ts";
import { acpAgent } from "./acp.ts";
import { freshMemory, type Memory } from "./memory.ts";
import { KNOWN } from "./known.ts";
import { greetingLine } from "./open.ts";

const AT = 1_000;
const ENTRY = { name: "example", title: "Example", command: ["example"] as const };
const agent = acpAgent(ENTRY);
const PROMPT = "01900000-0000-7000-8000-000000000001" as PromptId;

interface Message {
  readonly id?: number | string;
  readonly method?: string;
  readonly params?: Record<string, unknown>;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly code: number; readonly message: string };
}

/** One process of a session, and all that came of its lines. */
class Heard {
  readonly memory: Memory;
  readonly facts: Fact[] = [];
  readonly writes: Message[] = [];
  grown = "";
  #seq = 0;
  constructor(memory: Memory = freshMemory(ENTRY, "/w")) {
    this.memory = memory;
    this.writes.push(JSON.parse(greetingLine(memory)) as Message);
  }
  /** Through the greeting and into a conversation of that name. */
  static open(result: object = {}, memory?: Memory): Heard {
    const heard = new Heard(memory);
    heard.answer("initialize", { protocolVersion: 1, agentCapabilities: {} });
    heard.answer("session/new", { sessionId: "s1", ...result });
    return heard;
  }
  line(...lines: (string | object)[]): this {
    for (const line of lines) {
      const text = typeof line === "string" ? line : JSON.stringify({ jsonrpc: "2.0", ...line });
      const { drafts, writes } = agent.hear(this.memory, text, AT);
      for (const draft of drafts) {
        if (draft.kind === "grow") this.grown += draft.text;
        else this.facts.push(v.parse(Fact, draft.fact));
      }
      this.writes.push(...writes.map((one) => JSON.parse(one) as Message));
      // As it is stored between two lines.
      Object.assign(this.memory, JSON.parse(JSON.stringify(this.memory)));
    }
    return this;
  }
  update(...updates: object[]): this {
    return this.line(...updates.map((update) => ({ method: "session/update", params: { sessionId: "s1", update } })));
  }
  act(fact: Fact, attached: readonly Attached[] = []): Message[] {
    this.#seq += 1;
    const lines = agent.act(this.memory, { seq: this.#seq, at: AT, fact }, attached);
    const messages = lines.map((one) => JSON.parse(one) as Message);
    this.writes.push(...messages);
    return messages;
  }
  prompt(text = "Hello"): Message[] {
    return this.act({ kind: "prompt.accepted", prompt: PROMPT, text, delivery: "queue", by: DEVICE });
  }
  settle(ask: Ask, answer: Answer): Message[] {
    return this.act({ kind: "ask.settled", ask: ask.ask, settlement: { kind: "answered", answer, by: DEVICE } });
  }
  /** Answers the newest request of that name. */
  answer(method: string, result: Record<string, unknown>): this {
    const id = this.writes.findLast((one) => one.method === method)?.id;
    assert.ok(id !== undefined, `${method} was asked`);
    return this.line({ id, result });
  }
  refuse(method: string, code: number, message: string): this {
    return this.line({ id: this.writes.findLast((one) => one.method === method)?.id, error: { code, message } });
  }
  get asks(): Ask[] {
    return this.facts.flatMap((fact) => (fact.kind === "ask.opened" ? [fact.ask] : []));
  }
  get kinds(): string[] {
    return this.facts.map((fact) => fact.kind);
  }
  get notices(): string[] {
    return this.facts.flatMap((fact) => (fact.kind === "notice" ? [fact.text] : []));
  }
}

const OPTIONS = [
  { optionId: "yes", name: "Allow", kind: "allow_once" },
  { optionId: "no", name: "Reject", kind: "reject_once" },
];

function permission(id: number | string, toolCall: object, options: readonly object[] = OPTIONS): object {
  return { id, method: "session/request_permission", params: { sessionId: "s1", toolCall, options } };
}

describe("acp, by the agents' own ways", () => {
  it("gemini sends no tool_call before it asks: the call is made from the request, and completed by what follows", () => {
    const heard = Heard.open();
    heard.prompt();
    const content = [{ type: "content", content: { type: "text", text: "[current working directory /w] (List)" } }];
    heard.line(
      permission(
        0,
        { toolCallId: "shell__1", status: "pending", title: "ls -la", content, locations: [], kind: "execute" },
        [
          { optionId: "proceed_always", name: "Allow for this session", kind: "allow_always" },
          { optionId: "proceed_once", name: "Allow", kind: "allow_once" },
          { optionId: "cancel", name: "Reject", kind: "reject_once" },
        ],
      ),
    );
    const ask = heard.asks[0] as ApprovalAsk;
    assert.equal(ask.evidence.command, "ls -la");
    assert.equal(ask.evidence.purpose, "[current working directory /w] (List)");
    assert.deepEqual(
      ask.choices.map(({ label, scope }) => `${label}: ${scope}`),
      ["Allow: once", "Allow for this session: session"],
    );
    const [line] = heard.settle(ask, { kind: "allow", choice: ask.choices[0]?.choice ?? "" });
    assert.deepEqual(line?.result, { outcome: { outcome: "selected", optionId: "proceed_once" } });
    heard.update({
      sessionUpdate: "tool_call_update",
      toolCallId: "shell__1",
      status: "completed",
      title: "ls -la",
      content: [],
      kind: "execute",
    });
    const done = heard.facts.at(-1);
    assert.ok(done?.kind === "item.completed" && done.item.kind === "tool");
    assert.deepEqual([done.item.tool.object, done.item.tool.state, done.item.body], ["ls -la", "done", ""]);
    assert.equal(done.item.item, ask.item);
  });

  it("gemini says nothing more of a call that was refused: it ends as refused with its turn", () => {
    const heard = Heard.open();
    heard.prompt();
    heard.line(permission(0, { toolCallId: "c", title: "rm -rf /", kind: "execute" }));
    heard.settle(heard.asks[0] as Ask, { kind: "deny" });
    heard.answer("session/prompt", { stopReason: "end_turn" });
    const done = heard.facts.find((fact) => fact.kind === "item.completed");
    assert.ok(done?.kind === "item.completed" && done.item.kind === "tool");
    assert.equal(done.item.tool.state, "refused");
  });

  it("opencode calls fs/write_text_file although told not to: an error each time, no notice, nothing written", () => {
    const heard = Heard.open();
    heard.line(
      { id: 7, method: "fs/write_text_file", params: { sessionId: "s1", path: "/w/x", content: "x" } },
      { id: 8, method: "fs/read_text_file", params: { sessionId: "s1", path: "/etc/passwd" } },
    );
    assert.deepEqual(
      heard.writes.slice(-2).map(({ id, error }) => [id, error?.code]),
      [
        [7, -32_601],
        [8, -32_601],
      ],
    );
    assert.deepEqual(heard.notices, []);
  });

  it("opencode begins a call before it knows what with: the item waits for it", () => {
    const heard = Heard.open();
    heard.prompt();
    heard.update({
      sessionUpdate: "tool_call",
      toolCallId: "c",
      title: "bash",
      kind: "execute",
      status: "pending",
      locations: [{ path: "/w" }],
      rawInput: { cwd: "/w" },
    });
    assert.ok(!heard.kinds.includes("item.began"));
    heard.update({
      sessionUpdate: "tool_call_update",
      toolCallId: "c",
      status: "in_progress",
      title: "npm test",
      rawInput: { command: "npm test", cwd: "/w" },
    });
    const began = heard.facts.at(-1);
    assert.ok(began?.kind === "item.began" && began.item.kind === "tool");
    assert.deepEqual([began.item.tool.name, began.item.tool.object], ["Run", "npm test"]);
    heard.update({
      sessionUpdate: "tool_call_update",
      toolCallId: "c",
      status: "completed",
      rawOutput: { output: "ok\n", metadata: { exit: 0 } },
    });
    const done = heard.facts.at(-1);
    assert.ok(done?.kind === "item.completed" && done.item.kind === "tool");
    assert.deepEqual([done.item.body, done.item.tool.exit], ["ok\n", 0]);
  });

  it("opencode's reject ends the turn with no text, which is said once", () => {
    const heard = Heard.open();
    heard.prompt();
    heard.line(permission(0, { toolCallId: "c", title: "ls", kind: "execute" }));
    heard.settle(heard.asks[0] as Ask, { kind: "deny" });
    heard.answer("session/prompt", { stopReason: "end_turn" });
    assert.deepEqual(heard.notices, ["Example ended its turn when it was told no. Send a prompt to go on."]);
  });

  it("claude-agent-acp asks for its plan as a permission: its options are the ways to approve, each with its scope", () => {
    const heard = Heard.open();
    heard.prompt();
    const content = [{ type: "content", content: { type: "text", text: "# Plan" } }];
    heard.line(
      permission("p1", { toolCallId: "toolu_1", title: "Ready to code?", kind: "switch_mode", content, rawInput: {} }, [
        { optionId: "exit-plan-auto", name: "Yes, and auto-accept edits", kind: "allow_always" },
        { optionId: "exit-plan-default", name: "Yes, and ask for each edit", kind: "allow_once" },
        { optionId: "reject", name: "No, keep planning", kind: "reject_once" },
      ]),
    );
    const ask = heard.asks[0] as PlanAsk;
    assert.deepEqual(
      [ask.kind, ask.plan, ask.choices.map(({ label }) => label)],
      ["plan", "# Plan", ["Yes, and ask for each edit", "Yes, and auto-accept edits"]],
    );
    const [line] = heard.settle(ask, { kind: "approve", choice: ask.choices[1]?.choice ?? "" });
    assert.deepEqual(
      [line?.id, line?.result],
      ["p1", { outcome: { outcome: "selected", optionId: "exit-plan-auto" } }],
    );
  });

  it("codex-acp would let a reviewer answer: a mode in which a person is asked is taken, unless one was chosen", () => {
    const entry = KNOWN.find(({ name }) => name === "codex-acp");
    assert.ok(entry);
    const modes = {
      currentModeId: "agent",
      availableModes: ["read-only", "agent", "agent-full-access"].map((id) => ({ id, name: id })),
    };
    const heard = Heard.open({ modes }, freshMemory(entry, "/w"));
    assert.deepEqual(heard.writes.at(-1)?.params, { sessionId: "s1", modeId: "read-only" });
    // Not before it is so: the first prompt waits for it.
    assert.deepEqual(heard.prompt(), []);
    heard.answer("session/set_mode", {});
    assert.equal(heard.writes.at(-1)?.method, "session/prompt");
    const memory: Memory = { ...freshMemory(entry, "/w"), wanted: { mode: "agent-full-access" } };
    assert.deepEqual(Heard.open({ modes }, memory).writes.at(-1)?.params, {
      sessionId: "s1",
      modeId: "agent-full-access",
    });
  });

  it("gemini answers session/load before it has repeated what was said: it is heard out, and the prompt waits", () => {
    const heard = new Heard({ ...freshMemory(ENTRY, "/w"), conversation: "s1" });
    const said = (text: string): object => ({ sessionUpdate: "agent_message_chunk", content: { type: "text", text } });
    heard.answer("initialize", { protocolVersion: 1, agentCapabilities: { loadSession: true } });
    heard.prompt();
    heard.answer("session/load", {}).update(said("old")).answer("_flybridge/arrived", {});
    heard.update(said("older")).refuse("_flybridge/arrived", -32_601, "what?");
    assert.ok(!heard.writes.some(({ method }) => method === "session/prompt"));
    heard.refuse("_flybridge/arrived", -32_601, "what?");
    assert.equal(heard.writes.at(-1)?.method, "session/prompt");
    heard.update(said("new")).answer("session/prompt", { stopReason: "end_turn" });
    assert.equal(heard.grown, "new");
  });

  it("a command given as words is shown as it would be typed", () => {
    const heard = Heard.open();
    const command = ["/bin/bash", "-lc", "echo 'it''s' && ls"];
    heard.line(permission(1, { toolCallId: "c", kind: "execute", title: "Run", rawInput: { command, cwd: "/x" } }));
    const { evidence } = heard.asks[0] as ApprovalAsk;
    assert.equal(evidence.command, `/bin/bash -lc 'echo '\\''it'\\'''\\''s'\\'' && ls'`);
    assert.equal(evidence.directory, "/x");
  });
});

describe("acp, whatever comes", () => {
  it("gives a prompt again after a crash as the same line, and never two", () => {
    const heard = Heard.open();
    const stored = JSON.stringify(heard.memory);
    const first = heard.prompt();
    const again = new Heard(JSON.parse(stored) as Memory);
    again.memory.count = (JSON.parse(stored) as Memory).count;
    assert.deepEqual(again.prompt(), first);
    // The same memory, given it twice before anything was heard.
    assert.deepEqual(heard.prompt(), first);
    heard.line({ method: "session/update", params: {} });
    assert.deepEqual(heard.prompt(), []);
    assert.deepEqual(heard.kinds.filter((kind) => kind === "prompt.taken").length, 1);
  });

  it("answers an ask once, and one that is repeated is the same one", () => {
    const heard = Heard.open();
    heard.line(permission(3, { toolCallId: "c", title: "x", kind: "execute" }));
    heard.line(permission(3, { toolCallId: "c", title: "x", kind: "execute" }));
    assert.equal(heard.asks.length, 1);
    const [ask] = heard.asks;
    assert.ok(ask);
    assert.equal(heard.settle(ask, { kind: "allow", choice: "option-0" }).length, 1);
    assert.deepEqual(heard.settle(ask, { kind: "deny" }), []);
    assert.deepEqual(heard.settle({ ...ask, ask: "constructor" as AskId }, { kind: "deny" }), []);
    // The same number, later: JSON-RPC allows it, and it is another request.
    heard.line(permission(3, { toolCallId: "d", title: "y", kind: "execute" }));
    assert.equal(new Set(heard.asks.map((one) => one.ask)).size, 2);
  });

  it("takes back what the agent takes back, and what is open when the turn ends", () => {
    const heard = Heard.open();
    heard.prompt();
    heard.line(permission(3, { toolCallId: "c", title: "x" }), {
      method: "$/cancel_request",
      params: { requestId: 3 },
    });
    assert.equal(heard.facts.at(-1)?.kind, "ask.settled");
    assert.equal(heard.writes.at(-1)?.error?.code, -32_800);
    heard.line({
      id: "e",
      method: "elicitation/create",
      params: { mode: "url", url: "https://x", elicitationId: "e1", message: "Go" },
    });
    heard.line({ method: "elicitation/complete", params: { elicitationId: "e1" } });
    assert.equal(heard.facts.at(-1)?.kind, "ask.settled");
    heard.line(permission(4, { toolCallId: "d", title: "x" }));
    heard.answer("session/prompt", { stopReason: "end_turn" });
    assert.deepEqual(heard.kinds.slice(-2), ["ask.settled", "turn.ended"]);
    assert.deepEqual(heard.writes.at(-1)?.result, { outcome: { outcome: "cancelled" } });
    assert.deepEqual(heard.memory.asks, {});
  });

  it("refuses for the person where there is no way to say yes, or too much at once", () => {
    const heard = Heard.open();
    heard.line(permission(1, { toolCallId: "c" }, [{ optionId: "never", name: "No", kind: "reject_always" }]));
    assert.deepEqual(heard.writes.at(-1)?.result, { outcome: { outcome: "selected", optionId: "never" } });
    heard.line(permission(2, { toolCallId: "c" }, []));
    assert.deepEqual(heard.writes.at(-1)?.result, { outcome: { outcome: "cancelled" } });
    assert.equal(heard.asks.length, 0);
    for (let id = 10; id < 60; id += 1) heard.line(permission(id, { toolCallId: `c${id}`, title: "x" }));
    assert.equal(heard.asks.length, 16);
    assert.equal(heard.writes.filter(({ result }) => result !== undefined).length, 36);
  });

  it("an interrupt and a request that cross: it is cancelled at once, and not shown", () => {
    const heard = Heard.open();
    heard.prompt();
    heard.line({ method: "session/update", params: {} });
    assert.deepEqual(
      heard.act({ kind: "interrupt.asked", by: DEVICE }).map(({ method }) => method),
      ["session/cancel"],
    );
    heard.line(permission(1, { toolCallId: "c" }));
    assert.deepEqual([heard.asks.length, heard.writes.at(-1)?.result], [0, { outcome: { outcome: "cancelled" } }]);
    heard.refuse("session/prompt", -32_603, "aborted");
    const ended = heard.facts.at(-1);
    assert.ok(ended?.kind === "turn.ended" && ended.outcome === "interrupted");
  });

  it("a form whose request a rule of the host answers is answered like a person's", () => {
    const heard = Heard.open();
    heard.line(permission(1, { toolCallId: "c", title: "x", kind: "execute" }));
    const [ask] = heard.asks;
    assert.ok(ask);
    const settlement = {
      kind: "ruled",
      answer: { kind: "allow", choice: "option-0" },
      rule: "0".repeat(16),
      by: DEVICE,
    };
    const fact = v.parse(Fact, { kind: "ask.settled", ask: ask.ask, settlement });
    assert.deepEqual(heard.act(fact)[0]?.result, { outcome: { outcome: "selected", optionId: "yes" } });
  });

  it("survives names that are JavaScript's own, fields of other types and answers to nobody", () => {
    const heard = Heard.open();
    heard.prompt();
    for (const id of ["__proto__", "constructor", "toString", ""]) {
      heard.update(
        {
          sessionUpdate: "tool_call",
          toolCallId: id,
          title: id,
          kind: id,
          status: "in_progress",
          rawInput: { __proto__: 1 },
        },
        { sessionUpdate: "tool_call_update", toolCallId: id, status: "completed" },
        { sessionUpdate: "tool_call_update", toolCallId: id, status: "completed" },
      );
      heard.line({ id, result: {} }, { id, error: { code: 1, message: id } });
      heard.line({ id: `r${id}`, method: id || "x" });
    }
    assert.equal(heard.kinds.filter((kind) => kind === "item.completed").length, 4);
    heard.update(
      { sessionUpdate: 3 },
      { sessionUpdate: "plan", entries: [null, 3, { content: 5 }] },
      { sessionUpdate: "tool_call", content: "x", locations: {} },
    );
    heard.line(
      "null",
      "[]",
      "3",
      '"x"',
      "{}",
      '{"jsonrpc":"2.0","id":null,"method":"x"}',
      '{"id":{},"method":"session/request_permission"}',
    );
    heard.answer("session/prompt", { stopReason: 7 });
    assert.equal(heard.facts.at(-1)?.kind, "turn.ended");
  });

  it("keeps a body and a number of open calls within their limits", () => {
    const heard = Heard.open();
    heard.prompt();
    const chunk = { sessionUpdate: "agent_message_chunk", content: { type: "text", text: "x".repeat(400_000) } };
    heard.update(chunk, chunk, chunk, chunk);
    for (let at = 0; at < 300; at += 1)
      heard.update({
        sessionUpdate: "tool_call",
        toolCallId: `c${at}`,
        title: "x",
        kind: "execute",
        status: "in_progress",
      });
    assert.ok(Object.keys(heard.memory.tools).length < 140);
    assert.ok(heard.grown.length <= MAX_BODY_CHARS);
    const output = { type: "content", content: { type: "text", text: "y".repeat(3_000_000) } };
    heard.update({ sessionUpdate: "tool_call_update", toolCallId: "c299", status: "completed", content: [output] });
    const done = heard.facts.at(-1);
    assert.ok(done?.kind === "item.completed" && done.item.body.length <= MAX_BODY_CHARS);
    assert.match(done.item.body.slice(-80), /more characters were not kept/u);
  });

  it("ends when a sub-agent's conversation asks, and shows nothing else of it", () => {
    const heard = Heard.open();
    heard.line({
      method: "session/update",
      params: {
        sessionId: "other",
        update: { sessionUpdate: "agent_message_chunk", content: { type: "text", text: "inner" } },
      },
    });
    assert.equal(heard.grown, "");
    heard.line({
      id: 1,
      method: "session/request_permission",
      params: { sessionId: "other", toolCall: { title: "x" }, options: OPTIONS },
    });
    assert.equal(heard.asks[0]?.from, "A sub-agent");
  });

  it("signs in with what the environment stands for, once, and then asks the person", () => {
    const memory: Memory = { ...freshMemory(ENTRY, "/w"), authenticate: "the-key" };
    const heard = new Heard(memory);
    const authMethods = [
      { id: "the-key", name: "A key" },
      { id: "web", name: "In the browser", description: "Opens it" },
    ];
    heard.answer("initialize", { protocolVersion: 1, agentCapabilities: {}, authMethods });
    heard.refuse("session/new", -32_000, "Authentication required");
    assert.deepEqual(heard.writes.at(-1)?.params, { methodId: "the-key" });
    heard.answer("authenticate", {});
    assert.equal(heard.writes.at(-1)?.method, "session/new");
    heard.refuse("session/new", -32_000, "Authentication required");
    assert.match(
      heard.notices[0] ?? "",
      /not signed in.*It offers: A key; In the browser \(Opens it\)\. Then send the prompt again/u,
    );
  });
});
