/**
 * What every door to the network serves: the web app over HTTP, and links over WebSocket. A page of another site must
 * reach neither, by whatever name it calls this machine: Host and Origin are checked against a list, there are no
 * cookies and no CORS, and past all that the handshake still has to be made.
 */
import type { IncomingMessage, Server } from "node:http";
import type { Socket } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { serveStatic } from "@hono/node-server/serve-static";
import { LINK_PATH, RECORD_BYTES } from "@flybridge/protocol/relay.ts";
import { webSocketLink } from "@flybridge/transport/websocket.ts";
import { Hono } from "hono";
import { WebSocketServer } from "ws";
import type { Entrance, Gate } from "./gate.ts";
import { POLICY } from "./policy.ts";

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
  /** How whoever asks for a link comes in. */
  entrance(request: IncomingMessage): Entrance;
  /** Drops the connection, and what the system still holds of it. */
  reset(socket: Socket): void;
}

/** The server has no listeners of its own for what is asked of it. */
export function serve(server: Server, serving: Serving): void {
  server.on("request", getRequestListener(appOf(serving.app, serving.allowed).fetch));
  server.on("upgrade", upgrader(serving));
}

function appOf(folder: string, allowed: Allowed): Hono {
  const app = new Hono();
  app.use(async (context, next) => {
    await next();
    for (const [name, value] of Object.entries(POLICY)) context.header(name, value);
    // An asset that is not there may be there after the next build.
    const immutable = context.res.ok && new URL(context.req.url).pathname.startsWith("/assets/");
    context.header("cache-control", immutable ? "public, max-age=31536000, immutable" : "no-cache");
  });
  app.use(async (context, next) => {
    if (!allowed.host(context.req.header("host") ?? "")) return context.text("This name is not served here.\n", 421);
    if (context.req.method !== "GET" && context.req.method !== "HEAD")
      return context.text("Only GET is served here.\n", 405);
    return next();
  });
  app.use(serveStatic({ root: folder, precompressed: true }));
  // The app's own addresses (/session/…) are all its one page; a name with an ending is a file that is not there.
  app.get("*", async (context, next) => {
    if (/\.[a-z0-9]+$/u.test(new URL(context.req.url).pathname)) return context.text("There is no such file.\n", 404);
    return serveStatic({ root: folder, path: "index.html" })(context, next);
  });
  app.notFound((context) => context.text("The app is not built. Run `npm start`, which builds it.\n", 404));
  return app;
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
