/**
 * What the seal is built on, passed in: key agreement, one AEAD, chance. The seal itself knows no platform.
 *
 * A private key is a capability, never bytes: a browser's stays non-extractable, the host's stays in its own file,
 * and code that holds an `AgreementKey` can agree with it but not copy it.
 */

/** Bytes of an X25519 public key, of a shared secret, of every symmetric key and of a SHA-256 hash. */
export const KEY_BYTES = 32;
/** Bytes that sealing adds to a plaintext (Poly1305 tag, RFC 8439 §2.8). */
export const TAG_BYTES = 16;

export interface AgreementKey {
  /** X25519, 32 bytes. */
  readonly publicKey: Uint8Array;
  /**
   * X25519 with `theirs` (RFC 7748 §6.1). Throws `SealError("weak_key")` when the result is all zero or `theirs` is
   * not 32 bytes; libraries differ there, so every implementation goes through `checkedAgreement`.
   */
  agree(theirs: Uint8Array): Uint8Array | Promise<Uint8Array>;
}

/** ChaCha20-Poly1305 (RFC 8439), X25519 and chance. Implementations: noble here, node:crypto in the host. */
export interface Suite {
  generateKey(): AgreementKey | Promise<AgreementKey>;
  /**
   * `nonce` is 12 bytes. Returns ciphertext || tag. The array of a key that was given here is never filled with another
   * key, so an implementation may keep what it prepared for it as long as the array lives.
   */
  seal(key: Uint8Array, nonce: Uint8Array, associated: Uint8Array, plaintext: Uint8Array): Uint8Array;
  /** Throws `SealError("broken")` when the tag does not verify. */
  open(key: Uint8Array, nonce: Uint8Array, associated: Uint8Array, sealed: Uint8Array): Uint8Array;
  random(bytes: number): Uint8Array;
}

export type SealFault =
  /** An agreement gave zero, or a key has the wrong length. */
  | "weak_key"
  /** A tag did not verify, or a message is cut or too long. */
  | "broken"
  /** A state was used after it was spent: a handshake step twice, a record after a failure. */
  | "spent";

export class SealError extends Error {
  override readonly name = "SealError";
  readonly fault: SealFault;
  constructor(fault: SealFault, message: string, options?: ErrorOptions) {
    super(message, options);
    this.fault = fault;
  }
}
