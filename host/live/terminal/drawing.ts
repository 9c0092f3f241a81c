/**
 * The output of a terminal as it comes in, and the screen it draws. Devices are given the bytes first and the screen is
 * drawn beside: at once where there is little, and of a flood of plain text only what will be left of it.
 */
import type { Size } from "@flybridge/protocol/terminal.ts";
import type { Signal } from "../../agents/screen-agent.ts";
import type { Screen } from "../../agents/terminal/screen.ts";
import { Emulator, SCROLLBACK_LINES, type Snapshot } from "./emulator.ts";
import { Recent } from "./recent.ts";

/**
 * Output that may wait to be drawn; at that bound the program waits. It is as much as was lately drawn in so long a time:
 * plain text goes fast, and there are sequences that take ten thousand times as long.
 */
const MAX_UNDRAWN_BYTES = 1024 * 1024;
const LEAST_UNDRAWN_BYTES = 16 * 1024;
const UNDRAWN_MS = 40;
/** Above this it is a flood: then drawing waits a little, because of much plain text at once little is drawn. */
const FLOOD_BYTES = 32 * 1024;
const FLOOD_WAIT_MS = 40;
/** Drawing stops after so long to let others work, and looks at the time after so many bytes. */
const SLICE_MS = 8;
const PIECE_BYTES = 2 * 1024;

export interface DrawingEvents {
  /** The program asked, and this is the answer; they are numbered from 1. */
  answer(number: number, text: string): void;
  /** Numbered likewise. */
  signal(number: number, signal: Signal): void;
  /** More is drawn. */
  drew(): void;
}

/** Where a drawing stands: what is drawn up to `offset`, and how much was answered and told until then. */
export interface Drawn {
  readonly offset: number;
  readonly snapshot: Snapshot;
  readonly answers: number;
  readonly signals: number;
}

export class Drawing implements Disposable {
  readonly recent: Recent;
  readonly #emulator: Emulator;
  readonly #events: DrawingEvents;
  #drawn: number;
  #answers: number;
  #signals: number;
  #undrawn: Buffer[] = [];
  #timer: NodeJS.Timeout | undefined;
  #immediate: NodeJS.Immediate | undefined;
  #newest: Drawn | undefined;
  /** Bytes drawn, or found to be for nothing, in a millisecond. */
  #pace = MAX_UNDRAWN_BYTES / UNDRAWN_MS;
  #resizes: (readonly [offset: number, cols: number, rows: number])[] = [];

  constructor(from: Drawn, events: DrawingEvents) {
    this.recent = new Recent(from.offset);
    this.#events = events;
    this.#drawn = from.offset;
    this.#answers = from.answers;
    this.#signals = from.signals;
    this.#emulator = Emulator.restored(from.snapshot, {
      answer: (text) => events.answer(++this.#answers, text),
      signal: (signal) => events.signal(++this.#signals, signal),
    });
  }

  /** The offset after the newest byte that came. */
  get end(): number {
    return this.recent.end;
  }

  /** The offset up to which it is drawn. */
  get drawn(): number {
    return this.#drawn;
  }

  /** The offset up to which the program may write before more is drawn. */
  get limit(): number {
    const ahead = this.#pace * UNDRAWN_MS;
    return this.#drawn + Math.min(MAX_UNDRAWN_BYTES, Math.max(LEAST_UNDRAWN_BYTES, Math.floor(ahead)));
  }

  get size(): Size {
    return this.#emulator.size;
  }

  get takesBrackets(): boolean {
    return this.#emulator.takesBrackets;
  }

  push(bytes: Buffer): void {
    this.recent.push(bytes);
    this.#undrawn.push(bytes);
    if (this.#timer && this.end > (this.#drawn + this.limit) / 2) {
      // The program is not to wait for a timer.
      clearTimeout(this.#timer);
      this.#timer = undefined;
      this.#immediate = setImmediate(this.#work);
    }
    if (this.#immediate || this.#timer) return;
    // Not in this call: what devices were given goes on its way first.
    this.#immediate = setImmediate(this.#draw);
  }

  /** What waits is drawn now. */
  drawAll(): void {
    this.#skip();
    while (this.#undrawn.length > 0) this.#drawPiece();
  }

  /** What came before it is drawn in the old size. */
  resize(size: Size): void {
    this.drawAll();
    this.#newest = undefined;
    this.#resizes = [];
    this.#emulator.resize(size);
  }

  /** Of output that comes again: the sizes there were, each from an offset on. */
  resizeAt(sizes: readonly (readonly [offset: number, cols: number, rows: number])[]): void {
    this.#resizes = [...sizes];
    this.#resizeDue();
  }

  /** What is answered and told from here on is of another program: it is numbered from 1. */
  countAfresh(): void {
    this.drawAll();
    this.#answers = 0;
    this.#signals = 0;
    this.#newest = undefined;
  }

  /** Good until more is drawn. */
  screen(): Screen {
    return this.#emulator.screen();
  }

  text(): string {
    return this.#emulator.text();
  }

  page(before: number | undefined, limit: number): { first: number; lines: string[] } {
    this.drawAll();
    return this.#emulator.page(before, limit);
  }

  /** All that came. Costs milliseconds when it is new. */
  snapshot(): Drawn {
    this.drawAll();
    if (this.#newest?.offset !== this.#drawn)
      this.#newest = {
        offset: this.#drawn,
        snapshot: this.#emulator.snapshot(),
        answers: this.#answers,
        signals: this.#signals,
      };
    return this.#newest;
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    clearImmediate(this.#immediate);
    this.#undrawn = [];
    this.#emulator[Symbol.dispose]();
  }

  readonly #draw = (): void => {
    this.#immediate = undefined;
    const waiting = this.end - this.#drawn;
    if (waiting > FLOOD_BYTES && waiting < MAX_UNDRAWN_BYTES) this.#timer = setTimeout(this.#work, FLOOD_WAIT_MS);
    else this.#work();
  };

  readonly #work = (): void => {
    this.#timer = undefined;
    this.#immediate = undefined;
    const began = performance.now();
    const from = this.#drawn;
    this.#skip();
    while (this.#undrawn.length > 0 && performance.now() - began < SLICE_MS) this.#drawPiece();
    const took = performance.now() - began;
    // Of little it cannot be told.
    if (took > 1) this.#pace = (this.#pace + (this.#drawn - from) / took) / 2;
    if (this.#undrawn.length > 0) this.#immediate = setImmediate(this.#work);
    this.#events.drew();
  };

  #drawPiece(): void {
    const [first] = this.#undrawn;
    if (!first) return;
    const next = this.#resizes[0]?.[0] ?? Number.POSITIVE_INFINITY;
    const piece = first.subarray(0, Math.min(PIECE_BYTES, next - this.#drawn));
    if (piece.length === first.length) this.#undrawn.shift();
    else this.#undrawn[0] = first.subarray(piece.length);
    this.#emulator.write(piece);
    this.#drawn += piece.length;
    this.#resizeDue();
  }

  #resizeDue(): void {
    for (let [next] = this.#resizes; next && next[0] <= this.#drawn; [next] = this.#resizes) {
      this.#emulator.resize({ cols: next[1], rows: next[2] });
      this.#resizes.shift();
    }
  }

  /** Leaves out what plain text will have scrolled away for good. */
  #skip(): void {
    if (this.end - this.#drawn <= FLOOD_BYTES || this.#resizes.length > 0 || !this.#emulator.scrollsWhole) return;
    const cut = cutOf(this.#undrawn, SCROLLBACK_LINES + this.size.rows + 1);
    if (cut === undefined) return;
    const gone = this.#undrawn.slice(0, cut.chunk).reduce((sum, { length }) => sum + length, cut.at);
    this.#undrawn = [
      this.#undrawn[cut.chunk]?.subarray(cut.at) ?? Buffer.alloc(0),
      ...this.#undrawn.slice(cut.chunk + 1),
    ];
    this.#drawn += gone;
  }
}

/** Where the last so many lines begin, if all is plain text; undefined where it is not, or has fewer. */
function cutOf(chunks: readonly Buffer[], lines: number): { chunk: number; at: number } | undefined {
  if (!chunks.every(isPlain)) return undefined;
  let ends = 0;
  for (let chunk = chunks.length - 1; chunk >= 0; chunk--) {
    const bytes = chunks[chunk] ?? Buffer.alloc(0);
    for (let at = bytes.lastIndexOf(LF); at >= 0; at = at === 0 ? -1 : bytes.lastIndexOf(LF, at - 1)) {
      ends += 1;
      // After both, the cursor is at the left whatever came before.
      if (ends > lines && bytes[at - 1] === CR) return { chunk, at: at + 1 };
    }
  }
  return undefined;
}

const TAB = 9;
const LF = 10;
const CR = 13;

function isPlain(bytes: Buffer): boolean {
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0;
    if ((byte < 0x20 && byte !== LF && byte !== CR && byte !== TAB) || byte > 0x7e) return false;
  }
  return true;
}
