/** Devices and the offers that make them. */
import {
  formatConnection,
  formatLink,
  OFFER_BYTES,
  toBase64Url,
  fromBase64Url,
  type Connection,
} from "@flybridge/protocol/offer.ts";
import type { HostId, IntentId } from "@flybridge/protocol/ids.ts";
import type { OfferMade } from "@flybridge/protocol/offer.ts";
import { CallError } from "@flybridge/protocol/error.ts";
import type * as v from "valibot";
import type { Devices } from "../access/devices.ts";
import type { Offers } from "../access/offers.ts";
import type { Intents, Queries } from "../doors/desk.ts";

/** Offers whose answer may be asked for again, because the first answer was lost on the way. */
const MADE_KEPT = 16;

export function deviceQueries(devices: Devices): Pick<Queries, "device.list"> {
  return { "device.list": () => ({ devices: devices.list() }) };
}

export function deviceIntents(around: {
  readonly devices: Devices;
  readonly offers: Offers;
  readonly host: { readonly id: HostId; readonly name: string; readonly key: Uint8Array };
  /** Where devices reach this host, and the origin under which they find its app. */
  readonly reach: () => { readonly addresses: Connection["addresses"]; readonly origin: string };
}): Pick<Intents, "device.rename" | "device.revoke" | "offer.make" | "offer.withdraw"> {
  const { devices, offers, host, reach } = around;
  const made = new Map<IntentId, v.InferOutput<typeof OfferMade>>();

  return {
    "device.rename": ({ device, name }) => {
      devices.rename(device, name);
      return {};
    },
    "device.revoke": ({ device }) => {
      if (devices.get(device)) devices.revoke(device);
      return {};
    },
    "offer.make": ({ life }, intent) => {
      const before = made.get(intent);
      if (before) return before;
      const offer = offers.make({ kind: "owner" }, life);
      const { addresses, origin } = reach();
      const connection = { addresses, offer: offer.id, secret: offer.secret, hostKey: host.key, name: host.name };
      const answer = {
        offer: toBase64Url(offer.id),
        connection: formatConnection(connection),
        link: formatLink(origin, connection),
        expires: offer.expires,
        host: host.id,
      };
      made.set(intent, answer);
      for (const old of [...made.keys()].slice(0, -MADE_KEPT)) made.delete(old);
      return answer;
    },
    "offer.withdraw": ({ offer }) => {
      if (!fromBase64Url(offer, OFFER_BYTES)) throw new CallError("bad_params", "This is not the id of an offer.");
      offers.withdraw(offer);
      return {};
    },
  };
}
