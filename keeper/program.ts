/**
 * A running program as the keeper sees it, whether behind pipes or a terminal; and how one is found before it is run.
 */
import { accessSync, constants, statSync } from "node:fs";
import { isAbsolute, resolve } from "node:path";
import type { ChildExit, FailureCode, SpawnOrder } from "./wire.ts";

/**
 * Contract: events come as soon as they happen, none before `start...` has returned control to the event loop;
 * `exited` and `ended` come once each, in either order. No method throws; after the exit they do nothing.
 */
export interface Program {
  /** Also the id of the process group and of the session that it leads. */
  readonly pid: number;
  /** False: stop reading stdout, so that the program blocks when its pipe is full. A chunk may still come. */
  flow(on: boolean): void;
  /** Resolves when the kernel has all of it; rejects when nobody will ever read it. One at a time. */
  write(bytes: Uint8Array): Promise<void>;
  endInput(): Promise<void>;
  /** Throws a Failure `not_a_terminal` where there is none. */
  resize(cols: number, rows: number): void;
  /** Closes what is still open. */
  [Symbol.dispose](): void;
}

export interface ProgramEvents {
  output(bytes: Uint8Array): void;
  errors(bytes: Uint8Array): void;
  /** No more output. May come long after the exit, if a descendant holds the other end. */
  ended(): void;
  exited(exit: ChildExit): void;
}

/** An order that cannot be followed; the message is for the person. */
export class Failure extends Error {
  readonly code: FailureCode;
  constructor(code: FailureCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** What execvp searches when there is no PATH. */
const DEFAULT_PATH = "/usr/local/bin:/usr/bin:/bin";

/**
 * The absolute path of the program to run. Looked up here, because exec's ENOENT does not say whether the program or
 * the folder is missing, and because a terminal's child has no way to tell at all. Throws Failure.
 */
export function findProgram({ argv: [name], cwd, env }: SpawnOrder): string {
  if (!isAbsolute(cwd) || !statSync(cwd, { throwIfNoEntry: false })?.isDirectory()) {
    throw new Failure("cwd_missing", `there is no folder ${cwd}`);
  }
  const folders = name.includes("/") ? [""] : (env["PATH"] ?? DEFAULT_PATH).split(":");
  let seen = false;
  for (const folder of folders) {
    const path = resolve(cwd, folder, name);
    if (!isFile(path)) continue;
    if (isExecutable(path)) return path;
    seen = true;
  }
  if (seen) throw new Failure("program_not_executable", `${name} is there, but may not be executed`);
  throw new Failure("program_missing", `there is no program ${name} in the PATH it was to be run with`);
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
