/** The relays that this host is reached by: which they are, kept in one file, and a door to each. */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { pairingOfferOf } from "@flybridge/crypto/account.ts";
import type { HeldSigningKey } from "@flybridge/crypto/identity.ts";
import { fromBase64Url, toBase64Url } from "@flybridge/protocol/base64.ts";
import type { IceServer } from "@flybridge/protocol/direct.ts";
import { CallError } from "@flybridge/protocol/error.ts";
import { DeviceId, type HostId } from "@flybridge/protocol/ids.ts";
import { RENDEZVOUS_BYTES } from "@flybridge/protocol/relay/words.ts";
import { type HostRelay, MAX_RELAYS, type RelayWay } from "@flybridge/protocol/relays.ts";
import * as v from "valibot";
import type { TrustedAccount } from "./access/accounts.ts";
import type { Offer } from "./access/offers.ts";
import type { Gate } from "./doors/gate.ts";
import { openRelay, type RelayDoor, type RelayFile } from "./doors/relay.ts";
import { readPrivate, writePrivate } from "./machine/files.ts";

const KEY_BYTES = 32;
/** Devices that no account brings back; the oldest give way. */
const MAX_BARRED = 1_024;

const File = v.object({
  relays: v.array(
    v.object({
      origin: v.string(),
      rendezvous: v.string(),
      session: v.optional(v.string()),
      account: v.optional(v.object({ key: v.string(), pairing: v.string(), endorsement: v.string() })),
    }),
  ),
  barred: v.array(DeviceId),
});

export interface Relays extends Disposable {
  list(): HostRelay[];
  /** Dials it from now on, also after a restart. Of one that is there already, tries again now. */
  add(origin: string, invitation?: string): void;
  remove(origin: string): void;
  /** The ways by which a device that proves itself with `key` comes back. */
  waysFor(key: string, until: number | undefined): Promise<RelayWay[]>;
  /** What an invitation names: a relay that is connected, one that serves the app first. */
  forOffer(): { readonly origin: string; readonly rendezvous: string; readonly app: boolean } | undefined;
  /** That the relays named. */
  ice(): readonly IceServer[];
  offersChanged(): void;
  revoked(keys: readonly string[]): void;
  /** Lets the devices of an account in; without one, no longer. Throws `CallError("not_found")`. */
  trust(origin: string, account: RelayFile["account"]): void;
  trusted(): readonly TrustedAccount[];
  isBarred(device: DeviceId): boolean;
  /** Of those that their owner revoked: no account brings them back, until they are paired anew. */
  bar(devices: readonly DeviceId[]): void;
  readmit(device: DeviceId): void;
}

export function openRelays(around: {
  readonly root: string;
  /** Beside those of the file. */
  readonly origins: readonly string[];
  /** For the new ones among them. */
  readonly invitation?: string | undefined;
  readonly host: { readonly id: HostId; readonly key: Uint8Array; readonly signing: HeldSigningKey };
  readonly gate: Gate;
  offers(): readonly Offer[];
  deviceOf(key: string): { readonly device: DeviceId; readonly until?: number | undefined } | undefined;
  doubled(key: string): void;
  now(): number;
  log(message: string, detail: Record<string, unknown>): void;
}): Relays {
  const path = join(around.root, "relays.json");
  const { host } = around;
  const random = (bytes: number): Uint8Array => new Uint8Array(randomBytes(bytes));
  const doors = new Map<string, RelayDoor>();
  const kept = readFile(path);
  const barred = new Set(kept.barred);
  const files = (): RelayFile[] => [...doors.values()].map(({ file }) => file);
  const save = (relays: readonly RelayFile[] = files()): void =>
    writePrivate(path, `${JSON.stringify({ relays, barred: [...barred] }, null, 2)}\n`);

  const open = (file: RelayFile, invitation?: string): void => {
    const door = openRelay({
      file,
      invitation,
      host,
      gate: around.gate,
      offers: around.offers,
      deviceOf: around.deviceOf,
      doubled: around.doubled,
      keep: (next) => save(files().map((one) => (one.origin === next.origin ? next : one))),
      random,
      now: around.now,
      log: around.log,
    });
    doors.set(file.origin, door);
  };
  const add = (origin: string, invitation?: string): void => {
    const door = doors.get(origin);
    if (door) return door.again(invitation, door.status.kind === "refused");
    if (doors.size >= MAX_RELAYS)
      throw new CallError("too_many", `A host has at most ${MAX_RELAYS} relays. Remove one first.`);
    open({ origin, rendezvous: toBase64Url(random(RENDEZVOUS_BYTES)) }, invitation);
    save();
  };

  for (const file of kept.relays) open(file);
  for (const origin of around.origins) add(origin, around.invitation);

  return {
    list: () =>
      [...doors.values()].map(({ file: { origin, rendezvous, account }, status }) => ({
        origin,
        rendezvous,
        status,
        ...(account === undefined ? {} : { account: account.key }),
      })),
    add,
    remove(origin) {
      doors.get(origin)?.[Symbol.dispose]();
      doors.delete(origin);
      save();
    },
    waysFor: (key, until) =>
      Promise.all(
        [...doors.values()].map(async (door) => ({
          origin: door.file.origin,
          rendezvous: door.file.rendezvous,
          ticket: await door.ticketFor(key, until),
        })),
      ),
    forOffer() {
      const live = [...doors.values()].filter(({ status }) => status.kind === "live");
      const door = live.find((one) => one.app) ?? live[0];
      return door && { origin: door.file.origin, rendezvous: door.file.rendezvous, app: door.app };
    },
    ice: () => [...doors.values()].flatMap(({ ice }) => ice),
    offersChanged() {
      for (const door of doors.values()) door.offersChanged();
    },
    revoked(keys) {
      for (const door of doors.values()) for (const key of keys) door.revoke(key);
    },
    trust(origin, account) {
      const door = doors.get(origin);
      if (!door) throw new CallError("not_found", `This host does not use the relay ${origin}.`);
      door.trust(account);
    },
    trusted: () =>
      files().flatMap(({ account }) => {
        const key = account && fromBase64Url(account.key, KEY_BYTES);
        const secret = account && fromBase64Url(account.pairing, KEY_BYTES);
        return key && secret ? [{ key, secret, offer: pairingOfferOf(key, host.id) }] : [];
      }),
    isBarred: (device) => barred.has(device),
    bar(devices) {
      if (devices.length === 0) return;
      for (const device of devices) barred.add(device);
      for (const oldest of [...barred].slice(0, -MAX_BARRED)) barred.delete(oldest);
      try {
        save();
      } catch (error) {
        // It is cut off all the same, and barred as long as this host runs.
        around.log("who was revoked could not be written down", { error: String(error) });
      }
    },
    readmit(device) {
      if (barred.delete(device)) save();
    },
    [Symbol.dispose]() {
      for (const door of doors.values()) door[Symbol.dispose]();
    },
  };
}

function readFile(path: string): v.InferOutput<typeof File> {
  const text = readPrivate(path);
  if (text === undefined) return { relays: [], barred: [] };
  try {
    return v.parse(File, JSON.parse(text));
  } catch {
    throw new Error(
      `${path} is damaged: it names the relays that this host is reached by. Remove it, and name them again with flybridge remote add.`,
    );
  }
}
