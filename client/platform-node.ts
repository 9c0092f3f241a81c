/** A shell: WebSockets over a local socket or the network, keys and store in a folder. */
import { randomBytes } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { connect } from "node:net";
import { isAbsolute, join } from "node:path";
import { nodeSuite } from "@flybridge/crypto/suite-node.ts";
import type { Address } from "@flybridge/protocol/offer.ts";
import { HANDSHAKE_MS, LINK_PATH, RECORD_BYTES } from "@flybridge/protocol/relay.ts";
import { systemClock } from "@flybridge/transport/clock.ts";
import { webInflate } from "@flybridge/transport/inflate-web.ts";
import type { Link } from "@flybridge/transport/link.ts";
import { webSocketLink } from "@flybridge/transport/websocket.ts";
import { WebSocket } from "ws";
import { type MakeCell, plainCell } from "./cell.ts";
import { fileKeys } from "./keys-node.ts";
import type { Keys } from "./keys.ts";
import { originOf, type Owner, type Platform } from "./platform.ts";
import { fileStore } from "./store-file-node.ts";
import type { Store } from "./store.ts";

/** What a shell has, whatever it keeps its things in. */
export interface NodeParts {
  readonly keys: Keys;
  readonly store: Store;
  /** Local sockets and origins to try before those of a connection string. */
  readonly addresses?: readonly string[];
  readonly makeCell?: MakeCell;
}

export interface NodePlatformOptions extends Omit<NodeParts, "keys" | "store"> {
  /** Where keys and cache of this device are; made when it is not there. */
  readonly folder: string;
}

export async function nodePlatform({ folder, ...options }: NodePlatformOptions): Promise<Platform> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const [keys, store] = await Promise.all([fileKeys(join(folder, "keys")), fileStore(join(folder, "store"))]);
  return nodePlatformOver({ ...options, keys, store });
}

export function nodePlatformOver({ keys, store, addresses = [], makeCell = plainCell }: NodeParts): Platform {
  const random = (bytes: number): Uint8Array => new Uint8Array(randomBytes(bytes));
  return {
    reach: () => Promise.resolve({ suite: nodeSuite(), inflate: webInflate, dial }),
    keys,
    store,
    owner: processOwner(),
    clock: systemClock,
    makeCell,
    now: () => Date.now(),
    random,
    addressesOf: (connection) => [...new Set([...addresses, ...connection.addresses.map(nodeAddress)])],
    onNetwork: () => () => {},
  };
}

function dial(address: string): Link {
  const isLocalSocket = isAbsolute(address);
  const socket = new WebSocket(`${isLocalSocket ? "ws://localhost" : address}${LINK_PATH}`, {
    // Not by a `ws+unix:` URL: that cannot carry a path with a space or a colon.
    ...(isLocalSocket ? { createConnection: () => connect(address) } : {}),
    maxPayload: RECORD_BYTES,
    perMessageDeflate: false,
    handshakeTimeout: HANDSHAKE_MS,
    // The host proves itself in the handshake inside, by the key in the connection string; a certificate adds nothing.
    rejectUnauthorized: false,
  });
  return webSocketLink(socket, { maxFrameBytes: RECORD_BYTES });
}

/** Plain on the machine itself, TLS beyond it. */
export function nodeAddress(address: Address): string {
  const { host } = address;
  const isLocal = host === "localhost" || host === "::1" || /^127(?:\.\d{1,3}){3}$/u.test(host);
  return originOf(isLocal ? "ws" : "wss", address);
}

function processOwner(): Owner {
  return {
    self: `${process.pid}.${randomBytes(6).toString("hex")}`,
    isAlive(owner) {
      const pid = Number.parseInt(owner, 10);
      // The same number and another name is this process after an earlier one.
      if (pid === process.pid) return Promise.resolve(false);
      try {
        process.kill(pid, 0);
        return Promise.resolve(true);
      } catch (error) {
        return Promise.resolve(error instanceof Error && "code" in error && error.code === "EPERM");
      }
    },
  };
}
