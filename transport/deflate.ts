/** Compression inside the seal, before sealing: passed in, because every platform has its own. */

/** Bytes of the smallest message that is worth deflating. */
export const DEFLATE_LEAST_BYTES = 1024;
/** Bytes of the largest: deflating is done in one go, and a larger one would hold up everything else for too long. */
export const DEFLATE_MOST_BYTES = 1024 * 1024;

/** The bytes as raw deflate (RFC 1951). */
export type Deflate = (bytes: Uint8Array) => Uint8Array;

/**
 * The bytes that were deflated. Throws, or rejects, when they are not raw deflate, are cut or have a tail, and as soon
 * as they would be more than `maxBytes`: it never holds much more than that.
 */
export type Inflate = (bytes: Uint8Array, maxBytes: number) => Uint8Array | Promise<Uint8Array>;
