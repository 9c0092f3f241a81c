/** What a bus does for the nodes of a relay, whatever carries it. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, it } from "node:test";
import type { RefusedCode } from "@flybridge/protocol/relay/words.ts";
import { RELAY_FRAME_BYTES } from "@flybridge/protocol/relay/words.ts";
import type { Bus, BusEvents } from "./bus.ts";

/** Milliseconds for what is answered at once, on a busy machine: less than any time-out. */
const AT_ONCE_MS = 1_500;
const FRAMES = 2_000;
const KEYS = 5_000;
const KEY_CHARS = 43;
/** The largest that a node sends: a frame of a circuit, and whose it is. */
const LARGEST_BYTES = RELAY_FRAME_BYTES + 64;

/** Tells what a node hears, and waits for it. */
export class Heard implements BusEvents {
  readonly bus: Bus;
  readonly frames: Buffer[] = [];
  readonly moves: string[] = [];
  readonly ends: { readonly keys: readonly string[]; readonly code: RefusedCode }[] = [];
  cuts = 0;
  drains = 0;
  answer: (what: string, request: Uint8Array) => Promise<Uint8Array> = async (what, request) =>
    Buffer.from(`${what} ${Buffer.from(request).toString()}`);
  readonly #watchers = new Set<() => void>();

  constructor(bus: Bus) {
    this.bus = bus;
    bus.listen(this);
  }

  async asked(rendezvous: string, request: Uint8Array): Promise<Uint8Array> {
    return this.answer(rendezvous, request);
  }
  async queried(request: Uint8Array): Promise<Uint8Array> {
    return this.answer("node", request);
  }
  frame(bytes: Uint8Array): void {
    // What it gives away is its own: kept as it is, and compared later.
    this.frames.push(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
    this.#look();
  }
  drained(): void {
    this.drains += 1;
    this.#look();
  }
  moved(rendezvous: string, node: string): void {
    this.moves.push(`${rendezvous} ${node}`);
    this.#look();
  }
  ended(keys: readonly string[], code: RefusedCode): void {
    this.ends.push({ keys, code });
    this.#look();
  }
  cut(): void {
    this.cuts += 1;
    this.#look();
  }

  until(isTrue: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!isTrue()) return;
        this.#watchers.delete(look);
        resolve();
      };
      this.#watchers.add(look);
      look();
    });
  }

  #look(): void {
    for (const look of this.#watchers) look();
  }
}

export const text = (bytes: Uint8Array | undefined): string | undefined => bytes && Buffer.from(bytes).toString();

/** What a node has told so far has arrived at the other when this resolves. */
export async function settled(one: Heard, other: Heard): Promise<void> {
  const word = randomBytes(8);
  one.bus.send(other.bus.node, word);
  await other.until(() => other.frames.some((frame) => frame.equals(word)));
}

/** `open` gives another node of the same bus, connected. */
export function busContract(open: () => Promise<Bus>): void {
  describe("the bus", { timeout: 60_000 }, () => {
    const nodes = async (count: number): Promise<{ readonly heard: Heard[] } & AsyncDisposable> => {
      const heard = await Promise.all(Array.from({ length: count }, async () => new Heard(await open())));
      return {
        heard,
        async [Symbol.asyncDispose]() {
          await Promise.all(heard.map(({ bus }) => bus[Symbol.asyncDispose]()));
        },
      };
    };

    it("gives each node a name of its own, and another after each start", async () => {
      await using first = await nodes(3);
      await using second = await nodes(1);
      const names = [...first.heard, ...second.heard].map(({ bus }) => bus.node);
      assert.equal(new Set(names).size, names.length);
    });

    it("moves frames whole and in order, of every size, both ways at once, and to that node only", async () => {
      await using opened = await nodes(3);
      const [one, other, third] = opened.heard as [Heard, Heard, Heard];
      const sizes = [0, 1, 125, 126, 4_096, 65_535, 65_536, LARGEST_BYTES];
      const sent = Array.from({ length: FRAMES }, (_, at) => {
        const frame = randomBytes(at % 50 === 0 ? (sizes[(at / 50) % sizes.length] ?? 0) : at % 300);
        if (frame.length >= 4) frame.writeUInt32BE(at);
        return frame;
      });
      for (const [at, frame] of sent.entries()) {
        assert.ok(one.bus.send(other.bus.node, frame));
        assert.ok(other.bus.send(one.bus.node, sent[sent.length - 1 - at]!));
        if (at % 100 === 0) await new Promise(setImmediate);
      }
      await one.until(() => one.frames.length >= FRAMES);
      await other.until(() => other.frames.length >= FRAMES);
      const isSame = (heard: readonly Buffer[], wanted: readonly Buffer[]): boolean =>
        heard.length === wanted.length && heard.every((frame, at) => frame.equals(wanted[at]!));
      assert.ok(isSame(other.frames, sent));
      assert.ok(isSame(one.frames, sent.toReversed()));
      await settled(one, third);
      assert.equal(third.frames.length, 1);
    });

    it("says when it is full, goes on taking what is on its way, and says when there is room", async () => {
      await using opened = await nodes(2);
      const [one, other] = opened.heard as [Heard, Heard];
      const frame = randomBytes(LARGEST_BYTES);
      let sent = 0;
      for (let time = 1; time <= 3; time++) {
        assert.equal(one.bus.isFull, false);
        while (!one.bus.isFull) {
          assert.ok(one.bus.send(other.bus.node, frame));
          sent += 1;
        }
        for (let more = 0; more < 20; more++) assert.ok(one.bus.send(other.bus.node, frame));
        sent += 20;
        assert.equal(one.drains, time - 1);
        await one.until(() => one.drains === time);
      }
      await other.until(() => other.frames.length === sent);
      assert.ok(other.frames.every((heard) => heard.equals(frame)));
    });

    it("answers for a host by the node that has it, and for one that nobody has at once, by nothing", async () => {
      await using opened = await nodes(3);
      const [one, other, third] = opened.heard as [Heard, Heard, Heard];
      const claim = one.bus.claim("host-a");
      using _other = other.bus.claim("host-b");
      await settled(one, third);
      await settled(other, third);
      assert.equal(text(await third.bus.ask("host-a", Buffer.from("x"))), "host-a x");
      assert.equal(text(await third.bus.ask("host-b", Buffer.from("y"))), "host-b y");
      // The one that has it may ask as well.
      assert.equal(text(await one.bus.ask("host-a", new Uint8Array(0))), "host-a ");
      const began = performance.now();
      assert.equal(await third.bus.ask("host-c", Buffer.from("x")), undefined);
      claim[Symbol.dispose]();
      claim[Symbol.dispose]();
      await settled(one, third);
      assert.equal(await third.bus.ask("host-a", Buffer.from("x")), undefined);
      assert.ok(performance.now() - began < AT_ONCE_MS);
    });

    it("answers once for a host that was claimed again here, as long as the last claim lasts", async () => {
      await using opened = await nodes(2);
      const [one, other] = opened.heard as [Heard, Heard];
      let asked = 0;
      one.answer = async () => Buffer.from(String(++asked));
      const first = one.bus.claim("host-a");
      const second = one.bus.claim("host-a");
      first[Symbol.dispose]();
      await settled(one, other);
      assert.equal(text(await other.bus.ask("host-a", Buffer.from("x"))), "1");
      await settled(one, other);
      assert.equal(asked, 1);
      second[Symbol.dispose]();
      await settled(one, other);
      assert.equal(await other.bus.ask("host-a", Buffer.from("x")), undefined);
    });

    it("takes an answer that needs its time, and carries many questions at once", async () => {
      await using opened = await nodes(2);
      const [one, other] = opened.heard as [Heard, Heard];
      using _ = one.bus.claim("host-a");
      await settled(one, other);
      const waiting: (() => void)[] = [];
      one.answer = async (_what, request) => {
        await new Promise<void>((resolve) => waiting.push(resolve));
        return request;
      };
      const answers = Promise.all(
        Array.from({ length: 100 }, (_, at) => other.bus.ask("host-a", Buffer.from(`question ${at}`))),
      );
      while (waiting.length < 100) await settled(one, other);
      for (const answer of waiting.toReversed()) answer();
      assert.deepEqual(
        (await answers).map(text),
        Array.from({ length: 100 }, (_, at) => `question ${at}`),
      );
    });

    it("asks a node, and finds out at once that one is gone", async () => {
      await using opened = await nodes(2);
      const [one, other] = opened.heard as [Heard, Heard];
      assert.equal(text(await one.bus.query(other.bus.node, Buffer.from("there?"))), "node there?");
      const gone = other.bus.node;
      await other.bus[Symbol.asyncDispose]();
      const began = performance.now();
      assert.equal(await one.bus.query(gone, Buffer.from("there?")), undefined);
      assert.equal(await one.bus.query("nobody", new Uint8Array(0)), undefined);
      assert.ok(performance.now() - began < AT_ONCE_MS);
    });

    it("tells all others, and not the one itself, where a host went and which keys have ended", async () => {
      await using opened = await nodes(3);
      const [one, other, third] = opened.heard as [Heard, Heard, Heard];
      const keys = Array.from({ length: KEYS }, () => randomBytes(32).toString("base64url").slice(0, KEY_CHARS));
      using _ = one.bus.claim("host-a");
      one.bus.end(keys, "session_reused");
      one.bus.end([], "not_registered");
      for (const node of [other, third]) {
        await settled(one, node);
        assert.deepEqual(node.moves, [`host-a ${one.bus.node}`]);
        assert.deepEqual(
          node.ends.flatMap((end) => end.keys),
          keys,
        );
        assert.ok(node.ends.every(({ code }) => code === "session_reused"));
      }
      await settled(other, one);
      assert.deepEqual([one.moves, one.ends], [[], []]);
    });

    it("is still after its end", async () => {
      await using opened = await nodes(1);
      const [one] = opened.heard as [Heard];
      using _ = one.bus.claim("host-a");
      await one.bus[Symbol.asyncDispose]();
      assert.deepEqual([one.bus.isConnected, one.bus.isFull], [false, false]);
      assert.equal(one.bus.send("anybody", new Uint8Array(1)), false);
      one.bus.end(["key"], "session_ended");
      one.bus.claim("host-b")[Symbol.dispose]();
      await assert.rejects(one.bus.ask("host-a", new Uint8Array(1)), { name: "BusAway" });
      await assert.rejects(one.bus.query("anybody", new Uint8Array(1)), { name: "BusAway" });
    });
  });
}
