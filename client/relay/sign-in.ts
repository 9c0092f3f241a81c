/**
 * The ways into an account: by making it, with its passphrase, or with its recovery code. Each goes over a connection of
 * its own, on which this device is nobody yet, and leaves the device signed in.
 */
import { ACCOUNT_SECRET_BYTES, accountKeys, type Place } from "@flybridge/crypto/account.ts";
import { toBase64Url } from "@flybridge/protocol/base64.ts";
import { Email } from "@flybridge/protocol/relay/account.ts";
import type { Session } from "@flybridge/protocol/relay/words.ts";
import * as v from "valibot";
import type { Platform } from "../platform.ts";
import { AccountError } from "./account-error.ts";
import { enrolmentOf } from "./credentials.ts";
import type { Self } from "./labels.ts";
import { passphraseLock, passphraseSecret, recoveryCodeKeys, recoveryLock, requireStrong, secretIn } from "./locks.ts";
import { type Member, openMember } from "./member.ts";
import type { Standing } from "./standing.ts";

/** What a person typed, and how the device is called. */
export interface Entrant {
  readonly email: string;
  readonly passphrase: string;
  readonly self: Self;
}

export async function signUp(
  platform: Platform,
  standing: Standing,
  what: Entrant & { readonly invitation?: string },
): Promise<{ readonly recoveryCode: string }> {
  const { passphrase, self, invitation } = what;
  const email = emailFrom(what.email);
  requireStrong(passphrase, email);
  return anew(platform, standing, email, async (entry) => {
    const { random, keys } = platform;
    const secret = random(ACCOUNT_SECRET_BYTES);
    const { stretching, lock } = await passphraseLock(passphrase, entry.place, secret, random);
    const recovery = recoveryLock(secret, random);
    const { session } = await entry.member.call("account.signUp", {
      email,
      stretching,
      lock,
      recovery: recovery.lock,
      ...(await enrolmentOf(secret, (await keys.proof()).publicKey, self, random)),
      account: toBase64Url(accountKeys(secret).key.publicKey),
      ...(invitation === undefined ? {} : { invitation }),
    });
    await entered(entry, secret, session);
    return { recoveryCode: recovery.code };
  });
}

export async function signIn(platform: Platform, standing: Standing, what: Entrant): Promise<void> {
  return anew(platform, standing, emailFrom(what.email), async (entry) => {
    const secret = await passphraseSecret(entry.member, what.passphrase, entry.place);
    await enrol(entry, secret, what.self);
  });
}

export async function recover(
  platform: Platform,
  standing: Standing,
  what: Entrant & { readonly code: string },
): Promise<{ readonly recoveryCode: string }> {
  const { passphrase, self } = what;
  const email = emailFrom(what.email);
  requireStrong(passphrase, email);
  const keys = recoveryCodeKeys(what.code);
  return anew(platform, standing, email, async (entry) => {
    const { random } = platform;
    const opened = await entry.member.call("account.recover", { email, auth: toBase64Url(keys.auth) });
    const secret = secretIn(keys, opened);
    await enrol(entry, secret, self);
    const { stretching, lock } = await passphraseLock(passphrase, entry.place, secret, random);
    const recovery = recoveryLock(secret, random);
    await entry.member.call("account.change", { stretching, lock, recovery: recovery.lock });
    return { recoveryCode: recovery.code };
  });
}

interface Entry {
  readonly platform: Platform;
  readonly standing: Standing;
  readonly member: Member;
  readonly place: Place;
}

async function anew<T>(
  platform: Platform,
  standing: Standing,
  email: string,
  work: (entry: Entry) => Promise<T>,
): Promise<T> {
  const { state, origin } = standing;
  // Once more with the same account is for who got no further the last time.
  if (state.kind === "in" && state.email !== email)
    throw new AccountError("signed_in", `This device is signed in as ${state.email}. Sign out first.`);
  const { keys, clock } = platform;
  const [reach, key] = await Promise.all([platform.reach(), keys.proof()]);
  const member = await openMember(reach, { origin, key, clock });
  try {
    return await work({ platform, standing, member, place: { origin, email } });
  } finally {
    member.close();
  }
}

async function enrol(entry: Entry, secret: Uint8Array, self: Self): Promise<void> {
  const { keys, random } = entry.platform;
  const enrolment = await enrolmentOf(secret, (await keys.proof()).publicKey, self, random);
  const { session } = await entry.member.call("account.enrol", enrolment);
  await entered(entry, secret, session);
}

async function entered({ standing, member, place }: Entry, secret: Uint8Array, session: Session): Promise<void> {
  await standing.enter(place.email, secret, session);
  // Not heard, it is said by coming with that session.
  await member.call("account.kept", {}).catch(() => {});
}

function emailFrom(text: string): string {
  const email = v.safeParse(Email, text);
  if (email.success) return email.output;
  throw new AccountError("bad_email", "This is not an e-mail address. It looks like name@example.org.");
}
