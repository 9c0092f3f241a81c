/** What comes of making an offer. */
import * as v from "valibot";
import { HostId, Time } from "./ids.ts";

/** What the host tells of an open offer; the string is told once, to the device that asked for it. */
export const OfferMade = v.object({
  offer: v.string(),
  connection: v.string(),
  link: v.string(),
  expires: Time,
  host: HostId,
});
export type OfferMade = v.InferOutput<typeof OfferMade>;
