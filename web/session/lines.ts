/**
 * The transcript's lines: rows as they are drawn. Consecutive reads and searches fold into one line, what a sub-agent
 * did hangs under the tool that started it, and a todo list is only shown where it was last touched. Reads raw rows, so
 * that 50,000 of them cost a millisecond and no subscriptions; a line that did not change keeps its identity.
 */
import type { Row } from "@flybridge/client/view.ts";
import type { ItemId } from "@flybridge/protocol/ids.ts";

export interface Line {
  readonly kind: "row" | "explored";
  readonly key: string;
  /** Where its rows stand in the view; rewritten when rows come before them. */
  at: number[];
  /** Rows of the sub-agent this tool item started, in order; drawn under it. */
  readonly under: Line[];
}

type ItemRow = Extract<Row, { kind: "item" }>;

/** Folds of reads shorter than this stay single lines. */
const MIN_FOLD = 2;

export function linesOf(
  rows: readonly Row[],
  before: ReadonlyMap<string, Line>,
): { lines: Line[]; byKey: Map<string, Line> } {
  const byKey = new Map<string, Line>();
  const lines: Line[] = [];
  const homes = new Map<ItemId, Line>();
  /** The fold that the next look in a place would join. */
  const folds = new Map<Line[], Line>();
  let lastTodo: string | undefined;

  const keep = (kind: Line["kind"], key: string, at: number): Line => {
    const had = before.get(key);
    const line = had?.kind === kind ? had : { kind, key, at: [], under: [] };
    line.at = [at];
    line.under.length = 0;
    byKey.set(key, line);
    return line;
  };

  for (let at = rows.length - 1; at >= 0 && lastTodo === undefined; at--) {
    const row = rows[at];
    if (row?.kind === "item" && row.item.kind === "todo" && row.item.parent === undefined) lastTodo = row.key;
    if (row?.kind === "turn") break;
  }

  for (let at = 0; at < rows.length; at++) {
    const row = rows[at] as Row;
    if (isHidden(row)) continue;
    if (row.kind === "item" && row.item.kind === "todo" && row.key !== lastTodo && isFollowedByTodo(rows, at)) continue;
    const parent = row.kind === "item" ? row.item.parent : undefined;
    const home = (parent !== undefined && homes.get(parent)?.under) || lines;
    if (row.kind === "item" && isLook(row)) {
      const fold = folds.get(home);
      if (fold) {
        fold.at.push(at);
        continue;
      }
      const opened = keep("explored", `look ${row.key}`, at);
      folds.set(home, opened);
      home.push(opened);
      continue;
    }
    folds.delete(home);
    const line = keep("row", row.key, at);
    home.push(line);
    if (row.kind === "item" && row.item.kind === "tool") homes.set(row.item.item, line);
  }
  return { lines, byKey };
}

export function isFolded(kind: Line["kind"], rows: number): boolean {
  return kind === "explored" && rows >= MIN_FOLD;
}

function isLook(row: ItemRow): boolean {
  const { item } = row;
  return (
    item.kind === "tool" && (item.tool.kind === "read" || item.tool.kind === "search" || item.tool.kind === "list")
  );
}

/** Configuration and starts are in the sheet; here only what breaks the flow is told. An empty thought says nothing. */
function isHidden(row: Row): boolean {
  if (row.kind === "item")
    return !row.open && row.item.kind !== "tool" && row.item.kind !== "todo" && row.item.body.trim() === "";
  return row.kind === "mark" && (row.fact.kind === "agent.started" || row.fact.kind === "session.stopped");
}

/** Whether the same turn has a newer todo list. */
function isFollowedByTodo(rows: readonly Row[], at: number): boolean {
  for (let next = at + 1; next < rows.length; next++) {
    const row = rows[next];
    if (row?.kind === "turn") return false;
    if (row?.kind === "item" && row.item.kind === "todo") return true;
  }
  return false;
}
