/** Devices: who was paired, what each may do, and which are here now. */
import { createHash } from "node:crypto";
import type { Device, Introduction } from "@flybridge/protocol/device.ts";
import { CallError } from "@flybridge/protocol/error.ts";
import type { FeedFact } from "@flybridge/protocol/feed.ts";
import type { Grant, GrantEnd } from "@flybridge/protocol/grant.ts";
import type { DeviceId, SessionId } from "@flybridge/protocol/ids.ts";
import { MAX_DEVICES } from "@flybridge/protocol/limits.ts";
import { toBase64Url } from "@flybridge/protocol/base64.ts";
import type { Way } from "@flybridge/protocol/way.ts";
import { type DeviceShelf, StorageError, type StoredDevice } from "../core/ports.ts";
import type { Occurrence } from "./audit.ts";
import { advanced, begun, recallable } from "./ratchet.ts";

/** The longest that a timer of Node's waits, in milliseconds. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** A secret that was found, and how often its device had come in by then. */
export interface Recalled {
  readonly secret: Uint8Array;
  readonly turn: number;
}

export interface Devices {
  list(): Device[];
  get(device: DeviceId): Device | undefined;
  /**
   * A device that has everything keeps it, whatever it is paired for, and one that uses what came of itself keeps what it
   * had: with its giver's grant its own would not end. One that is suspended has nothing to keep.
   */
  pair(key: Uint8Array, introduction: Introduction, grant: Grant, secret: Uint8Array, way?: Way): Device;
  /** The secret that `fits`, of the device with this key; changes nothing, for the question may be a replay. */
  recall(key: Uint8Array, fits: (secret: Uint8Array) => boolean): Recalled | undefined;
  /**
   * The device proved that it holds `used`. False when it may not come in: it was revoked, another connection of it
   * came in between, or `used` was replaced before, and then it is suspended.
   */
  advance(key: Uint8Array, used: Recalled, next: Uint8Array): boolean;
  /** A connection of the device's is up until the result is disposed. `cut` ends it when its grant ends. */
  present(device: DeviceId, way: Way, cut: (reason: GrantEnd) => void): Disposable;
  /** It opened a session; until the result is disposed, or it opens another, it looks at that. */
  view(device: DeviceId, session: SessionId): Disposable;
  rename(device: DeviceId, name: string, by: DeviceId): void;
  /** The key by which it proves itself to relays. */
  prove(device: DeviceId, proof: string): void;
  byProof(proof: string): Device | undefined;
  /** Ends what it may do and what it passed on, and cuts them all. */
  revoke(device: DeviceId, by?: DeviceId): void;
  /** All but these; tells how many. */
  revokeAll(kept: readonly DeviceId[], by: DeviceId): number;
  /** It gives its own grant back. */
  detach(device: DeviceId): void;
  /** The session is over, and what was granted of it. */
  sessionEnded(session: SessionId): void;
}

export function deviceIdOf(key: Uint8Array): DeviceId {
  return toBase64Url(createHash("sha256").update(key).digest()) as DeviceId;
}

export function makeDevices(around: {
  readonly shelf: DeviceShelf;
  readonly publish: (fact: FeedFact) => void;
  readonly note: (what: Occurrence) => void;
  /** Their grants are over. */
  readonly gone: (devices: ReadonlySet<DeviceId>, ended: readonly StoredDevice["device"][]) => void;
  readonly now: () => number;
  readonly after: (milliseconds: number, work: () => void) => Disposable;
}): Devices & Disposable {
  const { shelf, publish, note, now } = around;
  const stored = new Map<DeviceId, StoredDevice>(shelf.list().map((one) => [one.device.device, one]));
  /** Its connections, in the order in which they came. */
  const cuts = new Map<DeviceId, Set<{ readonly way: Way; readonly end: (reason: GrantEnd) => void }>>();
  const views = new Map<DeviceId, { readonly session: SessionId }>();
  /** How often each came in since this host started. */
  const turns = new Map<DeviceId, number>();
  let timer: Disposable | undefined;

  const turnOf = (id: DeviceId): number => turns.get(id) ?? 0;
  const shown = ({ device }: StoredDevice): Device => {
    const viewing = views.get(device.device)?.session;
    return { ...device, connected: cuts.has(device.device), ...(viewing === undefined ? {} : { viewing }) };
  };
  /** What is told while there is room for telling; it is nothing to fail at. */
  const whileThereIsRoom = (work: () => void): void => {
    try {
      work();
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
    }
  };
  const tell = (id: DeviceId): void => {
    const one = stored.get(id);
    if (one) whileThereIsRoom(() => publish({ kind: "device", device: shown(one) }));
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
  const cut = (id: DeviceId, reason: GrantEnd): void => {
    for (const { end } of cuts.get(id) ?? []) end(reason);
  };

  /** With what they passed on, and what those did. */
  const withHeirs = (ids: readonly DeviceId[]): Set<DeviceId> => {
    const all = new Set(ids);
    for (const id of all)
      for (const { device } of stored.values())
        if (device.grant.kind === "session" && device.grant.by === id) all.add(device.device);
    return all;
  };

  const keeps = ({ device, grant, suspended }: StoredDevice["device"], offered: Grant): boolean =>
    suspended === undefined &&
    (grant.kind === "owner" || (offered.kind === "session" && withHeirs([device]).has(offered.by)));

  /** Stored before it is done: a revocation that a restart forgets is none. Then the cut, before anything can fail. */
  const end = (
    ids: readonly DeviceId[],
    reason: GrantEnd,
    event: Extract<Occurrence["event"], `device.${string}`>,
    by?: DeviceId,
  ): number => {
    const all = withHeirs(ids);
    const ended = [...all].flatMap((id) => stored.get(id) ?? []);
    if (ended.length === 0) return 0;
    shelf.remove([...all]);
    for (const id of all) stored.delete(id);
    for (const id of all) cut(id, reason);
    around.gone(
      all,
      ended.map(({ device }) => device),
    );
    watchExpiry();
    for (const id of all) publish({ kind: "device.gone", device: id });
    for (const { device } of ended) note({ event, device: device.device, by, detail: `${device.kind} ${device.name}` });
    return ended.length;
  };

  const endHeirs = (giver: DeviceId): void => {
    const heirs = [...withHeirs([giver])].filter((id) => id !== giver);
    end(heirs, "revoked", "device.revoked");
  };

  const expire = (): void => {
    const late = [...stored.values()].filter(
      ({ device: { grant } }) => grant.kind === "session" && grant.until <= now(),
    );
    whileThereIsRoom(
      () =>
        void end(
          late.map(({ device }) => device.device),
          "expired",
          "device.expired",
        ),
    );
    watchExpiry();
  };

  function watchExpiry(): void {
    timer?.[Symbol.dispose]();
    timer = undefined;
    const next = Math.min(
      ...[...stored.values()].map(({ device: { grant } }) => (grant.kind === "session" ? grant.until : Infinity)),
    );
    if (next === Infinity) return;
    timer = around.after(Math.min(MAX_TIMER_MS, Math.max(MIN_EXPIRY_MS, next - now())), expire);
  }

  /** An older secret was used by somebody who holds the device's key as well. */
  const suspend = (one: StoredDevice): void => {
    const { device } = one;
    whileThereIsRoom(() => keep({ ...one, device: { ...device, suspended: now() } }));
    // Also where that could not be stored: it stays so while this host runs.
    stored.set(device.device, { ...one, device: { ...device, suspended: now() } });
    cut(device.device, "suspended");
    // Which of the two gave what cannot be told.
    around.gone(new Set([device.device]), [device]);
    whileThereIsRoom(() => endHeirs(device.device));
    whileThereIsRoom(() =>
      note({ event: "device.suspended", device: device.device, detail: `${device.kind} ${device.name}` }),
    );
  };

  expire();

  return {
    list: () => [...stored.values()].map(shown).sort((a, b) => (b.seen ?? b.paired) - (a.seen ?? a.paired)),
    get: (id) => {
      const one = stored.get(id);
      return one && shown(one);
    },
    pair(key, introduction, offered, secret, way) {
      const id = deviceIdOf(key);
      const before = stored.get(id)?.device;
      if (!before && stored.size >= MAX_DEVICES)
        throw new CallError("too_many", `${MAX_DEVICES} devices are paired. Revoke some first.`);
      const isKept = before !== undefined && keeps(before, offered);
      const grant = isKept ? before.grant : offered;
      const device = {
        device: id,
        name: introduction.name,
        kind: introduction.kind,
        grant,
        paired: now(),
        ...(way === undefined ? {} : { way }),
      };
      // What it passed on came of what it had, and so do its connections.
      if (!isKept) {
        endHeirs(id);
        cut(id, "revoked");
      }
      turns.set(id, turnOf(id) + 1);
      keep({ device, secrets: begun(secret) });
      const by = grant.kind === "session" ? grant.by : undefined;
      note({ event: "device.paired", device: id, by, detail: detailOf(introduction, grant, way) });
      watchExpiry();
      return shown(known(id));
    },
    recall(key, fits) {
      const id = deviceIdOf(key);
      const secrets = stored.get(id)?.secrets;
      const secret = secrets && recallable(secrets).find(fits);
      return secret && { secret, turn: turnOf(id) };
    },
    advance(key, { secret: used, turn }, next) {
      const id = deviceIdOf(key);
      const one = stored.get(id);
      if (!one || one.device.suspended !== undefined || turn !== turnOf(id)) return false;
      const secrets = advanced(one.secrets, used, next);
      if (secrets === "copied") suspend(one);
      if (secrets === undefined || secrets === "copied") return false;
      const moved = { ...one, secrets };
      shelf.put(moved);
      stored.set(id, moved);
      turns.set(id, turn + 1);
      return true;
    },
    present(id, way, end) {
      const set = cuts.get(id) ?? new Set();
      const connection = { way, end };
      set.add(connection);
      cuts.set(id, set);
      // When it was seen is worth a note, not a connection: on a full disk devices come, read and go all the same.
      const seen = (): void => {
        const one = stored.get(id);
        if (!one) return;
        // Of several, the newest: one that was gone over from ends after the one that was gone over to came.
        const newest = [...set].at(-1)?.way ?? way;
        const noted = { ...one, device: { ...one.device, seen: now(), way: newest } };
        stored.set(id, noted);
        whileThereIsRoom(() => keep(noted));
      };
      seen();
      return {
        [Symbol.dispose]() {
          set.delete(connection);
          if (set.size === 0) cuts.delete(id);
          seen();
        },
      };
    },
    view(id, session) {
      const view = { session };
      views.set(id, view);
      tell(id);
      return {
        [Symbol.dispose]() {
          if (views.get(id) !== view) return;
          views.delete(id);
          tell(id);
        },
      };
    },
    rename(id, name, by) {
      const one = known(id);
      keep({ ...one, device: { ...one.device, name } });
      note({ event: "device.renamed", device: id, by, detail: name });
    },
    prove(id, proof) {
      const one = known(id);
      if (one.device.proof !== proof) keep({ ...one, device: { ...one.device, proof } });
    },
    byProof(proof) {
      const one = [...stored.values()].find(({ device }) => device.proof === proof);
      return one && shown(one);
    },
    revoke(id, by) {
      known(id);
      end([id], "revoked", "device.revoked", by);
    },
    revokeAll(kept, by) {
      return end(
        [...stored.keys()].filter((id) => !kept.includes(id)),
        "revoked",
        "device.revoked",
        by,
      );
    },
    detach(id) {
      if (known(id).device.grant.kind === "owner")
        throw new CallError("wrong_state", "This device has the whole host, not a session that was shared with it.");
      end([id], "detached", "device.detached", id);
    },
    sessionEnded(session) {
      const guests = [...stored.values()].filter(
        ({ device: { grant } }) => grant.kind === "session" && grant.session === session,
      );
      end(
        guests.map(({ device }) => device.device),
        "session_ended",
        "device.expired",
      );
    },
    [Symbol.dispose]: () => timer?.[Symbol.dispose](),
  };
}

/** A clock that stands still must not make the timer ring without end. */
const MIN_EXPIRY_MS = 50;

function detailOf({ name, kind }: Introduction, grant: Grant, way: Way | undefined): string {
  const what = grant.kind === "owner" ? "everything" : `${grant.verbs.join(", ")} on ${grant.session}`;
  return `${kind} ${name}${way === undefined ? "" : `, by ${way}`}: ${what}`;
}
