/**
 * The accounts of this device, one at a relay: where it is signed in, and what follows from that. It stays connected
 * there, reads what the account has, and pairs by itself with those of its hosts that it does not know yet.
 *
 * Comes when the app has been drawn; what an account itself needs comes with `relay/account.ts`, where there is one.
 */
import { fromBase64Url } from "@flybridge/protocol/base64.ts";
import { Introduction } from "@flybridge/protocol/device.ts";
import type { HostId } from "@flybridge/protocol/ids.ts";
import { HOST_KEY_BYTES } from "@flybridge/protocol/offer.ts";
import * as v from "valibot";
import { type AccountHere, type FoundHost, PairingError } from "./bridge.ts";
import type { Cell } from "./cell.ts";
import { forgottenName } from "./forgotten.ts";
import { waysKept } from "./kept-ways.ts";
import type { Paired, Told } from "./make-bridge.ts";
import type { Platform } from "./platform.ts";
import { accountName } from "./relay/account-name.ts";
import type { Account } from "./relay/account.ts";
import type { AccountContents, AccountHost } from "./relay/contents.ts";
import type { AccountPairing } from "./relay/credentials.ts";
import type { KnownHost } from "./replica.ts";

/**
 * Milliseconds after which a host that could not be paired with is tried again without being asked to: the first time,
 * for what is in the way is most often over then, and at most, each time twice as long.
 */
const AGAIN_MS = 4_000;
const LONGEST_AGAIN_MS = 64_000;

export interface AccountsAround {
  readonly platform: Platform;
  /** Where the app came from, which may be a relay. */
  readonly from: string | undefined;
  readonly hosts: Cell<{ list: KnownHost[] }>;
  /** Where this device is signed in, or was. */
  readonly cell: Cell<{ at: string[]; read: boolean }>;
  show(known: KnownHost): void;
  /** What is kept of a host. */
  knownFrom(text: string): KnownHost | undefined;
  paired(found: Paired, told: Told): Promise<unknown>;
}

export class Accounts {
  readonly #around: AccountsAround;
  readonly #open = new Map<string, Promise<Here>>();
  #closed = false;

  constructor(around: AccountsAround) {
    this.#around = around;
  }

  /** Looks where this device is signed in, and connects there. Rejects with `StoreError`. */
  async start(): Promise<void> {
    const { platform, cell } = this.#around;
    const places = await this.#places();
    const kept = await Promise.all(places.map((origin) => platform.keys.kept(accountName(origin))));
    const at = places.filter((_, index) => kept[index] !== undefined);
    cell.change((draft) => {
      draft.at = [...new Set([...draft.at, ...at])];
      draft.read = true;
    });
    await Promise.all(at.map(async (origin) => (await this.open(origin)).account.start()));
  }

  /** Rejects with `StoreError`, or where its code cannot be loaded; asking again tries again. */
  open(origin: string): Promise<AccountHere> {
    const before = this.#open.get(origin);
    if (before) return before;
    const opened = this.#make(origin);
    this.#open.set(origin, opened);
    opened.catch(() => this.#open.delete(origin));
    return opened;
  }

  close(): void {
    this.#closed = true;
    for (const here of this.#open.values()) here.then((one) => one.account.close()).catch(() => {});
    this.#open.clear();
  }

  /** Relays at which it might be: the one that the app came from, and those of its hosts. */
  async #places(): Promise<string[]> {
    const { platform, from, hosts } = this.#around;
    const ways = await Promise.all(hosts.value.list.map(({ host }) => waysKept(platform.keys, host)));
    return [...new Set([...(from === undefined ? [] : [from]), ...ways.flat().map(({ origin }) => origin)])];
  }

  async #make(origin: string): Promise<Here> {
    const { openAccount } = await import("./relay/account.ts");
    const { cell, platform } = this.#around;
    const made: { here?: Here } = {};
    const account = await openAccount(platform, origin, () => {
      const { here } = made;
      if (!here) return;
      const isHere = here.account.view.value.state.kind !== "out";
      if (cell.value.at.includes(origin) !== isHere)
        cell.change((draft) => {
          draft.at = isHere ? [...draft.at, origin] : draft.at.filter((one) => one !== origin);
        });
      here.changed();
    });
    const here = new Here(account, this.#around);
    made.here = here;
    if (this.#closed) account.close();
    return here;
  }
}

class Here implements AccountHere {
  readonly account: Account;
  readonly view: AccountHere["view"];
  readonly #around: AccountsAround;
  #isLive = false;
  #looking: Promise<void> | undefined;
  /** One after the other: each takes the relay's session for itself. */
  #pairing: Promise<unknown> = Promise.resolve();
  /** Hosts that could not be paired with: until when they are let alone, by the clock, and how many milliseconds that is. */
  readonly #failed = new Map<string, { readonly until: number; readonly wait: number }>();

  constructor(account: Account, around: AccountsAround) {
    this.account = account;
    this.#around = around;
    this.view = around.platform.makeCell({ found: {} });
  }

  /** The account's own view did. */
  changed(): void {
    const { state } = this.account.view.value;
    const isLive = state.kind === "in" && state.line?.kind === "live";
    if (isLive && !this.#isLive) void this.look();
    this.#isLive = isLive;
    if (state.kind === "in") return;
    this.#failed.clear();
    this.view.change((view) => {
      delete view.contents;
      delete view.fault;
      view.found = {};
    });
  }

  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async pair(host: string): Promise<void> {
    const found = this.view.value.contents?.hosts.find((one) => one.host === host);
    if (found) await this.#pair(found);
  }

  async #look(): Promise<void> {
    let contents: AccountContents;
    try {
      contents = await this.account.read();
    } catch (error) {
      this.view.change((view) => {
        view.fault = error instanceof Error ? error.message : String(error);
      });
      return;
    }
    this.view.change((view) => {
      view.contents = contents;
      delete view.fault;
    });
    for (const host of contents.hosts) await this.#consider(host);
  }

  async #consider(host: AccountHost): Promise<void> {
    const id = host.host as HostId;
    const { platform } = this.#around;
    const before = this.view.value.found[id];
    if (before?.kind === "pairing") return;
    if (this.#isKnown(id)) return this.#show(id, { kind: "known" });
    if (host.hostKey === undefined) return this.#show(id, { kind: "unreadable" });
    if ((await platform.keys.kept(forgottenName(id))) !== undefined) return this.#show(id, { kind: "forgotten" });
    if (!host.connected) return this.#show(id, { kind: "away" });
    // One that has just come back is something else than the one that was tried.
    if (before?.kind !== "away" && platform.clock.now() < (this.#failed.get(id)?.until ?? 0)) return;
    void this.#pair(host);
  }

  #pair(host: AccountHost): Promise<void> {
    this.#show(host.host, { kind: "pairing" });
    const pair = async (): Promise<void> => {
      const { platform } = this.#around;
      try {
        const ds = (await platform.keys.device()).publicKey;
        if (!this.#isKnown(host.host)) await this.account.pairing(host.host, ds, (by) => this.#pairBy(host, by));
        this.#failed.delete(host.host);
        this.#show(host.host, { kind: "known" });
      } catch (error) {
        const wait = Math.min(LONGEST_AGAIN_MS, 2 * (this.#failed.get(host.host)?.wait ?? AGAIN_MS / 2));
        this.#failed.set(host.host, { until: platform.clock.now() + wait, wait });
        this.#show(host.host, stateOf(error));
      }
    };
    const paired = this.#pairing.then(pair);
    this.#pairing = paired;
    return paired;
  }

  async #pairBy({ host, name = "", hostKey: text = "", rendezvous }: AccountHost, by: AccountPairing): Promise<void> {
    const { platform, show, paired, knownFrom } = this.#around;
    // Another window of this device may have been first.
    const theirs = knownFrom((await platform.store.read("hosts", host)) ?? "");
    if (theirs) return show(theirs);
    const hostKey = fromBase64Url(text, HOST_KEY_BYTES);
    const self = this.view.value.contents?.devices.find((device) => device.self);
    if (!hostKey || self?.name === undefined || self.kind === undefined)
      throw new PairingError(
        "refused",
        "The account does not know this device by a name. Sign out here, and in again.",
      );
    const introduction = v.parse(Introduction, { name: self.name, kind: self.kind, account: by.endorsement });
    const payload = new TextEncoder().encode(JSON.stringify(introduction));
    const { pairOfAccount } = await import("./meeting.ts");
    const found = await pairOfAccount(platform, { ...by, rendezvous, hostKey }, await platform.keys.device(), payload);
    if (found.connected.hello.host !== host) {
      found.connected.pipe.close("closing");
      throw new PairingError("wrong_host", "Another host answered than the one on the account's list.");
    }
    await paired(found, { name, hostKey, addresses: [] });
  }

  #isKnown(host: string): boolean {
    return this.#around.hosts.value.list.some((known) => known.host === host);
  }

  #show(host: string, found: FoundHost): void {
    this.view.change((view) => {
      view.found[host] = found;
    });
  }
}

function stateOf(error: unknown): FoundHost {
  // A host that does not let the account in answers as one that has another key would.
  if (error instanceof PairingError && (error.fault === "refused" || error.fault === "wrong_host"))
    return { kind: "refused" };
  return { kind: "failed", message: error instanceof Error ? error.message : String(error) };
}
