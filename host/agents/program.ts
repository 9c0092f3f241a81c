/** An agent's program as the person has it on this machine: where it is and which version. Nothing is changed. */
import { execFile } from "node:child_process";
import { access, constants, realpath, stat } from "node:fs/promises";
import { homedir, platform } from "node:os";
import { delimiter, dirname, isAbsolute, join } from "node:path";
import type { AgentInfo } from "@flybridge/protocol/agent.ts";
import { wordsOf } from "./bounds.ts";

/** Some are of 370 MB, on a cold disk; one that hangs must not hold up the list of agents. */
const VERSION_TIMEOUT_MS = 15_000;
/** Bytes of what a program may say to `--version`. */
const MAX_VERSION_BYTES = 64 * 1024;
/** Characters of it that are a version, and of a fault that is shown. */
const MAX_VERSION_CHARS = 100;
const MAX_FAULT_CHARS = 500;

export type Env = Readonly<Record<string, string>>;
export type Problem = NonNullable<AgentInfo["problem"]>;

export type Install =
  | { readonly path: string; readonly version: string; readonly problem?: undefined }
  | { readonly path?: string; readonly version?: string; readonly problem: Problem };

/** A program of which not every version will do. */
export interface Wanted {
  readonly title: string;
  readonly program: string;
  /** Where in the person's home it may be. */
  readonly homes: readonly string[];
  /** The oldest version that works here. */
  readonly oldest: readonly [number, number, number];
  /** A sentence each: how to come by it, and by a newer one. */
  readonly mend: { readonly missing: string; readonly old: string };
}

export async function findInstall(wanted: Wanted, env: Env): Promise<Install> {
  const { title, mend } = wanted;
  const path = await findProgram(wanted.program, wanted.homes, env);
  if (path === undefined) return { problem: missing(title, mend.missing) };
  const told = await askVersion(path, env);
  if (typeof told !== "string") return { path, problem: broken(path, told.fault, title) };
  if (!isOlder(told, wanted.oldest)) return { path, version: told };
  const message = `${title} ${told} is too old: ${wanted.oldest.join(".")} is the oldest that works here. ${mend.old}`;
  return { path, version: told, problem: { code: "too_old", message } };
}

/** Where it is: on the PATH, in `homes` below the person's home, or where programs of every machine are. */
export async function findProgram(program: string, homes: readonly string[], env: Env): Promise<string | undefined> {
  if (isAbsolute(program)) return (await isProgram(program)) ? program : undefined;
  const folders = [
    ...(env["PATH"] ?? "").split(delimiter).filter(isAbsolute),
    // A host started at login has a shorter PATH than the person's shell.
    ...homes.map((folder) => join(homeOf(env), folder)),
    dirname(process.execPath),
    "/usr/local/bin",
    "/opt/homebrew/bin",
  ];
  const names = platform() === "win32" ? [`${program}.exe`, `${program}.cmd`] : [program];
  for (const folder of folders) {
    for (const name of names) if (await isProgram(join(folder, name))) return join(folder, name);
  }
  return undefined;
}

/** The version it says it is, or why it says none; `failed` where it ended by itself, and badly. */
export type Told = string | { readonly fault: string; readonly failed: boolean };

export function askVersion(path: string, env: Env): Promise<Told> {
  const options = { env: { ...env }, timeout: VERSION_TIMEOUT_MS, maxBuffer: MAX_VERSION_BYTES };
  return new Promise((resolve) => {
    execFile(path, ["--version"], options, (error, output, errors) => {
      const found = /\d+\.\d+(?:\.\d+)?[\w.-]*/u.exec(output)?.[0];
      if (found !== undefined) return resolve(found.slice(0, MAX_VERSION_CHARS));
      const isSilent = error?.killed === true;
      const why = isSilent ? "it did not answer" : errors.trim() || (error?.message ?? "it named no version");
      resolve({ fault: wordsOf(why).slice(0, MAX_FAULT_CHARS), failed: error !== null && !isSilent });
    });
  });
}

export function missing(title: string, mend: string): Problem {
  return { code: "not_installed", message: `${title} is not installed on this machine. ${mend}` };
}

export function broken(path: string, fault: string, title: string): Problem {
  return { code: "broken", message: `${path} does not run: ${fault}. Install ${title} again.` };
}

export function homeOf(env: Env): string {
  return env["HOME"] ?? env["USERPROFILE"] ?? homedir();
}

function isOlder(version: string, least: Wanted["oldest"]): boolean {
  const parts = version.split(".").map((part) => Number.parseInt(part, 10));
  for (const [place, wanted] of least.entries()) {
    const part = parts[place] ?? 0;
    if (part !== wanted) return part < wanted;
  }
  return false;
}

async function isProgram(path: string): Promise<boolean> {
  try {
    const real = await realpath(path);
    await access(real, constants.X_OK);
    return (await stat(real)).isFile();
  } catch {
    return false;
  }
}
