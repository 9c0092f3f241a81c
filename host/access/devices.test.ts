import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { CallError } from "@flybridge/protocol/error.ts";
import type { FeedFact } from "@flybridge/protocol/feed.ts";
import type { SessionGrant } from "@flybridge/protocol/grant.ts";
import type { DeviceId, SessionId } from "@flybridge/protocol/ids.ts";
import { MAX_DEVICES } from "@flybridge/protocol/limits.ts";
import { type DeviceShelf, StorageError } from "../core/ports.ts";
import { openStore } from "../machine/store/store.ts";
import type { Occurrence } from "./audit.ts";
import { deviceIdOf, type Devices, makeDevices } from "./devices.ts";

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
  const noted: Occurrence[] = [];
  const gone: DeviceId[][] = [];
  const clock = { now: 1_000 };
  const timers = new Set<{ readonly at: number; readonly work: () => void }>();
  const devices = makeDevices({
    shelf: shelfOf(store.devices),
    publish: (fact) => facts.push(fact),
    note: (what) => noted.push(what),
    gone: (ids) => gone.push([...ids]),
    now: () => clock.now,
    after(milliseconds, work) {
      const timer = { at: clock.now + milliseconds, work };
      timers.add(timer);
      return { [Symbol.dispose]: () => void timers.delete(timer) };
    },
  });
  /** The clock goes on, and what was to ring by then rings. */
  const pass = (milliseconds: number): void => {
    clock.now += milliseconds;
    for (const timer of timers)
      if (timer.at <= clock.now) {
        timers.delete(timer);
        timer.work();
      }
  };
  return { path, store, facts, noted, gone, clock, pass, devices };
}

/** Comes back with a secret, as the gate lets it. */
function comeIn(devices: Devices, key: Uint8Array, used: Uint8Array, next: Uint8Array): boolean {
  const recalled = devices.recall(key, is(used));
  return recalled !== undefined && devices.advance(key, recalled, next);
}

const A = "01980000-0000-7000-8000-0000000000aa" as SessionId;
const B = "01980000-0000-7000-8000-0000000000bb" as SessionId;
const shared = (by: DeviceId, session = A, until = 10_000): SessionGrant => ({
  kind: "session",
  session,
  verbs: ["read", "share"],
  until,
  by,
});

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
    assert.deepEqual(again.recall(key, is(secret))?.secret, secret);
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
    assert.equal(devices.recall(key, is(first)), undefined);
    assert.deepEqual(
      devices.list().map(({ name }) => name),
      ["Again"],
    );
  });

  it("are a bounded number, but those that are paired may pair again", () => {
    const { devices } = world(undefined, () => ({ list: () => [], put: () => {}, remove: () => {} }));
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
    const first = devices.present(device, "tls", () => {});
    const second = devices.present(device, "tls", () => {});
    assert.deepEqual([devices.get(device)?.connected, devices.get(device)?.seen], [true, 2_000]);
    clock.now = 3_000;
    first[Symbol.dispose]();
    assert.equal(devices.get(device)?.connected, true);
    second[Symbol.dispose]();
    assert.deepEqual([devices.get(device)?.connected, devices.get(device)?.seen], [false, 3_000]);
    assert.deepEqual(facts.at(-1), { kind: "device", device: devices.get(device) });
  });

  it("are there by the way of their newest connection, also when an earlier one ends after it came", () => {
    const { devices } = world();
    const { device } = devices.pair(chance(), phone, owner, chance(), "relay");
    const roundabout = devices.present(device, "relay", () => {});
    const direct = devices.present(device, "direct", () => {});
    roundabout[Symbol.dispose]();
    assert.equal(devices.get(device)?.way, "direct");
    const again = devices.present(device, "relay", () => {});
    assert.equal(devices.get(device)?.way, "relay");
    again[Symbol.dispose]();
    assert.equal(devices.get(device)?.way, "direct");
    direct[Symbol.dispose]();
    assert.equal(devices.get(device)?.way, "direct");
  });

  it("are renamed for everybody", () => {
    const { devices, facts } = world();
    const { device } = devices.pair(chance(), phone, owner, chance());
    devices.rename(device, "Ada's", device);
    assert.deepEqual([devices.get(device)?.name, facts.length], ["Ada's", 2]);
    for (const call of [
      () => devices.rename("x".repeat(43) as DeviceId, "y", "x".repeat(43) as DeviceId),
      () => devices.revoke("x".repeat(43) as DeviceId),
    ])
      assert.throws(call, (error) => error instanceof CallError && error.code === "not_found");
  });
});

describe("revoking a device", () => {
  it("cuts each of its connections, ends its secrets, is told and written down, and outlives a restart", () => {
    const { path, devices, facts, noted } = world();
    const [key, secret] = [chance(), chance()];
    const { device } = devices.pair(key, phone, owner, secret);
    const other = devices.pair(chance(), phone, owner, chance());
    const cut: string[] = [];
    const connections = ["a", "b"].map((name) => {
      const connection: Disposable = devices.present(device, "tls", (reason) => {
        cut.push(`${name} ${reason}`);
        // A pipe that is closed says so at once.
        connection[Symbol.dispose]();
      });
      return connection;
    });
    devices.present(other.device, "tls", () => assert.fail("another device was cut"));
    devices.revoke(device);
    assert.deepEqual(cut, ["a revoked", "b revoked"]);
    assert.equal(devices.get(device), undefined);
    assert.equal(devices.recall(key, is(secret)), undefined);
    assert.equal(comeIn(devices, key, secret, chance()), false);
    assert.deepEqual(facts.at(-1), { kind: "device.gone", device });
    for (const connection of connections) connection[Symbol.dispose]();
    assert.deepEqual(facts.at(-1), { kind: "device.gone", device }, "its going brings it not back");
    assert.deepEqual(
      world(path)
        .devices.list()
        .map((one) => one.device),
      [other.device],
    );
    assert.deepEqual(
      noted.filter((one) => one.device === device).map(({ event }) => event),
      ["device.paired", "device.revoked"],
    );
  });

  it("is not said to be done when it could not be stored", () => {
    const faults = { remove: false };
    const { devices } = world(undefined, (shelf) => ({
      ...shelf,
      remove(ids) {
        if (faults.remove) throw new StorageError("full", "The disk is full.");
        shelf.remove(ids);
      },
    }));
    const { device } = devices.pair(chance(), phone, owner, chance());
    let cut = 0;
    devices.present(device, "tls", () => cut++);
    faults.remove = true;
    assert.throws(() => devices.revoke(device), StorageError);
    assert.ok(devices.get(device), "it is there still, and can be revoked again");
    faults.remove = false;
    devices.revoke(device);
    assert.deepEqual([devices.get(device), cut], [undefined, 1]);
  });

  it("ends what it passed on, and what was passed on of that", () => {
    const { devices, gone } = world();
    const { device: desk } = devices.pair(chance(), phone, owner, chance());
    const { device: guest } = devices.pair(chance(), phone, shared(desk), chance());
    const { device: guestOfGuest } = devices.pair(chance(), phone, shared(guest), chance());
    const { device: other } = devices.pair(chance(), phone, owner, chance());
    const cut: string[] = [];
    for (const one of [guest, guestOfGuest, other]) devices.present(one, "tls", (why) => cut.push(`${one} ${why}`));
    devices.revoke(desk);
    assert.deepEqual(cut, [`${guest} revoked`, `${guestOfGuest} revoked`]);
    assert.deepEqual(
      devices.list().map(({ device }) => device),
      [other],
    );
    assert.deepEqual(gone, [[desk, guest, guestOfGuest]]);
  });

  it("of all leaves those that are named", () => {
    const { devices } = world();
    const [desk, shell] = [0, 1].map(() => devices.pair(chance(), phone, owner, chance()).device);
    const { device: tablet } = devices.pair(chance(), phone, owner, chance());
    devices.pair(chance(), phone, shared(tablet), chance());
    assert.ok(desk && shell);
    assert.equal(devices.revokeAll([desk, shell], desk), 2);
    assert.deepEqual(new Set(devices.list().map(({ device }) => device)), new Set([desk, shell]));
    assert.equal(devices.revokeAll([desk, shell], desk), 0);
  });
});

describe("what is shared of a session", () => {
  it("[C30] ends at its time to the millisecond, and cuts who is there", () => {
    const { devices, noted, pass } = world();
    const { device: desk } = devices.pair(chance(), phone, owner, chance());
    const { device: soon } = devices.pair(chance(), phone, shared(desk, A, 5_000), chance());
    const { device: later } = devices.pair(chance(), phone, shared(desk, A, 9_000), chance());
    const cut: string[] = [];
    for (const one of [desk, soon, later]) devices.present(one, "tls", (why) => cut.push(`${one} ${why}`));
    pass(3_999);
    assert.deepEqual(cut, []);
    pass(1);
    assert.deepEqual(cut, [`${soon} expired`]);
    assert.equal(noted.at(-1)?.event, "device.expired");
    pass(4_000);
    assert.deepEqual(cut, [`${soon} expired`, `${later} expired`]);
    assert.ok(devices.get(desk));
  });

  it("is over after a restart when its time passed meanwhile", () => {
    const { devices, path } = world();
    const { device: desk } = devices.pair(chance(), phone, owner, chance());
    const { device: guest } = devices.pair(chance(), phone, shared(desk, A, 1_000), chance());
    assert.ok(devices.get(guest));
    const again = world(path).devices;
    assert.deepEqual([again.get(guest), again.get(desk)?.device], [undefined, desk]);
  });

  it("ends with the session, and no other session's with it", () => {
    const { devices } = world();
    const { device: desk } = devices.pair(chance(), phone, owner, chance());
    const { device: ofA } = devices.pair(chance(), phone, shared(desk, A), chance());
    const { device: ofB } = devices.pair(chance(), phone, shared(desk, B), chance());
    const cut: string[] = [];
    for (const one of [desk, ofA, ofB]) devices.present(one, "tls", (why) => cut.push(`${one} ${why}`));
    devices.sessionEnded(A);
    assert.deepEqual(cut, [`${ofA} session_ended`]);
    assert.deepEqual([devices.get(ofA), devices.get(ofB)?.device], [undefined, ofB]);
  });

  it("[C15] is given back by its guest; a device of the owner's has nothing to give back", () => {
    const { devices } = world();
    const { device: desk } = devices.pair(chance(), phone, owner, chance());
    const { device: guest } = devices.pair(chance(), phone, shared(desk), chance());
    devices.detach(guest);
    assert.equal(devices.get(guest), undefined);
    assert.throws(
      () => devices.detach(desk),
      (error) => error instanceof CallError && error.code === "wrong_state",
    );
  });

  it("takes nothing from a device that has everything", () => {
    const { devices } = world();
    const key = chance();
    const { device: desk } = devices.pair(key, phone, owner, chance());
    assert.deepEqual(devices.pair(key, phone, shared(desk), chance()).grant, owner);
  });
});

describe("the secrets of a device", () => {
  it("move on with each connection, over restarts", () => {
    const { path, devices } = world();
    const key = chance();
    const secrets = [chance()];
    devices.pair(key, phone, owner, secrets[0] ?? chance());
    let host = devices;
    for (let at = 0; at < 10; at++) {
      if (at % 3 === 0) host = world(path).devices;
      const next = chance();
      assert.ok(comeIn(host, key, secrets.at(-1) ?? chance(), next), `${at}`);
      secrets.push(next);
    }
    assert.equal(comeIn(host, chance(), secrets.at(-1) ?? chance(), chance()), false, "of another key");
    assert.equal(comeIn(host, key, chance(), chance()), false, "one that never was");
  });

  it("open the door by the one that was used last and by the one that was given then, whichever the device kept", () => {
    for (const kept of ["used", "given"] as const) {
      const { devices, noted } = world();
      const [key, used, given, next] = [chance(), chance(), chance(), chance()];
      const { device } = devices.pair(key, phone, owner, used);
      assert.ok(comeIn(devices, key, used, given));
      assert.ok(comeIn(devices, key, kept === "used" ? used : given, next), kept);
      assert.ok(comeIn(devices, key, next, chance()));
      assert.equal(devices.get(device)?.suspended, undefined);
      assert.ok(!noted.some(({ event }) => event === "device.suspended"));
    }
  });

  it("that were replaced show a copy: the device is suspended, cut and told of, whoever of the two comes now", () => {
    const { path, devices, noted, facts } = world();
    const [key, first, second, third] = [chance(), chance(), chance(), chance()];
    const { device } = devices.pair(key, phone, owner, first);
    assert.ok(comeIn(devices, key, first, second));
    assert.ok(comeIn(devices, key, second, third));
    const cut: string[] = [];
    devices.present(device, "tls", (why) => cut.push(why));
    assert.equal(comeIn(devices, key, first, chance()), false);
    assert.deepEqual(cut, ["suspended"]);
    assert.equal(noted.at(-1)?.event, "device.suspended");
    assert.ok(facts.some((fact) => fact.kind === "device" && fact.device.suspended !== undefined));
    for (const kept of [devices, world(path).devices]) {
      assert.equal(comeIn(kept, key, third, chance()), false);
      assert.equal(kept.get(device)?.suspended, 1_000);
    }
    devices.pair(key, phone, owner, first);
    assert.equal(devices.get(device)?.suspended, undefined, "paired anew");
    assert.ok(comeIn(devices, key, first, chance()));
  });

  it("accuse nobody whose first word comes late: another connection of the device came in meanwhile", () => {
    const { devices, noted } = world();
    const [key, first, second, third] = [chance(), chance(), chance(), chance()];
    devices.pair(key, phone, owner, first);
    const late = devices.recall(key, is(first));
    assert.ok(late);
    assert.ok(comeIn(devices, key, first, second));
    assert.ok(comeIn(devices, key, second, third));
    assert.equal(devices.advance(key, late, chance()), false);
    assert.ok(!noted.some(({ event }) => event === "device.suspended"));
    assert.ok(comeIn(devices, key, third, chance()));
  });

  it("are not moved by being looked for: who asks may be a recording", () => {
    const { devices, facts } = world();
    const [key, secret] = [chance(), chance()];
    devices.pair(key, phone, owner, secret);
    const before = facts.length;
    for (let at = 0; at < 20; at++) assert.deepEqual(devices.recall(key, is(secret))?.secret, secret);
    assert.equal(
      devices.recall(chance(), () => true),
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
    assert.throws(() => comeIn(devices, key, secret, next), StorageError);
    assert.equal(devices.recall(key, is(next)), undefined);
    assert.deepEqual(devices.recall(key, is(secret))?.secret, secret);
    const here = devices.present(device, "tls", () => {});
    assert.equal(devices.get(device)?.connected, true);
    here[Symbol.dispose]();
    assert.equal(devices.get(device)?.connected, false);
  });
});
