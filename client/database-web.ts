/** The app's one IndexedDB database: the store's tables, and the keys. */
import { openDB, type DBSchema, type IDBPDatabase, type IDBPTransaction } from "idb";
import { StoreError, type Table, TABLES } from "./store.ts";

const VERSION = 1;

interface Schema extends DBSchema {
  hosts: { key: string; value: string };
  outbox: { key: string; value: string };
  views: { key: string; value: string };
  feeds: { key: string; value: string };
  /** Non-extractable keys, and bytes sealed under one of them. */
  keys: { key: string; value: CryptoKey | CryptoKeyPair | Sealed };
}
export type Database = IDBPDatabase<Schema>;

/** Bytes under AES-GCM. */
export interface Sealed {
  readonly iv: Uint8Array<ArrayBuffer>;
  readonly bytes: ArrayBuffer;
}

export async function openDatabase(name: string): Promise<Database> {
  return guarded(async () => {
    const database = await openDB<Schema>(name, VERSION, {
      upgrade(fresh) {
        for (const table of [...TABLES, "keys"] as const) fresh.createObjectStore(table);
      },
      // A newer app in another tab must be able to upgrade; this one then says that it has nothing to keep things in.
      blocking(_current, _blocked, event) {
        (event.target as IDBDatabase).close();
      },
    });
    return database;
  });
}

type Name = Table | "keys";

/**
 * What `ask` asks of some tables, which is all asked at once, in one transaction whose end is asked for with it. WebKit
 * leaves a transaction open that a page which is left had not ended, and every later page then waits for it.
 */
export async function inTables<const Names extends readonly Name[], Mode extends "readonly" | "readwrite", Answer>(
  database: Database,
  names: Names,
  mode: Mode,
  ask: (transaction: IDBPTransaction<Schema, [...Names], Mode>) => Promise<Answer>,
  durability: "strict" | "relaxed" = "strict",
): Promise<Answer> {
  const transaction = database.transaction([...names] as [...Names], mode, { durability });
  const asked = ask(transaction);
  transaction.commit();
  const [answer] = await Promise.all([asked, transaction.done]);
  return answer;
}

/** Runs `act` with every failure of the platform as a `StoreError`. */
export async function guarded<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (cause) {
    if (cause instanceof StoreError) throw cause;
    if (cause instanceof Error && cause.name === "QuotaExceededError")
      throw new StoreError("full", "This browser has no room left for the app. Free some space and try again.", {
        cause,
      });
    throw new StoreError(
      "blocked",
      "This browser keeps nothing for the app. Leave the private window or allow site data, then reload.",
      { cause },
    );
  }
}
