/** A store that ends with its process: for tests, and where nothing may be kept. */
import { TABLES, type Store, type Table } from "./store.ts";

export function memoryStore(): Store {
  const tables = new Map<Table, Map<string, string>>(TABLES.map((table) => [table, new Map()]));
  const rowsOf = (table: Table): Map<string, string> => tables.get(table) ?? new Map<string, string>();
  return {
    read: (table, key) => Promise.resolve(rowsOf(table).get(key)),
    list: (table, prefix) =>
      Promise.resolve(
        [...rowsOf(table)].filter(([key]) => key.startsWith(prefix)).sort(([a], [b]) => (a < b ? -1 : 1)),
      ),
    write(table, key, value) {
      if (value === undefined) rowsOf(table).delete(key);
      else rowsOf(table).set(key, value);
      return Promise.resolve();
    },
    clear(prefix) {
      for (const rows of tables.values()) for (const key of rows.keys()) if (key.startsWith(prefix)) rows.delete(key);
      return Promise.resolve();
    },
    close() {},
  };
}
