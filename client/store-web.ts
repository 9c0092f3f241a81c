/** The store in IndexedDB. */
import { type Database, guarded, inTables } from "./database-web.ts";
import { TABLES, type Store, type Table } from "./store.ts";

/** What must survive a power cut as well; a lost view is only shown later. */
const STRICT: readonly Table[] = ["hosts", "outbox"];

/** Owns the database from here on. */
export function webStore(database: Database): Store {
  return {
    read: (table, key) => guarded(() => inTables(database, [table], "readonly", ({ store }) => store.get(key))),
    list: (table, prefix) =>
      guarded(async () => {
        const [keys, values] = await inTables(database, [table], "readonly", ({ store }) =>
          Promise.all([store.getAllKeys(rangeOf(prefix)), store.getAll(rangeOf(prefix))]),
        );
        return keys.map((key, at) => [key, values[at] ?? ""]);
      }),
    write: (table, key, value) =>
      guarded(async () => {
        const durability = STRICT.includes(table) ? "strict" : "relaxed";
        await inTables(
          database,
          [table],
          "readwrite",
          ({ store }): Promise<unknown> => (value === undefined ? store.delete(key) : store.put(value, key)),
          durability,
        );
      }),
    clear: (prefix) =>
      guarded(async () => {
        await inTables(database, TABLES, "readwrite", (transaction) =>
          Promise.all(TABLES.map((table) => transaction.objectStore(table).delete(rangeOf(prefix)))),
        );
      }),
    close() {
      database.close();
    },
  };
}

function rangeOf(prefix: string): IDBKeyRange {
  return IDBKeyRange.bound(prefix, `${prefix}\uffff`);
}
