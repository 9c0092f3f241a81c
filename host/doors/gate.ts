/**
 * The gate every way in leads to: a handshake over a link, then the conversation. Which door it was changes nothing
 * about who may do what.
 */
import { continuityTag } from "@flybridge/crypto/continuity.ts";
import type { AgreementKey, Suite } from "@flybridge/crypto/suite.ts";
import { Introduction } from "@flybridge/protocol/device.ts";
import type { HostId } from "@flybridge/protocol/ids.ts";
import type { Way } from "@flybridge/protocol/way.ts";
import type { Deflate, Inflate } from "@flybridge/transport/deflate.ts";
import type { Link } from "@flybridge/transport/link.ts";
import { type Accepted, acceptOver, HandshakeError } from "@flybridge/transport/secure.ts";
import { timingSafeEqual } from "node:crypto";
import * as v from "valibot";
import { deviceIdOf, type Devices } from "../access/devices.ts";
import type { Offers } from "../access/offers.ts";
import { type Conversation, converse } from "./conversation.ts";
import type { Desk } from "./desk.ts";

/** Links whose other side is not authenticated yet, in all. */
const MAX_STRANGERS = 32;

/** The door that a link came through. */
export interface Entrance {
  readonly way: Way;
  /** Of the TLS that the link runs in, where its device binds its handshake to it (RFC 9266), 32 bytes. */
  readonly exporter?: Uint8Array;
}

export interface Gate {
  /** Takes the link over. False when too many strangers are at the gate: the link is closed. */
  enter(link: Link, entrance: Entrance): boolean;
  /** Says goodbye to every device. */
  close(reason: string): void;
}

export function makeGate(around: {
  readonly suite: Suite;
  readonly hostKey: AgreementKey;
  readonly hostId: HostId;
  readonly devices: Devices;
  readonly offers: Offers;
  readonly desk: Desk;
  readonly deflate: Deflate;
  readonly inflate: Inflate;
  now(): number;
  log(message: string, detail: Record<string, unknown>): void;
}): Gate {
  const { devices, offers, desk, log, now } = around;
  const inside = new Set<Conversation>();
  let strangers = 0;

  const pair = (offerId: Uint8Array, key: Uint8Array, payload: Uint8Array, secret: Uint8Array): boolean => {
    const offer = offers.consume(offerId);
    if (!offer) return false;
    const introduction = introductionFrom(payload);
    if (!introduction) return false;
    try {
      devices.pair(key, introduction, offer.grant, secret);
      return true;
    } catch (error) {
      log("a device could not be paired", { error: String(error) });
      return false;
    }
  };

  /** What cannot be stored did not happen: the device is cut off, keeps the secret it came with, and comes again. */
  const advance = (key: Uint8Array, used: Uint8Array, next: Uint8Array): boolean => {
    try {
      return devices.advance(key, used, next);
    } catch (error) {
      log("a device could not be let in", { error: String(error) });
      return false;
    }
  };

  const admit = ({ deviceKey, pipe }: Accepted): void => {
    const id = deviceIdOf(deviceKey);
    const device = devices.get(id);
    if (!device) return pipe.close("revoked");
    const present = devices.present(id, (reason) => pipe.close(reason));
    const conversation = converse({
      pipe,
      caller: { device: id, grant: device.grant },
      desk,
      now,
      log,
      ended() {
        present[Symbol.dispose]();
        inside.delete(conversation);
      },
    });
    inside.add(conversation);
  };

  return {
    enter(link, { exporter }) {
      if (strangers >= MAX_STRANGERS) {
        link.close("busy");
        return false;
      }
      strangers += 1;
      acceptOver(link, {
        suite: around.suite,
        hostKey: around.hostKey,
        hostId: around.hostId,
        payload: new Uint8Array(0),
        ...(exporter === undefined ? {} : { route: { kind: "direct", exporter } }),
        deflate: around.deflate,
        inflate: around.inflate,
        secretOf: (offer) => offers.secretOf(offer),
        consume: pair,
        continuityOf: (key, tag) => devices.secretOf(key, (secret) => timingSafeEqual(continuityTag(secret), tag)),
        advance,
      })
        .finally(() => {
          strangers -= 1;
        })
        .then(admit)
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
