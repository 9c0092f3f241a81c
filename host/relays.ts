/** The relays that this host is reached by: a door to each of those that are kept, and to those that are named. */
import { randomBytes } from "node:crypto";
import type { HeldSigningKey } from "@flybridge/crypto/identity.ts";
import { toBase64Url } from "@flybridge/protocol/base64.ts";
import type { IceServer } from "@flybridge/protocol/direct.ts";
import { CallError } from "@flybridge/protocol/error.ts";
import type { HostId } from "@flybridge/protocol/ids.ts";
import { RENDEZVOUS_BYTES } from "@flybridge/protocol/relay/words.ts";
import { type HostRelay, MAX_RELAYS, type RelayWay } from "@flybridge/protocol/relays.ts";
import type { Access } from "./access/access.ts";
import type { RelayShelf, StoredRelay } from "./core/ports.ts";
import type { Gate } from "./doors/gate.ts";
import { openRelay, type RelayDoor } from "./doors/relay.ts";

export interface Relays extends Disposable {
  /** Dials those that are kept, and `origins` beside them: from now on, devices come to the gate by them. */
  dial(gate: Gate, origins: readonly string[], invitation: string | undefined): void;
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
  trust(origin: string, account: StoredRelay["account"]): void;
}

export function makeRelays(around: {
  readonly shelf: RelayShelf;
  readonly host: { readonly id: HostId; readonly key: Uint8Array; readonly signing: HeldSigningKey };
  readonly access: Pick<Access, "devices" | "offers" | "audit">;
  now(): number;
  log(message: string, detail: Record<string, unknown>): void;
}): Relays {
  const { shelf, access } = around;
  const { devices, offers, audit } = access;
  const random = (bytes: number): Uint8Array => new Uint8Array(randomBytes(bytes));
  const doors = new Map<string, RelayDoor>();
  let gate: Gate | undefined;

  const open = (file: StoredRelay, invitation?: string): void => {
    // What is added before the first dialling is dialled then.
    if (!gate) return;
    const door = openRelay({
      file,
      invitation,
      host: around.host,
      gate,
      offers: () => offers.list(),
      deviceOf(key) {
        const device = devices.byProof(key);
        if (!device || device.suspended !== undefined) return undefined;
        return { device: device.device, until: device.grant.kind === "session" ? device.grant.until : undefined };
      },
      doubled(key) {
        const device = devices.byProof(key);
        if (device) audit.note({ event: "ticket.doubled", device: device.device, detail: device.name });
      },
      keep: (next) => shelf.put(next),
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
    const file: StoredRelay = { origin, rendezvous: toBase64Url(random(RENDEZVOUS_BYTES)) };
    shelf.put(file);
    open(file, invitation);
  };

  return {
    dial(to, origins, invitation) {
      gate = to;
      for (const file of shelf.list()) open(file);
      for (const origin of origins) add(origin, invitation);
    },
    list: () =>
      [...doors.values()].map(({ file: { origin, rendezvous, account }, status }) => ({
        origin,
        rendezvous,
        status,
        ...(account === undefined ? {} : { account: account.key }),
      })),
    add,
    remove(origin) {
      shelf.remove(origin);
      doors.get(origin)?.[Symbol.dispose]();
      doors.delete(origin);
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
    [Symbol.dispose]() {
      for (const door of doors.values()) door[Symbol.dispose]();
    },
  };
}
