/** A call about an account: who makes it, what it needs, and what it may answer. */
import type {
  ACCOUNT_METHODS,
  AccountCode,
  AccountMethod,
  AccountParams,
  AccountResult,
  Lock,
  Notice,
} from "@flybridge/protocol/relay/account.ts";
import type { Registration as Registering } from "@flybridge/protocol/relay/words.ts";
import { type Account, accountsIn, type StoredLock } from "../store/accounts.ts";
import type { Database, Queries } from "../store/database.ts";
import type { Registration } from "../store/registrations.ts";
import { coarseNetwork } from "./address.ts";
import { type Derive, newSalt, saltedHash } from "./secret.ts";
import type { Holding, Sessions } from "./sessions.ts";
import type { Tries, Way } from "./tries.ts";

/** One socket of a device that proved its key. What it may do besides grows with what it shows. */
export interface MemberCaller {
  /** DA. */
  readonly key: string;
  /** Its address. */
  readonly from: string;
  /** Of the newest session that was given on this socket, or that it came with. */
  holding?: Holding | undefined;
  opened?: Opened | undefined;
}

/** An account was opened on this socket. */
export interface Opened {
  readonly account: string;
  readonly at: number;
  readonly way: Way;
  /** Of the lock that was opened: it counts for as long as the account has it. */
  readonly hash: string;
}

export interface AccountsAround {
  readonly database: Database;
  readonly sessions: Sessions;
  readonly secret: string;
  /** Who may be new. */
  readonly registration: Registering;
  now(): number;
  /** Whether that host is at this relay now. */
  connected(host: Registration): boolean | Promise<boolean>;
  /** The sockets of those keys are to be closed, on every node. */
  ended(keys: readonly string[]): void;
  /** What the people of an account should see, when it has happened. */
  told(account: string, notice: Notice): void;
  /** What went wrong here, for the log. */
  failed(error: unknown): void;
}

/** What the functions of one call share. */
export interface Call {
  readonly caller: MemberCaller;
  readonly at: number;
  /** All of it or nothing; it may run again. Where the call needs a member, the caller is still one in it. */
  change<T>(work: (change: Change) => Promise<T>): Promise<T>;
  /** Once the answer is on its way, the sockets of those keys are closed. */
  end(keys: readonly string[]): void;
}

/** A transaction, and what follows when it has come to something. */
export interface Change extends Queries {
  end(keys: readonly string[]): void;
  /** Stores it, and whoever is there hears of it. With `once`, not what was said today. */
  tell(account: string, notice: Notice, once?: "once"): Promise<void>;
}

/** By a registered device, of that account. */
export interface MemberCall extends Call {
  readonly account: string;
}

/** On a socket on which an account was opened. */
export interface OpenedCall extends Call {
  readonly opened: Opened;
}

/** By a registered device, on a socket on which its own account was opened a moment ago. */
export interface FreshCall extends MemberCall, OpenedCall {}

interface Needing {
  readonly nothing: Call;
  readonly opened: OpenedCall;
  readonly member: MemberCall;
  readonly fresh: FreshCall;
}
type CallOf<M extends AccountMethod> = Needing[(typeof ACCOUNT_METHODS)[M]["needs"]];

export type Handler<M extends AccountMethod> = (params: AccountParams<M>, call: CallOf<M>) => Promise<AccountResult<M>>;
export type Handlers<M extends AccountMethod = AccountMethod> = { readonly [K in M]: Handler<K> };

/** What a group of them is made over. */
export interface HandlersAround extends AccountsAround {
  readonly derive: Derive;
  readonly tries: Tries;
}

/** An answer that is none: for the one who called, and nothing of it was done. */
export class AccountError extends Error {
  override readonly name = "AccountError";
  readonly code: AccountCode;
  /** Milliseconds until it may be tried again. */
  readonly after: number | undefined;

  constructor(code: AccountCode, message: string, after?: number) {
    super(message);
    this.code = code;
    this.after = after;
  }
}

export function notSignedIn(): AccountError {
  return new AccountError(
    "not_signed_in",
    "This device is not signed in here, or no more. Sign in with the passphrase.",
  );
}

/** The account that was opened, locked until the transaction ends. Throws `AccountError` when its lock is another by now. */
export async function stillOpened(change: Change, { account: key, way, hash }: Opened): Promise<Account> {
  const account = await accountsIn(change).lock(key);
  if (!account || account[way].hash !== hash) throw notSignedIn();
  return account;
}

export function noticeOf({ caller, at }: Call, kind: Notice["kind"], key?: string): Notice {
  const from = coarseNetwork(caller.from);
  return { at, kind, ...(key === undefined ? {} : { key }), ...(from === undefined ? {} : { from }) };
}

/** What is stored of a lock: nothing that opens it. */
export function storedLock({ auth, sealed }: Lock): StoredLock {
  const salt = newSalt();
  return { salt, hash: saltedHash(salt, auth), sealed };
}
