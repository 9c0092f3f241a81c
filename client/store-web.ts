/** The store in IndexedDB. */
import { type Database, guarded } from "./database-web.ts";
import { TABLES, type Store, type Table } from "./store.ts";

/** What must survive a power cut as well; a lost view is only shown later. */
const STRICT: readonly Table[] = ["hosts", "outbox"];

/** Owns the database from here on. */
export function webStore(database: Database): Store {
  return {
    read: (table, key) => guarded(() => database.get(table, key)),
    list: (table, prefix) =>
      guarded(async () => {
        const transaction = database.transaction(table, "readonly");
        const [keys, values] = await Promise.all([
          transaction.store.getAllKeys(rangeOf(prefix)),
          transaction.store.getAll(rangeOf(prefix)),
        ]);
        return keys.map((key, at) => [key, values[at] ?? ""]);
      }),
    write: (table, key, value) =>
      guarded(async () => {
        const durability = STRICT.includes(table) ? "strict" : "relaxed";
        const transaction = database.transaction(table, "readwrite", { durability });
        const change = value === undefined ? transaction.store.delete(key) : transaction.store.put(value, key);
        await Promise.all([change, transaction.done]);
      }),
    clear: (prefix) =>
      guarded(async () => {
        const transaction = database.transaction([...TABLES], "readwrite");
        await Promise.all([
          ...TABLES.map((table) => transaction.objectStore(table).delete(rangeOf(prefix))),
          transaction.done,
        ]);
      }),
    close() {
      database.close();
    },
  };
}

function rangeOf(prefix: string): IDBKeyRange {
  return IDBKeyRange.bound(prefix, `${prefix}\uffff`);
}
