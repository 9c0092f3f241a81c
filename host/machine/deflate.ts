/** Raw deflate by node:zlib, for the batches that go through the pipe. */
import { constants, deflateRawSync, inflateRawSync } from "node:zlib";
import type { Deflate, Inflate } from "@flybridge/transport/deflate.ts";

/** Level 3 takes about half the time of the default and gives up a few per cent: entries are JSON, and someone waits. */
const LEVEL = 3;

export const nodeDeflate: Deflate = (bytes) => deflateRawSync(bytes, { level: LEVEL });

export const nodeInflate: Inflate = (bytes, maxBytes) => {
  const { buffer, engine } = inflateRawSync(bytes, {
    maxOutputLength: maxBytes,
    finishFlush: constants.Z_FINISH,
    info: true,
  }) as unknown as { buffer: Buffer; engine: { bytesWritten: number } };
  if (engine.bytesWritten !== bytes.length) throw new RangeError("A deflated message has a tail.");
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length);
};
