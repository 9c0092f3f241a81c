/** A lock between processes that ends with its process, however that ends: the operating system's own, by SQLite. */
import { closeSync, openSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as pause } from "node:timers/promises";

const SQLITE_BUSY = 5;
const PRIVATE_FILE = 0o600;
/** Between two tries, in milliseconds, and by how much more, so that two do not go on in step. */
const TRY_MS = 10;
const TRY_MORE_MS = 20;

/** Runs `work` while nobody else holds the lock that is named by this file, which is made where it is not there. */
export async function alone<T>(path: string, work: () => Promise<T>, signal: AbortSignal): Promise<T> {
  closeSync(openSync(path, "a", PRIVATE_FILE));
  for (;;) {
    signal.throwIfAborted();
    const file = new DatabaseSync(path, { timeout: 0 });
    try {
      if (isTaken(file)) return await work();
    } finally {
      file.close();
    }
    await pause(TRY_MS + Math.random() * TRY_MORE_MS, undefined, { signal });
  }
}

function isTaken(file: DatabaseSync): boolean {
  try {
    file.exec("BEGIN EXCLUSIVE");
    return true;
  } catch (error) {
    if (((error as { errcode?: number }).errcode ?? 0) % 256 === SQLITE_BUSY) return false;
    throw error;
  }
}
