/**
 * A person's account at one relay, as a device of it: signing up and in, staying signed in, and what is done about the
 * account. Nothing that opens it leaves the device: the relay gets what shows that one has the passphrase, and blobs.
 *
 * All that is dear about it (argon2, the seal) comes with this file, so an app loads it when somebody asks for it.
 */
import {
  ACCOUNT_SECRET_BYTES,
  accountKeys,
  type LockKeys,
  pairingOfferOf,
  pairingSecretOf,
  type Place,
} from "@flybridge/crypto/account.ts";
import { endorseDevice, endorseHost, endorsePairing } from "@flybridge/crypto/proof.ts";
import { fromBase64Url, toBase64Url } from "@flybridge/protocol/base64.ts";
import type { HostId } from "@flybridge/protocol/ids.ts";
import { Email, MAX_NOTICES, type Notice } from "@flybridge/protocol/relay/account.ts";
import type { Session } from "@flybridge/protocol/relay/words.ts";
import * as v from "valibot";
import type { Cell } from "../cell.ts";
import type { Platform } from "../platform.ts";
import { AccountError, accountErrorFrom } from "./account-error.ts";
import { keepAccount, type KeptAccount, keptAccount } from "./kept-account.ts";
import { deviceLabel, deviceLabelIn, hostLabel, hostLabelIn, type Self } from "./labels.ts";
import {
  dishonest,
  passphraseLock,
  passphraseSecret,
  recoveryCodeKeys,
  type Random,
  recoveryLock,
  secretIn,
} from "./locks.ts";
import { ENDED, type LineState, MemberLine } from "./member-line.ts";
import { CallRefused, type Member, openMember } from "./member.ts";
import { strengthOf } from "./passphrase.ts";

export type AccountState =
  | { readonly kind: "out" }
  /** `line` is absent while nobody asked for a connection. */
  | { readonly kind: "in"; readonly email: string; readonly line?: LineState }
  /** Until the person signs in again or out; `message` is for them. */
  | {
      readonly kind: "ended";
      readonly email: string;
      readonly reason: "session_reused" | "signed_out";
      readonly message: string;
    };

export interface AccountView {
  state: AccountState;
  /** Newest first; known while connected. */
  notices: readonly Notice[];
}

export interface AccountDevice {
  /** DA. */
  readonly key: string;
  /** Absent where the relay's list has what none of the account's devices sealed. */
  readonly name?: string;
  readonly kind?: Self["kind"];
  readonly created: number;
  readonly seen: number;
  readonly self: boolean;
}

export interface AccountHost {
  readonly host: string;
  readonly rendezvous: string;
  /** Both are absent where the relay's list has what none of the account's devices sealed. */
  readonly name?: string;
  /** HS, base64url. */
  readonly hostKey?: string;
  readonly created: number;
  readonly connected: boolean;
}

export interface AccountContents {
  readonly email: string;
  /** Its public key, by which hosts know it. */
  readonly account: string;
  readonly devices: readonly AccountDevice[];
  readonly hosts: readonly AccountHost[];
  readonly notices: readonly Notice[];
}

/** What lets this device pair with a host that trusts the account, as an offer does with any. */
export interface AccountPairing {
  readonly origin: string;
  /** By which the relay joins the two. One that is used long after it was renewed is an alarm. */
  readonly session: string;
  readonly offer: Uint8Array;
  readonly secret: Uint8Array;
  /** For the introduction. */
  readonly endorsement: string;
}

/** What `account.trust` takes. */
export interface AccountTrust {
  readonly origin: string;
  readonly account: string;
  readonly pairing: string;
  readonly endorsement: string;
}

/**
 * `origin` as `relayOriginFrom` writes it; `changed` is called after each change of the view. Rejects with `StoreError`.
 * It connects when it is asked to.
 */
export async function openAccount(platform: Platform, origin: string, changed = (): void => {}): Promise<Account> {
  const kept = await keptAccount(platform.keys, origin);
  return new Account(platform, origin, stateOf(kept), changed);
}

/** Everything that is asked rejects with `AccountError`, or `StoreError` where this device cannot keep what it has to. */
export class Account {
  readonly origin: string;
  readonly view: Cell<AccountView>;
  readonly #platform: Platform;
  readonly #line: MemberLine;
  readonly #random: Random;
  readonly #changed: () => void;
  readonly #stopListening: () => void;

  constructor(platform: Platform, origin: string, state: AccountState, changed: () => void) {
    this.origin = origin;
    this.#changed = changed;
    this.#platform = platform;
    this.#random = platform.random;
    this.view = platform.makeCell<AccountView>({ state, notices: [] });
    this.#line = new MemberLine(platform, origin, {
      state: (line) => {
        const { state: now } = this.view.value;
        if (now.kind === "in") this.#show({ ...now, line });
      },
      up: (member) => {
        // Only what it says of itself to begin with; whoever wants more asks.
        member.call("account.read", {}).then(
          ({ notices }) => this.#notices(notices),
          () => {},
        );
      },
      notice: (notice) => this.#notices([notice, ...this.view.value.notices]),
      out: (kept) => this.#show(stateOf(kept)),
    });
    this.#stopListening = platform.onNetwork(() => this.wake());
  }

  /** Stays connected from now on, where this device is signed in. */
  start(): void {
    if (this.view.value.state.kind === "in") this.#line.start();
  }

  /** The network, the page or the person came back. */
  wake(): void {
    this.#line.wake();
  }

  close(): void {
    this.#stopListening();
    this.#line.stop();
  }

  /** Resolves with the recovery code, which is shown once: with it the account opens when the passphrase is lost. */
  signUp(what: {
    readonly email: string;
    readonly passphrase: string;
    readonly self: Self;
    readonly invitation?: string;
  }): Promise<{ readonly recoveryCode: string }> {
    const { passphrase, self, invitation } = what;
    const prepared = (email: string): void => requireStrong(passphrase, email);
    return this.#anew(what.email, prepared, async (member, email) => {
      const secret = this.#platform.random(ACCOUNT_SECRET_BYTES);
      const { stretching, lock } = await passphraseLock(passphrase, this.#place(email), secret, this.#random);
      const recovery = recoveryLock(secret, this.#random);
      const { session } = await member.call("account.signUp", {
        email,
        stretching,
        lock,
        recovery: recovery.lock,
        ...(await this.#selfOf(secret, self)),
        account: toBase64Url(accountKeys(secret).key.publicKey),
        ...(invitation === undefined ? {} : { invitation }),
      });
      await this.#entered(member, email, secret, session);
      return { recoveryCode: recovery.code };
    });
  }

  signIn(what: { readonly email: string; readonly passphrase: string; readonly self: Self }): Promise<void> {
    const prepared = (): void => {};
    return this.#anew(what.email, prepared, async (member, email) => {
      const secret = await passphraseSecret(member, what.passphrase, this.#place(email));
      await this.#enrol(member, email, secret, what.self);
    });
  }

  /** By the recovery code, with a passphrase for the time to come. The code is used up: resolves with the next one. */
  recover(what: {
    readonly email: string;
    readonly code: string;
    readonly passphrase: string;
    readonly self: Self;
  }): Promise<{ readonly recoveryCode: string }> {
    const { code, passphrase, self } = what;
    const prepared = (email: string): LockKeys => {
      requireStrong(passphrase, email);
      return recoveryCodeKeys(code);
    };
    return this.#anew(what.email, prepared, async (member, email, keys) => {
      const secret = secretIn(keys, await member.call("account.recover", { email, auth: toBase64Url(keys.auth) }));
      await this.#enrol(member, email, secret, self);
      const { stretching, lock } = await passphraseLock(passphrase, this.#place(email), secret, this.#random);
      const recovery = recoveryLock(secret, this.#random);
      await member.call("account.change", { stretching, lock, recovery: recovery.lock });
      return { recoveryCode: recovery.code };
    });
  }

  /** `current` is what it was until now. */
  changePassphrase(current: string, next: string): Promise<void> {
    return this.#asked(async (member) => {
      const { email } = await this.#own();
      requireStrong(next, email);
      const secret = await this.#shown(member, current);
      const { stretching, lock } = await passphraseLock(next, this.#place(email), secret, this.#random);
      await member.call("account.change", { stretching, lock });
    });
  }

  /** The one before opens nothing any more. */
  newRecoveryCode(passphrase: string): Promise<{ readonly recoveryCode: string }> {
    return this.#asked(async (member) => {
      const recovery = recoveryLock(await this.#shown(member, passphrase), this.#random);
      await member.call("account.change", { recovery: recovery.lock });
      return { recoveryCode: recovery.code };
    });
  }

  read(): Promise<AccountContents> {
    return this.#asked(async (member) => {
      const { secret } = await this.#own();
      const { key, labels } = accountKeys(secret);
      const { email, account, devices, hosts, notices } = await member.call("account.read", {});
      if (account !== toBase64Url(key.publicKey)) throw dishonest();
      this.#notices(notices);
      return {
        email,
        account,
        devices: devices.map(({ label, ...device }) => ({ ...device, ...deviceLabelIn(labels, device.key, label) })),
        hosts: hosts.map(({ label, ...host }) => ({ ...host, ...hostLabelIn(labels, host.host, label) })),
        notices,
      };
    });
  }

  /**
   * Puts a host on the account's list, for its other devices to find. `hostKey` is HS, base64url. The host itself has to
   * have said at the relay that it is of this account, which it does when it is told to trust it.
   */
  putHost(host: Pick<AccountHost, "host" | "rendezvous"> & { name: string; hostKey: string }): Promise<void> {
    return this.#asked(async (member) => {
      const { labels } = accountKeys((await this.#own()).secret);
      const label = hostLabel(labels, host.host, host, this.#random);
      const { host: id, rendezvous } = host;
      await member.call("account.putHost", { host: id as HostId, rendezvous, label }).catch((error: unknown) => {
        if (!(error instanceof CallRefused) || error.code !== "not_found") throw error;
        throw new AccountError(
          "not_found",
          "The relay has not heard from this host that it is of this account. See that the host is connected to it, and try again.",
          { cause: error },
        );
      });
    });
  }

  removeHost(host: string): Promise<void> {
    return this.#asked(async (member) => void (await member.call("account.removeHost", { host: host as HostId })));
  }

  /** Another device's; its own is `signOut`. */
  removeDevice(key: string): Promise<void> {
    return this.#asked(async (member) => void (await member.call("account.removeDevice", { key })));
  }

  /** Resolves with how many there were. */
  signOutOthers(): Promise<number> {
    return this.#asked(async (member) => (await member.call("account.signOutOthers", {})).ended);
  }

  /** The notices were seen. */
  dismiss(): Promise<void> {
    return this.#asked(async (member) => {
      await member.call("account.dismiss", {});
      this.#notices([]);
    });
  }

  /**
   * Forgets the account here, and ends this device's registration there. `ended` is whether the relay heard of it: where
   * it did not, another device of the account can remove this one.
   */
  async signOut(): Promise<{ readonly ended: boolean }> {
    let ended = false;
    if (this.view.value.state.kind === "in") {
      ended = await this.#goodbye(async (member) => {
        await member.call("account.removeDevice", { key: toBase64Url((await this.#platform.keys.proof()).publicKey) });
      }).catch((error: unknown) => {
        if (error instanceof AccountError) return false;
        throw error;
      });
    }
    await this.#forget();
    return { ended };
  }

  /** The whole account, with all that hangs on it at the relay. Hosts go on to know their devices. */
  async deleteAccount(passphrase: string): Promise<void> {
    await this.#goodbye(async (member) => {
      await this.#shown(member, passphrase);
      await member.call("account.delete", {});
    });
    await this.#forget();
  }

  /**
   * `work` with what pairs this device, of static key `ds`, with a host that trusts the account. No window of this device
   * renews the session meanwhile, nor pairs by this account; so it is not for long.
   */
  pairing<T>(host: string, ds: Uint8Array, work: (pairing: AccountPairing) => Promise<T>): Promise<T> {
    return this.#asked(() =>
      this.#alone(async () => {
        const { secret, session } = await this.#own();
        // Whoever is connected has one.
        if (!session) throw new AccountError("unavailable", "The relay gave this device no session. Try again.");
        const { key } = accountKeys(secret);
        return work({
          origin: this.origin,
          session: session.session,
          offer: pairingOfferOf(key.publicKey, host),
          secret: pairingSecretOf(secret, host),
          endorsement: toBase64Url(await endorsePairing(key, ds, host)),
        });
      }),
    );
  }

  /** What a host is told that is to trust the account. `identity` is its identity key HI. */
  trust(host: string, identity: Uint8Array, rendezvous: string): Promise<AccountTrust> {
    return this.#told(async () => {
      const { secret } = await this.#own();
      const { key } = accountKeys(secret);
      return {
        origin: this.origin,
        account: toBase64Url(key.publicKey),
        pairing: toBase64Url(pairingSecretOf(secret, host)),
        endorsement: toBase64Url(await endorseHost(key, identity, rendezvous)),
      };
    });
  }

  /** `work` over a connection of its own, on which this device is nobody yet; then it is signed in. */
  #anew<T, P>(
    typed: string,
    /** Throws for what need not be sent anywhere. */
    prepare: (email: string) => P,
    work: (member: Member, email: string, prepared: P) => Promise<T>,
  ): Promise<T> {
    return this.#told(async () => {
      const email = emailFrom(typed);
      const prepared = prepare(email);
      const { state } = this.view.value;
      // Once more with the same account is for who got no further the last time.
      if (state.kind === "in" && state.email !== email)
        throw new AccountError("signed_in", `This device is signed in as ${state.email}. Sign out first.`);
      const { keys, clock } = this.#platform;
      const [reach, key] = await Promise.all([this.#platform.reach(), keys.proof()]);
      const member = await openMember(reach, { origin: this.origin, key, clock });
      try {
        return await work(member, email, prepared);
      } finally {
        member.close();
        this.start();
      }
    });
  }

  async #enrol(member: Member, email: string, secret: Uint8Array, self: Self): Promise<void> {
    const { session } = await member.call("account.enrol", await this.#selfOf(secret, self));
    await this.#entered(member, email, secret, session);
  }

  /** From here on it is signed in, also after a crash. */
  async #entered(member: Member, email: string, secret: Uint8Array, session: Session): Promise<void> {
    await this.#alone(() =>
      keepAccount(this.#platform.keys, this.origin, { kind: "in", email, secret: toBase64Url(secret), session }),
    );
    this.#show({ kind: "in", email });
    // Not heard, it is said by coming with that session.
    await member.call("account.kept", {}).catch(() => {});
  }

  async #selfOf(secret: Uint8Array, self: Self): Promise<{ endorsement: string; label: string }> {
    const { publicKey } = await this.#platform.keys.proof();
    const { key, labels } = accountKeys(secret);
    return {
      endorsement: toBase64Url(await endorseDevice(key, publicKey)),
      label: deviceLabel(labels, toBase64Url(publicKey), self, this.#random),
    };
  }

  /** Shows the passphrase once more, which what is dangerous needs. */
  async #shown(member: Member, passphrase: string): Promise<Uint8Array> {
    const { email, secret } = await this.#own();
    if (toBase64Url(await passphraseSecret(member, passphrase, this.#place(email))) !== toBase64Url(secret))
      throw dishonest();
    return secret;
  }

  #place(email: string): Place {
    return { origin: this.origin, email };
  }

  /** `work`, after which nothing more is to be had of this connection. Resolves with whether it was done. */
  #goodbye(work: (member: Member) => Promise<void>): Promise<boolean> {
    return this.#asked(async (member) => {
      try {
        await work(member);
        return true;
      } catch (error) {
        // The relay may end the connection before it answers.
        const end = member.isOpen ? undefined : await member.ended;
        if (end?.kind === "refused") return true;
        throw error;
      }
    });
  }

  async #forget(): Promise<void> {
    this.#line.stop();
    await this.#alone(() => keepAccount(this.#platform.keys, this.origin, undefined));
    this.#change((view) => {
      view.state = { kind: "out" };
      view.notices = [];
    });
  }

  async #own(): Promise<{ email: string; secret: Uint8Array; session: Session | undefined }> {
    const kept = await keptAccount(this.#platform.keys, this.origin);
    const secret = kept?.kind === "in" ? fromBase64Url(kept.secret, ACCOUNT_SECRET_BYTES) : undefined;
    if (kept?.kind !== "in" || !secret)
      throw new AccountError("not_signed_in", "This device is not signed in there. Sign in.");
    return { email: kept.email, secret, session: kept.session };
  }

  #asked<T>(work: (member: Member) => Promise<T>): Promise<T> {
    return this.#told(async () => {
      await this.#own();
      return work(await this.#line.ready());
    });
  }

  async #told<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw accountErrorFrom(error);
    }
  }

  #alone<T>(work: () => Promise<T>): Promise<T> {
    return this.#platform.keys.alone(`relay ${this.origin}`, work, new AbortController().signal);
  }

  #show(state: AccountState): void {
    this.#change((view) => {
      view.state = state;
    });
  }

  #notices(notices: readonly Notice[]): void {
    this.#change((view) => {
      view.notices = notices.slice(0, MAX_NOTICES);
    });
  }

  #change(mutate: (view: AccountView) => void): void {
    this.view.change(mutate);
    this.#changed();
  }
}

function stateOf(kept: KeptAccount | undefined): AccountState {
  if (!kept) return { kind: "out" };
  if (kept.kind === "in") return { kind: "in", email: kept.email };
  return { ...kept, message: ENDED[kept.reason] };
}

function emailFrom(text: string): string {
  const email = v.safeParse(Email, text);
  if (email.success) return email.output;
  throw new AccountError("bad_email", "This is not an e-mail address. It looks like name@example.org.");
}

function requireStrong(passphrase: string, email: string): void {
  const { weakness, message } = strengthOf(passphrase, email);
  if (weakness) throw new AccountError("weak_passphrase", message);
}
