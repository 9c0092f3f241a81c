/**
 * The feed is the host's own journal: what holds of sessions, devices and who waits to become one, as numbered facts. A later fact about the
 * same thing replaces the earlier one, so the host keeps only the newest of each and `after n` is always one short
 * answer; numbers rise but are not contiguous.
 */
import * as v from "valibot";
import { Device } from "./device.ts";
import { DeviceId, Seq, SessionId } from "./ids.ts";
import { Pairing, PairingId } from "./pairing.ts";
import { Summary } from "./session.ts";

export const FeedFact = v.variant("kind", [
  v.object({ kind: v.literal("session"), summary: Summary }),
  v.object({ kind: v.literal("session.gone"), session: SessionId }),
  v.object({ kind: v.literal("device"), device: Device }),
  v.object({ kind: v.literal("device.gone"), device: DeviceId }),
  v.object({ kind: v.literal("pairing"), pairing: Pairing }),
  v.object({ kind: v.literal("pairing.gone"), pairing: PairingId }),
]);
export type FeedFact = v.InferOutput<typeof FeedFact>;

export const FeedEntry = v.object({ seq: Seq, fact: FeedFact });
export type FeedEntry = v.InferOutput<typeof FeedEntry>;
