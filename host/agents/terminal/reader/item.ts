/** One row of a menu: its pointer, its glyph, its key and its label, and the option that it is. */
import { isDimAt, type Place } from "./highlight.ts";
import { keyedOf, splitLabel } from "./list.ts";
import type { Row, View } from "./rows.ts";
import type { Option } from "./shape.ts";

/** Columns of a label; it may go on in a few rows. */
const MAX_LABEL_WIDTH = 160;

const POINTER =
  /^(\s*)(?:(❯|›|»|▸|▶|►|➤|➜|→|⇒|‣|⏵|👉|☞|➔|➡️?|⮕|⦿)(\s*)(?=\S)|(>{1,2}|\*|-{1,2}>|=>|•)(\s+(?=\S)|(?=[[(◯◉○●☐☑◻◼])))/u;
const RADIO = /^(?:(●|◉|⦿|🔘|\([•*xXo●]\)|<[•*x]>)|(○|◯|⊚|◌|\( {1,2}\)|\(\)|< >))(?=\s|$)\s*/u;
const CHECK = /^(?:(☑|☒|◼|■|▣|✅|✔|✓|⬢|🗹|\[[xX*✔✓•●■+]\])|(☐|◻|□|▢|⬡|⬜|◽|\[ \]|\[_\]|\[\]))(?=\s|$)️?\s*/u;

/** Keys named behind a label. */
export const KEYS_BEHIND =
  /(?:\s+\((?:[a-z0-9]|esc|enter|tab|space|(?:shift|ctrl|alt)\+\w+)(?: or (?:[a-z0-9]|esc|enter|tab))?\))+$/iu;

export interface Item {
  readonly at: number;
  readonly indent: number;
  readonly pointer: string;
  readonly glyph: "radio" | "check" | undefined;
  readonly on: boolean;
  readonly key: string | undefined;
  /** Column of what follows the pointer. */
  readonly start: number;
  /** Column of the label. */
  readonly body: number;
  readonly label: string;
}

export function itemOf(row: Row, at: number): Item {
  const pointed = POINTER.exec(row.text);
  const pointer = pointed?.[2] ?? pointed?.[4] ?? "";
  let col = pointed ? pointed[0].length : row.indent;
  let rest = row.text.slice(col);
  let glyph: Item["glyph"];
  let on = false;
  const start = col;
  const take = (): void => {
    // gum draws what may be ticked with a bullet, once its pointer stands before it.
    const bullet = pointer !== "" && pointer !== "•" ? /^• (?=\S)/u.exec(rest) : null;
    if (bullet && glyph === undefined) {
      glyph = "check";
      col += bullet[0].length;
      rest = rest.slice(bullet[0].length);
      return;
    }
    const radio = RADIO.exec(rest);
    const check = radio ? null : CHECK.exec(rest);
    const found = radio ?? check;
    if (!found || glyph !== undefined) return;
    glyph = radio ? "radio" : "check";
    // enquirer draws the same tick for both, and only dims it.
    on = found[1] !== undefined && !(/^[✔✓]/u.test(found[0]) && isDimAt(row, col));
    col += found[0].length;
    rest = rest.slice(found[0].length);
  };
  take();
  const keyed = keyedOf(rest);
  let key: string | undefined;
  if (keyed && keyed.col === 0) {
    key = keyed.key;
    col += keyed.labelCol;
    rest = rest.slice(keyed.labelCol);
    take();
  }
  return { at, indent: row.indent, pointer, glyph, on, key, start, body: col, label: rest.trim() };
}

export function optionAt(view: View, item: Item, more: readonly string[], checks: boolean): Option {
  // What did not fit goes on in the next row; what did is said of it in the next row.
  let label = item.label;
  const details: string[] = [];
  let width = item.body + label.length;
  for (const text of more) {
    const said = text.trim();
    const word = said.split(" ", 1)[0] ?? "";
    if (details.length === 0 && width + word.length + 1 >= Math.min(edgeOf(view, item.at), view.cols) - 1)
      label = `${label} ${said}`;
    else details.push(said);
    width = text.length;
  }
  const split = splitLabel(label);
  const dash = details.length === 0 && split.detail === "" ? /^(.{2,60}?) [-–—] (.{2,})$/u.exec(split.label) : null;
  const name = trimKeys(dash && !/[\d)\]]$/u.test(dash[1] ?? "") ? (dash[1] ?? "") : split.label);
  const detail = [dash && name === trimKeys(dash[1] ?? "") ? (dash[2] ?? "") : "", split.detail, ...details]
    .filter((one) => one !== "")
    .join(" ");
  const free = isOwnWords(name);
  const submit = checks && isSubmit(item);
  return {
    label: name.slice(0, MAX_LABEL_WIDTH * 4),
    ...(detail === "" ? {} : { detail }),
    ...(item.key === undefined ? {} : { key: item.key }),
    ...(checks && (item.glyph !== undefined || item.pointer === "•") ? { checked: item.on } : {}),
    ...(free ? { free: true as const } : {}),
    ...(submit ? { submit: true as const } : {}),
  };
}

/** Picking it opens a field. */
export function isOwnWords(name: string): boolean {
  return /^(?:type (?:something|your|here|a )|tell \w+ what|other(?:\s*[.…(:]|$)|something else|enter (?:your own|manually|a custom)|custom(?:\s*[.…(:]|$)|write my own)/iu.test(
    name,
  );
}

/** The row that sends what is ticked has no key of its own. */
export function isSubmit(item: Item): boolean {
  return (
    item.key === undefined && item.glyph === undefined && /^(?:submit|next|done|continue|finish)$/iu.test(item.label)
  );
}

export function placesOf(view: View, items: readonly Item[]): Place[] {
  return items.flatMap((item) => {
    const row = view.rows[item.at];
    return row ? [{ row, col: item.body }] : [];
  });
}

/** The column up to which words are wrapped where this row stands: a frame's inside, or the screen's. */
function edgeOf(view: View, at: number): number {
  const raw = view.rows[at]?.raw ?? "";
  const side = /\s*[│┃║|]\s*$/u.exec(raw);
  return side && view.rows[at]?.framed === true
    ? side.index + (side[0].length > 2 ? side[0].length - 2 : 0)
    : view.cols;
}

/** `(y)`, `(esc)`, `(shift+tab)` behind a label say which key takes it. */
function trimKeys(label: string): string {
  return label.replace(KEYS_BEHIND, "").trim();
}
