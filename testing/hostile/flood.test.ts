/** Floods at the door and behind it: what they may cost, and what those who are served notice of them. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { encodeDeviceHello, LINK_PATH } from "@flybridge/protocol/relay.ts";
import { WebSocket } from "ws";
import { BareDevice } from "../bare.ts";
import { residentOf } from "../stranger.ts";
import { TerminalDevice } from "../terminal.ts";
import { startWorld, type World } from "../world.ts";

const REDEEMERS = 1_000;
const HALF_OPEN = 1_000;
/** Of whom so many are let wait at once. */
const STRANGERS = 32;
const STALLED = 64;
/** What so many may cost together while a terminal prints, in bytes. */
const STALLED_BYTES = 300 * 1024 * 1024;
const CALLS = 150;
/** By how much the slowest calls of others may slow down while the door is besieged. */
const SLOWER = 2;
/** A call is never so quick that a tick of the clock or of a collector does not show, in milliseconds. */
const TICK_MS = 20;

let world: World;
let owner: BareDevice;

before(async () => {
  world = await startWorld({ env: { NODE_OPTIONS: "--max-semi-space-size=1" } });
  owner = await world.pair("owner");
});

after(async () => {
  owner.close();
  await world[Symbol.asyncDispose]();
});

/** Milliseconds of the slowest of a hundred calls. */
async function slowest(): Promise<number> {
  const took: number[] = [];
  for (let call = 0; call < CALLS; call++) {
    const began = performance.now();
    await owner.call("device.list", {});
    took.push(performance.now() - began);
  }
  return took.toSorted((a, b) => a - b)[Math.floor(CALLS * 0.99)] ?? 0;
}

describe("a flood", { timeout: 180_000 }, () => {
  it(`of ${REDEEMERS} who come with one invitation at once lets one in`, async () => {
    const { connection } = await owner.call("offer.make", {});
    const came = await Promise.all(
      Array.from({ length: REDEEMERS }, (_, at) =>
        BareDevice.pair(connection, `redeemer ${at}`).then(
          (device) => device,
          () => undefined,
        ),
      ),
    );
    const inside = came.filter((device) => device !== undefined);
    assert.equal(inside.length, 1);
    const { devices } = await owner.call("device.list", {});
    assert.equal(devices.filter(({ name }) => name.startsWith("redeemer")).length, 1);
    for (const device of inside) device.close();
  });

  it(`of ${HALF_OPEN} handshakes that stop half-way costs bounded memory and others little time, and leaves room when it goes`, async (t) => {
    await slowest();
    const quiet = await slowest();
    const before = residentOf(world.pid);
    const hello = encodeDeviceHello({ v: 1, purpose: "reconnect", features: [] });
    const sockets = Array.from({ length: HALF_OPEN }, () => {
      const socket = new WebSocket(`ws://127.0.0.1:${world.port}${LINK_PATH}`, {
        perMessageDeflate: false,
        handshakeTimeout: 20_000,
      });
      socket.on("error", () => {});
      socket.on("open", () => socket.send(hello));
      return socket;
    });
    const leave = (): void => {
      for (const socket of sockets) socket.terminate();
    };
    t.after(leave);
    const greeted = await Promise.all(
      sockets.map(
        (socket) =>
          new Promise<boolean>((resolve) => {
            socket.once("message", () => resolve(true));
            socket.once("close", () => resolve(false));
          }),
      ),
    );
    assert.ok(greeted.filter(Boolean).length <= STRANGERS);
    const besieged = await slowest();
    assert.ok(besieged < quiet * SLOWER + TICK_MS, `${besieged} ms instead of ${quiet}`);
    const grown = residentOf(world.pid) - before;
    assert.ok(grown < 40 * 1024 * 1024, `grew by ${grown} bytes`);
    leave();
    (await world.pair("after the siege")).close();
  });

  it(`of a terminal before ${STALLED} devices that take nothing costs bounded memory, and the one that reads gets it all`, async () => {
    const reader = await TerminalDevice.open(
      owner,
      ["sh", "-c", "read x; seq 1 3000000; echo all-is-printed; sleep 60"],
      {
        workspace: world.home,
      },
    );
    const { session } = reader;
    const stalled: BareDevice[] = [];
    for (let one = 0; one < STALLED; one++) {
      const device = await world.share(session, ["read"], `stalled ${one}`);
      device.draw(() => new Promise<void>(() => {}));
      await device.call("terminal.follow", { session });
      stalled.push(device);
    }
    const before = residentOf(world.pid);
    await owner.call("terminal.input", { session, keyboard: "hostile-flood", number: 0, text: "\r" });
    await reader.until(() => reader.text.slice(-4_000).includes("all-is-printed"));
    const grown = residentOf(world.pid) - before;
    assert.ok(grown < STALLED_BYTES, `grew by ${grown} bytes`);
    await owner.call("session.stop", { session });
    for (const device of stalled) await device.ended;
  });
});
