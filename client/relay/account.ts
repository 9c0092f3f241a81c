/**
 * A person's account at one relay, as a device of it: all that can be asked of it. Nothing that opens it leaves the
 * device: the relay gets what shows that one has the passphrase, and blobs.
 *
 * All that is dear about it (argon2, the seal) comes with this file, so an app loads it when somebody asks for it.
 */
import { accountKeys, type Place } from "@flybridge/crypto/account.ts";
import { toBase64Url } from "@flybridge/protocol/base64.ts";
import type { HostId } from "@flybridge/protocol/ids.ts";
import type { Cell } from "../cell.ts";
import type { Platform } from "../platform.ts";
import { AccountError, accountErrorFrom, dishonest } from "./account-error.ts";
import { type AccountContents, type AccountHost, contentsIn } from "./contents.ts";
import { type AccountPairing, type AccountTrust, pairingOf, trustOf } from "./credentials.ts";
import { hostLabel } from "./labels.ts";
import { passphraseLock, passphraseSecret, recoveryLock, requireStrong } from "./locks.ts";
import { MemberLine } from "./member-line.ts";
import { CallRefused, type Member } from "./member.ts";
import { type Entrant, recover, signIn, signUp } from "./sign-in.ts";
import { type AccountView, type Standing, standingAt } from "./standing.ts";

/**
 * `origin` as `relayOriginFrom` writes it; `changed` is called after each change of the view. Rejects with `StoreError`.
 * It connects when it is asked to.
 */
export async function openAccount(platform: Platform, origin: string, changed = (): void => {}): Promise<Account> {
  return new Account(platform, await standingAt(platform, origin, changed));
}

/** Everything that is asked rejects with `AccountError`, or `StoreError` where this device cannot keep what it has to. */
export class Account {
  readonly origin: string;
  readonly view: Cell<AccountView>;
  readonly #platform: Platform;
  readonly #standing: Standing;
  readonly #line: MemberLine;
  readonly #stopListening: () => void;

  constructor(platform: Platform, standing: Standing) {
    this.origin = standing.origin;
    this.view = standing.view;
    this.#platform = platform;
    this.#standing = standing;
    this.#line = new MemberLine(platform, standing.origin, {
      state: (line) => standing.line(line),
      up: (member) => {
        // Only what it says of itself to begin with; whoever wants more asks.
        member.call("account.read", {}).then(
          ({ notices }) => standing.notices(notices),
          () => {},
        );
      },
      notice: (notice) => standing.notices([notice, ...this.view.value.notices]),
      out: (kept) => standing.out(kept),
    });
    this.#stopListening = platform.onNetwork(() => this.wake());
  }

  /** Stays connected from now on, where this device is signed in. */
  start(): void {
    if (this.#standing.state.kind === "in") this.#line.start();
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
  signUp(what: Entrant & { readonly invitation?: string }): Promise<{ readonly recoveryCode: string }> {
    return this.#entering(() => signUp(this.#platform, this.#standing, what));
  }

  signIn(what: Entrant): Promise<void> {
    return this.#entering(() => signIn(this.#platform, this.#standing, what));
  }

  /** By the recovery code, with a passphrase for the time to come. The code is used up: resolves with the next one. */
  recover(what: Entrant & { readonly code: string }): Promise<{ readonly recoveryCode: string }> {
    return this.#entering(() => recover(this.#platform, this.#standing, what));
  }

  /** `current` is what it was until now. */
  changePassphrase(current: string, next: string): Promise<void> {
    return this.#asked(async (member) => {
      const { email } = await this.#standing.own();
      requireStrong(next, email);
      const secret = await this.#shown(member, current);
      const { stretching, lock } = await passphraseLock(next, this.#place(email), secret, this.#platform.random);
      await member.call("account.change", { stretching, lock });
    });
  }

  /** The one before opens nothing any more. */
  newRecoveryCode(passphrase: string): Promise<{ readonly recoveryCode: string }> {
    return this.#asked(async (member) => {
      const recovery = recoveryLock(await this.#shown(member, passphrase), this.#platform.random);
      await member.call("account.change", { recovery: recovery.lock });
      return { recoveryCode: recovery.code };
    });
  }

  read(): Promise<AccountContents> {
    return this.#asked(async (member) => {
      const { secret } = await this.#standing.own();
      const contents = contentsIn(secret, await member.call("account.read", {}));
      this.#standing.notices(contents.notices);
      return contents;
    });
  }

  /**
   * Puts a host on the account's list, for its other devices to find. `hostKey` is HS, base64url. The host itself has to
   * have said at the relay that it is of this account, which it does when it is told to trust it.
   */
  putHost(what: Pick<AccountHost, "host" | "rendezvous"> & { name: string; hostKey: string }): Promise<void> {
    return this.#asked(async (member) => {
      const { labels } = accountKeys((await this.#standing.own()).secret);
      const { rendezvous } = what;
      const host = what.host as HostId;
      const label = hostLabel(labels, host, what, this.#platform.random);
      await member.call("account.putHost", { host, rendezvous, label }).catch((error: unknown) => {
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
      this.#standing.notices([]);
    });
  }

  /**
   * Forgets the account here, and ends this device's registration there. `ended` is whether the relay heard of it: where
   * it did not, another device of the account can remove this one.
   */
  async signOut(): Promise<{ readonly ended: boolean }> {
    let ended = false;
    if (this.#standing.state.kind === "in") {
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
      this.#standing.alone(async ({ secret, session }) => {
        // Whoever is connected has one.
        if (!session) throw new AccountError("unavailable", "The relay gave this device no session. Try again.");
        return work({ origin: this.origin, session: session.session, ...(await pairingOf(secret, host, ds)) });
      }),
    );
  }

  /** What a host is told that is to trust the account. `identity` is its identity key HI. */
  trust(host: string, identity: Uint8Array, rendezvous: string): Promise<AccountTrust> {
    return this.#told(async () => {
      const { secret } = await this.#standing.own();
      return { origin: this.origin, ...(await trustOf(secret, host, identity, rendezvous)) };
    });
  }

  /** Shows the passphrase once more, which what is dangerous needs. */
  async #shown(member: Member, passphrase: string): Promise<Uint8Array> {
    const { email, secret } = await this.#standing.own();
    if (toBase64Url(await passphraseSecret(member, passphrase, this.#place(email))) !== toBase64Url(secret))
      throw dishonest();
    return secret;
  }

  #place(email: string): Place {
    return { origin: this.origin, email };
  }

  async #forget(): Promise<void> {
    this.#line.stop();
    await this.#standing.forget();
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

  #entering<T>(work: () => Promise<T>): Promise<T> {
    return this.#told(work).finally(() => this.start());
  }

  #asked<T>(work: (member: Member) => Promise<T>): Promise<T> {
    return this.#told(async () => {
      await this.#standing.own();
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
}
