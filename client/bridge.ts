/**
 * A bridge is one device: its name, the hosts it is paired with, and a replica of each. The app and the shell each
 * make one at their start and keep it.
 */
import type { DeviceKind } from "@flybridge/protocol/device.ts";
import type { HostId } from "@flybridge/protocol/ids.ts";
import type { Connection } from "@flybridge/protocol/offer.ts";
import type { Cell } from "./cell.ts";
import type { Account } from "./relay/account.ts";
import type { AccountContents } from "./relay/contents.ts";
import type { KnownHost, Replica } from "./replica.ts";

/** Thrown by `pair`; the message is for a person. */
export type PairingFault =
  /** Used, expired, withdrawn or unknown offer, or wrong secret: the host does not tell which. */
  | "refused"
  /** Whoever answered does not hold the key in the string. Nothing was told to it. */
  | "wrong_host"
  /** Nobody answered at any address. */
  | "unreachable"
  | "too_old"
  | "too_new"
  /** This device cannot keep keys (private window, storage blocked). */
  | "no_storage";

export class PairingError extends Error {
  override readonly name = "PairingError";
  readonly fault: PairingFault;
  constructor(fault: PairingFault, message: string) {
    super(message);
    this.fault = fault;
  }
}

/** A host of the account, as this device stands to it. */
export type FoundHost =
  | { readonly kind: "known" }
  /** Being paired with: no code is needed. */
  | { readonly kind: "pairing" }
  /** Not connected to the relay. It is paired with once it is. */
  | { readonly kind: "away" }
  /** It does not let devices of the account in, or not this one. */
  | { readonly kind: "refused" }
  | { readonly kind: "failed"; readonly message: string }
  /** A person forgot it here; it comes back only when one says so. */
  | { readonly kind: "forgotten" }
  /** Put on the relay's list by nobody of the account. */
  | { readonly kind: "unreadable" };

/** This device's account at one relay, with what it found there. */
export interface AccountHere {
  readonly account: Pick<Account, keyof Account>;
  /** `contents`: as last read. `found`: by host. `fault`: why it could not be read, for a person. */
  readonly view: Cell<{ contents?: AccountContents; fault?: string; found: Record<string, FoundHost> }>;
  /** Reads it anew, and begins to pair with what is new. Never rejects. */
  look(): Promise<void>;
  /** Pairs with a host of the account because a person said so. Never rejects. */
  pair(host: string): Promise<void>;
}

export interface Bridge {
  readonly hosts: Cell<{ list: KnownHost[]; read: boolean }>;
  /** Pairs with the host of a parsed connection string. Acts only when called: parsing and showing come before. */
  pair(
    connection: Connection,
    self: {
      readonly name: string;
      readonly kind: DeviceKind;
      /** The host waits: a person there has to type these six digits. Up to two minutes may pass. */
      readonly confirming?: (digits: string) => void;
    },
  ): Promise<Replica>;
  /** The replica of a known host; made on first use, connects by itself. */
  replica(host: HostId): Replica;
  /** Forgets keys, cache and outbox of a host on this device. The host's list keeps the device until it is revoked there. */
  forget(host: HostId): Promise<void>;
  /** Relays at which this device is signed in, or was until something ended that; `read` once it was looked. */
  readonly accounts: Cell<{ at: string[]; read: boolean }>;
  /** Looks where it is signed in, connects there, and pairs with the hosts it finds. Once, when the app was drawn. */
  findAccounts(): Promise<void>;
  /** The account at a relay, by its origin; made on first use. Rejects where its code cannot be loaded, or with `StoreError`. */
  account(origin: string): Promise<AccountHere>;
  close(): void;
}
