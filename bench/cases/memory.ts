/** What host and keeper hold in memory, at rest and with many sessions, started as `flybridge up` starts them. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startWorld, type World } from "@flybridge/testing/world.ts";
import type { BareDevice } from "@flybridge/testing/bare.ts";
import { followDemo, turn } from "../device.ts";
import { type Bench, countOf, type Measured } from "../figure.ts";
import { idleNode, rssMb } from "../process.ts";
import { median } from "../sample.ts";

const SESSIONS = 20;
/** Processes whose median is the figure: how much a fresh one holds differs from start to start. */
const STARTS = 3;
const HOST_MB = 120;
const KEEPER_MB = 60;

export const memory: Bench = {
  name: "memory",
  about: "memory of host and keeper, idle and with 20 sessions",
  async run({ share }) {
    const idle: Record<"node" | "host" | "keeper", number[]> = { node: [], host: [], keeper: [] };
    using started = asStarted();
    for (let start = 1; start < countOf(STARTS, share); start += 1) {
      await using node = await idleNode();
      await using world = await startWorld({ env: started.env });
      const device = await world.shell();
      add(idle, node.pid, world, await keeperOf(device));
      device.close();
    }
    await using node = await idleNode();
    await using world = await startWorld({ env: started.env });
    const device = await world.shell();
    const keeper = await keeperOf(device);
    add(idle, node.pid, world, keeper);
    const sessions = countOf(SESSIONS, share, 2);
    for (let made = 0; made < sessions; made += 1)
      await turn(device, await followDemo(device, world.home), "flood 2000");
    const reference = { what: "node -e", value: median(idle.node) };
    const row = (what: string, value: number, limit?: number): Measured => ({
      what,
      value,
      unit: "MB",
      reference,
      ...(limit === undefined ? {} : { limit: { value: limit } }),
    });
    const figures = [
      row("host, idle", median(idle.host), HOST_MB),
      row("keeper, idle", median(idle.keeper), KEEPER_MB),
      row(`host with ${sessions} sessions`, rssMb(world.pid)),
      row(`keeper with ${sessions} sessions`, rssMb(keeper)),
    ];
    device.close();
    return figures;
  },
};

/** What `cli/start.ts` gives a host: a compile cache that is filled, and a small young generation. */
function asStarted(): Disposable & { readonly env: Record<string, string> } {
  const cache = mkdtempSync(join(tmpdir(), "flybridge-compiled-"));
  const env = { NODE_COMPILE_CACHE: cache, NODE_OPTIONS: "--max-semi-space-size=2" };
  const main = join(import.meta.dirname, "..", "..", "host", "main.ts");
  execFileSync(process.execPath, [main, "--version"], { env: { ...process.env, ...env } });
  return { env, [Symbol.dispose]: () => rmSync(cache, { recursive: true, force: true }) };
}

function add(idle: Record<"node" | "host" | "keeper", number[]>, node: number, world: World, keeper: number): void {
  idle.node.push(rssMb(node));
  idle.host.push(rssMb(world.pid));
  idle.keeper.push(rssMb(keeper));
}

async function keeperOf(device: BareDevice): Promise<number> {
  return (await device.call("host.read", {})).keeper.pid;
}
