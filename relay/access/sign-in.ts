/** What leads to a signed-in device: an account is made or opened, and the key of the socket is registered under it. */
import { isEndorsedDevice } from "@flybridge/crypto/proof.ts";
import { fromBase64Url } from "@flybridge/protocol/base64.ts";
import { MAX_MEMBERS } from "@flybridge/protocol/relay/account.ts";
import type { Session } from "@flybridge/protocol/relay/words.ts";
import { accountsIn, type StoredLock } from "../store/accounts.ts";
import { invitationsIn } from "../store/invitations.ts";
import { registrationsIn } from "../store/registrations.ts";
import { sessionsIn } from "../store/sessions.ts";
import {
  AccountError,
  type Call,
  type Change,
  type Handlers,
  type HandlersAround,
  noticeOf,
  notSignedIn,
  stillOpened,
  storedLock,
} from "./account-call.ts";
import { isSameHash, newSalt, saltedHash } from "./secret.ts";
import { isLocked, type Way } from "./tries.ts";

/** How a passphrase is stretched where there is no account: as devices choose it for a new one (`crypto/account.ts`). */
const USUAL_STRETCHING = { memory: 47_104, passes: 2 };
const SALT_BYTES = 16;
const KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;
/** Of what an address may spend. A try that is right costs nothing. */
const BEGIN_COST = 1;
const TRY_COST = 2;

type Method =
  | "account.begin"
  | "account.signUp"
  | "account.signIn"
  | "account.recover"
  | "account.enrol"
  | "account.kept"
  | "account.renew";

export function signInHandlers(around: HandlersAround): Handlers<Method> {
  const { database, derive, sessions, tries } = around;
  /** A lock that nothing opens, for the time that it takes to compare with one. */
  const noLock: StoredLock = { salt: newSalt(), hash: saltedHash(newSalt(), newSalt()), sealed: "" };

  const spend = (from: string, cost: number): void => {
    const wait = tries.spend(from, cost);
    if (wait !== undefined) throw locked("Too much was asked from this network.", wait);
  };

  /** The session of the socket's key, which has just been registered. */
  const begin = async (call: Call): Promise<{ session: Session }> => {
    const begun = await sessions.begin(call.caller.key, call.caller.from);
    if (begun.kind !== "given") throw notSignedIn();
    call.caller.holding = begun.holding;
    return { session: begun.session };
  };

  const open = async (way: Way, { email, auth }: { email: string; auth: string }, call: Call) => {
    spend(call.caller.from, TRY_COST);
    const { failures, wait } = await tries.count(way, email);
    if (wait !== undefined) throw locked("Too many tries.", wait);
    const account = await accountsIn(database).byEmail(email);
    const lock = account?.[way] ?? noLock;
    const isRight = isSameHash(lock.hash, saltedHash(lock.salt, auth));
    if (!account || !isRight) {
      // Done in either case, so that it takes as long.
      const key = account?.key ?? call.caller.key;
      if (isLocked(failures)) await call.change((change) => noteLocked(change, key, call));
      throw new AccountError(
        "wrong_passphrase",
        way === "passphrase"
          ? "This e-mail and this passphrase do not belong together. Check both; a recovery code opens the account as well."
          : "This e-mail and this recovery code do not belong together. Check both.",
      );
    }
    await tries.forget(way, email);
    // No more than it cost: who has an account would otherwise earn tries at others by opening it.
    tries.giveBack(call.caller.from, TRY_COST);
    call.caller.opened = { account: account.key, at: call.at, way, hash: lock.hash };
    return account;
  };

  return {
    async "account.begin"({ email }, { caller }) {
      spend(caller.from, BEGIN_COST);
      const salt = derive("stretching", email).subarray(0, SALT_BYTES).toString("base64url");
      const account = await accountsIn(database).byEmail(email);
      return { stretching: account?.stretching ?? { salt, ...USUAL_STRETCHING } };
    },
    async "account.signUp"(params, call) {
      const { account: key, email, endorsement, label, invitation } = params;
      if (around.registration === "closed")
        throw new AccountError("closed", "This relay takes nobody new. Ask whoever runs it.");
      spend(call.caller.from, TRY_COST);
      requireEndorsement(key, endorsement, call.caller.key);
      await call.change(async (change) => {
        if (around.registration === "invitation")
          if (invitation === undefined || !(await invitationsIn(change).take(invitation, "account", call.at)))
            throw new AccountError(
              "not_invited",
              "This invitation is not right, was used before, or has expired. Ask whoever runs this relay for one.",
            );
        const account = {
          key,
          email,
          stretching: params.stretching,
          passphrase: storedLock(params.lock),
          recovery: storedLock(params.recovery),
          created: call.at,
        };
        if (!(await accountsIn(change).add(account)))
          throw new AccountError("email_taken", "There is an account with this e-mail already. Sign in instead.");
        await register(change, key, label, call);
      });
      return begin(call);
    },
    async "account.signIn"(params, call) {
      const { key, passphrase } = await open("passphrase", params, call);
      return { account: key, sealed: passphrase.sealed };
    },
    async "account.recover"(params, call) {
      const { key, recovery } = await open("recovery", params, call);
      await call.change((change) => change.tell(key, noticeOf(call, "recovered", call.caller.key)));
      return { account: key, sealed: recovery.sealed };
    },
    async "account.enrol"({ endorsement, label }, call) {
      requireEndorsement(call.opened.account, endorsement, call.caller.key);
      await call.change(async (change) => {
        const { key } = await stillOpened(change, call.opened);
        await register(change, key, label, call);
      });
      return begin(call);
    },
    async "account.kept"(_, { caller }) {
      if (caller.holding) await sessions.kept(caller.holding);
      return {};
    },
    async "account.renew"({ session }, call) {
      const { caller } = call;
      const renewed = await sessions.renew(session, caller.key, caller.from);
      if (renewed.kind === "given") {
        caller.holding = renewed.holding;
        return { session: renewed.session };
      }
      if (renewed.kind === "reused") call.end([renewed.key]);
      throw notSignedIn();
    },
  };
}

/** Under an account that is locked, or new. A key has one account: where it was under another, it is that no more. */
async function register(change: Change, account: string, label: string, call: Call): Promise<void> {
  const { key } = call.caller;
  const registrations = registrationsIn(change);
  const before = await registrations.lock(key);
  if (before?.kind === "host") throw new AccountError("bad_params", "This is the key of a host, not of a device.");
  if (before?.account !== account && (await registrations.byAccount(account)).length >= MAX_MEMBERS)
    throw new AccountError(
      "too_many",
      `This account has ${MAX_MEMBERS} devices and hosts already. Remove one that is not used any more.`,
    );
  if (before?.account !== undefined && before.account !== account) {
    await change.tell(before.account, noticeOf(call, "device_removed", key));
    change.end([key]);
  }
  await sessionsIn(change).endAll(key);
  await registrations.put({ key, kind: "device", account, label, created: call.at, seen: call.at });
  await registrations.setHeld(key, false);
  await change.tell(account, noticeOf(call, "signed_in", key));
}

/** Once a day, and without where it came from: it may come from everywhere at once. */
async function noteLocked(change: Change, key: string, { at }: Call): Promise<void> {
  const account = await accountsIn(change).lock(key);
  if (account) await change.tell(account.key, { at, kind: "locked" }, "once");
}

function requireEndorsement(account: string, endorsement: string, key: string): void {
  const [accountKey, deviceKey] = [account, key].map((text) => fromBase64Url(text, KEY_BYTES));
  const signature = fromBase64Url(endorsement, SIGNATURE_BYTES);
  if (!accountKey || !deviceKey || !signature || !isEndorsedDevice(accountKey, signature, deviceKey))
    throw new AccountError("bad_params", "The account's key did not sign this device's key. Update this device.");
}

function locked(what: string, wait: number): AccountError {
  return new AccountError("locked", `${what} Try again in ${Math.ceil(wait / 1_000)} seconds.`, wait);
}
