/** Two nodes of one relay, as processes, with a database and a NATS of their own, behind one name. */
import { get } from "node:http";
import { text } from "node:stream/consumers";
import type { Link } from "@flybridge/transport/link.ts";
import { type Nats, startNats } from "./nats.ts";
import { type Postgres, startPostgres } from "./postgres.ts";
import { type RunningRelay, startRelay } from "./relay.ts";
import { linkToRelay } from "./relayed.ts";
import { Wire } from "./wire.ts";

const SECRET = "what no one guesses, of more than 32 characters";

export interface RelayNodes extends AsyncDisposable {
  readonly nats: Nats;
  readonly postgres: Postgres;
  readonly nodes: readonly [RunningRelay, RunningRelay];
  /** As hosts and devices dial and sign it. It leads to where `hosts` leads. */
  readonly origin: string;
  /** The balancer, for hosts and for devices: both lead where the test says. */
  readonly hosts: Wire;
  readonly devices: Wire;
  /** Between the nodes and NATS. */
  readonly bus: Wire;
  /** A link by `devices`. */
  link(): Link;
}

/** Hosts are led to the first node, devices to the second. With `keeps`, the wires keep all that goes over them. */
export async function startRelayNodes({ keeps = false } = {}): Promise<RelayNodes> {
  await using held = new AsyncDisposableStack();
  const [nats, postgres, hosts, devices, bus] = await Promise.all([
    startNats(),
    startPostgres(),
    Wire.open(undefined, { keeps }),
    Wire.open(undefined, { keeps }),
    Wire.open(undefined, { keeps }),
  ]);
  held.use(hosts);
  held.use(devices);
  held.use(bus);
  held.use(nats);
  held.use(postgres);
  const origin = `http://127.0.0.1:${hosts.port}`;
  bus.to = nats.port;
  const start = (): Promise<RunningRelay> =>
    startRelay({
      env: {
        FLYBRIDGE_RELAY_ORIGIN: origin,
        FLYBRIDGE_RELAY_SECRET: SECRET,
        FLYBRIDGE_RELAY_APP: "no",
        DATABASE_URL: postgres.url,
        NATS_URL: `nats://127.0.0.1:${bus.port}`,
      },
    });
  const nodes = [held.use(await start()), held.use(await start())] as const;
  hosts.to = nodes[0].port;
  devices.to = nodes[1].port;
  const all = held.move();
  return {
    nats,
    postgres,
    nodes,
    origin,
    hosts,
    devices,
    bus,
    link: () => linkToRelay(`http://127.0.0.1:${devices.port}`),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

/** What a node says of itself. */
export async function pageOf(
  node: RunningRelay,
  path: "/health" | "/metrics",
): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    get({ host: "127.0.0.1", port: node.port, path, agent: false }, (response) => {
      text(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject);
    }).on("error", reject);
  });
}

/** One of its counts. */
export async function countOf(node: RunningRelay, name: string): Promise<number> {
  const { body } = await pageOf(node, "/metrics");
  const line = body.split("\n").find((one) => one.startsWith(`flybridge_relay_${name} `));
  return Number(line?.split(" ")[1]);
}
