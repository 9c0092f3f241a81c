/**
 * The digits by which a person sees that the device in their hand is the one that waits at the host: both derive them
 * from the handshake, so a third party in between would show others.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { requireKeyLength } from "./agreement.ts";
import { framed } from "./framing.ts";

const DIGITS = 6;

/** Six decimal digits, from the 32 bytes of a channel's handshake hash. */
export function confirmationDigits(hash: Uint8Array): string {
  requireKeyLength(hash, "A handshake hash");
  const digest = sha256(framed(["flybridge", "confirmation", hash]));
  // 2^64 is so far above 10^6 that no digits are likelier than others by more than one in 10^13.
  const number = digest.subarray(0, 8).reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
  return String(number % 10n ** BigInt(DIGITS)).padStart(DIGITS, "0");
}
