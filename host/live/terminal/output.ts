/** The output of a program on its way: from the keeper to the devices and the screen, at the pace of whoever takes it. */
import type { Child } from "../child.ts";
import type { Canvas } from "./canvas.ts";
import type { Viewers } from "./viewers.ts";

/** Output taken that the keeper is told of at the latest: a quarter of what it sends ahead. */
const ACK_BYTES = 32 * 1024;

export class Output {
  readonly #canvas: Canvas;
  readonly #viewers: Pick<Viewers, "pump" | "taken">;
  readonly #child: () => Child | undefined;
  /** What the keeper was told is taken, by the terminal's offset. */
  #taken = 0;
  /** Before this offset of the present program's output all is in a screen that is stored. */
  #stored = 0;

  constructor(canvas: Canvas, viewers: Pick<Viewers, "pump" | "taken">, child: () => Child | undefined) {
    this.#canvas = canvas;
    this.#viewers = viewers;
    this.#child = child;
  }

  /** The offset in the present program's output from which on it is to be heard. */
  begin(): number {
    const { offset, base } = this.#canvas;
    this.#taken = offset;
    this.#stored = Math.max(0, offset - base);
    return this.#stored;
  }

  hear(offset: number, bytes: Uint8Array): void {
    const { drawing, base } = this.#canvas;
    if (!drawing) return;
    const known = drawing.end - (base + offset);
    if (known < 0) throw new RangeError(`output from ${offset} on, where ${-known} bytes before it are missing`);
    if (known >= bytes.length) return;
    drawing.push(Buffer.from(bytes.buffer, bytes.byteOffset + known, bytes.length - known));
    this.#viewers.pump();
    this.moved();
  }

  /** All that the program wrote has come. */
  isHeard(end: number): boolean {
    const { drawing, base } = this.#canvas;
    return (drawing?.end ?? 0) >= base + end;
  }

  /** Tells the keeper what is taken: what devices have, and the screen has not too much of before it. */
  moved(): void {
    const { drawing, base } = this.#canvas;
    const child = this.#child();
    if (!child || !drawing) return;
    const taken = Math.min(this.#viewers.taken, drawing.limit);
    if (taken - this.#taken < ACK_BYTES) return;
    this.#taken = taken;
    child.ack(taken - base, this.#stored);
  }

  /** The keeper need not keep what is drawn in a screen that is stored. */
  stored(offset: number): void {
    if (offset <= this.#stored) return;
    this.#stored = offset;
    this.#child()?.ack(Math.max(0, this.#taken - this.#canvas.base), offset);
  }
}
