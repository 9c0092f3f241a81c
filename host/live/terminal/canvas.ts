/**
 * What the programs of a session draw, one after the other, in one terminal: the drawing while there is one, and what is
 * stored of it, with the sizes it had since. Offsets are the terminal's, of the output of all its programs.
 */
import type { Size } from "@flybridge/protocol/terminal.ts";
import type { AgentMark } from "../../core/ports.ts";
import { Drawing, type DrawingEvents } from "./drawing.ts";
import { BLANK, keptFrom, keptJson, type KeptTerminal, screenJson } from "./kept.ts";

/** Ends what the program before left behind: its other screen, its modes and its colours. */
const TIDY =
  "\u001b[?1049l\u001b[!p\u001b[?9l\u001b[?1000l\u001b[?1002l\u001b[?1003l\u001b[?1004l\u001b[?1006l\u001b[?2004l\u001b[?25h";
const AGAIN = "\r\n\u001b[2m── started again ──\u001b[0m\r\n";

export class Canvas implements Disposable {
  readonly #mark: () => AgentMark | undefined;
  readonly #events: DrawingEvents;
  /** Absent while nobody looks at a terminal that has ended: then the store has its screen. */
  #drawing: Drawing | undefined;
  #base = 0;
  /** What is stored of the screen, as JSON, and its offset. */
  #screen = screenJson(BLANK);
  #offset = 0;
  #sizes: (readonly [number, number, number])[] = [];

  /** `mark`: as it is stored. */
  constructor(mark: () => AgentMark | undefined, events: DrawingEvents) {
    this.#mark = mark;
    this.#events = events;
  }

  get drawing(): Drawing | undefined {
    return this.#drawing;
  }

  /** Where the present program's output begins. */
  get base(): number {
    return this.#base;
  }

  /** Up to where it is drawn in what is stored. */
  get offset(): number {
    return this.#offset;
  }

  /** The size that the program was given last, which may not be drawn yet. */
  get size(): Size {
    const [, cols, rows] = this.#sizes.at(-1) ?? [];
    return cols === undefined || rows === undefined ? this.shown().size : { cols, rows };
  }

  /** The drawing, brought back from the store where it was put away. */
  shown(): Drawing {
    return this.#drawing ?? this.restore(this.kept());
  }

  /** What the store has. */
  kept(): KeptTerminal {
    return keptFrom(this.#mark() ?? { launch: 0, offset: 0, acted: 0, memory: "null" });
  }

  restore(kept: KeptTerminal): Drawing {
    this.#drawing?.[Symbol.dispose]();
    const drawing = new Drawing(kept.drawn, this.#events);
    this.#drawing = drawing;
    this.#base = kept.base;
    this.#screen = screenJson(kept.drawn);
    this.#offset = kept.drawn.offset;
    this.#sizes = [...kept.sizes];
    drawing.resizeAt(kept.sizes);
    return drawing;
  }

  /** What comes now is a program's output from its beginning; `again`: another was there before. */
  begin(again: boolean): void {
    const drawing = this.shown();
    if (again) beginAgain(drawing);
    this.#base = drawing.end;
    // Its queries and signals are counted from the beginning.
    this.#keep(drawing, { answers: 0, signals: 0 });
    drawing.countAfresh();
  }

  resize(size: Size): void {
    const drawing = this.shown();
    drawing.resize(size);
    this.#sizes.push([drawing.end, size.cols, size.rows]);
  }

  /** What is stored from now on is the screen as it is. Costs milliseconds; nothing when nothing was drawn since. */
  keep(): void {
    if (this.#drawing) this.#keep(this.#drawing);
  }

  /** As it is stored, with what the agent remembers and how many signals it was told of. */
  stored(agent: unknown, heard: number): string {
    return keptJson({ agent, heard, base: this.#base, sizes: this.#sizes }, this.#screen);
  }

  /** Nobody looks at what has ended: the store has it. */
  putAway(): void {
    this.#drawing?.[Symbol.dispose]();
    this.#drawing = undefined;
    this.#screen = "null";
  }

  [Symbol.dispose](): void {
    this.#drawing?.[Symbol.dispose]();
  }

  #keep(drawing: Drawing, counts?: { readonly answers: number; readonly signals: number }): void {
    const drawn = drawing.snapshot();
    this.#screen = screenJson({ ...drawn, ...counts });
    this.#offset = drawn.offset;
    this.#sizes = [];
  }
}

/** Below what there is. */
function beginAgain(drawing: Drawing): void {
  drawing.push(Buffer.from(TIDY));
  drawing.drawAll();
  const rows = drawing.text().trimEnd().split("\n").length;
  drawing.push(Buffer.from(`\u001b[${rows};1H${AGAIN}`));
}
