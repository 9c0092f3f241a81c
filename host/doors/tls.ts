/**
 * The TLS door: the app and links for whoever comes over the network. Beyond this machine nothing is said in the clear.
 * Where the door's address takes in loopback, it takes in the loopback door's port as well: then what this machine says
 * in the clear is handed on to that door, so that the app's origin here, to which a browser binds its keys, stays.
 */
import { createServer as createHttpServer, type Server as HttpServer } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { createServer, type Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { isLoopback } from "@flybridge/protocol/loopback.ts";
import { exporterOf } from "@flybridge/transport/tls-node.ts";
import { type Door, REQUEST_MS, serve } from "./app.ts";
import type { Gate } from "./gate.ts";
import { listen } from "./listen.ts";
import { serveLoopback } from "./loopback.ts";

/** Connections at once, of devices and of whoever tries; further ones are closed. */
const MAX_CONNECTIONS = 1_024;
const HTTPS = "https://";
const HTTPS_PORT = 443;
/** Content type of a TLS handshake (RFC 8446 §5.1): the first byte of whoever speaks TLS. */
const TLS_HANDSHAKE = 0x16;

/** Rejects with an error that says how to mend it when the address or the port cannot be had. */
export async function openTls(options: {
  readonly address: string;
  readonly port: number;
  /** PEM. */
  readonly certificate: { readonly cert: string; readonly key: string };
  /** Whether the address takes in the loopback door's. */
  readonly isLoopbackToo: boolean;
  /** Names and addresses under which this door is found now, without a port; IPv6 in brackets. */
  names(): readonly string[];
  /** Further ones, whole: of a router that leads here from another port, or of a proxy. */
  readonly origins: readonly string[];
  readonly app: string;
  readonly gate: Gate;
  connect(): readonly string[];
}): Promise<Door> {
  const { address, certificate, isLoopbackToo, names, app, gate, connect } = options;
  const timeouts = { requestTimeout: REQUEST_MS, headersTimeout: REQUEST_MS };
  const secure = createHttpsServer({
    ...certificate,
    ...timeouts,
    minVersion: "TLSv1.2",
    handshakeTimeout: REQUEST_MS,
  });
  const plain = createHttpServer(timeouts);
  const front = createServer();
  front.maxConnections = MAX_CONNECTIONS;
  /** By where they come from. */
  const sockets = new Map<string, Socket>();
  const port = await listen(front, options.port, address);

  const others = new Set(options.origins.map((origin) => new URL(origin).host));
  const isName = (host: string): boolean =>
    others.has(host) || names().some((name) => host === `${name}:${port}` || (port === HTTPS_PORT && host === name));
  serve(secure, {
    app,
    gate,
    connect,
    allowed: { host: isName, origin: (origin) => origin.startsWith(HTTPS) && isName(origin.slice(HTTPS.length)) },
    // What carries the TLS, for only that has anything to reset.
    reset: (socket) => void sockets.get(callerOf(socket))?.resetAndDestroy(),
    entrance({ socket }) {
      const exporter = exporterOf(socket as TLSSocket);
      return { way: "tls", ...(exporter ? { exporter } : {}) };
    },
  });
  serveLoopback(plain, { ...options, port });
  // Node minds slow requests only of servers that listen, which these two leave to the one in front of them.
  for (const server of [secure, plain]) server.emit("listening");

  front.on("connection", (socket) => {
    const caller = callerOf(socket);
    sockets.set(caller, socket);
    socket.on("error", () => socket.destroy());
    socket.once("close", () => sockets.delete(caller));
    beginning(socket, (first) => {
      if (first === TLS_HANDSHAKE) secure.emit("connection", socket);
      else if (isLoopbackToo && isOwn(socket)) plain.emit("connection", socket);
      else refuse(socket, port);
    });
  });
  return {
    port,
    async [Symbol.asyncDispose]() {
      for (const server of [secure, plain] satisfies HttpServer[]) server.close();
      for (const socket of sockets.values()) socket.destroy();
      await new Promise((resolve) => front.close(resolve));
    },
  };
}

function callerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

/** The first byte that comes, which stays where it was. */
function beginning(socket: Socket, tell: (first: number) => void): void {
  const late = (): void => void socket.destroy();
  socket.setTimeout(REQUEST_MS, late);
  socket.once("readable", () => {
    const chunk = socket.read() as Buffer | null;
    const first = chunk?.[0];
    if (!chunk || first === undefined) return late();
    socket.off("timeout", late).setTimeout(0);
    socket.unshift(chunk);
    tell(first);
  });
}

/** From this machine to itself. */
function isOwn({ localAddress = "", remoteAddress = "" }: Socket): boolean {
  return [localAddress, remoteAddress].every((address) => isLoopback(address.replace(/^::ffff:/u, "")));
}

function refuse(socket: Socket, port: number): void {
  const words = `Only TLS is spoken here. Put https:// before the address: https://…:${port}/\n`;
  socket.end(
    `HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: ${Buffer.byteLength(words)}\r\n\r\n${words}`,
  );
}
