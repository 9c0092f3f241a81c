/** The host's socket to a relay: made soon or not at all, and over soon after the network under it is. */
import { connect, isIP } from "node:net";
import { connect as connectTls } from "node:tls";
import { relaySocketOf } from "@flybridge/protocol/relay/origin.ts";
import { OPENING_MS, RELAY_FRAME_BYTES } from "@flybridge/protocol/relay/words.ts";
import type { Link } from "@flybridge/transport/link.ts";
import { webSocketLink } from "@flybridge/transport/websocket.ts";
import { WebSocket } from "ws";

/** Milliseconds between pings to a relay, and of silence after which it is dialled anew: all devices wait for that. */
const PING_MS = 5_000;
const DEAD_MS = 15_000;
/** Milliseconds in which a relay is there at all, or is tried again. */
const CONNECT_MS = 1_500;

/** A socket to a relay, whose certificate is looked at: unlike a host, it proves itself by nothing else. */
export function dialRelay(origin: string): Link {
  const { protocol, hostname, port } = new URL(origin);
  const host = hostname.replace(/^\[|\]$/gu, "");
  const isPlain = protocol === "http:";
  const at = { host, port: Number(port || (isPlain ? 80 : 443)) };
  const connection = isPlain
    ? connect(at)
    : connectTls({ ...at, ...(isIP(host) === 0 ? { servername: host } : {}), rejectUnauthorized: true });
  // What was sent into a dead network the system tries again at ever longer intervals; a try of ours is not so patient.
  const late = setTimeout(() => connection.destroy(new Error("no connection in time")), CONNECT_MS);
  for (const event of ["connect", "close"] as const) connection.once(event, () => clearTimeout(late));
  const socket = new WebSocket(relaySocketOf(origin), {
    maxPayload: RELAY_FRAME_BYTES,
    perMessageDeflate: false,
    handshakeTimeout: OPENING_MS,
    createConnection: () => connection,
  });
  let heard = Date.now();
  const hear = (): void => {
    heard = Date.now();
  };
  socket.on("pong", hear);
  socket.on("message", hear);
  const pinging = setInterval(() => {
    // A machine that slept finds out at once that its connection did not live through it.
    if (Date.now() - heard > DEAD_MS) socket.terminate();
    else if (socket.readyState === WebSocket.OPEN) socket.ping();
  }, PING_MS);
  socket.on("close", () => clearInterval(pinging));
  return webSocketLink(socket, { maxFrameBytes: RELAY_FRAME_BYTES });
}
