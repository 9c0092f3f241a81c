/** One file's change as the screen shows it: a unified diff without its two file lines, and how many lines differ. */
import type { Edit } from "@flybridge/protocol/item.ts";
import { MAX_DIFF_CHARS } from "@flybridge/protocol/limits.ts";
import { structuredPatch } from "diff";
import { kept, pathOf } from "./bounds.ts";

/** Lines around a change. */
const CONTEXT_LINES = 3;
/** Changed lines up to which the shortest diff is looked for: its cost grows with their square. */
const MAX_EDIT_LENGTH = 2_000;

export interface Hunk {
  /** Counted from 1, also where the side has no lines. */
  readonly oldStart: number;
  readonly oldLines: number;
  readonly newStart: number;
  readonly newLines: number;
  /** Each with its mark: " ", "-", "+" or "\". */
  readonly lines: readonly string[];
}

export function editBetween(path: string, before: string, after: string): Edit {
  // Texts that differ in almost everything are shown as taken out and put in, which is also what a person would see.
  const patch = structuredPatch(path, path, before, after, undefined, undefined, {
    context: CONTEXT_LINES,
    maxEditLength: MAX_EDIT_LENGTH,
  });
  return editOf(path, patch?.hunks ?? [replaced(before, after)]);
}

export function editOf(path: string, hunks: readonly Hunk[]): Edit {
  const texts = hunks.map((hunk) => `${headOf(hunk)}\n${hunk.lines.join("\n")}`);
  const count = (mark: string): number =>
    hunks.reduce((sum, hunk) => sum + hunk.lines.filter((line) => line.startsWith(mark)).length, 0);
  return {
    path: pathOf(path),
    diff: kept(texts.join("\n"), MAX_DIFF_CHARS),
    added: count("+"),
    removed: count("-"),
  };
}

/** As `diff -u` writes it: a side without lines is named by the line before it. */
function headOf(hunk: Hunk): string {
  const from = hunk.oldStart - (hunk.oldLines === 0 ? 1 : 0);
  const to = hunk.newStart - (hunk.newLines === 0 ? 1 : 0);
  return `@@ -${Math.max(0, from)},${hunk.oldLines} +${Math.max(0, to)},${hunk.newLines} @@`;
}

function replaced(before: string, after: string): Hunk {
  const gone = linesOf(before);
  const come = linesOf(after);
  const lines = [...gone.map((line) => `-${line}`), ...come.map((line) => `+${line}`)];
  return {
    oldStart: 1,
    oldLines: gone.length,
    newStart: 1,
    newLines: come.length,
    lines,
  };
}

function linesOf(text: string): readonly string[] {
  if (text === "") return [];
  return (text.endsWith("\n") ? text.slice(0, -1) : text).split("\n");
}
