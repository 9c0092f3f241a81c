/** What TLS at the relay itself adds: to an idle pair, to a frame that goes on, and to a device that comes. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeAuthority } from "@flybridge/testing/authority.ts";
import { type RunningRelay, startRelay } from "@flybridge/testing/relay.ts";
import { RELAY_FIGURES } from "../capacity.ts";
import { type Bench, countOf, type Measured } from "../figure.ts";
import { cpuMs, settledMb } from "../process.ts";
import { compiledRelay, nodeOf, pipelined, random, rawEcho, startEnds } from "../relayed.ts";
import { inTurns, median } from "../sample.ts";

const FRAME_BYTES = 1_024;
const TRIPS = 600;
const AT_ONCE = 32;
const ROUNDS = 8;
/** Pairs of which the later ones are measured: before them, a process grows for itself. */
const PAIRS = 1_500;
const FEW = 500;
const COMING = 200;

export const relayTls: Bench = {
  name: "relay-tls",
  about: "what TLS at the relay itself costs it, beside the same relay without",
  async run({ share }) {
    await using held = new AsyncDisposableStack();
    const { env } = held.use(compiledRelay());
    const plain = held.use(await startRelay({ env }));
    const secure = held.use(await startRelay({ env: { ...env, ...(await certified(held)) } }));
    const measured = async (relay: RunningRelay): Promise<Side> => {
      await using ends = await startEnds();
      const node = nodeOf(relay);
      await ends.order({ do: "hosts", node, from: 0, count: 1 });
      const echo = await rawEcho(node, 0, 0);
      const trips = countOf(TRIPS, share, 64);
      const samples = await inTurns(countOf(ROUNDS, share, 2), {
        async frame(costs) {
          const before = cpuMs(relay.pid);
          await pipelined([echo], random(FRAME_BYTES), trips, AT_ONCE);
          costs.push((1000 * (cpuMs(relay.pid) - before)) / (2 * trips));
        },
      });
      echo.close();
      const [few, pairs, coming] = [countOf(FEW, share, 10), countOf(PAIRS, share, 30), countOf(COMING, share, 10)];
      const open = async (from: number, count: number): Promise<void> => {
        await ends.order({ do: "hosts", node, from, count });
        await ends.order({ do: "devices", node, from, count, each: 1 });
      };
      await open(1, few);
      const before = await settledMb(relay.pid);
      await open(1 + few, pairs - few);
      const pairKb = (1024 * ((await settledMb(relay.pid)) - before)) / (pairs - few);
      const cpu = cpuMs(relay.pid);
      await ends.order({ do: "devices", node, from: pairs + 1, count: coming, each: pairs });
      return { frame: median(samples["frame"] ?? []), pairKb, device: (cpuMs(relay.pid) - cpu) / coming };
    };
    const without = await measured(plain);
    const within = await measured(secure);
    const row = (what: string, unit: Measured["unit"], of: keyof Side): Measured => ({
      what,
      value: within[of],
      unit,
      reference: { what: "the same relay without TLS", value: without[of] },
    });
    return [
      row(RELAY_FIGURES.tlsFrame, "µs", "frame"),
      row(RELAY_FIGURES.tlsPair, "KB", "pairKb"),
      row(RELAY_FIGURES.tlsDevice, "ms", "device"),
    ];
  },
};

interface Side {
  /** Microseconds of processor. */
  readonly frame: number;
  readonly pairKb: number;
  /** Milliseconds of processor. */
  readonly device: number;
}

/** Variables of a relay with a certificate of the bench's own. */
async function certified(held: AsyncDisposableStack): Promise<Record<string, string>> {
  const folder = mkdtempSync(join(tmpdir(), "flybridge-bench-tls-"));
  held.defer(() => rmSync(folder, { recursive: true, force: true }));
  const { cert, key } = await (await makeAuthority()).sign(["127.0.0.1"]);
  const files = { cert: join(folder, "cert.pem"), key: join(folder, "key.pem") };
  writeFileSync(files.cert, cert);
  writeFileSync(files.key, key, { mode: 0o600 });
  return {
    FLYBRIDGE_RELAY_ORIGIN: "https://127.0.0.1:7684",
    FLYBRIDGE_RELAY_TLS_CERT: files.cert,
    FLYBRIDGE_RELAY_TLS_KEY: files.key,
  };
}
