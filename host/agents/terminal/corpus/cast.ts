/** The screen at the end of a recording (asciicast v2), through the emulator that the host uses. */
import headless from "@xterm/headless";
import type { Line, Screen, Span } from "../screen.ts";

const MAX_SIDE = 1_000;
const PALETTE = 0x1000000;

/** Throws, saying which line, when it is no recording. */
export async function screenOfCast(text: string): Promise<Screen> {
  const [head, ...events] = text.split("\n").filter((line) => line.trim() !== "");
  const { width, height } = headOf(head ?? "");
  const terminal = new headless.Terminal({ cols: width, rows: height, allowProposedApi: true, scrollback: 0 });
  try {
    let title = "";
    terminal.onTitleChange((words) => (title = words));
    for (const [place, line] of events.entries()) {
      const event: unknown = parsed(line, place + 2);
      if (!Array.isArray(event)) throw new Error(`Line ${place + 2} is no event.`);
      const [, kind, data] = event as unknown[];
      if (kind === "o" && typeof data === "string") await new Promise<void>((done) => terminal.write(data, done));
      if (kind === "r" && typeof data === "string") {
        const [cols = width, rows = height] = data.split("x").map(Number);
        terminal.resize(side(cols), side(rows));
      }
    }
    const buffer = terminal.buffer.active;
    const lines: Line[] = [];
    for (let row = 0; row < terminal.rows; row++) lines.push(lineOf(buffer.getLine(buffer.baseY + row), terminal.cols));
    // Whether the cursor is shown is no part of the emulator's interface; the last switch in the recording says it.
    const visible = !/\u001b\[\?25l(?![^]*\u001b\[\?25h)/u.test(
      events.slice(-400).join("").replaceAll("\\u001b", "\u001b"),
    );
    return {
      cols: terminal.cols,
      rows: terminal.rows,
      lines,
      cursor: { row: buffer.cursorY, col: buffer.cursorX, visible },
      alternate: buffer.type === "alternate",
      title: title.replace(/\p{Cc}/gu, ""),
    };
  } finally {
    terminal.dispose();
  }
}

type BufferLine = ReturnType<InstanceType<typeof headless.Terminal>["buffer"]["active"]["getLine"]>;
type Style = { -readonly [name in Exclude<keyof Span, "text">]?: Span[name] };

function lineOf(line: BufferLine, cols: number): Line {
  if (!line) return { text: "", spans: [], wrapped: false };
  const spans: Span[] = [];
  let style: Style = {};
  let run = "";
  const close = (): void => {
    if (run !== "") spans.push({ text: run, ...style });
    run = "";
  };
  for (let col = 0; col < cols; col++) {
    const cell = line.getCell(col);
    if (!cell || cell.getWidth() === 0) continue;
    const now: Style = {
      ...(cell.isBold() ? { bold: true as const } : {}),
      ...(cell.isDim() ? { dim: true as const } : {}),
      ...(cell.isInverse() ? { inverse: true as const } : {}),
      ...(cell.isUnderline() ? { underline: true as const } : {}),
      ...(cell.isFgDefault() ? {} : { fg: cell.isFgRGB() ? PALETTE | cell.getFgColor() : cell.getFgColor() }),
      ...(cell.isBgDefault() ? {} : { bg: cell.isBgRGB() ? PALETTE | cell.getBgColor() : cell.getBgColor() }),
    };
    if (JSON.stringify(now) !== JSON.stringify(style)) {
      close();
      style = now;
    }
    run += cell.getChars() === "" ? " " : cell.getChars();
  }
  close();
  return { text: line.translateToString(true).trimEnd(), spans, wrapped: line.isWrapped };
}

function headOf(line: string): { readonly width: number; readonly height: number } {
  const head = parsed(line, 1);
  const { version, width, height } = (typeof head === "object" && head !== null ? head : {}) as Record<string, unknown>;
  if (version !== 2 || typeof width !== "number" || typeof height !== "number")
    throw new Error("Line 1 is no head of an asciicast v2.");
  return { width: side(width), height: side(height) };
}

function side(cells: number): number {
  return Math.min(MAX_SIDE, Math.max(1, Math.floor(cells) || 1));
}

function parsed(line: string, place: number): unknown {
  try {
    return JSON.parse(line);
  } catch {
    throw new Error(`Line ${place} is no JSON.`);
  }
}
