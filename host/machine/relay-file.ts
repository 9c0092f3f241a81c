/** The relays that this host is reached by, and whom no account brings in: one file, which a person can read. */
import { DeviceId } from "@flybridge/protocol/ids.ts";
import * as v from "valibot";
import type { RelayShelf, StoredRelay } from "../core/ports.ts";
import { readPrivate, writePrivate } from "./files.ts";

/** Devices that are barred; the oldest give way. */
const MAX_BARRED = 1_024;

const Stored = v.object({
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

/** Throws an error that says how to mend it where the file cannot be understood. */
export function openRelayFile(
  path: string,
  log: (message: string, detail: Record<string, unknown>) => void,
): RelayShelf {
  const found = readFile(path);
  let relays: readonly StoredRelay[] = found.relays;
  const barred = new Set(found.barred);
  const write = (next: readonly StoredRelay[]): void => {
    writePrivate(path, `${JSON.stringify({ relays: next, barred: [...barred] }, null, 2)}\n`);
    relays = next;
  };
  const writeBarred = (): void => {
    try {
      write(relays);
    } catch (error) {
      log("who was revoked could not be written down", { error: String(error) });
    }
  };

  return {
    list: () => relays,
    put(relay) {
      const isNew = relays.every(({ origin }) => origin !== relay.origin);
      write(isNew ? [...relays, relay] : relays.map((one) => (one.origin === relay.origin ? relay : one)));
    },
    remove(origin) {
      write(relays.filter((one) => one.origin !== origin));
    },
    isBarred: (device) => barred.has(device),
    bar(devices) {
      if (devices.length === 0) return;
      for (const device of devices) barred.add(device);
      for (const oldest of [...barred].slice(0, -MAX_BARRED)) barred.delete(oldest);
      writeBarred();
    },
    readmit(device) {
      if (barred.delete(device)) writeBarred();
    },
  };
}

function readFile(path: string): v.InferOutput<typeof Stored> {
  const text = readPrivate(path);
  if (text === undefined) return { relays: [], barred: [] };
  try {
    return v.parse(Stored, JSON.parse(text));
  } catch {
    throw new Error(
      `${path} is damaged: it names the relays that this host is reached by. Remove it, and name them again with flybridge remote add.`,
    );
  }
}
