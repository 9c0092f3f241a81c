/**
 * Continuity: a secret that both sides replace at every connection, so that a second copy of a device is noticed.
 *
 * The first one comes out of the pairing handshake (`Channel.continuity`); each reconnect uses the current one as its
 * psk and derives the next. The handshake hash alone would not do: it is made of bytes that anyone on the way sees,
 * so a secret must go in. Here that is the previous psk; at pairing it is the handshake's final chaining key.
 *
 * Steps go one way: who steals psk n learns nothing about n - 1.
 */
import { hkdf } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { utf8ToBytes } from "@noble/hashes/utils.js";
import { isZero, requireKeyLength } from "./agreement.ts";
import { KEY_BYTES, SealError } from "./suite.ts";

/** Bound into the secret that a handshake exports; changing it ends every pairing. */
export const CONTINUITY_LABEL = "flybridge continuity";
/** Bytes of a continuity secret's public name. */
export const CONTINUITY_TAG_BYTES = 8;

/** `psk' = HKDF-SHA256(salt = h, ikm = psk, info = "continuity")`. Both 32 bytes; `hash` of the channel just made. */
export function nextContinuity(psk: Uint8Array, hash: Uint8Array): Uint8Array {
  requireSecret(psk);
  requireKeyLength(hash, "A handshake hash");
  return hkdf(sha256, psk, hash, utf8ToBytes("continuity"), KEY_BYTES);
}

/**
 * A name for a continuity secret that does not give it away. In `IKpsk2` the host must choose the psk before the
 * device proves it has one, and it may hold two (current and pending): message 1 carries this, sealed, to say which.
 * Message 1 is replayable, so a tag alone accuses nobody: an older one is evidence only when a channel made with that
 * older psk has verified its first record.
 */
export function continuityTag(psk: Uint8Array): Uint8Array {
  requireSecret(psk);
  return hkdf(sha256, psk, undefined, utf8ToBytes("continuity tag"), CONTINUITY_TAG_BYTES);
}

function requireSecret(psk: Uint8Array): void {
  requireKeyLength(psk, "A continuity secret");
  if (isZero(psk)) throw new SealError("weak_key", "A continuity secret of zeros is an unfilled buffer; pair again.");
}
