/** The rows that make one menu: a highlighted one, and those around it that are like it. */
import { isHint } from "./hints.ts";
import { isSubmit, itemOf, type Item } from "./item.ts";
import type { View } from "./rows.ts";

/** Rows of one menu. */
export const MAX_MENU_ROWS = 90;

export interface Block {
  readonly items: readonly { readonly item: Item; readonly more: readonly string[] }[];
  readonly top: number;
  readonly end: number;
}

export function blockOf(view: View, marked: Item): Block | undefined {
  const like = isSubmit(marked) ? (keyedAbove(view, marked.at) ?? marked) : marked;
  const around = [view.rows[marked.at - 1], view.rows[marked.at + 1]].map((row) =>
    row && !row.blank ? itemOf(row, 0) : undefined,
  );
  // `● 1. Once` with `  2. Always` below: the radio is the pointer there.
  const alone = marked.glyph === "radio" && marked.pointer === "" && !around.some((one) => one?.glyph === "radio");
  const glyphs = like.glyph !== undefined && !alone;
  const start = alone ? marked.body - keyWidth(marked) : like.start;
  const isSibling = (item: Item): boolean => {
    if (item.pointer === "•" && marked.pointer !== "•") return glyphs && Math.abs(item.indent - start) <= 1;
    if (item.pointer !== "") return false;
    if (like.key !== undefined) return (item.key !== undefined && Math.abs(item.start - start) <= 2) || isSubmit(item);
    if (glyphs)
      return item.glyph === like.glyph && item.start >= Math.min(start, marked.indent) && item.start - start <= 6;
    return item.indent === start && item.glyph === undefined;
  };
  const items: { item: Item; more: string[] }[] = [{ item: marked, more: [] }];
  let end = marked.at;
  let blanks = 0;
  let ruled = false;
  for (let at = marked.at + 1; at < view.rows.length && at - marked.at < MAX_MENU_ROWS; at++) {
    const row = view.rows[at];
    if (!row) break;
    if (row.blank) {
      blanks += row.rule ? 0 : 1;
      ruled ||= row.rule;
      if (blanks > (like.key === undefined ? 1 : 2)) break;
      continue;
    }
    if (isHint(row.said)) break;
    const item = itemOf(row, at);
    if (isSibling(item) && !(like.key === undefined && blanks > 0 && !ruled && !glyphs)) {
      items.push({ item, more: [] });
    } else if (
      blanks === 0 &&
      (row.indent > start || isWrapped(view, at)) &&
      !(item.pointer !== "" && item.key !== undefined)
    ) {
      items.at(-1)?.more.push(row.text);
    } else break;
    blanks = 0;
    ruled = false;
    end = at;
  }
  let top = marked.at;
  blanks = 0;
  let more: string[] = [];
  for (let at = marked.at - 1; at >= 0 && marked.at - at < MAX_MENU_ROWS; at--) {
    const row = view.rows[at];
    if (!row) break;
    if (row.blank) {
      if (row.rule && (row.title !== "" || /^\s*[┌╭┏╔▄▔]/u.test(row.raw))) break;
      blanks += row.rule ? 0 : 1;
      if (blanks > (like.key === undefined ? 0 : 1)) break;
      continue;
    }
    const item = itemOf(row, at);
    if (isWrapped(view, at) && row.indent < start && blanks === 0) {
      more.unshift(row.text);
      continue;
    }
    if (isSibling(item) && !(like.key !== undefined && Number(item.key) >= Number(items[0]?.item.key))) {
      items.unshift({ item, more });
      more = [];
      top = at;
    } else if (row.indent > start && blanks === 0 && (like.key !== undefined || glyphs) && more.length < 4) {
      more.unshift(row.text);
      continue;
    } else break;
    blanks = 0;
  }
  return { items, top, end };
}

/** Claude's field for one's own words shows them in place of its name once there are any; it stands last, above a rule. */
export function ownWordsAt(items: Block["items"]): number {
  const chat = items.findLastIndex(({ item }) => /^chat about this/iu.test(item.label));
  if (chat < 1) return -1;
  const own = items.findLastIndex(({ item }, place) => place < chat && item.key !== undefined);
  return own === items.findLastIndex(({ item }, place) => place < chat && !isSubmit(item)) ? own : -1;
}

/** An entry of the list that such a row closes. */
function keyedAbove(view: View, below: number): Item | undefined {
  for (let at = below - 1; at >= 0 && below - at < 4; at--) {
    const row = view.rows[at];
    const item = row && !row.blank ? itemOf(row, at) : undefined;
    if (item?.key !== undefined) return item;
  }
  return undefined;
}

/** A row that only goes on where the one above met the edge. */
function isWrapped(view: View, at: number): boolean {
  const row = view.rows[at];
  const above = view.rows[at - 1];
  return (
    row !== undefined &&
    above !== undefined &&
    !above.blank &&
    !row.framed &&
    (row.wrapped || above.raw.length >= view.edge - 1)
  );
}

/** `1. ` and what else stands before a label. */
function keyWidth(item: Item): number {
  return item.key === undefined ? 0 : item.key.length + 2;
}
