/**
 * The one guard around every X25519: whatever library computes it, a useless public key is refused the same way.
 *
 * A point of low order gives zero with any private key (RFC 7748 §6.1), so whoever sends one chooses the "secret".
 * Clamping makes every scalar a multiple of the cofactor, hence "the result is zero" and "the point is of low order"
 * are the same statement, in any encoding of the point: no list of bad points is needed here. Some libraries return
 * the zeros, some throw, each in its own words; callers see `SealError("weak_key")` only.
 */
import { KEY_BYTES, SealError, type AgreementKey } from "./suite.ts";

export function checkedAgreement(agree: AgreementKey["agree"]): AgreementKey["agree"] {
  return (theirs) => {
    requireKeyLength(theirs, "The other side's public key");
    let shared: Uint8Array | Promise<Uint8Array>;
    try {
      shared = agree(theirs);
    } catch (error) {
      throw refused(error);
    }
    if (shared instanceof Uint8Array) return checkedShared(shared);
    return shared.then(checkedShared, (error: unknown) => {
      throw refused(error);
    });
  };
}

/** Throws `SealError("weak_key")` unless `key` is 32 bytes. */
export function requireKeyLength(key: Uint8Array, what: string): void {
  if (key.length !== KEY_BYTES) {
    throw new SealError("weak_key", `${what} must be ${KEY_BYTES} bytes, not ${key.length}. Pair again.`);
  }
}

/** True for a buffer nobody filled. Looks at every byte, so the time says nothing about a real secret. */
export function isZero(bytes: Uint8Array): boolean {
  let bits = 0;
  for (const byte of bytes) bits |= byte;
  return bits === 0;
}

function checkedShared(shared: Uint8Array): Uint8Array {
  if (shared.length !== KEY_BYTES || isZero(shared)) throw refused(undefined);
  return shared;
}

function refused(cause: unknown): SealError {
  return new SealError("weak_key", "The other side's public key is of low order or unusable; it was refused.", {
    cause,
  });
}
