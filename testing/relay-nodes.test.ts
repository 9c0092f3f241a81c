/** A relay of two nodes, whose host is at the one and whose phone at the other, while each part of it is ended in turn. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { toBase64Url } from "@flybridge/protocol/base64.ts";
import type { AgentName, SessionId } from "@flybridge/protocol/ids.ts";
import { CIRCUIT_WINDOW_BYTES, costOf, creditFrame, FrameType, parseFrame } from "@flybridge/protocol/relay/circuit.ts";
import type { RefusedCode } from "@flybridge/protocol/relay/words.ts";
import { Circuits } from "@flybridge/transport/circuits.ts";
import { RECORD_BYTES } from "@flybridge/protocol/relay.ts";
import { systemClock } from "@flybridge/transport/clock.ts";
import { type Dial, dial, STEADY_MS } from "@flybridge/transport/dial.ts";
import type { Link, LinkEnd } from "@flybridge/transport/link.ts";
import { openAt, RelayRefused } from "@flybridge/transport/relay.ts";
import { type BareDevice, newIntent } from "./bare.ts";
import { joined, Peer } from "./peers.ts";
import { untilRelayed, type RunningRelay } from "./relay.ts";
import { countOf, pageOf, type RelayNodes, startRelayNodes } from "./relay-nodes.ts";
import { joinAt, linkToRelay, newProof, offerBy, RelayedDevice } from "./relayed.ts";
import { ReturningDevice } from "./returning.ts";
import { journalOf } from "./spine.ts";
import { residentOf } from "./stranger.ts";
import { TerminalDevice } from "./terminal.ts";
import { startWorld, type World } from "./world.ts";

const LOOK_MS = 20;
/** The promise: from a fault, or from the end of one that lasts, until a device's calls are answered again. */
const BACK_MS = 3_000;
const SHARE = 0.95;
const ROUNDS = 2;
/** What is answered without asking anybody, on a busy machine. */
const AT_ONCE_MS = 1_000;
/** Milliseconds between prompts, so that there are some in each fault and few to compare in the end. */
const PACE_MS = 25;
/** What a node may grow by for a device that takes nothing, with all that is in pools. */
const SLOW_BYTES = 8 * 1024 * 1024;
const SLOW_DEVICES = 8;
/** Devices whose windows together are much more than a node holds for a host that takes nothing. */
const MANY = 96;
const HELD_BYTES = 32 * 1024 * 1024;
/** Milliseconds in which something moves that moves at all. */
const STILL_MS = 200;

const refusedAs =
  (code: RefusedCode) =>
  (error: unknown): boolean =>
    error instanceof RelayRefused && error.code === code;

/** A rendezvous of nobody yet. */
const nobody = (): string => toBase64Url(new Uint8Array(randomBytes(12)));

async function until(what: string, isTrue: () => boolean | Promise<boolean>): Promise<void> {
  const late = performance.now() + 30_000;
  while (!(await isTrue())) {
    assert.ok(performance.now() < late, `never: ${what}`);
    await delay(LOOK_MS);
  }
}

/** Comes back as an app does whose connection had stood for a while: soon, then after delays of chance, until it is in. */
class Phone {
  readonly device: ReturningDevice;
  readonly relayed: RelayedDevice;
  /** Why it was not let in. */
  readonly faults: string[] = [];
  readonly #nodes: RelayNodes;
  #dial: Dial | undefined;

  constructor(relayed: RelayedDevice, nodes: RelayNodes, name: string) {
    this.relayed = relayed;
    this.#nodes = nodes;
    this.device = new ReturningDevice(relayed.device, {
      name,
      up: () => Promise.resolve(),
      reconnect: () => this.#reconnect(),
    });
  }

  /** Milliseconds from when `act` is called until the next connection has answered a call. */
  async backAfter(act: () => unknown): Promise<number> {
    const before = await this.device.current();
    const began = performance.now();
    await act();
    await before.ended;
    await this.answered();
    return performance.now() - began;
  }

  /** Resolves when a call was answered. */
  async answered(): Promise<void> {
    for (;;) {
      const device = await this.device.current();
      if (await device.call("host.read", {}).catch(() => undefined)) return;
      await device.ended;
    }
  }

  async close(): Promise<void> {
    this.#dial?.stop();
    await this.device.close();
  }

  async #reconnect(): Promise<BareDevice> {
    const found = Promise.withResolvers<BareDevice>();
    // The first attempt is the connection that has just ended.
    let isFirst = true;
    this.#dial = dial({
      clock: systemClock,
      chance: Math.random,
      attempt: async () => {
        try {
          if (!isFirst) {
            found.resolve(await this.relayed.reconnect(this.#nodes.link()));
            return "stop";
          }
          isFirst = false;
        } catch (error) {
          this.faults.push(error instanceof RelayRefused ? error.code : String(error));
        }
        return "again";
      },
    });
    return found.promise;
  }
}

describe("a relay of two nodes", { timeout: 180_000 }, () => {
  let relay: RelayNodes;
  let world: World;
  let shell: BareDevice;
  const held = new AsyncDisposableStack();

  before(async () => {
    relay = held.use(await startRelayNodes());
    world = held.use(await startWorld({ args: ["--relay", relay.origin, "--confirm", "never"] }));
    shell = await world.shell();
    held.defer(() => shell.close());
    await untilRelayed(shell);
  });
  after(() => held.disposeAsync());

  const paired = async (name: string): Promise<RelayedDevice> =>
    RelayedDevice.pair(await offerBy(shell), name, relay.link());
  const nodeAt = (port: number | undefined): RunningRelay => {
    const found = relay.nodes.find((node) => node.port === port);
    assert.ok(found);
    return found;
  };
  const hostsNode = (): RunningRelay => nodeAt(relay.hosts.to);
  const phonesNode = (): RunningRelay => nodeAt(relay.devices.to);
  const stateOf = async (node: RunningRelay): Promise<Record<string, unknown>> =>
    JSON.parse((await pageOf(node, "/health")).body) as Record<string, unknown>;

  it("[D49] [D50] says that all of it is there, and has the host in the one database", async () => {
    for (const node of relay.nodes) {
      assert.equal((await pageOf(node, "/health")).status, 200);
      assert.deepEqual(await stateOf(node), { ok: true, store: "ok", bus: "ok", stopping: false });
    }
    const rows = await relay.postgres.query(relay.postgres.url, "SELECT kind, rendezvous FROM registration");
    const { rendezvous } = await untilRelayed(shell);
    assert.deepEqual(rows, [["host", rendezvous]]);
    assert.deepEqual([await countOf(hostsNode(), "hosts"), await countOf(phonesNode(), "hosts")], [1, 0]);
  });

  it("[D02] goes on with every entry once when either node or NATS is killed, or a node is stopped", async (t) => {
    const phone = new Phone(await paired("phone"), relay, "phone");
    const { device } = phone;
    const { session } = await device.intend("session.create", { agent: "demo" as AgentName, workspace: world.home });
    await device.follow(session);
    const talk = talking(device, session);
    const times: { readonly what: string; readonly ms: number }[] = [];
    const sample = async (what: string, act: () => unknown): Promise<void> => {
      times.push({ what, ms: await phone.backAfter(act) });
      await talk.goesOn();
    };
    /** The phone goes to the node where the host is not. */
    const part = async (node: RunningRelay): Promise<void> => {
      relay.devices.to = node.port;
      await sample("another network", () => relay.devices.cut());
      assert.deepEqual([await countOf(hostsNode(), "hosts"), await countOf(node, "hosts")], [1, 0]);
      assert.equal(await countOf(node, "sockets"), 1);
      await until("what was before has ended at both", async () => (await countOf(hostsNode(), "circuits")) === 1);
    };

    /** A fault comes to a host whose connection has stood for a while; one after the other, it waits longer each time. */
    const steady = (): Promise<void> =>
      until("the host's connection has stood", async () => {
        const { since, kind } = (await untilRelayed(shell)).status;
        return kind === "live" && Date.now() - since >= STEADY_MS;
      });

    for (let round = 0; round < ROUNDS; round++) {
      for (const signal of ["SIGKILL", "SIGTERM"] as const) {
        await steady();
        const left = hostsNode();
        relay.hosts.to = phonesNode().port;
        await sample(`the host's node by ${signal}`, () => left.kill(signal));
        await left.restart();
        await part(left);

        const other = phonesNode();
        relay.devices.to = hostsNode().port;
        await sample(`the phone's node by ${signal}`, () => other.kill(signal));
        await other.restart();
        await part(other);
      }

      const cut = await device.current();
      await relay.nats.kill();
      await cut.ended;
      await until("it is refused without NATS", () => phone.faults.at(-1) === "unavailable");
      for (const node of relay.nodes)
        assert.deepEqual(await stateOf(node), { ok: true, store: "ok", bus: "away", stopping: false });
      const natsBack = performance.now();
      await relay.nats.start();
      await phone.answered();
      times.push({ what: "NATS", ms: performance.now() - natsBack });
      await talk.goesOn();
    }
    await talk.end();

    const sorted = times.map(({ ms }) => ms).toSorted((a, b) => a - b);
    t.diagnostic(times.map(({ what, ms }) => `${what}: ${Math.round(ms)} ms`).join("; "));
    t.diagnostic(`${talk.prompts.length} prompts, ${device.entries.length} entries`);
    const most = sorted[Math.ceil(sorted.length * SHARE) - 1] ?? Number.POSITIVE_INFINITY;
    assert.ok(most < BACK_MS, `${most} ms`);
    assert.deepEqual(
      JSON.parse(JSON.stringify(device.entries)),
      journalOf(world, session),
      "each entry once, in order",
    );
    const taken = device.entries.flatMap(({ fact }) => (fact.kind === "prompt.taken" ? [fact.prompt as string] : []));
    assert.deepEqual(taken, talk.prompts, "each prompt once, in order");
    await phone.close();
  });

  it("answers at once for a host that is nowhere", async () => {
    const nowhere = { origin: relay.origin, rendezvous: nobody() };
    for (const by of [{ kind: "offer" }, { kind: "ticket", ticket: "a.b" }] as const) {
      const began = performance.now();
      await assert.rejects(joinAt(nowhere, by, newProof(), relay.link()), refusedAs("host_away"));
      assert.ok(performance.now() - began < AT_ONCE_MS);
    }
  });

  it("has a host at one node only, the one that it came to last, whatever became of the connection before", async () => {
    const key = newProof();
    const rendezvous = nobody();
    const hs = toBase64Url(newProof().publicKey);
    const seat = async (node: RunningRelay) => {
      const link = linkToRelay(`http://127.0.0.1:${node.port}`);
      const opened = await openAt(link, { origin: relay.origin, key, opening: { t: "host", hs, rendezvous } });
      const ended = Promise.withResolvers<LinkEnd>();
      const callers = new Set<string>();
      const circuits = new Circuits(opened.link, {
        opened: (caller) => callers.add(caller.key),
        control() {},
        ended: ended.resolve,
      });
      return { circuits, callers, ended: ended.promise };
    };
    const first = await seat(relay.nodes[0]);
    const second = await seat(relay.nodes[1]);
    assert.deepEqual(await first.ended, { kind: "closed", detail: "replaced by a newer connection of this host" });
    const offered = newProof();
    const name = toBase64Url(offered.publicKey);
    second.circuits.tell({ t: "offer", key: name, until: Date.now() + 60_000 });
    for (const node of relay.nodes) {
      const link = (): Link => linkToRelay(`http://127.0.0.1:${node.port}`);
      // What the host said on its own socket, nodes to each other, and a device on another socket has no order.
      const joined = async (): Promise<boolean> =>
        joinAt({ origin: relay.origin, rendezvous }, { kind: "offer" }, offered, link()).then(
          () => true,
          () => false,
        );
      await until("it is found", joined);
      await until("its host hears of it", () => second.callers.delete(name));
    }
    assert.equal(first.callers.size, 0);
    second.circuits.close("done");
  });

  it("ends at the other node what a host revokes", async () => {
    const device = await paired("revoked");
    const { devices } = await shell.call("device.list", {});
    const id = devices.find(({ name }) => name === "revoked")!.device;
    await shell.call("device.revoke", { device: id }, newIntent());
    const end = await device.device.ended;
    assert.ok(end.kind === "bye" && end.reason === "revoked", JSON.stringify(end));
    await assert.rejects(device.reconnect(relay.link()), refusedAs("bad_ticket"));
  });

  it("finds one ticket on two sockets, each at another node", async () => {
    const device = await paired("copied");
    const { way, proof } = device;
    assert.ok(way);
    device.device.close();
    await device.device.ended;
    const by = { kind: "ticket", ticket: way.ticket } as const;
    const first = await joinAt(way, by, proof, relay.link());
    const ended = new Promise((resolve) => first.link.listen({ frame() {}, drained() {}, ended: resolve }));
    await assert.rejects(joinAt(way, by, proof), refusedAs("ticket_doubled"));
    await ended;
  });

  it("ends a host's socket at its node when its sign-in is used by another at the other node", async () => {
    const file = JSON.parse(readFileSync(join(world.state, "relays.json"), "utf8")) as {
      relays: { session: string; rendezvous: string }[];
    };
    const { session } = file.relays[0]!;
    const thief = newProof();
    const opening = {
      t: "host",
      hs: toBase64Url(newProof().publicKey),
      rendezvous: nobody(),
      session,
    } as const;
    await assert.rejects(
      openAt(relay.link(), { origin: relay.origin, key: thief, opening }),
      refusedAs("session_reused"),
    );
    await until("the host is told", async () => {
      const { relays } = await shell.call("relay.list", {});
      const [status] = relays.map((one) => one.status);
      return status?.kind === "refused" && status.code === "session_reused";
    });
    for (const node of relay.nodes) await until("it is at no node", async () => (await countOf(node, "hosts")) === 0);
    // A person says that it is to sign in again.
    await shell.call("relay.add", { origin: relay.origin }, newIntent());
    await untilRelayed(shell);
  });

  it("keeps who is there and lets devices in without the database, and refuses a host's sign-in until it is back", async () => {
    const phone = new Phone(await paired("patient"), relay, "patient");
    const { device } = phone;
    const { session } = await device.intend("session.create", { agent: "demo" as AgentName, workspace: world.home });
    await device.follow(session);
    const talk = talking(device, session);
    const other = await paired("at the same node");
    const before = device.resumedAt.length;
    await relay.postgres.kill();
    for (const node of relay.nodes) await until("it says so", async () => (await stateOf(node))["store"] === "away");
    for (const node of relay.nodes)
      assert.deepEqual(await stateOf(node), { ok: true, store: "away", bus: "ok", stopping: false });
    await talk.goesOn();
    other.device.close();
    await other.device.ended;
    assert.equal((await (await other.reconnect(relay.link())).call("host.read", {})).name, "test host");
    const local = linkToRelay(`http://127.0.0.1:${relay.hosts.port}`);
    other.device.close();
    await other.device.ended;
    assert.equal((await (await other.reconnect(local)).call("host.read", {})).name, "test host");
    // Who is new is somebody that it cannot look up.
    await talk.goesOn();
    assert.equal(device.resumedAt.length, before, "the connection is the same");

    relay.hosts.cut();
    await until("the host is refused", async () => {
      const { relays } = await shell.call("relay.list", {});
      const [status] = relays.map((one) => one.status);
      return status?.kind === "away" && /cannot look up/u.test(status.reason);
    });
    await until("its devices are, too", () => phone.faults.at(-1) === "host_away");
    await relay.postgres.start();
    const began = performance.now();
    await phone.answered();
    const took = performance.now() - began;
    assert.ok(took < 2 * BACK_MS, `${took} ms`);
    await talk.goesOn();
    await talk.end();
    assert.deepEqual(JSON.parse(JSON.stringify(device.entries)), journalOf(world, session));
    for (const node of relay.nodes) assert.equal((await stateOf(node))["store"], "ok");
    other.device.close();
    await phone.close();
  });

  it("grows at neither node for a host that takes nothing, and loses nothing of what waits", async () => {
    const [first, second] = relay.nodes.map(({ port }) => ({ port, origin: relay.origin }));
    const opening = { t: "host", hs: toBase64Url(newProof().publicKey), rendezvous: nobody() } as const;
    const { peer: host } = await Peer.open(first!, newProof(), opening);
    const devices: Peer[] = [];
    for (let count = 0; count < MANY; count++)
      devices.push(await joined(host, second!, newProof(), opening.rendezvous));
    let heard = 0;
    host.socket.on("message", (data: Buffer) => {
      const said = parseFrame(data);
      if (said?.type !== FrameType.data) return;
      heard += said.payload.length;
      host.say(creditFrame(said.circuit, costOf(said.payload)));
      host.frames.length = 0;
    });
    const frame = randomBytes(RECORD_BYTES);
    const frames = Math.ceil((2 * CIRCUIT_WINDOW_BYTES) / frame.length);
    const all = frames * frame.length * MANY;
    const flood = (): void => {
      for (const device of devices) for (let said = 0; said < frames; said++) device.say(frame);
    };
    // A node grows by traffic alone: so much, while the host takes it.
    const most = [0, 0];
    const watching = setInterval(() => {
      for (const [at, { pid }] of relay.nodes.entries()) most[at] = Math.max(most[at] ?? 0, residentOf(pid));
    }, LOOK_MS);
    try {
      for (let round = 1; round <= 2; round++) {
        flood();
        await until("it has heard all", () => heard === round * all);
      }
    } finally {
      clearInterval(watching);
    }
    host.socket.pause();
    flood();
    let last = -1;
    const waiting = (): number => devices.reduce((sum, { socket }) => sum + socket.bufferedAmount, 0);
    await until("nothing moves", async () => {
      const isStill = waiting() === last;
      last = waiting();
      await delay(STILL_MS);
      return isStill;
    });
    const grown = relay.nodes.map(({ pid }, at) => residentOf(pid) - (most[at] ?? 0));
    for (const bytes of grown) assert.ok(bytes < HELD_BYTES, `grew by ${grown.join(" and ")} bytes`);
    host.socket.resume();
    await until("it hears all of it", () => heard === 3 * all);
    for (const { socket } of [host, ...devices]) socket.terminate();
  });

  it("grows at neither node for devices that take nothing, and keeps nobody else waiting", async () => {
    const reader = await TerminalDevice.open(
      shell,
      ["sh", "-c", "read x; seq 1 1000000; echo all-is-printed; sleep 60"],
      {
        workspace: world.home,
      },
    );
    const { session } = reader;
    const slow: RelayedDevice[] = [];
    for (let one = 0; one < SLOW_DEVICES; one++) slow.push(await paired(`slow ${one}`));
    for (const { device } of slow) await device.call("terminal.follow", { session });
    assert.equal(await countOf(hostsNode(), "circuits"), SLOW_DEVICES);
    const before = relay.nodes.map(({ pid }) => residentOf(pid));
    relay.devices.pause();
    await reader.type("\r");
    await reader.until(() => reader.text.slice(-4_000).includes("all-is-printed"));
    const grown = relay.nodes.map(({ pid }, at) => residentOf(pid) - (before[at] ?? 0));
    relay.devices.cut();
    for (const bytes of grown) assert.ok(bytes < SLOW_BYTES, `grew by ${grown.join(" and ")} bytes`);
    await until("both nodes know that they are gone", async () => (await countOf(hostsNode(), "circuits")) === 0);
    await reader.stop();
  });
});

/** One prompt after the other, until told to end. */
function talking(device: ReturningDevice, session: SessionId) {
  const prompts: string[] = [];
  let isOver = false;
  let failure: unknown;
  const turns = (): number => prompts.length;
  const run = async (): Promise<void> => {
    while (!isOver) {
      const prompt = newIntent();
      await device.intend("session.prompt", { session, text: "flood 2", delivery: "queue" }, prompt);
      const taken = await device.entry(
        "it is taken",
        ({ seq, fact }) => fact.kind === "prompt.taken" && fact.prompt === (prompt as string) && seq,
      );
      await device.entry("its turn ends", ({ seq, fact }) => seq > taken && fact.kind === "turn.ended");
      prompts.push(prompt);
      await delay(PACE_MS);
    }
  };
  const running = run().catch((error: unknown) => (failure = error));
  return {
    prompts,
    /** Resolves when two more turns have come and gone. */
    async goesOn(): Promise<void> {
      const wanted = turns() + 2;
      await until("the conversation goes on", () => turns() >= wanted || failure !== undefined);
      assert.equal(failure, undefined);
    },
    async end(): Promise<void> {
      isOver = true;
      await running;
      assert.equal(failure, undefined);
    },
  };
}
