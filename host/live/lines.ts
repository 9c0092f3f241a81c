/** Cuts a child's numbered output into lines, and knows where each ends, so that hearing can go on from there. */

/** A longer line is not an agent's message; it is skipped, and its length told. */
export const MAX_LINE_BYTES = 32 * 1024 * 1024;

const NEWLINE = 0x0a;
const decoder = new TextDecoder();

export interface Line {
  readonly start: number;
  /** The offset right after the newline: hearing goes on here. */
  readonly end: number;
  /** Undefined when it was longer than MAX_LINE_BYTES. */
  readonly text: string | undefined;
}

export class Lines {
  /** Where the next byte is expected. */
  #next: number;
  #start: number;
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  #skipping = false;

  constructor(offset: number) {
    this.#next = offset;
    this.#start = offset;
  }

  /** The offset of the next byte it has not seen. */
  get next(): number {
    return this.#next;
  }

  /** Takes bytes from `offset` on; what it has seen already is passed over. Throws RangeError on a gap. */
  *push(offset: number, bytes: Uint8Array): Generator<Line, void> {
    if (offset > this.#next) throw new RangeError(`output of ${offset} cannot follow ${this.#next}`);
    let rest = bytes.subarray(Math.min(this.#next - offset, bytes.byteLength));
    while (rest.byteLength > 0) {
      const at = rest.indexOf(NEWLINE);
      const part = at < 0 ? rest : rest.subarray(0, at);
      this.#hold(part);
      this.#next += part.byteLength;
      if (at < 0) return;
      rest = rest.subarray(at + 1);
      this.#next += 1;
      yield this.#cut();
    }
  }

  /** What came after the last newline, as a line, when nothing more will come. */
  rest(): Line | undefined {
    return this.#start === this.#next ? undefined : this.#cut();
  }

  #hold(part: Uint8Array): void {
    if (this.#skipping || part.byteLength === 0) return;
    this.#heldBytes += part.byteLength;
    // A copy: the chunk belongs to the socket, and a line may stay here for long.
    if (this.#heldBytes <= MAX_LINE_BYTES) this.#held.push(part.slice());
    else {
      this.#held = [];
      this.#skipping = true;
    }
  }

  #cut(): Line {
    const line = { start: this.#start, end: this.#next, text: this.#skipping ? undefined : joined(this.#held) };
    this.#start = this.#next;
    this.#held = [];
    this.#heldBytes = 0;
    this.#skipping = false;
    return line;
  }
}

function joined(parts: readonly Uint8Array[]): string {
  const [first] = parts;
  if (first === undefined) return "";
  return decoder.decode(parts.length === 1 ? first : Buffer.concat(parts));
}
