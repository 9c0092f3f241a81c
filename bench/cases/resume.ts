/** Coming back after a cut: one request, and what was missed as one stream. */
import { join } from "node:path";
import type { SessionId } from "@flybridge/protocol/ids.ts";
import { PAGE_ENTRIES } from "@flybridge/protocol/limits.ts";
import type { BareDevice } from "@flybridge/testing/bare.ts";
import { startWorld } from "@flybridge/testing/world.ts";
import { type Bare, startBare } from "../bare/bare.ts";
import { listen } from "../device.ts";
import { type Bench, countOf, type Measured } from "../figure.ts";
import { inTurns, median, timed } from "../sample.ts";
import { writeSession } from "../transcript.ts";

const ALL = 100_001;
const ROUNDS = 3;
/** Entries missed, and milliseconds in which they are there. */
const MISSED = [
  [10_000, 50],
  [100_000, 500],
] as const;

export const resume: Bench = {
  name: "resume",
  about: "10,000 and 100,000 missed entries after a cut",
  async run({ share }) {
    await using world = await startWorld();
    await using bare = await startBare();
    await world.kill();
    const database = join(world.state, "flybridge.db");
    const all = countOf(ALL, share, 101);
    const session = writeSession(database, all);
    await world.restart();
    const device = await world.pair();
    const measured: Measured[] = [];
    for (const [full, limit] of MISSED) {
      const missed = countOf(full, share, 10);
      const from = all - missed + 1;
      const samples = await inTurns(countOf(ROUNDS, share), {
        async ours(times) {
          times.push(await timed(() => catchUp(device, session, from, all)));
          await device.call("session.unfollow", { session });
          // Kept for those who ask what a device was told; here it would only fill the memory.
          device.messages.splice(0);
        },
        bare: async (times) => void times.push(await timed(() => readBare(bare, database, session, from))),
      });
      const words = missed.toLocaleString("en");
      const value = median(samples["ours"] ?? []);
      const reference = { what: "the same rows as JSON over a bare ws", value: median(samples["bare"] ?? []) };
      measured.push({ what: `resume, ${words} missed entries`, value, unit: "ms", reference, limit: { value: limit } });
    }
    device.close();
    return measured;
  },
};

async function catchUp(device: BareDevice, session: SessionId, from: number, last: number): Promise<void> {
  const there = listen(device, (message) => message.t === "entries" && message.entries.at(-1)?.seq === last);
  await device.call("session.follow", { session, from });
  await there;
}

async function readBare(bare: Bare, database: string, session: SessionId, from: number): Promise<void> {
  let end = (): void => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const socket = await bare.connect("/rows", (data) => {
    if ((JSON.parse(String(data)) as { last?: boolean }).last) end();
  });
  socket.send([database, session, from, PAGE_ENTRIES].join(" "));
  await ended;
  socket.close();
}
