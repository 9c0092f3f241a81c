/** Who may come in: devices, the offers that make them, those that wait to be let in, and the log of it all. */
import { type Grant, isWithin, type SessionGrant } from "@flybridge/protocol/grant.ts";
import type { DeviceId, HostId, IntentId, SessionId } from "@flybridge/protocol/ids.ts";
import { GRANT_MS, OFFER_MS } from "@flybridge/protocol/limits.ts";
import type { OfferMade, OpenOffer } from "@flybridge/protocol/offer-made.ts";
import {
  type Connection,
  formatConnection,
  formatLink,
  fromBase64Url,
  OFFER_BYTES,
  toBase64Url,
} from "@flybridge/protocol/offer.ts";
import { CallError } from "@flybridge/protocol/error.ts";
import type { Audit } from "../access/audit.ts";
import type { Devices } from "../access/devices.ts";
import type { Offer, Offers } from "../access/offers.ts";
import type { Pairings } from "../access/pairings.ts";
import type { Intents, Queries } from "../doors/desk.ts";

/** Where devices reach this host, and the origin under which they find its app. */
export interface Reach {
  readonly addresses: Connection["addresses"];
  readonly origin: string;
  readonly relay?: { readonly origin: string; readonly rendezvous: string };
}

/** Offers whose answer may be asked for again, because the first answer was lost on the way. */
const MADE_KEPT = 16;

export function deviceQueries(around: {
  readonly devices: Devices;
  readonly offers: Offers;
  readonly pairings: Pairings;
  readonly audit: Audit;
}): Pick<Queries, "device.list" | "offer.list" | "pairing.list" | "audit.list" | "audit.verify"> {
  const { devices, offers, pairings, audit } = around;
  return {
    "device.list": () => ({ devices: devices.list() }),
    "offer.list": () => ({ offers: offers.list().map(shownOf) }),
    "pairing.list": () => ({ pairings: [...pairings.list()] }),
    "audit.list": ({ before }) => audit.page(before),
    "audit.verify": () => audit.verify(),
  };
}

export function deviceIntents(around: {
  readonly devices: Devices;
  readonly offers: Offers;
  readonly pairings: Pairings;
  readonly audit: Audit;
  readonly host: { readonly id: HostId; readonly name: string; readonly key: Uint8Array };
  /** This machine's own shell: it has the host's keys beside it, so revoking it would be for show. */
  readonly shell: DeviceId;
  /** Throws `CallError` when there is no such session, or it has ended. */
  readonly requireRunning: (session: SessionId) => void;
  readonly now: () => number;
  readonly reach: () => Reach;
}): Pick<
  Intents,
  | "device.rename"
  | "device.revoke"
  | "device.revokeAll"
  | "offer.make"
  | "offer.withdraw"
  | "pairing.confirm"
  | "pairing.refuse"
  | "session.share"
  | "session.detach"
> {
  const { devices, offers, pairings, audit, host, reach, now } = around;
  /** By who asked, and with which intent. */
  const made = new Map<string, OfferMade>();
  const keyOf = (intent: IntentId, by: DeviceId): string => `${intent} ${by}`;

  const offerOf = (intent: IntentId, by: DeviceId, grant: Grant, life?: number): OfferMade => {
    const offer = offers.make(grant, by, life);
    const { addresses, origin, relay } = reach();
    const connection = {
      addresses,
      offer: offer.id,
      secret: offer.secret,
      hostKey: host.key,
      name: host.name,
      ...(relay ? { relay: relay.origin, rendezvous: relay.rendezvous } : {}),
    };
    const answer = {
      offer: toBase64Url(offer.id),
      connection: formatConnection(connection),
      link: formatLink(origin, connection, grant.kind === "session" ? "join" : "pair"),
      expires: offer.expires,
      host: host.id,
    };
    made.set(keyOf(intent, by), answer);
    for (const old of [...made.keys()].slice(0, -MADE_KEPT)) made.delete(old);
    audit.note({ event: "offer.made", by, detail: grantText(grant) });
    return answer;
  };
  const withdraw = (which: (offer: Offer) => boolean, by: DeviceId): void => {
    for (const { grant } of offers.withdraw(which))
      audit.note({ event: "offer.withdrawn", by, detail: grantText(grant) });
  };

  return {
    "device.rename": ({ device, name }, _intent, caller) => {
      devices.rename(device, name, caller.device);
      return {};
    },
    "device.revoke": ({ device }, _intent, caller) => {
      if (devices.get(device)) devices.revoke(device, caller.device);
      return {};
    },
    "device.revokeAll": (_params, _intent, caller) => {
      withdraw(() => true, caller.device);
      for (const { pairing } of pairings.list()) pairings.refuse(pairing, caller.device);
      return { revoked: devices.revokeAll([caller.device, around.shell], caller.device) };
    },
    "offer.make": ({ life }, intent, { device }) =>
      made.get(keyOf(intent, device)) ?? offerOf(intent, device, { kind: "owner" }, life),
    "offer.withdraw": ({ offer }, _intent, caller) => {
      if (!fromBase64Url(offer, OFFER_BYTES)) throw new CallError("bad_params", "This is not the id of an offer.");
      withdraw(({ id }) => toBase64Url(id) === offer, caller.device);
      return {};
    },
    "pairing.confirm": ({ pairing, digits }, _intent, caller) => {
      pairings.confirm(pairing, digits, caller.device);
      return {};
    },
    "pairing.refuse": ({ pairing }, _intent, caller) => {
      pairings.refuse(pairing, caller.device);
      return {};
    },
    "session.share": ({ session, verbs, life = GRANT_MS }, intent, { device, grant: own }) => {
      const before = made.get(keyOf(intent, device));
      if (before) return before;
      around.requireRunning(session);
      const until = Math.min(now() + life, own.kind === "session" ? own.until : Number.POSITIVE_INFINITY);
      const grant: SessionGrant = { kind: "session", session, verbs: [...new Set(verbs)], until, by: device };
      if (!isWithin(grant, own))
        throw new CallError("forbidden", "You can pass on what you may do here yourself, or less.");
      // An invitation to what is over by then would let nobody in.
      return offerOf(intent, device, grant, Math.min(OFFER_MS, until - now()));
    },
    "session.detach": (_params, _intent, { device }) => {
      devices.detach(device);
      return {};
    },
  };
}

function shownOf({ id, grant, by, made, expires }: Offer): OpenOffer {
  return { offer: toBase64Url(id), grant, by, made, expires };
}

function grantText(grant: Grant): string {
  return grant.kind === "owner" ? "everything" : `${grant.verbs.join(", ")} on ${grant.session}`;
}
