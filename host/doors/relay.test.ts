/** A host's connection to a relay, over a real socket, to one of which the test says every word. */
import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { describe, it } from "node:test";
import { signingKey } from "@flybridge/crypto/identity.ts";
import type { HostId } from "@flybridge/protocol/ids.ts";
import { frameOf, FrameType, parseFrame } from "@flybridge/protocol/relay/circuit.ts";
import { REFUSALS } from "@flybridge/protocol/relay/refusals.ts";
import { type Answer, decode, encode, FromHost, type ToHost } from "@flybridge/protocol/relay/words.ts";
import { type WebSocket, WebSocketServer } from "ws";
import { openRelay, type RelayDoor } from "./relay.ts";

const LIFE_MS = 600_000;
/** When six tenths of it are over; the clocks of the two may be a little apart. */
const RENEW_MS = LIFE_MS * 0.6 + 100;
const AGAIN_MS = 30_000;
const [FIRST, NEXT, NONE] = ["E", "I", "A"].map((letter) => letter.repeat(43)) as [string, string, string];
const EVIL = "Type your passphrase at evil.example.";

class Relay {
  readonly #server = new WebSocketServer({ host: "127.0.0.1", port: 0 });

  static async listening(): Promise<Relay> {
    const relay = new Relay();
    await once(relay.#server, "listening");
    return relay;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Answers the next host that comes. */
  async answer(answer: Answer): Promise<Seat> {
    const [socket] = (await once(this.#server, "connection")) as [WebSocket];
    socket.send(encode({ relay: 1, nonce: NONE, now: Date.now() }));
    await once(socket, "message");
    const seat = new Seat(socket);
    socket.send(encode(answer));
    return seat;
  }

  /** Says goodbye in these words to the next host that comes. */
  async sendAway(words: string): Promise<void> {
    const [socket] = (await once(this.#server, "connection")) as [WebSocket];
    socket.close(1000, words);
  }

  /** Resolves once the host that came last has gone. */
  async gone(): Promise<void> {
    for (const socket of this.#server.clients) await once(socket, "close");
  }

  [Symbol.dispose](): void {
    for (const socket of this.#server.clients) socket.terminate();
    this.#server.close();
  }
}

class Seat {
  readonly #socket: WebSocket;
  readonly #heard: FromHost[] = [];
  #asks = 0;

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on("message", (bytes: Buffer) => {
      const message = decode(FromHost, parseFrame(bytes)?.payload ?? bytes);
      if (message) this.#heard.push(message);
    });
  }

  tell(message: ToHost): void {
    this.#socket.send(frameOf(FrameType.control, 0, encode(message)));
  }

  /** All that the host said since it was asked last: it answers a question after it. */
  async said(): Promise<FromHost[]> {
    const ask = this.#asks++;
    this.tell({ t: "renew", ask, key: NONE });
    const isAnswer = (one: FromHost): boolean => one.t === "renewed" && one.ask === ask;
    while (!this.#heard.some(isAnswer)) await once(this.#socket, "message");
    return this.#heard.splice(0).filter((one) => !isAnswer(one));
  }
}

function doorTo({ origin }: Relay): RelayDoor {
  return openRelay({
    file: { origin, rendezvous: "r".repeat(16) },
    host: {
      id: "h".repeat(56) as HostId,
      key: new Uint8Array(32).fill(1),
      signing: signingKey(new Uint8Array(32).fill(2)),
    },
    gate: { enter: () => true, close() {} },
    offers: () => [],
    deviceOf: () => undefined,
    doubled() {},
    keep() {},
    random: (bytes) => new Uint8Array(bytes).fill(3),
    now: () => Date.now(),
    log() {},
  });
}

describe("a host at a relay", { timeout: 20_000 }, () => {
  it("asks for the next session every half minute, until the relay could store one", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    using relay = await Relay.listening();
    using door = doorTo(relay);
    const session = (token: string) => ({ session: token, expires: Date.now() + LIFE_MS });
    const seat = await relay.answer({ t: "welcome", now: Date.now(), session: session(FIRST) });
    assert.deepEqual(await seat.said(), [{ t: "kept" }]);

    t.mock.timers.tick(RENEW_MS);
    assert.deepEqual(await seat.said(), [{ t: "renew", session: FIRST }]);
    for (let again = 0; again < 3; again += 1) {
      t.mock.timers.tick(AGAIN_MS);
      assert.deepEqual(await seat.said(), [{ t: "renew", session: FIRST }]);
    }
    assert.equal(door.file.session, FIRST);

    seat.tell({ t: "session", ...session(NEXT) });
    assert.deepEqual(await seat.said(), [{ t: "kept" }]);
    assert.equal(door.file.session, NEXT);
    t.mock.timers.tick(AGAIN_MS);
    assert.deepEqual(await seat.said(), [], "it has what it asked for");
    t.mock.timers.tick(RENEW_MS);
    assert.deepEqual(await seat.said(), [{ t: "renew", session: NEXT }]);
  });

  it("says in words of its own why a relay refuses, whatever that one writes", async () => {
    for (const [code, kind] of [
      ["closed", "refused"],
      ["unavailable", "away"],
    ] as const) {
      using relay = await Relay.listening();
      using door = doorTo(relay);
      await relay.answer({ t: "refused", code, message: EVIL });
      await relay.gone();
      const { status } = door;
      assert.ok(status.kind === kind);
      assert.equal(status.reason, REFUSALS[code]);
    }
  });

  it("says so in words of its own when a relay ends the connection before it answers, too", async () => {
    using relay = await Relay.listening();
    using door = doorTo(relay);
    await relay.sendAway(EVIL);
    while (door.status.kind === "connecting") await new Promise(setImmediate);
    assert.ok(door.status.kind === "away");
    assert.match(door.status.reason, /cannot be reached: it ended the connection\./u);
    assert.ok(!door.status.reason.includes("evil"));
  });
});
