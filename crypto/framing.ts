/**
 * Several byte strings as one, so that no two different lists give the same bytes: before each its length, in 32 bits,
 * big-endian.
 */
import { concatBytes, utf8ToBytes } from "@noble/hashes/utils.js";

export function framed(fields: readonly (string | Uint8Array)[]): Uint8Array {
  return concatBytes(
    ...fields.flatMap((field) => {
      const bytes = typeof field === "string" ? utf8ToBytes(field) : field;
      const length = new Uint8Array(4);
      new DataView(length.buffer).setUint32(0, bytes.length);
      return [length, bytes];
    }),
  );
}
