/** Lists whose entries carry a key to type: `1) alpha`, `[2] Stop`, `a. east`, in one column or in several. */
import type { Option } from "./shape.ts";
import type { View } from "./rows.ts";

/** Rows of one list, and blank rows between it and what asks. */
const MAX_LIST_ROWS = 80;
const MAX_GAP = 2;
const MAX_BETWEEN = 3;

export interface Keyed {
  readonly key: string;
  readonly label: string;
  /** Column of the key, and of the label behind it. */
  readonly col: number;
  readonly labelCol: number;
}

export interface KeyedList {
  readonly options: readonly Option[];
  /** Places of its first and last row in the view. */
  readonly top: number;
  readonly end: number;
  /** Rows of text between it and the row that asks. */
  readonly between: number;
}

const KEY = String.raw`(?:[[({<](?:\d{1,3}|[A-Za-z?])[\])}>][.:)]?|(?:\d{1,3}|[A-Za-z])(?:[.):\]]|\s?[-–—=>/]>?(?=\s)))`;
const ENTRY = new RegExp(String.raw`^(\s*(?:[\w-]{2,20}: )?(?:[*+>•-]\s*)?)(${KEY})\s+(\S.*)$`, "u");
const BARE = /^(\s*(?:[*+>]{1,2}\s*)?)(\d{1,3}|\p{L})\s{2,}(\S.*)$/u;
const NEXT = new RegExp(String.raw`(?:\s{2,}|\t)(?=${KEY}\s+\S)`, "u");

/** The entry that a row is, when it is one. */
export function keyedOf(text: string, bare = false): Keyed | undefined {
  const found = ENTRY.exec(text) ?? (bare ? BARE.exec(text) : null);
  if (!found) return undefined;
  const [, lead = "", raw = "", label = ""] = found;
  const key = raw.replace(/[^\p{L}\p{N}?]/gu, "");
  return key === "" ? undefined : { key, label: label.trim(), col: lead.length, labelCol: text.length - label.length };
}

function cells(text: string, bare: boolean): Keyed[] {
  const out: Keyed[] = [];
  let rest = text;
  let offset = 0;
  while (out.length < 40) {
    const cut = NEXT.exec(rest.trimStart())?.index;
    const lead = rest.length - rest.trimStart().length;
    const part = cut === undefined ? rest : rest.slice(0, lead + cut);
    const entry = keyedOf(part, bare);
    if (!entry) return [];
    out.push({ ...entry, col: entry.col + offset, labelCol: entry.labelCol + offset });
    if (cut === undefined) return out;
    rest = rest.slice(lead + cut);
    offset += lead + cut;
  }
  return out;
}

/** The list that ends just above row `below`. `bare`: a number needs no punctuation behind it. */
export function listAbove(view: View, below: number, bare: boolean): KeyedList | undefined {
  let at = below - 1;
  let gap = 0;
  const hanging: number[] = [];
  let first: Keyed[] = [];
  for (; at >= 0; at--) {
    const row = view.rows[at];
    if (!row) return undefined;
    if (row.blank) {
      gap += 1;
      if (gap > MAX_GAP) return undefined;
      continue;
    }
    first = cells(row.text, bare);
    if (first.length > 0) break;
    // What hangs below the last entry belongs to it: how far, its own column will tell.
    hanging.push(row.indent);
    if (hanging.length > MAX_BETWEEN) return undefined;
    gap = 0;
  }
  if (first.length === 0) return undefined;
  const end = at;
  const between = hanging.filter((indent) => indent <= (first[0]?.col ?? 0)).length;
  const rows: { readonly keyed: readonly Keyed[]; readonly detail: string[]; readonly at: number }[] = [];
  let details: string[] = [];
  let blanks = 0;
  let top = at;
  for (; at >= 0 && end - at < MAX_LIST_ROWS; at--) {
    const row = view.rows[at];
    if (!row) break;
    if (row.blank) {
      blanks += 1;
      if (blanks > 1) break;
      continue;
    }
    const keyed = cells(row.text, bare);
    if (keyed.length === 0) {
      const col = rows.at(-1)?.keyed[0]?.col ?? first[0]?.col ?? 0;
      if (row.indent <= col || details.length > 4) break;
      details.unshift(row.said);
      blanks = 0;
      continue;
    }
    rows.push({ keyed, detail: details, at });
    details = [];
    blanks = 0;
    top = at;
  }
  rows.reverse();
  const entries = rows.flatMap((row) =>
    row.keyed.map((one, place) => ({
      ...one,
      row: row.at,
      detail: place === row.keyed.length - 1 ? row.detail.join(" ") : "",
    })),
  );
  const kept = cutToStart(rows.some((row) => row.keyed.length > 1) ? sorted(entries) : entries);
  if (kept.length < 2 || new Set(kept.map(({ key }) => key)).size < kept.length) return undefined;
  return {
    options: kept.map(({ key, label, detail }) => optionOf(key, label, detail)),
    top: Math.min(...kept.map(({ row }) => row), end) || top,
    end,
    between,
  };
}

/** Columns read downwards or across: numbers say which. */
function sorted<T extends Keyed>(entries: readonly T[]): T[] {
  return entries.every(({ key }) => /^\d+$/u.test(key))
    ? entries.toSorted((a, b) => Number(a.key) - Number(b.key))
    : [...entries];
}

/** An older list above is not part of this one: numbers fall where the next begins. */
function cutToStart<T extends Keyed>(entries: readonly T[]): T[] {
  let start = 0;
  for (let at = 1; at < entries.length; at++) {
    const before = entries[at - 1];
    const now = entries[at];
    if (!before || !now || !/^\d+$/u.test(before.key) || !/^\d+$/u.test(now.key)) continue;
    // `0` and `9` often close a list: a way out, behind the others.
    if (Number(now.key) <= Number(before.key) && !(Number(now.key) === 0 && at === entries.length - 1)) start = at;
  }
  return entries.slice(start);
}

export function optionOf(key: string | undefined, words: string, more: string): Option {
  const { label, detail } = splitLabel(words);
  const details = [detail, more].filter((one) => one !== "").join(" ");
  return { label, ...(details === "" ? {} : { detail: details }), ...(key === undefined ? {} : { key }) };
}

/** `SQLite (Recommended)  one file`, `Yes, and switch · why`, `Red - a colour`: what it is called, and what is said of it. */
export function splitLabel(words: string): { readonly label: string; readonly detail: string } {
  const cut = /\s{2,}(?=\S)| · | \t/u.exec(words);
  const label = cut ? words.slice(0, cut.index) : words;
  const detail = cut ? words.slice(cut.index + cut[0].length).replace(/\s+/gu, " ") : "";
  return { label: label.trim(), detail: detail.replace(/^<?-{2,}\s*/u, "").trim() };
}
