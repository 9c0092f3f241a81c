/** What a relay holds in memory, and what its idle sockets cost it. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout } from "node:timers/promises";
import { startRelay } from "@flybridge/testing/relay.ts";
import { RELAY_FIGURES } from "../capacity.ts";
import { type Bench, countOf, type Measured } from "../figure.ts";
import { cpuMs, idleNode, settledMb } from "../process.ts";
import { compiledRelay, nodeOf, startEnds, startForwarder } from "../relayed.ts";
import { inTurns, median, timed } from "../sample.ts";

/** Pairs, whose sockets are 10,000. What one more costs is the slope from a share of them on: before it, a process grows for itself. */
const MANY = 5_000;
const FEW = 0.4;
/** Devices of one host, where its socket is shared. */
const SHARED = 100;
/** Files that a process needs for itself. */
const OWN_FILES = 200;
const STARTS = 4;
const READY_MS = 1_000;
const IDLE_MB = 90;
const PAIR_KB = 25;
/** Milliseconds of looking at idle sockets: each is pinged once. */
const IDLE_MS = 15_000;

export const relayMemory: Bench = {
  name: "relay-memory",
  about: "a relay's start, its memory, and what idle sockets cost",
  async run({ share }) {
    using compiled = compiledRelay();
    const start = async (): Promise<void> => {
      await using _ = await startRelay({ env: compiled.env });
    };
    const starts = await inTurns(countOf(STARTS, share, 1), {
      ours: async (times) => void times.push(await timed(start)),
      node: async (times) =>
        void times.push(
          await timed(async () => once(spawn(process.execPath, ["-e", "0"], { stdio: "ignore" }), "exit")),
        ),
    });
    await using node = await idleNode();
    await using forwarder = await startForwarder();
    await using relay = await startRelay({ env: compiled.env });
    await using shared = await startRelay({ env: compiled.env });
    await using ends = await startEnds();
    const [idle, idleBare] = [await settledMb(relay.pid), await settledMb(node.pid)];

    const most = Math.min(countOf(MANY, share, 40), Math.floor((fileLimit() - OWN_FILES) / 2));
    const { port } = forwarder.first;
    const grown = async (
      pid: number,
      many: number,
      open: (from: number, count: number) => Promise<unknown>,
    ): Promise<[number, number]> => {
      const few = Math.round(many * FEW);
      await open(0, few);
      const before = await settledMb(pid);
      await open(few, many - few);
      const after = await settledMb(pid);
      return [(1024 * (after - before)) / (many - few), after];
    };
    const [pair, all] = await grown(relay.pid, most, async (from, count) => {
      await ends.order({ do: "hosts", node: nodeOf(relay), from, count });
      await ends.order({ do: "devices", node: nodeOf(relay), from, count, each: 1 });
    });
    const began = cpuMs(relay.pid);
    await setTimeout(countOf(IDLE_MS, share));
    const idleCpu = (1000 * (cpuMs(relay.pid) - began)) / countOf(IDLE_MS, share);
    await ends.order({ do: "leave" });
    const [bare, allBare] = await grown(forwarder.pid, most, (from, count) =>
      ends.order({ do: "bare", port, from, count, pairs: true }),
    );
    await ends.order({ do: "leave" });
    const devices = Math.ceil(most * FEW);
    await ends.order({ do: "hosts", node: nodeOf(shared), from: 0, count: Math.ceil(devices / SHARED) });
    const [device] = await grown(shared.pid, devices, (from, count) =>
      ends.order({ do: "devices", node: nodeOf(shared), from, count, each: SHARED }),
    );
    await ends.order({ do: "leave" });

    const nodeMb = { what: "node -e", value: idleBare };
    const barePair = { what: "a pair of a bare ws forwarder", value: bare };
    const sockets = (2 * most).toLocaleString("en");
    return [
      {
        what: RELAY_FIGURES.ready,
        value: median(starts["ours"] ?? []),
        unit: "ms",
        reference: { what: "node -e 0", value: median(starts["node"] ?? []) },
        limit: { value: READY_MS },
      },
      { what: RELAY_FIGURES.idle, value: idle, unit: "MB", reference: nodeMb, limit: { value: IDLE_MB } },
      { what: RELAY_FIGURES.pair, value: pair, unit: "KB", reference: barePair, limit: { value: PAIR_KB } },
      { what: RELAY_FIGURES.device, value: device, unit: "KB", reference: barePair },
      {
        what: `relay with ${sockets} idle sockets, half of them hosts`,
        value: all,
        unit: "MB",
        reference: { what: "a bare ws forwarder", value: allBare },
      },
      {
        what: RELAY_FIGURES.idleSocket,
        value: (1000 * idleCpu) / (2 * most),
        unit: "µs",
        reference: { what: `of a processor, shared by ${sockets}`, value: 1_000_000 / (2 * most) },
      },
    ] satisfies Measured[];
  },
};

/** Files that a process here may have open; Node takes all that it may. */
function fileLimit(): number {
  const said = execFileSync("sh", ["-c", "ulimit -Hn"], { encoding: "utf8" }).trim();
  return said === "unlimited" ? Number.MAX_SAFE_INTEGER : Number(said);
}
