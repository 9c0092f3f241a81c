/**
 * Whoever comes to a relay and does not keep to its rules: half a connection, no HTTP, no frames, too large ones, wrong
 * ones, too many, and hosts and devices that were let in and go on like that. What it costs, and what others notice of it.
 */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { after, before, describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { toBase64Url } from "@flybridge/protocol/base64.ts";
import {
  CIRCUIT_WINDOW_BYTES,
  costOf,
  creditFrame,
  creditIn,
  frameOf,
  FrameType,
  parseFrame,
  reasonIn,
} from "@flybridge/protocol/relay/circuit.ts";
import {
  encode,
  OPENING_BYTES,
  OPENING_MS,
  type Opening,
  RELAY_FRAME_BYTES,
  RELAY_PATH,
} from "@flybridge/protocol/relay/words.ts";
import { RECORD_BYTES } from "@flybridge/protocol/relay.ts";
import { Couple, joined, Peer } from "./peers.ts";
import { type RunningRelay, startRelay } from "./relay.ts";
import { newProof } from "./relayed.ts";
import { residentOf } from "./stranger.ts";

const MIB = 1024 * 1024;
const HALF_OPEN = 1_000;
const MALFORMED = 10_000;
const AT_ONCE = 32;
/** What so many may cost for good. */
const GROWN_BYTES = 20 * MIB;
const TRIPS = 150;
/** By how much the slowest trips of others may slow down meanwhile. */
const SLOWER = 2;
/** A trip is never so quick that a tick of the clock or of a collector does not show, in milliseconds. */
const TICK_MS = 20;
/** Milliseconds beyond those that a peer has to say what it wants, in which it is really gone. */
const GONE_MS = 6_000;
const LOOK_MS = 20;
/** Devices that take nothing, and what one of them may cost. */
const SLOW = 16;
const SLOW_BYTES = MIB;
/** Devices whose windows together are more than a relay holds for a host that takes nothing. */
const MANY = 192;
const HELD_BYTES = 32 * MIB;
/** More than they have windows for, and the systems between them buffers. */
const FLOOD_BYTES = 400 * MIB;
/** Milliseconds in which something moves that moves at all. */
const STILL_MS = 200;
const NOTHING = new Uint8Array(0);

const random = (bytes: number): string => toBase64Url(new Uint8Array(randomBytes(bytes)));

/** However it ended. */
function gone(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once("close", () => resolve()));
}

async function until(what: string, isTrue: () => boolean | Promise<boolean>): Promise<void> {
  const late = performance.now() + 20_000;
  while (!(await isTrue())) {
    assert.ok(performance.now() < late, `never: ${what}`);
    await delay(LOOK_MS);
  }
}

describe("whoever comes to a relay", { timeout: 180_000 }, () => {
  let relay: RunningRelay;
  let others: Couple;
  /** Who says nothing from the beginning to the end, and answers pings. */
  let silent: Couple;
  let since: number;
  before(async () => {
    relay = await startRelay({
      env: {
        FLYBRIDGE_RELAY_APP: "no",
        // So that each may come from an address of its own.
        FLYBRIDGE_RELAY_TRUSTED_PROXY: "127.0.0.1",
        NODE_OPTIONS: "--max-semi-space-size=4",
      },
    });
    others = await Couple.meet(relay);
    silent = await Couple.meet(relay);
    since = performance.now();
  });
  after(async () => {
    others.close();
    silent.close();
    await relay[Symbol.asyncDispose]();
  });

  let addresses = 0;
  const address = (): string => {
    addresses += 1;
    return `10.${(addresses >> 16) & 255}.${(addresses >> 8) & 255}.${addresses & 255}`;
  };
  /** Milliseconds of the slowest of a hundred trips of others. */
  const slowest = async (): Promise<number> => {
    const took: number[] = [];
    for (let trip = 0; trip < TRIPS; trip++) took.push(await others.trip());
    return took.toSorted((a, b) => a - b)[Math.floor(TRIPS * 0.99)] ?? 0;
  };
  const socket = (): Socket => {
    const made = connect(relay.port, "127.0.0.1");
    made.on("error", () => {});
    return made;
  };
  const upgrade = (from: string, more = ""): string =>
    `GET ${RELAY_PATH} HTTP/1.1\r\nhost: 127.0.0.1\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-version: 13\r\nsec-websocket-key: ${randomBytes(16).toString("base64")}\r\nx-forwarded-for: ${from}\r\n${more}\r\n`;

  it("and speaks no HTTP, or wrong, is answered or cut off, and nobody else notices", async () => {
    const says: Readonly<Record<string, string | Buffer>> = {
      "bytes of chance": randomBytes(4_096),
      "the beginning of TLS": Buffer.from("16030100c8010000c40303", "hex"),
      "a header that has no end": `GET / HTTP/1.1\r\nhost: x\r\nx: ${"y".repeat(200_000)}`,
      "a line that has no end": "G".repeat(200_000),
      "two lengths":
        "POST /health HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
      "a length that is none": "POST /health HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n",
      "another method": "CONNECT example.com:443 HTTP/1.1\r\nhost: x\r\n\r\n",
      "an address for a path":
        "GET http://example.com/relay HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n",
      "a path that is none": "GET /%ff%00/../../etc/passwd HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
      "another upgrade": "GET /relay HTTP/1.1\r\nhost: x\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n",
      "a WebSocket without a key":
        "GET /relay HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n",
      "a WebSocket of another version":
        "GET /relay HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-version: 7\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
      "a WebSocket to another path": upgrade(address()).replace(RELAY_PATH, "/link"),
    };
    for (const [what, bytes] of Object.entries(says)) {
      const one = socket();
      let heard = "";
      one.on("data", (data: Buffer) => (heard += data.toString("latin1")));
      one.write(bytes);
      await gone(one);
      assert.match(heard, /^(?:HTTP\/1\.1 (?:4\d\d|501) |$)/u, what);
      assert.doesNotMatch(heard, /node|stack|\/work|at \w/iu, what);
      await others.trip();
    }
  });

  it("and stops half-way, a thousand at once, is let go after a while, and others lose little time", async () => {
    await slowest();
    const quiet = await slowest();
    const before = residentOf(relay.pid);
    const half: { readonly what: string; readonly gone: Promise<unknown>; readonly end: () => void }[] = [];
    const add = (what: string, one: Socket): Socket => {
      half.push({ what, gone: gone(one), end: () => one.destroy() });
      return one.resume();
    };
    const dribbles: (() => void)[] = [];
    for (let count = 0; count < HALF_OPEN; count++) {
      const from = address();
      switch (count % 20) {
        case 0:
          add("says nothing", socket());
          break;
        case 1:
          add("has not ended its headers", socket()).write(`GET / HTTP/1.1\r\nhost: x\r\nx-forwarded-for: ${from}\r\n`);
          break;
        case 2: {
          const one = add("says a header at a time", socket());
          one.write("GET / HTTP/1.1\r\nhost: x\r\n");
          dribbles.push(() => one.write(`x-${random(3)}: y\r\n`));
          break;
        }
        case 3:
          add("has not ended a frame", socket()).write(
            Buffer.concat([Buffer.from(upgrade(from)), Buffer.from("82fe1000aabbccdd0102", "hex")]),
          );
          break;
        case 4: {
          // An opening of a thousand bytes, one after the other.
          const one = add("says a byte at a time", socket());
          one.write(Buffer.concat([Buffer.from(upgrade(from)), Buffer.from("82fe03e8aabbccdd", "hex")]));
          dribbles.push(() => one.write(randomBytes(1)));
          break;
        }
        case 5: {
          const one = add("only pings", socket());
          one.write(upgrade(from));
          dribbles.push(() => one.write(Buffer.from("8980aabbccdd", "hex")));
          break;
        }
        default:
          add("does not say what it wants", socket()).write(upgrade(from));
      }
    }
    const began = performance.now();
    const dribbling = setInterval(() => {
      for (const dribble of dribbles) dribble();
    }, 500);
    try {
      await until("they are there", async () => (await strangers()) > HALF_OPEN / 2);
      const besieged = await slowest();
      assert.ok(besieged < quiet * SLOWER + TICK_MS, `${besieged} ms instead of ${quiet}`);
      const grown = residentOf(relay.pid) - before;
      assert.ok(grown < 2 * GROWN_BYTES, `grew by ${grown} bytes`);
      const late = delay(OPENING_MS + GONE_MS - (performance.now() - began), "late" as const);
      for (const { what, gone: ended } of half)
        assert.notEqual(await Promise.race([ended, late]), "late", `one that ${what} is there after ${OPENING_MS} ms`);
      await others.trip();
    } finally {
      clearInterval(dribbling);
      for (const { end } of half) end();
    }
    // There is room again.
    const next = await Couple.meet(relay);
    await next.trip();
    next.close();
  });

  /** Sockets beyond those of others. */
  const strangers = async (): Promise<number> => {
    const response = await fetch(`http://127.0.0.1:${relay.port}/metrics`, {
      // Not for the proxy that it trusts.
      headers: { "x-forwarded-for": "127.0.0.1" },
    });
    return Number(/^flybridge_relay_sockets (\d+)$/mu.exec(await response.text())?.[1] ?? Number.NaN) - 4;
  };

  it("and fills the room for strangers leaves none for more of them, and all to those who are in", async () => {
    const from = address();
    const many = await Promise.all(
      Array.from({ length: 200 }, async () => {
        const one = socket();
        one.write(upgrade(from));
        const [first] = (await once(one, "data")) as [Buffer];
        return { one, isIn: first.toString("latin1").startsWith("HTTP/1.1 101") };
      }),
    );
    const inside = many.filter(({ isIn }) => isIn).length;
    assert.equal(inside, 64, "of one address");
    const elsewhere = await Peer.at(relay, address());
    elsewhere.socket.terminate();
    await others.trip();
    for (const { one } of many) one.destroy();
    await until("they are gone", async () => (await strangers()) === 0);
    (await Peer.at(relay, from)).socket.terminate();
  });

  it("and sends frames that are none, or that nobody asked for, is closed or refused", async () => {
    const key = newProof();
    const opening: Opening = { t: "join", rendezvous: random(12), by: { kind: "offer" } };
    const raw = async (hex: string): Promise<string> => {
      const one = socket();
      one.write(Buffer.concat([Buffer.from(upgrade(address())), Buffer.from(hex, "hex")]));
      let heard = Buffer.alloc(0);
      one.on("data", (data: Buffer) => (heard = Buffer.concat([heard, data])));
      await gone(one);
      return heard.toString("latin1");
    };
    const framed = async (say: (peer: Peer) => unknown): Promise<string> => {
      const peer = await Peer.at(relay, address());
      await say(peer);
      const refusal = await peer.refusal();
      return refusal ?? String((await peer.closed).code);
    };
    // What is not masked, reserved bits, an opcode that is none, compression, a fragment of nothing, a long ping, a close of one byte.
    for (const hex of [
      "8204aabbccdd",
      "c284aabbccdd00000000",
      "8384aabbccdd00000000",
      "8084aabbccdd00000000",
      "89fe0100aabbccdd",
      "8881aabbccdd00",
    ])
      assert.match(await raw(hex), /^HTTP\/1\.1 101 /u, hex);
    // 2^63 bytes, and one more than there may be.
    for (const hex of [
      "82ff8000000000000000aabbccdd",
      `82ff${(RELAY_FRAME_BYTES + 1).toString(16).padStart(16, "0")}aabbccdd`,
    ])
      assert.match(await raw(hex), /^HTTP\/1\.1 101 /u, hex);
    const signed = (peer: Peer): Promise<Uint8Array> => peer.signed(relay.origin, key, opening);
    assert.equal(await framed((peer) => peer.say("text")), "1003");
    assert.equal(await framed((peer) => peer.say(new Uint8Array(RELAY_FRAME_BYTES + 1))), "1009");
    assert.equal(await framed((peer) => peer.say(NOTHING)), "bad_opening");
    assert.equal(await framed((peer) => peer.say(randomBytes(96))), "bad_opening");
    assert.equal(await framed((peer) => peer.say(randomBytes(RELAY_FRAME_BYTES))), "bad_opening");
    assert.equal(await framed(async (peer) => peer.say(await signed(peer))), "host_away");
    const twice = await framed(async (peer) => {
      const frame = await signed(peer);
      peer.say(frame, frame);
    });
    assert.match(twice, /^(?:1006|1003|host_away)$/u, "a second opening");
    // Signed right, and what it says is none.
    const says = async (body: unknown): Promise<string> =>
      framed(async (peer) => peer.say(await peer.signed(relay.origin, key, body as Opening)));
    for (const body of [
      null,
      [],
      "join",
      {},
      { t: "constructor" },
      { t: "__proto__" },
      { ...opening, by: null },
      { ...opening, by: { kind: "ticket" } },
      { ...opening, by: { kind: "ticket", ticket: "x".repeat(2_000) } },
      { ...opening, rendezvous: "../../../etc/x" },
      { ...opening, rendezvous: ["a"] },
      { t: "host", hs: random(32), rendezvous: `${random(12)} ` },
      { t: "host", hs: random(31), rendezvous: random(12) },
      { t: "member", session: random(33) },
      { ...opening, more: "x".repeat(OPENING_BYTES) },
    ])
      assert.equal(await says(body), "bad_opening", JSON.stringify(body).slice(0, 60));
    await others.trip();
    assert.doesNotMatch(relay.log(), /"level":(?:50|60)|stack/u);
  });

  it(`and opens wrong ${MALFORMED} times costs no memory, and nobody much time`, async () => {
    const key = newProof();
    const wrong = async (count: number): Promise<void> => {
      const peer = await Peer.at(relay, address());
      const { origin } = relay;
      const opening: Opening = { t: "join", rendezvous: random(12), by: { kind: "ticket", ticket: "a.b" } };
      switch (count % 4) {
        case 0:
          peer.say(randomBytes(count % OPENING_BYTES));
          break;
        case 1:
          peer.say(await peer.signed(origin, key, { t: random(9) } as never));
          break;
        case 2:
          peer.say(await peer.signed(`${origin}0`, key, opening));
          break;
        default:
          peer.say(await peer.signed(origin, key, opening));
      }
      await peer.closed;
    };
    const many = async (from: number, to: number): Promise<void> => {
      let next = from;
      await Promise.all(
        Array.from({ length: AT_ONCE }, async () => {
          while (next < to) await wrong(next++);
        }),
      );
    };
    await many(0, MALFORMED / 10);
    const before = residentOf(relay.pid);
    await many(MALFORMED / 10, MALFORMED);
    const grown = residentOf(relay.pid) - before;
    assert.ok(grown < GROWN_BYTES, `grew by ${grown} bytes`);
    await until("they are gone", async () => (await strangers()) === 0);
    await others.trip();
  });

  it("and says nothing, but answers, is kept", async (t) => {
    t.diagnostic(`${Math.round((performance.now() - since) / 1_000)} s`);
    assert.deepEqual([silent.host.isClosed, silent.device.isClosed], [false, false]);
    await silent.trip();
  });
});

describe("a host that was let in", { timeout: 120_000 }, () => {
  let relay: RunningRelay;
  let others: Couple;
  before(async () => {
    relay = await startRelay({ env: { FLYBRIDGE_RELAY_APP: "no", NODE_OPTIONS: "--max-semi-space-size=4" } });
    others = await Couple.meet(relay);
  });
  after(async () => {
    others.close();
    await relay[Symbol.asyncDispose]();
  });

  /** Where a circuit's frames are what a test says. */
  const couple = async (): Promise<Couple> => {
    const made = await Couple.meet(relay);
    await made.trip();
    made.echoes = false;
    return made;
  };

  it("and sends what is no frame of a host's loses its socket, and its devices theirs", async () => {
    const control = (payload: Uint8Array): Uint8Array => frameOf(FrameType.control, 0, payload);
    const says: Readonly<Record<string, (circuit: number) => Uint8Array>> = {
      nothing: () => NOTHING,
      "half a header": () => randomBytes(4),
      "a type that is none": (circuit) => frameOf(5 as FrameType, circuit, randomBytes(8)),
      "the last type": (circuit) => frameOf(255 as FrameType, circuit, NOTHING),
      "a circuit of its own": (circuit) => frameOf(FrameType.open, circuit, encode({ by: "offer", key: random(32) })),
      "credit of three bytes": (circuit) => frameOf(FrameType.credit, circuit, randomBytes(3)),
      "credit of five bytes": (circuit) => frameOf(FrameType.credit, circuit, randomBytes(5)),
      "control that is no JSON": () => control(randomBytes(64)),
      "control that is nothing": () => control(NOTHING),
      "control of another kind": () => control(encode({ t: "welcome" })),
      "control that is huge": () => control(new Uint8Array(RELAY_FRAME_BYTES - 5).fill(0x20)),
      "control that is deep": () => control(Buffer.from("[".repeat(60_000))),
      "an offer without an end": () => control(encode({ t: "offer", key: random(32), until: Number.MAX_VALUE })),
      "an endorsement that is short": () =>
        control(encode({ t: "account", account: { key: random(32), endorsement: "" } })),
    };
    for (const [what, frame] of Object.entries(says)) {
      const one = await couple();
      one.host.say(frame(one.circuit));
      await Promise.all([one.host.closed, one.device.closed]);
      await others.trip().catch((error: unknown) => assert.fail(`${what}: ${String(error)}`));
      one.close();
    }
  });

  it("and names circuits that are not there, or offers and keys without end, harms nobody", async () => {
    const one = await couple();
    const { host } = one;
    for (const type of [FrameType.data, FrameType.close, FrameType.credit])
      for (const circuit of [0, one.circuit + 1, 0xffff_ffff])
        host.say(type === FrameType.credit ? creditFrame(circuit, 1) : frameOf(type, circuit, randomBytes(9)));
    const before = residentOf(relay.pid);
    for (let count = 0; count < 20_000; count++) {
      host.tell({ t: "offer", key: random(32), until: Date.now() + 1_000_000 });
      host.tell({ t: "revoke", key: random(32) });
      host.tell({ t: "withdraw", key: random(32) });
      host.tell({ t: "renewed", ask: count, ticket: "a.b" });
      if (count % 500 === 0) assert.ok(await host.isAlive());
    }
    one.echoes = true;
    await one.trip();
    const grown = residentOf(relay.pid) - before;
    assert.ok(grown < GROWN_BYTES, `grew by ${grown} bytes`);
    await others.trip();
    one.close();
  });

  it("and sends more than there is room for loses that circuit, and no other", async () => {
    const key = newProof();
    const opening = { t: "host", hs: random(32), rendezvous: random(12) } as const;
    const { peer: host } = await Peer.open(relay, key, opening);
    const devices = [
      await joined(host, relay, newProof(), opening.rendezvous),
      await joined(host, relay, newProof(), opening.rendezvous),
    ];
    const circuits = await host.until("both circuits", () => {
      const opened = host.frames
        .flatMap((bytes) => parseFrame(bytes) ?? [])
        .filter(({ type }) => type === FrameType.open);
      return opened.length === 2 ? opened.map(({ circuit }) => circuit) : undefined;
    });
    devices[0]!.socket.pause();
    const frame = randomBytes(RECORD_BYTES);
    for (let sent = 0; sent <= CIRCUIT_WINDOW_BYTES + 8 * MIB; sent += frame.length)
      host.say(frameOf(FrameType.data, circuits[0]!, frame));
    const closed = await host.until("its end", () =>
      host.frames.map(parseFrame).find((one) => one?.type === FrameType.close),
    );
    assert.deepEqual(
      [closed.circuit, reasonIn(closed.payload)],
      [circuits[0], "more was sent than there was credit for"],
    );
    host.say(frameOf(FrameType.data, circuits[1]!, Buffer.from("still there")));
    await devices[1]!.until("a word", () =>
      devices[1]!.frames.find((one) => Buffer.from(one).toString() === "still there"),
    );
    assert.ok(await host.isAlive());
    for (const device of devices) device.socket.terminate();
    host.socket.terminate();
    await others.trip();
  });

  it("and gives back more than it was sent loses that circuit, and no other", async () => {
    for (const bytes of [CIRCUIT_WINDOW_BYTES + 1, 0xffff_ffff]) {
      const one = await couple();
      one.host.say(creditFrame(one.circuit, bytes));
      assert.match((await one.device.closed).reason, /given back/u);
      const closed = await one.host.until("its end", () =>
        one.host.frames.map(parseFrame).find((frame) => frame?.type === FrameType.close),
      );
      assert.equal(closed.circuit, one.circuit);
      assert.ok(await one.host.isAlive());
      one.close();
    }
    await others.trip();
  });

  it("and takes nothing makes the relay hold little, and goes on where it stopped", async () => {
    const opening = { t: "host", hs: random(32), rendezvous: random(12) } as const;
    const { peer: host } = await Peer.open(relay, newProof(), opening);
    const devices: Peer[] = [];
    for (let count = 0; count < MANY; count++) devices.push(await joined(host, relay, newProof(), opening.rendezvous));
    const frame = randomBytes(RECORD_BYTES);
    let heard = 0;
    host.socket.on("message", (data: Buffer) => {
      const said = parseFrame(data);
      if (said?.type !== FrameType.data) return;
      heard += said.payload.length;
      host.say(creditFrame(said.circuit, costOf(said.payload)));
      host.frames.length = 0;
    });
    const flood = (): void => {
      for (const device of devices)
        for (let said = 0; said < 2 * CIRCUIT_WINDOW_BYTES; said += frame.length) device.say(frame);
    };
    const all = Math.ceil((2 * CIRCUIT_WINDOW_BYTES) / frame.length) * frame.length * MANY;
    // A relay grows by traffic alone.
    for (let round = 1; round <= 2; round++) {
      flood();
      await until("it has heard all", () => heard === round * all);
    }
    host.socket.pause();
    const before = residentOf(relay.pid);
    flood();
    let last = -1;
    const waiting = (): number => devices.reduce((sum, { socket }) => sum + socket.bufferedAmount, 0);
    await until("nothing moves", async () => {
      const isStill = waiting() === last;
      last = waiting();
      await delay(STILL_MS);
      return isStill;
    });
    const grown = residentOf(relay.pid) - before;
    assert.ok(grown < HELD_BYTES, `grew by ${grown} bytes`);
    host.socket.resume();
    await until("it hears all of it", () => heard === 3 * all);
    for (const { socket } of devices) socket.terminate();
    host.socket.terminate();
    await others.trip();
  });

  it("has devices that take nothing: they cost a window each, and nobody waits for them", async () => {
    const opening = { t: "host", hs: random(32), rendezvous: random(12) } as const;
    const { peer: host } = await Peer.open(relay, newProof(), opening);
    const slow: Peer[] = [];
    for (let count = 0; count < SLOW; count++) slow.push(await joined(host, relay, newProof(), opening.rendezvous));
    const circuits = await host.until("every circuit", () => {
      const opened = host.frames
        .flatMap((bytes) => parseFrame(bytes) ?? [])
        .filter(({ type }) => type === FrameType.open);
      return opened.length === SLOW ? opened.map(({ circuit }) => circuit) : undefined;
    });
    const given = new Map(circuits.map((circuit) => [circuit, CIRCUIT_WINDOW_BYTES]));
    const frame = randomBytes(RECORD_BYTES);
    let left = 0;
    // As an honest host does: what there is credit for, and as much again as comes back.
    const send = (): void => {
      for (const [circuit, window] of given) {
        let room = window;
        for (; room >= frame.length && left > 0; room -= frame.length, left -= frame.length)
          host.say(frameOf(FrameType.data, circuit, frame));
        given.set(circuit, room);
      }
    };
    host.socket.on("message", (data: Buffer) => {
      const heard = parseFrame(data);
      if (heard?.type !== FrameType.credit) return;
      given.set(heard.circuit, (given.get(heard.circuit) ?? 0) + (creditIn(heard.payload) ?? 0));
      send();
    });
    const flood = async (bytes: number): Promise<void> => {
      left = bytes;
      send();
      let last = -1;
      await until("nothing moves", async () => {
        const isStill = left === last;
        last = left;
        await delay(STILL_MS);
        return isStill;
      });
      for (const peer of [host, ...slow]) peer.frames.length = 0;
    };
    // A relay grows by traffic alone: this is how much, while they take all of it.
    let most = 0;
    const watching = setInterval(() => (most = Math.max(most, residentOf(relay.pid))), LOOK_MS);
    await flood(FLOOD_BYTES).finally(() => clearInterval(watching));
    assert.ok(left <= 0, "they took it all");
    for (const { socket } of slow) socket.pause();
    await flood(FLOOD_BYTES);
    assert.ok(left > 0, "they do not take it all");
    assert.ok(await host.isAlive());
    const grown = residentOf(relay.pid) - most;
    assert.ok(grown < SLOW * SLOW_BYTES, `grew by ${grown} bytes, ${Math.round(grown / SLOW)} each`);
    assert.ok((await others.trip()) < 1_000);
    for (const { socket } of slow) socket.terminate();
    host.socket.terminate();
  });
});
