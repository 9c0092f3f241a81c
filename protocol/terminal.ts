/**
 * A terminal as it travels: its size, and the frames that draw it. Frames go from host to device on the terminal
 * stream, each a message of its own, not JSON:
 *
 *     u8 kind | 16 bytes, the session's id | what the kind has; integers are big-endian
 *     1 snapshot   u48 offset | u16 cols | u16 rows | UTF-8: clear, then write this to a terminal of that size
 *     2 output     u48 offset | bytes of the program, from that offset on
 *     3 size       u16 cols | u16 rows | u8 whose: 0 nobody's, 1 this device's, 2 another's
 *     4 ended      the program is gone; the screen stays
 *
 * Offsets count the bytes the program wrote. `output` begins where the frame before ended; who was too slow gets a
 * snapshot instead of what it missed. Only the host answers a terminal's queries: a device never does.
 */
import * as v from "valibot";
import type { SessionId } from "./ids.ts";
import { Size, Whose } from "./size.ts";

export { Size, Whose };

export type Frame =
  | { readonly kind: "snapshot"; readonly offset: number; readonly size: Size; readonly bytes: Uint8Array }
  | { readonly kind: "output"; readonly offset: number; readonly bytes: Uint8Array }
  | { readonly kind: "size"; readonly size: Size; readonly whose: Whose }
  | { readonly kind: "ended" };

const KINDS = { snapshot: 1, output: 2, size: 3, ended: 4 } as const;
const WHOSE = ["nobody", "this", "other"] as const satisfies readonly Whose[];
const HEAD_BYTES = 17;
const OFFSET_BYTES = 6;

/** The bytes are copied once, into the message. */
export function encodeFrame(session: SessionId, frame: Frame): Uint8Array {
  const body = frame.kind === "snapshot" || frame.kind === "output" ? frame.bytes : NONE;
  const fixed = { snapshot: OFFSET_BYTES + 4, output: OFFSET_BYTES, size: 5, ended: 0 }[frame.kind];
  const bytes = new Uint8Array(HEAD_BYTES + fixed + body.length);
  const view = new DataView(bytes.buffer);
  bytes[0] = KINDS[frame.kind];
  const hex = session.replaceAll("-", "");
  for (let at = 0; at < 16; at++) bytes[1 + at] = Number.parseInt(hex.slice(2 * at, 2 * at + 2), 16);
  if (frame.kind === "snapshot" || frame.kind === "output") {
    view.setUint16(HEAD_BYTES, Math.floor(frame.offset / 2 ** 32));
    view.setUint32(HEAD_BYTES + 2, frame.offset % 2 ** 32);
  }
  if (frame.kind === "snapshot") putSize(view, HEAD_BYTES + OFFSET_BYTES, frame.size);
  if (frame.kind === "size") {
    putSize(view, HEAD_BYTES, frame.size);
    bytes[HEAD_BYTES + 4] = WHOSE.indexOf(frame.whose);
  }
  bytes.set(body, HEAD_BYTES + fixed);
  return bytes;
}

/** Undefined for a kind that only a newer host knows; throws RangeError for what is cut short or out of range. */
export function decodeFrame(bytes: Uint8Array): { readonly session: SessionId; readonly frame: Frame | undefined } {
  if (bytes.length < HEAD_BYTES) throw new RangeError("a frame without a head");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const hex = Array.from(bytes.subarray(1, HEAD_BYTES), (byte) => byte.toString(16).padStart(2, "0")).join("");
  const session = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/u, "$1-$2-$3-$4-$5") as SessionId;
  switch (bytes[0]) {
    case KINDS.snapshot:
      return {
        session,
        frame: {
          kind: "snapshot",
          offset: offsetAt(view),
          size: sizeAt(view, HEAD_BYTES + OFFSET_BYTES),
          bytes: bytes.subarray(HEAD_BYTES + OFFSET_BYTES + 4),
        },
      };
    case KINDS.output:
      return {
        session,
        frame: { kind: "output", offset: offsetAt(view), bytes: bytes.subarray(HEAD_BYTES + OFFSET_BYTES) },
      };
    case KINDS.size: {
      const whose = WHOSE[view.getUint8(HEAD_BYTES + 4)];
      if (whose === undefined) throw new RangeError("a size of nobody that is known");
      return { session, frame: { kind: "size", size: sizeAt(view, HEAD_BYTES), whose } };
    }
    case KINDS.ended:
      return { session, frame: { kind: "ended" } };
    default:
      return { session, frame: undefined };
  }
}

const NONE = new Uint8Array(0);

function putSize(view: DataView, at: number, { cols, rows }: Size): void {
  view.setUint16(at, cols);
  view.setUint16(at + 2, rows);
}

function sizeAt(view: DataView, at: number): Size {
  const size: Size = { cols: view.getUint16(at), rows: view.getUint16(at + 2) };
  if (v.is(Size, size)) return size;
  throw new RangeError("a terminal of a size that none has");
}

function offsetAt(view: DataView): number {
  return view.getUint16(HEAD_BYTES) * 2 ** 32 + view.getUint32(HEAD_BYTES + 2);
}
