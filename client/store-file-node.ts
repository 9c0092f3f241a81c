/** A store in a folder: one file per key, 0600, replaced by renaming, so that a crash leaves the old one or the new. */
import { randomUUID } from "node:crypto";
import { mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { StoreError, TABLES, type Store, type Table } from "./store.ts";

const SUFFIX = ".json";

export async function fileStore(folder: string): Promise<Store> {
  const pathOf = (table: Table, key: string): string => join(folder, table, encodeURIComponent(key) + SUFFIX);
  /** By file: writes to one key happen one after the other. */
  const writing = new Map<string, Promise<void>>();
  await guarded(async () => {
    for (const table of TABLES) await mkdir(join(folder, table), { recursive: true, mode: 0o700 });
  });

  const keys = async (table: Table, prefix: string): Promise<string[]> => {
    const names = await readdir(join(folder, table));
    const all = names
      .filter((name) => name.endsWith(SUFFIX))
      .map((name) => decodeURIComponent(name.slice(0, -SUFFIX.length)));
    return all.filter((key) => key.startsWith(prefix)).sort();
  };
  const read = async (table: Table, key: string): Promise<string | undefined> => {
    await writing.get(pathOf(table, key))?.catch(() => {});
    return readIfThere(pathOf(table, key));
  };
  const write = (table: Table, key: string, value: string | undefined): Promise<void> => {
    const path = pathOf(table, key);
    const before = writing.get(path) ?? Promise.resolve();
    const next = before.catch(() => {}).then(() => guarded(() => replace(path, value)));
    const done = next.finally(() => {
      if (writing.get(path) === done) writing.delete(path);
    });
    writing.set(path, done);
    return done;
  };

  return {
    read: (table, key) => guarded(() => read(table, key)),
    list: (table, prefix) =>
      guarded(async () => {
        await Promise.allSettled(writing.values());
        const rows: [string, string][] = [];
        for (const key of await keys(table, prefix)) {
          const value = await read(table, key);
          if (value !== undefined) rows.push([key, value]);
        }
        return rows;
      }),
    write,
    clear: (prefix) =>
      guarded(async () => {
        await Promise.allSettled(writing.values());
        for (const table of TABLES) for (const key of await keys(table, prefix)) await write(table, key, undefined);
      }),
    close() {},
  };
}

/** Writes `path` as a whole and on the disk, or removes it. Only its owner can read it. */
export async function replace(path: string, value: string | undefined): Promise<void> {
  if (value === undefined) return rm(path, { force: true });
  const temporary = `${path}.${randomUUID()}`;
  try {
    const file = await open(temporary, "wx", 0o600);
    try {
      await file.writeFile(value);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** Runs `act` with every failure of the file system as a `StoreError`. */
export async function guarded<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (cause) {
    if (cause instanceof StoreError) throw cause;
    const code = codeOf(cause);
    if (code === "ENOSPC" || code === "EDQUOT")
      throw new StoreError("full", "The disk is full. Free some space and try again.", { cause });
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new StoreError("blocked", `This device's folder cannot be used: ${reason}. Check who owns it.`, { cause });
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
