/**
 * Where a relay listens: sockets of hosts and devices, `/health`, `/metrics`, and the web app where it is served. In the
 * clear to loopback and to declared proxies only; whom else the headers of a proxy name, nobody believes.
 */
import { timingSafeEqual } from "node:crypto";
import { readFileSync, statSync, unwatchFile, watchFile } from "node:fs";
import { createServer as createHttpServer, type IncomingMessage, type Server } from "node:http";
import { createServer as createHttpsServer, type Server as SecureServer } from "node:https";
import { type AddressInfo, type BlockList, isIPv6, type Socket } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { isLoopback } from "@flybridge/protocol/loopback.ts";
import { OPENING_MS, RELAY_FRAME_BYTES, RELAY_PATH } from "@flybridge/protocol/relay/words.ts";
import { serveApp } from "@flybridge/web/serve-node.ts";
import { Hono } from "hono";
import { WebSocketServer } from "ws";
import type { Listen } from "../value.ts";
import { callerOf, plainAddress } from "./caller.ts";
import { PeerSocket } from "./socket.ts";

/** Sockets that have not said what they want, in all and from one address. */
const MAX_STRANGERS = 1_024;
const MAX_STRANGERS_OF_ONE = 64;
/** Milliseconds between looks at who has not ended what they ask over HTTP. */
const CONNECTIONS_LOOK_MS = 2_000;
/** Milliseconds between looks at who is silent. */
const SWEEP_MS = 5_000;
/** Milliseconds between looks at the certificate's files. */
const CERTIFICATE_LOOK_MS = 5_000;
const TEXT = { "content-type": "text/plain; charset=utf-8" };

export interface ServerOptions {
  readonly listen: Listen;
  readonly tls: { readonly cert: string; readonly key: string } | undefined;
  readonly trustedProxies: BlockList;
  /** The built app's folder; undefined when it is not served. */
  readonly app: string | undefined;
  readonly metricsToken: string | undefined;
  /** Takes a socket over. `settled` when it has said what it wants, or is gone. */
  receive(socket: PeerSocket, from: string, settled: () => void): void;
  /** What `/health` says; with `ok` false its answer is 503. */
  health(): Promise<{ readonly ok: boolean } & Readonly<Record<string, unknown>>>;
  metrics(): Promise<{ readonly type: string; readonly text: string }>;
  now(): number;
  log(message: string, detail: Record<string, unknown>): void;
}

export interface RelayServer extends AsyncDisposable {
  readonly port: number;
  sockets(): number;
  /** Takes nobody new. */
  stopListening(): void;
  /** Ends those that are left, in order. */
  sayGoodbye(reason: string): void;
  /** Ends them without a word. */
  terminate(): void;
}

/** Rejects with an error that says how to mend it. */
export async function openServer(options: ServerOptions): Promise<RelayServer> {
  const { tls, trustedProxies } = options;
  const timeouts = {
    requestTimeout: OPENING_MS,
    headersTimeout: OPENING_MS,
    connectionsCheckingInterval: CONNECTIONS_LOOK_MS,
  };
  const server: Server | SecureServer = tls
    ? createHttpsServer({ ...certificateFrom(tls), ...timeouts, minVersion: "TLSv1.2", handshakeTimeout: OPENING_MS })
    : createHttpServer(timeouts);
  const sockets = new Set<PeerSocket>();
  const webSockets = new WebSocketServer({ noServer: true, maxPayload: RELAY_FRAME_BYTES, perMessageDeflate: false });
  const strangers = new Map<string, number>();
  let strangersInAll = 0;

  const isTrusted = (address: string): boolean => trustedProxies.check(address, isIPv6(address) ? "ipv6" : "ipv4");
  const fromOf = (request: IncomingMessage): string | undefined =>
    callerOf(
      { address: request.socket.remoteAddress ?? "", headers: request.headers },
      { isTls: tls !== undefined, isTrusted },
    );

  const app = new Hono<{ Bindings: { incoming: IncomingMessage } }>();
  app.use(async (context, next) => {
    if (fromOf(context.env.incoming) === undefined)
      return context.text("Only TLS is spoken here, or through the proxy that this relay was told of.\n", 400);
    return next();
  });
  app.get("/health", async (context) => {
    const health = await options.health();
    return context.json(health, health.ok ? 200 : 503);
  });
  app.get("/metrics", async (context) => {
    const from = fromOf(context.env.incoming) ?? "";
    // By its name too: a page in a browser on this machine may call it by one of its own (DNS rebinding).
    const named = URL.parse(`http://${context.req.header("host") ?? ""}`)?.hostname.replaceAll(/[[\]]/gu, "") ?? "";
    const isHere =
      isLoopback(named) &&
      isLoopback(from) &&
      isLoopback(plainAddress(context.env.incoming.socket.remoteAddress ?? ""));
    if (!isHere && !isToken(context.req.header("authorization"), options.metricsToken))
      return context.text("There is no such page.\n", 404);
    const { type, text } = await options.metrics();
    return context.text(text, 200, { "content-type": type });
  });
  if (options.app !== undefined)
    app.route("/", serveApp({ folder: options.app, by: { by: "relay" }, connect: () => [], refuse: () => undefined }));
  else app.notFound((context) => context.text("This is a Flybridge relay. It serves no app.\n", 404, TEXT));
  server.on("request", getRequestListener(app.fetch as never));

  server.on("upgrade", (request: IncomingMessage, socket: Socket, head: Buffer) => {
    socket.on("error", () => socket.destroy());
    const refuse = (status: string): void =>
      void socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
    const from = fromOf(request);
    if (from === undefined) return refuse("400 Bad Request");
    if (URL.parse(request.url ?? "/", "http://x")?.pathname !== RELAY_PATH) return refuse("404 Not Found");
    const same = strangers.get(from) ?? 0;
    if (strangersInAll >= MAX_STRANGERS || same >= MAX_STRANGERS_OF_ONE) return refuse("503 Service Unavailable");
    strangersInAll += 1;
    strangers.set(from, same + 1);
    const settled = (): void => {
      strangersInAll -= 1;
      const left = (strangers.get(from) ?? 1) - 1;
      if (left > 0) strangers.set(from, left);
      else strangers.delete(from);
    };
    // No cookie and no ambient right is asked for anywhere here, so a page of any origin may come: it has only its keys.
    socket.once("close", () => taken ?? settled());
    let taken: true | undefined;
    webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      taken = true;
      const peer = new PeerSocket(webSocket, socket, options.now);
      sockets.add(peer);
      webSocket.on("close", () => sockets.delete(peer));
      options.receive(peer, from, settled);
    });
  });

  const sweeping = setInterval(() => {
    for (const socket of sockets) socket.sweep(SWEEP_MS);
  }, SWEEP_MS);
  sweeping.unref();
  const stopWatching = tls ? watchCertificate(server as SecureServer, tls, options.log) : () => {};
  const port = await listen(server, options.listen);
  return {
    port,
    sockets: () => sockets.size,
    stopListening() {
      server.close();
      server.closeIdleConnections();
    },
    sayGoodbye(reason) {
      for (const socket of sockets) socket.close(reason);
    },
    terminate() {
      for (const socket of sockets) socket.terminate();
    },
    async [Symbol.asyncDispose]() {
      clearInterval(sweeping);
      stopWatching();
      for (const socket of sockets) socket.terminate();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** New files count from the next connection on; files that are none leave the old certificate where it is. */
function watchCertificate(
  server: SecureServer,
  files: { readonly cert: string; readonly key: string },
  log: ServerOptions["log"],
): () => void {
  let last = stampOf(files);
  const look = (): void => {
    const stamp = stampOf(files);
    if (stamp === last) return;
    try {
      server.setSecureContext(certificateFrom(files));
      last = stamp;
      log("the certificate was read anew", {});
    } catch (error) {
      log("the new certificate cannot be used; the old one stays", { error: String(error) });
    }
  };
  const paths = [files.cert, files.key];
  for (const path of paths) watchFile(path, { interval: CERTIFICATE_LOOK_MS, persistent: false }, look);
  process.on("SIGHUP", look);
  return () => {
    for (const path of paths) unwatchFile(path, look);
    process.off("SIGHUP", look);
  };
}

function stampOf({ cert, key }: { readonly cert: string; readonly key: string }): string {
  return [cert, key].map((path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0).join(" ");
}

function certificateFrom({ cert, key }: { readonly cert: string; readonly key: string }): {
  readonly cert: string;
  readonly key: string;
} {
  return { cert: readFileSync(cert, "utf8"), key: readFileSync(key, "utf8") };
}

function listen(server: Server | SecureServer, { address, port }: Listen): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) =>
      reject(
        error.code === "EADDRINUSE"
          ? new Error(`Port ${port} is taken by another program. Give another one in FLYBRIDGE_RELAY_LISTEN.`)
          : error,
      ),
    );
    server.listen(port, address, () => resolve((server.address() as AddressInfo).port));
  });
}

function isToken(authorization: string | undefined, token: string | undefined): boolean {
  const given = Buffer.from(authorization ?? "");
  const wanted = Buffer.from(`Bearer ${token ?? ""}`);
  return token !== undefined && given.length === wanted.length && timingSafeEqual(given, wanted);
}
