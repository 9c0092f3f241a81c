/** Floods at the door and behind it: what they may cost, and what those who are served notice of them. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { encodeDeviceHello, LINK_PATH, RECORD_BYTES } from "@flybridge/protocol/relay.ts";
import { BareDevice } from "../bare.ts";
import { MALFORMED, residentOf } from "../stranger.ts";
import { TerminalDevice } from "../terminal.ts";
import { type Comer, comerTo, greeted, Place, WAYS } from "./ways.ts";

const MIB = 1024 * 1024;
const REDEEMERS = 1_000;
const HALF_OPEN = 1_000;
/** Of whom so many are let wait at once. */
const STRANGERS = 32;
/** Who comes at once; a relay lets 64 of one address in that have not said what they want. */
const AT_ONCE = { "at the host's own door": HALF_OPEN, "by a relay": 50 } as const;
/** What so many who stop half-way may cost together, in bytes. */
const HALF_OPEN_BYTES = 40 * MIB;
/** Strangers who do not speak as devices do, before what they cost is looked at, and then in each of three waves. */
const MALFORMED_BEFORE = 2_000;
const MALFORMED_WAVE = 3_400;
const WAVES = 3;
/** What so many may cost for good, the host and the relay each, in bytes. */
const MALFORMED_BYTES = 20 * MIB;
const STALLED = 64;
/** What a terminal prints meanwhile: more than there are windows for. */
const LINES = { "at the host's own door": 3_000_000, "by a relay": 1_000_000 } as const;
/** What so many may cost the host together while a terminal prints, and one of them a relay, in bytes. */
const STALLED_BYTES = 300 * MIB;
const STALLED_RELAY_BYTES = MIB;
/** Of loopback, and not the loopback door's. */
const ADDRESS = "127.0.0.2";
const CALLS = 150;
/** By how much the slowest calls of others may slow down while the door is besieged. */
const SLOWER = 2;
/** A call is never so quick that a tick of the clock or of a collector does not show, in milliseconds. */
const TICK_MS = 20;

for (const way of WAYS)
  describe(`a flood, ${way},`, { timeout: 180_000 }, () => {
    let place: Place;
    let owner: BareDevice;

    before(async () => {
      place = await Place.open(way, {
        args: ["--confirm", "never", "--bind", ADDRESS, "--no-mdns"],
        // With a small nursery V8 collects at once what it would otherwise leave lying: what grows then is what is held.
        env: { NODE_OPTIONS: "--max-semi-space-size=1" },
      });
      owner = await place.pair("owner");
    });
    after(async () => {
      owner?.close();
      await place?.[Symbol.asyncDispose]();
    });

    /** What host and relay have in RAM, in bytes. */
    const resident = (): number[] => [place.world.pid, place.relay?.pid ?? []].flat().map(residentOf);
    const grownSince = (before: readonly number[]): number[] =>
      resident().map((bytes, index) => bytes - (before[index] ?? 0));
    /** Milliseconds of the slowest of a hundred calls. */
    const slowest = async (): Promise<number> => {
      const took: number[] = [];
      for (let call = 0; call < CALLS; call++) {
        const began = performance.now();
        await owner.call("device.list", {});
        took.push(performance.now() - began);
      }
      return took.toSorted((a, b) => a - b)[Math.floor(CALLS * 0.99)] ?? 0;
    };

    it(`of ${REDEEMERS} who come with one invitation at once lets one in`, async () => {
      const { connection } = await owner.call("offer.make", {});
      const came = await Promise.all(
        Array.from({ length: REDEEMERS }, (_, at) =>
          place.redeem(connection, `redeemer ${at}`).then(
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

    it(`of ${MALFORMED_BEFORE + WAVES * MALFORMED_WAVE} who speak as no device does costs bounded memory, and none hears more than a hello`, async (t) => {
      const kinds = Object.values(MALFORMED).filter((frames) => frames.every((frame) => frame.length <= RECORD_BYTES));
      const { connection } = await owner.call("offer.make", {});
      const come = async (frames: readonly (Uint8Array | string)[]): Promise<void> => {
        const { socket, link } = await place.knock(connection);
        let heard = 0;
        await new Promise((resolve) =>
          link.listen({
            frame() {
              heard += 1;
              if (heard === 1) for (const frame of frames) socket.send(frame);
            },
            drained() {},
            ended: resolve,
          }),
        );
        assert.equal(heard, 1);
      };
      const flood = async (count: number): Promise<void> => {
        for (let at = 0; at < count; at += 20) {
          await Promise.all(Array.from({ length: 20 }, (_, index) => come(kinds[(at + index) % kinds.length] ?? [])));
          if (at % 200 === 0) await owner.call("host.read", {});
        }
      };
      // What the host needs to work at all, it has after the first thousands.
      await flood(MALFORMED_BEFORE);
      const grew: number[][] = [];
      for (let wave = 0; wave < WAVES; wave++) {
        const before = resident();
        await flood(MALFORMED_WAVE);
        grew.push(grownSince(before));
      }
      t.diagnostic(`grew by ${JSON.stringify(grew)} bytes`);
      // The collector takes a step of its own now and then; what is kept of each connection grows with every wave.
      for (const [index, who] of ["the host", "the relay"].entries()) {
        const least = Math.min(...grew.map((grown) => grown[index] ?? 0));
        assert.ok(least < MALFORMED_BYTES, `${who} grew by ${least} bytes`);
      }
    });

    it(`of ${HALF_OPEN} handshakes that stop half-way costs bounded memory and others little time, fills no other door, and leaves room when it goes`, async (t) => {
      await slowest();
      const quiet = await slowest();
      const before = resident();
      const { connection } = await owner.call("offer.make", {});
      const hello = encodeDeviceHello({ v: 1, purpose: "reconnect", features: [] });
      const crowd: Comer[] = [];
      const leave = (): void => {
        for (const { socket } of crowd) socket.terminate();
      };
      t.after(leave);
      let inside = 0;
      while (crowd.length < HALF_OPEN) {
        const came = await Promise.all(Array.from({ length: AT_ONCE[way] }, () => place.knock(connection)));
        crowd.push(...came);
        for (const { link } of came) link.send(hello);
        inside += (await Promise.all(came.map(greeted))).filter(Boolean).length;
      }
      assert.ok(inside <= STRANGERS, `${inside} were let wait`);
      assert.equal(await greeted(await place.knock(connection)), false);
      const { socket, port, tls } = place.world;
      const doors = [`ws+unix://${socket}:${LINK_PATH}`, `wss://${ADDRESS}:${tls.port}${LINK_PATH}`];
      if (place.relay) doors.push(`ws://127.0.0.1:${port}${LINK_PATH}`);
      for (const door of doors) {
        const comer = comerTo(door);
        assert.equal(await greeted(comer), true, `who crowds one door keeps nobody out of ${door}`);
        comer.socket.terminate();
      }
      const besieged = await slowest();
      assert.ok(besieged < quiet * SLOWER + TICK_MS, `${besieged} ms instead of ${quiet}`);
      for (const grown of grownSince(before)) assert.ok(grown < HALF_OPEN_BYTES, `grew by ${grown} bytes`);
      leave();
      (await place.pair("after the siege")).close();
    });

    it(`of a terminal before ${STALLED} devices that take nothing costs bounded memory, and the one that reads gets it all`, async (t) => {
      const reader = await TerminalDevice.open(
        owner,
        ["sh", "-c", `read x; seq 1 ${LINES[way]}; echo all-is-printed; sleep 60`],
        { workspace: place.world.home },
      );
      const { session } = reader;
      const stalled: { readonly device: BareDevice; readonly comer: Comer }[] = [];
      for (let one = 0; one < STALLED; one++) {
        const { connection } = await place.shell.call("session.share", { session, verbs: ["read"] });
        const comer = await place.knock(connection);
        const device = await BareDevice.pair(connection, `stalled ${one}`, comer.link, comer.route);
        device.draw(() => new Promise<void>(() => {}));
        await device.call("terminal.follow", { session });
        stalled.push({ device, comer });
      }
      // Half of them do not even read.
      for (const { comer } of stalled.slice(STALLED / 2)) comer.socket.pause();
      const before = resident();
      await owner.call("terminal.input", { session, keyboard: "hostile-flood", number: 0, text: "\r" });
      await reader.until(() => reader.text.slice(-4_000).includes("all-is-printed"));
      const grew = grownSince(before);
      t.diagnostic(`grew by ${JSON.stringify(grew)} bytes`);
      const [host = 0, relay = 0] = grew;
      assert.ok(host < STALLED_BYTES, `the host grew by ${host} bytes`);
      assert.ok(relay < STALLED * STALLED_RELAY_BYTES, `the relay grew by ${relay} bytes`);
      await owner.call("session.stop", { session });
      for (const { comer } of stalled) comer.socket.resume();
      for (const { device } of stalled) await device.ended;
    });
  });
