import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Answer, Ask } from "@flybridge/protocol/ask.ts";
import type { Fact } from "@flybridge/protocol/entry.ts";
import { CallError } from "@flybridge/protocol/error.ts";
import { apply, opened } from "@flybridge/protocol/fold.ts";
import type { AgentName, AskId, DeviceId, IntentId, PromptId, SessionId, TurnId } from "@flybridge/protocol/ids.ts";
import { METHODS } from "@flybridge/protocol/methods.ts";
import { RULE_CHOICES } from "@flybridge/protocol/rule.ts";
import type { SessionState } from "@flybridge/protocol/session.ts";
import { decide, MAX_WAITING_PROMPTS, type SessionIntent } from "./decide.ts";

const session = "01980000-0000-7000-8000-0000000000aa" as SessionId;
const by = "d".repeat(43) as DeviceId;
const id = "01980000-0001-7000-8000-0000000000ab" as IntentId;
const waiting = "01980000-0002-7000-8000-0000000000ac" as PromptId;
const turn = "t" as TurnId;
const choices = [{ choice: "once", label: "Allow", scope: "once" as const }];
const ask = (name: string): Ask => ({
  kind: "approval",
  ask: name as AskId,
  choices,
  evidence: { tool: "Bash", kind: "command", edits: [], input: "{}" },
});

function fold(...facts: Fact[]): SessionState {
  const start = opened(session, 0, { kind: "session.opened", agent: "demo" as AgentName, workspace: "/w", by });
  return facts.reduce((state, fact) => apply(state, { seq: state.last + 1, at: 0, fact }), start);
}

const alive: Fact[] = [
  { kind: "agent.started", pid: 7 },
  { kind: "agent.reported", version: "1" },
];
const prompted: Fact = { kind: "prompt.accepted", prompt: waiting, text: "x", delivery: "queue", by };
const ended: Fact = { kind: "agent.ended", cause: "exited", code: 0, signal: null };
const states = {
  starting: fold({ kind: "agent.started", pid: 7 }),
  idle: fold(...alive),
  queued: fold(...alive, prompted),
  running: fold(...alive, { kind: "turn.began", turn }),
  asking: fold(...alive, { kind: "turn.began", turn }, { kind: "ask.opened", ask: ask("a") }),
  stopping: fold(...alive, { kind: "session.stopped", by }),
  ended: fold(...alive, ended),
  endedQueued: fold(...alive, prompted, ended),
};

const intents = {
  prompt: { method: "session.prompt", params: { session, text: "Hello", delivery: "queue" } },
  withdraw: { method: "session.withdraw", params: { session, prompt: waiting } },
  interrupt: { method: "session.interrupt", params: { session } },
  configure: { method: "session.configure", params: { session, model: "m" } },
  stop: { method: "session.stop", params: { session } },
  resume: { method: "session.resume", params: { session } },
  answer: { method: "ask.answer", params: { session, ask: "a" as AskId, answer: { kind: "allow", choice: "once" } } },
  dismiss: { method: "ask.dismiss", params: { session, ask: "a" as AskId } },
} as const;

/** Kinds of the facts it comes to, or the code of the refusal. */
function outcome(state: SessionState, intent: (typeof intents)[keyof typeof intents]): string {
  try {
    return decide(state, { ...intent, id, by } as SessionIntent)
      .map((fact) => fact.kind)
      .join(" ");
  } catch (error) {
    assert.ok(error instanceof CallError, String(error));
    assert.match(error.message, /\.$/u);
    return error.code;
  }
}

describe("what an intent comes to", () => {
  it("in each state a session can be in", () => {
    const P = "prompt.accepted";
    const W = "wrong_state";
    const S = "already_settled";
    const table: Record<keyof typeof states, string[]> = {
      //         prompt, withdraw, interrupt, configure, stop, resume, answer, dismiss
      starting: [P, W, W, "session.configured", "session.stopped", W, S, S],
      idle: [P, W, W, "session.configured", "session.stopped", W, S, S],
      queued: [P, "prompt.withdrawn", W, "session.configured", "session.stopped", W, S, S],
      running: [P, W, "interrupt.asked", "session.configured", "session.stopped", W, S, S],
      asking: [P, W, "interrupt.asked", "session.configured", "session.stopped", W, "ask.settled", "ask.dismissed"],
      stopping: [W, W, W, "session.configured", "session.stopped", W, S, S],
      ended: [`session.resumed ${P}`, W, W, "session.configured", W, "session.resumed", S, S],
      endedQueued: [`session.resumed ${P}`, "prompt.withdrawn", W, "session.configured", W, "session.resumed", S, S],
    };
    for (const [name, state] of Object.entries(states))
      for (const [at, [intent, order]] of Object.entries(intents).entries())
        assert.equal(outcome(state, order), table[name as keyof typeof states][at], `${intent} while ${name}`);
  });

  it("covers every intent on a session of the method table", () => {
    const decided = new Set(Object.values(intents).map(({ method }) => method as string));
    // These make or end a session as a whole, or say who may do what in it.
    const elsewhere = ["session.create", "session.remove", "session.share", "session.detach"];
    for (const [method, { kind }] of Object.entries(METHODS))
      if (kind === "intent" && /^(session|ask)\./u.test(method) && !elsewhere.includes(method))
        assert.ok(decided.has(method), method);
  });

  it("is a prompt with the intent's own id, and by the device that sent it", () => {
    const facts = decide(states.idle, { ...intents.prompt, id, by, guest: false });
    assert.deepEqual(facts, [{ kind: "prompt.accepted", prompt: id, text: "Hello", delivery: "queue", by }]);
  });

  it("is the same again for the same state, and changes no state", () => {
    for (const state of Object.values(states)) {
      const before = JSON.stringify(state);
      for (const intent of Object.values(intents)) assert.equal(outcome(state, intent), outcome(state, intent));
      assert.equal(JSON.stringify(state), before);
    }
  });

  it("refuses a prompt when too many wait already", () => {
    const many = Array.from({ length: MAX_WAITING_PROMPTS }, (_, at): Fact => ({
      ...(prompted as Fact & { kind: "prompt.accepted" }),
      prompt: `p${at}` as PromptId,
    }));
    assert.equal(outcome(fold(...alive, ...many), intents.prompt), "too_many");
    assert.equal(outcome(fold(...alive, ...many.slice(1)), intents.prompt), "prompt.accepted");
  });

  it("lets the first answer win, on every device", () => {
    const answer: Answer = { kind: "deny" };
    const [fact] = decide(states.asking, {
      method: "ask.answer",
      params: { session, ask: "a" as AskId, answer },
      id,
      by,
      guest: false,
    });
    const after = apply(states.asking, { seq: states.asking.last + 1, at: 0, fact });
    assert.equal(outcome(after, intents.answer), "already_settled");
    assert.deepEqual(fact, { kind: "ask.settled", ask: "a", settlement: { kind: "answered", answer, by } });
  });

  it("tells the agent of a rule no more than that it may this once, and lets no guest allow for longer", () => {
    const open = states.asking.asks[0]?.ask;
    assert.ok(open?.kind === "approval");
    const once = open.choices.find(({ scope }) => scope === "once");
    assert.ok(once);
    const choices = [...open.choices, { choice: RULE_CHOICES.always, label: "Always", scope: "always" as const }];
    const asks = states.asking.asks.map((one) => ({ ...one, ask: { ...open, choices } }));
    const state = { ...states.asking, asks };
    const params = { session, ask: open.ask, answer: { kind: "allow", choice: RULE_CHOICES.always } as Answer };
    const [fact] = decide(state, { method: "ask.answer", params, id, by, guest: false });
    const settlement = { kind: "answered", answer: { kind: "allow", choice: once.choice }, by, rule: "always" };
    assert.deepEqual(fact, { kind: "ask.settled", ask: open.ask, settlement });
    assert.throws(
      () => decide(state, { method: "ask.answer", params, id, by, guest: true }),
      (error) => error instanceof CallError && error.code === "forbidden",
    );
    const allowed = { ...params, answer: { kind: "allow", choice: once.choice } as Answer };
    assert.equal(decide(state, { method: "ask.answer", params: allowed, id, by, guest: true })[0].kind, "ask.settled");
  });

  it("refuses an answer that does not fit, says why, and leaves the ask open; a dismissed ask is answered still", () => {
    const params = { session, ask: "a" as AskId, answer: { kind: "allow", choice: "for ever" } as Answer };
    assert.throws(
      () => decide(states.asking, { method: "ask.answer", params, id, by, guest: false }),
      (error) =>
        error instanceof CallError &&
        error.code === "bad_answer" &&
        (error.details as { code: string }).code === "unknown_choice",
    );
    const dismissed = apply(states.asking, {
      seq: states.asking.last + 1,
      at: 0,
      fact: { kind: "ask.dismissed", ask: "a" as AskId, by },
    });
    assert.equal(outcome(dismissed, intents.answer), "ask.settled");
  });

  it("refuses to configure nothing, and a title of nothing", () => {
    const configure = (params: object) =>
      outcome(states.idle, { method: "session.configure", params: { session, ...params } } as never);
    assert.equal(configure({}), "bad_params");
    assert.equal(configure({ model: undefined }), "bad_params");
    assert.equal(configure({ title: " \n" }), "bad_params");
    assert.equal(configure({ title: "A" }), "session.configured");
  });
});
