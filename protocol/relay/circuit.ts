/**
 * Frames on a host's socket: of which circuit, and what. A device's socket carries its one circuit's data and nothing
 * else, so a relay adds or takes off these five bytes and reads no further.
 *
 *   type u8 | circuit u32, big-endian | payload
 *
 * Each direction of a circuit has a window of `CIRCUIT_WINDOW_BYTES`: whoever sends counts down what its frames cost and stops
 * at none; whoever takes gives them back in `credit` frames once they have gone on. More than was given ends the circuit.
 */
import { CIRCUIT_HEADER_BYTES } from "./words.ts";

export const FrameType = {
  /** Both ways: a frame of the two ends. */
  data: 0,
  /** To the host: a circuit begins. The payload is `Caller`. */
  open: 1,
  /** Both ways: it ends; nothing of it follows. The payload is why, in ASCII. */
  close: 2,
  /** Both ways, circuit 0: `ToHost` or `FromHost`. */
  control: 3,
  /** Both ways: so many more bytes may come, u32. */
  credit: 4,
} as const;
export type FrameType = (typeof FrameType)[keyof typeof FrameType];

/** Bytes on the way in one direction of one circuit. More than an end's own streams have credit for. */
export const CIRCUIT_WINDOW_BYTES = 256 * 1024;
/** Bytes that have gone on before they are given back: few small frames, and never a sender that waits for them. */
export const CREDIT_STEP_BYTES = 64 * 1024;
/** Circuits of one host at once. */
export const MAX_CIRCUITS = 1_024;
/** Bytes of why a circuit ends. */
const REASON_BYTES = 123;

/** What a frame takes of a window at least: holding a small one costs more than its bytes. */
const LEAST_COST_BYTES = 256;

export function costOf(payload: Uint8Array): number {
  return Math.max(LEAST_COST_BYTES, payload.length);
}

export interface CircuitFrame {
  readonly type: FrameType;
  readonly circuit: number;
  readonly payload: Uint8Array;
}

export function frameOf(type: FrameType, circuit: number, payload: Uint8Array): Uint8Array {
  const frame = new Uint8Array(CIRCUIT_HEADER_BYTES + payload.length);
  writeHeader(frame, type, circuit);
  frame.set(payload, CIRCUIT_HEADER_BYTES);
  return frame;
}

/** Undefined when it is none. The payload is a view into the frame. */
export function parseFrame(frame: Uint8Array): CircuitFrame | undefined {
  const [type = 255, a = 0, b = 0, c = 0, d = 0] = frame;
  if (frame.length < CIRCUIT_HEADER_BYTES || type > FrameType.credit) return undefined;
  const circuit = ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
  return { type: type as FrameType, circuit, payload: frame.subarray(CIRCUIT_HEADER_BYTES) };
}

export function creditFrame(circuit: number, bytes: number): Uint8Array {
  const frame = new Uint8Array(CIRCUIT_HEADER_BYTES + 4);
  writeHeader(frame, FrameType.credit, circuit);
  writeUint32(frame, CIRCUIT_HEADER_BYTES, bytes);
  return frame;
}

/** Undefined when the payload is not four bytes. */
export function creditIn(payload: Uint8Array): number | undefined {
  const [a = 0, b = 0, c = 0, d = 0] = payload;
  return payload.length === 4 ? ((a << 24) | (b << 16) | (c << 8) | d) >>> 0 : undefined;
}

export function closeFrame(circuit: number, reason: string): Uint8Array {
  const text = reason.slice(0, REASON_BYTES).replaceAll(/[^\x20-\x7e]/gu, "?");
  return frameOf(
    FrameType.close,
    circuit,
    Uint8Array.from(text, (character) => character.charCodeAt(0)),
  );
}

/** Printable ASCII, whatever was sent. */
export function reasonIn(payload: Uint8Array): string {
  let text = "";
  for (const byte of payload.subarray(0, REASON_BYTES))
    text += byte >= 0x20 && byte <= 0x7e ? String.fromCharCode(byte) : "?";
  return text;
}

function writeHeader(frame: Uint8Array, type: FrameType, circuit: number): void {
  frame[0] = type;
  writeUint32(frame, 1, circuit);
}

function writeUint32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}
