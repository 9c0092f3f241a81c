/** The adapter against an agent that speaks the whole protocol, as a process; its model is the script in the prompt. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import type { ApprovalAsk, Ask, PlanAsk, QuestionAsk } from "@flybridge/protocol/ask.ts";
import { uuid7From, type SessionId } from "@flybridge/protocol/ids.ts";
import type { Continued } from "@flybridge/protocol/conversation.ts";
import type { ToolItem } from "@flybridge/protocol/item.ts";
import { DEVICE, drive, type Driven } from "@flybridge/testing/driven.ts";
import type { Manner } from "@flybridge/testing/example-agent.ts";
import { agentContract } from "../agent.contract.ts";
import { acpAgent } from "./acp.ts";

const PROGRAM = join(import.meta.dirname, "..", "..", "..", "testing", "example-agent.ts");
const example = acpAgent({ name: "example", title: "Example", command: [process.execPath, PROGRAM] });

/** Words for a recording that is long enough to mean something. */
const LONG = "one word after the other. ".repeat(20);

const session = uuid7From(1, new Uint8Array(10)) as string as SessionId;

interface Sitting {
  readonly manner?: Manner;
  readonly model?: string;
  readonly mode?: string;
  readonly before?: unknown;
  readonly from?: Continued;
  readonly env?: Readonly<Record<string, string>>;
}

function sit({ manner = {}, env = {}, ...more }: Sitting = {}): Promise<Driven> {
  const whole = { PATH: process.env["PATH"] ?? "", EXAMPLE_AGENT: JSON.stringify(manner), ...env };
  return drive(example, { session, workspace: process.cwd(), env: whole, ...more });
}

function folder(): { readonly path: string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), "flybridge-acp-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

function tools(driven: Driven): ToolItem[] {
  return driven.items().filter((item) => item.kind === "tool");
}

function spoken(driven: Driven): string[] {
  return driven.items().flatMap((item) => (item.kind === "words" ? [item.body] : []));
}

function notices(driven: Driven): string[] {
  return driven.entries.flatMap((entry) => (entry.fact.kind === "notice" ? [entry.fact.text] : []));
}

/** Prompts, and gives the ask that comes of it. */
async function asking(driven: Driven, text: string): Promise<Ask> {
  const asked = driven.ask();
  driven.prompt(text);
  return asked;
}

async function turnAfter(driven: Driven, work: () => void): ReturnType<Driven["turn"]> {
  const before = driven.entries.length;
  work();
  return driven.fact("turn.ended", undefined, before);
}

agentContract("acp", {
  agent: example,
  record: async () => {
    await using driven = await sit();
    const first = await asking(
      driven,
      '[[think Hm, let me think.]][[text Words that stream for a while]][[tool execute {"command":"ls"}]][[+tool edit {"path":"/w/a","oldText":"a\\n","newText":"b\\n"}]][[steps one|two]][[text Done with it.]]',
    );
    await driven.until(() => driven.state().asks.length === 2, "both asks");
    const second = driven.state().asks[1]?.ask ?? first;
    driven.answer(first, { kind: "allow", choice: "option-1" });
    const ended = turnAfter(driven, () => driven.answer(second, { kind: "deny", reason: "No" }));
    await ended;
    await driven.until(
      () => driven.state().running === undefined && spoken(driven).some((one) => /You said/u.test(one)),
      "the reason's turn",
    );
    await driven.turn(
      `[[text And some more words, in a turn of their own, so that there is enough to hear of it again: ${LONG}]]`,
    );
    await asking(driven, '[[text Asking]][[tool execute {"command":"touch y"}]]');
    await turnAfter(driven, () => driven.give({ kind: "interrupt.asked", by: DEVICE }));
    return driven.recording;
  },
});

describe("acp with an agent that speaks all of it", { concurrency: 4 }, () => {
  it("opens a conversation, says what it offers, and streams thoughts and words", async () => {
    await using driven = await sit();
    const ended = await driven.turn("[[think Let me see.]][[text Hello to you too, my friend.]]");
    assert.equal(ended.outcome, "completed");
    assert.deepEqual(ended.usage, { input: 100, output: 10, cached: 0 });
    const state = driven.state();
    assert.deepEqual([state.version, state.mode, state.model], ["1.2.3", "ask", "small"]);
    assert.deepEqual(
      state.modes?.map((mode) => mode.value),
      ["ask", "auto"],
    );
    assert.deepEqual(
      state.settings?.map(({ setting, value }) => [setting, value]),
      [["loud", "false"]],
    );
    const [thought, words] = driven.items();
    assert.deepEqual(
      [thought?.kind, thought?.body, words?.kind, words?.body],
      ["thought", "Let me see.", "words", "Hello to you too, my friend."],
    );
    assert.ok(driven.deltas.length > 3);
    assert.equal(driven.state().prompts.length, 0);
  });

  it("says that a prompt has arrived before the agent says a word", async () => {
    await using driven = await sit();
    await driven.fact("agent.reported");
    const prompt = driven.prompt("[[hang]]");
    await driven.fact("prompt.taken", (fact) => fact.prompt === prompt);
    assert.ok(driven.state().running);
    const ended = await turnAfter(driven, () => driven.give({ kind: "interrupt.asked", by: DEVICE }));
    assert.equal(ended.outcome, "interrupted");
  });

  it("asks with the agent's own ways to say yes, once first, and shows what for", async () => {
    await using driven = await sit();
    const ask = (await asking(
      driven,
      '[[text I will.]][[tool execute {"command":"touch a","cwd":"/w"}]]',
    )) as ApprovalAsk;
    assert.deepEqual(
      ask.choices.map(({ label, scope }) => [label, scope]),
      [
        ["Allow", "once"],
        ["Always allow", "always"],
      ],
    );
    const { command, directory, kind, input } = ask.evidence;
    assert.deepEqual([command, directory, kind], ["touch a", "/w", "command"]);
    assert.deepEqual(JSON.parse(input), { command: "touch a", cwd: "/w" });
    const open = driven.state().items[0]?.item;
    assert.equal(ask.item, open);
    await turnAfter(driven, () => driven.answer(ask, { kind: "allow", choice: ask.choices[0]?.choice ?? "" }));
    assert.deepEqual(
      tools(driven).map(({ body, tool }) => [tool.name, tool.object, tool.state, body]),
      [["Run", "touch a", "done", "ran execute"]],
    );
    const again = (await asking(driven, '[[tool execute {"command":"touch b"}]]')) as ApprovalAsk;
    await turnAfter(driven, () => driven.answer(again, { kind: "allow", choice: again.choices[1]?.choice ?? "" }));
    await driven.turn('[[tool execute {"command":"touch c"}]]');
    assert.equal(driven.state().asks.length, 0);
    assert.deepEqual(
      tools(driven).map(({ tool }) => tool.state),
      ["done", "done", "done"],
    );
  });

  it("shows an edit as a diff, with the file it is about", async () => {
    await using driven = await sit();
    const ask = (await asking(
      driven,
      '[[tool edit {"path":"/w/a.txt","oldText":"one\\ntwo\\n","newText":"one\\n2\\n"}]]',
    )) as ApprovalAsk;
    assert.equal(ask.evidence.path, "/w/a.txt");
    assert.equal(ask.evidence.edits[0]?.diff, "@@ -1,2 +1,2 @@\n one\n-two\n+2");
    await turnAfter(driven, () => driven.answer(ask, { kind: "allow", choice: "option-1" }));
    const [tool] = tools(driven);
    assert.deepEqual([tool?.tool.kind, tool?.tool.object, tool?.tool.edits.length], ["edit", "/w/a.txt", 1]);
  });

  it("has two permissions open at once, answered in any order", async () => {
    await using driven = await sit();
    driven.prompt(
      '[[text Both.]][[+tool execute {"command":"touch a"}]][[+tool execute {"command":"touch b"}]][[text After.]]',
    );
    await driven.until(() => driven.state().asks.length === 2, "both asks");
    const [one, two] = driven.state().asks.map(({ ask }) => ask as ApprovalAsk);
    assert.ok(one && two);
    driven.answer(two, { kind: "allow", choice: "option-1" });
    await driven.until(() => tools(driven).length === 1, "the second call");
    await turnAfter(driven, () => driven.answer(one, { kind: "deny" }));
    const states = tools(driven).map(({ tool }) => `${tool.object} ${tool.state}`);
    assert.deepEqual(states, ["touch b done", "touch a refused"]);
    // Answered once more, by a device that was late: nothing is written.
    const written = driven.written.length;
    driven.answer(one, { kind: "allow", choice: "option-1" });
    assert.equal(driven.written.length, written);
  });

  it("brings the reason of a refusal to the agent as a prompt, and says so", async () => {
    await using driven = await sit();
    const ask = await asking(driven, '[[tool execute {"command":"touch a"}]][[text Then not.]]');
    driven.answer(ask, { kind: "deny", reason: "Use mkdir." });
    await driven.until(() => spoken(driven).some((one) => one.includes("Use mkdir.")), "the reason");
    assert.ok(spoken(driven).includes('You said: I said no to "touch a". Use mkdir.'));
    assert.ok(notices(driven).some((one) => /takes no reason/u.test(one)));
  });

  it("shows a plan as a plan; feedback and a changed plan reach the agent as prompts", async () => {
    await using driven = await sit();
    const ask = (await asking(driven, '[[tool switch_mode {"plan":"# Plan\\n1. Begin"}]]')) as PlanAsk;
    assert.deepEqual([ask.kind, ask.plan], ["plan", "# Plan\n1. Begin"]);
    await turnAfter(driven, () => driven.answer(ask, { kind: "approve", choice: ask.choices[0]?.choice ?? "" }));
    assert.equal(tools(driven).at(-1)?.tool.state, "done");
    const second = await asking(driven, '[[tool switch_mode {"plan":"# Plan"}]]');
    driven.answer(second, { kind: "revise", feedback: "Shorter." });
    await driven.until(() => spoken(driven).includes("You said: Shorter."), "the feedback");
    await driven.until(() => driven.state().running === undefined, "the end of its turn");
    const third = await asking(driven, '[[tool switch_mode {"plan":"# Plan"}]]');
    driven.answer(third, { kind: "approve", choice: "option-1", edited: "# Another" });
    await driven.until(() => spoken(driven).some((one) => one.includes("# Another")), "the changed plan");
    assert.equal(tools(driven).at(-1)?.tool.state, "refused");
  });

  it("asks a form as questions and gives the replies as its fields", async () => {
    await using driven = await sit();
    const schema = {
      type: "object",
      required: ["who", "times"],
      properties: {
        who: {
          type: "string",
          title: "Who?",
          oneOf: [
            { const: "me", title: "I do" },
            { const: "you", title: "You do" },
          ],
        },
        times: { type: "integer", minimum: 1, maximum: 5, default: 2 },
        sure: { type: "boolean" },
        where: { type: "array", items: { type: "string", enum: ["a", "b", "c"] } },
        mail: { type: "string", format: "email" },
        key: { type: "string", format: "password" },
      },
    };
    const ask = (await asking(driven, `[[tool form ${JSON.stringify(schema)}]]`)) as QuestionAsk;
    assert.deepEqual(
      ask.questions.map(({ header, many, secret, options }) => [
        header,
        many,
        secret,
        options.map(({ label }) => label),
      ]),
      [
        ["Who?", false, false, ["I do", "You do"]],
        ["times", false, false, []],
        ["sure", false, false, ["Yes", "No"]],
        ["where", true, false, ["a", "b", "c"]],
        ["mail", false, false, []],
        ["key", false, true, []],
      ],
    );
    assert.match(ask.questions[0]?.text ?? "", /^Please say\.$/u);
    assert.match(ask.questions[1]?.text ?? "", /A whole number \(1 to 5\)\. Without an answer: 2\./u);
    const replies = [
      { question: "q1", picks: ["You do"] },
      { question: "q2", picks: [], text: "many" },
      { question: "q3", picks: ["No"] },
      { question: "q4", picks: ["a", "c"] },
    ];
    await turnAfter(driven, () => driven.answer(ask, { kind: "replies", replies }));
    const content = { who: "you", times: 2, sure: false, where: ["a", "c"] };
    assert.deepEqual(spoken(driven), [`elicited: ${JSON.stringify({ action: "accept", content })}`]);
    const second = await asking(driven, `[[tool form ${JSON.stringify(schema)}]]`);
    await turnAfter(driven, () => driven.answer(second, { kind: "replies", replies: [] }));
    assert.equal(spoken(driven).at(-1), 'elicited: {"action":"decline"}');
    assert.ok(notices(driven).some((one) => /needs a fitting answer to "Who\?"/u.test(one)));
    const third = await asking(driven, `[[tool form ${JSON.stringify(schema)}]]`);
    await turnAfter(driven, () => driven.answer(third, { kind: "deny" }));
    assert.equal(spoken(driven).at(-1), 'elicited: {"action":"decline"}');
  });

  it("shows an address to open in full, and opens nothing itself", async () => {
    await using driven = await sit();
    const script = '[[tool address {"url":"https://example.com/sign-in?x=1"}]]';
    const ask = (await asking(driven, script)) as ApprovalAsk;
    assert.equal(ask.evidence.url, "https://example.com/sign-in?x=1");
    await turnAfter(driven, () => driven.answer(ask, { kind: "allow", choice: "opened" }));
    assert.equal(spoken(driven).at(-1), 'elicited: {"action":"accept"}');
    const second = await asking(driven, script);
    await turnAfter(driven, () => driven.answer(second, { kind: "deny" }));
    assert.equal(spoken(driven).at(-1), 'elicited: {"action":"decline"}');
    const third = await asking(driven, script + "[[text x]]");
    await turnAfter(driven, () => driven.give({ kind: "interrupt.asked", by: DEVICE }));
    assert.deepEqual(
      driven.state().asks.map(({ ask: one }) => one.ask),
      [],
    );
    assert.equal(driven.entries.filter(({ fact }) => fact.kind === "ask.settled" && fact.ask === third.ask).length, 1);
  });

  it("answers what is open with `cancelled` when a turn is interrupted, and takes it back", async () => {
    await using driven = await sit();
    driven.prompt('[[+tool execute {"command":"touch a"}]][[+tool execute {"command":"touch b"}]][[text After.]]');
    await driven.until(() => driven.state().asks.length === 2, "both asks");
    const ended = await turnAfter(driven, () => driven.give({ kind: "interrupt.asked", by: DEVICE }));
    assert.equal(ended.outcome, "interrupted");
    assert.equal(driven.state().asks.length, 0);
    const answers = driven.written.filter((line) => line.includes('"outcome":"cancelled"'));
    assert.equal(answers.length, 2);
    assert.equal((await driven.turn("[[text On we go.]]")).outcome, "completed");
  });

  it("keeps what steers until the turn is over, says so once, and lets it be taken back", async () => {
    await using driven = await sit();
    const ask = await asking(driven, '[[tool execute {"command":"sleep"}]][[text First.]]');
    driven.prompt("[[text Second.]]", "steer");
    const gone = driven.prompt("[[text Third.]]", "steer");
    driven.give({ kind: "prompt.withdrawn", prompt: gone, by: DEVICE });
    driven.answer(ask, { kind: "allow", choice: "option-1" });
    await driven.until(() => spoken(driven).includes("Second."), "the prompt that steered");
    await driven.turn("[[text Fourth.]]");
    assert.deepEqual(spoken(driven), ["First.", "Second.", "Fourth."]);
    assert.equal(notices(driven).filter((one) => /takes nothing into a running turn/u.test(one)).length, 1);
  });

  it("changes model, mode and settings, and undoes what the agent refuses", async () => {
    await using driven = await sit();
    await driven.turn("[[text Hello.]]");
    driven.give({ kind: "session.configured", model: "large", mode: "auto", by: DEVICE });
    driven.give({ kind: "session.configured", setting: { setting: "loud", value: "true" }, by: DEVICE });
    await driven.turn('[[tool execute {"command":"x"}]]');
    const { model, mode, settings } = driven.state();
    assert.deepEqual([model, mode, settings?.[0]?.value], ["large", "auto", "true"]);
    driven.give({ kind: "session.configured", mode: "reckless", by: DEVICE });
    await driven.fact("notice", (fact) => /did not change the mode to "reckless"/u.test(fact.text));
    await driven.until(() => driven.state().mode === "auto", "the mode that holds");
  });

  it("has the chosen mode before the first prompt, also by the older method", async () => {
    for (const cannot of [[], ["options"]]) {
      await using driven = await sit({ mode: "auto", manner: { cannot } });
      await driven.turn('[[tool execute {"command":"x"}]]');
      assert.equal(tools(driven)[0]?.tool.state, "done");
      assert.equal(driven.state().mode, "auto");
    }
  });

  it("takes the conversation up again in a new process, without telling it twice", async () => {
    for (const cannot of [[], ["resume"]]) {
      using place = folder();
      const manner: Manner = { folder: place.path, cannot };
      const first = await sit({ manner });
      await first.turn("[[text Before.]]");
      const before: unknown = JSON.parse(JSON.stringify(first.memory()));
      await first[Symbol.asyncDispose]();
      await using second = await sit({ manner, before });
      await second.turn("[[text After.]]");
      assert.deepEqual(spoken(second), ["After."]);
      assert.deepEqual(notices(second), []);
      assert.ok(second.written.some((line) => line.includes(cannot.length === 0 ? "session/resume" : "session/load")));
    }
  });

  it("goes on in a new conversation, and says so, where the old one is gone or cannot be taken up", async () => {
    using place = folder();
    const first = await sit({ manner: { folder: place.path } });
    await first.turn("[[text Before.]]");
    const before: unknown = JSON.parse(JSON.stringify(first.memory()));
    await first[Symbol.asyncDispose]();
    for (const manner of [{}, { cannot: ["load", "resume"] }]) {
      await using second = await sit({ manner, before });
      assert.equal((await second.turn("[[text After.]]")).outcome, "completed");
      assert.ok(notices(second).some((one) => /knows nothing of what is above/u.test(one)));
    }
  });

  it("shows what was said before where a conversation from elsewhere is gone on with, or copied", async () => {
    using place = folder();
    const manner: Manner = { folder: place.path };
    const elsewhere = await sit({ manner });
    await elsewhere.turn(
      'Do it. [[think Hm.]][[tool read {"path":"/w/a","quiet":true}]][[steps one|two]][[text Said before.]]',
    );
    const { conversation = "" } = elsewhere.memory() as { conversation?: string };
    await elsewhere[Symbol.asyncDispose]();
    for (const fork of [true, false]) {
      await using driven = await sit({ manner, from: { conversation, fork } });
      await driven.fact("agent.reported", (fact) => fact.version !== undefined);
      assert.deepEqual(
        driven.items().map((item) => item.kind),
        ["prompt", "thought", "tool", "todo", "words"],
      );
      assert.match(driven.items()[0]?.body ?? "", /^Do it\./u);
      assert.equal((driven.memory() as { conversation: string }).conversation === conversation, !fork);
      await driven.turn("[[text And now.]]");
      assert.deepEqual(spoken(driven), ["Said before.", "And now."]);
    }
    await using gone = await sit({ manner, from: { conversation: "nobody-knows", fork: false } });
    const ended = await gone.turn("Hello");
    assert.equal(ended.outcome, "failed");
    assert.match(ended.detail ?? "", /could not open the conversation/u);
  });

  it("keeps a long history within its bounds, and says how much is missing", async () => {
    using place = folder();
    const history = Array.from({ length: 3_000 }, (_, at) => ({
      sessionUpdate: at % 2 === 0 ? "user_message_chunk" : "agent_message_chunk",
      content: { type: "text", text: `${at} ${"x".repeat(500)}` },
    }));
    writeFileSync(
      join(place.path, "long.json"),
      JSON.stringify({ cwd: "/", mode: "ask", model: "small", loud: false, history }),
    );
    await using driven = await sit({ manner: { folder: place.path }, from: { conversation: "long", fork: false } });
    await driven.fact("agent.reported", (fact) => fact.version !== undefined);
    const items = driven.items();
    assert.equal(items.length, 400);
    assert.match(items.at(-1)?.body ?? "", /^2999 /u);
    assert.ok(notices(driven).some((one) => one.startsWith("2600 earlier things")));
  });

  it("says how a turn ended that did not end well", async () => {
    await using driven = await sit();
    const detail = async (script: string): Promise<string> => {
      const { outcome, detail: words = "" } = await driven.turn(script);
      assert.equal(outcome, "failed");
      return words;
    };
    assert.match(await detail("[[text Half]][[stop max_tokens]]"), /limit of tokens/u);
    assert.match(await detail("[[stop max_turn_requests]]"), /limit of steps/u);
    assert.match(await detail("[[stop refusal]]"), /refused to go on/u);
    assert.match(await detail("[[stop whatever]]"), /"whatever"/u);
    assert.match(await detail("[[error -32603 the model is on fire]]"), /could not answer: the model is on fire/u);
    assert.match(await detail('[[error 400 {"error":{"message":"bad thing"}}]]'), /could not answer: bad thing$/u);
    assert.match(await detail("[[error -32000 please log in]]"), /is not signed in.*please log in/u);
    assert.equal((await driven.turn("[[text Well.]]")).outcome, "completed");
  });

  it("says how to sign in, and tries again with the next prompt", async () => {
    using place = folder();
    const key = join(place.path, "key");
    await using driven = await sit({ manner: { key } });
    const ended = await driven.turn("Hello");
    assert.equal(ended.outcome, "failed");
    assert.match(
      ended.detail ?? "",
      /is not signed in\..*A key \(Put it where it belongs\).*Then send the prompt again/u,
    );
    writeFileSync(key, "");
    assert.equal((await driven.turn("[[text Now.]]")).outcome, "completed");
    assert.deepEqual(spoken(driven), ["Now."]);
  });

  it("refuses another version of the protocol, and says what to update", async () => {
    for (const [version, mend] of [
      [0, /Update Example/u],
      [2, /Flybridge must be updated/u],
    ] as const) {
      await using driven = await sit({ manner: { version } });
      const ended = await driven.turn("Hello");
      assert.match(ended.detail ?? "", mend);
      assert.match((await driven.turn("Again")).detail ?? "", mend);
    }
  });

  it("explains an end at each stage", async () => {
    const expected: [Manner, string, RegExp][] = [
      [{ dies: "initialize" }, "Hello", /ended before it said a word of ACP.*no initialize today/su],
      [{ dies: "session/new" }, "Hello", /ended while it opened the conversation.*no session\/new today/su],
      [{ dies: "session/prompt" }, "Hello", /no session\/prompt today/u],
    ];
    for (const [manner, prompt, words] of expected) {
      await using driven = await sit({ manner });
      driven.prompt(prompt);
      const ended = await driven.ended;
      assert.match(example.explain(driven.memory() as never, ended) ?? "", words);
    }
    await using driven = await sit();
    driven.prompt("[[text Words]][[exit 3]]");
    assert.equal((await driven.ended).code, 3);
  });

  it("answers requests that it does not know, each time, and tells of them once", async () => {
    await using driven = await sit();
    await driven.turn(
      '[[tool request {"method":"desk/shake"}]][[tool request {"method":"desk/shake"}]][[tool request {"method":"terminal/create"}]]',
    );
    assert.equal(
      spoken(driven)
        .join("")
        .match(/"code":-32601/gu)?.length,
      3,
    );
    assert.equal(notices(driven).filter((one) => one.includes("desk/shake")).length, 1);
    assert.ok(!notices(driven).some((one) => one.includes("terminal/create")));
  });

  it("passes over updates that it does not know, and shows lines that are no message, but not all of them", async () => {
    await using driven = await sit();
    const raw = Array.from({ length: 20 }, (_, at) => `[[raw debug line ${at}]]`).join("");
    const ended = await driven.turn(
      `[[tool update {"sessionUpdate":"weather","rain":true}]][[tool say {"method":"desk/waved"}]]${raw}[[text Done.]]`,
    );
    assert.equal(ended.outcome, "completed");
    assert.equal(notices(driven).filter((one) => /not a message/u.test(one)).length, 5);
    assert.deepEqual(spoken(driven), ["Done."]);
  });

  it("tells titles, commands, notices, the window and what it cost", async () => {
    await using driven = await sit();
    const update = (value: object): string => `[[tool update ${JSON.stringify(value)}]]`;
    const ended = await driven.turn(
      [
        update({ sessionUpdate: "session_info_update", title: "A better title" }),
        update({
          sessionUpdate: "available_commands_update",
          availableCommands: [{ name: "/init", description: "Begin", input: { hint: "where" } }],
        }),
        update({ sessionUpdate: "usage_update", used: 500, size: 1_000, cost: { amount: 0.25, currency: "USD" } }),
        update({ sessionUpdate: "notice", severity: "warning", title: "Careful", description: "it is hot" }),
        update({ sessionUpdate: "compaction_update", compactionId: "c", status: "completed" }),
      ].join(""),
    );
    const state = driven.state();
    assert.equal(state.title, "A better title");
    assert.deepEqual(state.commands, [{ name: "init", detail: "Begin · where" }]);
    assert.deepEqual(ended.usage, {
      input: 100,
      output: 10,
      cached: 0,
      dollars: 0.25,
      context: { used: 500, size: 1_000 },
    });
    assert.deepEqual((await driven.turn("[[text x]]")).usage?.dollars, 0);
    assert.ok(notices(driven).includes("Careful: it is hot"));
    assert.ok(notices(driven).some((one) => /compacted/u.test(one)));
  });

  it("shows the output of a terminal of the agent's own as it comes, and its exit code", async () => {
    await using driven = await sit();
    const update = (value: object): string => `[[tool update ${JSON.stringify(value)}]]`;
    const call = { toolCallId: "c1", title: "npm test", kind: "execute" };
    const piece = (data: string): string =>
      update({
        sessionUpdate: "tool_call_update",
        toolCallId: "c1",
        _meta: { terminal_output: { terminal_id: "c1", data } },
      });
    await driven.turn(
      [
        update({
          sessionUpdate: "tool_call",
          ...call,
          status: "pending",
          rawInput: { command: "npm test" },
          content: [{ type: "terminal", terminalId: "c1" }],
          _meta: { terminal_info: { terminal_id: "c1" } },
        }),
        piece("one\n"),
        piece("two\n"),
        update({
          sessionUpdate: "tool_call_update",
          toolCallId: "c1",
          status: "failed",
          _meta: { terminal_exit: { terminal_id: "c1", exit_code: 2, signal: null } },
        }),
      ].join(""),
    );
    const [tool] = tools(driven);
    assert.deepEqual([tool?.body, tool?.tool.exit, tool?.tool.state], ["one\ntwo\n", 2, "failed"]);
    assert.equal(driven.deltas.filter((delta) => delta.item === tool?.item).length, 2);
  });

  it("looks: found, not installed with how to install it, its version, no key", async () => {
    assert.equal((await example.look({})).problem, undefined);
    const missing = acpAgent({
      name: "none",
      title: "None",
      command: ["no-such-agent"],
      install: ["npm", "i", "none"],
    });
    const info = await missing.look({ PATH: "" });
    assert.equal(info.problem?.code, "not_installed");
    assert.match(info.problem?.message ?? "", /Install it with `npm i none`/u);
    assert.deepEqual(info.install, ["npm", "i", "none"]);
    await assert.rejects(missing.launch({ session, workspace: "/", env: {} }), { code: "agent_unavailable" });
    const node = acpAgent({ name: "node", title: "Node", command: [process.execPath], versioned: true });
    // A program that is slow to say it is told of to whoever looks later.
    let version: string | undefined;
    while (version === undefined) ({ version } = await node.look({}));
    assert.equal(version, process.versions.node);
    const signIn = { variables: [{ variable: "THE_KEY" }], files: [".no-such-file"], how: "Turn the key." };
    const locked = acpAgent({ name: "node", title: "Node", command: [process.execPath], signIn });
    assert.match(
      (await locked.look({ HOME: "/" })).problem?.message ?? "",
      /not signed in on this machine\. Turn the key/u,
    );
    assert.equal((await locked.look({ HOME: "/", THE_KEY: "x" })).problem, undefined);
  });
});
