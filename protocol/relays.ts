/** The relays that a host is reached by, as its devices see them. */
import * as v from "valibot";
import { MAX_LABEL_CHARS } from "./limits.ts";
import { Time } from "./ids.ts";
import { RefusedCode, Rendezvous, Ticket } from "./relay/shapes.ts";

/** Relays of one host. */
export const MAX_RELAYS = 8;

const text = v.pipe(v.string(), v.maxLength(MAX_LABEL_CHARS));
/** `https://relay.example`, as `relay/origin.ts` writes it. */
const Origin = v.pipe(v.string(), v.maxLength(300));

export const RelayStatus = v.variant("kind", [
  v.object({ kind: v.literal("connecting"), since: Time }),
  v.object({ kind: v.literal("live"), since: Time }),
  /** `reason` is for a person. It is tried again by itself. */
  v.object({ kind: v.literal("away"), since: Time, reason: text, retryAt: v.optional(Time) }),
  /** Until a person does something. */
  v.object({ kind: v.literal("refused"), since: Time, code: RefusedCode, reason: text }),
]);
export type RelayStatus = v.InferOutput<typeof RelayStatus>;

export const HostRelay = v.object({
  origin: Origin,
  rendezvous: Rendezvous,
  status: RelayStatus,
  /** The account at that relay whose devices this host lets in: its public key. */
  account: v.optional(v.string()),
});
export type HostRelay = v.InferOutput<typeof HostRelay>;

/** How a device finds this host by a relay. */
export const RelayWay = v.object({ origin: Origin, rendezvous: Rendezvous, ticket: Ticket });
export type RelayWay = v.InferOutput<typeof RelayWay>;
