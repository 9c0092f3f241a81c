/**
 * What every door to the network serves: the web app over HTTP, and links over WebSocket. A page of another site must
 * reach neither, by whatever name it calls this machine: Host and Origin are checked against a list, there are no
 * cookies and no CORS, and past all that the handshake still has to be made.
 */
import type { IncomingMessage, Server } from "node:http";
import type { Socket } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { LINK_PATH, RECORD_BYTES } from "@flybridge/protocol/relay.ts";
import { webSocketLink } from "@flybridge/transport/websocket.ts";
import { serveApp } from "@flybridge/web/serve-node.ts";
import type { Hono } from "hono";
import { WebSocketServer } from "ws";
import type { Entrance, Gate } from "./gate.ts";

/** How long a request may take to arrive whole, in milliseconds; the app's are tiny. */
export const REQUEST_MS = 10_000;

export interface Door extends AsyncDisposable {
  readonly port: number;
}

/** The names of one door, as its callers say them in `Host` and `Origin`; asked anew each time, for addresses come and go. */
export interface Allowed {
  host(name: string): boolean;
  origin(origin: string): boolean;
}

export interface Serving {
  /** The built app. */
  readonly app: string;
  readonly allowed: Allowed;
  readonly gate: Gate;
  /** Relays by which the page may come back when it is elsewhere, as `wss://…`. */
  connect(): readonly string[];
  /** How whoever asks for a link comes in. */
  entrance(request: IncomingMessage): Entrance;
  /** Drops the connection, and what the system still holds of it. */
  reset(socket: Socket): void;
}

/** The server has no listeners of its own for what is asked of it. */
export function serve(server: Server, serving: Serving): void {
  server.on("request", getRequestListener(appOf(serving).fetch));
  server.on("upgrade", upgrader(serving));
}

function appOf({ app, allowed, connect }: Serving): Hono {
  return serveApp({
    folder: app,
    by: { by: "host" },
    connect,
    refuse: (context) =>
      allowed.host(context.req.header("host") ?? "") ? undefined : context.text("This name is not served here.\n", 421),
  });
}

function upgrader(serving: Serving): (request: IncomingMessage, socket: Socket, head: Buffer) => void {
  const { allowed, gate } = serving;
  const sockets = linkServer();
  return (request, socket, head) => {
    // Whoever asked may be gone already; from here on nobody else listens for that.
    socket.on("error", () => socket.destroy());
    const { origin, host } = request.headers;
    // A program sends no Origin; a browser always does, and cannot leave it out.
    const fine = allowed.host(host ?? "") && (origin === undefined || allowed.origin(origin));
    if (!fine || URL.parse(request.url ?? "/", "http://x")?.pathname !== LINK_PATH) {
      socket.end(
        `HTTP/1.1 ${fine ? "404 Not Found" : "403 Forbidden"}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`,
      );
      return;
    }
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      const reset = (): void => serving.reset(socket);
      gate.enter(webSocketLink(webSocket, { maxFrameBytes: RECORD_BYTES, reset }), serving.entrance(request));
    });
  };
}

/** WebSockets as links want them: one record per frame, nothing compressed outside the seal. */
export function linkServer(): WebSocketServer {
  return new WebSocketServer({ noServer: true, maxPayload: RECORD_BYTES, perMessageDeflate: false });
}
