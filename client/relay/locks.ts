/** The two ways into an account's secret, by passphrase and by recovery code: made new, and opened with what a relay gives out. */
import {
  accountKeys,
  lockOf,
  type LockKeys,
  newStretching,
  NONCE_BYTES,
  openSecret,
  type Place,
  RECOVERY_BYTES,
  recoveryCodeOf,
  recoveryKeys,
  SALT_BYTES,
  stretch,
} from "@flybridge/crypto/account.ts";
import { SealError } from "@flybridge/crypto/suite.ts";
import { toBase64Url } from "@flybridge/protocol/base64.ts";
import type { AccountResult, Lock, Stretching } from "@flybridge/protocol/relay/account.ts";
import { AccountError, dishonest } from "./account-error.ts";
import type { Member } from "./member.ts";
import { strengthOf } from "./passphrase.ts";

/** The platform's. */
export type Random = (bytes: number) => Uint8Array;

/** Throws `AccountError` for a passphrase that no new lock is made of. */
export function requireStrong(passphrase: string, email: string): void {
  const { weakness, message } = strengthOf(passphrase, email);
  if (weakness) throw new AccountError("weak_passphrase", message);
}

/** Takes a second or so. */
export async function passphraseLock(
  passphrase: string,
  place: Place,
  secret: Uint8Array,
  random: Random,
): Promise<{ readonly stretching: Stretching; readonly lock: Lock }> {
  const stretching = newStretching(random(SALT_BYTES));
  return { stretching, lock: lockOf(await stretch(passphrase, stretching, place), secret, random(NONCE_BYTES)) };
}

/** The account's secret, by its passphrase. */
export async function passphraseSecret(member: Member, passphrase: string, place: Place): Promise<Uint8Array> {
  const { email } = place;
  const { stretching } = await member.call("account.begin", { email });
  const keys = await stretch(passphrase, stretching, place);
  return secretIn(keys, await member.call("account.signIn", { email, auth: toBase64Url(keys.auth) }));
}

export function recoveryLock(secret: Uint8Array, random: Random): { readonly code: string; readonly lock: Lock } {
  const code = recoveryCodeOf(random(RECOVERY_BYTES));
  return { code, lock: lockOf(recoveryCodeKeys(code), secret, random(NONCE_BYTES)) };
}

export function recoveryCodeKeys(code: string): LockKeys {
  const keys = recoveryKeys(code);
  if (keys) return keys;
  throw new AccountError(
    "mistyped_code",
    "This is no recovery code: a character is wrong or missing. Compare it with what you wrote down.",
  );
}

/** What a relay gave out for these keys, if it is what they open and what it says it is. */
export function secretIn(keys: LockKeys, { sealed, account }: AccountResult<"account.signIn">): Uint8Array {
  try {
    const secret = openSecret(keys.wrapping, sealed);
    if (toBase64Url(accountKeys(secret).key.publicKey) === account) return secret;
  } catch (error) {
    if (!(error instanceof SealError)) throw error;
  }
  throw dishonest();
}
