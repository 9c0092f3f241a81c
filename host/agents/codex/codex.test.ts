/** The adapter against the real Codex; only the model behind it is played. */
import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import type { ApprovalAsk, Ask, PlanAsk, QuestionAsk } from "@flybridge/protocol/ask.ts";
import { uuid7From, type SessionId } from "@flybridge/protocol/ids.ts";
import type { ToolItem } from "@flybridge/protocol/item.ts";
import { codexPlace, findCodex, patch, run, runOutside, type CodexPlace } from "@flybridge/testing/codex.ts";
import { DEVICE, drive, type Driven } from "@flybridge/testing/driven.ts";
import { startOpenAi, toldIn, type OpenAi } from "@flybridge/testing/openai.ts";
import { agentContract } from "../agent.contract.ts";
import type { LaunchOrder } from "../agent.ts";
import { codex } from "./codex.ts";

const skip = findCodex() === undefined ? "Codex is not in .cache/agents; npm test brings it" : false;
const MCP = join(import.meta.dirname, "..", "..", "..", "testing", "codex-mcp.ts");

let sessions = 0;

/** A place of its own, and a model that answers from the prompt. */
class Desk {
  readonly place: CodexPlace;
  readonly session: SessionId;
  readonly model: OpenAi;
  constructor(model: OpenAi, more = "") {
    this.model = model;
    this.place = codexPlace(model.url, { more });
    sessions += 1;
    this.session = uuid7From(Date.now(), new Uint8Array(10).fill(sessions)) as string as SessionId;
  }
  get workspace(): string {
    return this.place.workspace;
  }
  sit(more: Partial<LaunchOrder> = {}): Promise<Driven> {
    return drive(codex, { session: this.session, workspace: this.workspace, env: this.place.env, ...more });
  }
  /** What the model was shown last. */
  told(): string {
    return toldIn(this.model.requests.at(-1));
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await this.model.close();
    this.place[Symbol.dispose]();
  }
}

async function desk(more?: string): Promise<Desk> {
  return new Desk(await startOpenAi(), more);
}

function approval(ask: Ask): ApprovalAsk {
  assert.equal(ask.kind, "approval");
  return ask as ApprovalAsk;
}

function tools(driven: Driven): ToolItem[] {
  return driven.items().filter((item) => item.kind === "tool");
}

/** The choice of a scope; the ask must have it. */
function chosen(ask: ApprovalAsk | PlanAsk, scope: "once" | "session" | "always"): string {
  const choice = ask.choices.find((one) => one.scope === scope)?.choice;
  assert.ok(choice, `a choice for ${scope} in ${JSON.stringify(ask.choices)}`);
  return choice;
}

async function ended(driven: Driven, after: number): Promise<string> {
  return (await driven.fact("turn.ended", undefined, after)).outcome;
}

describe("codex with the real Codex", { skip, concurrency: 2 }, () => {
  it("[E02] [E03] [E20] opens a conversation on pipes and tells commentary from answers", async () => {
    await using at = await desk();
    await using driven = await at.sit();
    const turn = await driven.turn(
      `[[think About this]][[comment I will look around]][[+${run("echo hi; exit 3")}]][[slow 20]][[text One two three four five six seven]]`,
    );
    assert.equal(turn.outcome, "completed");
    assert.ok((turn.usage?.input ?? 0) > 0 && (turn.usage?.context?.size ?? 0) > 100_000);
    const [thought, commentary, command, words] = driven.items();
    assert.deepEqual([thought?.kind, thought?.body], ["thought", "About this"]);
    assert.deepEqual(
      [commentary?.kind, commentary?.body, commentary?.kind === "words" && commentary.commentary],
      ["words", "I will look around", true],
    );
    assert.ok(command?.kind === "tool");
    assert.deepEqual(
      [command.tool.object, command.tool.state, command.tool.exit, command.body],
      ["echo hi; exit 3", "failed", 3, "hi\n"],
    );
    assert.ok(words?.kind === "words" && words.commentary === undefined);
    const deltas = driven.deltas.filter((delta) => delta.item === words.item);
    assert.ok(deltas.length >= 2, `grew in ${deltas.length} steps`);
    assert.equal(deltas.map((delta) => delta.text).join(""), words.body);
    const { version, model, mode, models, settings, commands, status } = driven.state();
    assert.match(version ?? "", /^0\.\d+/u);
    assert.deepEqual([model, mode, status.kind], ["gpt-6-sol", "auto", "idle"]);
    assert.ok((models?.length ?? 0) > 2 && settings?.[0]?.setting === "effort");
    assert.ok(commands?.some(({ name }) => name === "compact"));
  });

  it("allows a command once, or by the rule it proposes, spelled out; says no with the reason", async () => {
    await using at = await desk();
    await using driven = await at.sit();
    const place = join(at.place.folder, "made");
    let asked = driven.ask();
    let after = driven.entries.length;
    driven.prompt(`[[${runOutside(`touch ${place}`, "May I make it?")}]]`);
    let ask = approval(await asked);
    assert.equal(ask.evidence.command, `touch ${place}`);
    assert.equal(ask.evidence.purpose, "May I make it?");
    assert.equal(ask.evidence.directory, at.workspace);
    assert.equal(driven.state().status.kind, "waiting");
    driven.answer(ask, { kind: "allow", choice: chosen(ask, "once") });
    assert.equal(await ended(driven, after), "completed");
    assert.ok(existsSync(place));
    assert.equal(tools(driven)[0]?.item, ask.item);

    asked = driven.ask();
    after = driven.entries.length;
    driven.prompt(`[[${runOutside(`touch ${place}`)}]][[${runOutside(`touch ${place} ${place}2`)}]]`);
    ask = approval(await asked);
    const always = ask.choices.find((choice) => choice.scope === "always");
    assert.equal(always?.label, `Allow, and commands that start with \`touch ${place}\` from now on`);
    driven.answer(ask, { kind: "allow", choice: always?.choice ?? "" });
    assert.equal(await ended(driven, after), "completed");
    assert.ok(existsSync(`${place}2`), "the second one ran unasked");
    assert.match(
      readFileSync(join(at.place.codex, "rules", "default.rules"), "utf8"),
      /prefix_rule\(pattern=\["touch"/u,
    );

    asked = driven.ask();
    after = driven.entries.length;
    driven.prompt(`[[${runOutside(`rm ${place}`)}]]`);
    driven.answer(await asked, { kind: "deny", reason: "Keep it, it is mine" });
    assert.equal(await ended(driven, after), "completed");
    assert.ok(existsSync(place));
    assert.match(at.told(), /rejected by user/u);
    assert.match(at.told(), /I said no to rm .*Keep it, it is mine/u);
    assert.equal(tools(driven).at(-1)?.tool.state, "refused");
    assert.equal(
      driven.items().filter((item) => item.kind === "prompt").length,
      0,
      "the reason is no prompt of its own",
    );
  });

  it("[E47] shows an edit's diff with its counts, and asks no more for it in this session", async () => {
    await using at = await desk();
    await using driven = await at.sit({ mode: "ask" });
    const path = join(at.workspace, "out.txt");
    const asked = driven.ask();
    const after = driven.entries.length;
    driven.prompt(
      `[[${patch(`*** Add File: ${path}`, "+one", "+two")}]][[${patch(`*** Update File: ${path}`, "@@", " one", "-two", "+2")}]]`,
    );
    const ask = approval(await asked);
    assert.deepEqual(ask.evidence.edits, [{ path, diff: "@@ -0,0 +1,2 @@\n+one\n+two", added: 2, removed: 0 }]);
    driven.answer(ask, { kind: "allow", choice: chosen(ask, "session") });
    assert.equal(await ended(driven, after), "completed");
    assert.equal(readFileSync(path, "utf8"), "one\n2\n");
    assert.equal(driven.entries.filter((entry) => entry.fact.kind === "ask.opened").length, 1);
    const [, second] = tools(driven);
    assert.deepEqual(second?.tool.edits, [{ path, diff: "@@ -1,2 +1,2 @@\n one\n-two\n+2", added: 1, removed: 1 }]);
  });

  it("[E25] keeps two asks apart, and takes each back when the turn is interrupted", async () => {
    await using at = await desk();
    await using driven = await at.sit();
    const [one, two] = [join(at.place.folder, "one"), join(at.place.folder, "two")];
    const script = `[[${runOutside(`touch ${one}`)}]][[+${runOutside(`touch ${two}`)}]]`;
    let after = driven.entries.length;
    driven.prompt(script);
    await driven.until(() => driven.state().asks.length === 2, "two asks at once");
    const [first, second] = driven.state().asks.map(({ ask }) => approval(ask)) as [ApprovalAsk, ApprovalAsk];
    const allowed = first.evidence.command === `touch ${one}` ? first : second;
    const denied = allowed === first ? second : first;
    driven.answer(denied, { kind: "deny" });
    driven.answer(allowed, { kind: "allow", choice: chosen(allowed, "once") });
    // Late and again: nothing comes of it.
    driven.answer(denied, { kind: "allow", choice: chosen(denied, "once") });
    assert.equal(await ended(driven, after), "completed");
    assert.ok(existsSync(one) && !existsSync(two));

    after = driven.entries.length;
    driven.prompt(script);
    await driven.until(() => driven.state().asks.length === 2, "two asks at once");
    const gone = driven.state().asks.map(({ ask }) => ask);
    driven.give({ kind: "interrupt.asked", by: DEVICE });
    assert.equal(await ended(driven, after), "interrupted");
    for (const { ask } of gone) {
      const settled = await driven.fact("ask.settled", (fact) => fact.ask === ask, after);
      assert.equal(settled.settlement.kind, "withdrawn");
    }
    assert.deepEqual(driven.state().items, [], "nothing is left open");
    assert.ok(driven.written.some((line) => line.includes('"decision":"cancel"')));
    assert.equal((await driven.turn("[[text On we go]]")).outcome, "completed");
  });

  it("plans: asks with options and own words, then goes on as the plan's answer says", async () => {
    await using at = await desk();
    await using driven = await at.sit({ mode: "plan" });
    await driven.fact("agent.reported", (fact) => fact.mode === "plan");
    const options = [
      { label: "Postgres", description: "big" },
      { label: "SQLite", description: "small" },
    ];
    const questions = ["db", "name", "key"].map((id) => ({ id, header: id, question: `Which ${id}?`, options }));
    const plan = "<proposed_plan>\n# Plan\n\n1. Begin\n</proposed_plan>\n";
    let asked = driven.ask();
    let after = driven.entries.length;
    driven.prompt(`[[tool request_user_input ${JSON.stringify({ questions })}]][[text Here it is\n${plan}]]`);
    const ask = (await asked) as QuestionAsk;
    assert.equal(ask.kind, "question");
    assert.deepEqual(ask.questions[0]?.options, [
      { label: "Postgres", detail: "big" },
      { label: "SQLite", detail: "small" },
    ]);
    asked = driven.ask();
    driven.answer(ask, {
      kind: "replies",
      replies: [
        { question: "q1", picks: ["SQLite"], note: "use WAL" },
        { question: "q2", picks: [], text: "DuckDB" },
      ],
    });
    assert.equal(await ended(driven, after), "completed");
    assert.match(at.told(), /"db":\{"answers":\["SQLite","user_note: use WAL"\]\}/u);
    assert.match(at.told(), /"name":\{"answers":\["None of the above","user_note: DuckDB"\]\}/u);
    const first = (await asked) as PlanAsk;
    assert.deepEqual([first.kind, first.plan.trim()], ["plan", "# Plan\n\n1. Begin"]);

    after = driven.entries.length;
    asked = driven.ask();
    driven.answer(first, { kind: "revise", feedback: `[[text Again\n${plan}]]` });
    assert.equal(await ended(driven, after), "completed");
    const second = (await asked) as PlanAsk;
    after = driven.entries.length;
    driven.answer(second, { kind: "approve", choice: "auto", edited: "# Mine" });
    await driven.fact("agent.reported", (fact) => fact.mode === "auto", after);
    assert.equal(await ended(driven, after), "completed");
    assert.match(at.told(), /Implement this plan instead of yours:\n\n# Mine/u);
    assert.deepEqual(driven.state().asks, []);
  });

  it("allows an MCP tool for the session, and fills in a server's form", async () => {
    await using at = await desk(`[mcp_servers.demo]\ncommand = "${process.execPath}"\nargs = ["${MCP}"]`);
    await using driven = await at.sit();
    let asked = driven.ask();
    let after = driven.entries.length;
    driven.prompt('[[nstool mcp__demo deploy {"env":"prod"}]][[nstool mcp__demo deploy {"env":"test"}]]');
    const tool = approval(await asked);
    assert.equal(tool.evidence.server, "demo");
    assert.equal(tool.evidence.tool, "mcp__demo__deploy");
    assert.deepEqual(JSON.parse(tool.evidence.input), { env: "prod" });
    assert.deepEqual(
      tool.choices.map(({ scope }) => scope),
      ["once", "session", "always"],
    );
    assert.equal(tool.item, [...driven.state().items].at(-1)?.item);
    driven.answer(tool, { kind: "allow", choice: chosen(tool, "session") });
    assert.equal(await ended(driven, after), "completed");
    assert.deepEqual(
      tools(driven).map((item) => item.body),
      ['deploy {"env":"prod"}', 'deploy {"env":"test"}'],
    );

    asked = driven.ask();
    after = driven.entries.length;
    driven.prompt("[[nstool mcp__demo who {}]][[nstool mcp__demo who {}]]");
    const form = (await asked) as QuestionAsk;
    const key = (header: string): string => form.questions.find((one) => one.header === header)?.question ?? "";
    assert.deepEqual(form.questions.find((one) => one.header === "color")?.options, [
      { label: "Red" },
      { label: "Green" },
    ]);
    assert.equal(form.questions.find((one) => one.header === "tags")?.many, true);
    assert.match(form.questions.find((one) => one.header === "Name")?.text ?? "", /At least 2 characters, needed/u);
    const name = { question: key("Name"), picks: [], text: "Bo" };
    asked = driven.ask();
    driven.answer(form, {
      kind: "replies",
      replies: [
        name,
        { question: key("age"), picks: [], text: "7" },
        { question: key("member"), picks: ["Yes"] },
        { question: key("color"), picks: ["Green"] },
        { question: key("tags"), picks: ["a", "b"] },
      ],
    });
    // What does not fit is not sent as if it were meant.
    driven.answer(await asked, { kind: "replies", replies: [name, { question: key("age"), picks: [], text: "old" }] });
    assert.equal(await ended(driven, after), "completed");
    const [first, second] = tools(driven).slice(-2);
    assert.match(
      first?.body ?? "",
      /"content":\{.*"age":7.*"color":"g".*"member":true.*"name":"Bo".*"tags":\["a","b"\]/u,
    );
    assert.match(second?.body ?? "", /"action":"decline"/u);
    assert.match(at.told(), /"old" does not fit "age"\. A whole number, at least 1\./u);
  });

  it("steers into the running turn, queues behind it, and interrupts what streams", async () => {
    await using at = await desk();
    await using driven = await at.sit();
    let after = driven.entries.length;
    driven.prompt(`[[text Begun]][[+wait go]][[+${run("true")}]]`);
    await driven.fact("item.completed");
    const steered = driven.prompt("[[text Steered]]", "steer");
    at.model.release("go");
    assert.equal(await ended(driven, after), "completed");
    const order = driven.entries.flatMap(({ fact }) =>
      fact.kind === "prompt.taken"
        ? [fact.prompt === steered ? "steered" : "first"]
        : fact.kind === "turn.ended"
          ? ["end"]
          : [],
    );
    assert.deepEqual(order, ["first", "steered", "end"]);
    assert.match(at.told(), /\[\[text Steered\]\]/u);

    // Steered into a turn that is over before the model could read it: it gets a turn of its own.
    after = driven.entries.length;
    driven.prompt("[[text The beginning]][[+wait never]]");
    await driven.fact("item.completed", undefined, after);
    const late = driven.prompt("[[text For later]]", "steer");
    driven.give({ kind: "interrupt.asked", by: DEVICE });
    assert.equal(await ended(driven, after), "interrupted");
    await driven.fact("prompt.taken", (fact) => fact.prompt === late);
    await driven.until(() => driven.items().at(-1)?.body === "For later", "its answer");
    await driven.until(() => driven.state().running === undefined, "rest");

    after = driven.entries.length;
    driven.prompt(`[[slow 50]][[text ${"word ".repeat(400)}]]`);
    const { item } = await driven.fact("item.began", (fact) => fact.item.kind === "words", after);
    await driven.until(() => driven.bodyOf(item.item).length > 30, "some words");
    driven.give({ kind: "interrupt.asked", by: DEVICE });
    assert.equal(await ended(driven, after), "interrupted");
    const length = driven.items().at(-1)?.body.length ?? 0;
    assert.ok(length > 30 && length < 2_000);
    assert.deepEqual(driven.state().items, []);
  });

  it("changes model, thinking and mode in the middle, and takes images and files", async () => {
    await using at = await desk();
    await using driven = await at.sit({ mode: "ask" });
    await driven.turn("[[text a]]");
    assert.equal(driven.state().mode, "ask");
    let after = driven.entries.length;
    driven.give({ kind: "session.configured", model: "gpt-6.1-sol", by: DEVICE });
    driven.give({ kind: "session.configured", setting: { setting: "effort", value: "high" }, by: DEVICE });
    driven.give({ kind: "session.configured", mode: "read-only", by: DEVICE });
    await driven.fact("agent.reported", (fact) => fact.model === "gpt-6.1-sol", after);
    await driven.fact("agent.reported", (fact) => fact.settings?.[0]?.value === "high", after);
    await driven.fact("agent.reported", (fact) => fact.mode === "read-only", after);
    after = driven.entries.length;
    driven.prompt(`[[${patch("*** Add File: a.txt", "+one")}]]`);
    assert.equal(await ended(driven, after), "completed");
    assert.ok(!existsSync(join(at.workspace, "a.txt")), "read only, and unasked");
    assert.equal(at.model.requests.at(-1)?.model, "gpt-6.1-sol");

    const image = join(at.place.folder, "dot.png");
    const dot = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
    writeFileSync(image, Buffer.from(dot, "base64"));
    const attachment = { size: 1, hash: "0".repeat(64), data: dot };
    const entry = {
      seq: 1_000,
      at: 1,
      fact: { ...driven.entries.findLast(({ fact }) => fact.kind === "prompt.accepted")?.fact },
    };
    const lines = codex.act(
      JSON.parse(JSON.stringify(driven.memory())) as never,
      { ...entry, fact: { ...entry.fact, prompt: at.session, text: "look" } } as never,
      [
        { ...attachment, name: "dot.png", type: "image/png", path: image },
        { ...attachment, name: "notes.txt", type: "text/plain", path: "/tmp/notes.txt" },
      ],
    );
    driven.child.stdin?.write(`${lines.join("\n")}\n`);
    await driven.until(() => /\[image data:image\/png;base64,/u.test(at.told()), "the image at the model");
    assert.match(at.told(), /look\nAttached file "notes\.txt": \/tmp\/notes\.txt/u);
  });

  it("says why a turn failed, tells retries apart, and goes on", async () => {
    await using at = await desk();
    await using driven = await at.sit();
    const refused = await driven.turn("[[http 400 no such thing]]");
    assert.deepEqual([refused.outcome, refused.detail], ["failed", "no such thing"]);
    const broken = await driven.turn("[[http 500]]");
    assert.equal(broken.outcome, "failed");
    assert.match(broken.detail ?? "", /cannot answer now/u);
    assert.ok(driven.entries.some(({ fact }) => fact.kind === "notice" && /Reconnecting/u.test(fact.text)));
    assert.equal((await driven.turn("[[text Fine]]")).outcome, "completed");
  });

  it("keeps a background terminal and a sub-agent open beyond their turn, and compacts on command", async () => {
    await using at = await desk();
    await using driven = await at.sit();
    await driven.turn(`[[${run("echo begun; sleep 2; echo over", { yield_time_ms: 300 })}]]`);
    assert.equal(driven.state().items.length, 1, "it goes on");
    await driven.until(() => tools(driven).some((tool) => tool.body === "begun\nover\n"), "its end");
    const after = driven.entries.length;
    driven.prompt(
      `[[nstool collaboration spawn_agent {"task_name":"kid","message":"<<text I am the kid>>"}]][[${run("sleep 1")}]]`,
    );
    assert.equal(await ended(driven, after), "completed");
    const kid = await driven.fact(
      "item.completed",
      (fact) => fact.item.kind === "tool" && fact.item.tool.kind === "agent",
    );
    assert.ok(kid.item.kind === "tool");
    assert.deepEqual([kid.item.tool.object, kid.item.tool.state], ["/root/kid", "done"]);
    assert.ok(
      driven.items().some((item) => item.parent === kid.item.item),
      "what it did hangs below",
    );
    const compact = driven.prompt("/compact");
    await driven.fact("prompt.taken", (fact) => fact.prompt === compact);
    await driven.fact("notice", (fact) => /compacted/u.test(fact.text));
  });

  it("[E14] [E19] goes on in a new process, in a copy, and from a conversation begun elsewhere, with what was said", async () => {
    await using at = await desk();
    const first = await at.sit();
    await first.turn(
      `[[comment On my way]][[+${run("echo hi")}]][[${patch("*** Add File: a.txt", "+one", "+two")}]][[text The answer]]`,
    );
    await first.turn("[[search cats]][[+text Found]]");
    first.give({ kind: "session.configured", title: "A good name", by: DEVICE });
    await first.fact("agent.reported", (fact) => fact.title === "A good name");
    const conversation = codex.recall?.of(first.memory()) ?? "";
    await first[Symbol.asyncDispose]();

    await using again = await at.sit({ before: first.memory() });
    assert.equal((await again.turn("[[text Still here]]")).outcome, "completed");
    assert.match(at.told(), /The answer/u);
    const ids = [...first.items(), ...again.items()].map(({ item }) => item);
    assert.equal(new Set(ids).size, ids.length, "ids are new in the new process");
    assert.equal(again.written.filter((line) => line.includes("thread/start")).length, 0, "[E18] no new conversation");

    const listed = (await codex.recall?.list(at.place.env, 10)) ?? [];
    assert.deepEqual(
      listed.map((one) => [one.conversation, one.title, one.workspace]),
      [[conversation, "A good name", at.workspace]],
    );
    const said = await codex.recall?.read(at.place.env, conversation, 10);
    assert.deepEqual(said?.map(({ who, text }) => [who, text.slice(0, 14)]).slice(1, 3), [
      ["agent", "On my way"],
      ["agent", "The answer"],
    ]);

    const other = { session: uuid7From(Date.now(), new Uint8Array(10).fill(99)) as string as SessionId };
    const order = { ...other, workspace: at.workspace, env: at.place.env, from: { conversation, fork: true } };
    const { facts = [] } = await codex.launch(order);
    const items = facts.flatMap((fact) => (fact.kind === "item.completed" ? [fact.item] : []));
    assert.deepEqual(
      items.map((item) =>
        item.kind === "tool" ? item.tool.name : item.kind === "words" && item.commentary ? "commentary" : item.kind,
      ),
      [
        "prompt",
        "commentary",
        "exec_command",
        "apply_patch",
        "words",
        "prompt",
        "web_search",
        "words",
        "prompt",
        "words",
      ],
    );
    const [command, edit] = items.filter((item) => item.kind === "tool");
    assert.deepEqual([command?.tool.object, command?.body, command?.tool.exit], ["echo hi", "hi\n", 0]);
    assert.deepEqual(
      edit?.tool.edits.map(({ added, removed }) => [added, removed]),
      [[2, 0]],
    );
    await using copy = await drive(codex, order);
    await copy.turn("[[text In the copy]]");
    assert.match(at.told(), /Still here/u);
    assert.notEqual(codex.recall?.of(copy.memory()), conversation);
    const of = (await codex.recall?.read(at.place.env, codex.recall.of(copy.memory()) ?? "", 50)) ?? [];
    assert.deepEqual([of.at(-1)?.text, of.some(({ text }) => text === "The answer")], ["In the copy", true]);
  });

  agentContract("codex", {
    agent: codex,
    ...(skip === false ? {} : { skip }),
    record: async () => {
      await using at = await desk();
      await using driven = await at.sit();
      const path = join(at.place.folder, "made");
      const asked = driven.ask();
      const after = driven.entries.length;
      driven.prompt(
        `[[think First]][[comment Looking]][[+${run("echo hi")}]][[${patch("*** Add File: a.txt", "+one")}]][[${runOutside(`touch ${path}`)}]][[text All is done and said here]]`,
      );
      const ask = approval(await asked);
      driven.answer(ask, { kind: "allow", choice: chosen(ask, "once") });
      await driven.fact("turn.ended", undefined, after);
      const again = driven.ask();
      const before = driven.entries.length;
      driven.prompt(`[[${runOutside(`rm ${path}`)}]]`);
      const gone = await again;
      driven.give({ kind: "interrupt.asked", by: DEVICE });
      await driven.fact("ask.settled", (fact) => fact.ask === gone.ask, before);
      await driven.fact("turn.ended", undefined, before);
      return driven.recording;
    },
  });
});
