/** The fixed streams of a pipe: who goes first, and how much may be on the way unread. */

/** Streams are numbered from 0; stream 0 is the pipe's own. */
export const MAX_STREAMS = 32;
/** Bytes of one message, before deflating and after. */
export const MAX_MESSAGE_BYTES = 8 * 1024 * 1024;
/** Bytes of unread frames that a stream may have on the way, headers included. */
const WINDOW_BYTES = 256 * 1024;
/** Less for a terminal: it is what lies between Ctrl-C and its effect. */
const TERMINAL_WINDOW_BYTES = 128 * 1024;
/** Bytes that may wait in one stream before `send` refuses the next message. */
const QUEUE_BYTES = 1024 * 1024;
const TERMINAL_QUEUE_BYTES = 256 * 1024;
/**
 * Bytes of unfinished messages, all streams together. The sender starts no further message larger than its stream's
 * window while that could pass this, so that only a hostile peer meets the receiver's check.
 */
export const UNFINISHED_BYTES = 4 * MAX_MESSAGE_BYTES;

/** A lower number goes first. 0 is the pipe's own; numbers above 5 rank with bulk. */
export const Streams = { calls: 1, asks: 2, entries: 3, terminal: 4, bulk: 5 } as const;
export type StreamId = (typeof Streams)[keyof typeof Streams];

export const CONTROL = 0;

export function isStreamId(stream: number): boolean {
  return Number.isInteger(stream) && stream > CONTROL && stream < MAX_STREAMS;
}

export function windowBytes(stream: number): number {
  return stream === Streams.terminal ? TERMINAL_WINDOW_BYTES : WINDOW_BYTES;
}

export function queueBytes(stream: number): number {
  return stream === Streams.terminal ? TERMINAL_QUEUE_BYTES : QUEUE_BYTES;
}

/** A terminal's bytes are not worth the wait, and what one prints fast is thrown away fast. */
export function isDeflated(stream: number): boolean {
  return stream !== Streams.terminal;
}
