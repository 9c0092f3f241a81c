/** What a streamed line costs the host's processor, with one device following. */
import { startWorld, type World } from "@flybridge/testing/world.ts";
import { type Bare, startBare } from "../bare/bare.ts";
import { followDemo, turn } from "../device.ts";
import { type Bench, countOf, type Measured } from "../figure.ts";
import { cpuMs } from "../process.ts";
import { inTurns, median } from "../sample.ts";

/** Lines with a pause between, so that each goes its way alone: the dearest kind. */
const PACED_LINES = 600;
const PACED_MS = 3;
/** Lines as fast as they are read, so that many go together. */
const FLOOD_LINES = 20_000;
const ROUNDS = 3;
/** Milliseconds of processor time. The hardest pace must hold, so a flood does too. */
const LIMIT_MS = 0.3;

export const cpu: Bench = {
  name: "cpu",
  about: "processor time of the host and its keeper for a streamed line",
  async run({ share }) {
    await using world = await startWorld();
    await using bare = await startBare();
    const device = await world.pair();
    const session = await followDemo(device, world.home);
    const keeper = (await device.call("host.read", {})).keeper.pid;

    const measured: Measured[] = [];
    const keepers: number[] = [];
    for (const [what, bareWhat, lines, ourOrder, bareOrder] of ordersOf(share)) {
      const samples = await inTurns(countOf(ROUNDS, share), {
        async ours(costs) {
          const before = usedBy(world, keeper);
          await turn(device, session, ourOrder);
          const after = usedBy(world, keeper);
          costs.push((after.host - before.host) / lines);
          keepers.push((after.keeper - before.keeper) / lines);
        },
        async bare(costs) {
          costs.push(await costOfBare(bare, bareOrder, lines));
        },
      });
      const reference = { what: bareWhat, value: median(samples["bare"] ?? []) };
      measured.push(
        {
          what: `host, a line ${what}`,
          value: median(samples["ours"] ?? []),
          unit: "ms",
          reference,
          limit: { value: LIMIT_MS },
        },
        { what: `keeper, a line ${what}`, value: median(keepers.splice(0)), unit: "ms", reference },
      );
    }
    device.close();
    return measured;
  },
};

function ordersOf(share: number): [what: string, bareWhat: string, lines: number, ours: string, bare: string][] {
  const paced = countOf(PACED_LINES, share, 20);
  const flood = countOf(FLOOD_LINES, share, 100);
  return [
    ["that comes alone", "a bare forwarder", paced, `speak ${paced} ${PACED_MS}`, `tick ${paced} ${PACED_MS}`],
    ["of a flood", "a bare forwarder", flood, `flood ${flood}`, `flood ${flood}`],
  ];
}

function usedBy(world: World, keeper: number): { readonly host: number; readonly keeper: number } {
  return { host: cpuMs(world.pid), keeper: cpuMs(keeper) };
}

async function costOfBare(bare: Bare, order: string, lines: number): Promise<number> {
  const before = cpuMs(bare.pid);
  let end = (): void => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const socket = await bare.connect("/lines", (data) => {
    if (String(data) === "end") end();
  });
  socket.send(order);
  await ended;
  socket.close();
  return (cpuMs(bare.pid) - before) / lines;
}
