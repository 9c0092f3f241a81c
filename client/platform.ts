/** What a device needs of the place it runs in. A browser's is in `platform-web.ts`, Node's in `platform-node.ts`. */
import type { Suite } from "@flybridge/crypto/suite.ts";
import type { IceServer } from "@flybridge/protocol/direct.ts";
import { isLoopback } from "@flybridge/protocol/loopback.ts";
import type { Address, Connection } from "@flybridge/protocol/offer.ts";
import type { Clock } from "@flybridge/transport/clock.ts";
import type { ChannelOffer } from "@flybridge/transport/data-channel.ts";
import type { Deflate, Inflate } from "@flybridge/transport/deflate.ts";
import type { Link } from "@flybridge/transport/link.ts";
import type { MakeCell } from "./cell.ts";
import type { Keys } from "./keys.ts";
import type { Store } from "./store.ts";

/**
 * One process (or tab) among several that share a store. Each sends what it saved itself, and takes over what one
 * that is gone left behind.
 */
export interface Owner {
  readonly self: string;
  isAlive(owner: string): Promise<boolean>;
}

/** What is needed to reach hosts and relays: the seal and the sockets, which an app may load once it has drawn what it knows. */
export interface Reach {
  readonly suite: Suite;
  readonly inflate?: Inflate;
  readonly deflate?: Deflate;
  /** A link that may still be connecting. Throws when the address is none that this platform can dial. */
  dial(address: string): Link;
  /**
   * The same to a relay, by its origin (`protocol/relay/origin.ts`). Nothing inside proves a relay, so what its
   * certificate says counts: a link to another than the one that is named does not come to be.
   */
  relay(origin: string): Link;
  /** Offers a data channel to a host, with these servers to find the way; absent where there are none. */
  direct?(ice: readonly IceServer[]): Promise<ChannelOffer>;
}

export interface Platform {
  /** Rejects when it cannot be loaded now; asking again tries again. */
  reach(): Promise<Reach>;
  readonly keys: Keys;
  readonly store: Store;
  readonly owner: Owner;
  readonly clock: Clock;
  readonly makeCell: MakeCell;
  /** Milliseconds since 1970. */
  now(): number;
  random(bytes: number): Uint8Array;
  /** Where the host of a connection string may be reached from here, best first. */
  addressesOf(connection: Connection): readonly string[];
  /** Calls `awake` when the network comes back; the returned function ends it. */
  onNetwork(awake: () => void): () => void;
}

/** TLS beyond the machine itself; there, plain unless `secure`. */
export function originOf({ host, port }: Address, secure = false): string {
  const scheme = isLoopback(host) && !secure ? "ws" : "wss";
  return `${scheme}://${host.includes(":") ? `[${host}]` : host}:${port}`;
}
