/** What comes of making an offer, and what is told of one while it is open. */
import * as v from "valibot";
import { Grant } from "./grant.ts";
import { DeviceId, HostId, Time } from "./ids.ts";

/** What the host tells of an open offer; the string is told once, to the device that asked for it. */
export const OfferMade = v.object({
  offer: v.string(),
  connection: v.string(),
  link: v.string(),
  expires: Time,
  host: HostId,
});
export type OfferMade = v.InferOutput<typeof OfferMade>;

/** Without its secret. */
export const OpenOffer = v.object({
  offer: v.string(),
  /** What the device that uses it may do. */
  grant: Grant,
  /** The device that made it. */
  by: DeviceId,
  made: Time,
  expires: Time,
});
export type OpenOffer = v.InferOutput<typeof OpenOffer>;
