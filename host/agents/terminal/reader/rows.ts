/** The rows of a screen without their frames: what is written, where it begins, and what only divides. */
import type { Line, Screen, Span } from "../screen.ts";

/** Characters of a row that are looked at, and rows from the last written one upwards. What asks is short and stands low. */
const MAX_ROW_CHARS = 600;
const MAX_ROWS = 120;

const USUAL_COLS = new Set([80, 100, 120, 132]);

const SIDE = /[│┃║▏▕╎┆┇┊┋╏▌▐█▎]/u;
const DIVIDER = /^[\s─━═╌╍┄┅┈┉▔▁▀▄‾_\-=*~+┌┐└┘├┤╭╮╰╯┬┴┼╔╗╚╝╠╣╦╩╬╹╻╺╸┏┓┗┛┣┫▛▜▙▟▝▘▗▖│┃║╵╷]+$/u;
const CORNER = /^[┌└├╭╰┏┗╔╚╠┣╹╵]/u;
/** `┌──┤ Title ├──┐`, `╭─ Title ─────╮`, `─── Title ───`. */
const TITLED = /^\s*[┌╭┏╔├─━═╌][─━═┤╌\s]*\s?([^─━═╌┌╭┏╔┐╮┓╗]{1,80}?)\s?[├─━═╌\s]*[─━═╌┐╮┓╗┤]$/u;

export interface Row {
  /** Row of the screen. */
  readonly at: number;
  /** Without frames on its sides; columns are kept: what was a frame is a space now. */
  readonly text: string;
  /** Column of the first character. */
  readonly indent: number;
  /** `text` without what surrounds it. */
  readonly said: string;
  readonly blank: boolean;
  /** A line that divides, or the top or bottom of a frame. */
  readonly rule: boolean;
  /** What is written in a rule. */
  readonly title: string;
  readonly framed: boolean;
  readonly raw: string;
  readonly spans: readonly Span[];
  readonly wrapped: boolean;
}

export interface View {
  readonly screen: Screen;
  /** Every row from the first that is looked at to the last that is written. */
  readonly rows: readonly Row[];
  readonly cols: number;
  /** Rows of so many characters go on in the next; of a screen known by its text that is a guess. */
  readonly edge: number;
}

const TMUX = /^\[[^\]]{0,40}\] ?\d+:\S+.{0,300}(?:"[^"]*"?|\d{1,2}:\d\d|[*-](?: |$))/u;

export function viewOf(screen: Screen): View {
  let last = screen.lines.length - 1;
  while (last >= 0 && (screen.lines[last]?.text.trim() ?? "") === "") last -= 1;
  // The status bar of a multiplexer is no part of the program in it.
  if (last > 0 && TMUX.test(screen.lines[last]?.text.slice(0, MAX_ROW_CHARS) ?? "")) {
    last -= 1;
    while (last >= 0 && (screen.lines[last]?.text.trim() ?? "") === "") last -= 1;
  }
  const first = Math.max(0, last - MAX_ROWS + 1);
  const rows: Row[] = [];
  for (let at = first; at <= last; at++) {
    const line = screen.lines[at];
    if (line) rows.push(rowOf(line, at));
  }
  const full = rows.filter((row) => row.raw.length >= screen.cols).length;
  const edge = USUAL_COLS.has(screen.cols) || full > 1 ? screen.cols : Infinity;
  return { screen, rows, cols: screen.cols, edge };
}

function rowOf(line: Line, at: number): Row {
  const raw = line.text.slice(0, MAX_ROW_CHARS).trimEnd();
  const bare = raw.trim();
  const base = { at, raw, spans: line.spans, wrapped: line.wrapped };
  if (bare === "")
    return { ...base, text: "", indent: 0, said: "", blank: true, rule: false, title: "", framed: false };
  if (isRule(bare)) {
    return { ...base, text: "", indent: 0, said: "", blank: true, rule: !isSides(bare), title: "", framed: true };
  }
  const title = CORNER.test(bare) || /^[─━═╌]{2}/u.test(bare) ? titleOf(bare) : undefined;
  if (title !== undefined) {
    return { ...base, text: "", indent: 0, said: "", blank: true, rule: true, title, framed: true };
  }
  const { text, framed } = unframed(raw);
  const said = text.trim();
  return {
    ...base,
    text,
    indent: text.length - text.trimStart().length,
    said,
    blank: said === "",
    rule: false,
    title: "",
    framed,
  };
}

function isRule(bare: string): boolean {
  // Underscores in a frame are a field.
  if (!DIVIDER.test(bare) || /_{5,}/u.test(bare)) return false;
  if (/[─━═╌╍┄┅┈┉▔▁▀▄‾┌┐└┘├┤╭╮╰╯┬┴┼╔╗╚╝╠╣╹╵╻╷│┃║┏┓┗┛]/u.test(bare)) return true;
  // Plain characters divide only in numbers: `--`, `*` and `+` are also said.
  return /^(?:[-=*~+]\s?){4,}$/u.test(bare);
}

function isSides(bare: string): boolean {
  // The end of a scroll bar draws no line.
  return /^[│┃║▀▄\s]+$/u.test(bare) && !/[▀▄]{2}/u.test(bare);
}

function titleOf(bare: string): string | undefined {
  const title = TITLED.exec(bare)?.[1]?.trim();
  return title === undefined || title === "" || !/[─━═╌]{2}/u.test(bare)
    ? undefined
    : title.replace(/^[┤\s]+|[├\s]+$/gu, "");
}

/** Frames on both sides, also nested ones, as spaces. A plain `|` is a frame only where it stands on both sides. */
function unframed(raw: string): { readonly text: string; readonly framed: boolean } {
  const last = raw.at(-1) ?? "";
  if (!SIDE.test(raw.trimStart().charAt(0)) && last !== "|") return { text: raw, framed: false };
  const cells = [...raw];
  let framed = false;
  for (let at = 0; at < cells.length; at++) {
    const cell = cells[at] ?? " ";
    if (cell === " ") continue;
    if (!SIDE.test(cell)) break;
    cells[at] = " ";
    framed = true;
  }
  if (framed) {
    // A drawn shadow or scroll bar may stand behind the frame.
    for (let at = cells.length - 1; at >= 0; at--) {
      const cell = cells[at] ?? " ";
      if (cell === " ") continue;
      if (!SIDE.test(cell) && !/[░▒▓↑↓▲▼^]/u.test(cell)) break;
      cells[at] = " ";
    }
  }
  let text = cells.join("").trimEnd();
  if (/^\s*\|[^|]*\|$/u.test(text)) {
    text = text.replace("|", " ").replace(/\|$/u, "").trimEnd();
    framed = true;
  }
  return { text, framed };
}
