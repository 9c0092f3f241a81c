/** What comes to the gate and is not what it should be: before the handshake, in it, and under the seal. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, describe, it } from "node:test";
import { setImmediate as tick, setTimeout as delay } from "node:timers/promises";
import { nobleKey, nobleSuite } from "@flybridge/crypto/noble.ts";
import { CallError } from "@flybridge/protocol/error.ts";
import type { DeviceId } from "@flybridge/protocol/ids.ts";
import { MAX_CALL_BYTES } from "@flybridge/protocol/limits.ts";
import { formatConnection, parseConnection } from "@flybridge/protocol/offer.ts";
import { encodeDeviceHello, HANDSHAKE_MS, RECORD_BYTES } from "@flybridge/protocol/relay.ts";
import { HandshakeError } from "@flybridge/transport/secure.ts";
import { acceptOver } from "@flybridge/transport/secure/host.ts";
import { Streams } from "@flybridge/transport/streams.ts";
import { webSocketLink } from "@flybridge/transport/websocket.ts";
import { WebSocketServer } from "ws";
import { BareDevice, linkTo, newIntent } from "./bare.ts";
import { MALFORMED, spoilt, Stranger } from "./stranger.ts";
import { startWorld, type World } from "./world.ts";

const LIMIT = { timeout: 240_000 };

let world: World;
let pid: number;
/** The other device: whatever is done to the gate, it is served. */
let other: BareDevice;

before(async () => {
  world = await startWorld();
  pid = world.pid;
  other = await world.pair("the other device");
});

after(async () => {
  other.close();
  await world[Symbol.asyncDispose]();
});

/** The host is the one that was started, and serves. */
async function isWell(): Promise<void> {
  assert.equal(world.pid, pid);
  process.kill(pid, 0);
  await other.call("host.read", {});
}

async function offer(life?: number): Promise<{ connection: string; offer: string; expires: number }> {
  return other.call("offer.make", life === undefined ? {} : { life });
}

const hello = (purpose: "pair" | "reconnect"): Uint8Array => encodeDeviceHello({ v: 1, purpose, features: [] });
const text = (words: string): Uint8Array => new TextEncoder().encode(words);
const chance = (bytes: number): Uint8Array => new Uint8Array(randomBytes(bytes));

describe("before the handshake", LIMIT, () => {
  for (const [name, frames] of Object.entries(MALFORMED)) {
    it(`ends the connection on ${name}, and says no more than its hello`, async () => {
      const stranger = await Stranger.at(world.port);
      stranger.say(...frames);
      const { reason } = await stranger.closed;
      assert.equal(stranger.frames.length, 1);
      assert.doesNotMatch(reason, /offer|secret|device|unknown|revoked/iu);
      await isWell();
    });
  }

  it("lets 32 strangers in at once by a door, turns the next away, and lets one in again when one goes", async () => {
    const inside = await Promise.all(Array.from({ length: 32 }, () => Stranger.at(world.port)));
    assert.deepEqual(new Set(inside.map(({ frames }) => frames.length)), new Set([1]));
    const next = await Stranger.at(world.port);
    await next.closed;
    assert.equal(next.frames.length, 0, "the next hears nothing");
    await isWell();
    // Who crowds one door keeps nobody out of another.
    (await world.shell()).close();
    const [first, ...rest] = inside;
    first?.socket.terminate();
    const comes = async (): Promise<void> => {
      const again = await Stranger.at(world.port);
      if (again.frames.length === 0) return comes();
      again.socket.terminate();
    };
    await comes();
    for (const { socket } of rest) socket.terminate();
    // The gate is free again for those who belong here.
    const paired = await world.pair("after the crowd");
    paired.close();
  });

  it("ends a handshake that stands still, at each of its steps", async () => {
    const silent = await Stranger.at(world.port);
    const halfway = await Stranger.at(world.port);
    halfway.say(hello("pair"));
    const { connection } = await offer();
    // All but the last message of a pairing.
    const stuck = BareDevice.pair(
      connection,
      "stuck",
      spoilt(linkTo(urlOf(connection)), (frame, index) => (index < 2 ? [frame] : [])),
    );
    const began = performance.now();
    await Promise.all([silent.closed, halfway.closed, assert.rejects(stuck, HandshakeError)]);
    const took = performance.now() - began;
    assert.ok(took > HANDSHAKE_MS - 1_000 && took < HANDSHAKE_MS + 3_000, `took ${took} ms`);
    // The offer was not used up by it.
    (await BareDevice.pair(connection)).close();
    await isWell();
  });
});

function urlOf(connection: string): string {
  const [{ host, port }] = parseConnection(connection).addresses;
  return `ws://${host}:${port}/link`;
}

describe("a machine in the middle", LIMIT, () => {
  const suite = nobleSuite((count) => new Uint8Array(randomBytes(count)));

  /** Listens on loopback and meets each link by `meet`; gives the connection string that leads to it. */
  async function middle(
    connection: string,
    meet: (link: ReturnType<typeof webSocketLink>) => void,
  ): Promise<{ connection: string } & Disposable> {
    const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
    await once(server, "listening");
    server.on("connection", (socket) => meet(webSocketLink(socket as never, { maxFrameBytes: RECORD_BYTES })));
    const { port } = server.address() as { port: number };
    const there = { ...parseConnection(connection), addresses: [{ host: "127.0.0.1", port }] as const };
    return {
      connection: formatConnection(there),
      [Symbol.dispose]() {
        for (const client of server.clients) client.terminate();
        server.close();
      },
    };
  }

  const wrongHost = (error: unknown): boolean => error instanceof HandshakeError && error.fault === "wrong_host";
  const refusedOrWrong = (error: unknown): boolean =>
    error instanceof HandshakeError && ["wrong_host", "refused"].includes(error.fault);

  it("with a key of its own is told nothing that depends on the secret, and the offer stays good", async () => {
    const { connection } = await offer();
    const own = nobleKey(chance(32));
    const { hostId } = { hostId: other.keys.host };
    const heard: number[] = [];
    const asked: string[] = [];
    using between = await middle(connection, (link) => {
      void acceptOver(
        {
          ...wrapped(link),
          listen: (events) =>
            link.listen({ ...events, frame: (bytes) => (heard.push(bytes.length), events.frame(bytes)) }),
        },
        {
          suite,
          hostKey: own,
          hostId,
          confirms: () => false,
          secretOf: () => (asked.push("secret"), undefined),
          consume: () => true,
          continuityOf: () => undefined,
          advance: () => true,
        },
      ).catch(() => {});
    });
    await assert.rejects(BareDevice.pair(between.connection), refusedOrWrong);
    // Its hello, and message 1: an ephemeral key and the sealed id of the offer. Not even that id could be read.
    assert.deepEqual(heard.slice(1), [32 + 8 + 16]);
    assert.deepEqual(asked, []);
    (await BareDevice.pair(connection)).close();
  });

  it("that answers with chance is refused as another machine, with nothing more said", async () => {
    const { connection } = await offer();
    const honest = await Stranger.at(world.port);
    const [hostHello = new Uint8Array(0)] = honest.frames;
    honest.socket.terminate();
    const heard: Uint8Array[] = [];
    using between = await middle(connection, (link) => {
      link.listen({
        frame(bytes) {
          heard.push(bytes);
          if (heard.length === 2) link.send(chance(48));
        },
        drained() {},
        ended() {},
      });
      link.send(hostHello);
    });
    await assert.rejects(BareDevice.pair(between.connection), wrongHost);
    assert.equal(heard.length, 2);
    (await BareDevice.pair(connection)).close();
  });

  it("that edits a byte of a hello or a message on the way gets no pairing, and leaves the offer good", async () => {
    const { connection } = await offer();
    for (const edited of [0, 1, 2]) {
      const link = spoilt(linkTo(urlOf(connection)), (frame, index) => {
        const copy = frame.slice();
        // In a hello, a byte that keeps it readable: the version's digit would be refused for itself.
        const at = index === 0 ? new TextDecoder().decode(copy).indexOf("deflate") : copy.length - 1;
        if (index === edited) copy[at] = (copy[at] ?? 0) ^ 1;
        return [copy];
      });
      await assert.rejects(BareDevice.pair(connection, "edited", link), HandshakeError, `frame ${edited}`);
    }
    (await BareDevice.pair(connection)).close();
    await isWell();
  });

  it("under the name of a host that a device knows is found out before the device says a word", async () => {
    const device = await world.pair("careful");
    device.close();
    await device.ended;
    let said = 0;
    const link = spoilt(linkTo(device.keys.url), (frame) => (said++, [frame]));
    const elsewhere = {
      ...device.keys,
      host: `${device.keys.host.slice(0, -1)}${device.keys.host.endsWith("a") ? "b" : "a"}`,
    };
    await assert.rejects(BareDevice.reconnect(elsewhere, link), wrongHost);
    assert.equal(said, 0);
    // The right name and another key: what is said is sealed for that other key alone.
    const impostor = { ...device.keys, hostKey: nobleKey(chance(32)).publicKey };
    await assert.rejects(BareDevice.reconnect(impostor), refusedOrWrong);
    (await BareDevice.reconnect(device.keys)).close();
  });
});

function wrapped(link: ReturnType<typeof webSocketLink>): ReturnType<typeof webSocketLink> {
  return {
    listen: (events) => link.listen(events),
    send: (frame) => link.send(frame),
    get buffered() {
      return link.buffered;
    },
    close: (detail) => link.close(detail),
  };
}

describe("offers", LIMIT, () => {
  /** All that somebody who tries to pair can see of the answer. */
  async function seenBy(connection: string): Promise<unknown> {
    const stranger = spied(urlOf(connection));
    const fault = await BareDevice.pair(connection, "a second", stranger.link).then(
      (device) => {
        device.close();
        return "paired";
      },
      (error: unknown) =>
        error instanceof HandshakeError ? `${error.fault}: ${error.message} (${error.detail})` : String(error),
    );
    return { fault, sizes: stranger.sizes, end: await stranger.end };
  }

  function spied(url: string): { link: ReturnType<typeof linkTo>; sizes: number[]; end: Promise<unknown> } {
    const link = linkTo(url);
    const sizes: number[] = [];
    let resolve = (_end: unknown): void => {};
    const end = new Promise((settle) => (resolve = settle));
    return {
      sizes,
      end,
      link: {
        ...wrapped(link as ReturnType<typeof webSocketLink>),
        listen: (events) =>
          link.listen({
            frame: (bytes) => (sizes.push(bytes.length), events.frame(bytes)),
            drained: () => events.drained(),
            ended: (how) => (resolve(how), events.ended(how)),
          }),
      },
    };
  }

  it("[A27] that are used, late, withdrawn, unknown or guessed wrong get one and the same answer", async () => {
    const used = await offer();
    (await BareDevice.pair(used.connection, "the first")).close();
    const withdrawn = await offer();
    await other.call("offer.withdraw", { offer: withdrawn.offer });
    const late = await offer(1_000);
    const guessed = await offer();
    const parsed = parseConnection(guessed.connection);
    const wrong = formatConnection({ ...parsed, secret: chance(32) });
    const unknown = formatConnection({ ...parsed, offer: chance(8) });
    // That time passes is the matter here.
    await delay(late.expires - Date.now() + 50);
    const answers: Record<string, unknown> = {};
    for (const [name, connection] of Object.entries({
      used: used.connection,
      withdrawn: withdrawn.connection,
      late: late.connection,
      wrong,
      unknown,
    }))
      answers[name] = await seenBy(connection);
    for (const [name, answer] of Object.entries(answers)) assert.deepEqual(answer, answers["used"], name);
    assert.match(JSON.stringify(answers["used"]), /Show a new pairing link on the host/u);
    // One who guessed wrong did not use it up.
    (await BareDevice.pair(guessed.connection)).close();
    using db = new DatabaseSync(join(world.state, "flybridge.db"), { readOnly: true });
    const { paired } = db.prepare("SELECT count(*) AS paired FROM audit WHERE event = 'device.paired'").get() as {
      paired: number;
    };
    const { devices } = await other.call("device.list", {});
    assert.equal(paired, devices.length, "each pairing is in the audit log, and nothing else is");
  });

  it("[A27] are used by one of 50 who come at once", async () => {
    const count = async (): Promise<number> => (await other.call("device.list", {})).devices.length;
    const before = await count();
    const { connection } = await offer();
    const tried = await Promise.allSettled(
      Array.from({ length: 50 }, (_, index) => BareDevice.pair(connection, `racer ${index}`)),
    );
    const won = tried.filter((one) => one.status === "fulfilled");
    assert.equal(won.length, 1);
    assert.equal(await count(), before + 1);
    const [winner] = won;
    await winner?.value.call("host.read", {});
    winner?.value.close();
    await isWell();
  });

  it("are three at a time, and refused beyond that with how to go on", async () => {
    const made = await Promise.all([offer(), offer(), offer()]);
    await assert.rejects(
      offer(),
      (error: unknown) => error instanceof CallError && error.code === "too_many" && /withdraw/u.test(error.message),
    );
    for (const one of made) await other.call("offer.withdraw", { offer: one.offer });
  });

  it("end with the host", async () => {
    await using short = await startWorld();
    const shell = await short.shell();
    const { connection } = await shell.call("offer.make", {});
    await short.kill();
    await short.restart();
    await assert.rejects(
      BareDevice.pair(connection),
      (error: unknown) => error instanceof HandshakeError && error.fault === "refused",
    );
  });
});

describe("a returning device", LIMIT, () => {
  const nameOf = async (device: DeviceId): Promise<string | undefined> =>
    (await other.call("device.list", {})).devices.find((one) => one.device === device)?.name;
  const idOf = async (name: string): Promise<DeviceId> => {
    const found = (await other.call("device.list", {})).devices.find((one) => one.name === name);
    assert.ok(found);
    return found.device;
  };

  type Spoil = (frames: readonly [Uint8Array, Uint8Array]) => readonly Uint8Array[];
  const flipped = (frame: Uint8Array): Uint8Array => {
    const copy = frame.slice();
    copy[copy.length >> 1] = (copy[copy.length >> 1] ?? 0) ^ 4;
    return copy;
  };
  /** Of two frames that follow each other, what is sent instead. What is in the first may count only with `twice`. */
  const SPOILS: Record<string, Spoil> = {
    "flips a bit of": ([one, two]) => [flipped(one), two],
    "cuts a byte from": ([one, two]) => [one.subarray(0, -1), two],
    drops: ([, two]) => [two],
    "swaps the one after with": ([one, two]) => [two, one],
    doubles: ([one, two]) => [one, one, two],
  };

  /** The last frame that is spoilt. */
  const LAST = 8;

  for (const [what, spoil] of Object.entries(SPOILS)) {
    it(`loses its connection when somebody ${what} a frame, nothing later counts, and it comes back`, async () => {
      const device = await world.pair(`victim of ${what}`);
      const id = await idOf(`victim of ${what}`);
      device.close();
      await device.ended;
      // 0 is the hello, 1 message 1, 2 the first record, then calls.
      // (Message 1 leaves alone: spoilt it is the noise that the tests above send.)
      for (const k of [0, 2, 3, 4, 5, LAST]) {
        const start = `${what} ${k} before`;
        await other.call("device.rename", { device: id, name: start });
        const said: { name: string; frame: number }[] = [];
        const answered: string[] = [];
        let count = 0;
        let held: Uint8Array | undefined;
        const link = spoilt(linkTo(device.keys.url), (frame, index) => {
          count = index + 1;
          if (index === k) {
            held = frame;
            return [];
          }
          if (index !== k + 1 || held === undefined) return [frame];
          return spoil([held, frame]);
        });
        const keys = device.keys;
        let ended: Promise<unknown>;
        try {
          const spoiling = BareDevice.reconnect(keys, link);
          const attacked = await spoiling;
          ended = attacked.ended;
          for (let call = 0; call < 8; call++) {
            const name = `${what} ${k} call ${call}`;
            said.push({ name, frame: count });
            const renamed = attacked.call("device.rename", { device: id, name }).then(
              () => answered.push(name),
              () => {},
            );
            // Waited for once, so that something was done before what is spoilt last.
            if (call === 0 && k === LAST) await renamed;
            await tick();
            await tick();
          }
        } catch (error) {
          assert.ok(error instanceof HandshakeError, String(error));
          ended = Promise.resolve();
        }
        await ended;
        const last = await nameOf(id);
        const counts = said
          .filter(({ frame }) => (what === "doubles" ? frame <= k : frame < k))
          .map(({ name }) => name);
        assert.ok(last === start || counts.includes(last ?? ""), `${last} took effect after frame ${k}`);
        if (answered.length > 0) assert.notEqual(last, start, "what was answered counts");
        if (k === LAST) assert.notEqual(answered.length, 0, "what came before it was answered");
        const back = await BareDevice.reconnect(keys);
        await back.call("host.read", {});
        back.close();
        await back.ended;
      }
      await isWell();
    });
  }

  it("is not seen because its message 1 was replayed, and loses neither its connection nor its secret", async () => {
    const device = await world.pair("replayed");
    const id = await idOf("replayed");
    device.close();
    await device.ended;
    const said: Uint8Array[] = [];
    const live = await BareDevice.reconnect(
      device.keys,
      spoilt(linkTo(device.keys.url), (frame) => (said.push(frame.slice()), [frame])),
    );
    await live.call("host.read", {});
    const shown = async (): Promise<unknown> =>
      (await other.call("device.list", {})).devices.find((one) => one.device === id);
    const before = await shown();
    const feedBefore = (await other.call("feed.follow", { from: 0 })).last;
    for (let time = 0; time < 3; time++) {
      const replay = await Stranger.at(world.port);
      const [first, second, third] = said;
      assert.ok(first && second && third);
      replay.say(first, second);
      await replay.heard(2);
      assert.equal(replay.frames.length, 2, "the host answers message 1, for it cannot know");
      assert.deepEqual(await shown(), before, "and changes nothing");
      replay.say(third);
      await replay.closed;
      assert.equal(replay.frames.length, 2);
    }
    assert.deepEqual(await shown(), before);
    assert.equal((await other.call("feed.follow", { from: 0 })).last, feedBefore);
    await live.call("host.read", {});
    live.close();
    await live.ended;
    (await BareDevice.reconnect(device.keys)).close();
  });

  it("that is revoked is cut within a second, hears nothing more, and is refused from then on", async () => {
    const device = await world.pair("revoked");
    const id = await idOf("revoked");
    await device.call("feed.follow", { from: 0 });
    const began = performance.now();
    await other.call("device.revoke", { device: id });
    const told = device.messages.length;
    const end = await device.ended;
    assert.ok(performance.now() - began < 1_000);
    assert.deepEqual(end, { kind: "bye", by: "them", reason: "revoked" });
    assert.equal(device.messages.length, told, "no message after the revocation was answered");
    await assert.rejects(
      BareDevice.reconnect(device.keys),
      (error: unknown) => error instanceof HandshakeError && error.fault === "refused",
    );
    assert.equal(await nameOf(id), undefined);
    await isWell();
  });
});

describe("under the seal", LIMIT, () => {
  for (const [name, bytes] of Object.entries({
    "what is not JSON": text("{"),
    "what is not UTF-8": new Uint8Array([0xff, 0xfe, 0x00]),
    "an empty message": new Uint8Array(0),
    "a message of no kind": text('{"t":"order","call":1}'),
    "a call without a number": text('{"t":"call","method":"host.read","params":{}}'),
    "a call with a number below zero": text('{"t":"call","call":-1,"method":"host.read","params":{}}'),
    "an intent with an id that is none": text(
      '{"t":"call","call":1,"method":"host.stop","params":{"keeper":true},"intent":"1"}',
    ),
    "a list": text("[]"),
    null: text("null"),
  })) {
    it(`ends the connection on ${name}, and says why`, async () => {
      const device = await BareDevice.reconnect(other.keys);
      device.raw(Streams.calls, bytes);
      assert.deepEqual(await device.ended, { kind: "bye", by: "them", reason: "malformed" });
      await isWell();
    });
  }

  const faultOf = async (device: BareDevice, message: object): Promise<{ code: string; message: string }> => {
    const call = 900;
    device.raw(Streams.calls, text(JSON.stringify({ t: "call", call, ...message })));
    return device.until(() => {
      const fault = device.messages.find((one) => one.t === "fault" && one.call === call);
      return fault?.t === "fault" ? fault.error : undefined;
    });
  };

  it("answers a method it does not know, parameters that do not fit and an intent without an id, and goes on", async () => {
    for (const [message, code, words] of [
      [{ method: "host.fly", params: {} }, "unknown_method", /older than this device/u],
      [{ method: "__proto__", params: {} }, "unknown_method", /./u],
      [{ method: "toString", params: {} }, "unknown_method", /./u],
      [{ method: "session.page", params: { session: "x" } }, "bad_params", /session\.page: session/u],
      [{ method: "session.page", params: null }, "bad_params", /session\.page/u],
      [{ method: "workspace.browse", params: { path: "" } }, "bad_params", /path/u],
      [{ method: "workspace.browse", params: { path: "a\u0000b" } }, "bad_params", /absolute/u],
      [{ method: "workspace.browse", params: { path: "/tmp/\u0000b" } }, "not_found", /no folder/u],
      [{ method: "host.stop", params: { keeper: false } }, "bad_params", /needs an id/u],
      [{ method: "session.page", params: { session: newIntent(), before: 1 } }, "not_found", /no such session/u],
      [{ method: "device.revoke", params: { device: "no one" }, intent: newIntent() }, "bad_params", /device/u],
    ] as const) {
      const device = await BareDevice.reconnect(other.keys);
      const fault = await faultOf(device, message);
      assert.equal(fault.code, code, JSON.stringify(message));
      assert.match(fault.message, words);
      await device.call("host.read", {});
      device.close();
      await device.ended;
    }
    await isWell();
  });

  it("passes over fields that only newer devices know", async () => {
    const device = await BareDevice.reconnect(other.keys);
    const said = {
      t: "call",
      call: 700,
      method: "workspace.browse",
      params: { path: world.home, depth: 3 },
      trace: "x",
    };
    device.raw(Streams.calls, text(JSON.stringify(said)));
    const reply = await device.until(() => device.messages.find((one) => one.t === "reply" && one.call === 700));
    assert.equal(reply.t, "reply");
    device.close();
  });

  it("answers a call that is too large, and goes on", async () => {
    const device = await BareDevice.reconnect(other.keys);
    const fault = await faultOf(device, { method: "host.read", params: {}, padding: "x".repeat(MAX_CALL_BYTES) });
    assert.equal(fault.code, "bad_params");
    assert.match(fault.message, /at most/u);
    await device.call("host.read", {});
    device.close();
    await isWell();
  });

  it("answers all of 500 calls at once: the first ones with what they asked for, those beyond the bound with why not", async () => {
    const device = await BareDevice.reconnect(other.keys);
    const answers = await Promise.allSettled(
      Array.from({ length: 500 }, () => device.call("workspace.browse", { path: world.home })),
    );
    const faults = answers.flatMap((one) => (one.status === "rejected" ? [one.reason as CallError] : []));
    assert.ok(faults.length < 500);
    for (const fault of faults) assert.equal(fault.code, "too_many");
    await device.call("host.read", {});
    device.close();
    await isWell();
  });
});
