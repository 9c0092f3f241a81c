/** A long session as agents leave it: prompts, words, tools with output. Written straight into a host's store. */
import { apply, opened } from "@flybridge/protocol/fold.ts";
import type { Entry, Fact, FactOf } from "@flybridge/protocol/entry.ts";
import type { AgentName, DeviceId, ItemId, PromptId, SessionId, TurnId } from "@flybridge/protocol/ids.ts";
import type { Item } from "@flybridge/protocol/item.ts";
import { uuid7From } from "@flybridge/protocol/ids.ts";
import { openStore } from "@flybridge/host/machine/store/store.ts";
import { summaryOf } from "@flybridge/protocol/fold.ts";

/** Entries stored in one transaction. */
const BATCH = 10_000;
const BEGAN_AT = 1_760_000_000_000;
const DEVICE = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAw" as DeviceId;
/** Entries of one turn of the transcript. */
const TURN_ENTRIES = 10;

/** `count` contiguous entries, the first of them `from`; the first of all opens the session. */
export function entriesFrom(from: number, count: number): Entry[] {
  return Array.from({ length: count }, (_, place) => entryAt(from + place));
}

/**
 * Puts a session of so many entries into the database of a host that is not running. The session has ended, so that the
 * host only keeps it.
 */
export function writeSession(database: string, entries: number): SessionId {
  const session = uuid7From(BEGAN_AT + entries, new Uint8Array(10).fill(entries % 251)) as string as SessionId;
  const store = openStore(database);
  const [first] = entriesFrom(1, 1);
  let state = opened(session, BEGAN_AT, first?.fact as FactOf<"session.opened">);
  const mark = { launch: 1, offset: 0, acted: entries, memory: "null" };
  for (let from = 1; from <= entries; from += BATCH) {
    const batch = entriesFrom(from, Math.min(BATCH, entries - from + 1));
    const last = batch.at(-1);
    if (last?.seq === entries) batch[batch.length - 1] = { ...last, fact: ENDED };
    for (const entry of batch) if (entry.seq > 1) state = apply(state, entry);
    store.journal.append([{ session, state, entries: batch, mark }], false);
  }
  store.feed.put({ kind: "session", summary: summaryOf(state) });
  store.close();
  return session;
}

const ENDED: Fact = { kind: "agent.ended", cause: "exited", code: 0, signal: null };

function entryAt(seq: number): Entry {
  return { seq, at: BEGAN_AT + seq * 250, fact: seq === 1 ? OPENED : factAt(seq) };
}

const OPENED: Fact = { kind: "session.opened", agent: "demo" as AgentName, workspace: "/home/ada/harbour", by: DEVICE };

function factAt(seq: number): Fact {
  const turn = `t${Math.floor(seq / TURN_ENTRIES)}` as TurnId;
  const prompt = uuid7From(BEGAN_AT + Math.floor(seq / TURN_ENTRIES), new Uint8Array(10).fill(3)) as string as PromptId;
  switch (seq % TURN_ENTRIES) {
    case 0:
      return {
        kind: "prompt.accepted",
        prompt,
        text: `Look at the tide tables of week ${seq}.`,
        delivery: "queue",
        by: DEVICE,
      };
    case 1:
      return { kind: "prompt.taken", prompt };
    case 2:
      return { kind: "turn.began", turn };
    case 9:
      return {
        kind: "turn.ended",
        turn,
        outcome: "completed",
        usage: { input: 1_200, output: 340, cached: 9_000, dollars: 0.0087 },
      };
    default: {
      const began = seq % 2 === 1;
      const item = itemAt(began ? seq : seq - 1, turn);
      return began
        ? { kind: "item.began", item: { ...item, body: "" } }
        : { kind: "item.completed", item, began: seq - 1 };
    }
  }
}

function itemAt(seq: number, turn: TurnId): Item {
  const common = { item: `i${seq}` as ItemId, turn, at: BEGAN_AT + seq * 250 };
  if (seq % TURN_ENTRIES === 5) {
    const tool = {
      name: "Bash",
      kind: "command" as const,
      object: "npm test",
      input: '{"command":"npm test"}',
      edits: [],
      state: "done" as const,
      exit: 0,
    };
    return {
      ...common,
      kind: "tool",
      tool,
      body: "> harbour@0.4.0 test\n> node --test\n\n✔ low water (0.9 ms)\n✔ high water (0.2 ms)\nℹ pass 2\nℹ fail 0\n",
    };
  }
  return {
    ...common,
    kind: "words",
    body: `The height at hour ${seq} is worked out from two known ones. **It agrees** with the table to a centimetre, so the curve in \`src/tide.ts\` can stay as it is; only the phase was late by 50 minutes a day. I ran the tests again to be sure of it.`,
  };
}
