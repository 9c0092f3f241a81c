/**
 * A bridge is one device: its name, the hosts it is paired with, and a replica of each. The app and the shell each
 * make one at their start and keep it.
 */
import type { DeviceKind } from "@flybridge/protocol/device.ts";
import type { HostId } from "@flybridge/protocol/ids.ts";
import type { Connection } from "@flybridge/protocol/offer.ts";
import type { Cell } from "./cell.ts";
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
  close(): void;
}
