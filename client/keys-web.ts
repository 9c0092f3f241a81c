/**
 * Keys in a browser, so that no script and no copy of the profile's files by another app reads them as text: the
 * device's key is a non-extractable X25519 CryptoKey, and shared secrets lie under a non-extractable AES-GCM key.
 * A browser without X25519, or that does not give back what it kept of one, gets a key of plain bytes, sealed the same
 * way; it is in memory while the app runs.
 */
import { checkedAgreement } from "@flybridge/crypto/agreement.ts";
import { type AgreementKey, KEY_BYTES } from "@flybridge/crypto/suite.ts";
import type { HostId } from "@flybridge/protocol/ids.ts";
import { type Database, guarded, type Sealed } from "./database-web.ts";
import type { Keys } from "./keys.ts";
import { StoreError } from "./store.ts";

const DEVICE = "device";
const DEVICE_SEALED = "device sealed";
const WRAPPING = "wrapping";
const IV_BYTES = 12;

export function webKeys(database: Database): Keys {
  if (globalThis.crypto?.subtle === undefined)
    throw new StoreError("blocked", "This page has no safe place for keys. Open it over https, or on localhost.");
  /** Each is found or made once; a second use waits for the first. */
  const made = new Map<string, Promise<unknown>>();
  const once = <T>(name: string, make: () => Promise<T>): Promise<T> => {
    const promise = (made.get(name) as Promise<T> | undefined) ?? guarded(make);
    made.set(name, promise);
    promise.catch(() => made.delete(name));
    return promise;
  };
  const wrapping = (): Promise<CryptoKey> => once(WRAPPING, () => keyOf(database, WRAPPING, newWrappingKey));
  const seal = async (bytes: Uint8Array): Promise<Sealed> => {
    const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
    const sealed = await crypto.subtle.encrypt(
      { name: "AES-GCM", iv },
      await wrapping(),
      bytes as Uint8Array<ArrayBuffer>,
    );
    return { iv, bytes: sealed };
  };
  const unseal = async ({ iv, bytes }: Sealed): Promise<Uint8Array> =>
    new Uint8Array(await crypto.subtle.decrypt({ name: "AES-GCM", iv }, await wrapping(), bytes));

  const device = async (): Promise<AgreementKey> => {
    // One that was made stays the device's, whatever a newer browser could do: the host knows it by this key.
    const sealed = await database.get("keys", DEVICE_SEALED);
    const pair = sealed ? undefined : await lastingPair(database);
    if (pair) return nativeKey(pair);
    const fresh = await seal(crypto.getRandomValues(new Uint8Array(KEY_BYTES)));
    const { nobleKey } = await import("@flybridge/crypto/noble.ts");
    return nobleKey(await unseal(await keyOf(database, DEVICE_SEALED, () => Promise.resolve(fresh))));
  };

  return {
    device: () => once(DEVICE, device),
    secrets: (host) =>
      guarded(async () => {
        const kept = (await database.get("keys", nameOf(host))) as Sealed | undefined;
        if (!kept) return [];
        const bytes = await unseal(kept);
        return Array.from({ length: bytes.length / KEY_BYTES }, (_, at) =>
          bytes.slice(at * KEY_BYTES, (at + 1) * KEY_BYTES),
        );
      }),
    keep: (host, secrets) =>
      guarded(async () => {
        const bytes = new Uint8Array(secrets.length * KEY_BYTES);
        secrets.forEach((secret, at) => {
          bytes.set(secret, at * KEY_BYTES);
        });
        const kept = await seal(bytes);
        const transaction = database.transaction("keys", "readwrite", { durability: "strict" });
        await Promise.all([transaction.store.put(kept, nameOf(host)), transaction.done]);
      }),
    forget: (host) => guarded(() => database.delete("keys", nameOf(host))),
    async alone(host, work, signal) {
      const locks: LockManager | undefined = navigator.locks;
      return locks ? await locks.request(`flybridge ${nameOf(host)}`, { signal }, work) : work();
    },
  };
}

function nameOf(host: HostId): string {
  return `host ${host}`;
}

/** What is kept under `name`, or what `make` gives, kept: of two tabs that come at once both get the first one's. */
async function keyOf<T extends CryptoKey | CryptoKeyPair | Sealed | undefined>(
  database: Database,
  name: string,
  make: () => Promise<T>,
): Promise<T> {
  const kept = await database.get("keys", name);
  if (kept) return kept as T;
  const fresh = await make();
  if (!fresh) return fresh;
  // Making a key is asynchronous and would end the transaction, so it is looked for again inside.
  const transaction = database.transaction("keys", "readwrite", { durability: "strict" });
  const theirs = await transaction.store.get(name);
  if (!theirs) await transaction.store.put(fresh, name);
  await transaction.done;
  return (theirs as T | undefined) ?? fresh;
}

function newWrappingKey(): Promise<CryptoKey> {
  return crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
}

/** Undefined where the browser has no X25519. */
async function newPair(): Promise<CryptoKeyPair | undefined> {
  try {
    return (await crypto.subtle.generateKey({ name: "X25519" }, false, ["deriveBits"])) as CryptoKeyPair;
  } catch {
    return undefined;
  }
}

/** WebKitGTK makes X25519 keys, keeps them, and gives null for what it kept. */
async function lastingPair(database: Database): Promise<CryptoKeyPair | undefined> {
  const pair = await keyOf(database, DEVICE, newPair);
  if (!pair || (await database.get("keys", DEVICE))) return pair;
  await database.delete("keys", DEVICE);
  return undefined;
}

async function nativeKey({ privateKey, publicKey }: CryptoKeyPair): Promise<AgreementKey> {
  return {
    publicKey: new Uint8Array(await crypto.subtle.exportKey("raw", publicKey)),
    agree: checkedAgreement(async (theirs) => {
      const theirKey = await crypto.subtle.importKey(
        "raw",
        theirs as Uint8Array<ArrayBuffer>,
        { name: "X25519" },
        false,
        [],
      );
      const bits = await crypto.subtle.deriveBits({ name: "X25519", public: theirKey }, privateKey, KEY_BYTES * 8);
      return new Uint8Array(bits);
    }),
  };
}
