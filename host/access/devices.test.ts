import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, describe, it } from "node:test";
import { CallError } from "@flybridge/protocol/error.ts";
import type { FeedFact } from "@flybridge/protocol/feed.ts";
import type { DeviceId, SessionId } from "@flybridge/protocol/ids.ts";
import { MAX_DEVICES } from "@flybridge/protocol/limits.ts";
import { type DeviceShelf, StorageError } from "../core/ports.ts";
import { openStore } from "../machine/store/store.ts";
import { deviceIdOf, makeDevices } from "./devices.ts";

const root = mkdtempSync(join(tmpdir(), "flybridge-devices-"));
const stores: { close(): void }[] = [];
after(() => {
  for (const store of stores) store.close();
  rmSync(root, { recursive: true, force: true });
});

const owner = { kind: "owner" } as const;
const phone = { name: "A phone", kind: "phone" } as const;
const chance = () => new Uint8Array(randomBytes(32));
const is = (wanted: Uint8Array) => (secret: Uint8Array) => Buffer.from(secret).equals(wanted);

function world(path = join(root, `${stores.length}.db`), shelfOf = (shelf: DeviceShelf): DeviceShelf => shelf) {
  const store = openStore(path);
  stores.push(store);
  const facts: FeedFact[] = [];
  const clock = { now: 1_000 };
  const devices = makeDevices({
    shelf: shelfOf(store.devices),
    publish: (fact) => facts.push(fact),
    now: () => clock.now,
  });
  return { path, store, facts, clock, devices };
}

describe("devices", () => {
  it("are known by their key, with what they may do, also after a restart", () => {
    const { path, devices, facts } = world();
    const [key, secret] = [chance(), chance()];
    const device = devices.pair(key, phone, owner, secret);
    assert.deepEqual(device, { device: deviceIdOf(key), ...phone, grant: owner, paired: 1_000, connected: false });
    assert.match(device.device, /^[\w-]{43}$/u);
    assert.deepEqual(facts, [{ kind: "device", device }]);
    const again = world(path).devices;
    assert.deepEqual(again.list(), [device]);
    assert.deepEqual(again.secretOf(key, is(secret)), secret);
    assert.equal(again.get("x".repeat(43) as DeviceId), undefined);
  });

  it("say which session they look at, the newest they opened, until they leave it", () => {
    const { devices } = world();
    const { device } = devices.pair(chance(), phone, owner, chance());
    const [first, second] = ["01980000-0000-7000-8000-0000000000aa", "01980000-0000-7000-8000-0000000000bb"].map(
      (session) => devices.view(device, session as SessionId),
    );
    const viewing = () => devices.get(device)?.viewing;
    assert.match(viewing() ?? "", /bb$/u);
    first?.[Symbol.dispose]();
    assert.match(viewing() ?? "", /bb$/u, "leaving the older one changes nothing");
    second?.[Symbol.dispose]();
    assert.equal(viewing(), undefined);
  });

  it("are told by pairing anew that their old secrets are worth nothing", () => {
    const { devices } = world();
    const [key, first, second] = [chance(), chance(), chance()];
    devices.pair(key, phone, owner, first);
    devices.pair(key, { ...phone, name: "Again" }, owner, second);
    assert.equal(devices.secretOf(key, is(first)), undefined);
    assert.deepEqual(
      devices.list().map(({ name }) => name),
      ["Again"],
    );
  });

  it("are a bounded number, but those that are paired may pair again", () => {
    const { devices } = world(undefined, () => ({ list: () => [], put: () => {}, remove: () => {}, audit: () => {} }));
    const keys = Array.from({ length: MAX_DEVICES }, chance);
    for (const key of keys) devices.pair(key, phone, owner, chance());
    assert.throws(
      () => devices.pair(chance(), phone, owner, chance()),
      (error) => error instanceof CallError && error.code === "too_many",
    );
    devices.pair(keys[0] ?? chance(), phone, owner, chance());
    devices.revoke(deviceIdOf(keys[1] ?? chance()));
    devices.pair(chance(), phone, owner, chance());
  });

  it("are connected while any of their connections is, and were seen when they came and when they went", () => {
    const { devices, facts, clock } = world();
    const { device } = devices.pair(chance(), phone, owner, chance());
    assert.equal(devices.get(device)?.seen, undefined);
    clock.now = 2_000;
    const first = devices.present(device, () => {});
    const second = devices.present(device, () => {});
    assert.deepEqual([devices.get(device)?.connected, devices.get(device)?.seen], [true, 2_000]);
    clock.now = 3_000;
    first[Symbol.dispose]();
    assert.equal(devices.get(device)?.connected, true);
    second[Symbol.dispose]();
    assert.deepEqual([devices.get(device)?.connected, devices.get(device)?.seen], [false, 3_000]);
    assert.deepEqual(facts.at(-1), { kind: "device", device: devices.get(device) });
  });

  it("are renamed for everybody", () => {
    const { devices, facts } = world();
    const { device } = devices.pair(chance(), phone, owner, chance());
    devices.rename(device, "Ada's");
    assert.deepEqual([devices.get(device)?.name, facts.length], ["Ada's", 2]);
    for (const call of [
      () => devices.rename("x".repeat(43) as DeviceId, "y"),
      () => devices.revoke("x".repeat(43) as DeviceId),
    ])
      assert.throws(call, (error) => error instanceof CallError && error.code === "not_found");
  });
});

describe("revoking a device", () => {
  it("cuts each of its connections, ends its secrets, is told and written down, and outlives a restart", () => {
    const { path, devices, facts } = world();
    const [key, secret] = [chance(), chance()];
    const { device } = devices.pair(key, phone, owner, secret);
    const other = devices.pair(chance(), phone, owner, chance());
    const cut: string[] = [];
    const connections = ["a", "b"].map((name) => {
      const connection: Disposable = devices.present(device, (reason) => {
        cut.push(`${name} ${reason}`);
        // A pipe that is closed says so at once.
        connection[Symbol.dispose]();
      });
      return connection;
    });
    devices.present(other.device, () => assert.fail("another device was cut"));
    devices.revoke(device);
    assert.deepEqual(cut, ["a revoked", "b revoked"]);
    assert.equal(devices.get(device), undefined);
    assert.equal(devices.secretOf(key, is(secret)), undefined);
    assert.equal(devices.advance(key, secret, chance()), false);
    assert.deepEqual(facts.at(-1), { kind: "device.gone", device });
    for (const connection of connections) connection[Symbol.dispose]();
    assert.deepEqual(facts.at(-1), { kind: "device.gone", device }, "its going brings it not back");
    assert.deepEqual(
      world(path)
        .devices.list()
        .map((one) => one.device),
      [other.device],
    );
    using db = new DatabaseSync(path);
    assert.deepEqual(
      db
        .prepare("SELECT event FROM audit WHERE device = ? ORDER BY seq")
        .all(device)
        .map((row) => row["event"]),
      ["device.paired", "device.revoked"],
    );
  });

  it("is not said to be done when it could not be stored, and cuts although the audit log cannot be written", () => {
    const faults = { remove: false, audit: false };
    const full = () => {
      throw new StorageError("full", "The disk is full.");
    };
    const { devices } = world(undefined, (shelf) => ({
      list: () => shelf.list(),
      put: (device) => shelf.put(device),
      remove: (device) => (faults.remove ? full() : shelf.remove(device)),
      audit: (...line) => (faults.audit ? full() : shelf.audit(...line)),
    }));
    const { device } = devices.pair(chance(), phone, owner, chance());
    let cut = 0;
    devices.present(device, () => cut++);
    faults.remove = true;
    assert.throws(() => devices.revoke(device), StorageError);
    assert.ok(devices.get(device), "it is there still, and can be revoked again");
    faults.remove = false;
    faults.audit = true;
    assert.throws(() => devices.revoke(device), StorageError);
    assert.deepEqual([devices.get(device), cut], [undefined, 1]);
  });
});

describe("the secrets of a device", () => {
  it("move on with each connection, and the eight newest open the door", () => {
    const { path, devices } = world();
    const key = chance();
    const secrets = [chance()];
    devices.pair(key, phone, owner, secrets[0] ?? chance());
    for (let at = 0; at < 10; at++) {
      const next = chance();
      assert.equal(devices.advance(key, secrets[at] ?? chance(), next), true);
      secrets.push(next);
    }
    for (const [of, when] of [
      [devices, "now"],
      [world(path).devices, "after a restart"],
    ] as const)
      assert.deepEqual(
        secrets.map((secret) => of.secretOf(key, is(secret)) !== undefined),
        [false, false, false, ...Array<boolean>(8).fill(true)],
        when,
      );
    assert.equal(devices.advance(key, secrets[2] ?? chance(), chance()), false, "one that is too old");
    assert.equal(devices.advance(key, chance(), chance()), false);
    assert.equal(devices.advance(chance(), secrets[10] ?? chance(), chance()), false);
  });

  it("let two windows of one browser come back with the same one, and go on from their own", () => {
    const { devices } = world();
    const [key, shared, one, other] = [chance(), chance(), chance(), chance()];
    devices.pair(key, phone, owner, shared);
    assert.ok(devices.advance(key, shared, one));
    assert.ok(devices.advance(key, shared, other));
    assert.ok(devices.advance(key, one, chance()));
    assert.ok(devices.advance(key, other, chance()));
  });

  it("are not moved by being looked for: who asks may be a recording", () => {
    const { devices, facts } = world();
    const [key, secret] = [chance(), chance()];
    devices.pair(key, phone, owner, secret);
    const before = facts.length;
    for (let at = 0; at < 20; at++) assert.deepEqual(devices.secretOf(key, is(secret)), secret);
    assert.equal(
      devices.secretOf(chance(), () => true),
      undefined,
    );
    assert.equal(facts.length, before);
  });

  it("do not move when that cannot be stored; coming and going does not need the disk", () => {
    let isFull = false;
    const { devices } = world(undefined, (shelf) => ({
      ...shelf,
      put(device) {
        if (isFull) throw new StorageError("full", "The disk is full.");
        shelf.put(device);
      },
    }));
    const [key, secret, next] = [chance(), chance(), chance()];
    const { device } = devices.pair(key, phone, owner, secret);
    isFull = true;
    assert.throws(() => devices.advance(key, secret, next), StorageError);
    assert.equal(devices.secretOf(key, is(next)), undefined);
    assert.deepEqual(devices.secretOf(key, is(secret)), secret);
    const here = devices.present(device, () => {});
    assert.equal(devices.get(device)?.connected, true);
    here[Symbol.dispose]();
    assert.equal(devices.get(device)?.connected, false);
  });
});
