/** Devices: who was paired, what each may do, and which are here now. */
import { createHash, timingSafeEqual } from "node:crypto";
import type { Device, Introduction } from "@flybridge/protocol/device.ts";
import { CallError } from "@flybridge/protocol/error.ts";
import type { FeedFact } from "@flybridge/protocol/feed.ts";
import type { Grant } from "@flybridge/protocol/grant.ts";
import type { DeviceId, SessionId } from "@flybridge/protocol/ids.ts";
import { MAX_DEVICES } from "@flybridge/protocol/limits.ts";
import { toBase64Url } from "@flybridge/protocol/offer.ts";
import { type DeviceShelf, StorageError, type StoredDevice } from "../core/ports.ts";

/**
 * Continuity secrets of one device that still open the door, newest first. Several, because two windows of one browser
 * or two commands of one shell may come back at the same time, each with the secret it read last.
 */
const SECRETS_KEPT = 8;

export interface Devices {
  list(): Device[];
  get(device: DeviceId): Device | undefined;
  pair(key: Uint8Array, introduction: Introduction, grant: Grant, secret: Uint8Array): Device;
  /** The secret that `fits`, of the device with this key; changes nothing, for the question may be a replay. */
  secretOf(key: Uint8Array, fits: (secret: Uint8Array) => boolean): Uint8Array | undefined;
  /** The device proved that it holds `used`. False when it may not come in any more. */
  advance(key: Uint8Array, used: Uint8Array, next: Uint8Array): boolean;
  /** A connection of the device's is up until the result is disposed. `cut` ends it when the device is revoked. */
  present(device: DeviceId, cut: (reason: string) => void): Disposable;
  /** It opened a session; until the result is disposed, or it opens another, it looks at that. */
  view(device: DeviceId, session: SessionId): Disposable;
  rename(device: DeviceId, name: string): void;
  revoke(device: DeviceId): void;
}

export function deviceIdOf(key: Uint8Array): DeviceId {
  return toBase64Url(createHash("sha256").update(key).digest()) as DeviceId;
}

export function makeDevices(around: {
  readonly shelf: DeviceShelf;
  readonly publish: (fact: FeedFact) => void;
  readonly now: () => number;
}): Devices {
  const { shelf, publish, now } = around;
  const stored = new Map<DeviceId, StoredDevice>(shelf.list().map((one) => [one.device.device, one]));
  const cuts = new Map<DeviceId, Set<(reason: string) => void>>();

  const views = new Map<DeviceId, { readonly session: SessionId }>();

  const shown = ({ device }: StoredDevice): Device => {
    const viewing = views.get(device.device)?.session;
    return { ...device, connected: cuts.has(device.device), ...(viewing === undefined ? {} : { viewing }) };
  };
  /** What it looks at is told while there is room for telling; it is nothing to fail at. */
  const tellView = (id: DeviceId): void => {
    const one = stored.get(id);
    try {
      if (one) publish({ kind: "device", device: shown(one) });
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
    }
  };
  const known = (id: DeviceId): StoredDevice => {
    const one = stored.get(id);
    if (!one) throw new CallError("not_found", "There is no such device.");
    return one;
  };
  const keep = (one: StoredDevice): void => {
    shelf.put(one);
    stored.set(one.device.device, one);
    publish({ kind: "device", device: shown(one) });
  };

  return {
    list: () => [...stored.values()].map(shown).sort((a, b) => (b.seen ?? b.paired) - (a.seen ?? a.paired)),
    get: (id) => {
      const one = stored.get(id);
      return one && shown(one);
    },
    pair(key, introduction, grant, secret) {
      const id = deviceIdOf(key);
      if (!stored.has(id) && stored.size >= MAX_DEVICES)
        throw new CallError("too_many", `${MAX_DEVICES} devices are paired. Revoke some first.`);
      const device = { device: id, ...introduction, grant, paired: now() };
      keep({ device, secrets: [secret] });
      shelf.audit(now(), "device.paired", id, introduction.kind);
      return shown(known(id));
    },
    secretOf: (key, fits) => stored.get(deviceIdOf(key))?.secrets.find(fits),
    advance(key, used, next) {
      const one = stored.get(deviceIdOf(key));
      if (!one?.secrets.some((secret) => timingSafeEqual(secret, used))) return false;
      const advanced = { ...one, secrets: [next, ...one.secrets].slice(0, SECRETS_KEPT) };
      shelf.put(advanced);
      stored.set(one.device.device, advanced);
      return true;
    },
    present(id, cut) {
      const set = cuts.get(id) ?? new Set();
      set.add(cut);
      cuts.set(id, set);
      // When it was seen is worth a note, not a connection: on a full disk devices come, read and go all the same.
      const seen = (): void => {
        const one = stored.get(id);
        if (!one) return;
        const noted = { ...one, device: { ...one.device, seen: now() } };
        stored.set(id, noted);
        try {
          keep(noted);
        } catch (error) {
          if (!(error instanceof StorageError)) throw error;
        }
      };
      seen();
      return {
        [Symbol.dispose]() {
          set.delete(cut);
          if (set.size === 0) cuts.delete(id);
          seen();
        },
      };
    },
    view(id, session) {
      const view = { session };
      views.set(id, view);
      tellView(id);
      return {
        [Symbol.dispose]() {
          if (views.get(id) !== view) return;
          views.delete(id);
          tellView(id);
        },
      };
    },
    rename(id, name) {
      const one = known(id);
      keep({ ...one, device: { ...one.device, name } });
    },
    revoke(id) {
      known(id);
      // Stored before it is done: a revocation that a restart forgets is none. Then the cut, before anything can fail.
      shelf.remove(id);
      stored.delete(id);
      for (const cut of cuts.get(id) ?? []) cut("revoked");
      shelf.audit(now(), "device.revoked", id, "");
      publish({ kind: "device.gone", device: id });
    },
  };
}
