/** A device that used an offer and waits until a person at the host has typed the digits that it shows. */
import * as v from "valibot";
import { Introduction } from "./device.ts";
import { Time } from "./ids.ts";
import { Way } from "./way.ts";

export const PairingId = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{22}$/, "not the id of a pairing"));
export type PairingId = v.InferOutput<typeof PairingId>;

export const CONFIRMATION_DIGITS = 6;
/** As they were typed: spaces and dashes are passed over. */
export const Digits = v.pipe(
  v.string(),
  v.maxLength(20),
  v.transform((typed) => typed.replaceAll(/[\s-]/gu, "")),
  v.regex(/^\d{6}$/, `type the ${CONFIRMATION_DIGITS} digits that the device shows`),
);

/** Nothing in it changes while it waits: what is confirmed is what was shown. */
export const Pairing = v.object({
  pairing: PairingId,
  ...Introduction.entries,
  way: Way,
  asked: Time,
  expires: Time,
});
export type Pairing = v.InferOutput<typeof Pairing>;
