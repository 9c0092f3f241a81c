/** The real relay with another hub: one that does to circuits what a test wants of it. */
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { BlockList } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openAccess } from "@flybridge/relay/access/access.ts";
import type { CircuitEnd, DeviceEnd } from "@flybridge/relay/circuits/end.ts";
import { type Hub, makeHub } from "@flybridge/relay/circuits/hub.ts";
import { newCounts } from "@flybridge/relay/circuits/counts.ts";
import { receive } from "@flybridge/relay/doors/peer.ts";
import { openServer } from "@flybridge/relay/doors/server.ts";
import { openRelayStore } from "@flybridge/relay/store/open.ts";
import { type Direction, type Kept, type Spoil, spoiling } from "./attacks.ts";

export interface TurnedRelay extends AsyncDisposable {
  readonly origin: string;
  /** What joins do from now on; as the real hub does, when absent. */
  turn(join?: (real: Hub["join"], ...of: Parameters<Hub["join"]>) => ReturnType<Hub["join"]>): void;
  /** Frame `at` of one direction of the next circuit, counted from 0, is spoilt; what goes through is kept. */
  spoilNext(direction: Direction, at: number, spoil: Spoil, kept: Kept): void;
}

export async function startTurnedRelay(): Promise<TurnedRelay> {
  await using held = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), "flybridge-turned-"));
  held.defer(() => rmSync(folder, { recursive: true, force: true }));
  const store = held.use(
    await openRelayStore({ store: { kind: "embedded", folder }, secret: randomBytes(32).toString("hex") }),
  );
  const now = Date.now;
  const log = (): void => {};
  const origin = (): string => `http://127.0.0.1:${server.port}`;
  const real = makeHub({ origin, counts: newCounts(), now });
  let turned: Parameters<TurnedRelay["turn"]>[0];
  const hub: Hub = { ...real, join: (...of) => (turned ? turned(real.join, ...of) : real.join(...of)) };
  const access = held.use(
    await openAccess({
      store,
      config: { registration: "open" },
      connected: (rendezvous) => hub.has(rendezvous),
      ended() {},
      now,
      log,
    }),
  );
  const server = held.use(
    await openServer({
      listen: { address: "127.0.0.1", port: 0 },
      tls: undefined,
      trustedProxies: new BlockList(),
      app: undefined,
      metricsToken: undefined,
      receive: (socket, from, settled) =>
        receive(socket, from, { origin, app: false, ice: [], hub, access, now, log }, settled),
      health: () => Promise.resolve({ ok: true }),
      metrics: () => Promise.resolve({ type: "text/plain", text: "" }),
      now,
      log,
    }),
  );
  const open = held.move();
  const turn: TurnedRelay["turn"] = (join) => {
    turned = join;
  };
  return {
    origin: origin(),
    turn,
    spoilNext(direction, at, spoil, kept) {
      const through = (end: CircuitEnd, way: Direction): ((frame: Uint8Array) => void) =>
        spoiling(direction === way ? at : Number.POSITIVE_INFINITY, spoil, (frame) => end.data(frame), kept[way]);
      turn(async (join, what, end) => {
        turn();
        const joined = await join(what, { ...methodsOf(end), data: through(end, "down") });
        if (joined.kind !== "joined") return joined;
        return { ...joined, end: { ...methodsOf(joined.end), data: through(joined.end, "up") } };
      });
    },
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

/** Of an end that may be an instance of a class. */
function methodsOf<End extends CircuitEnd | DeviceEnd>(end: End): End {
  return Object.assign(Object.create(end) as End, {
    credit: (bytes: number) => end.credit(bytes),
    close: (reason: string) => end.close(reason),
    hold: () => end.hold(),
    release: () => end.release(),
    ...("isAlive" in end ? { isAlive: () => end.isAlive() } : {}),
  });
}
