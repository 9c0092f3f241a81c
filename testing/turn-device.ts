/**
 * A device as a process of its own, so that it can stand in a network of its own: the client's line to a host, with data
 * channels of libdatachannel. It takes an order in each line of its input, and says in each of its output what it saw.
 */
import { randomBytes } from "node:crypto";
import { createInterface } from "node:readline";
import type { Calls } from "@flybridge/client/calls.ts";
import { memoryKeys } from "@flybridge/client/keys-memory.contract.ts";
import { keepWays } from "@flybridge/client/kept-ways.ts";
import { Line } from "@flybridge/client/line.ts";
import { makeBridge } from "@flybridge/client/make-bridge.ts";
import { nodePlatformOver } from "@flybridge/client/platform-node.ts";
import type { Platform } from "@flybridge/client/platform.ts";
import { type KnownHost, Offline } from "@flybridge/client/replica.ts";
import { memoryStore } from "@flybridge/client/store-memory.ts";
import { toBase64Url } from "@flybridge/protocol/base64.ts";
import { GATHERING_MS, type IceServer, OPENING_MS } from "@flybridge/protocol/direct.ts";
import type { SessionId } from "@flybridge/protocol/ids.ts";
import { parseConnection } from "@flybridge/protocol/offer.ts";
import { RECORD_BYTES } from "@flybridge/protocol/relay.ts";
import { nodeChannelLink } from "@flybridge/transport/data-channel-node.ts";
import type { ChannelOffer } from "@flybridge/transport/data-channel.ts";
import type { IceServer as NativeServer } from "node-datachannel";
import { askChannel } from "./channel.ts";
import { newIntent } from "./bare.ts";

/** Milliseconds before what the connection took with it is tried again. */
const AGAIN_MS = 50;

export type Order =
  /** First. `ca`: who signed the relay's certificate, PEM. */
  | { readonly t: "pair"; readonly connection: string; readonly ca: string }
  | { readonly t: "follow"; readonly session: SessionId }
  /** However often it must be sent. */
  | { readonly t: "prompt"; readonly session: SessionId; readonly text: string };

export type Saw =
  | { readonly t: "paired"; readonly device: string }
  /** Welcomed. */
  | { readonly t: "up"; readonly way: "relay" | "direct" }
  | { readonly t: "entries"; readonly numbers: readonly number[] }
  /** What there was of the answer that is being given. */
  | { readonly t: "delta" }
  /** A direct way that was looked for is none. */
  | { readonly t: "none" }
  | { readonly t: "answered"; readonly text: string };

const say = (saw: Saw): void => void process.stdout.write(`${JSON.stringify(saw)}\n`);
const within = <T>(milliseconds: number, promise: Promise<T>): Promise<T | undefined> =>
  Promise.race([promise, new Promise<undefined>((resolve) => setTimeout(resolve, milliseconds, undefined))]);

async function offerDirectly(ice: readonly IceServer[]): Promise<ChannelOffer> {
  const { peer, channel, gathered, opened } = askChannel({ iceServers: ice.map(nativeServer) });
  await within(GATHERING_MS, gathered);
  let isTaken = false;
  return {
    sdp: peer.localDescription()?.sdp ?? "",
    async answered(sdp) {
      peer.setRemoteDescription(sdp, "answer");
      if (!(await within(OPENING_MS, opened))) throw new Error("The direct way did not open.");
      isTaken = true;
      return nodeChannelLink(peer, channel, { maxFrameBytes: RECORD_BYTES });
    },
    [Symbol.dispose]() {
      if (isTaken) return;
      peer.close();
      say({ t: "none" });
    },
  };
}

function nativeServer({ urls, username = "", credential = "" }: IceServer): NativeServer {
  const [, hostname = "", port] = /^turn:([\d.]+):(\d+)$/u.exec(urls) ?? [];
  return { hostname, port: Number(port), username, password: credential, relayType: "TurnUdp" };
}

async function pair(order: Extract<Order, { t: "pair" }>): Promise<{ platform: Platform; known: KnownHost }> {
  const random = (bytes: number): Uint8Array => new Uint8Array(randomBytes(bytes));
  const base = nodePlatformOver({ keys: memoryKeys(random), store: memoryStore(), ca: [order.ca] });
  const platform = {
    ...base,
    reach: async () => ({ ...(await base.reach()), direct: offerDirectly }),
  };
  // Pairs by the relay, and takes a ticket for coming back by it.
  const bridge = await makeBridge(base);
  const { view } = await bridge.pair(parseConnection(order.connection), { name: "a device elsewhere", kind: "cli" });
  const { known } = view.value;
  bridge.close();
  say({ t: "paired", device: known.device });
  return { platform, known };
}

class Device {
  readonly #platform: Platform;
  readonly #known: KnownHost;
  readonly #line: Line;
  #session: SessionId | undefined;
  #calls: Calls | undefined;
  #last = 0;

  constructor({ platform, known }: { platform: Platform; known: KnownHost }) {
    this.#platform = platform;
    this.#known = known;
    this.#line = new Line(platform, () => known, {
      state() {},
      up: (calls, _welcome, found) => {
        say({ t: "up", way: found?.relay === undefined ? "direct" : "relay" });
        this.#calls = calls;
        this.#follow();
        void this.#takeWays(calls).finally(() => found?.stored());
      },
      news: (news) => {
        if (news.t === "delta") say({ t: "delta" });
        if (news.t !== "entries") return;
        const numbers = news.entries.map(({ seq }) => seq);
        this.#last = numbers.at(-1) ?? this.#last;
        say({ t: "entries", numbers });
      },
      frame() {},
      down: () => (this.#calls = undefined),
    });
    this.#line.start();
  }

  follow(session: SessionId): void {
    this.#session = session;
    this.#follow();
  }

  async prompt(session: SessionId, text: string): Promise<void> {
    const intent = newIntent();
    for (;;) {
      try {
        const calls = await this.#line.ready();
        await calls.ask("session.prompt", { session, text, delivery: "queue" }, intent);
        return say({ t: "answered", text });
      } catch (error) {
        if (!(error instanceof Offline)) throw error;
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
      }
    }
  }

  /** After what it has. */
  #follow(): void {
    if (this.#session === undefined || !this.#calls) return;
    this.#calls.ask("session.follow", { session: this.#session, from: this.#last + 1 }).catch((error: unknown) => {
      if (!(error instanceof Offline)) throw error;
    });
  }

  async #takeWays(calls: Calls): Promise<void> {
    const { keys } = this.#platform;
    const { publicKey } = await keys.proof();
    const { ways } = await calls.ask("relay.ways", { key: toBase64Url(publicKey) });
    await keepWays(keys, this.#known.host, ways);
  }
}

async function main(): Promise<void> {
  let device: Device | undefined;
  for await (const line of createInterface(process.stdin)) {
    const order = JSON.parse(line) as Order;
    if (order.t === "pair") device = new Device(await pair(order));
    else if (order.t === "follow") device?.follow(order.session);
    else void device?.prompt(order.session, order.text);
  }
  process.exit();
}

if (import.meta.main) await main();
