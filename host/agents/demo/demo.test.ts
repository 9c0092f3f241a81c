import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Ask } from "@flybridge/protocol/ask.ts";
import { uuid7From, type SessionId } from "@flybridge/protocol/ids.ts";
import { DEVICE, drive, type Driven } from "@flybridge/testing/driven.ts";
import { agentContract } from "../agent.contract.ts";
import { demo } from "./demo.ts";
import { PACE } from "./wire.ts";

const session = uuid7From(1, new Uint8Array(10)) as string as SessionId;

function play(more: { mode?: string; before?: unknown } = {}): Promise<Driven> {
  return drive(demo, { session, workspace: process.cwd(), env: { [PACE]: "0" }, ...more });
}

/** Says yes to whatever comes until the turn has ended. */
async function agree(driven: Driven, text: string): Promise<void> {
  const before = driven.entries.length;
  driven.prompt(text);
  const ended = (): boolean => driven.entries.slice(before).some((entry) => entry.fact.kind === "turn.ended");
  for (;;) {
    await driven.until(() => ended() || driven.state().asks.length > 0, "an ask or the end");
    const ask = driven.state().asks[0]?.ask;
    if (!ask) return;
    driven.answer(ask, yes(ask));
  }
}

function yes(ask: Ask): Parameters<Driven["answer"]>[1] {
  if (ask.kind === "approval") return { kind: "allow", choice: "once" };
  if (ask.kind === "plan") return { kind: "approve", choice: ask.choices[0]?.choice ?? "" };
  return {
    kind: "replies",
    replies: ask.questions.map((one) => ({ question: one.question, picks: [one.options[0]?.label ?? ""] })),
  };
}

function spoken(driven: Driven): string {
  return driven
    .items()
    .map((item) => item.body)
    .join("\n");
}

describe("demo", () => {
  it("is always there, with models and modes to choose from", async () => {
    const info = await demo.look({});
    assert.equal(info.problem, undefined);
    assert.ok(info.models.length > 1 && info.modes.length > 1);
  });

  it("says what it understands to whoever says anything else", async () => {
    await using driven = await play();
    await driven.turn("good morning");
    for (const word of ["ask", "question", "plan", "edit", "crash"])
      assert.match(spoken(driven), new RegExp(`\`${word}\``, "u"));
    assert.match(spoken(driven), /```ts/u);
  });

  it("shows every kind of item and ask on its tour", async () => {
    await using driven = await play();
    await agree(driven, "tour");
    assert.deepEqual([...new Set(driven.items().map((item) => item.kind))].toSorted(), [
      "thought",
      "todo",
      "tool",
      "words",
    ]);
    const asks = driven.entries.flatMap((entry) => (entry.fact.kind === "ask.opened" ? [entry.fact.ask.kind] : []));
    assert.deepEqual([...new Set(asks)].toSorted(), ["approval", "plan", "question"]);
    const states = driven.items().flatMap((item) => (item.kind === "tool" ? [item.tool.state] : []));
    assert.ok(states.includes("failed") && states.includes("done"));
    assert.ok(driven.items().some((item) => item.parent !== undefined));
    assert.ok(driven.entries.some((entry) => entry.fact.kind === "notice"));
    assert.ok((driven.state().usage.dollars ?? 0) > 0);
  });

  it("reacts to what is answered", async () => {
    await using driven = await play();
    let asked = driven.ask();
    driven.prompt("ask");
    driven.answer(await asked, { kind: "deny", reason: "not on a Friday" });
    await driven.until(() => /not on a Friday/u.test(spoken(driven)), "the reason");
    await driven.until(() => driven.state().running === undefined, "rest");
    asked = driven.ask();
    driven.prompt("plan");
    const plan = await asked;
    asked = driven.ask();
    driven.answer(plan, { kind: "revise", feedback: "Mention the docs" });
    const second = await asked;
    assert.match(second.kind === "plan" ? second.plan : "", /4\. Mention the docs/u);
    driven.answer(second, { kind: "approve", choice: "careful", edited: "# Mine" });
    await driven.until(() => /ask before each edit.*your version/u.test(spoken(driven)), "the edited plan");
    await driven.until(() => driven.state().running === undefined, "rest");
    asked = driven.ask();
    driven.prompt("question");
    driven.answer(await asked, {
      kind: "replies",
      replies: [
        { question: "q2", picks: ["A table", "A curve"], note: "small ones" },
        { question: "q3", picks: [], text: "moon" },
      ],
    });
    await driven.until(() => /A table, A curve _\(small ones\)_[\s\S]*“moon”/u.test(spoken(driven)), "the replies");
    assert.match(spoken(driven), /Units\*\*: left to me/u);
  });

  it("stops where it is told to, and withdraws what it asked", async () => {
    await using driven = await play();
    const asked = driven.ask();
    driven.prompt("ask");
    const ask = await asked;
    driven.give({ kind: "interrupt.asked", by: DEVICE });
    assert.equal((await driven.fact("turn.ended")).outcome, "interrupted");
    const settled = await driven.fact("ask.settled", (fact) => fact.ask === ask.ask);
    assert.equal(settled.settlement.kind, "withdrawn");
    const before = driven.entries.length;
    driven.prompt("flood 1000000");
    await driven.fact("item.began", undefined, before);
    driven.give({ kind: "interrupt.asked", by: DEVICE });
    assert.equal((await driven.fact("turn.ended", undefined, before)).outcome, "interrupted");
    assert.deepEqual(driven.state().items, []);
  });

  it("takes steering into the turn and queues the rest behind it", async () => {
    await using driven = await play();
    const asked = driven.ask();
    driven.prompt("ask");
    const ask = await asked;
    const steer = driven.prompt("mind the gap", "steer");
    const next = driven.prompt("todo");
    driven.answer(ask, { kind: "allow", choice: "always" });
    await driven.until(
      () => driven.entries.filter((entry) => entry.fact.kind === "turn.ended").length === 2,
      "both ends",
    );
    const order = driven.entries.flatMap(({ fact }) => {
      if (fact.kind === "prompt.taken")
        return [fact.prompt === steer ? "steer" : fact.prompt === next ? "next" : "first"];
      return fact.kind === "turn.ended" ? ["end"] : [];
    });
    assert.deepEqual(order, ["first", "steer", "end", "next", "end"]);
    assert.match(spoken(driven), /You steered me: _mind the gap_/u);
    assert.match(spoken(driven), /I will not ask for this one again/u);
  });

  it("asks for nothing it may do in auto mode", async () => {
    await using driven = await play();
    driven.give({ kind: "session.configured", mode: "auto", by: DEVICE });
    await driven.fact("agent.reported", (fact) => fact.mode === "auto");
    await driven.turn("ask");
    assert.ok(!driven.entries.some((entry) => entry.fact.kind === "ask.opened"));
  });

  it("fails a turn, dies, and comes back with new ids", async () => {
    const first = await play();
    const failed = await first.turn("error");
    assert.equal(failed.outcome, "failed");
    assert.match(failed.detail ?? "", /cannot answer now/u);
    first.prompt("crash");
    const ended = await first.ended;
    assert.equal(ended.code, 70);
    assert.match(demo.explain(first.memory() as never, ended) ?? "", /told to crash/u);
    await using second = await play({ before: first.memory() });
    await second.turn("todo");
    const ids = [...first.items(), ...second.items()].map((item) => item.item);
    assert.equal(new Set(ids).size, ids.length);
  });

  it("floods whole and ticks with times, for those who measure", async () => {
    await using driven = await play();
    await driven.turn("flood 30000");
    const numbers = driven.items().flatMap((item) => item.body.trim().split(/\s+/u));
    assert.equal(numbers.length, 30_000);
    assert.equal(numbers.at(-1), "30000");
    await driven.turn("tick 5 1");
    const times = driven.items().at(-1)?.body.trim().split("\n").map(Number) ?? [];
    assert.equal(times.length, 5);
    assert.ok(times.every((time, place) => time > 1e12 && time >= (times[place - 1] ?? 0)));
    await driven.turn("speak 25 1");
    assert.match(driven.items().at(-1)?.body ?? "", /^(?:\d{13}\.\d{3} ){19}\d{13}\.\d{3}\n\n(?:\d{13}\.\d{3} ){5}$/u);
  });

  it("raises approvals that say when, for those who measure", async () => {
    await using driven = await play();
    const asked = driven.ask();
    driven.prompt("probe 1");
    const ask = await asked;
    const before = driven.entries.length;
    driven.answer(ask, { kind: "allow", choice: "once" });
    await driven.fact("turn.ended", undefined, before);
    const raised = ask.kind === "approval" ? Number(ask.evidence.purpose?.split(" ").at(-1)) : Number.NaN;
    assert.ok(Number(driven.items().at(-1)?.body) >= raised);
  });

  agentContract("demo", {
    agent: demo,
    record: async () => {
      await using driven = await play();
      await agree(driven, "tour");
      const asked = driven.ask();
      driven.prompt("ask");
      await asked;
      const before = driven.entries.length;
      driven.give({ kind: "interrupt.asked", by: DEVICE });
      await driven.fact("turn.ended", undefined, before);
      return driven.recording;
    },
  });
});
