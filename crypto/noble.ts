/**
 * The suite for any platform, in plain JavaScript (noble, audited). Chance comes in, because this package has none.
 *
 * Where a platform has X25519 of its own, an `AgreementKey` over it is faster and can be non-extractable; it goes
 * through the same guard and works with this suite, since the suite never sees private bytes.
 */
import { chacha20poly1305 } from "@noble/ciphers/chacha.js";
import { x25519 } from "@noble/curves/ed25519.js";
import { checkedAgreement, isZero, requireKeyLength } from "./agreement.ts";
import { KEY_BYTES, SealError, type AgreementKey, type Suite } from "./suite.ts";

/** `random` must be the platform's cryptographic source. */
export function nobleSuite(random: (bytes: number) => Uint8Array): Suite {
  return {
    generateKey: () => nobleKey(random(KEY_BYTES)),
    seal: nobleSeal,
    open: nobleOpen,
    random,
  };
}

/** `secret` is 32 bytes; clamping is done inside (RFC 7748 §5). It is copied, so the caller may wipe its own. */
export function nobleKey(secret: Uint8Array): AgreementKey {
  requireKeyLength(secret, "A private key");
  if (isZero(secret)) throw new SealError("weak_key", "A private key of zeros is an unfilled buffer; make a new one.");
  const own = secret.slice();
  return {
    publicKey: x25519.getPublicKey(own),
    agree: checkedAgreement((theirs) => x25519.getSharedSecret(own, theirs)),
  };
}

export function nobleSeal(
  key: Uint8Array,
  nonce: Uint8Array,
  associated: Uint8Array,
  plaintext: Uint8Array,
): Uint8Array {
  return chacha20poly1305(key, nonce, associated).encrypt(plaintext);
}

export function nobleOpen(key: Uint8Array, nonce: Uint8Array, associated: Uint8Array, sealed: Uint8Array): Uint8Array {
  try {
    return chacha20poly1305(key, nonce, associated).decrypt(sealed);
  } catch (cause) {
    throw new SealError("broken", "A sealed message did not verify.", { cause });
  }
}
