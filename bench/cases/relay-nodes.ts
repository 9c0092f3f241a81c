/** A relay of two nodes: the host at one, its device at the other, NATS and PostgreSQL between them. */
import { join } from "node:path";
import { startNats } from "@flybridge/testing/nats.ts";
import { startPostgres } from "@flybridge/testing/postgres.ts";
import { type RunningRelay, startRelay } from "@flybridge/testing/relay.ts";
import { RELAY_FIGURES } from "../capacity.ts";
import { type Bench, countOf, type Measured } from "../figure.ts";
import type { Node } from "../meeting.ts";
import { cpuMs, cpuMsIn } from "../process.ts";
import {
  bareEcho,
  compiledRelay,
  pipelined,
  random,
  rawEcho,
  sealedEcho,
  startEnds,
  startForwarder,
  tripsOf,
} from "../relayed.ts";
import { inTurns, median, percentile } from "../sample.ts";

const ORIGIN = "http://127.0.0.1:7684";
const FRAME_BYTES = 1_024;
const TRIPS = 100;
const ROUNDS = 15;
const PIPELINED_TRIPS = 600;
const AT_ONCE = 32;
/** Of each before the first: until its code is compiled as it proves busy, the seal is several times slower. */
const WARM_TRIPS = 2_000;
const HOSTS = 300;
/** Of each host's session. */
const RENEWALS = 10;
const HASH_CHARS = 43;

export const relayNodes: Bench = {
  name: "relay-nodes",
  about: "the same with two nodes: NATS between them, sessions in PostgreSQL",
  async run({ share }) {
    await using services = await startServices();
    if (!services) return [];
    using compiled = compiledRelay();
    const env = {
      ...compiled.env,
      FLYBRIDGE_RELAY_ORIGIN: ORIGIN,
      FLYBRIDGE_RELAY_SECRET: "a secret of the bench, which nobody has to guess",
      DATABASE_URL: services.database,
      NATS_URL: services.nats,
    };
    await using one = await startRelay({ env });
    await using other = await startRelay({ env });
    await using forwarder = await startForwarder();
    await using ends = await startEnds();
    const [here, there] = [nodeOf(one), nodeOf(other)];
    await ends.order({ do: "hosts", node: here, from: 0, count: 1 });
    await ends.order({ do: "bare", port: forwarder.first.port, from: 0, count: 1 });
    const bare = await bareEcho(forwarder.first.port, "/0");
    const across = await sealedEcho(there, 0, 0);
    const same = await sealedEcho(here, 0, 1);
    const plain = await rawEcho(there, 0, 2);

    const payload = random(FRAME_BYTES);
    for (const echo of [bare, across, same, plain]) await tripsOf(echo, payload, countOf(WARM_TRIPS, share), []);
    const trips = countOf(TRIPS, share, 10);
    const times = await inTurns(countOf(ROUNDS, share, 2), {
      bare: (to) => tripsOf(bare, payload, trips, to),
      same: (to) => tripsOf(same, payload, trips, to),
      across: (to) => tripsOf(across, payload, trips, to),
    });
    const many = countOf(PIPELINED_TRIPS, share, 64);
    const costs: Record<"host" | "device" | "bare", number[]> = { host: [], device: [], bare: [] };
    const perFrame = (pid: number, before: number): number => (1000 * (cpuMs(pid) - before)) / (2 * many);
    for (let round = -1; round < countOf(ROUNDS, share, 2); round += 1) {
      const [host, device] = [cpuMs(one.pid), cpuMs(other.pid)];
      await pipelined([plain], payload, many, AT_ONCE);
      const [hostCost, deviceCost] = [perFrame(one.pid, host), perFrame(other.pid, device)];
      const before = cpuMs(forwarder.pid);
      await pipelined([bare], payload, many, AT_ONCE);
      if (round < 0) continue;
      costs.host.push(hostCost);
      costs.device.push(deviceCost);
      costs.bare.push(perFrame(forwarder.pid, before));
    }
    for (const echo of [bare, across, same, plain]) echo.close();

    const hosts = countOf(HOSTS, share, 10);
    await ends.order({ do: "hosts", node: here, from: 1, count: hosts });
    const renewed = hosts * RENEWALS;
    const rates: number[] = [];
    const [nodeBefore, databaseBefore] = [cpuMs(one.pid), services.cpuMs()];
    for (let round = 0; round < RENEWALS; round += 1)
      rates.push((1000 * hosts) / (await ends.order({ do: "renew", from: 1, count: hosts })).ms);
    const renewal = (cpuMs(one.pid) - nodeBefore) / renewed;
    const [after, before] = [services.cpuMs(), databaseBefore];
    const databaseRenewal = after === undefined || before === undefined ? [] : [(after - before) / renewed];
    const tokenBytes = await services.number("SELECT pg_total_relation_size('token') / count(*) FROM token");
    const wall = { what: "wall, 48 at once", value: 1000 / median(rates) };

    const trip = (what: string, of: string, rank: number): Measured => ({
      what: `round trip of 1 KiB, sealed, ${what}`,
      value: 1000 * percentile(times[of] ?? [], rank),
      unit: "µs",
      reference: { what: "one bare ws forwarder", value: 1000 * percentile(times["bare"] ?? [], rank) },
    });
    const frame = (what: string, of: "host" | "device"): Measured => ({
      what,
      value: median(costs[of]),
      unit: "µs",
      reference: { what: "a bare ws forwarder", value: median(costs.bare) },
    });
    return [
      trip("by two nodes, p50", "across", 0.5),
      trip("by two nodes, p99", "across", 0.99),
      trip("both at one node of the two, p50", "same", 0.5),
      frame(RELAY_FIGURES.hostNode, "host"),
      frame(RELAY_FIGURES.deviceNode, "device"),
      { what: RELAY_FIGURES.sharedRenewal, value: renewal, unit: "ms", reference: wall },
      ...databaseRenewal.map((value): Measured => ({
        what: RELAY_FIGURES.databaseRenewal,
        value,
        unit: "ms",
        reference: wall,
      })),
      {
        what: RELAY_FIGURES.token,
        value: tokenBytes,
        unit: "B",
        reference: { what: "its hash, as text", value: HASH_CHARS },
      },
    ];
  },
};

/** Where it is dialled differs from what it is called. */
function nodeOf({ port }: RunningRelay): Node {
  return { origin: ORIGIN, port };
}

interface Services extends AsyncDisposable {
  readonly database: string;
  readonly nats: string;
  /** The database's processor time; undefined where the system does not tell. */
  cpuMs(): number | undefined;
  /** The one value that the database answers. */
  number(sql: string): Promise<number>;
}

/** Undefined, with a word, where they are not installed. */
async function startServices(): Promise<Services | undefined> {
  await using held = new AsyncDisposableStack();
  try {
    const postgres = held.use(await startPostgres());
    const nats = held.use(await startNats());
    const services = held.move();
    const folder = new URL(postgres.url).searchParams.get("host") ?? "";
    return {
      database: postgres.url,
      nats: nats.url,
      cpuMs: () => cpuMsIn(join(folder, "data")),
      number: async (sql) => Number((await postgres.query(postgres.url, sql))[0]?.[0]),
      [Symbol.asyncDispose]: () => services.disposeAsync(),
    };
  } catch (error) {
    process.stderr.write(` (left out: ${error instanceof Error ? error.message : String(error)}) …`);
    return undefined;
  }
}
