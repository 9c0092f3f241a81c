/** From starting the host to its being ready, in an empty folder and beside a keeper that lives. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { startWorld } from "@flybridge/testing/world.ts";
import { type Bench, countOf } from "../figure.ts";
import { inTurns, median, timed } from "../sample.ts";

const ROUNDS = 4;
const READY_MS = 400;

export const start: Bench = {
  name: "start",
  about: "from starting the host to its being ready",
  async run({ share }) {
    await using world = await startWorld();
    await world.kill();
    const samples = await inTurns(countOf(ROUNDS, share), {
      async again(times) {
        times.push(await timed(() => world.restart()));
        await world.kill();
      },
      async first(times) {
        let fresh: Awaited<ReturnType<typeof startWorld>> | undefined;
        times.push(
          await timed(async () => {
            fresh = await startWorld();
          }),
        );
        await fresh?.[Symbol.asyncDispose]();
      },
      async node(times) {
        times.push(await timed(async () => once(spawn(process.execPath, ["-e", "0"], { stdio: "ignore" }), "exit")));
      },
    });
    await world.restart();
    const reference = { what: "node -e 0", value: median(samples["node"] ?? []) };
    return [
      {
        what: "host ready, its keeper running",
        value: median(samples["again"] ?? []),
        unit: "ms",
        reference,
        limit: { value: READY_MS },
      },
      { what: "host ready, first start of all", value: median(samples["first"] ?? []), unit: "ms", reference },
    ];
  },
};
