/**
 * What is inside one record: frames, several to a record, padded so that sizes tell little.
 *
 *   record plaintext   length u16 | frame … | zeros up to the bucket
 *   frame              stream u8 | flags u8 | length u16 | data        (numbers big-endian)
 *
 * `length` of the record counts the bytes of its frames. Every rule here is checked on arrival; a record that breaks
 * one was made by a broken or hostile peer, since the seal keeps everybody else out.
 */

import { MAX_STREAMS } from "./streams.ts";

/** Bytes of data in one frame: what a more urgent stream may have to wait for. */
export const CHUNK_BYTES = 16 * 1024;
export const FRAME_HEADER_BYTES = 4;
/** Bytes of the largest bucket: the largest multiple of 4,096 that fits a record of 65,535 bytes with its tag. */
export const MAX_PLAINTEXT_BYTES = 15 * 4096;
const LENGTH_BYTES = 2;
/** Bytes of frames, headers included, that one record carries. */
export const RECORD_ROOM_BYTES = MAX_PLAINTEXT_BYTES - LENGTH_BYTES;
const SMALLEST_BUCKET_BYTES = 256;
const LARGEST_DOUBLING_BYTES = 16 * 1024;
const BUCKET_STEP_BYTES = 4096;

/** The last frame of a message. */
export const FLAG_LAST = 1;
/** The message is deflate-raw; on its first frame only. */
export const FLAG_DEFLATED = 2;
const KNOWN_FLAGS = FLAG_LAST | FLAG_DEFLATED;

export interface Frame {
  readonly stream: number;
  readonly flags: number;
  /** When read, a view of the record, not a copy. */
  readonly data: Uint8Array;
}

/** The peer broke a rule of frames, streams or credit. The connection ends; nothing of the record takes effect. */
export class FrameError extends Error {
  override readonly name = "FrameError";
}

/** The bucket for so many bytes of frames: 256, 512, 1,024 … 16,384, then multiples of 4,096. */
export function paddedBytes(frameBytes: number): number {
  const bytes = frameBytes + LENGTH_BYTES;
  if (bytes > LARGEST_DOUBLING_BYTES) return Math.ceil(bytes / BUCKET_STEP_BYTES) * BUCKET_STEP_BYTES;
  let bucket = SMALLEST_BUCKET_BYTES;
  while (bucket < bytes) bucket *= 2;
  return bucket;
}

/** Frames of at most `RECORD_ROOM_BYTES`, headers included, as the plaintext of one record: the one copy on the way out. */
export function packRecord(frames: readonly Frame[]): Uint8Array {
  let frameBytes = 0;
  for (const frame of frames) frameBytes += FRAME_HEADER_BYTES + frame.data.length;
  const plaintext = new Uint8Array(paddedBytes(frameBytes));
  writeU16(plaintext, 0, frameBytes);
  let at = LENGTH_BYTES;
  for (const { stream, flags, data } of frames) {
    plaintext[at] = stream;
    plaintext[at + 1] = flags;
    writeU16(plaintext, at + 2, data.length);
    plaintext.set(data, at + FRAME_HEADER_BYTES);
    at += FRAME_HEADER_BYTES + data.length;
  }
  return plaintext;
}

/** All frames of a record, or `FrameError`: never some of them. */
export function unpackRecord(plaintext: Uint8Array): Frame[] {
  if (plaintext.length < SMALLEST_BUCKET_BYTES) throw new FrameError("a record shorter than the smallest bucket");
  const frameBytes = readU16(plaintext, 0);
  if (paddedBytes(frameBytes) !== plaintext.length) throw new FrameError("a record in the wrong bucket");
  const end = LENGTH_BYTES + frameBytes;
  const frames: Frame[] = [];
  let at = LENGTH_BYTES;
  while (at < end) {
    if (at + FRAME_HEADER_BYTES > end) throw new FrameError("half a frame header");
    const stream = plaintext[at] ?? 0;
    const flags = plaintext[at + 1] ?? 0;
    const length = readU16(plaintext, at + 2);
    at += FRAME_HEADER_BYTES;
    if (stream >= MAX_STREAMS) throw new FrameError(`stream ${stream}`);
    if ((flags & ~KNOWN_FLAGS) !== 0) throw new FrameError(`flags ${flags}`);
    if (length > CHUNK_BYTES) throw new FrameError(`a chunk of ${length} bytes`);
    if (at + length > end) throw new FrameError("a frame longer than its record");
    frames.push({ stream, flags, data: plaintext.subarray(at, at + length) });
    at += length;
  }
  for (; at < plaintext.length; at++) if (plaintext[at] !== 0) throw new FrameError("padding that is not zero");
  return frames;
}

function writeU16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >> 8;
  bytes[at + 1] = value & 0xff;
}

function readU16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}
