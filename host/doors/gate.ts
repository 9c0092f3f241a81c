/**
 * The gate every way in leads to: a handshake over a link, then the conversation. Which door it was changes nothing
 * about who may do what.
 */
import { confirmationDigits } from "@flybridge/crypto/confirmation.ts";
import { continuityTag } from "@flybridge/crypto/continuity.ts";
import type { AgreementKey, Suite } from "@flybridge/crypto/suite.ts";
import { Introduction } from "@flybridge/protocol/device.ts";
import { type GrantEnd, isWithin } from "@flybridge/protocol/grant.ts";
import type { HostId } from "@flybridge/protocol/ids.ts";
import type { Direct } from "@flybridge/protocol/direct.ts";
import type { Way } from "@flybridge/protocol/way.ts";
import type { Deflate, Inflate } from "@flybridge/transport/deflate.ts";
import type { Link } from "@flybridge/transport/link.ts";
import { HandshakeError } from "@flybridge/transport/secure.ts";
import { type Accepted, acceptOver, type Candidate } from "@flybridge/transport/secure/host.ts";
import { timingSafeEqual } from "node:crypto";
import * as v from "valibot";
import type { Accounts } from "../access/accounts.ts";
import type { Occurrence } from "../access/audit.ts";
import { deviceIdOf, type Devices, type Recalled } from "../access/devices.ts";
import type { Offer, Offers } from "../access/offers.ts";
import type { Pairings } from "../access/pairings.ts";
import { type Conversation, converse } from "./conversation.ts";
import type { Desk } from "./desk.ts";

/** Links through one door whose other side is not authenticated yet (R12): who fills one door leaves the others free. */
const MAX_STRANGERS = 32;

/** The door that a link came through. */
export interface Entrance {
  readonly way: Way;
  /** Of the TLS that the link runs in, where its device binds its handshake to it (RFC 9266), 32 bytes. */
  readonly exporter?: Uint8Array;
  /** The relay that it came by. */
  readonly relay?: { readonly origin: string; readonly rendezvous: string };
}

export interface Gate {
  /** Takes the link over. False when too many strangers came through its door: the link is closed. */
  enter(link: Link, entrance: Entrance): boolean;
  /** Says goodbye to every device. */
  close(reason: string): void;
}

/** When a person has to let a new device of the owner's in: those from beyond this machine, all, or none. */
export type Confirm = "remote" | "always" | "never";

export function makeGate(around: {
  readonly suite: Suite;
  readonly hostKey: AgreementKey;
  readonly hostId: HostId;
  readonly devices: Devices;
  readonly offers: Offers;
  readonly pairings: Pairings;
  readonly accounts: Accounts;
  readonly confirm: Confirm;
  readonly desk: Desk;
  readonly deflate: Deflate;
  readonly inflate: Inflate;
  /** What a device that came by a way is told of the direct one. */
  direct?(way: Way): Direct | undefined;
  note(what: Occurrence): void;
  now(): number;
  log(message: string, detail: Record<string, unknown>): void;
}): Gate {
  const { devices, offers, pairings, accounts, desk, log, now } = around;
  const inside = new Set<Conversation>();
  /** How many of them, by door; each relay is one. */
  const strangers = new Map<string, number>();

  /** What is shared of one session is let in at once: who made the offer sat at the host, and chose what it allows. */
  const confirms = (offer: Offer | undefined, way: Way): boolean => {
    if (offer?.grant.kind === "session" || around.confirm === "never") return false;
    return around.confirm === "always" || (way !== "local" && way !== "loopback");
  };

  const refused = (id: Uint8Array, way: Way): undefined => {
    try {
      if (offers.forgetSpent(id)) around.note({ event: "offer.refused", detail: `used again, by ${way}` });
    } catch (error) {
      log("the audit log could not be written", { error: String(error) });
    }
    return undefined;
  };

  const pair = async (offerId: Uint8Array, candidate: Candidate, way: Way): Promise<boolean> => {
    const offer = offers.consume(offerId);
    const introduction = introductionFrom(candidate.payload);
    const { deviceKey, continuity, hash, gone } = candidate;
    try {
      if (introduction && !offer && accounts.admits(offerId, deviceKey, introduction.account)) {
        devices.pair(deviceKey, introduction, { kind: "owner" }, continuity, way);
        return true;
      }
      if (!offer || !introduction) return false;
      if (confirms(offer, way)) {
        const digits = confirmationDigits(hash);
        if (!(await pairings.ask({ introduction, way, digits, gone }))) return false;
      }
      // Who made the offer may have lost since what it gives.
      const giver = devices.get(offer.by);
      const { grant } = offer;
      if (!giver || giver.suspended !== undefined) return false;
      if (grant.kind === "owner" ? giver.grant.kind !== "owner" : !isWithin(grant, giver.grant)) return false;
      devices.pair(deviceKey, introduction, grant, continuity, way);
      accounts.readmit(deviceIdOf(deviceKey));
      return true;
    } catch (error) {
      log("a device could not be paired", { error: String(error) });
      return false;
    }
  };

  /** What cannot be stored did not happen: the device is cut off, keeps the secret it came with, and comes again. */
  const advance = (key: Uint8Array, used: Recalled | undefined, next: Uint8Array): boolean | GrantEnd => {
    try {
      if (used !== undefined && devices.advance(key, used, next)) return true;
      return devices.get(deviceIdOf(key))?.suspended !== undefined && "suspended";
    } catch (error) {
      log("a device could not be let in", { error: String(error) });
      return false;
    }
  };

  const admit = ({ deviceKey, pipe }: Accepted, way: Way): void => {
    const id = deviceIdOf(deviceKey);
    const device = devices.get(id);
    if (!device) return pipe.close("revoked");
    const ended = new AbortController();
    const present = devices.present(id, way, (reason) => {
      ended.abort();
      // Of a session that ended, and to who leaves, there is nothing to hold back.
      if (reason === "session_ended" || reason === "detached") pipe.close(reason);
      else pipe.cut(reason);
    });
    const conversation = converse({
      pipe,
      caller: { device: id, grant: device.grant, ended: ended.signal },
      direct: around.direct?.(way),
      desk,
      now,
      log,
      ended() {
        ended.abort();
        present[Symbol.dispose]();
        inside.delete(conversation);
      },
    });
    inside.add(conversation);
  };

  return {
    enter(link, { way, exporter, relay }) {
      const door = relay?.origin ?? way;
      const before = strangers.get(door) ?? 0;
      if (before >= MAX_STRANGERS) {
        link.close("busy");
        return false;
      }
      strangers.set(door, before + 1);
      /** The secret that message 1 named. */
      let recalled: Recalled | undefined;
      acceptOver(link, {
        suite: around.suite,
        hostKey: around.hostKey,
        hostId: around.hostId,
        ...(exporter === undefined ? {} : { route: { kind: "direct", exporter } }),
        ...(relay === undefined ? {} : { route: { kind: "relay", ...relay } }),
        deflate: around.deflate,
        inflate: around.inflate,
        secretOf: (offer) => offers.get(offer)?.secret ?? accounts.secretOf(offer) ?? refused(offer, way),
        confirms: (offer) => !accounts.has(offer) && confirms(offers.get(offer), way),
        consume: (offer, candidate) => pair(offer, candidate, way),
        continuityOf(key, tag) {
          recalled = devices.recall(key, (secret) => timingSafeEqual(continuityTag(secret), tag));
          return recalled?.secret;
        },
        advance: (key, _used, next) => advance(key, recalled, next),
      })
        .finally(() => {
          const left = (strangers.get(door) ?? 1) - 1;
          if (left === 0) strangers.delete(door);
          else strangers.set(door, left);
        })
        .then((accepted) => admit(accepted, way))
        .catch((error: unknown) => {
          if (error instanceof HandshakeError) log("a handshake failed", { fault: error.fault, detail: error.detail });
          else log("the gate failed", { error: String(error) });
        });
      return true;
    },
    close(reason) {
      for (const conversation of inside) conversation.close(reason);
    },
  };
}

/** Undefined when it is not an introduction: whoever sent it is broken. */
function introductionFrom(payload: Uint8Array): Introduction | undefined {
  try {
    return v.parse(Introduction, JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(payload)));
  } catch {
    return undefined;
  }
}
