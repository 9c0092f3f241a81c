/** Files that are the host's alone: folders 0700, files 0600, replaced whole or not at all. */
import {
  chmodSync,
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  type Stats,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";

const PRIVATE_FOLDER = 0o700;
const PRIVATE_FILE = 0o600;
/** Everything that is not the owner's. */
const OTHERS = 0o077;

/** Makes the folder, or narrows what is there to its owner. Throws when it is somebody else's or not a folder. */
export function privateFolder(path: string): void {
  if (!lstatSync(path, { throwIfNoEntry: false })) mkdirSync(path, { recursive: true, mode: PRIVATE_FOLDER });
  const stat = lstatSync(path);
  if (!stat.isDirectory()) throw new Error(`${path} is not a folder. Move it away, or point FLYBRIDGE_HOME elsewhere.`);
  refuseForeign(path, stat);
  if ((stat.mode & OTHERS) !== 0) chmodSync(path, PRIVATE_FOLDER);
}

/**
 * Makes an empty file, or narrows what is there to its owner. Throws when it is somebody else's or not a file. What is
 * there is not opened: closing it would end the locks that this process has on it (POSIX.1-2017, fcntl).
 */
export function privateFile(path: string): void {
  try {
    closeSync(openSync(path, "wx", PRIVATE_FILE));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    narrow(path, lstatSync(path));
  }
}

/** A crash leaves the old file or the new one. */
export function writePrivate(path: string, text: string): void {
  const fresh = `${path}.${process.pid}.new`;
  rmSync(fresh, { force: true });
  try {
    const file = openSync(fresh, "wx", PRIVATE_FILE);
    try {
      writeFileSync(file, text);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(fresh, path);
  } catch (error) {
    rmSync(fresh, { force: true });
    throw error;
  }
  const folder = openSync(dirname(path), "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

/** Undefined when there is none. Narrows it to its owner; throws when it is somebody else's or not a file. */
export function readPrivate(path: string): string | undefined {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (!found) return undefined;
  narrow(path, found);
  const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    // Looked at once more: between the look and the opening it may have become another.
    narrow(path, fstatSync(file));
    return readFileSync(file, "utf8");
  } finally {
    closeSync(file);
  }
}

function narrow(path: string, stat: Stats): void {
  if (!stat.isFile()) throw new Error(`${path} is not a file. Move it away, or point FLYBRIDGE_HOME elsewhere.`);
  refuseForeign(path, stat);
  if ((stat.mode & OTHERS) !== 0) chmodSync(path, PRIVATE_FILE);
}

function refuseForeign(path: string, stat: Stats): void {
  if (process.getuid && stat.uid !== process.getuid())
    throw new Error(`${path} belongs to somebody else. Point FLYBRIDGE_HOME at a folder of your own.`);
}
