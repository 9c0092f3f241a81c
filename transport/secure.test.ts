import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { afterEach, describe, it } from "node:test";
import { continuityTag } from "@flybridge/crypto/continuity.ts";
import { nobleKey, nobleSuite } from "@flybridge/crypto/noble.ts";
import { CONFIRM_MS } from "@flybridge/protocol/limits.ts";
import { RECORD_BYTES } from "@flybridge/protocol/relay.ts";

import { type FakeClock, fakeClock } from "./fake-clock.ts";
import { ANSWER_MS, DEAD_MS } from "./heartbeat.ts";
import { BEAT_VISIBLE_MS } from "./pace.ts";
import { HIGH_WATER_BYTES, type Link } from "./link.ts";
import { loopback } from "./loopback.ts";
import { memoryLink, type MemoryOptions, memoryWire } from "./memory.ts";
import type { PipeEnd, SecurePipe } from "./pipe.ts";
import { HandshakeError } from "./secure.ts";
import { pairOver, reconnectOver } from "./secure/device.ts";
import { type Accepted, acceptOver, type AcceptOptions } from "./secure/host.ts";
import { MAX_MESSAGE_BYTES, queueBytes, Streams } from "./streams.ts";
import { type Socket, webSocketLink } from "./websocket.ts";

const random = (bytes: number) => new Uint8Array(randomBytes(bytes));
const suite = nobleSuite(random);
const HOST_ID = "abcdefghijklmnopqrstuvwxyz234567";
const OFFER = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const bytes = (words: string) => new TextEncoder().encode(words);
const same = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) === 0;

/** A host's keys and what it remembers: one offer, one device. */
class Machine {
  readonly key = nobleKey(random(32));
  readonly secret = random(32);
  offerOpen = true;
  readonly known = new Map<string, Uint8Array>();
  consumed = 0;
  advanced = 0;
  tagsSeen = 0;

  accept(link: Link, more: Partial<AcceptOptions> = {}): Promise<Accepted> {
    return acceptOver(link, {
      suite,
      hostKey: this.key,
      hostId: HOST_ID,
      secretOf: (offer) => (this.offerOpen && same(offer, OFFER) ? this.secret : undefined),
      confirms: () => false,
      consume: (_offer, { deviceKey, continuity }) => {
        if (!this.offerOpen) return false;
        this.offerOpen = false;
        this.consumed++;
        this.known.set(String(deviceKey), continuity);
        return true;
      },
      continuityOf: (deviceKey, tag) => {
        this.tagsSeen++;
        const psk = this.known.get(String(deviceKey));
        return psk && same(continuityTag(psk), tag) ? psk : undefined;
      },
      advance: (deviceKey, used, next) => {
        assert.ok(same(used, this.known.get(String(deviceKey)) ?? new Uint8Array(0)));
        this.advanced++;
        this.known.set(String(deviceKey), next);
        return true;
      },
      ...more,
    });
  }
}

const ofDevice = (host: Machine) => ({
  suite,
  hostKey: host.key.publicKey,
  deviceKey: nobleKey(random(32)),
  payload: bytes("device"),
  hostId: HOST_ID,
});

/** Hears everything of one pipe. */
class PipeEar {
  readonly messages: string[] = [];
  readonly lengths: number[] = [];
  end: PipeEnd | undefined;
  #looks: (() => void)[] = [];

  constructor(pipe: SecurePipe, use?: () => Promise<void>) {
    pipe.listen({
      message: (stream, message) => {
        this.messages.push(`${stream}:${message.length < 100 ? text(message) : ""}`);
        this.lengths.push(message.length);
        this.#look();
        return use?.();
      },
      drained() {},
      ended: (end) => {
        assert.equal(this.end, undefined, "ended once");
        this.end = end;
        this.#look();
      },
    });
  }

  until(met: (ear: this) => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = () => {
        if (met(this)) resolve();
      };
      this.#looks.push(look);
      look();
    });
  }

  #look(): void {
    for (const look of this.#looks) look();
  }
}

async function faultOf(promise: Promise<unknown>): Promise<string> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof HandshakeError, `a HandshakeError, not ${String(error)}`);
  return error.fault;
}

/** Pipes on the real clock beat until they are closed, and would keep the tests from ending. */
const open: SecurePipe[] = [];
afterEach(() => {
  for (const pipe of open.splice(0)) pipe.close("test over");
});

async function paired(ends: readonly [Link, Link] = memoryLink(), clock?: FakeClock) {
  const host = new Machine();
  const identity = ofDevice(host);
  const timing = clock ? { clock } : {};
  const [device, accepted] = await Promise.all([
    pairOver(ends[0], { ...identity, ...timing, offer: OFFER, secret: host.secret }),
    host.accept(ends[1], timing),
  ]);
  open.push(device.pipe, accepted.pipe);
  return { host, identity, device, accepted };
}

async function returned(
  host: Machine,
  identity: ReturnType<typeof ofDevice>,
  ends: readonly [Link, Link],
  continuity: Uint8Array,
) {
  const kept: Uint8Array[] = [];
  const keep = (next: Uint8Array) => void kept.push(next);
  const [device, accepted] = await Promise.all([
    reconnectOver(ends[0], { ...identity, continuity, keep }),
    host.accept(ends[1]),
  ]);
  open.push(device.pipe, accepted.pipe);
  return { device, accepted, kept };
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

const links: Record<string, () => Promise<{ ends: readonly [Link, Link]; dispose: () => Promise<void> | void }>> = {
  memory: async () => ({ ends: memoryLink(), dispose() {} }),
  websocket: async () => {
    const { client, server, dispose } = await loopback("web", RECORD_BYTES);
    const options = { maxFrameBytes: RECORD_BYTES };
    return { ends: [webSocketLink(client, options), webSocketLink(server as unknown as Socket, options)], dispose };
  },
};

for (const [name, make] of Object.entries(links)) {
  describe(`a sealed pipe over ${name}`, () => {
    it("comes from pairing, and again from reconnecting, each time with a new secret", async () => {
      const first = await make();
      const { host, identity, device, accepted } = await paired(first.ends);
      assert.equal(accepted.kind, "paired");
      assert.equal(text(accepted.payload), "device");
      assert.ok(same(accepted.deviceKey, identity.deviceKey.publicKey));
      assert.ok(same(device.pipe.hash, accepted.pipe.hash));
      assert.ok(same(device.continuity, accepted.continuity));
      const [atDevice, atHost] = [new PipeEar(device.pipe), new PipeEar(accepted.pipe)];
      device.pipe.send(Streams.calls, bytes("up"));
      accepted.pipe.send(Streams.asks, bytes("down"));
      await atDevice.until(({ messages }) => messages.length === 1);
      await atHost.until(({ messages }) => messages.length === 1);
      assert.deepEqual([atDevice.messages, atHost.messages], [["2:down"], ["1:up"]]);
      await first.dispose();

      const second = await make();
      const back = await returned(host, identity, second.ends, device.continuity);
      assert.equal(back.accepted.kind, "returned");
      assert.equal(text(back.accepted.payload), "device");
      assert.equal(await back.device.confirmed, true);
      assert.ok(!same(back.device.continuity, device.continuity));
      assert.ok(same(back.kept[0] ?? new Uint8Array(0), back.accepted.continuity));
      await second.dispose();

      const third = await make();
      const again = await returned(host, identity, third.ends, back.device.continuity);
      const ear = new PipeEar(again.device.pipe);
      again.accepted.pipe.send(Streams.bulk, new Uint8Array(MAX_MESSAGE_BYTES));
      await ear.until(({ lengths }) => lengths[0] === MAX_MESSAGE_BYTES);
      await third.dispose();
    });

    it("tells a goodbye from a cut", async () => {
      const one = await make();
      const { device, accepted } = await paired(one.ends);
      const [atDevice, atHost] = [new PipeEar(device.pipe), new PipeEar(accepted.pipe)];
      device.pipe.send(Streams.calls, bytes("last"));
      device.pipe.close("moving on");
      assert.equal(device.pipe.send(Streams.calls, bytes("late")), false);
      await atHost.until(({ end }) => end !== undefined);
      await atDevice.until(({ end }) => end !== undefined);
      assert.deepEqual(atHost.messages, ["1:last"]);
      assert.deepEqual(atHost.end, { kind: "bye", by: "them", reason: "moving on" });
      assert.deepEqual(atDevice.end, { kind: "bye", by: "us", reason: "moving on" });
      await one.dispose();

      const two = await make();
      const other = await paired(two.ends);
      const ear = new PipeEar(other.accepted.pipe);
      // What a relay can do: end the link in the politest way.
      two.ends[0].close("bye");
      await ear.until(({ end }) => end !== undefined);
      assert.equal(ear.end?.kind, "cut");
      await two.dispose();
    });
  });
}

describe("a host refuses", () => {
  const attempt = async (spoil: (host: Machine) => { secret?: Uint8Array; offer?: Uint8Array }) => {
    const host = new Machine();
    const toDevice: number[] = [];
    const ends = memoryLink({
      tamper(frame, from) {
        if (from === 1) toDevice.push(frame.length);
        return [frame];
      },
    });
    const { secret = host.secret, offer = OFFER } = spoil(host);
    const [device, accepted] = await Promise.all([
      faultOf(pairOver(ends[0], { ...ofDevice(host), offer, secret })),
      faultOf(host.accept(ends[1])),
    ]);
    assert.equal(host.consumed, 0);
    return { device, accepted, toDevice };
  };

  it("an unknown offer, a used one and a wrong secret in the same words and sizes", async () => {
    const wrongSecret = await attempt(() => ({ secret: random(32) }));
    const unknown = await attempt(() => ({ offer: random(8) }));
    const used = await attempt((host) => {
      host.offerOpen = false;
      return {};
    });
    assert.equal(wrongSecret.device, "refused");
    assert.deepEqual(unknown, wrongSecret);
    assert.deepEqual(used, wrongSecret);
  });

  it("the second of two that hold the same offer", async () => {
    const host = new Machine();
    const pairs = Array.from({ length: 5 }, () => memoryLink());
    const outcomes = await Promise.allSettled(
      pairs.flatMap(([a, b]) => [
        pairOver(a, { ...ofDevice(host), offer: OFFER, secret: host.secret }),
        host.accept(b),
      ]),
    );
    const winners = outcomes.filter((outcome) => outcome.status === "fulfilled");
    open.push(...winners.map(({ value }) => value.pipe));
    assert.equal(winners.length, 2);
    assert.equal(host.consumed, 1);
  });

  it("an unknown device, and an old secret, without a change of state", async () => {
    const { host, identity, device } = await paired();
    const stranger = { ...identity, deviceKey: nobleKey(random(32)) };
    for (const [who, continuity] of [
      [stranger, device.continuity],
      [identity, random(32)],
    ] as const) {
      const [a, b] = memoryLink();
      const accepting = faultOf(host.accept(b));
      assert.equal(await faultOf(reconnectOver(a, { ...who, continuity, keep: () => assert.fail() })), "refused");
      assert.equal(await accepting, "cut", "the device went away");
      assert.equal(host.advanced, 0);
    }
  });

  it("a device that its owner has suspended in between", async () => {
    const { host, identity, device } = await paired();
    const [a, b] = memoryLink();
    const accepting = faultOf(host.accept(b, { advance: () => false }));
    const back = await reconnectOver(a, { ...identity, continuity: device.continuity, keep() {} });
    const ear = new PipeEar(back.pipe);
    assert.equal(await accepting, "refused");
    assert.equal(await back.confirmed, false);
    await ear.until(({ end }) => end?.kind === "cut");
  });

  it("one that is told why, for it proved who it is", async () => {
    const { host, identity, device } = await paired();
    const [a, b] = memoryLink();
    const accepting = faultOf(host.accept(b, { advance: () => "suspended" }));
    const back = await reconnectOver(a, { ...identity, continuity: device.continuity, keep() {} });
    const ear = new PipeEar(back.pipe);
    assert.equal(await accepting, "refused");
    await ear.until(({ end }) => end?.kind === "bye" && end.reason === "suspended");
  });

  it("a replayed message 1: it gets an answer, and nothing changes", async () => {
    const { host, identity, device } = await paired();
    const said: Uint8Array[] = [];
    const recorded = memoryLink({
      tamper(frame, from) {
        if (from === 0) said.push(frame);
        return [frame];
      },
    });
    await returned(host, identity, recorded, device.continuity);
    host.known.set(String(identity.deviceKey.publicKey), device.continuity);
    host.advanced = 0;
    const clock = fakeClock();
    const [a, b] = memoryLink();
    const accepting = faultOf(host.accept(b, { clock }));
    const heard: Uint8Array[] = [];
    a.listen({ frame: (frame) => void heard.push(frame), drained() {}, ended() {} });
    for (const frame of said) a.send(frame);
    assert.equal(await accepting, "refused");
    assert.equal(heard.length, 2, "hello and message 2, as for anyone");
    assert.equal(host.advanced, 0);
  });

  it("whoever is slower than ten seconds", async () => {
    const clock = fakeClock();
    const [a, b] = memoryLink();
    const accepting = faultOf(new Machine().accept(b, { clock }));
    const waiting = faultOf(
      pairOver(a, { ...ofDevice(new Machine()), offer: OFFER, secret: random(32), signal: AbortSignal.abort() }),
    );
    assert.equal(await waiting, "aborted");
    assert.equal(await accepting, "cut");
    const [, d] = memoryLink();
    const lonely = faultOf(new Machine().accept(d, { clock }));
    await clock.turn(10_000);
    assert.equal(await lonely, "timeout");
    assert.equal(clock.timers, 0);
  });

  it("more than 1 KiB before anybody is known", async () => {
    const [a, b] = memoryLink();
    a.send(new Uint8Array(1_025));
    assert.equal(await faultOf(new Machine().accept(b)), "violation");
  });
});

describe("a device refuses", () => {
  it("another host, before it has sent a byte", async () => {
    const host = new Machine();
    const sent: Uint8Array[] = [];
    const [a, b] = memoryLink({
      tamper(frame, from) {
        if (from === 0) sent.push(frame);
        return [frame];
      },
    });
    const accepting = faultOf(host.accept(b, { hostId: "z".repeat(32) }));
    const pairing = pairOver(a, { ...ofDevice(host), offer: OFFER, secret: host.secret });
    assert.equal(await faultOf(pairing), "wrong_host");
    assert.equal(await accepting, "cut");
    assert.equal(sent.length, 0);
  });

  it("a host with the right name and another key", async () => {
    const host = new Machine();
    const impostor = new Machine();
    const [a, b] = memoryLink();
    const accepting = faultOf(impostor.accept(b, { secretOf: () => host.secret }));
    assert.equal(await faultOf(pairOver(a, { ...ofDevice(host), offer: OFFER, secret: host.secret })), "refused");
    assert.equal(await accepting, "refused");
  });

  it("a version below the one it has spoken before, and what is no host", async () => {
    const host = new Machine();
    const [a, b] = memoryLink();
    const accepting = faultOf(host.accept(b));
    const pairing = pairOver(a, { ...ofDevice(host), versions: [2, 2], offer: OFFER, secret: host.secret });
    assert.equal(await faultOf(pairing), "version");
    await accepting;
    const [c, d] = memoryLink();
    d.send(bytes("SSH-2.0-OpenSSH"));
    assert.equal(await faultOf(pairOver(c, { ...ofDevice(host), offer: OFFER, secret: host.secret })), "not_a_host");
  });

  it("to be carried over another route than it means", async () => {
    const host = new Machine();
    const [a, b] = memoryLink();
    const route = { kind: "relay", origin: "https://relay.example", rendezvous: "r" } as const;
    const accepting = faultOf(host.accept(b, { route: { ...route, rendezvous: "other" } }));
    const pairing = pairOver(a, { ...ofDevice(host), route, offer: OFFER, secret: host.secret });
    assert.equal(await faultOf(pairing), "refused");
    assert.equal(await accepting, "refused");
  });
});

/**
 * A scripted session under a hostile wire: the device says one, two, three; the host answers each. Returns what each
 * side took for true.
 */
async function scripted(purpose: "pair" | "reconnect", tamper: NonNullable<MemoryOptions["tamper"]>) {
  const before = purpose === "reconnect" ? await paired() : undefined;
  const host = before?.host ?? new Machine();
  const identity = before?.identity ?? ofDevice(host);
  const clock = fakeClock();
  const ends = memoryLink({ tamper, maxFrameBytes: RECORD_BYTES });
  const atHost: string[] = [];
  const atDevice: string[] = [];
  const ended: PipeEnd["kind"][] = [];
  const hosting = host.accept(ends[1], { clock }).then(({ pipe }) => {
    pipe.listen({
      message(_stream, message) {
        atHost.push(text(message));
        pipe.send(Streams.calls, bytes(`re ${text(message)}`));
      },
      drained() {},
      ended: ({ kind }) => void ended.push(kind),
    });
  });
  const options = { ...identity, clock };
  const connecting: Promise<{ pipe: SecurePipe }> =
    before === undefined
      ? pairOver(ends[0], { ...options, offer: OFFER, secret: host.secret })
      : reconnectOver(ends[0], { ...options, continuity: before.device.continuity, keep() {} });
  const deviceSide = connecting.then(async ({ pipe }) => {
    const words = ["one", "two", "three"];
    const say = () => {
      const word = words.shift();
      if (word !== undefined) pipe.send(Streams.calls, bytes(word));
    };
    pipe.listen({
      message(_stream, message) {
        atDevice.push(text(message));
        if (words.length > 0) say();
        else pipe.close("done");
      },
      drained() {},
      ended: ({ kind }) => void ended.push(kind),
    });
    say();
  });
  const sides = [hosting, deviceSide].map((side) =>
    side.then(
      () => "up",
      (error: unknown) => (error instanceof HandshakeError ? error.fault : Promise.reject(error as Error)),
    ),
  );
  // Nobody waits for what was dropped: time does the rest.
  for (let seconds = 0; seconds < 120; seconds += 15) await clock.turn(15_000);
  return { atHost, atDevice, ended, sides: await Promise.all(sides) };
}

const WHOLE = { atHost: ["one", "two", "three"], atDevice: ["re one", "re two", "re three"] };
const isPrefix = (part: readonly string[], whole: readonly string[]) =>
  part.every((word, index) => word === whole[index]);

describe("a hostile wire", () => {
  for (const purpose of ["pair", "reconnect"] as const) {
    it(`changes nothing when it changes nothing (${purpose})`, async () => {
      const result = await scripted(purpose, (frame) => [frame]);
      assert.deepEqual({ atHost: result.atHost, atDevice: result.atDevice }, WHOLE);
      assert.deepEqual(result.ended, ["bye", "bye"]);
    });

    it(`gets nothing delivered from the frame on that it flips, byte by byte (${purpose})`, async () => {
      const lengths: [number[], number[]] = [[], []];
      await scripted(purpose, (frame, from) => {
        lengths[from].push(frame.length);
        return [frame];
      });
      const frames = lengths.flatMap((of, from) => of.map((length, index) => ({ from, index, length })));
      for (const { from, index, length } of frames) {
        // Every byte of the small frames; of padded records a spread, since each byte is under the same tag.
        const step = length > 200 ? 23 : 1;
        for (let at = 0; at < length; at += step) {
          let delivered = "";
          const result = await scripted(purpose, (frame, side, number) => {
            if (side !== from || number !== index) return [frame];
            const bad = frame.slice();
            bad[at] = (bad[at] ?? 0) ^ 1;
            delivered = "flipped";
            return [bad];
          });
          assert.equal(delivered, "flipped");
          expectDead(result, `${from}:${index} byte ${at}`);
        }
      }
    });

    for (const [way, change] of Object.entries(CHANGES())) {
      it(`gets nothing after the frame that it ${way} (${purpose})`, async () => {
        for (const from of [0, 1] as const) {
          // A second copy of what ends the conversation finds nobody any more, which is no fault.
          const frames = (await framesOf(purpose))[from] - (way === "doubles" ? 1 : 0);
          for (let index = 0; index < frames; index++) {
            let reached = false;
            const hands = change(from, index, () => {
              reached = true;
            });
            const result = await scripted(purpose, hands);
            assert.ok(reached);
            expectDead(result, `${way} ${from}:${index}`);
          }
        }
      });
    }
  }
});

/** Frames that the script sends, each way. */
async function framesOf(purpose: "pair" | "reconnect"): Promise<[number, number]> {
  const count: [number, number] = [0, 0];
  await scripted(purpose, (frame, from) => {
    count[from]++;
    return [frame];
  });
  return count;
}

type Change = (from: 0 | 1, index: number, reached: () => void) => NonNullable<MemoryOptions["tamper"]>;

function CHANGES(): Record<string, Change> {
  const at =
    (hand: (frame: Uint8Array) => Uint8Array[]): Change =>
    (from, index, reached) =>
    (frame, side, number) => {
      if (side !== from || number !== index) return [frame];
      reached();
      return hand(frame);
    };
  return {
    doubles: at((frame) => [frame, frame]),
    drops: at(() => []),
    truncates: at((frame) => [frame.subarray(0, frame.length - 1)]),
    empties: at(() => [new Uint8Array(0)]),
    swaps: (from, index, reached) => {
      let held: Uint8Array | undefined;
      return (frame, side, number) => {
        if (side !== from) return [frame];
        if (number === index) {
          held = frame;
          reached();
          return [];
        }
        if (!held) return [frame];
        const both = [frame, held];
        held = undefined;
        return both;
      };
    },
  };
}

/** The connection died, and what each side took for true is a beginning of the script. */
function expectDead(result: Awaited<ReturnType<typeof scripted>>, what: string): void {
  const { atHost, atDevice, ended, sides } = result;
  assert.ok(
    isPrefix(atHost, WHOLE.atHost) && isPrefix(atDevice, WHOLE.atDevice),
    `${what}: ${String(atHost)} ${String(atDevice)}`,
  );
  const isClean = ended.length === 2 && ended.every((kind) => kind === "bye");
  assert.ok(!isClean, `${what}: went unnoticed`);
  const ups = sides.filter((side) => side === "up").length;
  assert.equal(ended.length, ups, `${what}: every pipe ended, ${String(sides)} ${String(ended)}`);
}

describe("a pipe", () => {
  it("keeps messages until somebody listens, and its end", async () => {
    const { device, accepted } = await paired();
    device.pipe.send(Streams.calls, bytes("a"));
    device.pipe.send(Streams.calls, bytes("b"));
    device.pipe.close("gone");
    await turn();
    const ear = new PipeEar(accepted.pipe);
    await ear.until(({ end }) => end !== undefined);
    assert.deepEqual(ear.messages, ["1:a", "1:b"]);
    assert.equal(ear.end?.kind, "bye");
  });

  it("puts what is sent in one tick into one record, and sends without a timer", async () => {
    const wire = memoryWire();
    const pairing = paired(wire.ends);
    let done = false;
    void pairing.then(() => {
      done = true;
    });
    while (!done) {
      wire.pump();
      await turn();
    }
    const { device, accepted } = await pairing;
    wire.pump();
    await turn();
    const ear = new PipeEar(accepted.pipe);
    for (let count = 0; count < 20; count++) device.pipe.send(Streams.calls, bytes("x"));
    assert.equal(wire.waiting, 0);
    await Promise.resolve();
    assert.equal(wire.waiting, 1);
    wire.pump();
    assert.equal(ear.messages.length, 20);
  });

  it("works on across more than 4,096 records in both directions", async () => {
    const { device, accepted } = await paired();
    let bounces = 0;
    const done = new Promise<void>((resolve) => {
      accepted.pipe.listen({
        message: (stream, message) => void accepted.pipe.send(stream, message),
        drained() {},
        ended() {},
      });
      device.pipe.listen({
        message(stream, message) {
          if (++bounces > 4_200) resolve();
          else device.pipe.send(stream, message);
        },
        drained() {},
        ended() {},
      });
    });
    device.pipe.send(Streams.calls, bytes("ball"));
    await done;
  });

  it("holds a bounded number of bytes for a reader that does not read", async () => {
    const wire = memoryWire();
    const pairing = paired(wire.ends);
    let done = false;
    void pairing.then(() => {
      done = true;
    });
    while (!done) {
      wire.pump();
      await turn();
    }
    const { accepted } = await pairing;
    wire.pump();
    // The wire is not pumped any more: the device has stalled.
    let refused = 0;
    for (let count = 0; count < 2_000; count++) {
      for (const stream of [Streams.entries, Streams.terminal, Streams.bulk])
        if (!accepted.pipe.send(stream, new Uint8Array(20_000))) refused++;
      if (count % 100 === 0) await turn();
    }
    const held = [Streams.entries, Streams.terminal, Streams.bulk].reduce(
      (sum, stream) => sum + accepted.pipe.queued(stream),
      0,
    );
    const bound = 2 * queueBytes(Streams.bulk) + queueBytes(Streams.terminal) + 3 * 20_004;
    assert.ok(held <= bound, `${held} bytes queued`);
    assert.ok(wire.ends[1].buffered <= HIGH_WATER_BYTES + RECORD_BYTES, `${wire.ends[1].buffered} bytes on the link`);
    assert.ok(refused > 5_000);
  });

  it("ends as a violation on 2,000 malformed frames each on a pipe of its own, and delivers none", async () => {
    for (let count = 0; count < 50; count++) {
      const ends = memoryLink();
      const { device, accepted } = await paired(ends);
      const ear = new PipeEar(accepted.pipe);
      new PipeEar(device.pipe);
      for (let frames = 0; frames < 40; frames++) ends[0].send(random(1 + ((count * 40 + frames) % 1_500)));
      await ear.until(({ end }) => end !== undefined);
      assert.equal(ear.end?.kind, "violation");
      assert.equal(ear.messages.length, 0);
    }
  });
});

describe("a heartbeat", () => {
  it("measures the round trip, and keeps an idle pipe alive", async () => {
    const clock = fakeClock();
    const { device, accepted } = await paired(memoryLink(), clock);
    const [atDevice, atHost] = [new PipeEar(device.pipe), new PipeEar(accepted.pipe)];
    assert.equal(device.pipe.rttMs, undefined);
    await clock.turn(10 * 60_000);
    assert.equal(device.pipe.rttMs, 0);
    assert.deepEqual([atDevice.end, atHost.end], [undefined, undefined]);
    device.pipe.pace(30_000);
    await clock.turn(10 * 60_000);
    assert.deepEqual([atDevice.end, atHost.end], [undefined, undefined]);
  });

  it("finds a half-open link dead ten seconds after it asked, or after 45 seconds where it only listens", async () => {
    for (const [asks, ms] of [
      [true, BEAT_VISIBLE_MS + ANSWER_MS],
      [false, DEAD_MS],
    ] as const) {
      const clock = fakeClock();
      let holes = false;
      const { device, accepted } = await paired(memoryLink({ tamper: (frame) => (holes ? [] : [frame]) }), clock);
      const [atDevice, atHost] = [new PipeEar(device.pipe), new PipeEar(accepted.pipe)];
      await clock.turn(4 * BEAT_VISIBLE_MS);
      holes = true;
      if (!asks) device.pipe.pace(undefined);
      await clock.turn(ms - 1);
      assert.deepEqual([atDevice.end, atHost.end], [undefined, undefined]);
      await clock.turn(1);
      assert.equal(atDevice.end?.kind, "cut");
      assert.equal(atHost.end?.kind, "cut");
      assert.equal(clock.timers, 0);
    }
  });

  it("is silent as long as a person at the host may take, and from then on as any other", async () => {
    const clock = fakeClock();
    const host = new Machine();
    const [a, b] = memoryLink();
    const person = Promise.withResolvers<boolean>();
    const asked = Promise.withResolvers<void>();
    const ask = (): Promise<boolean> => {
      asked.resolve();
      return person.promise;
    };
    const coming = pairOver(a, { ...ofDevice(host), clock, offer: OFFER, secret: host.secret });
    const accepting = host.accept(b, { clock, confirms: () => true, consume: ask });
    await asked.promise;
    await clock.turn(CONFIRM_MS - 1);
    person.resolve(true);
    const [device, accepted] = await Promise.all([coming, accepting]);
    const [atDevice, atHost] = [new PipeEar(device.pipe), new PipeEar(accepted.pipe)];
    await clock.turn(2 * DEAD_MS);
    assert.deepEqual([atDevice.end, atHost.end], [undefined, undefined]);
    device.pipe.close("done");
    await atHost.until((ear) => ear.end !== undefined);
    assert.equal(clock.timers, 0);
  });
});
