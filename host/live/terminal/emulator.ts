/**
 * The host's emulator: what the program wrote, as a screen. It alone answers the program's queries. It stands on
 * xterm.js, and is the one file that knows it.
 *
 * Bytes are drawn at once, in the call: xterm's own `write` puts them behind a timer, and then a screen, a size and an
 * offset that belong together could not be had together. What that uses is not public (`Core` below), and neither are
 * some modes a snapshot needs; the version is exact, and `emulator.test.ts` holds it to all of them.
 */
import { createRequire } from "node:module";
import type { Size } from "@flybridge/protocol/terminal.ts";
import type { SerializeAddon } from "@xterm/addon-serialize";
import type { Unicode11Addon } from "@xterm/addon-unicode11";
import type { IBuffer, IBufferCell, IBufferLine, Terminal } from "@xterm/headless";
import type { Signal } from "../../agents/screen-agent.ts";
import type { Screen, Span } from "../../agents/terminal/screen.ts";
import { Sequence } from "./sequence.ts";
import { notificationFrom, STATUS_KNOWN, STATUS_OSC, statusFrom, titleFrom } from "./signals.ts";

/** Lines above the screen that are kept. */
export const SCROLLBACK_LINES = 5_000;
/** Of these, as many as a snapshot draws, unless they come to more than so many bytes. */
const SNAPSHOT_LINES = 1_000;
const SNAPSHOT_BYTES = 80_000;

/**
 * What xterm.js does as often as it is told, up to 2^31 times: seconds of work, or more memory than there is, for ten
 * bytes. Once for each row, column or cell does all of it.
 */
const REPEATING = [
  ["S", "scrollUp", ({ rows }: Size) => rows],
  ["T", "scrollDown", ({ rows }: Size) => rows],
  ["L", "insertLines", ({ rows }: Size) => rows],
  ["M", "deleteLines", ({ rows }: Size) => rows],
  ["I", "cursorForwardTab", ({ cols }: Size) => cols],
  ["Z", "cursorBackwardTab", ({ cols }: Size) => cols],
  ["b", "repeatPrecedingCharacter", ({ cols, rows }: Size) => cols * rows],
] as const;

export interface EmulatorEvents {
  /** For the program's input: it asked for it. */
  answer(text: string): void;
  signal(signal: Signal): void;
}

/** What is drawn when it is written to a terminal of that size, that has just been cleared. */
export interface Snapshot {
  readonly size: Size;
  readonly text: string;
  /** The beginning of a sequence whose end comes with the next output. */
  readonly unfinished: Buffer;
}

export class Emulator implements Disposable {
  readonly #terminal: Terminal;
  readonly #core: Core;
  readonly #serializer: SerializeAddon;
  readonly #sequence = new Sequence();
  #title = "";

  constructor(size: Size, events: EmulatorEvents) {
    const { Terminal: XTerm, SerializeAddon: Serializer, Unicode11Addon: Unicode } = (loaded ??= load());
    const terminal = new XTerm({ ...size, scrollback: SCROLLBACK_LINES, allowProposedApi: true, logLevel: "off" });
    this.#terminal = terminal;
    this.#core = (terminal as unknown as { _core: Core })._core;
    this.#serializer = new Serializer();
    terminal.loadAddon(this.#serializer as never);
    // Widths as programs and devices count them: a picture takes two columns.
    terminal.loadAddon(new Unicode() as never);
    terminal.unicode.activeVersion = "11";
    terminal.onData((text) => events.answer(text));
    terminal.onBell(() => events.signal({ kind: "bell" }));
    terminal.onTitleChange((title) => {
      const signal = titleFrom(title);
      this.#title = signal.kind === "title" ? signal.text : "";
      events.signal(signal);
    });
    terminal.parser.registerOscHandler(STATUS_OSC, (data) => {
      if (data.startsWith("?")) events.answer(STATUS_KNOWN);
      else tell(events, statusFrom(data));
      return true;
    });
    for (const [final, method, mostOf] of REPEATING)
      terminal.parser.registerCsiHandler({ final }, ([count = 1]) => {
        const most = mostOf(terminal);
        if (typeof count !== "number" || count <= most) return false;
        this.#core._inputHandler[method]({ length: 1, params: [most] });
        return true;
      });
    for (const code of [9, 99, 777] as const)
      terminal.parser.registerOscHandler(code, (data) => {
        tell(events, notificationFrom(code, data));
        return true;
      });
  }

  static restored({ size, text, unfinished }: Snapshot, events: EmulatorEvents): Emulator {
    let isRestoring = true;
    const emulator = new Emulator(size, {
      // What was answered and told was answered and told before.
      answer: (answer) => void (isRestoring || events.answer(answer)),
      signal: (signal) => void (isRestoring || events.signal(signal)),
    });
    emulator.write(Buffer.concat([Buffer.from(text), unfinished]));
    isRestoring = false;
    return emulator;
  }

  write(bytes: Buffer): void {
    this.#sequence.push(bytes);
    try {
      this.#core._inputHandler.parse(bytes);
    } catch {
      // What a program writes may draw nonsense; it ends no host. The parser goes on with what comes next.
    }
  }

  resize({ cols, rows }: Size): void {
    this.#terminal.resize(cols, rows);
    this.#cut(cols);
  }

  /**
   * xterm keeps the lines of a program's whole screen as long as they were, and its serializer draws all of it: each
   * would go on in the next row, and push what is below it down.
   */
  #cut(cols: number): void {
    const { alt } = this.#core._bufferService.buffers;
    for (let row = 0; row < alt.lines.length; row++) {
      const line = alt.lines.get(row);
      if (!line || line.length <= cols) continue;
      line.resize(cols, alt.getNullCell());
      // Half a wide letter would be drawn as a whole one.
      if (line.getWidth(cols - 1) === 2) line.replaceCells(cols - 1, cols, alt.getNullCell());
    }
  }

  get size(): Size {
    return { cols: this.#terminal.cols, rows: this.#terminal.rows };
  }

  /** A paste is to be put in brackets. */
  get takesBrackets(): boolean {
    return this.#terminal.modes.bracketedPasteMode;
  }

  /**
   * Whether plain text (printable ASCII, tabs, line ends) of more lines than are kept leaves nothing of what was there
   * before: the whole screen scrolls, and no sequence is open.
   */
  get scrollsWhole(): boolean {
    const { scrollTop, scrollBottom } = this.#core._bufferService.buffer;
    return scrollTop === 0 && scrollBottom === this.#terminal.rows - 1 && this.#sequence.unfinished.length === 0;
  }

  /** Good until the next write. */
  screen(): Screen {
    const buffer = this.#terminal.buffer.active;
    const { cols, rows } = this.size;
    return {
      cols,
      rows,
      lines: Array.from({ length: rows }, (_, row) => new DrawnLine(buffer, row)),
      cursor: {
        row: buffer.cursorY,
        col: Math.min(buffer.cursorX, cols - 1),
        visible: !this.#core.coreService.isCursorHidden,
      },
      alternate: buffer.type === "alternate",
      title: this.#title,
    };
  }

  /** The screen as text: for telling whether it changed. */
  text(): string {
    const buffer = this.#terminal.buffer.active;
    let text = "";
    for (let row = 0; row < this.#terminal.rows; row++)
      text += `${buffer.getLine(buffer.baseY + row)?.translateToString(true) ?? ""}\n`;
    return text;
  }

  snapshot(): Snapshot {
    let lines = SNAPSHOT_LINES;
    let text = this.#drawn(lines);
    for (let bytes = Buffer.byteLength(text); bytes > SNAPSHOT_BYTES && lines > 0; bytes = Buffer.byteLength(text)) {
      lines = Math.floor((lines * SNAPSHOT_BYTES * 0.9) / bytes);
      text = this.#drawn(lines);
    }
    return { size: this.size, text, unfinished: this.#sequence.unfinished };
  }

  /** Lines of scrollback before line `before`, as plain text; the first line's number counts from the oldest kept. */
  page(before: number | undefined, limit: number): { first: number; lines: string[] } {
    const buffer = this.#terminal.buffer.normal;
    const end = Math.min(before ?? buffer.baseY, buffer.baseY);
    const first = Math.max(0, end - limit);
    const lines: string[] = [];
    for (let at = first; at < end; at++) lines.push(buffer.getLine(at)?.translateToString(true) ?? "");
    return { first, lines };
  }

  [Symbol.dispose](): void {
    this.#terminal.dispose();
  }

  #drawn(lines: number): string {
    const drawn = this.#serializer.serialize({ scrollback: lines, excludeModes: true });
    // The addon goes on to the other screen in the colours the cursor has, and takes them for the plain ones.
    return drawn.replace("\u001b[?1049h", "\u001b[0m\u001b[?1049h") + this.#modes();
  }

  /** What changes how later output is drawn or what keys are sent, apart from what is drawn. */
  #modes(): string {
    const { modes, rows, buffer } = this.#terminal;
    const { coreService, coreMouseService, _charsetService: charsets } = this.#core;
    const { scrollTop, scrollBottom } = this.#core._bufferService.buffer;
    const { cursorStyle, cursorBlink } = coreService.decPrivateModes;
    let set = "";
    if (scrollTop !== 0 || scrollBottom !== rows - 1 || modes.originMode) {
      // Both put the cursor home.
      const { cursorX, cursorY } = buffer.active;
      const row = modes.originMode ? cursorY - scrollTop : cursorY;
      set += `\u001b[${scrollTop + 1};${scrollBottom + 1}r${modes.originMode ? "\u001b[?6h" : ""}`;
      set += `\u001b[${row + 1};${Math.min(cursorX, this.#terminal.cols - 1) + 1}H`;
    }
    if (modes.applicationCursorKeysMode) set += "\u001b[?1h";
    if (modes.applicationKeypadMode) set += "\u001b=";
    if (modes.bracketedPasteMode) set += "\u001b[?2004h";
    if (modes.insertMode) set += "\u001b[4h";
    if (modes.reverseWraparoundMode) set += "\u001b[?45h";
    if (modes.sendFocusMode) set += "\u001b[?1004h";
    if (!modes.wraparoundMode) set += "\u001b[?7l";
    set += { none: "", x10: "\u001b[?9h", vt200: "\u001b[?1000h", drag: "\u001b[?1002h", any: "\u001b[?1003h" }[
      modes.mouseTrackingMode
    ];
    if (coreMouseService.activeEncoding === "SGR") set += "\u001b[?1006h";
    if (coreMouseService.activeEncoding === "SGR_PIXELS") set += "\u001b[?1016h";
    if (cursorStyle !== undefined) {
      const shape = { block: 1, underline: 3, bar: 5 }[cursorStyle];
      set += `\u001b[${cursorBlink === false ? shape + 1 : shape} q`;
    }
    if (charsets.charset !== undefined) set += charsets.glevel === 0 ? "\u001b(0" : "\u001b)0\u000e";
    if (coreService.isCursorHidden) set += "\u001b[?25l";
    return set;
  }
}

/** Its spans are made when they are looked at: most lines are judged by their text. */
class DrawnLine {
  readonly text: string;
  readonly wrapped: boolean;
  readonly #line: IBufferLine | undefined;
  readonly #cell: IBufferCell;

  constructor(buffer: IBuffer, row: number) {
    this.#line = buffer.getLine(buffer.baseY + row);
    this.#cell = buffer.getNullCell();
    this.text = this.#line?.translateToString(true) ?? "";
    this.wrapped = this.#line?.isWrapped ?? false;
  }

  get spans(): readonly Span[] {
    const spans: { text: string; look: Look; key: string }[] = [];
    let chars = 0;
    for (let col = 0; col < (this.#line?.length ?? 0) && chars < this.text.length; col++) {
      const cell = this.#line?.getCell(col, this.#cell);
      if (!cell || cell.getWidth() === 0) continue;
      const text = cell.getChars() || " ";
      chars += text.length;
      const look = lookOf(cell);
      const key = JSON.stringify(look);
      const last = spans.at(-1);
      if (last?.key === key) last.text += text;
      else spans.push({ text, look, key });
    }
    return spans.map(({ text, look }) => ({ text, ...look }));
  }
}

type Look = Omit<Span, "text">;

function lookOf(cell: IBufferCell): Look {
  return {
    ...(cell.isBold() ? { bold: true as const } : {}),
    ...(cell.isDim() ? { dim: true as const } : {}),
    ...(cell.isInverse() ? { inverse: true as const } : {}),
    ...(cell.isUnderline() ? { underline: true as const } : {}),
    ...(cell.isFgDefault() ? {} : { fg: cell.getFgColor() + (cell.isFgRGB() ? RGB : 0) }),
    ...(cell.isBgDefault() ? {} : { bg: cell.getBgColor() + (cell.isBgRGB() ? RGB : 0) }),
  };
}

const RGB = 0x1000000;

function tell(events: EmulatorEvents, signal: Signal | undefined): void {
  if (signal) events.signal(signal);
}

/** What is used of xterm.js 6.0.0 that it does not promise. */
interface Core {
  readonly _inputHandler: { parse(bytes: Uint8Array): unknown } & Record<
    (typeof REPEATING)[number][1],
    (params: { readonly length: number; readonly params: readonly number[] }) => boolean
  >;
  readonly _bufferService: {
    readonly buffer: { readonly scrollTop: number; readonly scrollBottom: number };
    readonly buffers: { readonly alt: CoreBuffer };
  };
  readonly _charsetService: { readonly glevel: number; readonly charset: unknown };
  readonly coreMouseService: { readonly activeEncoding: string };
  readonly coreService: {
    readonly isCursorHidden: boolean;
    readonly decPrivateModes: { readonly cursorStyle?: "block" | "underline" | "bar"; readonly cursorBlink?: boolean };
  };
}

interface CoreBuffer {
  readonly lines: { readonly length: number; get(row: number): CoreLine | undefined };
  getNullCell(): unknown;
}

interface CoreLine {
  readonly length: number;
  getWidth(column: number): number;
  resize(cols: number, fill: unknown): void;
  replaceCells(start: number, end: number, fill: unknown): void;
}

let loaded: ReturnType<typeof load> | undefined;

/** When the first terminal is drawn, so that a host without terminals does not pay for it. */
function load() {
  const require = createRequire(import.meta.url);
  return {
    ...(require("@xterm/headless") as { readonly Terminal: typeof Terminal }),
    ...(require("@xterm/addon-serialize") as { readonly SerializeAddon: typeof SerializeAddon }),
    ...(require("@xterm/addon-unicode11") as { readonly Unicode11Addon: typeof Unicode11Addon }),
  };
}
