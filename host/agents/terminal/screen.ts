/** What a terminal shows, as plain cells: the one thing the reader of asks may look at. */

export interface Span {
  readonly text: string;
  readonly bold?: true;
  readonly dim?: true;
  readonly inverse?: true;
  readonly underline?: true;
  /** Palette 0 to 255, or 0x1000000 | rgb. Absent: the default. */
  readonly fg?: number;
  readonly bg?: number;
}

export interface Line {
  /** Right-trimmed. */
  readonly text: string;
  readonly spans: readonly Span[];
  /** Continues the line above. */
  readonly wrapped: boolean;
}

export interface Screen {
  readonly cols: number;
  readonly rows: number;
  /** Exactly `rows` of them. */
  readonly lines: readonly Line[];
  readonly cursor: { readonly row: number; readonly col: number; readonly visible: boolean };
  readonly alternate: boolean;
  /** Sanitized. */
  readonly title: string;
}

/** Columns of a screen that is known only by its text, unless a line is longer. */
const USUAL_COLS = 80;
const TAB_COLS = 8;

/** A screen of which only the text is known: no attributes, and the cursor after the last text. */
export function screenOfText(text: string): Screen {
  const lines = text
    .replace(/\r\n?/gu, "\n")
    .split("\n")
    .map((line) => untabbed(line).trimEnd());
  let last = lines.length - 1;
  while (last > 0 && lines[last] === "") last -= 1;
  const end = lines[last] ?? "";
  return {
    cols: lines.reduce((most, line) => Math.max(most, line.length), USUAL_COLS),
    rows: lines.length,
    lines: lines.map((line) => ({ text: line, spans: line === "" ? [] : [{ text: line }], wrapped: false })),
    cursor: { row: last, col: end === "" ? 0 : end.length + 1, visible: true },
    alternate: false,
    title: "",
  };
}

function untabbed(line: string): string {
  if (!line.includes("\t")) return line;
  let out = "";
  for (const part of line.split("\t").entries())
    out += part[0] === 0 ? part[1] : " ".repeat(TAB_COLS - (out.length % TAB_COLS)) + part[1];
  return out;
}
