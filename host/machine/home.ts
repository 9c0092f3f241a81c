/** The state folder: what lies where, and the one lock that says whose it is now. */
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { stateFolder } from "@flybridge/protocol/home.ts";
import { keeperPlace } from "./keeper.ts";
import { privateFile, privateFolder, readPrivate, writePrivate } from "./files.ts";

export interface Home {
  readonly root: string;
  readonly database: string;
  /** The host's keys. */
  readonly identity: string;
  /** The device that is this machine's own shell. */
  readonly shell: string;
  /** Where the shell finds the host: beside the keeper's socket, whose folder is private and whose path is short. */
  readonly socket: string;
  /** Where hooks find it, and the program that agents run as theirs. */
  readonly hooks: string;
  readonly hookProgram: string;
}

export function homeOf(env: NodeJS.ProcessEnv): Home {
  const root = resolve(stateFolder(env, process.platform, homedir()));
  return {
    root,
    database: join(root, "flybridge.db"),
    identity: join(root, "host.json"),
    shell: join(root, "cli.json"),
    socket: `${keeperPlace(root).socketPath}.host`,
    hooks: `${keeperPlace(root).socketPath}.hook`,
    hookProgram: join(root, "hook"),
  };
}

/** Another host runs on this state folder. */
export class HomeTaken extends Error {
  override readonly name = "HomeTaken";
}

/**
 * Takes the state folder for this process until it ends, however it ends: the lock is the operating system's, on a file
 * of its own, held through SQLite because Node has no lock of files. Throws `HomeTaken`.
 */
export function takeHome(home: Home): Disposable {
  privateFolder(home.root);
  const note = join(home.root, "host.pid");
  const file = join(home.root, "host.lock");
  privateFile(file);
  const lock = new DatabaseSync(file, { timeout: 0 });
  try {
    lock.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE;");
    writePrivate(note, `${process.pid}\n`);
  } catch (error) {
    lock.close();
    const code = ((error as { errcode?: number }).errcode ?? 0) & 0xff;
    const SQLITE_BUSY = 5;
    const SQLITE_NOTADB = 26;
    if (code === SQLITE_NOTADB)
      throw new Error(`${file} is damaged. It holds nothing: remove it and start again.`, { cause: error });
    if (code !== SQLITE_BUSY) throw error;
    const pid = readPrivate(note)?.trim();
    throw new HomeTaken(
      `Another host${pid ? ` (process ${pid})` : ""} is running on ${home.root}. Use it (flybridge status), end it (flybridge down), or give this one another folder with FLYBRIDGE_HOME.`,
    );
  }
  return { [Symbol.dispose]: () => lock.close() };
}
