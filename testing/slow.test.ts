/** A device that does not read: it costs the host little and the others nothing, and it misses nothing. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { RECORD_BYTES } from "@flybridge/protocol/relay.ts";
import { webSocketLink } from "@flybridge/transport/websocket.ts";
import { WebSocket } from "ws";
import { BareDevice } from "./bare.ts";
import { residentOf } from "./stranger.ts";
import { startWorld } from "./world.ts";

/** What one slow device may cost, in bytes of the host's memory. */
const SLOW_BYTES = 4 * 1024 * 1024;
const SLOW_DEVICES = 8;
/** By how much the heap of a host that bears floods swings, with slow devices or without; in bytes. */
const SWING_BYTES = 32 * 1024 * 1024;
/** Floods after which the host's heap has the size that floods need. */
const WARM_UP = 4;

describe("slow devices", { timeout: 180_000 }, () => {
  it("that never read cost the host at most 4 MiB each, slow nobody, and get every entry in order when they read again", async () => {
    // With a small nursery V8 collects at once what it would otherwise leave lying: what grows then is what is held.
    await using world = await startWorld({ env: { NODE_OPTIONS: "--max-semi-space-size=1" } });
    const { pid } = world;
    const quick = await world.pair("quick");
    const { session } = await quick.call("session.create", { workspace: world.home, agent: "demo" as never });
    await quick.call("session.follow", { session, from: 1 });
    let turns = 0;
    const flood = async (): Promise<void> => {
      turns += 1;
      await quick.call("session.prompt", { session, text: "flood 40000", delivery: "queue" });
      await quick.until(() =>
        quick.entriesOf(session).filter(({ fact }) => fact.kind === "turn.ended").length >= turns ? true : undefined,
      );
    };
    for (let time = 0; time < WARM_UP; time++) await flood();

    const slow: { device: BareDevice; socket: WebSocket }[] = [];
    for (let one = 0; one < SLOW_DEVICES; one++) {
      const paired = await world.pair(`slow ${one}`);
      const { keys } = paired;
      paired.close();
      const socket = new WebSocket(keys.url, { perMessageDeflate: false, maxPayload: RECORD_BYTES });
      const device = await BareDevice.reconnect(keys, webSocketLink(socket as never, { maxFrameBytes: RECORD_BYTES }));
      await device.call("session.follow", { session, from: 1 });
      await device.call("feed.follow", { from: 0 });
      socket.pause();
      slow.push({ device, socket });
    }
    const before = residentOf(pid);
    const began = performance.now();
    await flood();
    const alone = performance.now() - began;
    for (let time = 0; time < 2; time++) await flood();
    const grown = residentOf(pid) - before;
    assert.ok(grown < SLOW_DEVICES * SLOW_BYTES + SWING_BYTES, `grew by ${grown} bytes`);
    // Nobody waits for them: a call is answered at once.
    const asked = performance.now();
    await quick.call("host.read", {});
    assert.ok(performance.now() - asked < Math.max(500, alone));

    const entries = quick.entriesOf(session);
    const last = entries.at(-1)?.seq ?? 0;
    for (const { device, socket } of slow) {
      socket.resume();
      await device.untilEntry(session, ({ seq }) => seq >= last);
      const got = device.entriesOf(session).filter(({ seq }) => seq <= last);
      assert.deepEqual(
        got.map(({ seq }) => seq),
        Array.from({ length: last }, (_, index) => index + 1),
      );
      assert.deepEqual(got.at(-1), entries.at(-1));
      device.close();
    }
    quick.close();
  });
});
