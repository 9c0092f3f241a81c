/**
 * Windows of one device that come back side by side, through the client's own code and the host's own gate: whatever is cut
 * between them, late, or not stored, the host takes them for one device, and the next window gets in.
 */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { fileKeys } from "@flybridge/client/keys-node.ts";
import { comeBack } from "@flybridge/client/meeting.ts";
import { nodePlatformOver } from "@flybridge/client/platform-node.ts";
import type { Platform } from "@flybridge/client/platform.ts";
import type { KnownHost } from "@flybridge/client/replica.ts";
import { memoryStore } from "@flybridge/client/store-memory.ts";
import { StoreError } from "@flybridge/client/store.ts";
import { signingKey } from "@flybridge/crypto/identity.ts";
import { nodeKey, nodeSuite } from "@flybridge/crypto/suite-node.ts";
import { type Access, openAccess } from "@flybridge/host/access/access.ts";
import { deviceIdOf } from "@flybridge/host/access/devices.ts";
import { memoryShelves, NO_RELAYS } from "@flybridge/host/access/memory.fixture.ts";
import type { Desk } from "@flybridge/host/doors/desk.ts";
import { type Gate, makeGate } from "@flybridge/host/doors/gate.ts";
import { nodeDeflate, nodeInflate } from "@flybridge/host/machine/deflate.ts";
import { toBase64Url } from "@flybridge/protocol/base64.ts";
import type { HostId } from "@flybridge/protocol/ids.ts";
import type { Link, LinkEvents } from "@flybridge/transport/link.ts";
import { memoryLink } from "@flybridge/transport/memory.ts";
import fc from "fast-check";

const RUNS = 40;
const ROUNDS = 8;
const WINDOWS = 3;
const PACE_MS = 15_000;
const HOST = "h".repeat(56) as HostId;
const hostKey = nodeKey(new Uint8Array(32).fill(1));
const suite = nodeSuite();
const unaborted = new AbortController().signal;

const root = mkdtempSync(join(tmpdir(), "flybridge-windows-"));
after(() => rmSync(root, { recursive: true, force: true }));

/** What befalls one window on its way: after so many frames of its own or of the host's it is cut off, or it cannot store. */
const mishap = fc.oneof(
  fc.constant({ kind: "none" as const }),
  // The last is its first record. What was held back may reach the host when the window has long gone.
  fc.record({ kind: fc.constant("sending" as const), frames: fc.integer({ min: 0, max: 2 }), isLate: fc.boolean() }),
  fc.record({ kind: fc.constant("hearing" as const), frames: fc.integer({ min: 0, max: 3 }) }),
  fc.record({ kind: fc.constant("storing" as const), times: fc.integer({ min: 0, max: 1 }), isKept: fc.boolean() }),
);
type Mishap = typeof mishap extends fc.Arbitrary<infer T> ? T : never;

/** A window's link that is cut for the window, and still there for the host. */
interface Held {
  /** What was held back goes on its way, and the link ends. */
  arrive(): void;
  lose(): void;
}

/** A link on which one befalls. */
function unlucky(link: Link, what: Mishap): { readonly link: Link } & Held {
  let events: LinkEvents | undefined;
  let [sent, heard, isCut] = [0, 0, false];
  const held: Uint8Array[] = [];
  const cut = (): void => {
    isCut = true;
    queueMicrotask(() => events?.ended({ kind: "cut", detail: "cut" }));
    if (what.kind !== "sending" || !what.isLate) link.close("cut");
  };
  return {
    link: {
      listen(given) {
        events = given;
        link.listen({
          frame(bytes) {
            if (isCut) return;
            if (what.kind === "hearing" && heard++ === what.frames) cut();
            else given.frame(bytes);
          },
          drained: () => given.drained(),
          ended: (end) => (isCut ? undefined : given.ended(end)),
        });
      },
      send(frame) {
        if (!isCut && what.kind === "sending" && sent++ === what.frames) cut();
        if (isCut) held.push(frame);
        else link.send(frame);
      },
      get buffered() {
        return link.buffered;
      },
      close(detail) {
        if (!isCut) link.close(detail);
      },
    },
    arrive() {
      if (!isCut) return;
      for (const frame of held) link.send(frame);
      link.close("late");
    },
    lose: () => link.close("lost"),
  };
}

/** A host that can be started again over what it stored. */
class Host {
  readonly #shelves = memoryShelves();
  access!: Access;
  gate!: Gate;

  constructor() {
    this.start();
  }

  start(): void {
    this.gate?.close("restart");
    const now = (): number => Date.now();
    this.access = openAccess({
      store: this.#shelves,
      relays: NO_RELAYS,
      identity: { host: HOST, signing: signingKey(new Uint8Array(32).fill(1)) },
      publish() {},
      now,
      after: () => ({ [Symbol.dispose]() {} }),
    });
    this.gate = makeGate({
      ...this.access,
      suite,
      hostKey,
      hostId: HOST,
      confirm: "never",
      desk: { host: { id: HOST, name: "host", version: "1" } } as Desk,
      deflate: nodeDeflate,
      inflate: nodeInflate,
      note() {},
      log() {},
      now,
    });
  }
}

/** One window: the client's keys in files, as of a process of its own, and a way to the host. */
async function windowOf(folder: string, host: Host, what: Mishap, late: Held[]): Promise<Platform> {
  const keys = await fileKeys(folder);
  let kept = 0;
  const platform = nodePlatformOver({
    store: memoryStore(),
    keys: {
      ...keys,
      async keep(id, secrets) {
        const isUnlucky = what.kind === "storing" && kept++ === what.times;
        if (!isUnlucky || what.isKept) await keys.keep(id, secrets);
        if (isUnlucky) throw new StoreError("full", "no room");
      },
    },
  });
  const dial = (): Link => {
    const [inside, outside] = memoryLink();
    const held = unlucky(outside, what);
    if (what.kind === "sending" && what.isLate) late.push(held);
    host.gate.enter(inside, { way: "loopback" });
    return held.link;
  };
  return { ...platform, reach: () => Promise.resolve({ suite, dial, relay: dial }) };
}

const round = fc.record({
  windows: fc.array(mishap, { minLength: 1, maxLength: WINDOWS }),
  next: fc.constantFrom("go on", "what is late arrives", "the host starts again"),
});

describe("windows of one device", { timeout: 120_000 }, () => {
  it("are one device, whatever befalls them on the way", async () => {
    const counted = { in: 0, out: 0 };
    const property = fc.asyncProperty(fc.array(round, { minLength: ROUNDS / 2, maxLength: ROUNDS }), async (rounds) => {
      const host = new Host();
      const folder = mkdtempSync(join(root, "device-"));
      const keys = await fileKeys(folder);
      const { publicKey } = await keys.device();
      const first = new Uint8Array(randomBytes(32));
      host.access.devices.pair(publicKey, { name: "phone", kind: "phone" }, { kind: "owner" }, first);
      await keys.keep(HOST, [first]);
      const known: KnownHost = {
        host: HOST,
        name: "host",
        addresses: ["ws://127.0.0.1"],
        hostKey: toBase64Url(hostKey.publicKey),
        device: deviceIdOf(publicKey),
        paired: 0,
      };
      const late: Held[] = [];
      const come = async (what: Mishap): Promise<boolean> => {
        const platform = await windowOf(folder, host, what, late);
        const found = await comeBack(platform, known, PACE_MS, unaborted).catch(() => undefined);
        found?.pipe.close("done");
        found?.stored();
        return found !== undefined;
      };
      const isSuspended = (): boolean => host.access.devices.get(known.device)?.suspended !== undefined;
      for (const { windows, next } of rounds) {
        const inside = await Promise.all(windows.map(come));
        counted.in += inside.filter(Boolean).length;
        counted.out += inside.filter((isIn) => !isIn).length;
        if (next === "what is late arrives") for (const held of late.splice(0)) held.arrive();
        if (next === "the host starts again") {
          for (const held of late.splice(0)) held.lose();
          host.start();
        }
        assert.equal(isSuspended(), false);
      }
      for (const held of late) held.lose();
      const isIn = (await come({ kind: "none" })) || (await come({ kind: "none" }));
      assert.equal(isIn, true, "the next window, or the one after where something late came between");
      assert.equal(isSuspended(), false);
    });
    await fc.assert(property, { numRuns: RUNS, endOnFailure: true });
    assert.ok(counted.in > RUNS && counted.out > RUNS, JSON.stringify(counted));
  });
});
