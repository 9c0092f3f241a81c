/** The loopback door: plain, for programs and browsers of this machine, and for proxies of its owner's. */
import { createServer, type Server } from "node:http";
import { type Door, REQUEST_MS, serve } from "./app.ts";
import type { Gate } from "./gate.ts";
import { listen } from "./listen.ts";

export const LOOPBACK = "127.0.0.1";

export interface LoopbackOptions {
  readonly port: number;
  /** Origins under which a proxy of the person's own shows this door, beside loopback: `https://studio.tail.ts.net`. */
  readonly origins: readonly string[];
  /** The built app. */
  readonly app: string;
  readonly gate: Gate;
  /** Relays by which the page may come back, as `wss://…`. */
  connect(): readonly string[];
}

/** Listens on loopback. Rejects with an error that says how to mend it when the port is taken. */
export async function openLoopback(options: LoopbackOptions): Promise<Door> {
  const server = createServer({ requestTimeout: REQUEST_MS, headersTimeout: REQUEST_MS });
  const port = await listen(server, options.port, LOOPBACK);
  serveLoopback(server, { ...options, port });
  return {
    port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** On a server that has its connections from a port of somebody else's. */
export function serveLoopback(server: Server, { port, origins, app, gate, connect }: LoopbackOptions): void {
  const local = [`${LOOPBACK}:${port}`, `localhost:${port}`, `[::1]:${port}`];
  const hosts = new Set([...local, ...origins.map((origin) => new URL(origin).host)]);
  const pages = new Set([...local.map((host) => `http://${host}`), ...origins]);
  serve(server, {
    app,
    gate,
    connect,
    allowed: { host: (name) => hosts.has(name), origin: (origin) => pages.has(origin) },
    reset: (socket) => void socket.resetAndDestroy(),
    entrance: ({ headers }) => ({ way: local.includes(headers.host ?? "") ? "loopback" : "proxy" }),
  });
}
