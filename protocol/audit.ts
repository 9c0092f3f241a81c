/**
 * The audit log: who came, who was let in to what, who was turned away. Each row's hash covers the row before, and the
 * newest hash is signed with the host's identity key. No secrets, nothing of what agents or people say.
 */
import * as v from "valibot";
import { DeviceId, Seq, Time } from "./ids.ts";
import { MAX_LABEL_CHARS } from "./limits.ts";

export const AuditEvent = v.picklist([
  "host.started",
  "offer.made",
  "offer.withdrawn",
  /** Used up, late, withdrawn, unknown, or with a wrong secret: which is not told apart. */
  "offer.refused",
  "pairing.asked",
  "pairing.refused",
  "pairing.expired",
  "device.paired",
  "device.renamed",
  "device.revoked",
  /** Its grant ran out, or its session ended. */
  "device.expired",
  "device.detached",
  /** An older secret of it was used: there are two copies of it. */
  "device.suspended",
  /** Its way by a relay was used twice at once: there are two copies of it. */
  "ticket.doubled",
  "relay.added",
  "relay.removed",
  "account.trusted",
  "account.distrusted",
  "rule.revoked",
]);
export type AuditEvent = v.InferOutput<typeof AuditEvent>;

/** SHA-256, in base64url. */
const Hash = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{43}$/));

export const AuditRow = v.object({
  /** From 1, without gaps. */
  seq: Seq,
  at: Time,
  event: AuditEvent,
  /** The device it is about. */
  device: v.optional(DeviceId),
  /** The device that caused it, where one did. */
  by: v.optional(DeviceId),
  detail: v.pipe(v.string(), v.maxLength(MAX_LABEL_CHARS)),
  hash: Hash,
});
export type AuditRow = v.InferOutput<typeof AuditRow>;

export const AuditHead = v.object({
  seq: Seq,
  hash: Hash,
  /** Ed25519, by the host's identity key, of `flybridge audit`, the number and the hash. Base64url. */
  signature: v.string(),
});
export type AuditHead = v.InferOutput<typeof AuditHead>;
