/**
 * The far ends of what a relay joins, and of what its reference does, in a process of their own: hosts whose circuits do
 * what the device's first frame says, and idle sockets in any number. Takes orders.
 */
import { once } from "node:events";
import type { AddressInfo, Socket } from "node:net";
import { nodeKey, nodeSuite } from "@flybridge/crypto/suite-node.ts";
import type { ToHost } from "@flybridge/protocol/relay/words.ts";
import type { Circuits } from "@flybridge/transport/circuits.ts";
import type { Link } from "@flybridge/transport/link.ts";
import { acceptOver } from "@flybridge/transport/secure/host.ts";
import { type WebSocket, WebSocketServer } from "ws";
import { serveOrders } from "../child.ts";
import { dialNode, dialPort, hostNumber, joinDevice, linkOf, type BenchHost, type Node, seatHost } from "../meeting.ts";
import { SEALED } from "./sealed.ts";

/** Sockets that are being opened at once: fewer than a relay lets one address have. */
const AT_ONCE = 48;
/** Bytes of one frame of a flood. */
const FLOOD_FRAME_BYTES = 16 * 1024;

/** `count` of them, from the number `from` on. */
export type Order =
  | { readonly do: "hosts"; readonly node: Node; readonly from: number; readonly count: number }
  /** Each host gets `each` of them. */
  | {
      readonly do: "devices";
      readonly node: Node;
      readonly from: number;
      readonly count: number;
      readonly each: number;
    }
  /** Sockets of the forwarder, or of any server, that echo what comes; `pairs`: both ends, and idle. */
  | {
      readonly do: "bare";
      readonly port: number;
      readonly from: number;
      readonly count: number;
      readonly pairs?: boolean;
      /** What comes is a handshake. */
      readonly sealed?: boolean;
    }
  /** A socket of the forwarder that sends so many bytes at once when it hears something. */
  | { readonly do: "bare-flood"; readonly port: number; readonly from: number; readonly bytes: number }
  /** Hosts that are there get their next session. */
  | { readonly do: "renew"; readonly from: number; readonly count: number }
  /** A server whose sockets echo: what stands behind a reference that dials. Answers with its port. */
  | { readonly do: "serve" }
  /** Bytes that all sockets to relays have read and written. */
  | { readonly do: "wire" }
  | { readonly do: "leave" };

/** What a device says first on its circuit. */
export type Wish =
  | { readonly do: "echo" }
  /** Everything after it is a handshake and what follows it: messages come back on their stream. */
  | { readonly do: "seal" }
  | { readonly do: "flood"; readonly bytes: number };

export interface Answer {
  /** That it took, without making keys and tickets. */
  readonly ms: number;
  readonly port?: number;
  readonly bytes?: number;
}

/** A host that has been at a relay. */
interface Seated {
  readonly host: BenchHost;
  circuits?: Circuits;
  session?: string;
  /** Waits for the next one. */
  renewed?: () => void;
}

const sockets = new Set<WebSocket>();
const hosts = new Map<number, Seated>();
const server = new WebSocketServer({ port: 0, host: "127.0.0.1", perMessageDeflate: false });
server.on("connection", (socket) => socket.on("message", (data, binary) => socket.send(data, { binary })));
await once(server, "listening");

serveOrders<Order>({}, async (order): Promise<Answer> => {
  switch (order.do) {
    case "hosts": {
      const made = numbers(order).map((number) => {
        const found: Seated = hosts.get(number) ?? { host: hostNumber(number) };
        hosts.set(number, found);
        return [number, found] as const;
      });
      return {
        ms: await inCrowd(made, async ([number, found]) => {
          const events = {
            opened: (_: unknown, link: Link) => grant(link, number, order.node),
            control: (message: ToHost) => heed(message, found),
            ended() {},
          };
          const socket = kept(dialNode(order.node));
          const { circuits, session } = await seatHost(order.node, found.host, events, found.session, socket);
          found.circuits = circuits;
          if (session) found.session = session.session;
        }),
      };
    }
    case "devices": {
      const { node, each } = order;
      const made = numbers(order).map((number) => {
        const at = Math.floor(number / each);
        const { host } = hosts.get(at) ?? { host: hostNumber(at) };
        return { number, host };
      });
      return {
        ms: await inCrowd(made, async ({ number, host }) => {
          const link = await joinDevice(node, host, number, kept(dialNode(node)));
          link.listen({ frame() {}, drained() {}, ended() {} });
        }),
      };
    }
    case "bare": {
      const { port, pairs = false, sealed = false } = order;
      const each = numbers(order).flatMap((number) => (pairs ? [number, number] : [number]));
      return {
        ms: await inCrowd(each, async (number) => {
          const socket = kept(dialPort(port, `/${number}`));
          if (sealed) void seal(linkOf(socket), number);
          else if (!pairs) socket.on("message", (data, binary) => socket.send(data, { binary }));
          await once(socket, "open");
        }),
      };
    }
    case "bare-flood": {
      const { port, from, bytes } = order;
      const socket = kept(dialPort(port, `/${from}`));
      socket.once("message", () => flood((frame) => socket.send(frame), bytes));
      await once(socket, "open");
      return { ms: 0 };
    }
    case "renew":
      return {
        ms: await inCrowd(numbers(order), async (number) => {
          const found = hosts.get(number);
          if (!found?.circuits || found.session === undefined) throw new Error(`Host ${number} has no session.`);
          const renewed = new Promise<void>((resolve) => (found.renewed = resolve));
          found.circuits.tell({ t: "renew", session: found.session });
          await renewed;
        }),
      };
    case "serve":
      return { ms: 0, port: (server.address() as AddressInfo).port };
    case "wire":
      return { ms: 0, bytes: [...sockets].reduce((sum, socket) => sum + wireOf(socket), 0) };
    case "leave": {
      const from = performance.now();
      await Promise.all(
        [...sockets].map((socket) => {
          const closed = once(socket, "close");
          socket.close();
          return closed;
        }),
      );
      return { ms: performance.now() - from };
    }
  }
});

function numbers({ from, count }: { readonly from: number; readonly count: number }): number[] {
  return Array.from({ length: count }, (_, place) => from + place);
}

/** Some at a time; milliseconds for all of them. */
async function inCrowd<One>(all: readonly One[], open: (one: One) => Promise<void>): Promise<number> {
  const from = performance.now();
  const left = all.values();
  const work = async (): Promise<void> => {
    for (const one of left) await open(one);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return performance.now() - from;
}

function kept(socket: WebSocket): WebSocket {
  sockets.add(socket);
  socket.once("close", () => sockets.delete(socket));
  return socket;
}

function heed(message: ToHost, host: Seated): void {
  if (message.t !== "session") return;
  host.session = message.session;
  host.circuits?.tell({ t: "kept" });
  host.renewed?.();
}

function grant(link: Link, number: number, { origin }: Node): void {
  link.listen({
    frame(first) {
      const wish = JSON.parse(new TextDecoder().decode(first)) as Wish;
      if (wish.do === "seal") return void seal(link, number, origin);
      link.listen({ frame: (frame) => link.send(frame), drained() {}, ended() {} });
      if (wish.do === "flood") flood((frame) => link.send(frame), wish.bytes);
    },
    drained() {},
    ended() {},
  });
}

/** Without an origin, there is no relay between. */
async function seal(link: Link, number: number, origin?: string): Promise<void> {
  const { secret, id, rendezvous } = hostNumber(number);
  const { pipe } = await acceptOver(link, {
    suite: nodeSuite(),
    hostKey: nodeKey(secret),
    hostId: id,
    ...(origin === undefined ? {} : { route: { kind: "relay", origin, rendezvous } }),
    confirms: () => false,
    secretOf: () => SEALED.secret,
    consume: () => true,
    continuityOf: () => undefined,
    advance: () => false,
  });
  pipe.listen({ message: (stream, bytes) => void pipe.send(stream, bytes), drained() {}, ended() {} });
}

/** All at once: what the circuit does not take waits here. */
function flood(send: (frame: Uint8Array) => void, bytes: number): void {
  const frame = new Uint8Array(FLOOD_FRAME_BYTES);
  for (let sent = 0; sent < bytes; sent += frame.length) send(frame);
}

function wireOf(socket: WebSocket): number {
  const { bytesRead = 0, bytesWritten = 0 } = (socket as unknown as { readonly _socket?: Socket })._socket ?? {};
  return bytesRead + bytesWritten;
}
