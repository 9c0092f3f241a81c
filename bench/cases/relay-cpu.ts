/** What a frame that goes on costs a relay's processor, and how many bytes it is on the wire. */
import type { Socket } from "node:net";
import type { Link } from "@flybridge/transport/link.ts";
import type { WebSocket } from "ws";
import { RELAY_FIGURES } from "../capacity.ts";
import { type Bench, countOf, type Measured } from "../figure.ts";
import { dialNode, type Node } from "../meeting.ts";
import { cpuMs } from "../process.ts";
import {
  bareEcho,
  type Echo,
  type Ends,
  pipelined,
  random,
  rawEcho,
  sealedEcho,
  startMeeting,
  tripsOf,
} from "../relayed.ts";
import { inTurns, median } from "../sample.ts";

const FRAME_BYTES = 1_024;
/** As much as fits a record of 1 KiB. */
const MESSAGE_BYTES = 1_018;
const TRIPS = 600;
const ROUNDS = 12;
const CIRCUITS = 64;
/** Circuits, and frames on the way at once in each. */
const KINDS = [
  [1, 1, RELAY_FIGURES.alone],
  [1, 32, RELAY_FIGURES.pipelined],
  [CIRCUITS, 1, RELAY_FIGURES.many],
] as const;
const CPU_RATIO = 1.25;
const WIRE_RATIO = 1.1;
const WIRE_TRIPS = 2_000;

export const relayCpu: Bench = {
  name: "relay-cpu",
  about: "processor time of a relay for a frame of 1 KiB, and bytes on the wire for a record",
  async run({ share }) {
    await using meeting = await startMeeting();
    const { relay, node, forwarder, ends } = meeting;
    await ends.order({ do: "hosts", node, from: 0, count: 1 });
    await ends.order({ do: "bare", port: forwarder.first.port, from: 0, count: CIRCUITS });
    const ours: Echo[] = [];
    const bare: Echo[] = [];
    for (let number = 0; number < CIRCUITS; number += 1) {
      ours.push(await rawEcho(node, 0, number));
      bare.push(await bareEcho(forwarder.first.port, `/${number}`));
    }
    const payload = random(FRAME_BYTES);
    const trips = countOf(TRIPS, share, 64);
    const measured: Measured[] = [];
    for (const [circuits, atOnce, what] of KINDS) {
      const each = Math.ceil(trips / circuits);
      const cost = (pid: number, echoes: readonly Echo[]) => async (costs: number[]) => {
        const before = cpuMs(pid);
        await pipelined(echoes.slice(0, circuits), payload, each, atOnce);
        // There and back.
        costs.push((1000 * (cpuMs(pid) - before)) / (2 * each * circuits));
      };
      const samples = await inTurns(countOf(ROUNDS, share, 2), {
        bare: cost(forwarder.pid, bare),
        ours: cost(relay.pid, ours),
      });
      measured.push({
        what,
        value: median(samples["ours"] ?? []),
        unit: "µs",
        reference: { what: "a bare ws forwarder", value: median(samples["bare"] ?? []) },
        limit: { ratio: CPU_RATIO },
      });
    }
    for (const echo of [...ours, ...bare]) echo.close();
    return [...measured, await wire(node, ends, countOf(WIRE_TRIPS, share, 50))];
  },
};

/** Of both sockets that a record goes over, WebSocket, circuit and credit included; TCP's own are not. */
async function wire(node: Node, ends: Ends, trips: number): Promise<Measured> {
  const socket = dialNode(node);
  let records = 0;
  let recordBytes = 0;
  const seen = (bytes: Uint8Array): void => {
    records += 1;
    recordBytes += bytes.length;
  };
  const echo = await sealedEcho(node, 0, CIRCUITS, { socket, seen: (link) => watched(link, seen) });
  const bytes = async (): Promise<number> => ((await ends.order({ do: "wire" })).bytes ?? 0) + wireOf(socket);
  await tripsOf(echo, random(MESSAGE_BYTES), 2, []);
  const before = await bytes();
  records = 0;
  recordBytes = 0;
  await tripsOf(echo, random(MESSAGE_BYTES), trips, []);
  const total = (await bytes()) - before;
  echo.close();
  return {
    what: "a record of 1 KiB on the wire, on each of its two sockets",
    value: total / records / 2,
    unit: "B",
    reference: { what: "the record", value: recordBytes / records },
    limit: { ratio: WIRE_RATIO },
  };
}

/** The same link, of which each frame is seen, either way. */
function watched(link: Link, seen: (frame: Uint8Array) => void): Link {
  return {
    get buffered() {
      return link.buffered;
    },
    send(frame) {
      seen(frame);
      link.send(frame);
    },
    listen: (events) =>
      link.listen({
        ...events,
        frame(frame) {
          seen(frame);
          events.frame(frame);
        },
        drained: () => events.drained(),
        ended: (end) => events.ended(end),
      }),
    close: (detail, lingerMs) => link.close(detail, lingerMs),
  };
}

function wireOf(socket: WebSocket): number {
  const { bytesRead = 0, bytesWritten = 0 } = (socket as unknown as { readonly _socket?: Socket })._socket ?? {};
  return bytesRead + bytesWritten;
}
