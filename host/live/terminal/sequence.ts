/**
 * Where a stream of terminal output can be cut: whether it ends inside an escape sequence or a character, and which
 * bytes of that are there. A screen drawn up to such a place and these bytes together are the terminal's whole state.
 *
 * The states are those of xterm.js, which follows Paul Williams' parser of DEC's (vt100.net/emu/dec_ansi_parser).
 */

/** Bytes kept of an unfinished sequence. Of a longer one (an image) what it carries matters to no screen. */
const MAX_UNFINISHED_BYTES = 4 * 1024;

const BEL = 0x07;
const CAN = 0x18;
const SUB = 0x1a;
const ESC = 0x1b;
/** The first byte of U+0080 to U+00BF in UTF-8: the 8-bit controls are among them. */
const C1 = 0xc2;
const C1_ST = 0x9c;
/** DCS, SOS, CSI, OSC, PM and APC as 8-bit controls, and what follows ESC for the same. */
const C1_OPENERS = [0x90, 0x98, 0x9b, 0x9d, 0x9e, 0x9f];
const OPENER_OF_C1 = 0x40;

const NONE = Buffer.alloc(0);

export class Sequence {
  #unfinished: Buffer = NONE;

  /** The bytes of what the stream is in the middle of; none where it can be cut. */
  get unfinished(): Buffer {
    return this.#unfinished;
  }

  push(bytes: Buffer): void {
    // Whatever state it is in, ESC begins anew.
    const last = bytes.lastIndexOf(ESC);
    if (last >= 0) this.#unfinished = bounded(unfinishedFrom(bytes.subarray(last)));
    else if (this.#unfinished.length > 0)
      this.#unfinished = bounded(unfinishedFrom(Buffer.concat([this.#unfinished, bytes])));
    else this.#unfinished = bounded(unfinishedIn(bytes));
  }
}

/** Of bytes that begin outside of any sequence and hold no ESC: the rest that is unfinished, copied. */
function unfinishedIn(bytes: Buffer): Buffer {
  for (let at = bytes.lastIndexOf(C1); at >= 0; at = at === 0 ? -1 : bytes.lastIndexOf(C1, at - 1))
    if (C1_OPENERS.includes(bytes[at + 1] ?? 0)) return unfinishedFrom(bytes.subarray(at));
  return Buffer.from(bytes.subarray(bytes.length - partialCharacter(bytes)));
}

/** Of bytes that begin with a sequence or a part of a character, and hold no later ESC. */
function unfinishedFrom(bytes: Buffer): Buffer {
  const end = sequenceEnd(bytes);
  return end < 0 ? Buffer.from(bytes) : unfinishedIn(bytes.subarray(end));
}

/** Where the sequence that the bytes begin with ends; -1 where it does not. */
function sequenceEnd(bytes: Buffer): number {
  const [first = 0, second] = bytes;
  if (first !== ESC && first !== C1) return partialCharacter(bytes) === bytes.length ? -1 : 1;
  if (second === undefined) return -1;
  const opener = first === C1 ? second - OPENER_OF_C1 : second;
  switch (String.fromCharCode(opener)) {
    case "[":
      return endOf(bytes, (byte) => byte >= 0x40 && byte !== 0x7f);
    case "]":
      return endOf(bytes, (byte) => byte === BEL, true);
    case "P":
    case "X":
    case "^":
    case "_":
      return endOf(bytes, () => false, true);
    default:
      return first === C1 ? 2 : escapeEnd(bytes);
  }
}

function endOf(bytes: Buffer, isLast: (byte: number) => boolean, isString = false): number {
  for (let at = 2; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0;
    if (byte === CAN || byte === SUB || isLast(byte)) return at + 1;
    if (isString && byte === C1 && bytes[at + 1] === C1_ST) return at + 2;
  }
  return -1;
}

/** ESC, intermediates, one final byte; controls in between are obeyed and change nothing. */
function escapeEnd(bytes: Buffer): number {
  for (let at = 1; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0;
    if (byte >= 0x30 || byte === CAN || byte === SUB) return at + 1;
  }
  return -1;
}

/** Bytes at the end that begin a character of which more is to come (RFC 3629 §3). */
function partialCharacter(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte < 0x80) return 0;
    if (byte < 0xc0) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
    return back < length ? back : 0;
  }
  return 0;
}

/** Cut to its beginning, which says what kind it is: a string goes on to its end, whatever it says. */
function bounded(unfinished: Buffer): Buffer {
  return unfinished.length > MAX_UNFINISHED_BYTES ? unfinished.subarray(0, 2) : unfinished;
}
