/** What follows from the relay's secret: every node derives the same, and from what is stored nobody does. */
import { createHash, createHmac, randomBytes, timingSafeEqual } from "node:crypto";

const SALT_BYTES = 16;
const LENGTH_BYTES = 4;

/** 32 bytes. `purpose` is a constant in code; other purposes or fields give other bytes. */
export type Derive = (purpose: string, ...fields: readonly string[]) => Buffer;

export function deriving(secret: string): Derive {
  return (purpose, ...fields) => {
    const mac = createHmac("sha256", secret);
    for (const field of ["flybridge relay", purpose, ...fields]) {
      // Each with its length, so that no two lists of fields are the same bytes.
      const bytes = Buffer.from(field);
      const length = Buffer.alloc(LENGTH_BYTES);
      length.writeUInt32BE(bytes.length);
      mac.update(length).update(bytes);
    }
    return mac.digest();
  };
}

/** SHA-256, base64url: of chance alone, which nobody can guess. */
export function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("base64url");
}

export function newSalt(): string {
  return randomBytes(SALT_BYTES).toString("base64url");
}

export function saltedHash(salt: string, text: string): string {
  return createHash("sha256").update(salt).update(".").update(text).digest("base64url");
}

/** In a time that says nothing of where they differ. Both are hashes. */
export function isSameHash(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}
