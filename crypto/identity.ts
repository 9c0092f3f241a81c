/**
 * Who is who: the host id that people compare, and Ed25519 signatures. A relay may import this file and nothing else
 * of the seal, so it reaches neither handshake nor record.
 *
 * A host id is base32 for people (`base32.ts`). 52 characters hold the 256 bits of SHA-256(HS.pub || HI.pub); after
 * every 13 of them comes a check digit, which makes 8 groups of 7 and finds every single wrong character.
 */
import { ed25519 } from "@noble/curves/ed25519.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { concatBytes } from "@noble/hashes/utils.js";
import { isZero, requireKeyLength } from "./agreement.ts";
import { base32, chunks, fromBase32, typedWithCheckDigits, withCheckDigits } from "./base32.ts";
import { framed } from "./framing.ts";
import { KEY_BYTES, SealError } from "./suite.ts";

/** Bytes of an Ed25519 signature. */
export const SIGNATURE_BYTES = 64;
/** Characters of a host id, check digits included, separators not. */
export const HOST_ID_CHARS = 56;

const CHECKED_CHARS = 13;
const GROUP_CHARS = 7;

/** A private Ed25519 key as a capability: a browser's is non-extractable, so `sign` may be a promise. */
export interface SigningKey {
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  sign(message: Uint8Array): Uint8Array | Promise<Uint8Array>;
}

/** A key whose secret is at hand: what it signs is there at once. */
export interface HeldSigningKey extends SigningKey {
  sign(message: Uint8Array): Uint8Array;
}

/** From both public keys of a host, 32 bytes each; 56 characters. */
export function hostIdOf(hsPub: Uint8Array, hiPub: Uint8Array): string {
  requireKeyLength(hsPub, "The host's static key");
  requireKeyLength(hiPub, "The host's identity key");
  return withCheckDigits(base32(sha256(concatBytes(hsPub, hiPub))), CHECKED_CHARS);
}

/** `abcdefg-hjkmnpq-…`, for eyes. `checkHostId` reads it back. */
export function groupsOf(hostId: string): string {
  return chunks(hostId, GROUP_CHARS).join("-");
}

/** The host id that someone typed, pasted or scanned, in its one written form; undefined when it is not one. */
export function checkHostId(text: string): string | undefined {
  const data = typedWithCheckDigits(text, CHECKED_CHARS);
  // 52 characters are 260 bits, so the last one has four that no hash sets.
  if (data === undefined || !fromBase32(data, KEY_BYTES)) return undefined;
  return withCheckDigits(data, CHECKED_CHARS);
}

/** From a secret of 32 bytes (RFC 8032 §5.1.5), which is copied. */
export function signingKey(secret: Uint8Array): HeldSigningKey {
  requireKeyLength(secret, "A signing secret");
  if (isZero(secret))
    throw new SealError("weak_key", "A signing secret of zeros is an unfilled buffer; make a new one.");
  const own = secret.slice();
  return { publicKey: ed25519.getPublicKey(own), sign: (message) => ed25519.sign(message, own) };
}

/**
 * Signs `fields` for one purpose. There is no bare "sign these bytes": a challenge chosen by a relay must never be a
 * ticket, nor a ticket an audit checkpoint. `purpose` is a constant in code, such as "relay ticket".
 */
export async function sign(key: SigningKey, purpose: string, ...fields: readonly Uint8Array[]): Promise<Uint8Array> {
  return key.sign(statement(purpose, fields));
}

/** The same, with a key that is held here. */
export function signHeld(key: HeldSigningKey, purpose: string, ...fields: readonly Uint8Array[]): Uint8Array {
  return key.sign(statement(purpose, fields));
}

/** Whether a signature is of that key over that message: `verifyBytes`, or one that is as strict. */
export type VerifyBytes = (publicKey: Uint8Array, signature: Uint8Array, message: Uint8Array) => boolean;

/** Whether `sign` with the same purpose and fields made this signature. Strict, as `verifyBytes`. */
export function verify(
  publicKey: Uint8Array,
  signature: Uint8Array,
  purpose: string,
  ...fields: readonly Uint8Array[]
): boolean {
  return verifyBy(verifyBytes, publicKey, signature, purpose, ...fields);
}

/** The same, by another's work. */
export function verifyBy(
  verifies: VerifyBytes,
  publicKey: Uint8Array,
  signature: Uint8Array,
  purpose: string,
  ...fields: readonly Uint8Array[]
): boolean {
  return verifies(publicKey, signature, statement(purpose, fields));
}

/**
 * RFC 8032 §5.1.7, strictly: canonical encodings only, s below the group order, and no public key of low order (the
 * zero key is one), under which a signature would verify for many messages. Never throws.
 */
export function verifyBytes(publicKey: Uint8Array, signature: Uint8Array, message: Uint8Array): boolean {
  if (signature.length !== SIGNATURE_BYTES || publicKey.length !== 32) return false;
  return ed25519.verify(signature, message, publicKey, { zip215: false });
}

function statement(purpose: string, fields: readonly Uint8Array[]): Uint8Array {
  return framed(["flybridge", purpose, ...fields]);
}
