/** A device that reads nothing while its host sends: what the relay holds for it, and what its host's other devices feel. */
import { once } from "node:events";
import { type Bench, countOf } from "../figure.ts";
import { dialNode, dialPort } from "../meeting.ts";
import { rssMb, settledMb } from "../process.ts";
import { circuitTo, pipelined, random, rawEcho, startMeeting, tripsOf } from "../relayed.ts";
import { inTurns, median, percentile } from "../sample.ts";

const FLOOD_BYTES = 100 * 1024 * 1024;
const TRIPS = 1_000;
const ROUNDS = 6;
/** Frames after which a process has grown as far as traffic alone lets it. */
const WARM_TRIPS = 20_000;
const LOOK_MS = 10;
const HELD_MB = 1;
const P99_RATIO = 2;

export const relaySlow: Bench = {
  name: "relay-slow",
  about: "a device that reads nothing of 100 MB: a relay's memory, and its host's other devices",
  async run({ share }) {
    await using meeting = await startMeeting();
    const { relay, node, forwarder, ends } = meeting;
    const { port } = forwarder.first;
    const bytes = countOf(FLOOD_BYTES, share);
    await ends.order({ do: "hosts", node, from: 0, count: 1 });
    const other = await rawEcho(node, 0, 0);
    const payload = random(1_024);
    await pipelined([other], payload, countOf(WARM_TRIPS, share, 100), 32);

    const trips = countOf(TRIPS, share, 100);
    const most: Record<"alone" | "beside", number[]> = { alone: [], beside: [] };
    let device = 0;
    const samples = await inTurns(countOf(ROUNDS, share, 1), {
      async alone(times) {
        using held = mostOf(relay.pid);
        await tripsOf(other, payload, trips, times);
        most.alone.push(held.mb);
      },
      async beside(times) {
        const socket = dialNode(node);
        device += 1;
        const link = await circuitTo(node, 0, device, { do: "flood", bytes }, socket);
        link.listen({ frame() {}, drained() {}, ended() {} });
        socket.pause();
        using held = mostOf(relay.pid);
        await tripsOf(other, payload, trips, times);
        most.beside.push(held.mb);
        socket.terminate();
      },
    });
    other.close();

    await ends.order({ do: "bare-flood", port, from: 0, bytes });
    const socket = dialPort(port, "/0");
    const bareBefore = rssMb(forwarder.pid);
    await once(socket, "open");
    socket.pause();
    socket.send("go");
    const bareHeld = (await settledMb(forwarder.pid)) - bareBefore;
    socket.terminate();
    return [
      {
        what: `relay's memory for a device that reads nothing of ${Math.round(bytes / 2 ** 20)} MB`,
        value: Math.max(0.01, median(most.beside.slice(1)) - median(most.alone.slice(1))),
        unit: "MB",
        reference: { what: "a bare ws forwarder", value: Math.max(0.01, bareHeld) },
        limit: { value: HELD_MB },
      },
      {
        what: "round trip of 1 KiB of another device of that host, p99",
        value: 1000 * percentile(samples["beside"] ?? [], 0.99),
        unit: "µs",
        reference: { what: "the same without it", value: 1000 * percentile(samples["alone"] ?? [], 0.99) },
        limit: { ratio: P99_RATIO },
      },
    ];
  },
};

/** The most that a process has held from now on. */
function mostOf(pid: number): Disposable & { readonly mb: number } {
  let most = rssMb(pid);
  const look = (): void => {
    most = Math.max(most, rssMb(pid));
  };
  const looking = setInterval(look, LOOK_MS);
  return {
    get mb() {
      look();
      return most;
    },
    [Symbol.dispose]: () => clearInterval(looking),
  };
}
