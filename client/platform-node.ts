/** A shell: WebSockets over a local socket or the network, keys and store in a folder. */
import { randomBytes } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { connect, isIP } from "node:net";
import { isAbsolute, join } from "node:path";
import { connect as connectTls, getCACertificates, type TLSSocket } from "node:tls";
import { nodeSuite } from "@flybridge/crypto/suite-node.ts";
import { isLoopback } from "@flybridge/protocol/loopback.ts";
import { relaySocketOf } from "@flybridge/protocol/relay/origin.ts";
import { RELAY_FRAME_BYTES } from "@flybridge/protocol/relay/words.ts";
import { HANDSHAKE_MS, LINK_PATH, RECORD_BYTES } from "@flybridge/protocol/relay.ts";
import { systemClock } from "@flybridge/transport/clock.ts";
import { webInflate } from "@flybridge/transport/inflate-web.ts";
import type { Link, Tls } from "@flybridge/transport/link.ts";
import { exporterOf, fingerprintOf } from "@flybridge/transport/tls-node.ts";
import { webSocketLink } from "@flybridge/transport/websocket.ts";
import { type ClientOptions, WebSocket } from "ws";
import { type MakeCell, plainCell } from "./cell.ts";
import { fileKeys } from "./keys-node.ts";
import type { Keys } from "./keys.ts";
import { originOf, type Owner, type Platform } from "./platform.ts";
import { fileStore } from "./store-file-node.ts";
import type { Store } from "./store.ts";

const HTTPS_PORT = 443;

/** What a shell has, whatever it keeps its things in. */
export interface NodeParts {
  readonly keys: Keys;
  readonly store: Store;
  /** Local sockets and origins to try before those of a connection string. */
  readonly addresses?: readonly string[];
  readonly makeCell?: MakeCell;
  /** Certificate authorities, PEM, that count for relays besides those that count anyway. */
  readonly ca?: readonly string[];
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

export function nodePlatformOver({ keys, store, addresses = [], makeCell = plainCell, ca = [] }: NodeParts): Platform {
  const random = (bytes: number): Uint8Array => new Uint8Array(randomBytes(bytes));
  return {
    reach: () =>
      Promise.resolve({ suite: nodeSuite(), inflate: webInflate, dial, relay: (origin) => dialRelay(origin, ca) }),
    keys,
    store,
    owner: processOwner(),
    clock: systemClock,
    makeCell,
    now: () => Date.now(),
    random,
    addressesOf: (connection) => [
      ...new Set([...addresses, ...connection.addresses.map((address) => originOf(address))]),
    ],
    onNetwork: () => () => {},
  };
}

function dial(address: string): Link {
  // Not by a `ws+unix:` URL: that cannot carry a path with a space or a colon.
  if (isAbsolute(address)) return linkOver(`ws://localhost${LINK_PATH}`, { createConnection: () => connect(address) });
  const { protocol, hostname, port } = new URL(address);
  const host = hostname.replace(/^\[|\]$/gu, "");
  if (protocol === "ws:" && !isLoopback(host))
    throw new Error(`${address} is not encrypted, and nobody is spoken to like that beyond this machine. Use wss://.`);
  if (protocol === "ws:") return linkOver(address + LINK_PATH, {});
  const socket = connectTls({
    host,
    port: Number(port || HTTPS_PORT),
    ...(isIP(host) ? {} : { servername: host }),
    // The host proves itself in the handshake inside, which is bound to this TLS; who signed the certificate adds nothing.
    rejectUnauthorized: false,
    minVersion: "TLSv1.3",
  });
  return linkOver(address + LINK_PATH, { createConnection: () => socket }, () => tlsOf(socket));
}

function dialRelay(origin: string, ca: readonly string[]): Link {
  // Said although it is what Node does anyway: an environment can say otherwise.
  const own = ca.length > 0 ? { ca: [...getCACertificates("default"), ...ca] } : {};
  return linkOver(relaySocketOf(origin), { rejectUnauthorized: true, ...own }, undefined, RELAY_FRAME_BYTES);
}

function linkOver(
  url: string,
  options: ClientOptions,
  tls?: () => Tls | undefined,
  maxFrameBytes = RECORD_BYTES,
): Link {
  const socket = new WebSocket(url, {
    ...options,
    maxPayload: maxFrameBytes,
    perMessageDeflate: false,
    handshakeTimeout: HANDSHAKE_MS,
  });
  return webSocketLink(socket, { maxFrameBytes, ...(tls ? { tls } : {}) });
}

function tlsOf(socket: TLSSocket): Tls | undefined {
  const [certificate, exporter] = [socket.getPeerX509Certificate(), exporterOf(socket)];
  return certificate && exporter && { exporter, fingerprint: fingerprintOf(certificate) };
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
