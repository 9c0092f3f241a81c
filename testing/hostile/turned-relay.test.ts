/**
 * The real relay, turned against those who meet at it: it lets in who should not be, joins to another host, and plays the
 * host itself. What it can do is to cut. That it spoils frames is tried where others do so too (`relay.test.ts`).
 */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { nodeKey, nodeSuite } from "@flybridge/crypto/suite-node.ts";
import { fromBase64Url } from "@flybridge/protocol/base64.ts";
import { parseConnection } from "@flybridge/protocol/offer.ts";
import { memoryLink } from "@flybridge/transport/memory.ts";
import { HandshakeError, type HandshakeFault } from "@flybridge/transport/secure.ts";
import { acceptOver } from "@flybridge/transport/secure/host.ts";
import { BareDevice, newIntent } from "../bare.ts";
import { untilRelayed } from "../relay.ts";
import { joinAt, newProof, offerBy, offerIn, RelayedDevice } from "../relayed.ts";
import { startWorld, type World } from "../world.ts";
import { startTurnedRelay, type TurnedRelay } from "./turned-relay.ts";

const faultIs =
  (...faults: HandshakeFault[]) =>
  (error: unknown): boolean =>
    error instanceof HandshakeError && faults.includes(error.fault);

describe("a relay that has turned", { timeout: 240_000 }, () => {
  const held = new AsyncDisposableStack();
  let relay: TurnedRelay;
  let world: World;
  let other: World;
  let shell: BareDevice;
  let device: RelayedDevice;

  before(async () => {
    relay = held.use(await startTurnedRelay());
    const args = ["--relay", relay.origin, "--confirm", "never"];
    world = held.use(await startWorld({ args }));
    other = held.use(await startWorld({ args }));
    shell = await world.shell();
    held.defer(() => shell.close());
    await untilRelayed(shell);
    device = await RelayedDevice.pair(await offerBy(shell), "by a turned relay");
    device.device.close();
    await device.device.ended;
  });
  after(() => held.disposeAsync());

  it("lets a stranger through to the host, who gets no further: the host itself asks who it is", async () => {
    // As if an offer's key had been shown, which was not.
    const offered = offerIn(await offerBy(shell));
    relay.turn((real, join, end) => {
      relay.turn();
      return real(
        { ...join, by: { kind: "offer" }, key: Buffer.from(offered.key.publicKey).toString("base64url") },
        end,
      );
    });
    assert.ok(device.way);
    const { link, route } = await joinAt(device.way, { kind: "ticket", ticket: device.way.ticket }, newProof());
    const stranger = { ...device.keys, secret: new Uint8Array(32).fill(7), continuity: new Uint8Array(32).fill(9) };
    await assert.rejects(BareDevice.reconnect(stranger, link, route), faultIs("refused"));
  });

  it("[R23] says once more all that a device said, and the host answers the handshake and does nothing", async () => {
    const kept = { up: [] as Uint8Array[], down: [] };
    relay.spoilNext("up", Number.POSITIVE_INFINITY, (frame) => [frame], kept);
    await device.reconnect();
    await device.device.call("session.create", { agent: "demo" as never, workspace: world.home });
    const shown = async (): Promise<unknown> => [
      (await shell.call("device.list", {})).devices.find(({ name }) => name === "by a turned relay"),
      (await shell.call("session.list", {})).sessions.length,
    ];
    const before = await shown();
    assert.ok(kept.up.length > 4 && device.way);
    const { link } = await joinAt(device.way, { kind: "ticket", ticket: device.way.ticket }, device.proof);
    let heard = 0;
    const [hello, first, ...records] = kept.up;
    assert.ok(hello && first);
    const say = (frames: readonly Uint8Array[]): void => frames.forEach((frame) => link.send(frame));
    await new Promise((resolve) => {
      link.listen({ frame: () => ++heard === 2 && say(records), drained() {}, ended: resolve });
      say([hello, first]);
    });
    assert.equal(heard, 2, "its hello and message 2");
    assert.deepEqual(await shown(), before);
    await device.device.call("host.read", {});
    device.device.close();
    await device.device.ended;
    await device.reconnect();
    device.device.close();
    await device.device.ended;
  });

  it("joins a device to another host than it asked for, and the device says nothing to it", async () => {
    const there = await other.shell();
    const place = await untilRelayed(there);
    const { key } = offerIn(await offerBy(there));
    relay.turn((real, join, end) => {
      relay.turn();
      return real(
        {
          ...join,
          rendezvous: place.rendezvous,
          by: { kind: "offer" },
          key: Buffer.from(key.publicKey).toString("base64url"),
        },
        end,
      );
    });
    assert.ok(device.way);
    const { link, route } = await joinAt(device.way, { kind: "ticket", ticket: device.way.ticket }, device.proof);
    await assert.rejects(BareDevice.reconnect(device.keys, link, route), faultIs("wrong_host"));
    there.close();
  });

  it("carries a circuit to a host that it was not opened at: the handshake names the relay and the place", async () => {
    assert.ok(device.way);
    for (const wrong of [{ origin: "https://relay.example" }, { rendezvous: "AAAAAAAAAAAAAAAA" }]) {
      const { link, route } = await joinAt(device.way, { kind: "ticket", ticket: device.way.ticket }, device.proof);
      await assert.rejects(
        BareDevice.reconnect(device.keys, link, { ...route, ...wrong } as never),
        faultIs("refused"),
      );
    }
    // Where all is as it was, it comes back.
    await device.reconnect();
    device.device.close();
  });

  it("plays the host itself, with all that a relay knows of it, and is found out before anything is said", async () => {
    const { connection } = await shell.call("offer.make", {}, newIntent());
    const { key, ...place } = offerIn(connection);
    const [devices, hosts] = memoryLink();
    const heard: Uint8Array[] = [];
    relay.turn((_real, _join, end) => {
      relay.turn();
      devices.listen({ frame: (frame) => end.data(frame), drained() {}, ended: () => end.close("over") });
      const far = {
        data(frame: Uint8Array) {
          heard.push(frame.slice());
          devices.send(frame);
        },
        credit() {},
        hold() {},
        release() {},
        close: () => devices.close("over"),
      };
      return Promise.resolve({ kind: "joined", end: far });
    });
    const own = nodeKey(new Uint8Array(32).fill(3));
    const played = acceptOver(hosts, {
      suite: nodeSuite(),
      hostKey: own,
      hostId: device.keys.host,
      route: { kind: "relay", ...place },
      secretOf: () => fromBase64Url("A".repeat(43), 32),
      confirms: () => false,
      consume: () => true,
      continuityOf: () => undefined,
      advance: () => true,
    });
    const failed = assert.rejects(played);
    const { link, route } = await joinAt(place, { kind: "offer" }, key);
    await assert.rejects(BareDevice.pair(connection, "fooled", link, route), faultIs("wrong_host", "refused"));
    await failed;
    assert.equal(heard.length, 2, "a hello and message 1");
    const { secret, offer } = parseConnection(connection);
    for (const bytes of [secret, offer]) assert.ok(!Buffer.concat(heard).includes(Buffer.from(bytes)));
    // Nothing was lost by it: the offer is as good as before.
    (await RelayedDevice.pair(connection, "not fooled")).device.close();
  });
});
