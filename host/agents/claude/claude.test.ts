/** The adapter against the real Claude Code; only the model behind it is played. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, it } from "node:test";
import type { Ask, ApprovalAsk, PlanAsk, QuestionAsk } from "@flybridge/protocol/ask.ts";
import { uuid7From, type SessionId } from "@flybridge/protocol/ids.ts";
import type { ToolItem } from "@flybridge/protocol/item.ts";
import { startAnthropic, toldIn, type Anthropic } from "@flybridge/testing/anthropic.ts";
import { claudeEnv, findClaude } from "@flybridge/testing/claude.ts";
import { DEVICE, drive, type Driven } from "@flybridge/testing/driven.ts";
import { agentContract } from "../agent.contract.ts";
import { claude } from "./claude.ts";

const found = findClaude();
const skip = found === undefined ? "Claude Code is not in .cache/agents; npm test brings it" : false;

let sessions = 0;

/** A home and a workspace of its own, and a model that answers from the prompt. */
class Desk {
  readonly home = mkdtempSync(join(tmpdir(), "flybridge-home-"));
  readonly workspace = mkdtempSync(join(tmpdir(), "flybridge-work-"));
  readonly session: SessionId;
  readonly model: Anthropic;
  constructor(model: Anthropic) {
    this.model = model;
    sessions += 1;
    this.session = uuid7From(Date.now(), new Uint8Array(10).fill(sessions)) as string as SessionId;
  }
  get env(): Record<string, string> {
    const env = claudeEnv({ home: this.home, url: this.model.url });
    return { ...env, PATH: `${dirname(found ?? "")}:${env["PATH"] ?? ""}` };
  }
  sit(more: { mode?: string; model?: string; before?: unknown } = {}): Promise<Driven> {
    return drive(claude, { session: this.session, workspace: this.workspace, env: this.env, ...more });
  }
  /** What the model was shown last. */
  told(): string {
    return toldIn(this.model.requests.at(-1));
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await this.model.close();
    for (const folder of [this.home, this.workspace]) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function desk(): Promise<Desk> {
  return new Desk(await startAnthropic());
}

function approval(ask: Ask): ApprovalAsk {
  assert.equal(ask.kind, "approval");
  return ask as ApprovalAsk;
}

function tools(driven: Driven): ToolItem[] {
  return driven.items().filter((item) => item.kind === "tool");
}

/** Answers every ask of the first turn, however many there are. */
async function allowAll(driven: Driven): Promise<void> {
  for (;;) {
    await driven.until(() => driven.state().turn !== undefined || driven.state().asks.length > 0, "an ask or the end");
    const ask = driven.state().asks[0]?.ask;
    if (!ask) return;
    driven.answer(ask, { kind: "allow", choice: "once" });
  }
}

describe("claude with the real Claude Code", { skip, concurrency: 2 }, () => {
  it("[A05] [A06] gets the exact prompt and streams its words", async () => {
    await using at = await desk();
    await using driven = await at.sit();
    const started = await driven.fact("agent.reported");
    assert.match(started.version ?? "", /^\d+\.\d+/u);
    assert.equal(started.mode, "default");
    const ended = await driven.turn(
      "[[think About this]][[slow 20]][[text One two three four five six seven eight nine ten]]",
    );
    const words = driven.items().find((item) => item.kind === "words");
    const deltas = driven.deltas.filter((delta) => delta.item === words?.item);
    assert.ok(deltas.length >= 3, `grew in ${deltas.length} steps`);
    assert.equal(deltas.map((delta) => delta.text).join(""), words?.body);
    assert.equal(ended.outcome, "completed");
    assert.deepEqual(
      driven.items().map((item) => [item.kind, item.body]),
      [
        ["thought", "About this"],
        ["words", "One two three four five six seven eight nine ten"],
      ],
    );
    assert.match(at.told(), /\[\[think About this\]\]/u);
    assert.equal(driven.state().status.kind, "idle");
  });

  it("counts each turn's own tokens and money, also after resuming", async () => {
    await using at = await desk();
    const first = await at.sit();
    const one = await first.turn("[[text a]]");
    const two = await first.turn("[[text a]]");
    assert.equal(one.usage?.input, 1_000);
    assert.equal(two.usage?.input, 1_000);
    assert.equal(two.usage?.cached, 200);
    assert.ok((one.usage?.dollars ?? 0) > 0);
    assert.ok(Math.abs((one.usage?.dollars ?? 0) - (two.usage?.dollars ?? 0)) < 1e-9);
    assert.ok((two.usage?.context?.used ?? 0) >= 1_200);
    assert.ok((two.usage?.context?.size ?? 0) >= 100_000);
    first.child.stdin?.end();
    await first.ended;
    await using second = await at.sit({ before: first.memory() });
    const three = await second.turn("[[text a]]");
    assert.ok(Math.abs((one.usage?.dollars ?? 0) - (three.usage?.dollars ?? 0)) < 1e-9);
    const turns = [...first.entries, ...second.entries].flatMap((entry) =>
      entry.fact.kind === "turn.began" ? [entry.fact.turn] : [],
    );
    assert.equal(new Set(turns).size, 3, "turns have different names in both processes");
  });

  it("[A14] [A15] allows a command once, on one process whose input stays open across turns", async () => {
    await using at = await desk();
    await using driven = await at.sit();
    const { pid } = driven.child;
    const asked = driven.ask();
    driven.prompt(
      '[[text I will make it.]][[+tool Bash {"command":"touch made && echo out","description":"Make a file"}]][[text Done.]]',
    );
    const ask = approval(await asked);
    assert.equal(ask.evidence.command, "touch made && echo out");
    assert.equal(ask.evidence.purpose, "Make a file");
    assert.equal(ask.evidence.kind, "command");
    assert.equal(ask.evidence.directory, at.workspace);
    assert.deepEqual(JSON.parse(ask.evidence.input), { command: "touch made && echo out", description: "Make a file" });
    assert.deepEqual(ask.choices[0], { choice: "once", label: "Allow once", scope: "once" });
    assert.equal(driven.state().status.kind, "waiting");
    driven.answer(ask, { kind: "allow", choice: "once" });
    await driven.fact("turn.ended");
    assert.ok(existsSync(join(at.workspace, "made")));
    const [tool] = tools(driven);
    assert.equal(tool?.item, ask.item);
    assert.equal(tool?.body, "out");
    assert.equal(tool?.tool.state, "done");
    assert.equal(tool?.tool.exit, 0);
    const again = driven.ask();
    driven.prompt('[[tool Bash {"command":"touch made2"}]]');
    driven.answer(await again, { kind: "allow", choice: "once" });
    await driven.until(() => tools(driven).length === 2, "the second command");
    assert.equal(driven.child.pid, pid);
    const turns = driven.written.filter((line) => line.includes('"type":"control_response"'));
    assert.equal(turns.length, 2);
  });

  it("denies with the reason, which the model is told, and the turn goes on", async () => {
    await using at = await desk();
    await using driven = await at.sit();
    const asked = driven.ask();
    driven.prompt('[[tool Bash {"command":"touch nope"}]]');
    driven.answer(await asked, { kind: "deny", reason: "Use the other folder" });
    assert.equal((await driven.fact("turn.ended")).outcome, "completed");
    assert.match(at.told(), /Use the other folder/u);
    assert.equal(tools(driven)[0]?.tool.state, "refused");
    assert.ok(!existsSync(join(at.workspace, "nope")));
  });

  it("sends exactly the one suggestion that was chosen", async () => {
    await using at = await desk();
    await using driven = await at.sit();
    let asked = driven.ask();
    driven.prompt('[[tool Bash {"command":"touch a1"}]]');
    const ask = approval(await asked);
    const always = ask.choices.find((choice) => choice.scope === "always");
    assert.match(always?.label ?? "", /Bash\(touch a1/u);
    assert.match(always?.detail ?? "", /settings\.local\.json/u);
    assert.ok(ask.choices.length >= 3, "each suggestion is a choice");
    driven.answer(ask, { kind: "allow", choice: always?.choice ?? "" });
    await driven.fact("turn.ended");
    const stored = JSON.parse(readFileSync(join(at.workspace, ".claude", "settings.local.json"), "utf8")) as {
      permissions: { allow: string[] };
    };
    assert.equal(stored.permissions.allow.length, 1);
    assert.match(stored.permissions.allow[0] ?? "", /^Bash\(touch a1/u);
    assert.equal(driven.state().mode, "default", "the mode is as it was");

    asked = driven.ask();
    driven.prompt(
      `[[tool Write {"file_path":"${at.workspace}/b.txt","content":"one\\ntwo\\n"}]][[tool Edit {"file_path":"${at.workspace}/b.txt","old_string":"two","new_string":"2"}]]`,
    );
    const write = approval(await asked);
    assert.deepEqual(write.evidence.edits, [
      { path: `${at.workspace}/b.txt`, diff: "@@ -0,0 +1,2 @@\n+one\n+two", added: 2, removed: 0 },
    ]);
    const mode = write.choices.find((choice) => /stop asking for edits/u.test(choice.label));
    assert.equal(mode?.scope, "session");
    driven.answer(write, { kind: "allow", choice: mode?.choice ?? "" });
    await driven.fact("agent.reported", (fact) => fact.mode === "acceptEdits");
    await driven.until(() => tools(driven).some((tool) => tool.tool.name === "Edit"), "the edit, unasked");
    const edit = tools(driven).find((tool) => tool.tool.name === "Edit");
    assert.deepEqual(edit?.tool.edits, [
      { path: `${at.workspace}/b.txt`, diff: "@@ -1,2 +1,2 @@\n one\n-two\n+2", added: 1, removed: 1 },
    ]);
  });

  it("[A07] [A08] answers several questions, with many picks, own words and a note", async () => {
    await using at = await desk();
    await using driven = await at.sit();
    const questions = [
      {
        question: "Which database?",
        header: "DB",
        multiSelect: false,
        options: [
          { label: "Postgres", description: "big" },
          { label: "SQLite", description: "small" },
        ],
      },
      {
        question: "Which features?",
        header: "Features",
        multiSelect: true,
        options: [
          { label: "Auth", description: "a" },
          { label: "Export", description: "b" },
        ],
      },
      {
        question: "Which name?",
        header: "Name",
        multiSelect: false,
        options: [
          { label: "A", description: "a" },
          { label: "B", description: "b" },
        ],
      },
    ];
    const script = `[[tool AskUserQuestion ${JSON.stringify({ questions })}]]`;
    let asked = driven.ask();
    driven.prompt(script);
    const ask = (await asked) as QuestionAsk;
    assert.equal(ask.kind, "question");
    assert.deepEqual(
      ask.questions.map((one) => [one.header, one.many]),
      [
        ["DB", false],
        ["Features", true],
        ["Name", false],
      ],
    );
    const [first, second, third] = ask.questions.map((one) => one.question);
    driven.answer(ask, {
      kind: "replies",
      replies: [
        { question: first ?? "", picks: ["SQLite"], note: "use WAL mode" },
        { question: second ?? "", picks: ["Auth", "Export"], text: "and search" },
        { question: third ?? "", picks: [], text: "Something else" },
      ],
    });
    await driven.fact("turn.ended");
    const line = driven.written.find((one) => one.includes("control_response")) ?? "";
    const { response } = (
      JSON.parse(line) as { response: { response: { behavior: string; updatedInput: { answers: object } } } }
    ).response;
    assert.equal(response.behavior, "allow");
    assert.deepEqual(response.updatedInput.answers, {
      "Which database?": "SQLite",
      "Which features?": "Auth, Export, and search",
      "Which name?": "Something else",
    });
    assert.match(at.told(), /"Which database\?"="SQLite" notes: use WAL mode/u);
    assert.match(at.told(), /"Which features\?"="Auth, Export, and search"/u);

    asked = driven.ask();
    driven.prompt(script);
    driven.answer(await asked, { kind: "replies", replies: [{ question: first ?? "", picks: ["Postgres"] }] });
    await driven.until(() => /"Which database\?"="Postgres"/u.test(at.told()), "a partial answer");
    asked = driven.ask();
    driven.prompt(script);
    driven.answer(await asked, { kind: "deny", reason: "Not now" });
    await driven.until(() => /Not now/u.test(at.told()), "the refusal");
  });

  it("[A09] [A10] sends a plan back with feedback, then approves it edited, in one process", async () => {
    await using at = await desk();
    await using driven = await at.sit({ mode: "plan" });
    const { pid } = driven.child;
    let asked = driven.ask();
    driven.prompt(
      '[[tool Write {"file_path":"{{PLAN_FILE}}","content":"# Plan\\n\\n1. Begin"}]][[tool ExitPlanMode {}]][[tool ExitPlanMode {}]]',
    );
    const first = (await asked) as PlanAsk;
    assert.equal(first.kind, "plan");
    assert.equal(first.plan, "# Plan\n\n1. Begin");
    assert.deepEqual(
      first.choices.map((choice) => choice.choice),
      ["acceptEdits", "default"],
    );
    asked = driven.ask();
    driven.answer(first, { kind: "revise", feedback: "Too short" });
    const second = await asked;
    assert.match(at.told(), /Too short/u);
    driven.answer(second, { kind: "approve", choice: "acceptEdits", edited: "# Better plan" });
    await driven.fact("turn.ended");
    assert.match(at.told(), /Approved Plan \(edited by user\):\n# Better plan/u);
    assert.equal(driven.state().mode, "acceptEdits");
    assert.equal(driven.child.pid, pid);
  });

  it("interrupts a stream and keeps what was said", async () => {
    await using at = await desk();
    await using driven = await at.sit();
    driven.prompt("[[text The beginning.]][[+wait never]][[+text The end.]]");
    await driven.until(() => driven.entries.some((entry) => entry.fact.kind === "item.completed"), "the first words");
    driven.give({ kind: "interrupt.asked", by: DEVICE });
    assert.equal((await driven.fact("turn.ended")).outcome, "interrupted");
    assert.equal(driven.items()[0]?.body, "The beginning.");
    assert.equal((await driven.turn("[[text On we go.]]")).outcome, "completed");
  });

  it("interrupts in the middle of a block: the item ends with what came", async () => {
    await using at = await desk();
    await using driven = await at.sit();
    driven.prompt(`[[slow 50]][[text ${"word ".repeat(400)}]]`);
    const { item } = await driven.fact("item.began");
    await driven.until(() => driven.bodyOf(item.item).length > 30, "some words");
    driven.give({ kind: "interrupt.asked", by: DEVICE });
    await driven.fact("turn.ended");
    const [words] = driven.items();
    assert.ok((words?.body.length ?? 0) > 30 && (words?.body.length ?? 0) < 2_000);
    assert.deepEqual(driven.state().items, []);
  });

  it("withdraws an open ask when the turn is interrupted", async () => {
    await using at = await desk();
    await using driven = await at.sit();
    const asked = driven.ask();
    driven.prompt('[[tool Bash {"command":"touch q"}]][[+tool Bash {"command":"touch r"}]]');
    const ask = await asked;
    driven.give({ kind: "interrupt.asked", by: DEVICE });
    assert.equal((await driven.fact("ask.settled", (fact) => fact.ask === ask.ask)).settlement.kind, "withdrawn");
    assert.equal((await driven.fact("turn.ended")).outcome, "interrupted");
    assert.deepEqual(
      tools(driven).map((tool) => tool.tool.state),
      ["refused", "refused"],
    );
    assert.deepEqual(driven.state().asks, []);
  });

  it("steers the running turn: its next model call is told, within the same turn", async () => {
    await using at = await desk();
    await using driven = await at.sit();
    const asked = driven.ask();
    driven.prompt('[[tool Bash {"command":"touch s"}]][[text Steered.]]');
    const ask = await asked;
    const steer = driven.prompt("Look in the other folder", "steer");
    driven.answer(ask, { kind: "allow", choice: "once" });
    await driven.fact("turn.ended");
    assert.equal(at.model.requests.length, 2);
    assert.match(at.told(), /Look in the other folder/u);
    await driven.fact("prompt.taken", (fact) => fact.prompt === steer);
    assert.equal(driven.entries.filter((entry) => entry.fact.kind === "turn.began").length, 1);
  });

  it("queues a prompt behind the running turn, and withdraws one", async () => {
    await using at = await desk();
    await using driven = await at.sit();
    const asked = driven.ask();
    driven.prompt('[[tool Bash {"command":"touch s"}]][[text First.]]');
    const ask = await asked;
    const queued = driven.prompt("[[text Second.]]");
    const unwanted = driven.prompt("[[text Unwanted.]]");
    driven.give({ kind: "prompt.withdrawn", prompt: unwanted, by: DEVICE });
    driven.answer(ask, { kind: "allow", choice: "once" });
    await driven.until(() => driven.items().some((item) => item.body === "Second."), "the second turn");
    await driven.fact("prompt.taken", (fact) => fact.prompt === queued);
    await driven.until(() => driven.state().running === undefined, "rest");
    assert.equal(driven.entries.filter((entry) => entry.fact.kind === "turn.ended").length, 2);
    assert.ok(!driven.items().some((item) => item.body === "Unwanted."));
  });

  it("changes model and mode, and says when that was refused", async () => {
    await using at = await desk();
    await using driven = await at.sit({ model: "sonnet" });
    await driven.turn("[[text a]]");
    assert.equal(driven.state().model, "sonnet");
    driven.give({ kind: "session.configured", model: "haiku", by: DEVICE });
    await driven.fact("agent.reported", (fact) => fact.model === "haiku");
    await driven.turn("[[text b]]");
    assert.match(at.model.requests.at(-1)?.model ?? "", /haiku/u);
    driven.give({ kind: "session.configured", mode: "plan", by: DEVICE });
    await driven.fact("agent.reported", (fact) => fact.mode === "plan");
    driven.give({ kind: "session.configured", mode: "nonsense", by: DEVICE });
    const told = await driven.fact("notice", (fact) => fact.level === "error");
    assert.match(told.text, /refused to change the mode/u);
  });

  it("resumes the conversation in a new process after kill -9", async () => {
    await using at = await desk();
    const first = await at.sit();
    await first.turn("[[text Remember the blue door.]]");
    first.prompt("[[text More.]][[+wait never]]");
    await first.until(() => first.items().length === 2, "the second turn's words");
    first.child.kill("SIGKILL");
    const ended = await first.ended;
    assert.equal(ended.signal, "SIGKILL");
    assert.equal(claude.explain(first.memory() as never, ended), undefined);
    await using second = await at.sit({ before: first.memory() });
    assert.equal((await second.turn("[[text Again.]]")).outcome, "completed");
    assert.match(at.told(), /Remember the blue door/u);
  });

  it("starts afresh under the same session when the old process died before its first prompt", async () => {
    await using at = await desk();
    const first = await at.sit();
    await first.fact("agent.reported");
    first.child.kill("SIGKILL");
    await first.ended;
    await using second = await at.sit({ before: first.memory() });
    assert.equal((await second.turn("[[text Here.]]")).outcome, "completed");
  });

  it("starts a new conversation where the old one holds no prompt: Claude neither resumes that nor takes its id", async () => {
    await using at = await desk();
    const folder = join(at.home, ".claude", "projects", at.workspace.replaceAll(/[/.]/gu, "-"));
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, `${at.session}.jsonl`), '{"type":"queue-operation","operation":"enqueue"}\n');
    const first = await at.sit();
    assert.equal((await first.turn("[[text Anew.]]")).outcome, "completed");
    first.child.stdin?.end();
    await first.ended;
    await using second = await at.sit({ before: first.memory() });
    await second.turn("[[text Again.]]");
    assert.match(at.told(), /Anew\./u);
  });

  it("tells a retry, and a refused request in words a person can use", async () => {
    await using at = await desk();
    await using driven = await at.sit();
    const refused = await driven.turn("[[http 400 the prompt is bad]]");
    assert.equal(refused.outcome, "failed");
    assert.match(refused.detail ?? "", /refused the request.*the prompt is bad/u);
    driven.prompt("[[http 529]]");
    const retry = await driven.fact("notice", (fact) => fact.level === "warning");
    assert.match(retry.text, /overloaded \(529\).*again in \d+ s \(1 of 10\)/u);
    const before = driven.entries.length;
    driven.give({ kind: "interrupt.asked", by: DEVICE });
    assert.equal((await driven.fact("turn.ended", undefined, before)).outcome, "interrupted");
  });

  it("keeps what a broken stream had said; Claude has its model go on from there in the same turn", async () => {
    await using at = await desk();
    await using driven = await at.sit();
    assert.equal((await driven.turn("[[slow 30]][[text Said before the line broke.]][[drop]]")).outcome, "completed");
    assert.equal(driven.items()[0]?.body, "Said before the line broke.");
    assert.match(at.told(), /cut off mid-stream/u);
    assert.deepEqual(driven.state().items, []);
  });

  it("shows parallel tools, exit codes, reads and unknown tools as they end", async () => {
    await using at = await desk();
    await using driven = await at.sit();
    driven.prompt(
      `[[tool Bash {"command":"echo one"}]][[+tool Bash {"command":"ls /nowhere"}]][[+tool Read {"file_path":"/etc/hostname"}]][[+tool Nope {"a":1}]][[+tool Bash {"command":"touch x; exit 3"}]]`,
    );
    await allowAll(driven);
    const shown = new Map(tools(driven).map((tool) => [`${tool.tool.name} ${tool.tool.object}`, tool]));
    assert.equal(shown.get("Bash echo one")?.body, "one");
    assert.equal(shown.get("Bash touch x; exit 3")?.tool.exit, 3);
    assert.equal(shown.get("Bash touch x; exit 3")?.tool.state, "failed");
    assert.equal(shown.get("Read /etc/hostname")?.tool.kind, "read");
    assert.equal(shown.get("Nope ")?.tool.state, "failed");
    assert.equal(shown.get("Nope ")?.tool.kind, "other");
  });

  it("shows a sub-agent's items under the call that started it, and its ask with its name", async () => {
    await using at = await desk();
    await using driven = await at.sit();
    const asked = driven.ask();
    driven.prompt(
      '[[tool Task {"description":"Count files","prompt":"<<think Inner thought>><<text Inner words>><<+tool Bash {\\"command\\":\\"touch s\\"}>><<text Inner end>>","subagent_type":"general-purpose"}]][[text Outer words]]',
    );
    const ask = approval(await asked);
    assert.equal(ask.from, "Count files");
    driven.answer(ask, { kind: "allow", choice: "once" });
    await driven.until(() => tools(driven).some((tool) => tool.tool.kind === "agent"), "the sub-agent's end");
    const call = tools(driven).find((tool) => tool.tool.kind === "agent");
    assert.equal(call?.tool.state, "done");
    assert.equal(call?.body, "Inner end");
    const inner = driven.items().filter((item) => item.parent === call?.item);
    assert.deepEqual(
      inner.map((item) => item.kind),
      ["thought", "words", "tool", "words"],
    );
  });

  it("shows what /context answers, and goes on after /clear, also in a new process", async () => {
    await using at = await desk();
    const first = await at.sit();
    await first.turn("[[text Before.]]");
    await first.turn("/context");
    assert.match(first.items().at(-1)?.body ?? "", /Context Usage/iu);
    await first.turn("/clear");
    await first.fact("notice", (fact) => /cleared/u.test(fact.text));
    await first.turn("[[text After the clearing.]]");
    assert.doesNotMatch(at.told(), /Before\./u);
    first.child.stdin?.end();
    await first.ended;
    await using second = await at.sit({ before: first.memory() });
    await second.turn("[[text More.]]");
    assert.match(at.told(), /After the clearing/u);
    assert.doesNotMatch(at.told(), /Before\./u);
  });

  it("takes a prompt of 5 MB", async () => {
    await using at = await desk();
    await using driven = await at.sit();
    const ended = await driven.turn(`${"x".repeat(5_000_000)} end`);
    assert.ok(["completed", "failed"].includes(ended.outcome));
    await driven.fact("prompt.taken");
  });

  it("looks: found with its version, not installed, not signed in, broken", async () => {
    await using at = await desk();
    const info = await claude.look(at.env);
    assert.equal(info.problem, undefined);
    assert.match(info.version ?? "", /^2\./u);
    const { ANTHROPIC_API_KEY: _, ...unsigned } = at.env;
    assert.equal(
      (await claude.look(unsigned)).problem?.code,
      process.platform === "darwin" ? undefined : "not_signed_in",
    );
  });

  agentContract("claude", {
    agent: claude,
    skip: skip === false ? undefined : skip,
    record: async () => {
      await using at = await desk();
      await using driven = await at.sit();
      const first = driven.ask();
      driven.prompt(
        `[[think Hm]][[text Words that stream for a while]][[+tool Bash {"command":"touch z"}]][[tool Write {"file_path":"${at.workspace}/f","content":"a\\n"}]][[text Done]]`,
      );
      const ask = await first;
      const second = driven.ask();
      driven.answer(ask, { kind: "allow", choice: "once" });
      driven.answer(await second, { kind: "deny", reason: "No" });
      await driven.fact("turn.ended");
      const third = driven.ask();
      driven.prompt('[[text Asking]][[+tool Bash {"command":"touch y"}]]');
      await third;
      const before = driven.entries.length;
      driven.give({ kind: "interrupt.asked", by: DEVICE });
      await driven.fact("turn.ended", undefined, before);
      return driven.recording;
    },
  });
});

describe("claude without a Claude Code", () => {
  it("says how to mend what is missing or broken", async () => {
    const home = mkdtempSync(join(tmpdir(), "flybridge-home-"));
    try {
      const bare = { HOME: home, PATH: join(home, "bin") };
      // A machine may have one where every machine may: then there is nothing to see here.
      const info = await claude.look(bare);
      if (info.problem?.code === "not_installed") assert.match(info.problem.message, /Install it/u);
      assert.deepEqual(info.install, ["npm", "install", "-g", "@anthropic-ai/claude-code"]);
      spawnSync("mkdir", ["-p", join(home, "bin")]);
      spawnSync("sh", [
        "-c",
        `printf '#!/bin/sh\necho sorry >&2; exit 1\n' > ${home}/bin/claude; chmod +x ${home}/bin/claude`,
      ]);
      assert.equal((await claude.look(bare)).problem?.code, "broken");
      spawnSync("sh", ["-c", `printf '#!/bin/sh\necho 1.0.3\n' > ${home}/bin/claude`]);
      assert.equal((await claude.look(bare)).problem?.code, "too_old");
      await assert.rejects(
        claude.launch({ session: "s" as SessionId, workspace: home, env: bare }),
        (error: { code?: string; message: string }) =>
          error.code === "agent_unavailable" && /too old/u.test(error.message),
      );
    } finally {
      rmSync(home, { recursive: true, force: true });
    }
  });
});
