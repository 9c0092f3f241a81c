/**
 * What every store must do, as steps that throw when it does not: no test runner in it, so that a browser's page can
 * run it as well. Each step begins with an empty store.
 */
import { TABLES, type Store } from "./store.ts";

export interface Bench {
  readonly store: Store;
  /** The same store as a later process would open it. */
  readonly reopen: () => Promise<Store>;
}

export const storeContract: Record<string, (bench: Bench) => Promise<void>> = {
  async "reads what was written, in its own table only"({ store }) {
    await store.write("hosts", "a/1", "one");
    same(await store.read("hosts", "a/1"), "one");
    same(await store.read("outbox", "a/1"), undefined);
    same(await store.read("hosts", "a/2"), undefined);
  },
  async "replaces and removes"({ store }) {
    await store.write("views", "k", "one");
    await store.write("views", "k", "two");
    same(await store.read("views", "k"), "two");
    await store.write("views", "k", undefined);
    await store.write("views", "k", undefined);
    same(await store.read("views", "k"), undefined);
  },
  async "lists by prefix, in order of keys"({ store }) {
    for (const key of ["b/2", "a/9", "b/10", "b", "c/1", "b/"]) await store.write("outbox", key, key.toUpperCase());
    same(await store.list("outbox", "b/"), [
      ["b/", "B/"],
      ["b/10", "B/10"],
      ["b/2", "B/2"],
    ]);
    same(
      (await store.list("outbox", "")).map(([key]) => key),
      ["a/9", "b", "b/", "b/10", "b/2", "c/1"],
    );
    same(await store.list("outbox", "nothing"), []);
  },
  async "clears a prefix from every table and nothing else"({ store }) {
    for (const table of TABLES) for (const key of ["h1", "h1/x", "h2"]) await store.write(table, key, "v");
    await store.clear("h1");
    for (const table of TABLES)
      same(
        (await store.list(table, "")).map(([key]) => key),
        ["h2"],
      );
  },
  async "is there for the next process"({ store, reopen }) {
    await store.write("outbox", "k", "kept");
    store.close();
    const next = await reopen();
    same(await next.read("outbox", "k"), "kept");
    next.close();
  },
  async "ends with the last of several writes at once"({ store }) {
    await Promise.all(Array.from({ length: 20 }, (_, at) => store.write("feeds", "k", `${at}`)));
    same(await store.read("feeds", "k"), "19");
    await Promise.all([store.write("feeds", "k", "again"), store.write("feeds", "k", undefined)]);
    same(await store.read("feeds", "k"), undefined);
  },
  async "takes any text as key and value"({ store }) {
    const key = "../..\\ä %2f?*:|\u{1f600}";
    const value = `${"x".repeat(1_000_000)}\u0000\u{1f600}"'`;
    await store.write("hosts", key, value);
    same(await store.list("hosts", "../"), [[key, value]]);
  },
};

function same(actual: unknown, expected: unknown): void {
  const [a, b] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (a !== b) throw new Error(`expected ${b?.slice(0, 500)}, got ${a?.slice(0, 500)}`);
}
