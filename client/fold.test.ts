import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Ask } from "@flybridge/protocol/ask.ts";
import type { Entry, Fact } from "@flybridge/protocol/entry.ts";
import { apply, opened } from "@flybridge/protocol/fold.ts";
import type { AgentName, AskId, DeviceId, ItemId, PromptId, SessionId, TurnId } from "@flybridge/protocol/ids.ts";
import type { Item } from "@flybridge/protocol/item.ts";
import type { SessionState } from "@flybridge/protocol/session.ts";
import fc from "fast-check";
import { emptyView, Fold, type Window } from "./fold.ts";
import type { SessionView } from "./view.ts";

const SESSION = "0190a000-0000-7000-8000-000000000001" as SessionId;
const BY = "d".repeat(43) as DeviceId;

/** What a step does is chosen among what is possible then, so that every journal is one a host could have written. */
type Step = { readonly pick: number; readonly which: number; readonly text: string };

const steps = fc.array(fc.record({ pick: fc.nat(999), which: fc.nat(999), text: fc.string({ maxLength: 6 }) }), {
  minLength: 1,
  maxLength: 120,
});

function journalOf(script: readonly Step[]): Entry[] {
  const entries: Entry[] = [];
  const add = (fact: Fact): void =>
    void entries.push({ seq: entries.length + 1, at: 1000 + entries.length * 10, fact });
  const now = (): number => 1000 + entries.length * 10;
  const bodies = new Map<ItemId, { item: Item; began: number }>();
  const asks = new Set<AskId>();
  const prompts = new Set<PromptId>();
  let alive = false;
  let turn: TurnId | undefined;
  let next = 0;
  add({ kind: "session.opened", agent: "demo" as AgentName, workspace: "/w/house", by: BY });
  for (const { pick, which, text } of script) {
    const name = `${next++}`;
    const one = <T>(from: Iterable<T>): T | undefined => {
      const all = [...from];
      return all[which % Math.max(1, all.length)];
    };
    const item = one(bodies.keys());
    const ask = one(asks);
    const prompt = one(prompts);
    const possible: (() => void)[] = [
      () => {
        prompts.add(name as PromptId);
        add({ kind: "prompt.accepted", prompt: name as PromptId, text, delivery: "queue", by: BY });
      },
      () => add({ kind: "notice", level: "info", text }),
      () => add({ kind: "session.configured", title: text, by: BY }),
    ];
    if (prompt)
      possible.push(() => {
        prompts.delete(prompt);
        add(which % 3 === 0 ? { kind: "prompt.withdrawn", prompt, by: BY } : { kind: "prompt.taken", prompt });
      });
    if (!alive)
      possible.push(() => {
        alive = true;
        add({ kind: "agent.started", pid: 7 });
      });
    else {
      possible.push(
        () => add({ kind: "agent.reported", model: text, version: "1" }),
        () => {
          const begun = itemOf(name, text, now(), which);
          bodies.set(begun.item, { item: { ...begun }, began: entries.length + 1 });
          add({ kind: "item.began", item: begun });
        },
        () => {
          const whole = itemOf(name, text, now(), which);
          add({ kind: "item.completed", item: whole });
        },
        () => {
          asks.add(name as AskId);
          add({ kind: "ask.opened", ask: askOf(name) });
        },
      );
      if (turn === undefined)
        possible.push(() => {
          turn = name as TurnId;
          add({ kind: "turn.began", turn });
        });
      if (turn !== undefined)
        possible.push(() => {
          add({ kind: "turn.ended", turn: turn as TurnId, outcome: "completed" });
          turn = undefined;
        });
      if (item)
        possible.push(
          () => {
            const open = bodies.get(item)!;
            add({ kind: "item.grew", item, offset: open.item.body.length, text });
            open.item.body += text;
          },
          () => {
            const { item: whole, began } = bodies.get(item)!;
            bodies.delete(item);
            add({ kind: "item.completed", item: { ...whole, body: whole.body + text }, began });
          },
        );
      if (ask)
        possible.push(
          () => add({ kind: "ask.dismissed", ask, by: BY }),
          () => {
            asks.delete(ask);
            add({ kind: "ask.settled", ask, settlement: { kind: "withdrawn" } });
          },
        );
      if (which % 5 === 0)
        possible.push(() => {
          alive = false;
          turn = undefined;
          bodies.clear();
          // A host settles them as void before or after the end; or an older one leaves that to the fold.
          if (which % 2 === 0)
            for (const void_ of asks) add({ kind: "ask.settled", ask: void_, settlement: { kind: "void" } });
          asks.clear();
          add({ kind: "agent.ended", cause: "failed", code: 1, signal: null });
        });
    }
    possible[pick % possible.length]!();
  }
  return entries;
}

function itemOf(name: string, text: string, at: number, which: number): Item {
  const item = name as ItemId;
  if (which % 2 === 0) return { item, kind: "words", body: text, at };
  const tool = { name: "Bash", kind: "command", object: text, input: "{}", edits: [], state: "running" } as const;
  return { item, kind: "tool", body: text, at, tool: { ...tool, edits: [] } };
}

function askOf(name: string): Ask {
  const evidence = { tool: "Bash", kind: "command", edits: [], input: "{}" } as const;
  const choices = [{ choice: "once", label: "Yes", scope: "once" as const }];
  return { kind: "approval", ask: name as AskId, evidence: { ...evidence, edits: [] }, choices };
}

function stateAt(journal: readonly Entry[], last: number): SessionState {
  const [first] = journal;
  assert.ok(first?.fact.kind === "session.opened");
  return journal.slice(1, last).reduce(apply, opened(SESSION, first.at, first.fact));
}

/** As the host answers: the page, the fold at its end, and the earlier entries of items that are open there. */
function windowAt(journal: readonly Entry[], last: number, size: number): Window {
  const entries = journal.slice(Math.max(0, last - size), last);
  const state = stateAt(journal, last);
  const from = entries[0]!.seq;
  const carried = journal.filter(
    ({ seq, fact }) =>
      seq < from &&
      state.items.some(
        ({ item }) =>
          (fact.kind === "item.began" && fact.item.item === item) || (fact.kind === "item.grew" && fact.item === item),
      ),
  );
  return { state, entries, more: from > 1, carried };
}

function oneByOne(journal: readonly Entry[]): SessionView {
  const view = emptyView(SESSION);
  const fold = new Fold(SESSION);
  for (const entry of journal) assert.equal(fold.entries(view, [entry]), "folded");
  return view;
}

function loadOlder(fold: Fold, view: SessionView, journal: readonly Entry[], size: number): void {
  while (view.from > 1) {
    const entries = journal.slice(Math.max(0, view.from - 1 - size), view.from - 1);
    fold.older(view, { entries, more: entries[0]!.seq > 1 });
  }
}

describe("the fold of a session", () => {
  it("gives the same view from single entries, from batches, and from a window with live entries and older pages", () => {
    fc.assert(
      fc.property(
        steps,
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.integer({ min: 1, max: 30 }),
        fc.integer({ min: 1, max: 30 }),
        (script, cut, size, page) => {
          const journal = journalOf(script);
          const expected = oneByOne(journal);

          const batched = emptyView(SESSION);
          new Fold(SESSION).entries(batched, journal);
          assert.deepEqual(batched, expected);

          const last = Math.max(1, Math.round(cut * journal.length));
          const view = emptyView(SESSION);
          const fold = new Fold(SESSION);
          fold.window(view, structuredClone(windowAt(journal, last, size)));
          // Half of the older pages come before the live entries, half after them.
          if (view.from > 1) {
            const entries = journal.slice(Math.max(0, view.from - 1 - page), view.from - 1);
            fold.older(view, { entries, more: entries[0]!.seq > 1 });
          }
          fold.entries(view, journal.slice(Math.max(0, last - 3)));
          loadOlder(fold, view, journal, page);
          assert.deepEqual(view, expected);
        },
      ),
      { numRuns: 3000 },
    );
  });

  it("keeps rows in order of beginning, and the state equal to the protocol's own fold, at every entry", () => {
    fc.assert(
      fc.property(steps, (script) => {
        const journal = journalOf(script);
        const view = emptyView(SESSION);
        const fold = new Fold(SESSION);
        for (const entry of journal) {
          fold.entries(view, [entry]);
          assert.deepEqual(view.state, stateAt(journal, entry.seq));
          assert.equal(new Set(view.rows.map((row) => row.key)).size, view.rows.length);
        }
      }),
      { numRuns: 200 },
    );
  });

  it("says that there is a gap, folds nothing after it, and passes over what it knows", () => {
    const journal = journalOf(Array.from({ length: 20 }, () => ({ pick: 1, which: 1, text: "x" })));
    const view = emptyView(SESSION);
    const fold = new Fold(SESSION);
    assert.equal(fold.entries(view, journal.slice(0, 5)), "folded");
    assert.equal(fold.entries(view, journal.slice(2, 5)), "folded");
    const before = structuredClone(view);
    assert.equal(fold.entries(view, journal.slice(7)), "gap");
    assert.deepEqual(view, before);
    assert.equal(fold.last, 5);
  });

  it("appends streamed text once, whatever of it a checkpoint or a repeated delta says again", () => {
    const item = { item: "i" as ItemId, kind: "words" as const, body: "", at: 5 };
    const view = emptyView(SESSION);
    const fold = new Fold(SESSION);
    fold.entries(view, [
      { seq: 1, at: 1, fact: { kind: "session.opened", agent: "demo" as AgentName, workspace: "/w", by: BY } },
      { seq: 2, at: 2, fact: { kind: "item.began", item } },
    ]);
    const body = (): string => (view.rows[0]?.kind === "item" ? view.rows[0].item.body : "");
    fold.delta(view, { item: item.item, offset: 0, text: "Hel" });
    fold.delta(view, { item: item.item, offset: 3, text: "lo " });
    fold.delta(view, { item: item.item, offset: 1, text: "ello w" });
    assert.equal(body(), "Hello w");
    fold.delta(view, { item: item.item, offset: 20, text: "far ahead" });
    assert.equal(body(), "Hello w");
    fold.entries(view, [{ seq: 3, at: 3, fact: { kind: "item.grew", item: item.item, offset: 0, text: "Hello" } }]);
    assert.equal(body(), "Hello w");
    fold.entries(view, [
      { seq: 4, at: 4, fact: { kind: "item.completed", item: { ...item, body: "Hello world" }, began: 2 } },
    ]);
    fold.delta(view, { item: item.item, offset: 11, text: "!" });
    assert.equal(body(), "Hello world");
    assert.equal(item.body, "", "entries are read, not changed");
  });

  it("keeps the objects of rows that a new window repeats", () => {
    const journal = journalOf(Array.from({ length: 40 }, (_, at) => ({ pick: at, which: at, text: `${at}` })));
    const view = emptyView(SESSION);
    const fold = new Fold(SESSION);
    fold.window(view, windowAt(journal, journal.length - 5, 30));
    const before = new Map(view.rows.map((row) => [row.key, row]));
    fold.window(view, windowAt(journal, journal.length, 30));
    const kept = view.rows.filter((row) => before.has(row.key));
    assert.ok(kept.length > 5);
    for (const row of kept) assert.equal(row, before.get(row.key));
  });

  it("folds each of 100,000 entries as fast as the first ones", (t) => {
    const journal: Entry[] = [];
    const add = (fact: Fact): void => void journal.push({ seq: journal.length + 1, at: journal.length, fact });
    add({ kind: "session.opened", agent: "demo" as AgentName, workspace: "/w", by: BY });
    for (let at = 0; journal.length < 100_000; at++) {
      const item = itemOf(`${at}`, "some words of an agent", at, at);
      const began = journal.length + 1;
      add({ kind: "item.began", item });
      add({ kind: "item.grew", item: item.item, offset: item.body.length, text: " and more" });
      add({ kind: "item.completed", item: { ...item, body: `${item.body} and more, all of it` }, began });
    }
    const view = emptyView(SESSION);
    const fold = new Fold(SESSION);
    const pages: number[] = [];
    for (let at = 0; at < journal.length; at += 200) {
      const began = performance.now();
      fold.entries(view, journal.slice(at, at + 200));
      pages.push(performance.now() - began);
    }
    assert.equal(fold.last, journal.length);
    // Medians, so that a pause of the machine in either half decides nothing; what is quadratic grows a hundredfold.
    const median = (some: readonly number[]): number => some.toSorted((a, b) => a - b)[some.length >> 1] ?? 0;
    const [early, late] = [median(pages.slice(0, 100)), median(pages.slice(-100))];
    t.diagnostic(`${early.toFixed(2)} ms a page at first, ${late.toFixed(2)} ms at last`);
    assert.ok(late < early * 20 + 5, `${early} ms a page at first, ${late} ms at last`);
  });
});
