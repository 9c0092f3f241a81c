/** What waits to be sent: messages by stream, cut into frames by urgency and credit. Decides; sends nothing. */
import { DEFLATE_LEAST_BYTES, DEFLATE_MOST_BYTES, type Deflate } from "./deflate.ts";
import {
  CHUNK_BYTES,
  FLAG_DEFLATED,
  FLAG_LAST,
  FRAME_HEADER_BYTES,
  FrameError,
  RECORD_ROOM_BYTES,
  type Frame,
} from "./frames.ts";
import {
  isDeflated,
  isStreamId,
  MAX_MESSAGE_BYTES,
  MAX_STREAMS,
  queueBytes,
  UNFINISHED_BYTES,
  windowBytes,
} from "./streams.ts";

/** Bytes of the smallest piece of a longer message: with less credit or room than this it waits. */
const SLIVER_BYTES = 1024;
/** A deflated message goes deflated when it is at most this share of the plain one. */
const WORTH_DEFLATING = 0.9;
/** Bytes of messages larger than their window that may be under way at once; the rest is left to smaller ones. */
const LARGE_BYTES = UNFINISHED_BYTES - MAX_STREAMS * windowBytes(0);

interface Message {
  readonly data: Uint8Array;
  readonly deflated: boolean;
}

interface Lane {
  readonly stream: number;
  readonly waiting: Message[];
  /** Index of the first waiting message; the ones before it are gone. */
  head: number;
  /** Bytes of the first waiting message that have been taken. */
  sent: number;
  /** Bytes waiting, with one header for each message, so that empty ones count. */
  queued: number;
  /** Bytes that the receiver still takes, headers included. Never above the window. */
  credit: number;
  /** `drained` is owed once the queue is short again. */
  wanted: boolean;
}

export class Outgoing {
  readonly #lanes: Lane[] = [];
  readonly #deflate: Deflate | undefined;
  /** Bytes of messages under way that are larger than their window. */
  #large = 0;

  constructor(deflate?: Deflate) {
    this.#deflate = deflate;
  }

  /**
   * False when the stream's queue is full: the message was not taken, and `drained` will name the stream. A queue takes
   * one message past its bound, so any message of at most `MAX_MESSAGE_BYTES` can be sent. Throws `RangeError` for a
   * larger one and for a stream that is none. The bytes belong to the queue from here on.
   */
  send(stream: number, message: Uint8Array): boolean {
    if (!isStreamId(stream))
      throw new RangeError(`There is no stream ${stream}; messages go on 1 to ${MAX_STREAMS - 1}.`);
    if (message.length > MAX_MESSAGE_BYTES)
      throw new RangeError(`A message of ${message.length} bytes; send it as several of at most ${MAX_MESSAGE_BYTES}.`);
    const lane = this.#lane(stream);
    if (lane.queued > queueBytes(stream)) {
      lane.wanted = true;
      return false;
    }
    const ready = this.#squeeze(stream, message);
    lane.waiting.push(ready);
    lane.queued += ready.data.length + FRAME_HEADER_BYTES;
    if (lane.queued > queueBytes(stream) / 2) lane.wanted = true;
    return true;
  }

  /** Bytes that wait in a stream and have not been taken. */
  queued(stream: number): number {
    return this.#lanes.find((lane) => lane.stream === stream)?.queued ?? 0;
  }

  /** The receiver read so many bytes of a stream. */
  grant(stream: number, bytes: number): void {
    if (!isStreamId(stream)) throw new FrameError(`credit for stream ${stream}`);
    const lane = this.#lane(stream);
    lane.credit += bytes;
    if (lane.credit > windowBytes(stream)) throw new FrameError(`more credit than stream ${stream} has used`);
  }

  /** What goes into the next record after so many bytes of control frames: the most urgent first, none if none may go. */
  take(controlBytes: number): Frame[] {
    const frames: Frame[] = [];
    let room = RECORD_ROOM_BYTES - controlBytes;
    for (const lane of this.#lanes) {
      for (let frame = this.#next(lane, room); frame; frame = this.#next(lane, room)) {
        frames.push(frame);
        room -= FRAME_HEADER_BYTES + frame.data.length;
      }
    }
    return frames;
  }

  /** Streams whose queue was full, or half full, and is short again; each is named once. */
  drained(): number[] {
    const streams: number[] = [];
    for (const lane of this.#lanes) {
      if (!lane.wanted || lane.queued > queueBytes(lane.stream) / 4) continue;
      lane.wanted = false;
      streams.push(lane.stream);
    }
    return streams;
  }

  #next(lane: Lane, room: number): Frame | undefined {
    const message = lane.waiting[lane.head];
    if (!message) return undefined;
    const rest = message.data.length - lane.sent;
    const length = Math.min(rest, CHUNK_BYTES, room - FRAME_HEADER_BYTES, lane.credit - FRAME_HEADER_BYTES);
    if (length < Math.min(rest, SLIVER_BYTES)) return undefined;
    const isLarge = message.data.length > windowBytes(lane.stream);
    if (isLarge && lane.sent === 0) {
      if (this.#large + message.data.length > LARGE_BYTES) return undefined;
      this.#large += message.data.length;
    }
    const isLast = length === rest;
    const flags = (isLast ? FLAG_LAST : 0) | (message.deflated && lane.sent === 0 ? FLAG_DEFLATED : 0);
    const data = message.data.subarray(lane.sent, lane.sent + length);
    lane.credit -= FRAME_HEADER_BYTES + length;
    lane.queued -= length;
    lane.sent += length;
    if (isLast) {
      if (isLarge) this.#large -= message.data.length;
      lane.queued -= FRAME_HEADER_BYTES;
      shift(lane);
    }
    return { stream: lane.stream, flags, data };
  }

  #squeeze(stream: number, data: Uint8Array): Message {
    if (!this.#deflate || !isDeflated(stream) || data.length < DEFLATE_LEAST_BYTES || data.length > DEFLATE_MOST_BYTES)
      return { data, deflated: false };
    const small = this.#deflate(data);
    return small.length <= data.length * WORTH_DEFLATING ? { data: small, deflated: true } : { data, deflated: false };
  }

  #lane(stream: number): Lane {
    const found = this.#lanes.find((lane) => lane.stream === stream);
    if (found) return found;
    const lane = { stream, waiting: [], head: 0, sent: 0, queued: 0, credit: windowBytes(stream), wanted: false };
    this.#lanes.push(lane);
    this.#lanes.sort((a, b) => a.stream - b.stream);
    return lane;
  }
}

/** Drops the first message; the array is cut now and then, because `Array.shift` on a long one copies it. */
function shift(lane: Lane): void {
  lane.sent = 0;
  lane.waiting[lane.head] = GONE;
  lane.head++;
  if (lane.head === lane.waiting.length || lane.head >= 64) {
    lane.waiting.splice(0, lane.head);
    lane.head = 0;
  }
}

/** Stands where a sent message stood, so that its bytes can be freed before the array is cut. */
const GONE: Message = { data: new Uint8Array(0), deflated: false };
