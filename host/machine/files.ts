/** Files that are the host's alone: folders 0700, files 0600, replaced whole or not at all. */
import { chmodSync, lstatSync, mkdirSync, openSync, closeSync, fsyncSync, writeSync, renameSync, readFileSync } from "node:fs";
import { dirname } from "node:path";

const PRIVATE_FOLDER = 0o700;
const PRIVATE_FILE = 0o600;

/** Makes the folder, or narrows what is there to its owner. Throws when it is somebody else's or not a folder. */
export function privateFolder(path: string): void {
  mkdirSync(path, { recursive: true, mode: PRIVATE_FOLDER });
  const stat = lstatSync(path);
  if (!stat.isDirectory()) throw new Error(`${path} is not a folder. Move it away, or point FLYBRIDGE_HOME elsewhere.`);
  if (process.getuid && stat.uid !== process.getuid())
    throw new Error(`${path} belongs to somebody else. Point FLYBRIDGE_HOME at a folder of your own.`);
  if ((stat.mode & 0o077) !== 0) chmodSync(path, PRIVATE_FOLDER);
}

/** A crash leaves the old file or the new one. */
export function writePrivate(path: string, text: string): void {
  const fresh = `${path}.${process.pid}.new`;
  const file = openSync(fresh, "w", PRIVATE_FILE);
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(fresh, path);
  const folder = openSync(dirname(path), "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

/** Undefined when there is none. */
export function readPrivate(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
