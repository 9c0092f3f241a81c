/**
 * What a device says to a relay about an account. The passphrase never leaves the device: it makes two keys of it
 * (`crypto/account.ts`), one to sign in with, one that opens the account's own secret, which the relay keeps sealed.
 * Names of devices and hosts are sealed under that secret too: the relay has keys, times and an address of e-mail.
 *
 *   call {t:"call", id, method, params} -> reply {t:"reply", id, ok} | {t:"reply", id, error}
 *   notice: what a person should see, when it happens
 */
import * as v from "valibot";
import { HostId } from "../ids.ts";
import { Bytes32, Invitation, Rendezvous, Session, Signature } from "./words.ts";

/** Characters of an address of e-mail (RFC 5321 §4.5.3.1.3). */
const MAX_EMAIL_CHARS = 254;
/** Characters of something sealed, base64url. */
const MAX_SEALED_CHARS = 1_024;
/** Devices and hosts of one account: so many that with the longest labels `account.read` still is one frame. */
export const MAX_MEMBERS = 48;
export const MAX_NOTICES = 50;

/** Compared without regard to case; that is why it travels in lower case. */
export const Email = v.pipe(
  v.string(),
  v.trim(),
  v.toLowerCase(),
  v.maxLength(MAX_EMAIL_CHARS),
  // Nor what no text is made of: a database may refuse it, or take two of them for one.
  v.regex(/^[^\s@<>,;"()\p{Cc}\p{Cs}]+@[^\s@<>,;"()\p{Cc}\p{Cs}]+$/u),
);
const Sealed = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]+$/u), v.maxLength(MAX_SEALED_CHARS));
const Time = v.pipe(v.number(), v.safeInteger());

/** How a passphrase becomes keys: Argon2id (RFC 9106). A device refuses weaker ones than it would choose. */
export const Stretching = v.object({
  salt: v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{22}$/u)),
  /** KiB. */
  memory: v.pipe(v.number(), v.safeInteger(), v.minValue(8), v.maxValue(1_048_576)),
  passes: v.pipe(v.number(), v.safeInteger(), v.minValue(1), v.maxValue(16)),
});
export type Stretching = v.InferOutput<typeof Stretching>;

/** One way to open an account: by the passphrase, or by the recovery code. */
export const Lock = v.object({
  /** Proves that its holder has it. The relay keeps a salted hash. */
  auth: Bytes32,
  /** The account's secret under this lock's other key. */
  sealed: Sealed,
});
export type Lock = v.InferOutput<typeof Lock>;

export const Member = v.object({
  /** DA. */
  key: Bytes32,
  /** Its name and kind, sealed. */
  label: Sealed,
  created: Time,
  seen: Time,
  /** The device that asks. */
  self: v.boolean(),
});
export type Member = v.InferOutput<typeof Member>;

export const AccountHost = v.object({
  host: HostId,
  rendezvous: Rendezvous,
  /** Its name, its key HS and what pairs with it, sealed. */
  label: Sealed,
  created: Time,
  connected: v.boolean(),
});
export type AccountHost = v.InferOutput<typeof AccountHost>;

export const Notice = v.object({
  at: Time,
  kind: v.picklist([
    /** A session token was used that had been replaced: the sign-in was ended everywhere it is. */
    "session_reused",
    /** One ticket on two live sockets. */
    "ticket_doubled",
    "signed_in",
    "moved",
    "passphrase_changed",
    "recovered",
    "device_removed",
    "locked",
  ]),
  /** Whose it is. */
  key: v.optional(Bytes32),
  /** Where from, as coarse as it is useful: the first half of an address. */
  from: v.optional(v.string()),
});
export type Notice = v.InferOutput<typeof Notice>;

const Nothing = v.object({});
const Opened = v.object({ account: Bytes32, sealed: Sealed });

/** `fresh`: only on a socket on which the passphrase or the recovery code was shown within `FRESH_MS`. */
interface Row {
  readonly needs: "nothing" | "opened" | "member" | "fresh";
  readonly params: v.GenericSchema;
  readonly result: v.GenericSchema;
}

/** Milliseconds after a passphrase was shown in which what is dangerous may be done. */
export const FRESH_MS = 5 * 60_000;

export const ACCOUNT_METHODS = {
  /** How this e-mail's passphrase is stretched. Of one that has no account, an answer that looks alike. */
  "account.begin": {
    needs: "nothing",
    params: v.object({ email: Email }),
    result: v.object({ stretching: Stretching }),
  },
  /** Makes an account and registers the asking key under it. */
  "account.signUp": {
    needs: "nothing",
    params: v.object({
      email: Email,
      stretching: Stretching,
      lock: Lock,
      recovery: Lock,
      /** The account's public key; `endorsement` is its signature over the asking key. */
      account: Bytes32,
      endorsement: Signature,
      label: Sealed,
      invitation: v.optional(Invitation),
    }),
    result: v.object({ session: Session }),
  },
  /** What opens the account; the asking key is not registered yet. */
  "account.signIn": { needs: "nothing", params: v.object({ email: Email, auth: Bytes32 }), result: Opened },
  "account.recover": { needs: "nothing", params: v.object({ email: Email, auth: Bytes32 }), result: Opened },
  /** Registers the asking key under the account that was opened on this socket. */
  "account.enrol": {
    needs: "opened",
    params: v.object({ endorsement: Signature, label: Sealed }),
    result: v.object({ session: Session }),
  },
  /** The newest session is stored. */
  "account.kept": { needs: "member", params: Nothing, result: Nothing },
  "account.renew": { needs: "member", params: v.object({ session: Bytes32 }), result: v.object({ session: Session }) },
  "account.read": {
    needs: "member",
    params: Nothing,
    result: v.object({
      email: v.string(),
      account: Bytes32,
      devices: v.array(Member),
      hosts: v.array(AccountHost),
      notices: v.array(Notice),
    }),
  },
  /** Another passphrase, another recovery code, or both. */
  "account.change": {
    needs: "fresh",
    params: v.object({ stretching: v.optional(Stretching), lock: v.optional(Lock), recovery: v.optional(Lock) }),
    result: Nothing,
  },
  "account.putHost": {
    needs: "member",
    params: v.object({ host: HostId, rendezvous: Rendezvous, label: Sealed }),
    result: Nothing,
  },
  "account.removeHost": { needs: "member", params: v.object({ host: HostId }), result: Nothing },
  /** Ends a device's registration and its sockets; its own too. */
  "account.removeDevice": { needs: "member", params: v.object({ key: Bytes32 }), result: Nothing },
  /** Ends those of all other devices. */
  "account.signOutOthers": { needs: "member", params: Nothing, result: v.object({ ended: v.number() }) },
  "account.dismiss": { needs: "member", params: Nothing, result: Nothing },
  /** With all that hangs on it. */
  "account.delete": { needs: "fresh", params: Nothing, result: Nothing },
} as const satisfies Record<string, Row>;

export type AccountMethod = keyof typeof ACCOUNT_METHODS;
export type AccountParams<M extends AccountMethod> = v.InferOutput<(typeof ACCOUNT_METHODS)[M]["params"]>;
export type AccountResult<M extends AccountMethod> = v.InferOutput<(typeof ACCOUNT_METHODS)[M]["result"]>;

export const AccountCode = v.picklist([
  "bad_params",
  "unknown_method",
  /** The e-mail and what was shown do not belong together: which of them is wrong is not said. */
  "wrong_passphrase",
  /** Too many tries: `after` says when again. */
  "locked",
  "email_taken",
  "closed",
  "not_invited",
  /** This needs a signed-in device, or the passphrase once more. */
  "not_signed_in",
  "not_fresh",
  "too_many",
  "not_found",
  "unavailable",
]);
export type AccountCode = v.InferOutput<typeof AccountCode>;

export const AccountCall = v.object({
  t: v.literal("call"),
  id: v.pipe(v.number(), v.safeInteger()),
  method: v.string(),
  params: v.unknown(),
});

export const AccountReply = v.object({
  t: v.literal("reply"),
  id: v.number(),
  ok: v.optional(v.unknown()),
  error: v.optional(
    v.object({
      code: AccountCode,
      /** For a person; says how to mend it. */
      message: v.string(),
      after: v.optional(v.number()),
    }),
  ),
});

/** From a relay to a member, unasked. */
export const ToMember = v.variant("t", [
  AccountReply,
  v.object({ t: v.literal("notice"), notice: Notice }),
  v.object({ t: v.literal("moving") }),
]);
export type ToMember = v.InferOutput<typeof ToMember>;
