/** Dialog boxes drawn by `whiptail`, `dialog`, debconf, pinentry: a frame, words, perhaps a list or a field, buttons. */
import { standingOut, type Place } from "./highlight.ts";
import type { Row, View } from "./rows.ts";
import type { Found, Option } from "./shape.ts";
import { isNo, isSecret, isYes, saysNo } from "./words.ts";

const MAX_BOX_ROWS = 60;
const MAX_BUTTONS = 6;
const BUTTON = /<\s*([^<>]{1,24}?)\s*>|\[\s*(\p{L}[^[\]<>]{0,23}?)\s*\]/gu;
const KNOWN =
  /^(?:ok|okay|yes|no|cancel|back|go back|next|continue|accept|exit|quit|help|select|done|finish|abort|retry|ignore|skip|edit|rename|close|later|never|details|extra|browse|open|save|install|previous|proceed|agree|disagree|ja|nein|oui|non|annuler|abbrechen|sí|aceptar|cancelar|ок|отмена|да|нет)$/iu;
const FIELD = /_{5,}|^\s*(?:[\p{L} ]{0,30}:)?\s*[*•]{3,}_*\s*$/u;

export function boxAsk(view: View): Found | undefined {
  const bottom = view.rows.length - 1;
  let at = bottom;
  let buttons: readonly { readonly label: string; readonly col: number }[] = [];
  for (; at >= 0 && bottom - at < 6; at--) {
    const row = view.rows[at];
    if (!row || row.blank) continue;
    buttons = buttonsOf(row);
    break;
  }
  const row = view.rows[at];
  if (!row || buttons.length === 0 || buttons.length > MAX_BUTTONS) return undefined;
  const top = topOf(view, at);
  if (top === undefined && !(buttons.length > 1 && buttons.every(({ label }) => KNOWN.test(label)))) return undefined;
  if (!buttons.some(({ label }) => KNOWN.test(label)) && !(buttons.length > 1 && row.framed)) return undefined;
  const first = top ?? Math.max(0, at - 12);
  if (isLeft(view, first, row)) return undefined;
  const title = view.rows[first]?.title ?? "";
  const inside = view.rows.slice(first + (top === undefined ? 0 : 1), at);
  const places: Place[] = buttons.map(({ col }) => ({ row, col }));
  const focus = standingOut(places, { row, col: Math.max(0, row.text.search(/[<[]/u) - 2) });
  const labels = buttons.map(({ label }) => label);
  // `dialog` pads its buttons and draws a line above them; whiptail does neither.
  const control = /<\s/u.test(row.raw) || /├/u.test(view.rows[at - 1]?.raw ?? "");
  const common = {
    by: "box" as const,
    buttons: labels,
    ...(focus === undefined ? {} : { button: focus }),
    ...(control ? { control: true as const } : {}),
  };
  const frame = { ...(title === "" ? {} : { title }), top: first, end: at };
  const list = checksIn(inside) ?? innerBox(inside) ?? (isField(inside) ? undefined : block(inside, labels));
  if (list) {
    const words = wordsOf(inside.filter((one) => one.at < (list.rows[0]?.at ?? Infinity)));
    const pointed = list.rows.findIndex((one) => one.at === view.screen.cursor.row);
    const drawn = standingOut(
      list.rows.map((one) => ({ row: one, col: one.indent + (list.checks ? 4 : 0) })),
      { row: list.rows[0] ?? row, col: Math.max(0, (list.rows[0]?.indent ?? 1) - 2) },
    );
    // Where the highlight is not drawn, the cursor stands on it.
    const marked = list.checks && pointed !== -1 ? pointed : (drawn ?? (pointed === -1 ? undefined : pointed));
    return {
      ...frame,
      question: words === "" ? title : words,
      shape: {
        asks: "choice",
        options: list.options,
        ...common,
        ...(list.many ? { many: true as const } : {}),
        ...(marked === undefined ? {} : { at: marked }),
      },
    };
  }
  const words = wordsOf(beforeFrame(inside).filter((one) => !FIELD.test(one.text)));
  const field = inside.findIndex((one) => FIELD.test(one.text));
  const inner = field === -1 ? emptyField(inside) : field;
  if (inner !== -1 && labels.length <= 3 && !labels.some(refusable)) {
    const masked = /[*•]{3,}/u.test(inside[inner]?.text ?? "");
    const hidden = masked || isSecret(words) || isSecret((inside[inner]?.said ?? "").replace(/[_*].*$/u, ""));
    const typed = hidden ? "" : (inside[inner]?.said ?? "").replace(/_+$/u, "").trim();
    return {
      ...frame,
      question: words.replace(/\n?[*•]{3,}$/u, "") || title,
      shape: { asks: hidden ? "secret" : "text", options: [], ...common, ...(typed === "" ? {} : { typed }) },
    };
  }
  const options: Option[] = labels.map((label) => ({ label }));
  const yesNo = labels.length === 2 && labels.some(isYes) && labels.some((label) => isNo(label) || saysNo(label));
  const no = labels.findIndex(saysNo);
  return {
    ...frame,
    question: words === "" ? title : words,
    shape: {
      asks: labels.length === 1 || yesNo ? "confirm" : "choice",
      options: labels.length === 1 ? [{ label: labels[0] ?? "OK" }] : options,
      ...common,
      ...(focus === undefined ? {} : { at: focus }),
      ...(no === -1 || labels.length === 1 ? {} : { no }),
    },
  };
}

/** `<Yes>`: such a box asks for nothing but a yes or no. */
function refusable(label: string): boolean {
  return isYes(label) && !/^ok/iu.test(label);
}

/** `dialog` goes without wiping its box away; the cursor of what comes next is elsewhere. */
function isLeft(view: View, top: number, buttons: Row): boolean {
  const { cursor } = view.screen;
  if (!cursor.visible || !/</u.test(buttons.text)) return false;
  return cursor.row < (view.rows[top]?.at ?? 0) - 1 || cursor.row > buttons.at + 3;
}

function buttonsOf(row: Row): { readonly label: string; readonly col: number }[] {
  if (row.text.replace(BUTTON, "").trim() !== "") return [];
  return [...row.text.matchAll(BUTTON)].map((one) => {
    const label = one[1] ?? one[2] ?? "";
    return { label: label.trim(), col: one.index + one[0].indexOf(label) };
  });
}

function topOf(view: View, from: number): number | undefined {
  let top: number | undefined;
  const left = /[│┃║|]/u.exec(view.rows[from]?.raw ?? "")?.index ?? -1;
  for (let at = from - 1; at >= 0 && from - at < MAX_BOX_ROWS; at--) {
    const raw = view.rows[at]?.raw ?? "";
    const corner = /[┌╔┏╭]|\+-{3,}/u.exec(raw);
    // An inner frame begins further to the right.
    if (corner && (left === -1 || corner.index <= left)) return at;
    if (corner) top = at;
  }
  return top;
}

interface List {
  readonly rows: readonly Row[];
  readonly options: readonly Option[];
  readonly many: boolean;
  readonly checks: boolean;
}

const TICK = /^(?:\[([ *xX])\]|\(([ *xX•])\)|<([ *xX])>)\s*(\S.*)$/u;

function checksIn(inside: readonly Row[]): List | undefined {
  const rows = inside.filter((row) => TICK.test(row.said));
  if (rows.length === 0) return undefined;
  return {
    rows,
    checks: true,
    many: rows.some((row) => row.said.startsWith("[")),
    options: rows.map((row) => {
      const found = TICK.exec(row.said);
      const on = (found?.[1] ?? found?.[2] ?? found?.[3] ?? " ") !== " ";
      return { ...tagged(found?.[4] ?? ""), checked: on };
    }),
  };
}

/** `1  First option`, `cheese  Cheese`: what is given back, and what is said of it. */
function tagged(said: string): Option {
  const found = /^(\S+)\s+(\S.*)$/u.exec(said.replace(/\s*[↑↓▲▼#]\s*$/u, ""));
  if (!found) return { label: said.trim() };
  const [, tag = "", words = ""] = found;
  if (/^(?:\d{1,3}|\p{L})[.)]?$/u.test(tag)) return { label: words.trim(), key: tag.replace(/[.)]$/u, "") };
  return /\s{2,}/u.test(said) ? { label: tag, detail: words.trim() } : { label: said.trim() };
}

/** The frame in the frame in which `dialog` keeps a list. */
function innerBox(inside: readonly Row[]): List | undefined {
  const start = inside.findIndex((row) => row.rule && /[┌╔┏]/u.test(row.raw));
  const end = inside.findLastIndex((row) => row.rule && /[└╚┗]/u.test(row.raw));
  if (start === -1 || end <= start) return undefined;
  const rows = inside.slice(start + 1, end).filter((row) => !row.blank);
  if (rows.length === 0 || end - start <= 2) return undefined;
  if (isForm(rows)) return undefined;
  return { rows, checks: false, many: false, options: rows.map((row) => tagged(row.said)) };
}

/** The last paragraph of a box with `<Ok> <Cancel>`: entries at one column. */
function block(inside: readonly Row[], labels: readonly string[]): List | undefined {
  if (labels.length < 2 || labels.some(refusable) || inside.some((row) => FIELD.test(row.text))) return undefined;
  const rows: Row[] = [];
  let at = inside.length - 1;
  while (at >= 0 && inside[at]?.blank === true) at -= 1;
  for (; at >= 0; at--) {
    const row = inside[at];
    if (!row || row.blank) break;
    rows.unshift(row);
  }
  if (!inside.slice(0, Math.max(0, at)).some((row) => !row.blank) && rows.length < 2) return undefined;
  if (at <= 0 && !rows.every((row) => /^\S+\s{1,}\S/u.test(row.said))) return undefined;
  if (isForm(rows)) return undefined;
  const indent = Math.min(...rows.map((row) => row.indent));
  if (
    rows.some((row) => row.indent > indent + 3) ||
    rows.some((row) => /[.?!]$/u.test(row.said) && row.said.length > 60)
  )
    return undefined;
  return { rows, checks: false, many: false, options: rows.map((row) => tagged(row.said)) };
}

function beforeFrame(inside: readonly Row[]): readonly Row[] {
  const start = inside.findIndex((row) => row.rule && /[┌╔┏]/u.test(row.raw));
  return start === -1 ? inside : inside.slice(0, start);
}

/** A form has a label with a colon in each row, and its fields are blank. */
function isForm(rows: readonly Row[]): boolean {
  return rows.length > 0 && rows.every((row) => /^[^:]{1,30}:(?:\s|$)/u.test(row.said));
}

/** A frame of one row is a field, whatever stands in it. */
function isField(inside: readonly Row[]): boolean {
  const start = inside.findIndex((row) => row.rule && /[┌╔┏]/u.test(row.raw));
  return start !== -1 && inside[start + 2]?.rule === true;
}

/** `┌────┐ │    │ └────┘`: a field of `dialog`, with or without words in it; or a form. */
function emptyField(inside: readonly Row[]): number {
  const start = inside.findIndex((row) => row.rule && /[┌╔┏]/u.test(row.raw));
  const end = inside.findLastIndex((row) => row.rule && /[└╚┗]/u.test(row.raw));
  return start === -1 || end - start < 2 ? -1 : start + 1;
}

function wordsOf(rows: readonly Row[]): string {
  const lines = rows.filter((row) => !row.rule).map((row) => row.said);
  return lines
    .join("\n")
    .replace(/\n{3,}/gu, "\n\n")
    .trim();
}
