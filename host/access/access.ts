/** Access, whole: the devices, the offers, who waits, and the log; and what of them ends with what. */
import { randomBytes } from "node:crypto";
import type { HeldSigningKey } from "@flybridge/crypto/identity.ts";
import type { FeedFact } from "@flybridge/protocol/feed.ts";
import type { DeviceId, SessionId } from "@flybridge/protocol/ids.ts";
import { type AuditShelf, type DeviceShelf, type FeedShelf, StorageError, type StoredDevice } from "../core/ports.ts";
import { type Audit, makeAudit } from "./audit.ts";
import { type Devices, makeDevices } from "./devices.ts";
import { makeOffers, type Offers } from "./offers.ts";
import { makePairings, type Pairings } from "./pairings.ts";

export interface Access extends Disposable {
  readonly devices: Devices;
  readonly offers: Offers;
  readonly pairings: Pairings;
  readonly audit: Audit;
  /** With a session end what was shared of it, and the invitations to it. */
  heard(fact: FeedFact): void;
  /** After a restart: what was shared of any other session is over, and nobody may have been there to say so. */
  keepOnly(running: ReadonlySet<SessionId>): void;
}

export function openAccess(around: {
  readonly store: { readonly devices: DeviceShelf; readonly audit: AuditShelf; readonly feed: FeedShelf };
  readonly identity: { readonly signing: HeldSigningKey };
  readonly publish: (fact: FeedFact) => void;
  /** What they asked for and is not done yet is not to be done. */
  readonly gone: (devices: ReadonlySet<DeviceId>, ended: readonly StoredDevice["device"][]) => void;
  /** Others are open now. */
  readonly offersChanged: () => void;
  readonly now: () => number;
  readonly after: (milliseconds: number, work: () => void) => Disposable;
}): Access {
  const { store, publish, now, after } = around;
  const random = (bytes: number): Uint8Array => new Uint8Array(randomBytes(bytes));
  const audit = makeAudit({ shelf: store.audit, key: around.identity.signing, now });
  const { note } = audit;
  const offers = makeOffers({ now, random, changed: around.offersChanged });
  const pairings = makePairings({ publish, note, now, random, after });
  const devices = makeDevices({
    shelf: store.devices,
    publish,
    note,
    gone(ids, ended) {
      offers.withdraw(({ by }) => ids.has(by));
      around.gone(ids, ended);
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
    pairings,
    audit,
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
