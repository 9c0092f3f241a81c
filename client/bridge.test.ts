import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { nobleSuite } from "@flybridge/crypto/noble.ts";
import type { Ask } from "@flybridge/protocol/ask.ts";
import type { AgentName, AskId, ItemId, SessionId } from "@flybridge/protocol/ids.ts";
import { CallError } from "@flybridge/protocol/error.ts";
import { MAX_PROMPT_CHARS } from "@flybridge/protocol/limits.ts";
import { type FakeClock, fakeClock } from "@flybridge/transport/fake-clock.ts";
import type { Link } from "@flybridge/transport/link.ts";
import type { Bridge } from "./bridge.ts";
import { plainCell } from "./cell.ts";
import { memoryKeys } from "./keys-memory.contract.ts";
import type { Keys } from "./keys.ts";
import { makeBridge } from "./make-bridge.ts";
import type { Platform } from "./platform.ts";
import { Offline, type Replica } from "./replica.ts";
import { seededRandom, type SmallHost, smallHost } from "./small-host.contract.ts";
import { memoryStore } from "./store-memory.ts";
import { StoreError, type Store } from "./store.ts";
import { Timed } from "./timed.contract.ts";

const SELF = { name: "A phone", kind: "phone" } as const;

/** One device: what it keeps, and as many launches of its app as a test wants. */
class Device extends Timed {
  readonly keys: Keys;
  readonly #random: (bytes: number) => Uint8Array;
  store: Store = memoryStore();
  dial: (address: string) => Link;
  readonly #alive = new Set<string>();
  #launches = 0;

  constructor(clock: FakeClock, seed: number, dial: (address: string) => Link) {
    super(clock);
    this.#random = seededRandom(seed);
    this.keys = memoryKeys(this.#random);
    this.dial = dial;
  }

  async launch(): Promise<Bridge & { crash(): void }> {
    const self = `launch ${this.#launches++}`;
    this.#alive.add(self);
    let gone = false;
    // A launch that crashed reaches neither the store nor the network any more.
    const now = (): Store => {
      if (gone) throw new StoreError("blocked", "gone");
      return this.store;
    };
    const store: Store = {
      read: async (...what) => now().read(...what),
      list: async (...what) => now().list(...what),
      write: async (...what) => now().write(...what),
      clear: async (...what) => now().clear(...what),
      close() {},
    };
    const dial = (address: string): Link => this.dial(address);
    const platform: Platform = {
      reach: () => Promise.resolve({ suite: nobleSuite(this.#random), dial, relay: dial }),
      keys: this.keys,
      store,
      owner: { self, isAlive: (owner) => Promise.resolve(this.#alive.has(owner)) },
      clock: this.clock,
      makeCell: plainCell,
      now: () => 1_700_000_000_000 + this.clock.now(),
      random: this.#random,
      addressesOf: () => ["ws://127.0.0.1:7683"],
      onNetwork: () => () => {},
    };
    const bridge = await makeBridge(platform);
    const crash = (): void => {
      gone = true;
      this.#alive.delete(self);
      bridge.close();
    };
    return { ...bridge, crash };
  }
}

interface World {
  readonly host: SmallHost;
  readonly device: Device;
  readonly bridge: Awaited<ReturnType<Device["launch"]>>;
  readonly replica: Replica;
}

async function paired(seed = 1): Promise<World> {
  const clock = fakeClock();
  const host = smallHost(clock, seed);
  const device = new Device(clock, 1000 + seed, () => host.dial());
  const bridge = await device.launch();
  const replica = await device.outcome(bridge.pair(host.offer(), SELF));
  await device.until("live", () => replica.view.value.connection.kind === "live");
  return { host, device, bridge, replica };
}

async function withSession(world: World, prompt?: string): Promise<SessionId> {
  const { settled } = world.replica.intend("session.create", {
    agent: "demo" as AgentName,
    workspace: "/w",
    ...(prompt === undefined ? {} : { prompt }),
  });
  return (await world.device.outcome(settled)).session;
}

function textsIn(host: SmallHost, session: SessionId): string[] {
  return host.journal(session).flatMap(({ fact }) => (fact.kind === "prompt.accepted" ? [fact.text] : []));
}

/** A link over which each frame takes `delayMs` each way, in order: none arrives where that is infinite. */
function delayed(link: Link, clock: FakeClock, delayMs: () => number): Link {
  const wire = () => {
    let last = 0;
    return (deliver: () => void): void => {
      last = Math.max(last, clock.now() + delayMs());
      if (last < Number.POSITIVE_INFINITY) clock.setTimer(last - clock.now(), deliver);
    };
  };
  const [there, back] = [wire(), wire()];
  return {
    get buffered() {
      return link.buffered;
    },
    listen: (events) =>
      link.listen({
        frame: (frame) => back(() => events.frame(frame)),
        drained: () => events.drained(),
        ended: (end) => events.ended(end),
      }),
    send: (frame) => there(() => link.send(frame)),
    close: (detail) => link.close(detail),
  };
}

describe("a bridge", () => {
  it("pairs once, and [A23] a later launch on the same store connects without pairing again", async () => {
    const { host, device, bridge, replica } = await paired();
    assert.equal(bridge.hosts.value.list[0]?.name, "small");
    assert.equal(replica.view.value.grant?.kind, "owner");
    bridge.close();
    const again = await device.launch();
    assert.deepEqual(
      again.hosts.value.list.map((known) => known.host),
      [host.id],
    );
    const returned = again.replica(host.id);
    await device.until("live", () => returned.view.value.connection.kind === "live");
  });

  it("says why it did not pair: a used link, another host, nobody there, no storage", async () => {
    const { host, device, bridge } = await paired();
    const used = host.offer();
    await device.outcome(bridge.pair(used, SELF));
    await assert.rejects(device.outcome(bridge.pair(used, SELF)), { name: "PairingError", fault: "refused" });
    const another = smallHost(device.clock, 99);
    // Who answers at the address cannot read what is meant for another: it hangs up.
    await assert.rejects(device.outcome(bridge.pair(another.offer(), SELF)), {
      name: "PairingError",
      fault: /wrong_host|refused/u,
    });
    device.dial = () => host.dial(0);
    await assert.rejects(device.outcome(bridge.pair(host.offer(), SELF)), {
      name: "PairingError",
      fault: "unreachable",
    });
    device.dial = () => host.dial();
    device.keys.device = () => Promise.reject(new StoreError("blocked", "private window"));
    await assert.rejects(device.outcome(bridge.pair(host.offer(), SELF)), {
      name: "PairingError",
      fault: "no_storage",
    });
  });

  it("forgets a host with all that was kept of it", async () => {
    const world = await paired();
    await withSession(world);
    await world.bridge.forget(world.host.id);
    assert.deepEqual(world.bridge.hosts.value.list, []);
    for (const table of ["hosts", "outbox", "views", "feeds"] as const)
      assert.deepEqual(await world.device.store.list(table, ""), []);
    assert.deepEqual(await world.device.keys.secrets(world.host.id), []);
    assert.throws(() => world.bridge.replica(world.host.id), RangeError);
  });
});

describe("the line", () => {
  it("comes back by itself after a cut, and at once when woken", async () => {
    const { host, device, replica } = await paired();
    host.cut();
    await device.until("offline", () => replica.view.value.connection.kind === "offline");
    const { connection } = replica.view.value;
    assert.ok(
      connection.kind === "offline" &&
        connection.retryAt !== undefined &&
        connection.reason === "The connection was cut.",
    );
    await device.until("live", () => replica.view.value.connection.kind === "live");

    device.dial = () => host.dial(0);
    host.cut();
    await device.until("offline", () => replica.view.value.connection.kind === "offline");
    await assert.rejects(replica.call("workspace.list", {}), Offline);
    device.dial = () => host.dial();
    replica.notice({ kind: "awake" });
    assert.equal(replica.view.value.connection.kind, "connecting");
    assert.deepEqual(await device.outcome(replica.call("workspace.list", {})), { folders: [], home: "/home" });
  });

  it("leaves a connection soon that says nothing after the network has changed", async () => {
    const { host, device, replica } = await paired();
    let delayMs = 0;
    let dials = 0;
    device.dial = () => {
      const own = ++dials;
      return delayed(host.dial(), device.clock, () => (own === 1 ? delayMs : 0));
    };
    host.cut();
    await device.until("live", () => dials === 1 && replica.view.value.connection.kind === "live");
    await device.pass(12_000);
    // What still answers is gone on with.
    replica.notice({ kind: "awake" });
    await device.pass(30_000);
    assert.equal(dials, 1);
    delayMs = Number.POSITIVE_INFINITY;
    const changed = device.clock.now();
    replica.notice({ kind: "awake" });
    await device.until("live again", () => dials === 2 && replica.view.value.connection.kind === "live");
    const took = device.clock.now() - changed;
    assert.ok(took <= 2_200, `${took} ms`);
  });

  it("has its usual patience after that time, and with a network that was slow before", async () => {
    const { host, device, replica } = await paired();
    let delayMs = 400;
    let dials = 0;
    device.dial = () => {
      dials += 1;
      return delayed(host.dial(), device.clock, () => delayMs);
    };
    const slower = async (): Promise<void> => {
      delayMs = 4_000;
      await device.pass(20_000);
      delayMs = 400;
      await device.pass(20_000);
    };
    host.cut();
    await device.until("live", () => replica.view.value.connection.kind === "live");
    await device.pass(12_000);
    replica.notice({ kind: "awake" });
    await slower();
    assert.equal(dials, 1, "slow before");
    delayMs = 20;
    await device.pass(12_000);
    replica.notice({ kind: "awake" });
    await device.pass(5_000);
    await slower();
    assert.equal(dials, 1, "slow after");
    assert.equal(replica.view.value.connection.kind, "live");
  });

  it("fails what was asked when the connection ends, and only then", async () => {
    const { host, device, replica } = await paired();
    host.mute = true;
    const called = replica.call("workspace.list", {});
    let over = false;
    called.catch(() => {
      over = true;
    });
    await device.clock.turn(10_000);
    assert.equal(over, false);
    host.mute = false;
    host.cut();
    await assert.rejects(device.outcome(called), Offline);
  });

  it("stops when it was revoked, and when another host answers, until somebody asks again", async () => {
    const { host, device, replica } = await paired();
    const another = smallHost(device.clock, 5);
    device.dial = () => another.dial();
    host.cut();
    await device.until("refused", () => replica.view.value.connection.kind === "refused");
    assert.equal((replica.view.value.connection as { reason: string }).reason, "wrong_host");
    device.dial = () => host.dial();
    replica.notice({ kind: "awake" });
    await device.until("live", () => replica.view.value.connection.kind === "live");
    host.revoke();
    await device.until("refused", () => replica.view.value.connection.kind === "refused");
    assert.equal((replica.view.value.connection as { reason: string }).reason, "revoked");
  });

  it("returns although the confirmation of a new secret was lost, at every point of the handshake", async () => {
    const { host, device, replica } = await paired();
    for (let frames = 0; frames < 12; frames++) {
      let dials = 0;
      device.dial = () => host.dial(dials++ === 0 ? frames : Number.POSITIVE_INFINITY);
      host.cut();
      await device.until(
        `live after ${frames} frames`,
        () => dials > 1 && replica.view.value.connection.kind === "live",
      );
    }
  });
});

describe("a session", () => {
  it("shows a first prompt before the host has it, and follows from the first entry on", async () => {
    const world = await paired();
    const { device, replica, host } = world;
    host.mute = true;
    const { intent } = replica.intend("session.create", {
      agent: "demo" as AgentName,
      workspace: "/w",
      prompt: "Hello",
    });
    const open = replica.open(intent as string as SessionId);
    await device.until("sent", () => open.view.value.outgoing[0]?.state === "sent");
    assert.equal(open.view.value.gone, undefined);
    host.mute = false;
    host.cut();
    await device.until("a row", () => open.view.value.rows.length === 1);
    assert.deepEqual(open.view.value.outgoing, []);
    assert.equal(open.view.value.live, true);
    assert.equal(open.view.value.state?.last, 2);
  });

  it("resumes after the last entry, with a window when too far behind, and with older pages on request", async () => {
    const world = await paired();
    const { device, replica, host } = world;
    const session = await withSession(world);
    const open = replica.open(session);
    await device.until("live", () => open.view.value.live);
    const note = (text: string) => ({ kind: "notice", level: "info", text }) as const;
    host.append(session, note("a"));
    await device.until("a", () => open.view.value.rows.length === 1);
    host.cut();
    host.append(session, note("b"), note("c"));
    await device.until("offline", () => !open.view.value.live);
    assert.ok(open.view.value.staleSince !== undefined);
    await device.until("c", () => open.view.value.rows.length === 3 && open.view.value.live);
    assert.deepEqual(host.calls.findLast((one) => one.method === "session.follow")?.params, { session, from: 3 });
    assert.equal(open.view.value.staleSince, undefined);

    host.page = 5;
    host.resume = 5;
    host.cut();
    host.append(session, ...Array.from({ length: 20 }, (_, at) => note(`${at}`)));
    await device.until("a window", () => open.view.value.state?.last === 24 && open.view.value.live);
    assert.equal(open.view.value.from, 20);
    assert.equal(open.view.value.rows.length, 5);
    await Promise.all([device.outcome(open.older()), open.older()]);
    assert.equal(open.view.value.from, 15);
    while (open.view.value.from > 1) await device.outcome(open.older());
    assert.equal(open.view.value.rows.length, 23);
    await open.older();
  });

  it("streams text as deltas, and goes on after a cut from what the entries say", async () => {
    const world = await paired();
    const { device, replica, host } = world;
    const session = await withSession(world);
    const open = replica.open(session);
    const item = { item: "i" as ItemId, kind: "words" as const, body: "", at: 1 };
    host.append(session, { kind: "item.began", item });
    await device.until("the item", () => open.view.value.rows.length === 1);
    const body = (): string => (open.view.value.rows[0] as { item: { body: string } }).item.body;
    host.stream(session, "i", 0, "Hel");
    host.stream(session, "i", 3, "lo");
    await device.until("Hello", () => body() === "Hello");
    host.cut();
    host.append(session, { kind: "item.grew", item: item.item, offset: 0, text: "Hello wor" });
    await device.until("Hello wor", () => body() === "Hello wor");
    host.stream(session, "i", 9, "ld");
    await device.until("Hello world", () => body() === "Hello world");
  });

  it("is shown from the cache at once when the host is away, and is live again when it comes back", async () => {
    const world = await paired();
    const { device, host } = world;
    const session = await withSession(world, "Do it");
    const open = world.replica.open(session);
    await device.until("live", () => open.view.value.rows.length === 1);
    world.replica.notice({ kind: "looked", session, seq: 2 });
    await device.clock.turn(5_000);
    world.bridge.close();
    device.dial = () => host.dial(0);
    const later = await device.launch();
    const replica = later.replica(host.id);
    const view = replica.open(session).view;
    await device.until("cached", () => view.value.rows.length === 1 && replica.view.value.read);
    assert.equal(view.value.live, false);
    assert.ok((view.value.staleSince ?? 0) > 0);
    assert.equal(view.value.state?.title, "Do it");
    assert.equal(replica.view.value.sessions[session]?.title, "Do it");
    assert.equal(replica.view.value.seen[session], 2);
    host.append(session, { kind: "notice", level: "info", text: "meanwhile" });
    device.dial = () => host.dial();
    const [row] = view.value.rows;
    await device.until("live", () => view.value.live && view.value.rows.length === 2);
    assert.equal(view.value.rows[0], row, "the row on the screen stays the same object");
  });

  it("is gone when the host says so", async () => {
    const { device, replica } = await paired();
    const open = replica.open("0190a000-0000-7000-8000-00000000dead" as SessionId);
    await device.until("gone", () => open.view.value.gone !== undefined);
    assert.equal(open.view.value.gone, "There is no such session.");
  });

  it("stops following when the last of those that look closes it, and goes on when opened again", async () => {
    const world = await paired();
    const { device, replica, host } = world;
    const session = await withSession(world);
    const [one, two] = [replica.open(session), replica.open(session)];
    assert.equal(one.view, two.view);
    await device.until("live", () => one.view.value.live);
    one.close();
    one.close();
    host.append(session, { kind: "notice", level: "info", text: "a" });
    await device.until("a", () => two.view.value.rows.length === 1);
    two.close();
    await device.until("unfollowed", () => host.calls.some((call) => call.method === "session.unfollow"));
    host.append(session, { kind: "notice", level: "info", text: "b" });
    const again = replica.open(session);
    await device.until("b", () => again.view.value.rows.length === 2 && again.view.value.live);
  });
});

describe("the outbox", () => {
  it("shows a prompt as saved, sent, accepted and done", async () => {
    const world = await paired();
    const { device, replica, host } = world;
    const session = await withSession(world);
    const open = replica.open(session);
    await device.until("live", () => open.view.value.live);
    device.dial = () => host.dial(0);
    host.cut();
    await device.until("offline", () => !open.view.value.live);
    const { intent, settled } = replica.intend("session.prompt", { session, text: "Go", delivery: "queue" });
    assert.equal(open.view.value.outgoing[0]?.state, "saved");
    host.mute = true;
    device.dial = () => host.dial();
    await device.until("sent", () => open.view.value.outgoing[0]?.state === "sent");
    const [row] = open.view.value.outgoing;
    host.mute = false;
    host.cut();
    await device.outcome(settled);
    await device.until("accepted", () => open.view.value.rows[0]?.kind === "prompt");
    assert.deepEqual(open.view.value.outgoing, []);
    assert.equal(open.view.value.rows[0], row);
    assert.equal(row?.state, "accepted");
    host.append(session, { kind: "prompt.taken", prompt: intent as never });
    await device.until("done", () => row?.state === "done");
  });

  it("keeps what the host refused, with the reason, over a launch, until it is put away", async () => {
    const world = await paired();
    const { device, host } = world;
    const session = await withSession(world);
    host.refusal = (method) =>
      method === "session.prompt" ? new CallError("wrong_state", "The session has ended.") : undefined;
    const { intent, settled } = world.replica.intend("session.prompt", {
      session,
      text: "Precious words",
      delivery: "queue",
    });
    await assert.rejects(device.outcome(settled), { name: "CallError", code: "wrong_state" });
    world.bridge.crash();
    const replica = (await device.launch()).replica(host.id);
    const open = replica.open(session);
    await device.until("refused", () => open.view.value.outgoing.length === 1);
    const [row] = open.view.value.outgoing;
    assert.deepEqual([row?.state, row?.refusal, row?.text], ["refused", "The session has ended.", "Precious words"]);
    replica.dismiss(intent);
    assert.deepEqual(open.view.value.outgoing, []);
    await device.until("removed", () => true);
    assert.deepEqual(await device.store.list("outbox", ""), []);
  });

  it("shows an answer as on its way, and why it was refused", async () => {
    const world = await paired();
    const { device, replica, host } = world;
    const session = await withSession(world);
    const open = replica.open(session);
    const ask: Ask = {
      kind: "approval",
      ask: "a" as AskId,
      evidence: { tool: "Bash", kind: "command", edits: [], input: "{}" },
      choices: [{ choice: "yes", label: "Yes", scope: "once" }],
    };
    host.append(session, { kind: "ask.opened", ask });
    await device.until("the ask", () => open.view.value.rows.length === 1);
    const answer = { kind: "allow", choice: "yes" } as const;
    host.mute = true;
    const { settled } = replica.intend("ask.answer", { session, ask: ask.ask, answer });
    assert.deepEqual(open.view.value.answering, { a: { answer } });
    host.mute = false;
    host.cut();
    await device.outcome(settled);
    await device.until("settled", () => (open.view.value.rows[0] as { settlement?: unknown }).settlement !== undefined);
    assert.deepEqual(open.view.value.answering, {});

    const late = replica.intend("ask.answer", { session, ask: ask.ask, answer });
    await assert.rejects(device.outcome(late.settled), { code: "already_settled" });
    assert.deepEqual(open.view.value.answering, { a: { answer, refusal: "It was answered before." } });
    replica.dismiss(late.intent);
    assert.deepEqual(open.view.value.answering, {});
  });

  it("writes no secret down: it is sent after a cut, and gone after a launch", async () => {
    const world = await paired();
    const { device, replica, host } = world;
    const session = await withSession(world);
    const ask: Ask = {
      kind: "question",
      ask: "a" as AskId,
      questions: [{ question: "q", header: "sudo", text: "Password", options: [], many: false, secret: true }],
    };
    host.append(session, { kind: "ask.opened", ask });
    const written: string[] = [];
    const { write } = device.store;
    device.store = {
      ...device.store,
      write: (table, key, value) => {
        written.push(value ?? "");
        return write.call(device.store, table, key, value);
      },
    };
    device.dial = () => host.dial(0);
    host.cut();
    await device.until("offline", () => replica.view.value.connection.kind === "offline");
    const answer = { kind: "replies" as const, replies: [{ question: "q", picks: [], text: "hunter2-hunter2" }] };
    const { settled } = replica.intend("ask.answer", { session, ask: ask.ask, answer }, "memory");
    device.dial = () => host.dial();
    await device.outcome(settled);
    assert.deepEqual(
      host.journal(session).flatMap(({ fact }) => (fact.kind === "ask.settled" ? [fact.settlement] : [])).length,
      1,
    );
    device.dial = () => host.dial(0);
    host.cut();
    await device.until("offline", () => replica.view.value.connection.kind === "offline");
    const late = replica.intend("ask.answer", { session, ask: ask.ask, answer }, "memory");
    await device.clock.turn(5_000);
    world.bridge.close();
    await assert.rejects(late.settled, { message: /secret/u });
    assert.ok(!written.join().includes("hunter2"));
    assert.deepEqual(await device.store.list("outbox", ""), []);
  });

  it("keeps what goes with a prompt over a launch, and shows it until the host has it", async () => {
    const world = await paired();
    const { device, host } = world;
    const session = await withSession(world);
    device.dial = () => host.dial(0);
    host.cut();
    await device.until("offline", () => world.replica.view.value.connection.kind === "offline");
    const attachments = [{ name: "a.png", type: "image/png", data: "iVBORw0KGgo=" }];
    world.replica.intend("session.prompt", { session, text: "Look", delivery: "queue", attachments });
    await device.until("saved", () => true);
    world.bridge.crash();
    const replica = (await device.launch()).replica(host.id);
    const open = replica.open(session);
    await device.until("shown again", () => open.view.value.outgoing.length === 1);
    assert.deepEqual(open.view.value.outgoing[0]?.uploads, attachments);
    device.dial = () => host.dial();
    await device.until("accepted", () => open.view.value.rows.some((row) => row.kind === "prompt"));
    const [row] = open.view.value.rows.filter((one) => one.kind === "prompt");
    assert.equal(row?.uploads, undefined);
    const sent = host.calls.findLast((call) => call.method === "session.prompt");
    assert.deepEqual((sent?.params as { attachments?: unknown } | undefined)?.attachments, attachments);
  });

  it("refuses what no host could take before keeping it, and takes a prompt of 5 MB", async () => {
    const world = await paired();
    const { device, replica, host } = world;
    const session = await withSession(world);
    // Three bytes each in UTF-8: within the limit in characters, beyond it on the way.
    const huge = replica.intend("session.prompt", {
      session,
      text: "€".repeat(MAX_PROMPT_CHARS / 2),
      delivery: "queue",
    });
    await assert.rejects(huge.settled, { code: "bad_params", message: /9\.0 MB to send; at most 8 MB/u });
    await assert.rejects(replica.intend("session.prompt", { session, text: "", delivery: "queue" }).settled, {
      code: "bad_params",
    });
    assert.deepEqual(await device.store.list("outbox", ""), []);
    const large = "x".repeat(5 * 1024 * 1024);
    const first = replica.intend("session.prompt", { session, text: large, delivery: "queue" });
    const second = replica.intend("session.prompt", { session, text: "small", delivery: "queue" });
    // An interrupt does not wait behind the upload.
    const interrupt = replica.intend("session.interrupt", { session });
    await device.outcome(Promise.all([first.settled, second.settled, interrupt.settled]));
    assert.deepEqual(textsIn(host, session), [large, "small"]);
    assert.equal(host.journal(session)[1]?.fact.kind, "interrupt.asked");
  });

  it("says so when this device cannot keep a prompt, and does not send it", async () => {
    const world = await paired();
    const { device, replica, host } = world;
    const session = await withSession(world);
    const open = replica.open(session);
    const roomy = device.store;
    device.store = { ...roomy, write: () => Promise.reject(new StoreError("full", "No room.")) };
    const { settled } = replica.intend("session.prompt", { session, text: "lost?", delivery: "queue" });
    await assert.rejects(device.outcome(settled), { code: "storage", message: /No room/u });
    device.store = roomy;
    assert.deepEqual([open.view.value.outgoing[0]?.state, open.view.value.outgoing[0]?.text], ["refused", "lost?"]);
    assert.deepEqual(textsIn(host, session), []);
  });

  it("never keeps an invitation", async () => {
    const { device, replica, host } = await paired();
    device.dial = () => host.dial(0);
    host.cut();
    await device.until("offline", () => replica.view.value.connection.kind === "offline");
    await assert.rejects(replica.intend("offer.make", {}).settled, Offline);
    assert.deepEqual(await device.store.list("outbox", ""), []);
  });

  it("leaves to another tab what that tab has saved, until it is gone", async () => {
    const world = await paired();
    const { device, host } = world;
    const session = await withSession(world);
    device.dial = () => host.dial(0);
    host.cut();
    await device.until("offline", () => world.replica.view.value.connection.kind === "offline");
    world.replica.intend("session.prompt", { session, text: "from one tab", delivery: "queue" });
    const other = await device.launch();
    device.dial = () => host.dial();
    const replica = other.replica(host.id);
    await device.until("live", () => replica.view.value.connection.kind === "live");
    await device.until("accepted", () => textsIn(host, session).length === 1);
    assert.equal(host.repeated, 0);
    assert.equal(host.calls.filter((call) => call.method === "session.prompt").length, 1);
  });

  for (const seed of [1, 2, 3, 4, 5, 6])
    it(`loses and doubles nothing and keeps order, with cuts and launches at random points (seed ${seed})`, async () => {
      const world = await paired(seed);
      const { device, host } = world;
      let chance = seed * 7919;
      const roll = (sides: number): number => {
        chance = (Math.imul(chance, 1_664_525) + 1_013_904_223) >>> 0;
        return (chance >>> 8) % sides;
      };
      const sessions = [await withSession(world), await withSession(world)];
      const wanted = new Map(sessions.map((session) => [session, [] as string[]]));
      device.dial = () => host.dial(roll(40));
      host.cut();
      let { bridge, replica } = world;
      const PROMPTS = 300;
      for (let at = 0; at < PROMPTS; at++) {
        const session = sessions[roll(2)]!;
        wanted.get(session)!.push(`prompt ${at}`);
        replica.intend("session.prompt", { session, text: `prompt ${at}`, delivery: "queue" });
        if (roll(3) === 0) await device.clock.turn(roll(200));
        if (roll(10) === 0) host.cut();
        if (roll(25) === 0) {
          // What was intended counts from when it is saved; a memory store has it in the next turn.
          await device.clock.turn(0);
          bridge.crash();
          bridge = await device.launch();
          replica = bridge.replica(host.id);
        }
      }
      const views = sessions.map((session) => replica.open(session).view);
      const total = (): number => sessions.reduce((sum, session) => sum + textsIn(host, session).length, 0);
      await device.until("all there", () => total() >= PROMPTS);
      device.dial = () => host.dial();
      host.cut();
      await device.until("shown", () => views.every((view) => view.value.live && view.value.outgoing.length === 0));
      await device.until("settled", () => replica.view.value.connection.kind === "live");
      await device.clock.turn(1_000);
      for (const [index, session] of sessions.entries()) {
        assert.deepEqual(textsIn(host, session), wanted.get(session));
        const shown = views[index]!.value.rows.flatMap((row) => (row.kind === "prompt" ? [row.text] : []));
        assert.deepEqual(shown, wanted.get(session)!.slice(-shown.length));
        assert.ok(shown.length > 0);
      }
      assert.deepEqual(await device.store.list("outbox", ""), []);
    });
});
