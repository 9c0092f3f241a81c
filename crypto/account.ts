/**
 * An account: one secret of 32 bytes that its devices hold and that a relay keeps sealed. It opens by a passphrase or by
 * a recovery code; from it come the key that vouches for devices, the one under which names lie, and what pairs with
 * each host. No relay sees the passphrase, the code, the secret or a name.
 *
 * Chance comes in: this package has none.
 */
import { argon2idAsync } from "@noble/hashes/argon2.js";
import { hkdf } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { concatBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import { fromBase64Url, toBase64Url } from "@flybridge/protocol/base64.ts";
import { OFFER_BYTES } from "@flybridge/protocol/offer.ts";
import type { Lock, Stretching } from "@flybridge/protocol/relay/account.ts";
import { requireKeyLength } from "./agreement.ts";
import { base32, chunks, fromBase32, typedWithCheckDigits, withCheckDigits } from "./base32.ts";
import { framed } from "./framing.ts";
import { type HeldSigningKey, signingKey } from "./identity.ts";
import { nobleOpen, nobleSeal } from "./noble.ts";
import { KEY_BYTES, SealError } from "./suite.ts";

export const ACCOUNT_SECRET_BYTES = KEY_BYTES;
export const SALT_BYTES = 16;
/** Bytes of chance in a recovery code. */
export const RECOVERY_BYTES = 20;

/** KiB and passes that a new passphrase is stretched by: half a second on a small machine, two on a telephone. */
const MEMORY_KIB = 47_104;
const PASSES = 2;
/** What a relay may ask for at least, or a passphrase would be cheap to guess for it: OWASP's, 2 passes over 19 MiB. */
const LEAST_MEMORY_KIB = 19_456;
const LEAST_PASSES = 2;
/** And at most, or a page would hang or die of it: memory in KiB, and memory times passes. */
const MOST_MEMORY_KIB = 262_144;
const MOST_WORK = 1_048_576;
/** Milliseconds that stretching goes on without a break, in which a page draws and hears. */
const TICK_MS = 12;

export const NONCE_BYTES = 12;
/** Names are padded to a multiple of so many bytes, so that their length tells less. */
const LABEL_STEP_BYTES = 64;
/** Bytes of a name with what belongs to it; sealed they are what a relay takes. */
export const MAX_LABEL_BYTES = 704;
/** Characters of a recovery code before each check digit: four groups of nine. */
const RECOVERY_CHARS = 8;

/** What a passphrase or a recovery code becomes. */
export interface LockKeys {
  /** Shown to the relay. It says nothing of the other. */
  readonly auth: Uint8Array;
  /** Opens the account's secret. */
  readonly wrapping: Uint8Array;
}

/** Of which account, where: the same passphrase elsewhere gives other keys, whatever salt a relay names. */
export interface Place {
  /** The relay's. */
  readonly origin: string;
  /** In lower case. */
  readonly email: string;
}

export interface AccountKeys {
  /** Vouches for devices and hosts. */
  readonly key: HeldSigningKey;
  /** Names lie under it. */
  readonly labels: Uint8Array;
}

/** `salt` is 16 bytes of chance. */
export function newStretching(salt: Uint8Array): Stretching {
  if (salt.length !== SALT_BYTES) throw new RangeError(`a salt is ${SALT_BYTES} bytes`);
  return { salt: toBase64Url(salt), memory: MEMORY_KIB, passes: PASSES };
}

/** Thrown before anything is made of the passphrase; the message is for a person. */
export class StretchingRefused extends Error {
  override readonly name = "StretchingRefused";
}

/** Argon2id (RFC 9106), version 0x13, one lane, 64 bytes; the place is its associated data. Rejects with `StretchingRefused`. */
export async function stretch(passphrase: string, stretching: Stretching, place: Place): Promise<LockKeys> {
  const { memory, passes } = stretching;
  const salt = fromBase64Url(stretching.salt, SALT_BYTES);
  if (!salt || memory < LEAST_MEMORY_KIB || passes < LEAST_PASSES)
    throw new StretchingRefused(
      "The relay asks to make this passphrase easier to guess than is safe. Nothing was sent. Ask whoever runs it.",
    );
  if (memory > MOST_MEMORY_KIB || memory * passes > MOST_WORK)
    throw new StretchingRefused(
      "The relay asks for more work on the passphrase than this device can do. Nothing was sent. Ask whoever runs it.",
    );
  const bytes = await argon2idAsync(utf8ToBytes(passphrase.normalize("NFKC")), salt, {
    m: memory,
    t: passes,
    p: 1,
    version: 0x13,
    dkLen: 2 * KEY_BYTES,
    personalization: framed(["flybridge account", place.origin, place.email]),
    asyncTick: TICK_MS,
  });
  return halves(bytes);
}

/** `chance` is 20 bytes. Four groups of nine characters; whoever has it can open the account. */
export function recoveryCodeOf(chance: Uint8Array): string {
  if (chance.length !== RECOVERY_BYTES) throw new RangeError(`a recovery code is ${RECOVERY_BYTES} bytes`);
  return chunks(withCheckDigits(base32(chance), RECOVERY_CHARS), RECOVERY_CHARS + 1).join("-");
}

/** Undefined when the code is mistyped. It is chance enough to need no stretching. */
export function recoveryKeys(code: string): LockKeys | undefined {
  const text = typedWithCheckDigits(code, RECOVERY_CHARS);
  const chance = text === undefined ? undefined : fromBase32(text, RECOVERY_BYTES);
  return chance && halves(derived(chance, "flybridge account recovery", 2 * KEY_BYTES));
}

/** What a relay gets to keep of a lock. `nonce` is 12 bytes of chance, never used twice with one lock. */
export function lockOf({ auth, wrapping }: LockKeys, secret: Uint8Array, nonce: Uint8Array): Lock {
  requireKeyLength(secret, "An account's secret");
  return { auth: toBase64Url(auth), sealed: sealed(wrapping, nonce, utf8ToBytes("flybridge account secret"), secret) };
}

/** The account's secret. Throws `SealError("broken")` when it is not under this key. */
export function openSecret(wrapping: Uint8Array, sealedSecret: string): Uint8Array {
  const secret = opened(wrapping, sealedSecret, utf8ToBytes("flybridge account secret"));
  requireKeyLength(secret, "An account's secret");
  return secret;
}

export function accountKeys(secret: Uint8Array): AccountKeys {
  requireKeyLength(secret, "An account's secret");
  return {
    key: signingKey(derived(secret, "flybridge account key")),
    labels: derived(secret, "flybridge account labels"),
  };
}

/** What pairs the account's devices with one host: the pre-shared key in place of an offer's secret. */
export function pairingSecretOf(secret: Uint8Array, host: string): Uint8Array {
  requireKeyLength(secret, "An account's secret");
  return hkdf(sha256, secret, undefined, framed(["flybridge account host", host]), KEY_BYTES);
}

/** In place of an offer's id, 8 bytes: by it a host knows which account a device comes from. `account` is its public key. */
export function pairingOfferOf(account: Uint8Array, host: string): Uint8Array {
  requireKeyLength(account, "An account's key");
  return sha256(concatBytes(utf8ToBytes("flybridge account"), account, utf8ToBytes(host))).slice(0, OFFER_BYTES);
}

/**
 * A name with what belongs to it, as a relay keeps it. `about` is the key or the host id that it is of, so that a relay
 * cannot change two of them round. `nonce` is 12 bytes of chance.
 */
export function sealLabel(
  labels: Uint8Array,
  kind: "device" | "host",
  about: string,
  label: string,
  nonce: Uint8Array,
): string {
  const bytes = utf8ToBytes(label);
  if (bytes.length > MAX_LABEL_BYTES) throw new RangeError(`a label of ${bytes.length} bytes`);
  const padded = new Uint8Array(Math.max(1, Math.ceil(bytes.length / LABEL_STEP_BYTES)) * LABEL_STEP_BYTES);
  padded.set(bytes);
  return sealed(labels, nonce, labelContext(kind, about), padded);
}

/** Throws `SealError("broken")` when it is not of that kind, about that and under this key. */
export function openLabel(labels: Uint8Array, kind: "device" | "host", about: string, sealedLabel: string): string {
  const padded = opened(labels, sealedLabel, labelContext(kind, about));
  return new TextDecoder().decode(padded.subarray(0, padded.findLastIndex((byte) => byte !== 0) + 1));
}

function labelContext(kind: string, about: string): Uint8Array {
  return framed(["flybridge account label", kind, about]);
}

/** nonce || ciphertext || tag, base64url. */
function sealed(key: Uint8Array, nonce: Uint8Array, context: Uint8Array, plaintext: Uint8Array): string {
  if (nonce.length !== NONCE_BYTES) throw new RangeError(`a nonce is ${NONCE_BYTES} bytes`);
  return toBase64Url(concatBytes(nonce, nobleSeal(key, nonce, context, plaintext)));
}

function opened(key: Uint8Array, text: string, context: Uint8Array): Uint8Array {
  const bytes = fromBase64Url(text, Math.floor((text.length * 3) / 4));
  if (!bytes) throw new SealError("broken", "What was sealed is damaged.");
  return nobleOpen(key, bytes.subarray(0, NONCE_BYTES), context, bytes.subarray(NONCE_BYTES));
}

function derived(secret: Uint8Array, label: string, bytes = KEY_BYTES): Uint8Array {
  return hkdf(sha256, secret, undefined, utf8ToBytes(label), bytes);
}

function halves(bytes: Uint8Array): LockKeys {
  return { auth: bytes.slice(0, KEY_BYTES), wrapping: bytes.slice(KEY_BYTES) };
}
