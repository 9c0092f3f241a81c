/** What `platform-web.test.ts` runs inside a browser's page: handed over as one bundle, called by name. */
import { sign } from "@flybridge/crypto/identity.ts";
import { nobleKey } from "@flybridge/crypto/noble.ts";
import type { HostId, SessionId } from "@flybridge/protocol/ids.ts";
import { fromBase64Url, parseConnection, SECRET_BYTES } from "@flybridge/protocol/offer.ts";
import { plainCell } from "./cell.ts";
import { openDatabase } from "./database-web.ts";
import { keysContract } from "./keys.contract.ts";
import { webKeys } from "./keys-web.ts";
import { makeBridge } from "./make-bridge.ts";
import { webPlatform } from "./platform-web.ts";
import { webStore } from "./store-web.ts";
import { storeContract } from "./store.contract.ts";

let databases = 0;

export const page = {
  /** Names of the steps that failed, with why. */
  async store(): Promise<string[]> {
    const failed: string[] = [];
    for (const [name, step] of Object.entries(storeContract)) {
      const database = `contract ${databases++}`;
      const open = async () => webStore(await openDatabase(database));
      try {
        await step({ store: await open(), reopen: open });
      } catch (error) {
        failed.push(`${name}: ${String(error)}`);
      }
    }
    return failed;
  },

  /** The same of keys. */
  async keys(): Promise<string[]> {
    const failed: string[] = [];
    for (const [name, step] of Object.entries(keysContract)) {
      const database = `contract ${databases++}`;
      try {
        await step({ open: async () => webKeys(await openDatabase(database)) });
      } catch (error) {
        failed.push(`${name}: ${String(error)}`);
      }
    }
    return failed;
  },

  /** The key for relays, a signature with it, and the names of what is kept. */
  async proof(): Promise<{ publicKey: number[]; signature: number[]; names: string[] }> {
    const database = await openDatabase("flybridge");
    const key = await webKeys(database).proof();
    const signature = await sign(key, "page", new Uint8Array(0));
    return { publicKey: [...key.publicKey], signature: [...signature], names: await database.getAllKeys("keys") };
  },

  async keepText(name: string, text: string): Promise<string | undefined> {
    const keys = webKeys(await openDatabase("flybridge"));
    await keys.keepText(name, text);
    return keys.kept(name);
  },

  /** The public key, and what it agrees on with the private key 0101…01. */
  async device(): Promise<{ publicKey: number[]; shared: number[]; theirs: number[] }> {
    const keys = webKeys(await openDatabase("flybridge"));
    const [key, twin] = await Promise.all([keys.device(), keys.device()]);
    const other = nobleKey(new Uint8Array(32).fill(1));
    if (key.publicKey.join() !== twin.publicKey.join()) throw new Error("two keys");
    return {
      publicKey: [...key.publicKey],
      shared: [...(await key.agree(other.publicKey))],
      theirs: [...(await other.agree(key.publicKey))],
    };
  },

  async keep(host: string, secrets: string[]): Promise<string[]> {
    const keys = webKeys(await openDatabase("flybridge"));
    if (secrets.length > 0)
      await keys.keep(
        host as HostId,
        secrets.map((text) => fromBase64Url(text, SECRET_BYTES) ?? new Uint8Array(0)),
      );
    return (await keys.secrets(host as HostId)).map((bytes) => hexOf(bytes));
  },

  /** Everything a script of this page can read of what is kept, bytes in hex. */
  async everything(): Promise<{ text: string; keys: number }> {
    let keys = 0;
    const parts: string[] = [JSON.stringify(localStorage), JSON.stringify(sessionStorage), document.cookie];
    const read = async (value: unknown): Promise<void> => {
      if (value instanceof CryptoKey) {
        keys++;
        for (const format of ["raw", "jwk", "pkcs8"] as const) {
          if (value.type === "public") continue;
          const exported: unknown = await crypto.subtle.exportKey(format, value).catch(() => undefined);
          if (exported !== undefined) parts.push(`exported ${format}`);
        }
      } else if (value instanceof ArrayBuffer) parts.push(hexOf(new Uint8Array(value)));
      else if (value instanceof Uint8Array) parts.push(hexOf(value));
      else if (typeof value === "object" && value !== null)
        for (const [name, part] of Object.entries(value)) {
          parts.push(name);
          await read(part);
        }
      // A pair of keys is no plain object in every browser.
      if (typeof value === "object" && value !== null && "privateKey" in value && !Object.hasOwn(value, "privateKey")) {
        await read(value.privateKey);
      }
      if (typeof value === "string" || typeof value === "number") parts.push(`${value}`);
    };
    for (const { name = "" } of await indexedDB.databases()) {
      const database = await done(indexedDB.open(name));
      for (const table of database.objectStoreNames) {
        const store = database.transaction(table).objectStore(table);
        const [names, values] = await Promise.all([done(store.getAllKeys()), done(store.getAll())]);
        for (const part of [...names, ...(values as unknown[])]) await read(part);
      }
      database.close();
    }
    return { text: parts.join("\n"), keys };
  },

  /** How often the platform has said since then that the network may be another. */
  async network(): Promise<() => number> {
    let times = 0;
    (await webPlatform(plainCell)).onNetwork(() => (times += 1));
    return () => times;
  },

  /** Pairs, or comes back when there is a host; gives the texts of a session's prompts once they are all there. */
  async drive(
    connection: string | undefined,
    session: string | undefined,
    prompt: string,
  ): Promise<{ session: string; texts: string[] }> {
    const bridge = await makeBridge(await webPlatform(plainCell));
    const [known] = bridge.hosts.value.list;
    if (connection === undefined && !known) throw new Error("no host is known");
    const replica =
      connection === undefined
        ? bridge.replica(known!.host)
        : await bridge.pair(parseConnection(connection), { name: "A browser", kind: "desktop" });
    let id = session as SessionId | undefined;
    if (id === undefined) {
      const created = replica.intend("session.create", { agent: "demo" as never, workspace: "/w", prompt });
      ({ session: id } = await created.settled);
    } else await replica.intend("session.prompt", { session: id, text: prompt, delivery: "queue" }).settled;
    const { view } = replica.open(id);
    const texts = (): string[] => view.value.rows.flatMap((row) => (row.kind === "prompt" ? [row.text] : []));
    while (!view.value.live || !texts().includes(prompt)) await new Promise((next) => setTimeout(next, 5));
    await replica.call("workspace.list", {});
    bridge.close();
    return { session: id, texts: texts() };
  },
};
export type Page = typeof page;

Object.assign(globalThis, { flybridge: page });

function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => {
      resolve(request.result);
    };
    request.onerror = () => {
      reject(request.error ?? new Error("IndexedDB"));
    };
  });
}
