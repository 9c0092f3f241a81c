/** Whether a host has the state folder: by the operating system's own lock, which ends with the host however it ends. */
import { existsSync, readFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import type { State } from "./shell-file.ts";

const SQLITE_BUSY = 5;

/** The host keeps an exclusive SQLite lock on a file of its own; whoever cannot read that file knows that it lives. */
export function isHeld({ lock }: State): boolean {
  if (!existsSync(lock)) return false;
  try {
    using file = new DatabaseSync(lock, { readOnly: true, timeout: 0 });
    file.prepare("SELECT count(*) FROM sqlite_schema").get();
    return false;
  } catch (error) {
    return ((error as { errcode?: number }).errcode ?? 0) % 256 === SQLITE_BUSY;
  }
}

/** The process that took the state folder last, if it noted itself: the one that has it while `isHeld`. */
export function notedPid({ pid: note }: State): number | undefined {
  if (!existsSync(note)) return undefined;
  const pid = Number(readFileSync(note, "utf8").trim());
  return Number.isSafeInteger(pid) && pid > 0 ? pid : undefined;
}
