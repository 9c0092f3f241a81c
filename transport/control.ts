/** The pipe's own words, on stream 0. Kind u8, then as below; numbers big-endian. */
import { FrameError } from "./frames.ts";

/** Bytes of a goodbye's reason. */
const REASON_BYTES = 120;

export type Control =
  /** 1. First from each side, once, alone in its record: the handshake is believed and its results are stored. */
  | { readonly kind: "ready" }
  /** 2, stream u8, bytes u32. So many bytes of that stream were used. */
  | { readonly kind: "credit"; readonly stream: number; readonly bytes: number }
  /** 3, number u32. Are you there? */
  | { readonly kind: "ping"; readonly number: number }
  /** 4, number u32. I am. */
  | { readonly kind: "pong"; readonly number: number }
  /** 5, reason UTF-8. Last. */
  | { readonly kind: "bye"; readonly reason: string };

const READY = 1;
const CREDIT = 2;
const PING = 3;
const PONG = 4;
const BYE = 5;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

export function encodeControl(control: Control): Uint8Array {
  switch (control.kind) {
    case "ready":
      return Uint8Array.of(READY);
    case "credit":
      return Uint8Array.of(CREDIT, control.stream, ...u32(control.bytes));
    case "ping":
      return Uint8Array.of(PING, ...u32(control.number));
    case "pong":
      return Uint8Array.of(PONG, ...u32(control.number));
    case "bye": {
      const bytes = new Uint8Array(1 + REASON_BYTES);
      bytes[0] = BYE;
      // `encodeInto` stops before a character that does not fit, so a cut reason is still UTF-8.
      return bytes.subarray(0, 1 + encoder.encodeInto(control.reason, bytes.subarray(1)).written);
    }
  }
}

export function decodeControl(data: Uint8Array): Control {
  const [kind] = data;
  const lengths: Record<number, number> = { [READY]: 1, [CREDIT]: 6, [PING]: 5, [PONG]: 5 };
  const expected = lengths[kind ?? 0];
  if (expected !== undefined && data.length !== expected)
    throw new FrameError(`control ${kind} of ${data.length} bytes`);
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  switch (kind) {
    case READY:
      return { kind: "ready" };
    case CREDIT:
      return { kind: "credit", stream: view.getUint8(1), bytes: view.getUint32(2) };
    case PING:
      return { kind: "ping", number: view.getUint32(1) };
    case PONG:
      return { kind: "pong", number: view.getUint32(1) };
    case BYE:
      if (data.length > 1 + REASON_BYTES) throw new FrameError("a goodbye over the limit");
      try {
        return { kind: "bye", reason: decoder.decode(data.subarray(1)) };
      } catch {
        throw new FrameError("a goodbye that is not UTF-8");
      }
    default:
      throw new FrameError(`control ${kind}`);
  }
}

function u32(value: number): [number, number, number, number] {
  return [value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff];
}
