/** A relay, whole: store, rules, hub and server; and its end, which tells everybody to move on. */
import { isIPv6 } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { relayOriginFrom } from "@flybridge/protocol/relay/origin.ts";
import type { Registry } from "prom-client";
import { openAccess } from "./access/access.ts";
import { openAcross } from "./circuits/across.ts";
import { makeHub } from "./circuits/hub.ts";
import type { Config } from "./config.ts";
import { newCounts } from "./circuits/counts.ts";
import { receive } from "./doors/peer.ts";
import { openServer } from "./doors/server.ts";
import { openRelayStore } from "./store/open.ts";

/** Milliseconds in which hosts go elsewhere, and all others have heard a goodbye before their sockets are torn. */
const MOVE_MS = 1_000;
const DRAIN_MS = 5_000;
/** Milliseconds between looks at who has left. */
const DRAIN_LOOK_MS = 50;
const APP = join(import.meta.dirname, "..", "web", "dist");

export interface Log {
  info(detail: Record<string, unknown>, message: string): void;
  warn(detail: Record<string, unknown>, message: string): void;
}

export interface Relay {
  /** As hosts and devices dial it. */
  readonly origin: string;
  readonly port: number;
  /** For the first host, where nobody is registered yet and an invitation is needed. */
  readonly invitation: string | undefined;
  /** Tells everybody to move on, and ends when they have, or at once with a second call. */
  stop(): Promise<void>;
}

/** Rejects with an error whose message says what is wrong and how to mend it; then nothing is left behind. */
export async function startRelay(config: Config, log: Log, now: () => number = Date.now): Promise<Relay> {
  await using held = new AsyncDisposableStack();
  const note = (message: string, detail: Record<string, unknown>): void => log.warn(detail, message);
  const store = held.use(await openRelayStore(config));
  // Where any free port will do, it is known once it is taken.
  const origin = (): string => config.origin ?? originAt(config, server.port);
  const bus =
    config.nats.length > 0
      ? held.use(await (await import("./bus/nats.ts")).openNats(config.nats, (message) => note(message, {})))
      : undefined;
  const counts = newCounts();
  const hub = makeHub({
    origin,
    counts,
    now,
    ...(bus
      ? { others: (here) => held.use(openAcross(bus, { ...here, ended: (keys, code) => access.end(keys, code) })) }
      : {}),
  });
  const access = held.use(
    await openAccess({
      store,
      config,
      // Whatever a node answers to what is no question, it has that host.
      connected: async (rendezvous) =>
        hub.has(rendezvous) || (await bus?.ask(rendezvous, new Uint8Array(0)).catch(() => undefined)) !== undefined,
      ended: (keys, code) => bus?.end(keys, code),
      now,
      log: note,
    }),
  );
  let isStopping = false;
  // Loaded for who asks: most relays are watched by nobody.
  let registry: Registry | undefined;
  const server = held.use(
    await openServer({
      ...config,
      app: config.app ? APP : undefined,
      receive: (socket, from, settled) =>
        receive(
          socket,
          from,
          { origin, app: config.app, ice: config.iceServers, hub, access, now, log: note },
          settled,
        ),
      async health() {
        // Without its store, or the other nodes, it has its hosts and lets their devices in: nobody is to be sent elsewhere.
        return {
          ok: !isStopping,
          store: (await store.isWell()) ? "ok" : "away",
          ...(bus ? { bus: bus.isConnected ? "ok" : "away" } : {}),
          stopping: isStopping,
        };
      },
      async metrics() {
        registry ??= (await import("./doors/metrics.ts")).openMetrics({ counts, hub, sockets: server.sockets });
        return { type: registry.contentType, text: await registry.metrics() };
      },
      now,
      log: note,
    }),
  );
  const running = held.move();
  let stopping: Promise<void> | undefined;

  const drain = async (): Promise<void> => {
    isStopping = true;
    server.stopListening();
    for (const seat of hub.seats()) seat.tell({ t: "moving" });
    await untilAll(() => [...hub.seats()].length === 0, MOVE_MS);
    // Members, devices whose host is at another node, and hosts that do not heed.
    server.sayGoodbye("moving");
    await untilAll(() => server.sockets() === 0, DRAIN_MS);
    await running.disposeAsync();
  };
  return {
    origin: origin(),
    port: server.port,
    invitation: access.invitation,
    stop() {
      if (stopping) server.terminate();
      return (stopping ??= drain());
    },
  };
}

/** Of a relay that listens on loopback only, and was given no other. */
function originAt({ listen: { address }, tls }: Config, port: number): string {
  return relayOriginFrom(`${tls ? "https" : "http"}://${isIPv6(address) ? `[${address}]` : address}:${port}`);
}

/** Resolves when they have gone, or after so many milliseconds. */
async function untilAll(haveGone: () => boolean, patienceMs: number): Promise<void> {
  const patience = Date.now() + patienceMs;
  while (!haveGone() && Date.now() < patience) await delay(DRAIN_LOOK_MS);
}
