/** The ratchet of secrets, whatever is cut, crashes or comes late: it accuses no honest device, and finds every copy. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, it } from "node:test";
import fc from "fast-check";
import { StorageError, type StoredDevice } from "../core/ports.ts";
import { deviceIdOf, type Devices, makeDevices, type Recalled } from "./devices.ts";

/** How far a visit gets: where the device dies, the host dies, or a word between them is lost. */
const DEVICE_CRASHES = ["device: before it stores", "device: stored", "device: heard, before it forgets"] as const;
const HOST_CRASHES = ["host: before it stores", "host: stored"] as const;
const LOSSES = ["first record late", "confirmation lost", "host: no room"] as const;
const FATES = ["whole", ...LOSSES, ...DEVICE_CRASHES, ...HOST_CRASHES] as const;
type Fate = (typeof FATES)[number];

const RUNS = 300;
/** Fewer than the replaced secrets that a host still knows. */
const STEPS = 24;
const MIN_CRASHES = 500;

const chance = (): Uint8Array => new Uint8Array(randomBytes(32));
const is = (wanted: Uint8Array) => (secret: Uint8Array) => Buffer.from(secret).equals(wanted);

class Crash extends Error {}

/** What a device, or a copy of it, has on its disk. Newest first: the order in which it tries them. */
interface Disk {
  secrets: readonly Uint8Array[];
}

/** A first record on its way. */
interface Underway {
  readonly recalled: Recalled;
  readonly next: Uint8Array;
}

/** How a visit ended: at once, on the way, refused by its first record, or unknown already by its tag. */
type Outcome = "in" | "gone" | "refused" | "unknown";

/** One host and one device key, and what the host stored of it: that outlives the host. */
class World {
  readonly key = chance();
  readonly id = deviceIdOf(this.key);
  readonly disk: Disk;
  /** First records that may yet arrive; with the host their links end. */
  late: Underway[] = [];
  #stored: StoredDevice | undefined;
  #devices: Devices;
  #fate: Fate = "whole";

  constructor() {
    this.#devices = this.#start();
    const secret = chance();
    this.#devices.pair(this.key, { name: "phone", kind: "phone" }, { kind: "owner" }, secret);
    this.disk = { secrets: [secret] };
  }

  get isSuspended(): boolean {
    return this.#devices.get(this.id)?.suspended !== undefined;
  }

  restart(): void {
    this.late = [];
    this.#devices = this.#start();
  }

  /** A late record arrives; whether it was let in. */
  arrive(which: number): boolean {
    const [one] = this.late.splice(this.late.length === 0 ? 0 : which % this.late.length, 1);
    return one !== undefined && this.#devices.advance(this.key, one.recalled, one.next);
  }

  /** A window of whoever has this disk comes, with one secret after the other; `between` happens before its first record. */
  visit(disk: Disk, fate: Fate, between: () => void = () => {}): Outcome {
    for (const secret of disk.secrets) {
      const recalled = this.#devices.recall(this.key, is(secret));
      if (!recalled) continue;
      if (fate === "device: before it stores") return "gone";
      const next = chance();
      disk.secrets = [next, secret];
      if (fate === "device: stored") return "gone";
      if (fate === "first record late") {
        this.late.push({ recalled, next });
        return "gone";
      }
      between();
      const told = this.#advance({ recalled, next }, fate);
      if (told !== "in") return told;
      if (fate === "confirmation lost" || fate === "device: heard, before it forgets") return "in";
      disk.secrets = [next];
      return "in";
    }
    return "unknown";
  }

  #advance({ recalled, next }: Underway, fate: Fate): Outcome {
    this.#fate = fate;
    try {
      return this.#devices.advance(this.key, recalled, next) ? "in" : "refused";
    } catch (error) {
      if (error instanceof Crash) this.restart();
      else assert.ok(error instanceof StorageError);
      return "gone";
    } finally {
      this.#fate = "whole";
    }
  }

  #start(): Devices {
    return makeDevices({
      shelf: {
        list: () => (this.#stored ? [this.#stored] : []),
        remove: () => assert.fail("nobody is revoked"),
        put: (device) => {
          if (this.#fate === "host: no room") throw new StorageError("full", "no room");
          if (this.#fate === "host: before it stores") throw new Crash();
          this.#stored = device;
          if (this.#fate === "host: stored") throw new Crash();
        },
      },
      publish() {},
      note() {},
      gone() {},
      now: () => 1_000,
      after: () => ({ [Symbol.dispose]() {} }),
    });
  }
}

const fate = fc.constantFrom(...FATES);
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("visit" as const), fate, meanwhile: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("arrival" as const), which: fc.nat({ max: STEPS }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("restart" as const) }) },
);
const steps = fc.array(step, { minLength: STEPS / 2, maxLength: STEPS });

describe("the ratchet", () => {
  it("accuses no honest device and shuts none out, wherever it and its host crash and whatever comes late", () => {
    const crashes = { device: 0, host: 0 };
    const honest = fc.property(steps, (taken) => {
      const world = new World();
      for (const one of taken) {
        if (one.kind === "restart") world.restart();
        else if (one.kind === "arrival") world.arrive(one.which);
        else {
          let cameBetween = false;
          const outcome = world.visit(world.disk, one.fate, () => {
            cameBetween = one.meanwhile && world.arrive(0);
          });
          // Of two first records that were begun at once one is let in; the window of the other comes again.
          assert.ok(outcome === "in" || outcome === "gone" || (outcome === "refused" && cameBetween), outcome);
          if (DEVICE_CRASHES.some((crash) => crash === one.fate)) crashes.device++;
          if (HOST_CRASHES.some((crash) => crash === one.fate)) crashes.host++;
        }
        assert.equal(world.isSuspended, false);
      }
      assert.equal(world.visit(world.disk, "whole"), "in");
      assert.equal(world.isSuspended, false);
    });
    fc.assert(honest, { numRuns: RUNS });
    assert.ok(crashes.device >= MIN_CRASHES && crashes.host >= MIN_CRASHES, JSON.stringify(crashes));
  });

  it("finds a copy once both it and the original have come in: the second of them is refused and the device suspended", () => {
    const both = { found: 0 };
    /** Whoever has a copy may come with any secret that it ever had. */
    const turn = fc.record({ isThief: fc.boolean(), fate, which: fc.nat({ max: STEPS }) });
    const robbed = fc.property(steps, fc.array(turn, { maxLength: STEPS / 2 }), fc.nat(), (before, turns, last) => {
      const world = new World();
      for (const one of before)
        if (one.kind === "restart") world.restart();
        else if (one.kind === "arrival") world.arrive(one.which);
        else world.visit(world.disk, one.fate);
      const stolen = [...world.disk.secrets];
      const steal = (which: number, how: Fate): Outcome => {
        const disk = { secrets: stolen.slice(which % stolen.length).slice(0, 1) };
        const outcome = world.visit(disk, how);
        stolen.unshift(...disk.secrets.filter((secret) => !stolen.includes(secret)));
        return outcome;
      };
      for (const { isThief, fate: how, which } of turns)
        if (isThief) steal(which, how);
        else world.visit(world.disk, how);
      const isIn = world.visit(world.disk, "whole") === "in";
      if (!isIn || steal(last, "whole") !== "in") return;
      both.found++;
      assert.equal(world.visit(world.disk, "whole"), "refused");
      assert.equal(world.isSuspended, true);
      // It stays so, for both of them and over a restart.
      world.restart();
      for (const which of [...stolen].keys()) assert.notEqual(steal(which, "whole"), "in");
      assert.notEqual(world.visit(world.disk, "whole"), "in");
    });
    fc.assert(robbed, { numRuns: RUNS });
    assert.ok(both.found >= RUNS / 20, `${both.found} runs in which both came in`);
  });
});
