import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { nobleSuite } from "@flybridge/crypto/noble.ts";
import { CallError } from "@flybridge/protocol/error.ts";
import type { AgentName, SessionId } from "@flybridge/protocol/ids.ts";
import type { Params } from "@flybridge/protocol/methods.ts";
import { encodeFrame } from "@flybridge/protocol/terminal.ts";
import { fakeClock } from "@flybridge/transport/fake-clock.ts";
import type { Link } from "@flybridge/transport/link.ts";
import { plainCell, type WatchedCell } from "./cell.ts";
import { memoryKeys } from "./keys-memory.contract.ts";
import { makeBridge } from "./make-bridge.ts";
import { type HostView, Offline, type OpenSession, type Replica } from "./replica.ts";
import { seededRandom, type SmallHost, smallHost } from "./small-host.contract.ts";
import { memoryStore } from "./store-memory.ts";
import { openTerminal } from "./terminal.ts";
import { Timed } from "./timed.contract.ts";
import type { SessionView } from "./view.ts";

/** A device at a host to which a direct way leads, or seems to. */
class World extends Timed {
  readonly host: SmallHost = smallHost(this.clock);
  replica!: Replica;
  /** What the screen was told of the connection, each once in a row. */
  readonly states: string[] = [];
  /** Dials by the ordinary way, and offers that were made, in that order. */
  dials = 0;
  offers = 0;
  /** What becomes of an offer that the host has answered. */
  answered: () => Promise<Link> = () => Promise.resolve(this.channel());
  isReachable = true;
  /** What is sent over a channel is lost, both ways. */
  isLost = false;
  #channels: (() => void)[] = [];

  static async start(): Promise<World> {
    const world = new World(fakeClock());
    const { clock, host } = world;
    const random = seededRandom(7);
    const dial = (): Link => {
      world.dials += 1;
      if (!world.isReachable) throw new Error("There is no network.");
      // Whoever comes like this has somebody in between.
      host.direct = { ice: [] };
      return host.dial();
    };
    host.others = (method) => {
      if (method === "direct.open") return { sdp: "an answer" };
      throw new CallError("unknown_method", method);
    };
    const bridge = await makeBridge({
      reach: () =>
        Promise.resolve({
          suite: nobleSuite(random),
          dial,
          relay: dial,
          direct() {
            world.offers += 1;
            return Promise.resolve({ sdp: "an offer", answered: () => world.answered(), [Symbol.dispose]() {} });
          },
        }),
      keys: memoryKeys(random),
      store: memoryStore(),
      owner: { self: "one", isAlive: () => Promise.resolve(true) },
      clock,
      makeCell: plainCell,
      now: () => 1_700_000_000_000 + clock.now(),
      random,
      addressesOf: () => ["ws://127.0.0.1:7683"],
      onNetwork: () => () => {},
    });
    const pairing = bridge.pair(host.offer(), { name: "A phone", kind: "phone" });
    void pairing.then((replica) => (world.replica = replica));
    await world.until("paired", () => world.replica !== undefined);
    const view = world.replica.view as WatchedCell<HostView>;
    view.watch(() => {
      const { kind } = view.value.connection;
      if (world.states.at(-1) !== kind) world.states.push(kind);
    });
    await world.until("live", () => view.value.connection.kind === "live");
    world.states.splice(0, world.states.length, "live");
    return world;
  }

  /** A channel that the test can end. */
  channel(): Link {
    this.host.direct = undefined;
    const link = this.host.dial();
    this.#channels.push(() => link.close("gone"));
    return {
      get buffered() {
        return link.buffered;
      },
      listen: (events) =>
        link.listen({
          frame: (frame) => {
            if (!this.isLost) events.frame(frame);
          },
          drained: () => events.drained(),
          ended: (end) => events.ended(end),
        }),
      send: (frame) => {
        if (!this.isLost) link.send(frame);
      },
      close: (detail) => link.close(detail),
    };
  }

  endChannels(): void {
    for (const end of this.#channels.splice(0)) end();
  }

  /** A session that is open, and how often its view was not live. */
  async session(): Promise<{ readonly id: SessionId; readonly open: OpenSession; readonly gaps: () => number }> {
    const { settled } = this.replica.intend("session.create", { agent: "demo" as AgentName, workspace: "/w" });
    const { session } = await this.outcome(settled);
    const open = this.replica.open(session);
    await this.until("followed", () => open.view.value.live);
    let gaps = 0;
    (open.view as WatchedCell<SessionView>).watch(() => {
      if (!open.view.value.live) gaps += 1;
    });
    return { id: session, open, gaps: () => gaps };
  }

  prompt(session: SessionId, text: string): Promise<unknown> {
    return this.replica.intend("session.prompt", { session, text, delivery: "queue" }).settled;
  }

  texts(session: SessionId): string[] {
    return this.host.journal(session).flatMap(({ fact }) => (fact.kind === "prompt.accepted" ? [fact.text] : []));
  }

  /** Calls of the feed: one for each connection that was welcomed. */
  get welcomes(): number {
    return this.host.calls.filter(({ method }) => method === "feed.follow").length;
  }
}

describe("a line to a host that has a direct way", () => {
  it("goes over to it, and neither the screen nor a session sees a gap", async () => {
    const world = await World.start();
    const { id, open, gaps } = await world.session();
    await world.outcome(world.prompt(id, "before"));
    await world.until("gone over", () => world.welcomes === 2);
    await world.outcome(world.prompt(id, "after"));
    assert.deepEqual(world.texts(id), ["before", "after"]);
    await world.until("both shown", () => open.view.value.rows.filter(({ kind }) => kind === "prompt").length === 2);
    assert.deepEqual([world.states, gaps(), world.dials, world.offers], [["live"], 0, 1, 1]);
    const follows = world.host.calls.filter(({ method }) => method === "session.follow");
    assert.deepEqual(
      follows.map(({ params }) => (params as { from?: number }).from !== undefined),
      [false, true],
      "it goes on after what it has",
    );
    // The connection before it was let go.
    world.host.cut();
    await world.until("back again", () => world.welcomes === 3);
  });

  it("has what was asked before answered where it was asked, or sent again, and done once", async () => {
    const world = await World.start();
    const { id } = await world.session();
    let sent: Promise<unknown> = Promise.resolve();
    let asked: Promise<unknown> = Promise.resolve();
    let isWaiting = true;
    world.answered = () => {
      world.host.mute = true;
      sent = world.prompt(id, "in between");
      asked = world.replica.call("workspace.list", {});
      asked.catch(() => (isWaiting = false));
      return Promise.resolve(world.channel());
    };
    await world.until("gone over", () => world.welcomes === 2);
    assert.equal(world.host.calls.filter(({ method }) => method === "session.prompt").length, 1);
    world.host.mute = false;
    const before = world.clock.now();
    await world.pass(5_000);
    assert.equal(isWaiting, true, "an answer may still come where it was asked");
    await world.outcome(sent);
    assert.deepEqual(world.texts(id), ["in between"]);
    await assert.rejects(world.outcome(asked), Offline);
    assert.ok(world.clock.now() - before <= 11_000, "what is never answered is not waited for any longer");
    assert.equal(world.replica.view.value.connection.kind, "live");
  });

  it("draws each byte of a terminal once, and types each key once, whichever connection they come and go by", async () => {
    const world = await World.start();
    const size = { cols: 80, rows: 24 };
    const session = "01900000-0000-7000-8000-000000000001" as SessionId;
    const [encoder, decoder] = [new TextEncoder(), new TextDecoder()];
    const followers: ((bytes: Uint8Array) => void)[] = [];
    const typed = new Map<string, string>();
    let printed = "";
    let sendings = 0;
    const output = (offset: number, text: string): Uint8Array =>
      encodeFrame(session, { kind: "output", offset, bytes: encoder.encode(text) });
    const print = (text: string): void => {
      // The connection before goes on with what it began, until it is closed.
      for (const follower of followers) follower(output(printed.length, text));
      printed += text;
    };
    const { others } = world.host;
    world.host.others = (method, params, frame) => {
      if (method === "terminal.input") {
        const { keyboard, number, text } = params as Params<"terminal.input">;
        typed.set(`${keyboard} ${number}`, text);
        sendings += 1;
        return {};
      }
      if (method !== "terminal.follow") return others(method, params, frame);
      const { from } = params as Params<"terminal.follow">;
      followers.push(frame);
      const bytes = encoder.encode(printed);
      if (from === undefined) frame(encodeFrame(session, { kind: "snapshot", offset: printed.length, size, bytes }));
      else frame(output(from, printed.slice(from)));
      return { size, whose: "this", ended: false };
    };
    let drawn = "";
    const draw = (bytes: Uint8Array): Promise<void> => {
      drawn += decoder.decode(bytes);
      return Promise.resolve();
    };
    const screen = {
      snapshot: (_: unknown, bytes: Uint8Array) => draw(bytes),
      output: draw,
      size: () => Promise.resolve(),
      answered() {},
    };
    const random = seededRandom(9);
    const { clock } = world;
    const terminal = openTerminal(world.replica, session, screen, { clock, random, now: () => 0, makeCell: plainCell });
    await world.until("drawn", () => terminal.view.value.drawn);
    world.answered = async () => {
      world.host.mute = true;
      terminal.type("a");
      while (!world.host.calls.some(({ method }) => method === "terminal.input")) await new Promise(setImmediate);
      world.host.mute = false;
      return world.channel();
    };
    await world.until("gone over", () => followers.length === 2);
    print("one ");
    terminal.type("b");
    world.endChannels();
    await world.until("gone back", () => followers.length === 3);
    print("two ");
    terminal.type("c");
    await world.until("typed", () => [...typed.values()].join("") === "abc");
    await world.until("drawn", () => drawn.length >= printed.length);
    await world.pass(1_000);
    assert.deepEqual([drawn, followers.length, terminal.view.value.dropped], ["one two ", 3, undefined]);
    assert.ok(sendings >= 3);
  });

  it("goes back at once when it ends, and says so only when that fails", async () => {
    const world = await World.start();
    const { id } = await world.session();
    await world.until("gone over", () => world.welcomes === 2);
    const ended = world.clock.now();
    world.endChannels();
    await world.until("back", () => world.welcomes === 3);
    assert.ok(world.clock.now() - ended < 200, "without a delay");
    assert.deepEqual([world.states, world.dials], [["live"], 2]);
    await world.outcome(world.prompt(id, "back"));
    // Again, when a minute has passed, and with no way back this time.
    await world.pass(61_000);
    world.replica.notice({ kind: "visible", visible: true });
    await world.until("gone over", () => world.welcomes === 4);
    world.isReachable = false;
    world.endChannels();
    await world.until("offline", () => world.replica.view.value.connection.kind === "offline");
    // The page was shown meanwhile, so that a second try follows at once.
    assert.deepEqual(world.states, ["live", "connecting", "offline"]);
    world.isReachable = true;
    await world.until("live", () => world.replica.view.value.connection.kind === "live");
  });

  it("leaves it soon when it falls silent, though not while nobody looks, for that wakes a phone", async () => {
    const world = await World.start();
    const { id } = await world.session();
    await world.until("gone over", () => world.welcomes === 2);
    for (const [isVisible, least, most] of [
      [true, 2_000, 3_200],
      [false, 10_000, 40_200],
    ] as const) {
      world.replica.notice({ kind: "visible", visible: isVisible });
      await world.pass(10_000);
      world.isLost = true;
      const silent = world.clock.now();
      const { welcomes } = world;
      await world.until("back", () => world.welcomes === welcomes + 1);
      const took = world.clock.now() - silent;
      assert.ok(took >= least && took <= most, `${took} ms`);
      assert.deepEqual(world.states, ["live"]);
      world.isLost = false;
      await world.outcome(world.prompt(id, "back"));
      await world.pass(61_000);
      world.replica.notice({ kind: "visible", visible: true });
      await world.until("gone over again", () => world.welcomes === welcomes + 2);
    }
  });

  it("goes on as it is when none opens, and does not try on and on; on another network it does", async () => {
    const faults: (() => Promise<Link>)[] = [
      () => Promise.reject(new Error("It did not open.")),
      () =>
        Promise.resolve({
          ...world.channel(),
          listen: (events) => queueMicrotask(() => events.ended({ kind: "cut", detail: "at once" })),
          send() {},
          buffered: 0,
          close() {},
        }),
    ];
    const world = await World.start();
    const { id } = await world.session();
    for (const [at, fault] of faults.entries()) {
      world.answered = fault;
      world.replica.notice({ kind: "awake" });
      await world.until("tried", () => world.offers === at + 1);
      await world.pass(20_000);
      world.replica.notice({ kind: "visible", visible: true });
      await world.pass(20_000);
      assert.equal(world.offers, at + 1);
    }
    world.host.refusal = (method) => (method === "direct.open" ? new CallError("not_found", "none") : undefined);
    world.replica.notice({ kind: "awake" });
    await world.until("tried", () => world.offers === 3);
    await world.outcome(world.prompt(id, "still here"));
    assert.deepEqual([world.states, world.dials, world.welcomes], [["live"], 1, 1]);
  });
});
