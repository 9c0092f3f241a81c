/** What the seal costs: a round trip through our pipe beside a bare one, and sealing beside the JSON it wraps. */
import { randomBytes } from "node:crypto";
import { nobleKey, nobleSuite } from "@flybridge/crypto/noble.ts";
import { Opener, Sealer } from "@flybridge/crypto/record.ts";
import type { Suite } from "@flybridge/crypto/suite.ts";
import { nodeKey, nodeSuite } from "@flybridge/crypto/suite-node.ts";
import { encodeMessage, type HostMessage } from "@flybridge/protocol/message.ts";
import { RECORD_BYTES } from "@flybridge/protocol/relay.ts";
import { packRecord, unpackRecord } from "@flybridge/transport/frames.ts";
import type { SecurePipe } from "@flybridge/transport/pipe.ts";
import { pairOver } from "@flybridge/transport/secure/device.ts";
import { Streams } from "@flybridge/transport/streams.ts";
import { webSocketLink } from "@flybridge/transport/websocket.ts";
import type { WebSocket } from "ws";
import { startBare } from "../bare/bare.ts";
import { SEALED } from "../bare/sealed.ts";
import { type Bench, countOf, type Measured } from "../figure.ts";
import { inTurns, median, microsOf } from "../sample.ts";
import { entriesFrom } from "../transcript.ts";

/** The first some thousand of a process are slower: the code of both ends is compiled as it proves busy. */
const TRIPS = 1_500;
const ROUNDS = 4;
const SIZES = [
  ["64 B", 64],
  ["1 KiB", 1024],
  ["16 KiB", 16 * 1024],
] as const;
const CALLS = 3_000;

const decoder = new TextDecoder();

export const seal: Bench = {
  name: "seal",
  about: "a sealed round trip on loopback, and sealing beside JSON",
  run: async ({ share }) => [...(await roundTrips(share)), ...(await costs(share))],
};

async function roundTrips(share: number): Promise<Measured[]> {
  await using bare = await startBare();
  const echo = await bare.connect("/echo");
  const native = await sealedTo(bare.dial("/sealed"), nodeSuite(), nodeKey(SEALED.deviceSecret));
  const script = await sealedTo(bare.dial("/sealed"), nobleSuite(random), nobleKey(SEALED.deviceSecret));
  const measured: Measured[] = [];
  for (const [name, size] of SIZES) {
    const payload = random(size);
    const trips = countOf(TRIPS, share, 10);
    const samples = await inTurns(countOf(ROUNDS, share), {
      bare: (times) =>
        tripsOf(
          trips,
          times,
          (heard) => void echo.once("message", heard),
          () => echo.send(payload),
        ),
      native: (times) => tripsOf(trips, times, native.once, () => native.pipe.send(Streams.terminal, payload)),
      script: (times) => tripsOf(trips, times, script.once, () => script.pipe.send(Streams.terminal, payload)),
    });
    const reference = { what: "a bare ws echo", value: 1000 * median(samples["bare"] ?? []) };
    measured.push(
      {
        what: `round trip of ${name}, sealed, p50`,
        value: 1000 * median(samples["native"] ?? []),
        unit: "µs",
        reference,
      },
      {
        what: `round trip of ${name}, device sealing in JavaScript, p50`,
        value: 1000 * median(samples["script"] ?? []),
        unit: "µs",
        reference,
      },
    );
  }
  native.pipe.close("done");
  script.pipe.close("done");
  echo.close();
  return measured;
}

/** The host's share of sealing: what it sends is stringified and sealed, what it hears is opened and parsed. */
async function costs(share: number): Promise<Measured[]> {
  const measured: Measured[] = [];
  for (const [what, message] of MESSAGES) {
    const bytes = encodeMessage(message);
    const calls = countOf(Math.min(CALLS, 30_000_000 / bytes.length), share, 20);
    const suite = nodeSuite();
    const key = random(32);
    const sealer = new Sealer(suite, key.slice());
    const opener = new Opener(suite, key.slice());
    const samples = await inTurns(countOf(ROUNDS, share), {
      seal(times) {
        times.push(
          microsOf(calls, () => {
            const record = sealer.seal(packRecord([{ stream: Streams.entries, flags: 1, data: bytes }]));
            unpackRecord(opener.open(record));
          }),
        );
      },
      json(times) {
        times.push(microsOf(calls, () => void JSON.parse(decoder.decode(encodeMessage(message)))));
      },
    });
    measured.push({
      what: `seal and open ${what} (${bytes.length} bytes)`,
      value: median(samples["seal"] ?? []),
      unit: "µs",
      reference: { what: "its JSON, written and parsed", value: median(samples["json"] ?? []) },
      limit: { ratio: 1 },
    });
  }
  return measured;
}

const SESSION = "01980000-0000-7000-8000-0000000000aa" as never;

const MESSAGES: readonly (readonly [string, HostMessage])[] = [
  ["a token", { t: "delta", session: SESSION, delta: { item: "d0.2" as never, offset: 4_711, text: "harbour " } }],
  ["an entry", { t: "entries", session: SESSION, entries: entriesFrom(1, 10).slice(4, 5) }],
  ["a chunk of a page", { t: "entries", session: SESSION, entries: entriesFrom(1, 36) }],
];

function random(count: number): Uint8Array {
  return new Uint8Array(randomBytes(count));
}

interface Sealed {
  readonly pipe: SecurePipe;
  /** Hears the next message. */
  readonly once: (heard: () => void) => void;
}

async function sealedTo(socket: WebSocket, suite: Suite, deviceKey: ReturnType<typeof nobleKey>): Promise<Sealed> {
  const { pipe } = await pairOver(webSocketLink(socket as never, { maxFrameBytes: RECORD_BYTES }), {
    suite,
    deviceKey,
    hostKey: nodeKey(SEALED.hostSecret).publicKey,
    hostId: SEALED.hostId,
    offer: SEALED.offer,
    secret: SEALED.secret,
    payload: new Uint8Array(0),
  });
  let heard = (): void => {};
  pipe.listen({ message: () => heard(), drained() {}, ended() {} });
  return {
    pipe,
    once(next) {
      heard = next;
    },
  };
}

async function tripsOf(
  trips: number,
  times: number[],
  once: (heard: () => void) => void,
  send: () => void,
): Promise<void> {
  for (let trip = 0; trip < trips; trip += 1) {
    const from = performance.now();
    await new Promise<void>((resolve) => {
      once(resolve);
      send();
    });
    times.push(performance.now() - from);
  }
}
