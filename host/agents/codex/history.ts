/** What was said in a conversation before a session goes on with it, as facts for the session's journal. */
import type { Fact } from "@flybridge/protocol/entry.ts";
import type { ItemId } from "@flybridge/protocol/ids.ts";
import type { Item } from "@flybridge/protocol/item.ts";
import { MAX_EDITS } from "@flybridge/protocol/limits.ts";
import { kept, labelOf, wordsOf } from "../bounds.ts";
import type { Env } from "../program.ts";
import { nextId, type Memory } from "./memory.ts";
import { rolloutOf, rowsOf } from "./rollout.ts";
import type { Row } from "./row.ts";

/** Rows that a session begins with: the newest. What came before can be read at Codex. */
const MAX_ROWS = 200;
/** Characters of one body, input or diff in it, and of all together. */
const MAX_PIECE_CHARS = 16 * 1024;
const MAX_CHARS = 2 * 1024 * 1024;
const MAX_STEPS = 500;

export async function historyOf(env: Env, conversation: string, memory: Memory): Promise<readonly Fact[]> {
  const path = await rolloutOf(env, conversation);
  if (path === undefined) return [];
  const all = await rowsOf(env, path);
  const rows = all.slice(-MAX_ROWS);
  const facts = rows.map((row) => factOf(row, memory));
  let chars = 0;
  const fitting = facts.toReversed().filter((fact) => {
    chars += JSON.stringify(fact).length;
    return chars <= MAX_CHARS;
  });
  const left = all.length - fitting.length;
  const first: Fact[] =
    left > 0
      ? [{ kind: "notice", level: "info", text: `The conversation is longer: only its end is shown here.` }]
      : [];
  return [...first, ...fitting.toReversed()];
}

function factOf(row: Row, memory: Memory): Fact {
  if (row.kind === "notice") return { kind: "notice", level: "info", text: wordsOf(row.body) };
  return { kind: "item.completed", item: itemOf(row, memory) };
}

function itemOf(row: Exclude<Row, { kind: "notice" }>, memory: Memory): Item {
  const common = { item: nextId<ItemId>(memory, "i"), at: row.at };
  switch (row.kind) {
    case "prompt":
    case "thought":
      return { kind: row.kind, ...common, body: piece(row.body) };
    case "words":
      return { kind: "words", ...common, body: piece(row.body), ...(row.commentary ? { commentary: true } : {}) };
    case "todo": {
      const steps = row.steps.slice(0, MAX_STEPS).map(({ text, state }) => ({ text: labelOf(text), state }));
      return { kind: "todo", ...common, body: "", steps };
    }
    case "tool": {
      const { tool } = row;
      const edits = tool.edits.slice(0, MAX_EDITS).map((edit) => ({ ...edit, diff: piece(edit.diff) }));
      const named = { name: labelOf(tool.name), object: labelOf(tool.object), input: piece(tool.input), edits };
      return { kind: "tool", ...common, body: piece(row.body), tool: { ...tool, ...named } };
    }
  }
}

function piece(text: string): string {
  return kept(text, MAX_PIECE_CHARS);
}
