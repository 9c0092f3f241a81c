/**
 * Keys in a browser, so that no script and no copy of the profile's files by another app reads them as text: the
 * device's keys are non-extractable CryptoKeys, X25519 and Ed25519, and shared secrets lie under a non-extractable
 * AES-GCM key. A browser without one of the two kinds, or that does not give back what it kept of it, gets a key of
 * plain bytes, sealed the same way; it is in memory while the app runs.
 */
import { checkedAgreement } from "@flybridge/crypto/agreement.ts";
import type { SigningKey } from "@flybridge/crypto/identity.ts";
import { type AgreementKey, KEY_BYTES } from "@flybridge/crypto/suite.ts";
import { type Database, guarded, inTables, type Sealed } from "./database-web.ts";
import type { Keys } from "./keys.ts";
import { StoreError } from "./store.ts";

/** One of the device's own pairs: under which name it lies, and what a browser that has its kind calls it. */
interface Own {
  readonly name: string;
  readonly algorithm: "X25519" | "Ed25519";
  readonly usages: readonly KeyUsage[];
}

const DEVICE: Own = { name: "device", algorithm: "X25519", usages: ["deriveBits"] };
const PROOF: Own = { name: "proof", algorithm: "Ed25519", usages: ["sign", "verify"] };
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

  const own = async <K>(
    pair: Own,
    native: (pair: CryptoKeyPair) => Promise<K>,
    plain: (secret: Uint8Array) => Promise<K>,
  ): Promise<K> => {
    const sealedName = `${pair.name} sealed`;
    // One that was made stays the device's, whatever a newer browser could do: it is known by this key.
    const sealed = await find(database, sealedName);
    const lasting = sealed ? undefined : await lastingPair(database, pair);
    if (lasting) return native(lasting);
    const fresh = await seal(crypto.getRandomValues(new Uint8Array(KEY_BYTES)));
    return plain(await unseal(await keyOf(database, sealedName, () => Promise.resolve(fresh))));
  };
  const device = (): Promise<AgreementKey> =>
    own(DEVICE, nativeAgreement, async (secret) => (await import("@flybridge/crypto/noble.ts")).nobleKey(secret));
  const proof = (): Promise<SigningKey> =>
    own(PROOF, nativeSigning, async (secret) => (await import("@flybridge/crypto/identity.ts")).signingKey(secret));

  const put = async (name: string, value: Sealed | undefined): Promise<void> => {
    await inTables(database, ["keys"], "readwrite", ({ store }): Promise<unknown> =>
      value ? store.put(value, name) : store.delete(name),
    );
  };
  /** Sealing takes a moment, in which a later one must not overtake. */
  let last: Promise<unknown> = Promise.resolve();

  return {
    device: () => once(DEVICE.name, device),
    proof: () => once(PROOF.name, proof),
    secrets: (host) =>
      guarded(async () => {
        const kept = (await find(database, nameOf(host))) as Sealed | undefined;
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
        await put(nameOf(host), await seal(bytes));
      }),
    forget: (host) => guarded(() => put(nameOf(host), undefined)),
    async alone(what, work, signal) {
      const locks: LockManager | undefined = navigator.locks;
      return locks ? await locks.request(`flybridge ${nameOf(what)}`, { signal }, work) : work();
    },
    kept: (name) =>
      guarded(async () => {
        await last;
        const kept = (await find(database, textName(name))) as Sealed | undefined;
        return kept && new TextDecoder().decode(await unseal(kept));
      }),
    keepText(name, text) {
      const write = async (): Promise<void> =>
        put(textName(name), text === undefined ? undefined : await seal(new TextEncoder().encode(text)));
      const done = last.then(() => guarded(write));
      last = done.catch(() => {});
      return done;
    },
  };
}

function nameOf(host: string): string {
  return `host ${host}`;
}

function textName(name: string): string {
  return `kept ${name}`;
}

/** What is kept under `name`, or what `make` gives, kept: of two tabs that come at once both get the first one's. */
async function keyOf<T extends CryptoKey | CryptoKeyPair | Sealed | undefined>(
  database: Database,
  name: string,
  make: () => Promise<T>,
): Promise<T> {
  const kept = await find(database, name);
  if (kept) return kept as T;
  const fresh = await make();
  if (!fresh) return fresh;
  try {
    await inTables(database, ["keys"], "readwrite", ({ store }) => store.add(fresh, name));
    return fresh;
  } catch (error) {
    // The other tab was quicker.
    if (error instanceof DOMException && error.name === "ConstraintError")
      return ((await find(database, name)) as T | undefined) ?? fresh;
    throw error;
  }
}

function find(database: Database, name: string): Promise<CryptoKey | CryptoKeyPair | Sealed | undefined> {
  return inTables(database, ["keys"], "readonly", ({ store }) => store.get(name));
}

function newWrappingKey(): Promise<CryptoKey> {
  return crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
}

/** Undefined where the browser has no such kind. */
async function newPair({ algorithm, usages }: Own): Promise<CryptoKeyPair | undefined> {
  try {
    return (await crypto.subtle.generateKey({ name: algorithm }, false, [...usages])) as CryptoKeyPair;
  } catch {
    return undefined;
  }
}

/** WebKitGTK makes X25519 keys, keeps them, and gives null for what it kept. */
async function lastingPair(database: Database, own: Own): Promise<CryptoKeyPair | undefined> {
  const pair = await keyOf(database, own.name, () => newPair(own));
  if (!pair || (await find(database, own.name))) return pair;
  await inTables(database, ["keys"], "readwrite", ({ store }) => store.delete(own.name));
  return undefined;
}

async function nativeAgreement({ privateKey, publicKey }: CryptoKeyPair): Promise<AgreementKey> {
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

async function nativeSigning({ privateKey, publicKey }: CryptoKeyPair): Promise<SigningKey> {
  return {
    publicKey: new Uint8Array(await crypto.subtle.exportKey("raw", publicKey)),
    sign: async (message) =>
      new Uint8Array(
        await crypto.subtle.sign({ name: PROOF.algorithm }, privateKey, message as Uint8Array<ArrayBuffer>),
      ),
  };
}
