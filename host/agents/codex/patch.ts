/** Codex's file changes as diffs: live ones, those of its rollout files, and the patch text that its model writes. */
import type { Edit } from "@flybridge/protocol/item.ts";
import { MAX_DIFF_CHARS, MAX_EDITS } from "@flybridge/protocol/limits.ts";
import { kept, pathOf } from "../bounds.ts";
import { editBetween } from "../diff.ts";
import { isObject, objectAt, textAt, type Json } from "../json.ts";

/** `changes` of a `fileChange`: `diff` is a unified diff where a file is updated, and otherwise its content. */
export function editsOf(changes: readonly Json[]): Edit[] {
  return changes.slice(0, MAX_EDITS).map((change) => {
    const kind = objectAt(change, "kind");
    return editFor(textAt(change, "path") ?? "", textAt(kind, "type") ?? "", textAt(change, "diff") ?? "", kind);
  });
}

/** `changes` as rollout files have them: by path, `{type, content}` or `{type, unified_diff, move_path}`. */
export function storedEdits(changes: Json): Edit[] {
  return Object.entries(changes)
    .slice(0, MAX_EDITS)
    .flatMap(([path, change]) => {
      if (!isObject(change)) return [];
      const text = textAt(change, "unified_diff") ?? textAt(change, "content") ?? "";
      return [editFor(path, textAt(change, "type") ?? "", text, change)];
    });
}

/** The text that `apply_patch` is given: `*** Update File: path` and its hunks, several times over. */
export function editsIn(patch: string): Edit[] {
  const edits: Edit[] = [];
  let open: { path: string; type: string; lines: string[] } | undefined;
  const close = (): void => {
    if (open) edits.push(diffed(open.path, open.lines));
    open = undefined;
  };
  for (const line of patch.split("\n")) {
    const head = /^\*\*\* (?<type>Add|Update|Delete) File: (?<path>.+)$/u.exec(line)?.groups;
    if (head) {
      close();
      open = { path: head["path"] ?? "", type: head["type"] ?? "", lines: [] };
    } else if (line.startsWith("*** End Patch")) close();
    else if (open && line.startsWith("*** Move to: ")) open.path = `${open.path} → ${line.slice(13)}`;
    else if (open && !line.startsWith("*** ")) open.lines.push(line);
  }
  close();
  return edits.slice(0, MAX_EDITS);
}

function editFor(path: string, type: string, text: string, kind: Json | undefined): Edit {
  switch (type) {
    case "add":
      return editBetween(path, "", text);
    case "delete":
      return editBetween(path, text, "");
    default: {
      const moved = textAt(kind, "move_path");
      const lines = text.replace(/\n$/u, "").split("\n");
      return diffed(moved === undefined ? path : `${path} → ${moved}`, text === "" ? [] : lines);
    }
  }
}

function diffed(path: string, lines: readonly string[]): Edit {
  const count = (mark: string): number => lines.filter((line) => line.startsWith(mark)).length;
  return { path: pathOf(path), diff: kept(lines.join("\n"), MAX_DIFF_CHARS), added: count("+"), removed: count("-") };
}
