/**
 * Offers: one-time invitations to pair. They live in memory, so a restart ends them all. Whoever asks for the secret of
 * an offer that is used, late, withdrawn or unknown gets the same nothing.
 */
import { timingSafeEqual } from "node:crypto";
import { CallError } from "@flybridge/protocol/error.ts";
import type { Grant } from "@flybridge/protocol/grant.ts";
import type { DeviceId } from "@flybridge/protocol/ids.ts";
import { MAX_OFFER_MS, MAX_OPEN_OFFERS, OFFER_MS } from "@flybridge/protocol/limits.ts";
import { OFFER_BYTES, SECRET_BYTES, toBase64Url } from "@flybridge/protocol/offer.ts";

/** Offers that are over and still known, so that a second use of one is noticed. */
const SPENT_KEPT = 64;

export interface Offer {
  readonly id: Uint8Array;
  readonly secret: Uint8Array;
  /** What the device that uses it may do: fixed when it is made. */
  readonly grant: Grant;
  /** The device that made it. */
  readonly by: DeviceId;
  readonly made: number;
  readonly expires: number;
}

export interface Offers {
  /** Throws `CallError("too_many")` when MAX_OPEN_OFFERS are open. */
  make(grant: Grant, by: DeviceId, life?: number): Offer;
  /** Those that are open, oldest first. */
  list(): readonly Offer[];
  /** The open one with this id, used by nobody yet. */
  get(id: Uint8Array): Offer | undefined;
  /** Whether this one was open once and is no more: true the first time that it is asked. */
  forgetSpent(id: Uint8Array): boolean;
  /** Uses the offer up. A second call with the same id gives undefined, however close the two come. */
  consume(id: Uint8Array): Offer | undefined;
  /** Those that this says. An offer that is not open is withdrawn already. */
  withdraw(which: (offer: Offer) => boolean): readonly Offer[];
}

export function makeOffers(around: {
  now(): number;
  random(bytes: number): Uint8Array;
  /** Others are open now. */
  changed?(): void;
}): Offers {
  const changed = (): void => around.changed?.();
  let open: Offer[] = [];
  /** Those that were open, newest last, by id in base64url. */
  let spent: string[] = [];
  const over = (offers: readonly Offer[]): void => {
    spent = [...spent, ...offers.map(({ id }) => toBase64Url(id))].slice(-SPENT_KEPT);
  };

  /** The clock may jump. Set forward it ends offers early; set back to before an offer was made it ends that one too. */
  const alive = (): Offer[] => {
    const now = around.now();
    const isAlive = (offer: Offer): boolean => offer.made <= now && now < offer.expires;
    over(open.filter((offer) => !isAlive(offer)));
    open = open.filter(isAlive);
    return open;
  };
  const find = (id: Uint8Array): Offer | undefined =>
    alive().find((offer) => id.length === OFFER_BYTES && timingSafeEqual(offer.id, id));

  return {
    make(grant, by, life = OFFER_MS) {
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
        by,
        expires: made + Math.min(life, MAX_OFFER_MS),
      };
      open.push(offer);
      changed();
      return offer;
    },
    list: () => [...alive()],
    get: find,
    forgetSpent(id) {
      const before = spent.length;
      spent = spent.filter((one) => one !== toBase64Url(id));
      return spent.length < before;
    },
    consume(id) {
      const offer = find(id);
      open = open.filter((one) => one !== offer);
      if (offer) {
        over([offer]);
        changed();
      }
      return offer;
    },
    withdraw(which) {
      const withdrawn = alive().filter(which);
      open = open.filter((offer) => !withdrawn.includes(offer));
      over(withdrawn);
      if (withdrawn.length > 0) changed();
      return withdrawn;
    },
  };
}
