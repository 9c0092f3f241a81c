import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Row } from "@flybridge/client/view.ts";
import { item, prompt, todo, turn, words } from "../gallery/data.ts";
import { type Line, linesOf } from "./lines.ts";

const shape = (lines: readonly Line[], rows: readonly Row[]): unknown[] =>
  lines.map((line) => [
    line.kind === "explored" ? `look ${line.at.length}` : rows[line.at[0] as number]?.kind,
    ...shape(line.under, rows),
  ]);
const read = (id: string, parent?: string): Row =>
  item({ id, kind: "read", object: id, ...(parent === undefined ? {} : { parent }) });

describe("lines of a transcript", () => {
  it("fold consecutive reads and searches, and only those", () => {
    const rows = [prompt("a"), read("r1"), read("r2"), words("so"), read("r3"), turn()];
    assert.deepEqual(shape(linesOf(rows, new Map()).lines, rows), [
      ["prompt"],
      ["look 2"],
      ["item"],
      ["look 1"],
      ["turn"],
    ]);
  });

  it("hang what a sub-agent did under the tool that started it, between others' work too", () => {
    const rows = [
      item({ id: "t", kind: "agent", object: "x" }),
      read("r1", "t"),
      words("meanwhile"),
      read("r2", "t"),
      item({ parent: "t", object: "ls" }),
    ];
    assert.deepEqual(shape(linesOf(rows, new Map()).lines, rows), [["item", ["look 2"], ["item"]], ["item"]]);
  });

  it("show a todo list once a turn, where it was last touched", () => {
    const rows = [todo(["doing"]), words("a"), todo(["done"]), turn(), todo(["done", "done"])];
    assert.deepEqual(shape(linesOf(rows, new Map()).lines, rows), [["item"], ["item"], ["turn"], ["item"]]);
  });

  it("keep the identity of a line when rows come before or after it", () => {
    const rows: Row[] = [words("a"), read("r1")];
    const first = linesOf(rows, new Map());
    rows.unshift(prompt("older"));
    rows.push(read("r2"));
    const second = linesOf(rows, first.byKey);
    assert.equal(second.lines[1], first.lines[0]);
    assert.deepEqual(second.lines[2]?.at, [2, 3]);
  });
});
