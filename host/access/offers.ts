/**
 * Offers: one-time invitations to pair. They live in memory, so a restart ends them all. Whoever asks for the secret of
 * an offer that is used, late, withdrawn or unknown gets the same nothing.
 */
import { timingSafeEqual } from "node:crypto";
import { CallError } from "@flybridge/protocol/error.ts";
import type { Grant } from "@flybridge/protocol/grant.ts";
import { MAX_OFFER_MS, MAX_OPEN_OFFERS, OFFER_MS } from "@flybridge/protocol/limits.ts";
import { OFFER_BYTES, SECRET_BYTES, toBase64Url } from "@flybridge/protocol/offer.ts";

export interface Offer {
  readonly id: Uint8Array;
  readonly secret: Uint8Array;
  /** What the device that uses it may do: fixed when it is made. */
  readonly grant: Grant;
  readonly expires: number;
}

export interface Offers {
  /** Throws `CallError("too_many")` when MAX_OPEN_OFFERS are open. */
  make(grant: Grant, life?: number): Offer;
  secretOf(id: Uint8Array): Uint8Array | undefined;
  /** Uses the offer up. A second call with the same id gives undefined, however close the two come. */
  consume(id: Uint8Array): Offer | undefined;
  /** By its id in base64url. An offer that is not open is withdrawn already. */
  withdraw(id: string): void;
}

export function makeOffers(around: { now(): number; random(bytes: number): Uint8Array }): Offers {
  let open: (Offer & { readonly made: number })[] = [];

  /** The clock may jump. Set forward it ends offers early; set back to before an offer was made it ends that one too. */
  const alive = (): Offer[] => {
    const now = around.now();
    open = open.filter((offer) => offer.made <= now && now < offer.expires);
    return open;
  };
  const find = (id: Uint8Array): Offer | undefined =>
    alive().find((offer) => id.length === OFFER_BYTES && timingSafeEqual(offer.id, id));

  return {
    make(grant, life = OFFER_MS) {
      if (alive().length >= MAX_OPEN_OFFERS)
        throw new CallError(
          "too_many",
          `${MAX_OPEN_OFFERS} offers are open already. Use or withdraw one, or wait until one expires.`,
        );
      const made = around.now();
      const offer = {
        made,
        id: around.random(OFFER_BYTES),
        secret: around.random(SECRET_BYTES),
        grant,
        expires: made + Math.min(life, MAX_OFFER_MS),
      };
      open.push(offer);
      return offer;
    },
    secretOf: (id) => find(id)?.secret,
    consume(id) {
      const offer = find(id);
      open = open.filter((one) => one !== offer);
      return offer;
    },
    withdraw(id) {
      open = open.filter((offer) => toBase64Url(offer.id) !== id);
    },
  };
}
