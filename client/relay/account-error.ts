/** Why something about an account could not be done, in sentences for a person. */
import { StretchingRefused } from "@flybridge/crypto/account.ts";
import type { AccountCode } from "@flybridge/protocol/relay/account.ts";
import { REFUSALS } from "@flybridge/protocol/relay/refusals.ts";
import { RelayRefused } from "@flybridge/transport/relay.ts";
import type { KeptAccount } from "./kept-account.ts";
import { CallRefused } from "./member.ts";

const MINUTE_MS = 60_000;

export type AccountFault =
  | AccountCode
  /** Nobody answers, or not now. */
  | "away"
  /** The relay does not take this device. */
  | "refused"
  /** With another account. */
  | "signed_in"
  | "bad_email"
  | "weak_passphrase"
  /** A recovery code that cannot be one. */
  | "mistyped_code"
  /** What the relay gives out is not what this device knows of the account. */
  | "dishonest";

export class AccountError extends Error {
  override readonly name = "AccountError";
  readonly fault: AccountFault;
  constructor(fault: AccountFault, message: string, options?: ErrorOptions) {
    super(message, options);
    this.fault = fault;
  }
}

/** Ours, not the relay's own: whoever runs it does not get to write on this screen. */
const CALLS: Record<AccountCode, string> = {
  bad_params: "The relay did not understand this app. Update the older of the two.",
  unknown_method: "This relay is older than this app and cannot do that. Ask whoever runs it to update it.",
  wrong_passphrase: "The e-mail and what you typed do not belong together. Check both.",
  locked: "There were too many wrong tries for this account.",
  email_taken: "There is an account with this e-mail already. Sign in instead.",
  closed: "This relay takes no new accounts. Ask whoever runs it.",
  not_invited:
    "This relay takes new accounts by invitation only, and this one is missing, wrong or used. Get a new one.",
  not_signed_in: "This device is not signed in any more. Sign in again.",
  not_fresh: "This needs the passphrase once more.",
  too_many: "That is more than this relay takes. Remove something, or wait a while.",
  not_found: "It is not there any more.",
  unavailable: "The relay cannot do that now. Try again in a moment.",
};

/** Anything that went wrong on the way to a relay or at it; what is neither stays what it is. */
export function accountErrorFrom(error: unknown): unknown {
  if (error instanceof CallRefused)
    return new AccountError(error.code, `${CALLS[error.code]}${afterText(error.after)}`, { cause: error });
  if (error instanceof RelayRefused)
    return new AccountError("refused", `${REFUSALS[error.code]}${afterText(error.after)}`, { cause: error });
  if (error instanceof StretchingRefused) return new AccountError("dishonest", error.message, { cause: error });
  if (error instanceof Error && error.name === "RelayAway")
    return new AccountError("away", error.message, { cause: error });
  return error;
}

/** What the relay gives out is not what this device knows of the account. */
export function dishonest(): AccountError {
  return new AccountError(
    "dishonest",
    "What the relay gives out is not this account, although it took what was typed. Do not go on, and ask whoever runs it.",
  );
}

/** Why this device is signed in no more. */
export const ENDED: Record<Extract<KeptAccount, { kind: "ended" }>["reason"], string> = {
  session_reused: REFUSALS.session_reused,
  signed_out:
    "This device was signed out: from another device, with the account, or because it was away for months. Sign in again.",
};

function afterText(after: number | undefined): string {
  if (after === undefined || after < MINUTE_MS) return "";
  const minutes = Math.ceil(after / MINUTE_MS);
  return minutes === 1 ? " Try again in a minute." : ` Try again in ${minutes} minutes.`;
}
