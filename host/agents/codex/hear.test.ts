/** What the real Codex says too seldom to wait for: messages as its types describe them, and those of nobody. */
import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import type { Answer, Ask } from "@flybridge/protocol/ask.ts";
import type { Fact } from "@flybridge/protocol/entry.ts";
import { uuid7From, type PromptId, type SessionId } from "@flybridge/protocol/ids.ts";
import { MAX_BODY_CHARS } from "@flybridge/protocol/limits.ts";
import { DEVICE, drive, type Driven } from "@flybridge/testing/driven.ts";
import { codex } from "./codex.ts";
import { freshMemory, type Memory } from "./memory.ts";
import { unwrapped } from "./tool.ts";

const AT = 1_700_000_000_000;
const THREAD = "th";
const STAND_IN = join(import.meta.dirname, "..", "..", "..", "testing", "codex-stand-in.ts");

/** At rest in an open conversation. */
function fresh(): Memory {
  const memory = freshMemory("/home/ada", false);
  hear(memory, { id: "start:0", result: { thread: { id: THREAD }, model: "m", approvalPolicy: "on-request" } });
  return memory;
}

function busy(): Memory {
  const memory = fresh();
  hear(memory, news("turn/started", { turn: { id: "t1" } }));
  return memory;
}

function news(method: string, params: object): object {
  return { method, params: { threadId: THREAD, turnId: "t1", ...params } };
}

function item(method: string, told: object): object {
  return news(`item/${method}`, { item: told });
}

/** The facts of some messages, and what is written back. */
function hear(memory: Memory, ...messages: (object | string)[]): { facts: Fact[]; writes: object[]; grown: string } {
  const all = messages.map((one) => codex.hear(memory, typeof one === "string" ? one : JSON.stringify(one), AT));
  const drafts = all.flatMap((one) => [...one.drafts]);
  return {
    facts: drafts.flatMap((draft) => (draft.kind === "fact" ? [draft.fact] : [])),
    writes: all.flatMap((one) => one.writes.map((line) => JSON.parse(line) as object)),
    grown: drafts.flatMap((draft) => (draft.kind === "grow" ? [draft.text] : [])).join(""),
  };
}

function asked(memory: Memory, method: string, params: object, id: string | number = 7): Ask {
  const { facts } = hear(memory, { id, method, params: { threadId: THREAD, turnId: "t1", itemId: "c1", ...params } });
  const found = facts.find((fact) => fact.kind === "ask.opened");
  assert.ok(found, JSON.stringify(facts));
  return found.ask;
}

function act(memory: Memory, fact: Fact): { id?: unknown; method?: string; params?: object; result?: object }[] {
  return codex.act(memory, { seq: 9, at: AT, fact }, []).map((line) => JSON.parse(line) as object);
}

function answer(memory: Memory, ask: Ask, answered: Answer) {
  return act(memory, {
    kind: "ask.settled",
    ask: ask.ask,
    settlement: { kind: "answered", answer: answered, by: DEVICE },
  });
}

function prompt(text: string, delivery: "queue" | "steer" = "queue"): Extract<Fact, { kind: "prompt.accepted" }> {
  return { kind: "prompt.accepted", prompt: `p-${text}` as PromptId, text, delivery, by: DEVICE };
}

describe("what Codex says seldom", () => {
  it("offers each decision as it is stated, and answers with that one", () => {
    const memory = busy();
    const amendment = { acceptWithExecpolicyAmendment: { execpolicy_amendment: ["git", "log -p", "it's"] } };
    const host = { applyNetworkPolicyAmendment: { network_policy_amendment: { host: "npm.org", action: "allow" } } };
    const ask = asked(memory, "item/commandExecution/requestApproval", {
      command: "/bin/bash -lc 'git log'",
      cwd: "/home/ada",
      reason: "To see",
      networkApprovalContext: { host: "npm.org", protocol: "https" },
      availableDecisions: ["accept", "acceptForSession", amendment, host, { somethingNew: 1 }, "decline", "cancel"],
    });
    assert.ok(ask.kind === "approval");
    assert.deepEqual(
      ask.choices.map(({ label, scope }) => [label, scope]),
      [
        ["Allow once", "once"],
        ["Allow in this session", "session"],
        ["Allow, and commands that start with `git 'log -p' 'it'\\''s'` from now on", "always"],
        ["Allow, and npm.org from now on", "always"],
        ["Allow, as Codex proposes", "always"],
      ],
    );
    assert.equal(ask.evidence.url, "https://npm.org");
    assert.equal(ask.evidence.command, "git log");
    assert.deepEqual(answer(memory, ask, { kind: "allow", choice: ask.choices[2]?.choice ?? "" }), [
      { id: 7, result: { decision: amendment } },
    ]);
    assert.deepEqual(answer(memory, ask, { kind: "deny" }), [], "once");
  });

  it("asks for permissions in words, and grants exactly those", () => {
    const memory = busy();
    const permissions = { network: { enabled: true }, fileSystem: { read: null, write: ["/srv"] } };
    const ask = asked(memory, "item/permissions/requestApproval", {
      permissions,
      cwd: "/home/ada",
      reason: "To deploy",
    });
    assert.ok(ask.kind === "approval");
    assert.equal(ask.evidence.purpose, "It asks to use the network, write /srv.");
    assert.deepEqual(answer(memory, ask, { kind: "allow", choice: "session" }), [
      { id: 7, result: { permissions, scope: "session" } },
    ]);
    const again = asked(memory, "item/permissions/requestApproval", { permissions }, 8);
    assert.deepEqual(answer(memory, again, { kind: "deny" }), [{ id: 8, result: { permissions: {}, scope: "turn" } }]);
  });

  it("keeps a secret a secret, and takes own words where there are no options", () => {
    const memory = busy();
    const ask = asked(memory, "item/tool/requestUserInput", {
      questions: [{ id: "key", header: "Key", question: "Which?", isOther: true, isSecret: true, options: null }],
    });
    assert.ok(ask.kind === "question" && ask.questions[0]?.secret);
    const replies = [{ question: "q1", picks: [], text: "hunter2" }];
    assert.deepEqual(answer(memory, ask, { kind: "replies", replies }), [
      { id: 7, result: { answers: { key: { answers: ["user_note: hunter2"] } } } },
    ]);
  });

  it("shows an unknown request, which can be answered or refused, and is never left hanging", () => {
    const memory = busy();
    const ask = asked(memory, "item/tool/unheardOf", { some: "thing" });
    assert.ok(ask.kind === "approval");
    assert.match(ask.evidence.input, /"some":"thing"/u);
    const [refused] = answer(memory, ask, { kind: "deny", reason: "no" }).slice(-1);
    assert.deepEqual(refused, { id: 7, error: { code: -32_601, message: "The person looked at this and said no." } });
    const second = asked(memory, "item/tool/unheardOf", {}, "x");
    assert.deepEqual(answer(memory, second, { kind: "allow", choice: "empty" }), [{ id: "x", result: {} }]);
    for (let id = 10; id < 26; id += 1) asked(memory, "item/tool/unheardOf", {}, id);
    const { writes } = hear(memory, { id: 99, method: "item/tool/unheardOf", params: {} });
    assert.deepEqual(writes, [{ id: 99, error: { code: -32_000, message: "Too many questions are open at once." } }]);
  });

  it("opens an address on nobody's behalf, and says that it is done when a person says so", () => {
    const memory = busy();
    const params = { mode: "url", serverName: "demo", message: "Sign in", url: "https://example.org/in", _meta: null };
    const ask = asked(memory, "mcpServer/elicitation/request", params);
    assert.ok(ask.kind === "approval");
    assert.deepEqual([ask.evidence.url, ask.evidence.purpose], ["https://example.org/in", "Sign in"]);
    assert.deepEqual(answer(memory, ask, { kind: "allow", choice: "done" }), [
      { id: 7, result: { action: "accept", content: {}, _meta: null } },
    ]);
  });

  it("[E25] takes back what was answered elsewhere, by the id of the request, and what ended with its turn", () => {
    const memory = busy();
    const one = asked(memory, "item/commandExecution/requestApproval", { command: "a" }, 1);
    const two = asked(memory, "item/commandExecution/requestApproval", { command: "b" }, "1");
    assert.deepEqual(hear(memory, { id: 1, method: "item/commandExecution/requestApproval", params: {} }).facts, []);
    const settled = (ask: Ask): object => ({ kind: "ask.settled", ask: ask.ask, settlement: { kind: "withdrawn" } });
    assert.deepEqual(hear(memory, news("serverRequest/resolved", { requestId: 1 })).facts, [settled(one)]);
    assert.deepEqual(hear(memory, news("serverRequest/resolved", { requestId: 1 })).facts, []);
    const { facts } = hear(memory, news("turn/completed", { turn: { id: "t1", status: "interrupted" } }));
    assert.deepEqual(facts[0], settled(two));
    assert.deepEqual(answer(memory, two, { kind: "deny" }), []);
  });

  it("shows steps, searches and reads as what they are, and passes over what is not known", () => {
    const memory = busy();
    const plan = [
      { step: "Look", status: "completed" },
      { step: "Do", status: "inProgress" },
    ];
    const { facts } = hear(
      memory,
      news("turn/plan/updated", { explanation: "Now", plan }),
      item("started", { type: "webSearch", id: "w", query: "", action: { type: "other" } }),
      item("completed", { type: "webSearch", id: "w", query: "cats", action: { type: "search", query: "cats" } }),
      item("completed", {
        type: "commandExecution",
        id: "c",
        command: "/bin/bash -lc 'cat a'",
        commandActions: [{ type: "read", command: "cat a", name: "a", path: "a" }],
        status: "completed",
        exitCode: 0,
        aggregatedOutput: "one",
      }),
      news("something/new", { a: 1 }),
      news("thread/tokenUsage/updated", { tokenUsage: "none" }),
      item("completed", { type: "telepathy", id: "x" }),
    );
    const items = facts.flatMap((fact) => (fact.kind === "item.completed" ? [fact.item] : []));
    assert.deepEqual(
      items.map((one) =>
        one.kind === "tool"
          ? [one.tool.kind, one.tool.object]
          : one.kind === "todo"
            ? one.steps.map(({ state }) => state)
            : [],
      ),
      [
        ["done", "doing"],
        ["fetch", "cats"],
        ["read", "cat a"],
      ],
    );
    const last = facts.at(-1);
    assert.ok(last?.kind === "notice" && last.raw?.includes("telepathy"));
  });

  it("keeps a body that was streamed whole, and within its bounds", () => {
    const memory = busy();
    const long = "x".repeat(MAX_BODY_CHARS + 10);
    const { facts, grown } = hear(
      memory,
      news("item/agentMessage/delta", { itemId: "m", delta: "Before " }),
      item("completed", { type: "agentMessage", id: "m", text: "Before it was told", phase: null }),
      item("completed", { type: "agentMessage", id: "m", text: "Before it was told", phase: null }),
      item("started", { type: "agentMessage", id: "n", text: "" }),
      news("item/agentMessage/delta", { itemId: "n", delta: long }),
      news("turn/completed", { turn: { id: "t1", status: "interrupted" } }),
    );
    const bodies = facts.flatMap((fact) => (fact.kind === "item.completed" ? [fact.item.body] : []));
    assert.equal(bodies[0], "Before it was told");
    assert.equal(bodies.length, 2);
    assert.ok((bodies[1]?.length ?? 0) <= MAX_BODY_CHARS && grown.endsWith("x"));
  });

  it("gives prompts one at a time, each to a turn of its own, and fails those that nothing takes", () => {
    const memory = freshMemory("/home/ada", false);
    assert.deepEqual(act(memory, prompt("early")), []);
    const opened = hear(memory, { id: "start:0", result: { thread: { id: THREAD }, model: "m" } });
    assert.deepEqual(
      opened.writes.map((line) => (line as { method: string }).method),
      ["turn/start"],
    );
    assert.deepEqual(act(memory, prompt("next")), [], "one is on its way");
    hear(memory, news("turn/started", { turn: { id: "t1" } }));
    hear(memory, item("started", { type: "userMessage", id: "u", clientId: "p-early", content: [] }));
    const [steer] = act(memory, prompt("in between", "steer"));
    assert.equal(steer?.method, "turn/steer");
    const refused = hear(memory, { id: "steer:p-in between", error: { code: -1, message: "not steerable" } });
    assert.deepEqual([refused.facts, refused.writes], [[], []]);
    const { writes } = hear(memory, news("turn/completed", { turn: { id: "t1", status: "completed" } }));
    assert.deepEqual(
      writes.map((line) => (line as { id: string }).id),
      ["prompt:p-next"],
    );
    const { facts, writes: then } = hear(memory, { id: "prompt:p-next", error: { code: -1, message: "no" } });
    assert.deepEqual(
      facts.map(({ kind }) => kind),
      ["prompt.taken", "turn.began", "turn.ended"],
    );
    assert.deepEqual(
      then.map((line) => (line as { id: string }).id),
      ["prompt:p-in between"],
    );
    const stop = act(memory, { kind: "interrupt.asked", by: DEVICE });
    assert.deepEqual(stop, [], "the turn has no name yet");
    const begun = hear(memory, news("turn/started", { turn: { id: "t2" } }));
    assert.deepEqual(begun.writes, [
      { id: "interrupt:t2", method: "turn/interrupt", params: { threadId: THREAD, turnId: "t2" } },
    ]);
  });

  it("reads a command back only where there is no doubt", () => {
    assert.equal(unwrapped("/bin/bash -lc 'touch a && ls'"), "touch a && ls");
    assert.equal(unwrapped(String.raw`/bin/zsh -lc 'it'\''s'`), "it's");
    assert.equal(unwrapped(`bash -lc 'a'"'"'b'`), "a'b");
    assert.equal(unwrapped('/bin/bash -lc "rm x"'), "rm x");
    assert.equal(unwrapped("/bin/bash -lc ls"), "ls");
    for (const command of [
      '/bin/bash -lc "rm $x"',
      "/bin/bash -lc 'a' b",
      "/bin/bash -lc 'a'; rm b",
      "python -c 'x'",
      "/bin/bash -lc 'a''b",
    ])
      assert.equal(unwrapped(command), command);
  });
});

describe("a Codex that fails", () => {
  const folder = mkdtempSync(join(tmpdir(), "flybridge-stand-in-"));
  after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  const session = uuid7From(1, new Uint8Array(10)) as string as SessionId;

  /** A `codex` on the PATH that fails at a stage. */
  function env(stage: string): Record<string, string> {
    const bin = join(folder, "bin");
    mkdirSync(bin, { recursive: true });
    const program = join(bin, "codex");
    writeFileSync(program, `#!/bin/sh\nexec "${process.execPath}" "${STAND_IN}" "$@"\n`);
    chmodSync(program, 0o755);
    return { HOME: folder, PATH: bin, CODEX_HOME: join(folder, "codex"), CODEX_STAGE: stage };
  }
  const sit = (stage: string): Promise<Driven> => drive(codex, { session, workspace: folder, env: env(stage) });

  it("[E27] is found out before it is started, with how to mend it, by its config.toml too", async () => {
    const problem = async (stage: string): Promise<string | undefined> => (await codex.look(env(stage))).problem?.code;
    assert.equal(await problem(""), "not_signed_in");
    assert.equal(await problem("old"), "too_old");
    assert.equal(await problem("broken"), "broken");
    assert.equal((await codex.look({ HOME: folder, PATH: folder })).problem?.code ?? "not_installed", "not_installed");
    mkdirSync(join(folder, "codex"));
    const config = join(folder, "codex", "config.toml");
    writeFileSync(
      config,
      'model = "mine" # so\nmodel_provider = "own"\n[model_providers."own"]\nenv_key = "OWN_KEY"\n',
    );
    const without = await codex.look(env(""));
    assert.match(without.problem?.message ?? "", /OWN_KEY/u);
    assert.deepEqual(
      without.models.map(({ value }) => value),
      ["mine"],
    );
    assert.equal((await codex.look({ ...env(""), OWN_KEY: "x" })).problem, undefined);
    writeFileSync(config, "\u0000[[[= = broken\n[a\nmodel = [1,2\n");
    writeFileSync(join(folder, "codex", "auth.json"), '{"OPENAI_API_KEY":"sk-fake"}');
    assert.equal((await codex.look(env(""))).problem, undefined);
    writeFileSync(join(folder, "codex", "auth.json"), "{}");
    assert.equal((await codex.look(env(""))).problem?.code, "not_signed_in");
  });

  for (const stage of ["start", "initialize", "thread", "turn", "words", "asked"]) {
    it(`is explained when it dies at ${stage}`, async () => {
      await using driven = await sit(stage);
      driven.prompt("Hello");
      const end = await driven.ended;
      assert.equal(end.code, 101);
      assert.match(
        codex.explain(driven.memory() as never, end) ?? "",
        new RegExp(`^ERROR thread 'main' panicked at ${stage}$`, "u"),
      );
      if (stage === "asked") assert.equal(driven.state().asks.length, 1);
    });
  }

  it("is heard on through noise, lines beyond measure and everything said twice", async () => {
    await using driven = await sit("noise");
    assert.equal((await driven.turn("Hello")).outcome, "completed");
    assert.deepEqual(
      driven.items().map((one) => one.body),
      ["Half a word"],
    );
    assert.equal(driven.entries.filter(({ fact }) => fact.kind === "turn.ended").length, 1);
    assert.deepEqual(driven.state().items, [], "what was begun twice is one");
    const notices = driven.entries.flatMap(({ fact }) => (fact.kind === "notice" ? [fact.text.length] : []));
    assert.ok(notices.length >= 4 && Math.max(...notices) < 1024 * 1024);
  });

  it("gets an answer to what nobody knows, and to what it asks twice one", async () => {
    await using driven = await sit("unknown");
    const asking = driven.ask();
    driven.prompt("Hello");
    const ask = await asking;
    driven.answer(ask, { kind: "deny" });
    await driven.fact("turn.ended");
    assert.match(driven.items()[0]?.body ?? "", /-32601/u);
    assert.equal(driven.entries.filter(({ fact }) => fact.kind === "ask.opened").length, 1);
  });

  it("fails each prompt when it will not open a conversation", async () => {
    await using driven = await sit("refused");
    const ended = await driven.turn("Hello");
    assert.match(ended.detail ?? "", /config\.toml names no model/u);
    const again = await driven.turn("Hello?");
    assert.equal(again.detail, ended.detail);
    assert.deepEqual(driven.state().prompts, []);
  });
});
