import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { MAX_DIFF_CHARS } from "@flybridge/protocol/limits.ts";
import { editBetween, editOf } from "./diff.ts";

describe("diff", () => {
  it("shows what changed with three lines around it", () => {
    const before = Array.from({ length: 20 }, (_, line) => `line ${line + 1}\n`).join("");
    const edit = editBetween("a.ts", before, before.replace("line 10", "line ten"));
    assert.deepEqual(edit, {
      path: "a.ts",
      diff: "@@ -7,7 +7,7 @@\n line 7\n line 8\n line 9\n-line 10\n+line ten\n line 11\n line 12\n line 13",
      added: 1,
      removed: 1,
    });
  });

  it("names a side without lines as diff -u does", () => {
    assert.equal(editBetween("a", "", "one\n").diff, "@@ -0,0 +1,1 @@\n+one");
    assert.equal(editBetween("a", "one\n", "").diff, "@@ -1,1 +0,0 @@\n-one");
    assert.deepEqual(editBetween("a", "same\n", "same\n"), { path: "a", diff: "", added: 0, removed: 0 });
  });

  it("counts lines that themselves begin with a mark", () => {
    const hunk = { oldStart: 1, oldLines: 2, newStart: 1, newLines: 1, lines: ["--- a", "-+x", "++++"] };
    assert.deepEqual([editOf("a", [hunk]).added, editOf("a", [hunk]).removed], [1, 2]);
  });

  it("stays quick and bounded where everything differs", () => {
    const lines = (word: string): string => Array.from({ length: 30_000 }, (_, line) => `${word} ${line}\n`).join("");
    const began = performance.now();
    const edit = editBetween("a", lines("before"), lines("after"));
    assert.ok(performance.now() - began < 5_000);
    assert.ok(edit.diff.length <= MAX_DIFF_CHARS);
    assert.match(edit.diff, /more characters were not kept/u);
    assert.deepEqual([edit.added, edit.removed], [30_000, 30_000]);
  });
});
