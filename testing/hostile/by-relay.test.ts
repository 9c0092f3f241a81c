/** The same adversaries, by the real relay: a guest, a copy of a device, one that is revoked, strangers and a flood. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { CallError } from "@flybridge/protocol/error.ts";
import { Verb } from "@flybridge/protocol/grant.ts";
import type { SessionId } from "@flybridge/protocol/ids.ts";
import { METHODS, type Method } from "@flybridge/protocol/methods.ts";
import { HandshakeError } from "@flybridge/transport/secure.ts";
import { BareDevice, newIntent } from "../bare.ts";
import { type RunningRelay, startRelay, untilRelayed } from "../relay.ts";
import { joinAt, offerBy, RelayedDevice } from "../relayed.ts";
import { startWorld, type World } from "../world.ts";

const ABSENT = "01980000-0000-7000-8000-0000000000cc" as SessionId;
/** From a revocation to the device's last message, and to the end of its connection, in milliseconds. */
const LAST_MS = 250;
const GONE_MS = 1_000;
const TRIALS = 50;
const MALFORMED = 500;
const golden = new Map<string, object>(
  readFileSync(join(import.meta.dirname, "..", "..", "protocol", "golden", "v1.jsonl"), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => (JSON.parse(line) as { message: { method?: string; params?: object } }).message)
    .flatMap(({ method, params }) => (method === undefined || params === undefined ? [] : [[method, params] as const])),
);

describe("by the real relay", { timeout: 180_000 }, () => {
  const held = new AsyncDisposableStack();
  let relay: RunningRelay;
  let world: World;
  let shell: BareDevice;
  let own: SessionId;
  let other: SessionId;

  before(async () => {
    relay = held.use(await startRelay());
    world = held.use(await startWorld({ args: ["--relay", relay.origin, "--confirm", "never"] }));
    shell = await world.shell();
    held.defer(() => shell.close());
    await untilRelayed(shell);
    const open = async (): Promise<SessionId> =>
      (await shell.call("session.create", { agent: "demo" as never, workspace: world.home }, newIntent())).session;
    [own, other] = [await open(), await open()];
  });
  after(() => held.disposeAsync());

  it("[C02] [C18] a guest with every verb is refused every method on another's session, on none, and all of the owner's", async () => {
    const { connection } = await shell.call("session.share", { session: own, verbs: [...Verb.options] }, newIntent());
    const { device: guest } = await RelayedDevice.pair(connection, "guest");
    const tried = async (method: Method, session?: SessionId): Promise<string> => {
      const params = { ...golden.get(method), ...(session === undefined ? {} : { session }) };
      try {
        await guest.call(method, params as never, newIntent());
        return "fine";
      } catch (error) {
        assert.ok(error instanceof CallError, `${method}: ${String(error)}`);
        return `${error.code}: ${error.message}`;
      }
    };
    for (const method of Object.keys(METHODS) as Method[]) {
      const { verb } = METHODS[method];
      if (verb === "any") continue;
      const [there, nowhere] = [await tried(method, other), await tried(method, ABSENT)];
      assert.match(there, /^forbidden: /u, method);
      assert.equal(there, nowhere, `${method}: what is there and what is not look alike`);
      if (verb === "owner") assert.match(await tried(method, own), /^forbidden: /u, method);
    }
    guest.close();
  });

  it("a copy of a device is found, both are cut, and the device is suspended", async () => {
    const original = await RelayedDevice.pair(await offerBy(shell), "copied");
    original.device.close();
    await original.device.ended;
    const { way } = original;
    assert.ok(way);
    const thief = { ...original.keys, continuity: original.keys.continuity.slice() };
    for (let visit = 0; visit < 2; visit++) {
      await original.reconnect();
      original.device.close();
      await original.device.ended;
    }
    const live = await original.reconnect();
    // With the original's own next ticket, as a thief of its whole storage has it.
    assert.ok(original.way);
    const { link, route } = await joinAt(original.way, { kind: "ticket", ticket: original.way.ticket }, original.proof);
    const copy = await BareDevice.reconnect(thief, link, route);
    await copy.ended;
    assert.ok(!copy.messages.some(({ t }) => t === "welcome"));
    assert.deepEqual(await live.ended, { kind: "bye", by: "them", reason: "suspended" });
  });

  it(`a revoked device hears nothing after ${LAST_MS} ms and is gone within a second, ${TRIALS} times while much is said`, async () => {
    for (let trial = 0; trial < TRIALS; trial++) {
      const name = `revoked ${trial}`;
      const { device } = await RelayedDevice.pair(await offerBy(shell), name);
      await device.call("session.follow", { session: own, from: 1 });
      const id = (await shell.call("device.list", {})).devices.find((one) => one.name === name)?.device;
      assert.ok(id);
      await shell.call("session.prompt", { session: own, text: "flood 200", delivery: "queue" }, newIntent());
      await shell.call("device.revoke", { device: id }, newIntent());
      const revoked = performance.now();
      const heard = device.messages.length;
      const late = AbortSignal.timeout(LAST_MS);
      let last = heard;
      late.addEventListener("abort", () => (last = device.messages.length));
      await device.ended;
      const gone = performance.now() - revoked;
      assert.ok(gone < GONE_MS, `trial ${trial}: ${gone} ms`);
      if (late.aborted) assert.equal(device.messages.length, last, `trial ${trial}`);
    }
  });

  it(`${MALFORMED} joined strangers who speak no protocol get nothing, and nobody else notices`, async () => {
    const watcher = await RelayedDevice.pair(await offerBy(shell), "watcher");
    const device = await RelayedDevice.pair(await offerBy(shell), "stranger");
    device.device.close();
    await device.device.ended;
    for (let at = 0; at < MALFORMED; at++) {
      const { ways } = await watcher.device.call("relay.ways", {
        key: Buffer.from(device.proof.publicKey).toString("base64url"),
      });
      const [way] = ways;
      assert.ok(way);
      const { link } = await joinAt(way, { kind: "ticket", ticket: way.ticket }, device.proof);
      const ended = new Promise((resolve) => link.listen({ frame() {}, drained() {}, ended: resolve }));
      link.send(new Uint8Array(randomBytes(1 + (at % 900))));
      link.send(new Uint8Array(randomBytes(50)));
      await ended;
    }
    assert.equal((await watcher.device.call("host.read", {})).name, "test host");
    // What a stranger holds is nothing that the host knows.
    const stranger = { ...watcher.keys, secret: new Uint8Array(randomBytes(32)) };
    const way = await watcher.takeWay();
    const { link, route } = await joinAt(way, { kind: "ticket", ticket: way.ticket }, watcher.proof);
    await assert.rejects(
      BareDevice.reconnect(stranger, link, route),
      (error) => error instanceof HandshakeError && error.fault === "refused",
    );
    watcher.device.close();
  });
});
