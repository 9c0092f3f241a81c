/** Hosts and devices of a relay by number, whose keys follow from it: every process of the bench has the same. */
import { createHash } from "node:crypto";
import { type HeldSigningKey, hostIdOf, signingKey } from "@flybridge/crypto/identity.ts";
import { signTicket } from "@flybridge/crypto/proof.ts";
import { nodeKey } from "@flybridge/crypto/suite-node.ts";
import { toBase64Url } from "@flybridge/protocol/base64.ts";
import type { HostId } from "@flybridge/protocol/ids.ts";
import { RELAY_FRAME_BYTES, RELAY_PATH, RENDEZVOUS_BYTES, type Session } from "@flybridge/protocol/relay/words.ts";
import { Circuits, type CircuitsEvents } from "@flybridge/transport/circuits.ts";
import type { Link } from "@flybridge/transport/link.ts";
import { openAt } from "@flybridge/transport/relay.ts";
import { webSocketLink } from "@flybridge/transport/websocket.ts";
import { WebSocket } from "ws";

/** A ticket of the bench outlives its run. */
const TICKET_MS = 3_600_000;

/** One node of a relay: what tickets and signatures name, and where it is dialled. */
export interface Node {
  readonly origin: string;
  readonly port: number;
}

export interface BenchHost {
  readonly id: HostId;
  readonly signing: HeldSigningKey;
  /** HS, private. */
  readonly secret: Uint8Array;
  readonly publicKey: Uint8Array;
  readonly rendezvous: string;
}

export function hostNumber(number: number): BenchHost {
  const signing = signingKey(digest("identity", number));
  const secret = digest("static", number);
  const { publicKey } = nodeKey(secret);
  const rendezvous = toBase64Url(digest("rendezvous", number).subarray(0, RENDEZVOUS_BYTES));
  return { id: hostIdOf(publicKey, signing.publicKey) as HostId, signing, secret, publicKey, rendezvous };
}

/** Seats it; rejects as `openAt`. */
export async function seatHost(
  node: Node,
  host: BenchHost,
  events: CircuitsEvents,
  session?: string,
  socket = dialNode(node),
): Promise<{ readonly circuits: Circuits; readonly session: Session | undefined }> {
  const opened = await openAt(linkOf(socket), {
    origin: node.origin,
    key: host.signing,
    opening: {
      t: "host",
      hs: toBase64Url(host.publicKey),
      rendezvous: host.rendezvous,
      ...(session === undefined ? {} : { session }),
    },
  });
  const circuits = new Circuits(opened.link, events);
  circuits.tell({ t: "kept" });
  return { circuits, session: opened.welcome.session };
}

/** Joins a device to a host by a ticket; rejects as `openAt`. */
export async function joinDevice(node: Node, host: BenchHost, number: number, socket = dialNode(node)): Promise<Link> {
  const key = signingKey(digest("device", number));
  const ticket = await signTicket(host.signing, {
    relay: node.origin,
    host: host.id,
    rendezvous: host.rendezvous,
    device: toBase64Url(key.publicKey),
    until: Date.now() + TICKET_MS,
    id: toBase64Url(digest("ticket", number).subarray(0, 12)),
  });
  const { link } = await openAt(linkOf(socket), {
    origin: node.origin,
    key,
    opening: { t: "join", rendezvous: host.rendezvous, by: { kind: "ticket", ticket } },
  });
  return link;
}

export function dialNode({ origin, port }: Node): WebSocket {
  return dialPort(port, RELAY_PATH, origin.startsWith("https:") ? "wss" : "ws");
}

export function dialPort(port: number, path: string, scheme: "ws" | "wss" = "ws"): WebSocket {
  return new WebSocket(`${scheme}://127.0.0.1:${port}${path}`, {
    perMessageDeflate: false,
    maxPayload: RELAY_FRAME_BYTES,
    // The bench's own certificate, on this machine.
    rejectUnauthorized: false,
  });
}

export function linkOf(socket: WebSocket): Link {
  return webSocketLink(socket as never, { maxFrameBytes: RELAY_FRAME_BYTES });
}

function digest(what: string, number: number): Uint8Array {
  return new Uint8Array(createHash("sha256").update(`flybridge bench ${what} ${number}`).digest());
}
