/** Access, whole: the devices, the offers, the accounts, who waits, and the log; and what of them ends with what. */
import { randomBytes } from "node:crypto";
import type { HeldSigningKey } from "@flybridge/crypto/identity.ts";
import type { FeedFact } from "@flybridge/protocol/feed.ts";
import type { DeviceId, HostId, SessionId } from "@flybridge/protocol/ids.ts";
import {
  type AuditShelf,
  type DeviceShelf,
  type FeedShelf,
  type RelayShelf,
  StorageError,
  type StoredDevice,
} from "../core/ports.ts";
import { type Accounts, makeAccounts } from "./accounts.ts";
import { type Audit, makeAudit } from "./audit.ts";
import { type Devices, makeDevices } from "./devices.ts";
import { makeOffers, type Offers } from "./offers.ts";
import { makePairings, type Pairings } from "./pairings.ts";

/** Who is to be told what changed of who may come. */
export interface Watch {
  /** What they asked for and is not done yet is not to be done. */
  gone(devices: ReadonlySet<DeviceId>, ended: readonly StoredDevice["device"][]): void;
  /** Others are open now. */
  offersChanged(): void;
}

export interface Access extends Disposable {
  readonly devices: Devices;
  readonly offers: Offers;
  readonly accounts: Accounts;
  readonly pairings: Pairings;
  readonly audit: Audit;
  /** Until then there is nobody who would have to be told. */
  attach(watch: Watch): void;
  /** With a session end what was shared of it, and the invitations to it. */
  heard(fact: FeedFact): void;
  /** After a restart: what was shared of any other session is over, and nobody may have been there to say so. */
  keepOnly(running: ReadonlySet<SessionId>): void;
}

export function openAccess(around: {
  readonly store: { readonly devices: DeviceShelf; readonly audit: AuditShelf; readonly feed: FeedShelf };
  readonly relays: RelayShelf;
  readonly identity: { readonly host: HostId; readonly signing: HeldSigningKey };
  readonly publish: (fact: FeedFact) => void;
  readonly now: () => number;
  readonly after: (milliseconds: number, work: () => void) => Disposable;
}): Access {
  const { store, publish, now, after } = around;
  const random = (bytes: number): Uint8Array => new Uint8Array(randomBytes(bytes));
  const audit = makeAudit({ shelf: store.audit, key: around.identity.signing, now });
  const { note } = audit;
  let watch: Watch | undefined;
  const offers = makeOffers({ now, random, changed: () => watch?.offersChanged() });
  const accounts = makeAccounts(around.identity.host, around.relays);
  const pairings = makePairings({ publish, note, now, random, after });
  const devices = makeDevices({
    shelf: store.devices,
    publish,
    note,
    gone(ids, ended) {
      offers.withdraw(({ by }) => ids.has(by));
      watch?.gone(ids, ended);
      accounts.bar(ended.flatMap(({ device, grant }) => (grant.kind === "owner" ? [device] : [])));
    },
    now,
    after,
  });
  // Who waited when the host ended waits no more.
  for (const { fact } of store.feed.after(0))
    if (fact.kind === "pairing") publish({ kind: "pairing.gone", pairing: fact.pairing.pairing });

  const over = (session: SessionId): void => {
    offers.withdraw(({ grant }) => grant.kind === "session" && grant.session === session);
    try {
      devices.sessionEnded(session);
    } catch (error) {
      // A session that has ended takes nothing from anybody; the next start says so again.
      if (!(error instanceof StorageError)) throw error;
    }
  };

  return {
    devices,
    offers,
    accounts,
    pairings,
    audit,
    attach(next) {
      watch = next;
    },
    heard(fact) {
      const isOver = fact.kind === "session" && fact.summary.status.kind === "ended";
      if (!isOver && fact.kind !== "session.gone") return;
      const session = fact.kind === "session" ? fact.summary.session : fact.session;
      // Guests are to read how it ended first.
      after(0, () => over(session));
    },
    keepOnly(running) {
      for (const { grant } of devices.list())
        if (grant.kind === "session" && !running.has(grant.session)) over(grant.session);
    },
    [Symbol.dispose]: () => devices[Symbol.dispose](),
  };
}
