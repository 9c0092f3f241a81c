/** A device is something that holds a key and was paired: a phone, a browser, a CLI, another host. */
import * as v from "valibot";
import { Grant } from "./grant.ts";
import { DeviceId, SessionId, Time } from "./ids.ts";
import { Bytes32, Signature } from "./relay/shapes.ts";
import { Way } from "./way.ts";

export const MAX_DEVICE_NAME_CHARS = 80;

export const DeviceKind = v.picklist(["phone", "tablet", "desktop", "cli", "host"]);
export type DeviceKind = v.InferOutput<typeof DeviceKind>;

/** What a device says of itself in message 3 of pairing. */
export const Introduction = v.object({
  name: v.pipe(v.string(), v.trim(), v.minLength(1), v.maxLength(MAX_DEVICE_NAME_CHARS)),
  kind: DeviceKind,
  /** With the secret of an account that the host trusts: that account's signature over the device's key. */
  account: v.optional(Signature),
});
export type Introduction = v.InferOutput<typeof Introduction>;

export const Device = v.object({
  device: DeviceId,
  name: Introduction.entries.name,
  kind: Introduction.entries.kind,
  grant: Grant,
  paired: Time,
  /** When it was last connected; absent when it never came back after pairing. */
  seen: v.optional(Time),
  connected: v.boolean(),
  /** By which it came in last; absent until it came. */
  way: v.optional(Way),
  /** Since when it may not come in: two copies of it were seen. It stays so until it is paired anew or revoked. */
  suspended: v.optional(Time),
  /** By which it proves itself to relays (DA); absent until it asked for a way by one. */
  proof: v.optional(Bytes32),
  /** The session it opened last and still looks at. */
  viewing: v.optional(SessionId),
});
export type Device = v.InferOutput<typeof Device>;
