/**
 * The real relay, turned against those who meet at it: it spoils frames at every place, lets in who should not be, joins
 * to another host, and plays the host itself. What it can do is to cut.
 */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { nodeKey, nodeSuite } from "@flybridge/crypto/suite-node.ts";
import { fromBase64Url } from "@flybridge/protocol/base64.ts";
import type { SessionId } from "@flybridge/protocol/ids.ts";
import { parseConnection } from "@flybridge/protocol/offer.ts";
import type { Hub } from "@flybridge/relay/circuits/hub.ts";
import { memoryLink } from "@flybridge/transport/memory.ts";
import { HandshakeError, type HandshakeFault } from "@flybridge/transport/secure.ts";
import { acceptOver } from "@flybridge/transport/secure/host.ts";
import { BareDevice, newIntent } from "../bare.ts";
import { untilRelayed } from "../relay.ts";
import { joinAt, newProof, offerBy, offerIn, RelayedDevice } from "../relayed.ts";
import { startWorld, type World } from "../world.ts";
import { ATTACKS, type Spoil, spoiling } from "./attacks.ts";
import { startTurnedRelay, type TurnedRelay } from "./turned-relay.ts";

const CANARY = "canary-7d2e11";
const SETTINGS = 3;
/** No answer for so long means that a frame is missing, in milliseconds. */
const QUIET_MS = 300;

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
  let session: SessionId;

  before(async () => {
    relay = held.use(await startTurnedRelay());
    const args = ["--relay", relay.origin, "--confirm", "never"];
    world = held.use(await startWorld({ args }));
    other = held.use(await startWorld({ args }));
    shell = await world.shell();
    held.defer(() => shell.close());
    await untilRelayed(shell);
    ({ session } = await shell.call("session.create", { agent: "demo" as never, workspace: world.home }, newIntent()));
    device = await RelayedDevice.pair(await offerBy(shell), "by a turned relay");
    device.device.close();
    await device.device.ended;
  });
  after(() => held.disposeAsync());

  /** Frame `at` of one direction of the next circuit is spoilt; what goes through is kept. */
  const spoilNext = (direction: "up" | "down", at: number, spoil: Spoil, kept: Uint8Array[]): void => {
    relay.turn(async (real, join, end) => {
      relay.turn();
      const down = spoiling(at, direction === "down" ? spoil : (frame) => [frame], (frame) => end.data(frame));
      const joined = await real(join, {
        ...methodsOf(end),
        data(frame) {
          kept.push(frame.slice());
          down(frame);
        },
      });
      if (joined.kind !== "joined") return joined;
      const up = spoiling(at, direction === "up" ? spoil : (frame) => [frame], (frame) => joined.end.data(frame));
      return {
        ...joined,
        end: {
          ...methodsOf(joined.end),
          data(frame) {
            kept.push(frame.slice());
            up(frame);
          },
        },
      };
    });
  };
  const setOf = async (titles: readonly string[]): Promise<string[]> => {
    const { entries } = await shell.call("session.page", { session, before: Number.MAX_SAFE_INTEGER });
    return entries.flatMap(({ fact }) =>
      fact.kind === "session.configured" && titles.includes(fact.title ?? "") ? [fact.title ?? ""] : [],
    );
  };
  const play = async (
    through: BareDevice,
    intents: readonly { id: ReturnType<typeof newIntent>; title: string }[],
  ): Promise<void> => {
    for (const { id, title } of intents) await through.call("session.configure", { session, title }, id);
  };

  for (const direction of ["up", "down"] as const)
    for (const [name, spoil] of Object.entries(ATTACKS))
      it(`gets nothing done by ${name}, wherever it is on the way ${direction}, and the device converges`, async () => {
        for (let at = 2; at < 4 + SETTINGS; at++) {
          const intents = Array.from({ length: SETTINGS }, (_, one) => ({
            id: newIntent(),
            title: `${direction} ${name} ${at}.${one} ${CANARY}`,
          }));
          const titles = intents.map(({ title }) => title);
          const kept: Uint8Array[] = [];
          spoilNext(direction, at, spoil, kept);
          const through = await back();
          if (through) {
            const quiet = AbortSignal.timeout(QUIET_MS);
            await Promise.race([
              play(through, intents).catch(() => undefined),
              through.ended,
              new Promise((resolve) => quiet.addEventListener("abort", resolve)),
            ]);
            through.close();
            await through.ended;
          }
          const then = await setOf(titles);
          assert.deepEqual(then, titles.slice(0, then.length), `${at}: in order, each once`);
          const again = await back();
          assert.ok(again, `${at}: it comes back`);
          await play(again, intents);
          again.close();
          await again.ended;
          assert.deepEqual(await setOf(titles), titles, `${at}: each exactly once`);
          for (const frame of kept) assert.ok(!Buffer.from(frame).includes(CANARY), "nothing of it can be read");
        }
        const { devices } = await shell.call("device.list", {});
        assert.equal(devices.find((one) => one.name === "by a turned relay")?.suspended, undefined);
      });

  /** Comes back, with the ticket it has if the one before brought no new one. */
  async function back(): Promise<BareDevice | undefined> {
    assert.ok(device.way);
    const { link, route } = await joinAt(device.way, { kind: "ticket", ticket: device.way.ticket }, device.proof);
    try {
      device.device = await BareDevice.reconnect(device.keys, link, route);
    } catch (error) {
      if (error instanceof HandshakeError) return undefined;
      throw error;
    }
    const quiet = AbortSignal.timeout(QUIET_MS);
    await Promise.race([
      device.takeWay().catch(() => undefined),
      device.device.ended,
      new Promise((resolve) => quiet.addEventListener("abort", resolve)),
    ]);
    return device.device;
  }

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
    assert.ok(await back(), "and where all is as it was, the device comes back");
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

/** Of an end that may be an instance of a class. */
function methodsOf<
  End extends Parameters<Hub["join"]>[1] | { credit(bytes: number): void; close(reason: string): void },
>(end: End): End {
  return Object.assign(Object.create(end) as End, {
    credit: (bytes: number) => end.credit(bytes),
    close: (reason: string) => end.close(reason),
    ...("hold" in end ? { hold: () => end.hold(), release: () => end.release(), isAlive: () => end.isAlive() } : {}),
  });
}
