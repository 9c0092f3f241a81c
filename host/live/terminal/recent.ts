/** The newest output of a terminal, by offset: for devices that missed little, and for one that is a moment behind. */

/** More than the keeper sends ahead, so that whoever holds the program back finds all that came meanwhile. */
export const RECENT_BYTES = 256 * 1024;

export class Recent {
  /** Used as a ring: byte n lies at n modulo its length. */
  #ring: Buffer | undefined;
  #start: number;
  #end: number;

  constructor(offset: number) {
    this.#start = offset;
    this.#end = offset;
  }

  /** The oldest offset that is still there. */
  get start(): number {
    return this.#start;
  }

  get end(): number {
    return this.#end;
  }

  push(bytes: Uint8Array): void {
    const ring = (this.#ring ??= Buffer.allocUnsafeSlow(RECENT_BYTES));
    this.#end += bytes.length;
    this.#start = Math.max(this.#start, this.#end - RECENT_BYTES);
    const kept = bytes.subarray(Math.max(0, bytes.length - RECENT_BYTES));
    const at = (this.#end - kept.length) % RECENT_BYTES;
    const first = kept.subarray(0, RECENT_BYTES - at);
    ring.set(first, at);
    ring.set(kept.subarray(first.length), 0);
  }

  /** Some of the bytes from `offset` on, `most` at most; none at the end. Good until the next push. */
  read(offset: number, most: number): Buffer {
    if (offset < this.#start || offset > this.#end) throw new RangeError("output that is no longer kept");
    const at = offset % RECENT_BYTES;
    const length = Math.min(this.#end - offset, RECENT_BYTES - at, most);
    return this.#ring?.subarray(at, at + length) ?? Buffer.alloc(0);
  }
}
