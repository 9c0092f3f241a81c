/**
 * What every agent owes the host, tried on a recording of a real process: the same lines give the same entries from
 * any stored memory on, whatever comes in is survived, and what is begun comes to an end.
 */
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { Fact, type Entry } from "@flybridge/protocol/entry.ts";
import type { ItemId } from "@flybridge/protocol/ids.ts";
import type { Given, Recording } from "@flybridge/testing/driven.ts";
import fc from "fast-check";
import * as v from "valibot";
import type { Agent, Draft, Heard } from "./agent.ts";

export interface AgentContract<Memory> {
  readonly agent: Agent<Memory>;
  /** A session with text, thoughts, tools, an answered ask, a withdrawn ask and an interrupted turn, at rest at its end. */
  record(): Promise<Recording>;
  /** Says why, where the agent is not on this machine. */
  readonly skip?: string | undefined;
}

export function agentContract<Memory>(name: string, contract: AgentContract<Memory>): void {
  const { agent } = contract;
  describe(`${name} keeps the agent's contract`, { skip: contract.skip ?? false }, () => {
    let recording: Recording;
    let run: { readonly drafts: Draft[]; readonly steps: Heard[]; readonly memories: string[] };
    before(async () => {
      recording = await contract.record();
      run = replay(agent, recording.memory, recording.given);
    });

    it("gives the same drafts and writes from every stored memory on", () => {
      assert.ok(recording.given.length > 50, "the recording is long enough to mean something");
      for (const [place, memory] of run.memories.entries()) {
        // Stored after step `place`: every later step, heard by a new host, says what it said before.
        const again = replay(agent, memory, recording.given.slice(place, place + 25));
        assert.deepEqual(again.steps, run.steps.slice(place, place + 25), `from step ${place}`);
      }
    });

    it("gives drafts that the protocol can carry", () => {
      for (const draft of run.drafts) assertCarried(draft);
    });

    it("completes every item once, beginning with what it streamed", () => {
      const open = new Map<ItemId, string>();
      const done = new Set<ItemId>();
      for (const draft of run.drafts) {
        if (draft.kind === "grow") {
          assert.ok(open.has(draft.item), `${draft.item} grows while it is open`);
          open.set(draft.item, (open.get(draft.item) ?? "") + draft.text);
        } else if (draft.fact.kind === "item.began") {
          const { item } = draft.fact;
          assert.ok(!open.has(item.item) && !done.has(item.item), `${item.item} begins once`);
          open.set(item.item, item.body);
        } else if (draft.fact.kind === "item.completed") {
          const { item } = draft.fact;
          assert.ok(open.has(item.item), `${item.item} began before it completed`);
          if (item.kind === "words") assert.equal(item.body, open.get(item.item) || item.body);
          open.delete(item.item);
          done.add(item.item);
        }
      }
      assert.deepEqual([...open.keys()], [], "nothing is left open");
      assert.ok(done.size > 5);
    });

    it("ends every turn it begins, and settles or withdraws every ask", () => {
      const settled = new Set(recording.given.flatMap((one) => (one.kind === "act" ? settledBy(one.entry) : [])));
      const asks: string[] = [];
      let turn: string | undefined;
      for (const draft of run.drafts) {
        if (draft.kind === "grow") continue;
        const { fact } = draft;
        if (fact.kind === "turn.began") {
          assert.equal(turn, undefined, "turns do not overlap");
          turn = fact.turn;
        } else if (fact.kind === "turn.ended") {
          assert.equal(fact.turn, turn);
          turn = undefined;
        } else if (fact.kind === "ask.opened") asks.push(fact.ask.ask);
        else if (fact.kind === "ask.settled") settled.add(fact.ask);
      }
      assert.equal(turn, undefined);
      assert.ok(asks.length > 0);
      assert.deepEqual(
        asks.filter((ask) => !settled.has(ask)),
        [],
      );
    });

    it("survives any line, and still gives drafts that the protocol can carry", () => {
      const lines = recording.given.flatMap((one) => (one.kind === "line" ? [one.line] : []));
      const spoiled = fc
        .tuple(fc.constantFrom(...lines), fc.jsonValue(), fc.nat(), fc.boolean())
        .map(([line, value, place, cut]) =>
          cut ? line.slice(0, place % (line.length + 1)) : spoil(line, value, place),
        );
      fc.assert(
        fc.property(
          fc.nat(run.memories.length - 1),
          fc.array(fc.oneof(spoiled, fc.string(), fc.json()), { maxLength: 20 }),
          (place, given) => {
            const steps = given.map((line): Given => ({ kind: "line", line, at: 1 }));
            for (const draft of replay(agent, run.memories[place] ?? recording.memory, steps).drafts)
              assertCarried(draft);
          },
        ),
        { numRuns: 300 },
      );
    });

    it("explains an end of the process without failing, whatever was heard", () => {
      for (const memory of run.memories) {
        const explained = agent.explain(JSON.parse(memory) as Memory, {
          code: 1,
          signal: null,
          errors: "\u0000 something",
        });
        assert.ok(explained === undefined || explained.length > 0);
      }
    });
  });
}

/** Memory goes through JSON at each step, as it does through the store. */
function replay<Memory>(
  agent: Agent<Memory>,
  from: string,
  given: readonly Given[],
): { drafts: Draft[]; steps: Heard[]; memories: string[] } {
  const steps: Heard[] = [];
  const memories = [from];
  let text = from;
  for (const one of given) {
    const memory = JSON.parse(text) as Memory;
    const heard: Heard =
      one.kind === "line"
        ? agent.hear(memory, one.line, one.at)
        : { drafts: [], writes: agent.act(memory, one.entry, []) };
    steps.push(heard);
    text = JSON.stringify(memory);
    memories.push(text);
  }
  return { drafts: steps.flatMap((step) => [...step.drafts]), steps, memories };
}

function assertCarried(draft: Draft): void {
  if (draft.kind === "grow") {
    assert.ok(draft.text.length > 0 && draft.item.length > 0);
    return;
  }
  const checked = v.safeParse(Fact, draft.fact);
  assert.ok(checked.success, `${JSON.stringify(draft.fact).slice(0, 500)}: ${checked.issues?.[0]?.message ?? ""}`);
}

function settledBy(entry: Entry): string[] {
  return entry.fact.kind === "ask.settled" ? [entry.fact.ask] : [];
}

/** The line with one of its values, at any depth, replaced. */
function spoil(line: string, value: unknown, place: number): string {
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch {
    return line;
  }
  const places: [Record<string, unknown>, string][] = [];
  const walk = (node: unknown): void => {
    if (typeof node !== "object" || node === null) return;
    for (const key of Object.keys(node)) {
      places.push([node as Record<string, unknown>, key]);
      walk((node as Record<string, unknown>)[key]);
    }
  };
  walk(parsed);
  const chosen = places[place % Math.max(1, places.length)];
  if (chosen) chosen[0][chosen[1]] = value;
  return JSON.stringify(parsed);
}
