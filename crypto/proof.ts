/**
 * What is shown to a relay, and what a relay checks: that a peer holds its key, that a host let a device in, that an
 * account stands behind a device or a host. Signatures only: a relay has this file, and none of the seal.
 */
import { hkdf } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { concatBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import { fromBase64Url, toBase64Url } from "@flybridge/protocol/base64.ts";
import { decode, encode, TicketBody } from "@flybridge/protocol/relay/words.ts";
import { type SigningKey, sign, SIGNATURE_BYTES, verify, type VerifyBytes, verifyBy, verifyBytes } from "./identity.ts";

/** Milliseconds that a ticket lives at most, by the relay's clock, and in which an older one still lets its holder ask. */
export const TICKET_MS = 24 * 3_600_000;
export const KNOCK_MS = 90 * 24 * 3_600_000;

const OPENING = "relay opening";
const TICKET = "relay ticket";
const DEVICE_OF_ACCOUNT = "account device";
const HOST_OF_ACCOUNT = "account host";
const PAIRING_OF_ACCOUNT = "account pairing";

const PUBLIC_KEY_BYTES = 32;

/** What was signed, and by whom. */
export interface Signed {
  /** 32 bytes. */
  readonly key: Uint8Array;
  readonly body: Uint8Array;
}

/** `origin` is the relay's as the peer dialled it, `nonce` what the relay said on this socket, 32 bytes. */
export async function signOpening(
  key: SigningKey,
  origin: string,
  nonce: Uint8Array,
  body: Uint8Array,
): Promise<Uint8Array> {
  const signature = await sign(key, OPENING, utf8ToBytes(origin), nonce, body);
  return concatBytes(key.publicKey, signature, body);
}

/** Undefined when it is not signed by the key it names, for this relay and this socket. */
export function openingIn(
  frame: Uint8Array,
  origin: string,
  nonce: Uint8Array,
  verifies: VerifyBytes = verifyBytes,
): Signed | undefined {
  const key = frame.subarray(0, PUBLIC_KEY_BYTES);
  const signature = frame.subarray(PUBLIC_KEY_BYTES, PUBLIC_KEY_BYTES + SIGNATURE_BYTES);
  const body = frame.subarray(PUBLIC_KEY_BYTES + SIGNATURE_BYTES);
  return verifyBy(verifies, key, signature, OPENING, utf8ToBytes(origin), nonce, body) ? { key, body } : undefined;
}

/** `key` is the host's HI. */
export async function signTicket(key: SigningKey, body: TicketBody): Promise<string> {
  const bytes = encode(body);
  return `${toBase64Url(bytes)}.${toBase64Url(await sign(key, TICKET, bytes))}`;
}

/** Undefined when the host did not sign it. What it says of place and time is for the caller to compare. */
export function ticketIn(
  ticket: string,
  hiPub: Uint8Array,
  verifies: VerifyBytes = verifyBytes,
): TicketBody | undefined {
  const [text = "", signatureText = "", ...more] = ticket.split(".");
  const bytes = fromBase64Url(text, Math.floor((text.length * 3) / 4));
  const signature = fromBase64Url(signatureText, SIGNATURE_BYTES);
  if (!bytes || !signature || more.length > 0 || !verifyBy(verifies, hiPub, signature, TICKET, bytes)) return undefined;
  return decode(TicketBody, bytes);
}

/** The seed of the Ed25519 key by which whoever holds an offer's secret joins; from it the secret cannot be had. */
export function offerKeySeed(secret: Uint8Array): Uint8Array {
  return hkdf(sha256, secret, undefined, utf8ToBytes("flybridge relay offer"), PUBLIC_KEY_BYTES);
}

/** An account's word for a device's key at a relay (DA), or for a host (HI) at its rendezvous. */
export function endorseDevice(account: SigningKey, da: Uint8Array): Promise<Uint8Array> {
  return sign(account, DEVICE_OF_ACCOUNT, da);
}

export function isEndorsedDevice(account: Uint8Array, endorsement: Uint8Array, da: Uint8Array): boolean {
  return verify(account, endorsement, DEVICE_OF_ACCOUNT, da);
}

export function endorseHost(account: SigningKey, hi: Uint8Array, rendezvous: string): Promise<Uint8Array> {
  return sign(account, HOST_OF_ACCOUNT, hi, utf8ToBytes(rendezvous));
}

export function isEndorsedHost(
  account: Uint8Array,
  endorsement: Uint8Array,
  hi: Uint8Array,
  rendezvous: string,
): boolean {
  return verify(account, endorsement, HOST_OF_ACCOUNT, hi, utf8ToBytes(rendezvous));
}

/** An account's word, to a host that trusts it, for a device's static key DS. */
export function endorsePairing(account: SigningKey, ds: Uint8Array, host: string): Promise<Uint8Array> {
  return sign(account, PAIRING_OF_ACCOUNT, ds, utf8ToBytes(host));
}

export function isEndorsedPairing(account: Uint8Array, endorsement: Uint8Array, ds: Uint8Array, host: string): boolean {
  return verify(account, endorsement, PAIRING_OF_ACCOUNT, ds, utf8ToBytes(host));
}
