/** Bare devices by a relay: links that were joined there, with a key of the test's own. */
import { randomBytes } from "node:crypto";
import { type HeldSigningKey, type SigningKey, signingKey } from "@flybridge/crypto/identity.ts";
import { offerKeySeed } from "@flybridge/crypto/proof.ts";
import { toBase64Url } from "@flybridge/protocol/base64.ts";
import { parseConnection } from "@flybridge/protocol/offer.ts";
import { relaySocketOf } from "@flybridge/protocol/relay/origin.ts";
import { type JoinBy, RELAY_FRAME_BYTES, type Welcome } from "@flybridge/protocol/relay/words.ts";
import type { RelayWay } from "@flybridge/protocol/relays.ts";
import type { Link } from "@flybridge/transport/link.ts";
import { openAt } from "@flybridge/transport/relay.ts";
import type { Route } from "@flybridge/transport/secure.ts";
import { webSocketLink } from "@flybridge/transport/websocket.ts";
import { WebSocket } from "ws";
import { BareDevice, newIntent, type Keys } from "./bare.ts";

export interface Joined {
  readonly link: Link;
  readonly route: Route;
  readonly welcome: Welcome;
}

/** A device's key DA. */
export function newProof(): HeldSigningKey {
  return signingKey(new Uint8Array(randomBytes(32)));
}

/** A link to a relay on which nothing was said yet. */
export function linkToRelay(origin: string): Link {
  const socket = new WebSocket(relaySocketOf(origin), { maxPayload: RELAY_FRAME_BYTES, perMessageDeflate: false });
  return webSocketLink(socket, { maxFrameBytes: RELAY_FRAME_BYTES });
}

/** Rejects with `RelayRefused`. */
export async function joinAt(
  place: { readonly origin: string; readonly rendezvous: string },
  by: JoinBy,
  key: SigningKey,
  link = linkToRelay(place.origin),
): Promise<Joined> {
  const { origin, rendezvous } = place;
  const opened = await openAt(link, { origin, key, opening: { t: "join", rendezvous, by } });
  return { ...opened, route: { kind: "relay", origin, rendezvous } };
}

/** The place and the key that a connection string gives. */
export function offerIn(connection: string): { origin: string; rendezvous: string; key: HeldSigningKey } {
  const { relay = "", rendezvous = "", secret } = parseConnection(connection);
  return { origin: relay, rendezvous, key: signingKey(offerKeySeed(secret)) };
}

/** A device that has been at its host by a relay, and can come back by it. */
export class RelayedDevice {
  readonly proof: HeldSigningKey;
  device: BareDevice;
  way: RelayWay | undefined;

  private constructor(device: BareDevice, proof: HeldSigningKey) {
    this.device = device;
    this.proof = proof;
  }

  /** Pairs by the offer in the string; over another link than one to the relay's origin, where that leads to a node of it. */
  static async pair(connection: string, name?: string, over?: Link): Promise<RelayedDevice> {
    const { key, ...place } = offerIn(connection);
    const { link, route } = await joinAt(place, { kind: "offer" }, key, over);
    const relayed = new RelayedDevice(await BareDevice.pair(connection, name, link, route), newProof());
    await relayed.takeWay(place.origin);
    return relayed;
  }

  get keys(): Keys {
    return this.device.keys;
  }

  /** A ticket for the next time. */
  async takeWay(origin?: string): Promise<RelayWay> {
    const { ways } = await this.device.call("relay.ways", { key: toBase64Url(this.proof.publicKey) });
    const way = ways.find((one) => one.origin === (origin ?? one.origin));
    if (!way) throw new Error("the host has no relay");
    this.way = way;
    return way;
  }

  /** Comes back by the ticket it has, and takes the next one. */
  async reconnect(over?: Link): Promise<BareDevice> {
    if (!this.way) throw new Error("no way");
    const { origin, ticket } = this.way;
    const { link, route } = await joinAt(this.way, { kind: "ticket", ticket }, this.proof, over);
    this.device = await BareDevice.reconnect(this.keys, link, route);
    await this.takeWay(origin);
    return this.device;
  }
}

/** An offer of an owner's device, made by the shell. */
export async function offerBy(shell: BareDevice): Promise<string> {
  return (await shell.call("offer.make", {}, newIntent())).connection;
}
