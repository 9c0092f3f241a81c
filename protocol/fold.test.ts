import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import * as v from "valibot";
import type { Ask } from "./ask.ts";
import type { Entry, Fact, FactOf } from "./entry.ts";
import { apply, doingOf, opened, sameSummary, summaryOf } from "./fold.ts";
import type { AgentName, AskId, DeviceId, ItemId, PromptId, SessionId, TurnId } from "./ids.ts";
import type { Item, ToolItem } from "./item.ts";
import { MAX_LABEL_CHARS, MAX_OPEN_ASKS, PREVIEW_CHARS } from "./limits.ts";
import { SessionState, Summary } from "./session.ts";

const session = "01980000-0000-7000-8000-0000000000aa" as SessionId;
const by = "d".repeat(43) as DeviceId;
const promptId = (n: number) => `01980000-0002-7000-8000-${String(n).padStart(12, "0")}` as PromptId;
const START: FactOf<"session.opened"> = {
  kind: "session.opened",
  agent: "demo" as AgentName,
  workspace: "/home/ada/app",
  by,
};

const REPORTED: Fact = { kind: "agent.reported", version: "1" };
const STARTED: Fact = { kind: "agent.started", pid: 7 };
const ENDED: Fact = { kind: "agent.ended", cause: "exited", code: 0, signal: null };
const turn = (id: string): Fact => ({ kind: "turn.began", turn: id as TurnId });
const turnEnd = (id: string, more: Partial<FactOf<"turn.ended">> = {}): Fact => ({
  kind: "turn.ended",
  turn: id as TurnId,
  outcome: "completed",
  ...more,
});
const prompt = (n: number, text = `prompt ${n}`): Fact => ({
  kind: "prompt.accepted",
  prompt: promptId(n),
  text,
  delivery: "queue",
  by,
});
const question = (id: string): Ask => ({
  kind: "question",
  ask: id as AskId,
  questions: [{ question: "q", header: "h", text: "t", options: [], many: false, secret: false }],
});
const asked = (id: string): Fact => ({ kind: "ask.opened", ask: question(id) });
const settled = (id: string): Fact => ({ kind: "ask.settled", ask: id as AskId, settlement: { kind: "withdrawn" } });
const words = (id: string, body = ""): Item => ({ item: id as ItemId, body, at: 0, kind: "words" });
const tool = (id: string, object = "npm test"): ToolItem => ({
  item: id as ItemId,
  body: "",
  at: 0,
  kind: "tool",
  tool: { name: "Bash", kind: "command", object, input: "{}", edits: [], state: "running" },
});
const began = (item: Item): Fact => ({ kind: "item.began", item });
const completed = (item: Item): Fact => ({ kind: "item.completed", item });

/** Times rise by one second with each entry, from zero. */
function fold(...facts: Fact[]): SessionState {
  let state = frozen(opened(session, 0, START));
  for (const fact of facts) state = frozen(apply(state, frozen({ seq: state.last + 1, at: state.last * 1000, fact })));
  return state;
}

/** Writing into it throws: that is how "never changed in place" is seen. */
function frozen<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) frozen(inner);
  }
  return value;
}

describe("the status of a session", () => {
  const status = (...facts: Fact[]) => fold(...facts).status;

  it("is starting until the agent has said what it is", () => {
    assert.deepEqual(status(), { kind: "starting", since: 0 });
    assert.deepEqual(status(STARTED), { kind: "starting", since: 1000 });
    assert.deepEqual(status(STARTED, { kind: "agent.reported", model: "m" }), { kind: "starting", since: 1000 });
    assert.deepEqual(status(STARTED, REPORTED), { kind: "idle", since: 2000 });
  });

  it("is running in a turn, with what is being done and since when", () => {
    assert.deepEqual(status(STARTED, REPORTED, turn("t")), { kind: "running", since: 3000 });
    assert.deepEqual(status(STARTED, REPORTED, turn("t"), began(tool("i"))), {
      kind: "running",
      since: 4000,
      doing: "Bash · npm test",
    });
    assert.deepEqual(status(STARTED, REPORTED, turn("t"), began(tool("i")), began(words("w"))), {
      kind: "running",
      since: 4000,
      doing: "Bash · npm test",
    });
    assert.deepEqual(status(STARTED, REPORTED, turn("t"), began(tool("i")), completed(tool("i"))), {
      kind: "running",
      since: 3000,
    });
    assert.deepEqual(status(STARTED, REPORTED, turn("t"), turnEnd("t")), { kind: "idle", since: 4000 });
  });

  it("is waiting while an ask is open, before everything but the end, since the first of them", () => {
    assert.deepEqual(status(STARTED, REPORTED, turn("t"), asked("a"), asked("b")), { kind: "waiting", since: 4000 });
    assert.deepEqual(status(STARTED, REPORTED, turn("t"), asked("a"), asked("b"), settled("a")), {
      kind: "waiting",
      since: 4000,
    });
    assert.equal(status(STARTED, REPORTED, turn("t"), asked("a"), settled("a")).kind, "running");
    assert.equal(status(STARTED, REPORTED, asked("a")).kind, "waiting");
    assert.equal(
      status(STARTED, REPORTED, turn("t"), asked("a"), { kind: "ask.dismissed", ask: "a" as AskId, by }).kind,
      "waiting",
    );
  });

  it("is ended when the process is, whatever was open, and starting again when it is resumed", () => {
    const ended: Fact = { kind: "agent.ended", cause: "failed", code: 1, signal: null, detail: "x".repeat(5000) };
    const state = fold(
      STARTED,
      REPORTED,
      turn("t"),
      asked("a"),
      began(words("w")),
      { kind: "session.stopped", by },
      ended,
    );
    assert.equal(state.status.kind, "ended");
    assert.equal(state.status.since, 7000);
    assert.equal(v.is(Summary, summaryOf(state)), true, "a long detail still fits");
    assert.deepEqual(
      [state.asks, state.items, state.running, state.pid, state.stopping],
      [[], [], undefined, undefined, false],
    );
    const resumed = fold(
      STARTED,
      REPORTED,
      ENDED,
      { kind: "session.configured", title: "x", by },
      { kind: "session.resumed", by },
    );
    assert.deepEqual(resumed.status, { kind: "starting", since: 5000 });
    assert.deepEqual(
      fold(STARTED, REPORTED, ENDED, { kind: "session.configured", title: "x", by }).status.kind,
      "ended",
    );
    assert.deepEqual(fold(STARTED, REPORTED, ENDED, { kind: "session.resumed", by }, STARTED, REPORTED).status, {
      kind: "idle",
      since: 6000,
    });
  });

  it("does not change its beginning for what changes nothing", () => {
    const before = fold(STARTED, REPORTED);
    const after = fold(STARTED, REPORTED, { kind: "notice", level: "info", text: "x" }, prompt(1));
    assert.deepEqual(after.status, before.status);
  });
});

describe("the title of a session", () => {
  it("is the folder's name, then the first prompt's beginning, then what the agent or a person says", () => {
    assert.equal(fold().title, "app");
    assert.equal(opened(session, 0, { ...START, workspace: "/" }).title, "/");
    assert.equal(opened(session, 0, { ...START, workspace: "C:\\work\\app\\" }).title, "app");
    assert.equal(fold(prompt(1, "  Fix\nthe \u202ebug ")).title, "Fix the ⟨U+202E⟩bug");
    assert.equal(fold(prompt(1, "first"), prompt(2, "second")).title, "first");
    assert.equal(fold(prompt(1, " \n ")).title, "app");
    assert.equal(fold(prompt(1, "x".repeat(500))).title.length, 80);
    assert.equal(fold(prompt(1), { kind: "agent.reported", title: "Its own" }).title, "Its own");
    const named = fold({ kind: "session.configured", title: "Mine", by }, prompt(1), {
      kind: "agent.reported",
      title: "Its own",
    });
    assert.equal(named.title, "Mine");
    assert.equal(fold(prompt(1, "one"), { kind: "agent.reported", title: "  " }).title, "one");
  });

  it("fits its own limit when every character of it has to be made visible", () => {
    const title = "\u202e".repeat(MAX_LABEL_CHARS);
    for (const state of [
      fold({ kind: "agent.reported", title }),
      fold({ kind: "session.configured", title, by }),
      opened(session, 0, { ...START, workspace: `/${title}` }),
    ])
      assert.equal(v.is(SessionState, state), true, `${state.title.length} characters`);
  });
});

describe("what lists show", () => {
  it("previews the agent's own last words on one line, not a sub-agent's, not a thought, not silence", () => {
    const spoke = fold(completed(words("a", "Done.\nAll   green.")));
    assert.equal(spoke.preview, "Done. All green.");
    const others: Item[] = [
      { ...words("b", "sub"), parent: "p" as ItemId },
      words("c", " \n"),
      { ...words("d", "hm"), kind: "thought" },
      tool("e"),
    ];
    assert.equal(fold(completed(words("a", "Done.")), ...others.map(completed)).preview, "Done.");
    assert.equal(fold(completed(words("a", "x".repeat(10_000)))).preview?.length, PREVIEW_CHARS);
  });

  it("changes with what it shows, and not with every entry", () => {
    const before = fold(STARTED, REPORTED, turn("t"), began(words("w")));
    const step = (fact: Fact) => apply(before, { seq: before.last + 1, at: 1, fact });
    for (const fact of [
      { kind: "item.grew", item: "w" as ItemId, offset: 0, text: "x" },
      { kind: "notice", level: "info", text: "x" },
      prompt(5),
    ] as Fact[])
      assert.equal(sameSummary(before, step(fact)), true, fact.kind);
    for (const fact of [
      asked("a"),
      turnEnd("t"),
      began(tool("i")),
      completed(words("w", "x")),
      ENDED,
      { kind: "agent.reported", title: "New" } as Fact,
    ])
      assert.equal(sameSummary(before, step(fact)), false, fact.kind);
  });

  it("says what a tool does in one short line", () => {
    assert.equal(doingOf(tool("i", "a\n\u001bb")), "Bash · a ⟨U+001B⟩b");
    assert.equal(doingOf(tool("i", "x".repeat(5000)))?.length, PREVIEW_CHARS);
    assert.equal(doingOf(words("w", "x")), undefined);
  });
});

describe("the fold", () => {
  it("refuses an entry that is not the next, and a second opening", () => {
    const state = fold(STARTED);
    for (const seq of [0, 1, 2, 4, -1, Number.NaN])
      assert.throws(() => apply(state, { seq, at: 0, fact: REPORTED }), RangeError, `${seq}`);
    assert.throws(() => apply(state, { seq: 3, at: 0, fact: START }), RangeError);
  });

  it("adds up what turns cost, and keeps the newest size of the context", () => {
    const first = turnEnd("a", {
      usage: { input: 1, output: 2, cached: 3, dollars: 0.5, context: { used: 10, size: 100 } },
    });
    const second = turnEnd("b", { usage: { input: 10, output: 20, cached: 30 } });
    assert.deepEqual(fold(first, second, turnEnd("c")).usage, {
      input: 11,
      output: 22,
      cached: 33,
      dollars: 0.5,
      context: { used: 10, size: 100 },
    });
    assert.deepEqual(fold(second).usage, { input: 10, output: 20, cached: 30 });
  });

  it("drops prompts that were taken or withdrawn, and keeps the others in order, over the agent's end too", () => {
    const state = fold(prompt(1), prompt(2), prompt(3), { kind: "prompt.taken", prompt: promptId(2) }, ENDED);
    assert.deepEqual(
      state.prompts.map((one) => one.prompt),
      [promptId(1), promptId(3)],
    );
    assert.deepEqual(
      state.prompts.map((one) => one.seq),
      [2, 4],
    );
  });

  it("knows how much of an open item is journaled, and where it began", () => {
    const state = fold(began(words("w", "ab")), { kind: "item.grew", item: "w" as ItemId, offset: 2, text: "cd" });
    assert.deepEqual(state.items, [{ item: "w", began: 2, length: 4 }]);
  });

  it("keeps every open ask; the summary carries the oldest", () => {
    const many = Array.from({ length: MAX_OPEN_ASKS + 3 }, (_, at) => asked(`a${at}`));
    const state = fold(...many);
    assert.equal(state.asks.length, MAX_OPEN_ASKS + 3);
    assert.equal(summaryOf(state).asks.length, MAX_OPEN_ASKS);
    assert.equal(state.asks.at(-1)?.ask.ask, `a${MAX_OPEN_ASKS + 2}`);
    assert.equal(fold(asked("a"), asked("a")).asks.length, 1);
  });

  it("holds what it should after any journal that a host could write, and changes nothing in place", () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 999 }), { maxLength: 80, size: "max" }), (choices) => {
        const model = new Model();
        let state = frozen(opened(session, 0, START));
        for (const choice of choices) {
          const fact = model.next(choice);
          const entry: Entry = frozen({ seq: state.last + 1, at: state.updated + 1, fact });
          state = frozen(apply(state, entry));
          assert.equal(state.last, entry.seq);
          assert.equal(state.updated, entry.at);
          assert.ok(state.status.since <= entry.at);
          assert.equal(state.status.kind, model.status, JSON.stringify(fact));
          assert.deepEqual(
            state.prompts.map((one) => one.prompt),
            model.prompts,
          );
          assert.deepEqual(
            state.asks.map((one) => one.ask.ask),
            model.asks,
          );
          assert.deepEqual(
            state.items.map((one) => one.item),
            model.items,
          );
        }
        assert.deepEqual(v.parse(SessionState, state), state, "it fits its schema, with nothing beside it");
        assert.deepEqual(JSON.parse(JSON.stringify(state)), state, "it is stored and read back the same");
        assert.deepEqual(v.parse(Summary, summaryOf(state)), summaryOf(state));
      }),
    );
  });
});

/** A journal told in the simplest words there are: what an honest reader would say of it, without the fold. */
class Model {
  prompts: string[] = [];
  asks: string[] = [];
  items: string[] = [];
  #alive = false;
  #ended = false;
  #reported = false;
  #turned = false;
  #turn = false;
  #count = 0;

  get status(): string {
    if (this.#ended) return "ended";
    if (this.asks.length > 0) return "waiting";
    if (this.#turn) return "running";
    return this.#reported || this.#turned ? "idle" : "starting";
  }

  next(choice: number): Fact {
    const options: (() => Fact | undefined)[] = [
      () => this.#prompt(),
      () => this.#drop("prompt.taken"),
      () => this.#drop("prompt.withdrawn"),
      () => (this.#ended || this.#alive ? undefined : this.#start()),
      () => (this.#alive ? this.#report() : undefined),
      () => (this.#alive && !this.#turn ? this.#beginTurn() : undefined),
      () => (this.#turn ? this.#endTurn() : undefined),
      () => (this.#turn ? this.#begin(words(`i${this.#count}`)) : undefined),
      () => (this.#turn ? this.#begin(tool(`i${this.#count}`)) : undefined),
      () =>
        this.items[0] === undefined
          ? undefined
          : { kind: "item.grew", item: this.items[0] as ItemId, offset: 0, text: "x" },
      () => this.#complete(),
      () => (this.#turn && this.asks.length < MAX_OPEN_ASKS ? this.#ask() : undefined),
      () => this.#settle(),
      () => (this.#alive ? this.#end() : undefined),
      () => (this.#ended ? this.#resume() : undefined),
      () => ({ kind: "session.configured", model: "m", by }),
    ];
    this.#count += 1;
    for (let at = 0; at < options.length; at++) {
      const fact = options[(choice + at) % options.length]?.();
      if (fact) return fact;
    }
    return { kind: "notice", level: "info", text: "nothing else can happen" };
  }

  #prompt(): Fact {
    this.prompts.push(promptId(this.#count));
    return prompt(this.#count);
  }
  #drop(kind: "prompt.taken" | "prompt.withdrawn"): Fact | undefined {
    const gone = this.prompts.shift() as PromptId | undefined;
    if (gone === undefined) return undefined;
    return kind === "prompt.taken" ? { kind, prompt: gone } : { kind, prompt: gone, by };
  }
  #start(): Fact {
    this.#alive = true;
    this.#reported = false;
    this.#turned = false;
    return STARTED;
  }
  #report(): Fact {
    this.#reported = true;
    return REPORTED;
  }
  #beginTurn(): Fact {
    this.#turn = true;
    this.#turned = true;
    return turn(`t${this.#count}`);
  }
  #endTurn(): Fact {
    this.#turn = false;
    return turnEnd("t");
  }
  #begin(item: Item): Fact {
    this.items.push(item.item);
    return began(item);
  }
  #complete(): Fact | undefined {
    const item = this.items.shift();
    return item === undefined ? undefined : completed(words(item, "said"));
  }
  #ask(): Fact {
    this.asks.push(`a${this.#count}`);
    this.#turned = true;
    return asked(`a${this.#count}`);
  }
  #settle(): Fact | undefined {
    const ask = this.asks.shift();
    return ask === undefined ? undefined : settled(ask);
  }
  #end(): Fact {
    this.#alive = false;
    this.#ended = true;
    this.#turn = false;
    this.asks = [];
    this.items = [];
    return ENDED;
  }
  #resume(): Fact {
    this.#ended = false;
    this.#reported = false;
    this.#turned = false;
    return { kind: "session.resumed", by };
  }
}
