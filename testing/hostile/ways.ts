/** The ways by which devices come to a host: through its own door, or as circuits of a real relay. A test runs by each. */
import assert from "node:assert/strict";
import type { HeldSigningKey } from "@flybridge/crypto/identity.ts";
import { toBase64Url } from "@flybridge/protocol/base64.ts";
import type { Verb } from "@flybridge/protocol/grant.ts";
import type { SessionId } from "@flybridge/protocol/ids.ts";
import { LINK_PATH, RECORD_BYTES } from "@flybridge/protocol/relay.ts";
import { relaySocketOf } from "@flybridge/protocol/relay/origin.ts";
import { type JoinBy, RELAY_FRAME_BYTES } from "@flybridge/protocol/relay/words.ts";
import type { RelayWay } from "@flybridge/protocol/relays.ts";
import type { Link } from "@flybridge/transport/link.ts";
import type { Route } from "@flybridge/transport/secure.ts";
import { webSocketLink } from "@flybridge/transport/websocket.ts";
import { WebSocket } from "ws";
import { BareDevice, type Keys } from "../bare.ts";
import { type RunningRelay, startRelay, untilRelayed } from "../relay.ts";
import { joinAt, newProof, offerIn } from "../relayed.ts";
import { startWorld, type World } from "../world.ts";

export const WAYS = ["at the host's own door", "by a relay"] as const;
export type Way = (typeof WAYS)[number];

/** Somebody before the host who has not said a word to it. */
export interface Comer {
  readonly socket: WebSocket;
  readonly link: Link;
  readonly route?: Route;
}

/** With what a device comes back by the relay. A copy of the device has it as well. */
interface RelayedKeys extends Keys {
  proof?: HeldSigningKey;
  way?: RelayWay;
}

/** A host, and what lies between it and its devices. */
export class Place implements AsyncDisposable {
  readonly world: World;
  /** Of the host's machine: it comes by the local socket, whichever way others come. */
  readonly shell: BareDevice;
  /** Undefined where there is none, or where it is the test's own. */
  readonly relay: RunningRelay | undefined;
  /** Of the relay that devices come by. */
  readonly #relayed: string | undefined;
  readonly #held: AsyncDisposableStack;

  private constructor(
    world: World,
    shell: BareDevice,
    by: { readonly relay: RunningRelay | undefined; readonly origin: string | undefined },
    held: AsyncDisposableStack,
  ) {
    this.world = world;
    this.shell = shell;
    this.relay = by.relay;
    this.#relayed = by.origin;
    this.#held = held;
  }

  /** `env` is the host's and the relay's; `at` is the origin of a relay of the test's own. */
  static async open(
    way: Way,
    {
      args = ["--confirm", "never"],
      env = {},
      at,
    }: { args?: readonly string[]; env?: Readonly<Record<string, string>>; at?: string } = {},
  ): Promise<Place> {
    await using held = new AsyncDisposableStack();
    const relay = way === "by a relay" && at === undefined ? held.use(await startRelay({ env })) : undefined;
    const origin = at ?? relay?.origin;
    const world = held.use(await startWorld({ env, args: [...args, ...(origin ? ["--relay", origin] : [])] }));
    const shell = await world.shell();
    held.defer(() => shell.close());
    if (origin) await untilRelayed(shell, origin);
    return new Place(world, shell, { relay, origin }, held.move());
  }

  /** Where browsers find the app. */
  get origin(): string {
    return this.#relayed ?? `http://127.0.0.1:${this.world.port}`;
  }

  /** Of loopback. */
  get #door(): string {
    return `ws://127.0.0.1:${this.world.port}${LINK_PATH}`;
  }

  /** Whoever brings this invitation, or only says so. */
  knock(connection: string): Promise<Comer> {
    if (this.#relayed === undefined) return Promise.resolve(comerTo(this.#door));
    const { key, ...place } = offerIn(connection);
    return this.#join(place, { kind: "offer" }, key);
  }

  /** Whoever comes back with these, with the newest ticket that lies beside them. */
  approach(keys: Keys): Promise<Comer> {
    if (this.#relayed === undefined) return Promise.resolve(comerTo(this.#door));
    const { proof, way } = keys as RelayedKeys;
    assert.ok(proof && way, "it was never let in by the relay");
    return this.#join(way, { kind: "ticket", ticket: way.ticket }, proof);
  }

  /** A device that is let in by an invitation. */
  async redeem(connection: string, name?: string): Promise<BareDevice> {
    const { link, route } = await this.knock(connection);
    return this.renew(await BareDevice.pair(connection, name, link, route));
  }

  async pair(name?: string): Promise<BareDevice> {
    return this.redeem((await this.shell.call("offer.make", {})).connection, name);
  }

  /** A new device with whom the owner shared one session. */
  async share(session: SessionId, verbs: readonly Verb[], name?: string): Promise<BareDevice> {
    return this.redeem((await this.shell.call("session.share", { session, verbs: [...verbs] })).connection, name);
  }

  async reconnect(keys: Keys): Promise<BareDevice> {
    const { link, route } = await this.approach(keys);
    return this.renew(await BareDevice.reconnect(keys, link, route));
  }

  /** Has the device take its next ticket; one that is cut off before keeps the one it has. */
  async renew(device: BareDevice): Promise<BareDevice> {
    if (this.#relayed === undefined) return device;
    const keys: RelayedKeys = device.keys;
    keys.proof ??= newProof();
    const key = toBase64Url(keys.proof.publicKey);
    const [way] = await device.call("relay.ways", { key }).then(
      ({ ways }) => ways,
      () => [],
    );
    if (way) keys.way = way;
    return device;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#held.disposeAsync();
  }

  async #join(place: { origin: string; rendezvous: string }, by: JoinBy, key: HeldSigningKey): Promise<Comer> {
    const { socket, link } = comerTo(relaySocketOf(place.origin), RELAY_FRAME_BYTES);
    return { socket, ...(await joinAt(place, by, key, link)) };
  }
}

/** Over a socket to any door; who signed its certificate says nothing (R66). */
export function comerTo(url: string, maxFrameBytes: number = RECORD_BYTES): Comer {
  const socket = new WebSocket(url, { perMessageDeflate: false, maxPayload: maxFrameBytes, rejectUnauthorized: false });
  return { socket, link: webSocketLink(socket, { maxFrameBytes }) };
}

/** Whether a host says its hello to it; nobody else may listen. */
export function greeted({ link }: Comer): Promise<boolean> {
  return new Promise((resolve) =>
    link.listen({ frame: () => resolve(true), drained() {}, ended: () => resolve(false) }),
  );
}
