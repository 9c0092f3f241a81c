/**
 * The loopback door: the web app over HTTP, and links over WebSocket. A page of another site must reach neither, by
 * whatever name it calls this machine: Host and Origin are checked against a list, there are no cookies and no CORS,
 * and past all that the handshake still has to be made.
 */
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { serveStatic } from "@hono/node-server/serve-static";
import { LINK_PATH, RECORD_BYTES } from "@flybridge/protocol/relay.ts";
import { webSocketLink } from "@flybridge/transport/websocket.ts";
import { Hono } from "hono";
import { WebSocketServer } from "ws";
import type { Gate } from "./gate.ts";
import { POLICY } from "./policy.ts";

const LOOPBACK = "127.0.0.1";
/** How long a request may take to arrive whole, in milliseconds; the app's are tiny. */
const REQUEST_MS = 10_000;

export interface Door extends AsyncDisposable {
  readonly port: number;
}

/** Listens on loopback. Rejects with an error that says how to mend it when the port is taken. */
export async function openLoopback(options: {
  readonly port: number;
  /** Origins under which a proxy of the person's own shows this door, beside loopback: `https://studio.tail.ts.net`. */
  readonly origins: readonly string[];
  /** The built app. */
  readonly app: string;
  readonly gate: Gate;
}): Promise<Door> {
  const server = createServer({ requestTimeout: REQUEST_MS, headersTimeout: REQUEST_MS });
  const port = await listening(server, options.port);
  const allowed = allowList(port, options.origins);
  server.on("request", getRequestListener(appOf(options.app, allowed).fetch));
  server.on("upgrade", upgrader(allowed, options.gate));
  return {
    port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface Allowed {
  /** Of `hosts`, this machine's own. */
  readonly local: ReadonlySet<string>;
  readonly hosts: ReadonlySet<string>;
  readonly origins: ReadonlySet<string>;
}

function allowList(port: number, origins: readonly string[]): Allowed {
  const local = [`${LOOPBACK}:${port}`, `localhost:${port}`, `[::1]:${port}`];
  return {
    local: new Set(local),
    hosts: new Set([...local, ...origins.map((origin) => new URL(origin).host)]),
    origins: new Set([...local.map((host) => `http://${host}`), ...origins]),
  };
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
    if (!allowed.hosts.has(context.req.header("host") ?? ""))
      return context.text("This name is not served here.\n", 421);
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

function upgrader(allowed: Allowed, gate: Gate): (request: IncomingMessage, socket: Socket, head: Buffer) => void {
  const sockets = linkServer();
  return (request, socket, head) => {
    // Whoever asked may be gone already; from here on nobody else listens for that.
    socket.on("error", () => socket.destroy());
    const { origin, host } = request.headers;
    // A program of this machine sends no Origin; a browser always does, and cannot leave it out.
    const fine = allowed.hosts.has(host ?? "") && (origin === undefined || allowed.origins.has(origin));
    if (!fine || URL.parse(request.url ?? "/", "http://x")?.pathname !== LINK_PATH) {
      socket.end(
        `HTTP/1.1 ${fine ? "404 Not Found" : "403 Forbidden"}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`,
      );
      return;
    }
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      const way = allowed.local.has(host ?? "") ? "loopback" : "proxy";
      const reset = (): void => void socket.resetAndDestroy();
      gate.enter(webSocketLink(webSocket, { maxFrameBytes: RECORD_BYTES, reset }), { way });
    });
  };
}

/** WebSockets as links want them: one record per frame, nothing compressed outside the seal. */
export function linkServer(): WebSocketServer {
  return new WebSocketServer({ noServer: true, maxPayload: RECORD_BYTES, perMessageDeflate: false });
}

function listening(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EADDRINUSE") return reject(error);
      reject(new Error(`Port ${port} is taken by another program. Give another one: flybridge up --port ${port + 1}.`));
    });
    server.listen(port, LOOPBACK, () => resolve((server.address() as AddressInfo).port));
  });
}
