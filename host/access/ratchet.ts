/**
 * The ratchet of a device's continuity secrets, pure. It may come with the one it came with last, or with the one it was
 * given then: a crash on either side leaves it with one of the two. Whatever was replaced is kept for a while, for
 * whoever comes with that shows that there are two copies of the device (docs/adr/0024).
 */
import { timingSafeEqual } from "node:crypto";
import type { Secrets } from "../core/ports.ts";

/** Replaced secrets of one device that are still known, so that a copy of it is told from a stranger. */
const RETIRED_KEPT = 32;

/** Of a device that has just been paired. */
export function begun(secret: Uint8Array): Secrets {
  return { current: secret, retired: [] };
}

/** All that a device's message may name, the two that open the door first. */
export function recallable({ current, pending, retired }: Secrets): readonly Uint8Array[] {
  return pending === undefined ? [current, ...retired] : [current, pending, ...retired];
}

/** The device came in with `used` and is given `next`. "copied" for a replaced secret, undefined for any other. */
export function advanced(secrets: Secrets, used: Uint8Array, next: Uint8Array): Secrets | "copied" | undefined {
  const { current, pending, retired } = secrets;
  const is = (secret: Uint8Array | undefined): boolean => secret !== undefined && timingSafeEqual(secret, used);
  if (!is(current) && !is(pending)) return retired.some(is) ? "copied" : undefined;
  // Of the two that it may come with, the one that it did not come with has had its day.
  const replaced = is(current) ? pending : current;
  const replacedNow = replaced === undefined ? retired : [replaced, ...retired];
  return { current: used, pending: next, retired: replacedNow.slice(0, RETIRED_KEPT) };
}
