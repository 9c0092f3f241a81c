/** A disk that is full: nothing is acknowledged that is not stored, nothing the agent says is lost, and it goes on by itself. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "node:test";
import { CallError } from "@flybridge/protocol/error.ts";
import type { AgentName, SessionId } from "@flybridge/protocol/ids.ts";
import { BareDevice, newIntent } from "./bare.ts";
import { smallDisk } from "./small-disk.ts";
import { startWorld } from "./world.ts";

/** The promise: from the moment there is room again. */
const RECOVERS_MS = 5_000;
const DISK = "32m";

const isFull = (error: unknown): boolean =>
  error instanceof CallError && error.code === "storage" && /disk is full.*Free some space/u.test(error.message);

describe("a full disk", { timeout: 240_000, skip: process.platform !== "linux" && "tmpfs is Linux's" }, () => {
  it("refuses what it cannot store, serves what it has, loses nothing the agent says, and recovers by itself", async () => {
    using disk = smallDisk(DISK);
    await using world = await startWorld({ state: join(disk.path, "state") });
    const { pid } = world;
    const device = await world.pair();
    const second = await world.pair("the second");
    const { session } = await device.call("session.create", {
      workspace: world.home,
      agent: "demo" as AgentName,
      prompt: "flood 5",
    });
    await device.call("session.follow", { session, from: 1 });
    await device.untilEntry(session, ({ fact }) => fact.kind === "turn.ended");
    // Output that is under way while the disk is full: 120 lines in 6 seconds.
    await device.call("session.prompt", { session, text: "tick 120 50", delivery: "queue" });
    await device.untilEntry(session, ({ fact }) => fact.kind === "item.began" && fact.item.kind === "tool");

    disk.fill();
    // The write-ahead log may have room that it took before: what is acknowledged from there is stored.
    const accepted: string[] = [];
    await until(async () => {
      const id = newIntent();
      try {
        await device.call("session.prompt", { session, text: `flood 1 ${"x".repeat(200_000)}`, delivery: "queue" }, id);
        accepted.push(id);
        return false;
      } catch (error) {
        assert.ok(isFull(error), String(error));
        return true;
      }
    });
    const refused = newIntent();
    await assert.rejects(
      device.call("session.prompt", { session, text: "refused", delivery: "queue" }, refused),
      isFull,
    );
    await assert.rejects(device.call("session.create", { workspace: world.home, agent: "demo" as AgentName }), isFull);
    await assert.rejects(device.call("session.configure", { session, title: "refused" }), isFull);
    await assert.rejects(
      device.call("device.rename", { device: (await device.call("device.list", {})).devices[0]!.device, name: "x" }),
      isFull,
    );

    // Reading goes on.
    const page = await second.call("session.page", { session, before: 1_000_000 });
    assert.ok(page.entries.length > 0);
    assert.doesNotMatch(JSON.stringify(page), /refused/u);
    assert.equal((await second.call("session.list", {})).sessions.length, 1);
    const follow = await second.call("session.follow", { session });
    assert.equal(follow.kind, "window");
    const check = await second.call("host.check", {});
    assert.match(check.findings.find(({ about }) => about === "disk")?.mend ?? "", /Free some space/u);
    // Coming and going, or trying to, ends nobody else.
    const keys = { ...second.keys };
    second.close();
    await second.ended;
    await BareDevice.reconnect(keys).then(
      async (back) => {
        await back.call("session.list", {}).catch(() => {});
        back.close();
        await back.ended;
      },
      () => {},
    );
    await world.pair("a third").catch(() => {});
    await device.call("host.read", {});
    process.kill(pid, 0);

    disk.free();
    const began = performance.now();
    await until(async () => {
      try {
        await device.call("session.prompt", { session, text: "flood 1", delivery: "queue" }, refused);
        return true;
      } catch (error) {
        assert.ok(isFull(error), String(error));
        return false;
      }
    });
    assert.ok(performance.now() - began < RECOVERS_MS);
    assert.equal(world.pid, pid, "without a restart");
    process.kill(pid, 0);

    // The turn that went on meanwhile is whole, and so is all that came after.
    const ticks = await device.untilEntry(
      session,
      ({ fact }) =>
        fact.kind === "item.completed" && fact.item.kind === "tool" && fact.item.tool.name === "Tick" && fact.item,
    );
    const lines = ticks.body.trim().split("\n").map(Number);
    assert.equal(lines.length, 120);
    assert.deepEqual(
      lines,
      [...new Set(lines)].sort((a, b) => a - b),
    );
    await device.untilEntry(session, ({ fact }) => fact.kind === "prompt.taken" && (fact.prompt as string) === refused);
    await whole(device, session);
    for (const id of accepted)
      assert.ok(
        device.entriesOf(session).some(({ fact }) => fact.kind === "prompt.taken" && (fact.prompt as string) === id),
      );
    // Each of those that were there before comes back.
    const back = await BareDevice.reconnect(keys);
    await back.call("session.list", {});
    back.close();
    device.close();
  });

  it("is said when a host starts on it, with how to mend it, and leaves nothing half made", async () => {
    using disk = smallDisk(DISK);
    disk.fill();
    await assert.rejects(startWorld({ state: join(disk.path, "state") }), /did not start[\s\S]*(?:[Dd]isk|space)/u);
    disk.free();
    await using world = await startWorld({ state: join(disk.path, "state") });
    (await world.pair()).close();
  });
});

/** The journal as the device has it: each number once, in order. */
async function whole(device: BareDevice, session: SessionId): Promise<void> {
  const entries = device.entriesOf(session);
  assert.deepEqual(
    entries.map(({ seq }) => seq),
    entries.map((_, index) => index + 1),
  );
  const taken = entries.flatMap(({ fact }) => (fact.kind === "prompt.taken" ? [fact.prompt] : []));
  assert.deepEqual(taken, [...new Set(taken)]);
}

/** Asks again until it holds. Each question is a round trip to the host, so this does not spin. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds()));
}
