/** The person's own program of an ACP agent: where it is, which version, and whether somebody has signed in. */
import { execFile } from "node:child_process";
import { access, constants, realpath, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { delimiter, dirname, isAbsolute, join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import type { AgentInfo } from "@flybridge/protocol/agent.ts";
import { wordsOf } from "../bounds.ts";
import type { AcpEntry } from "./entry.ts";

type Env = Readonly<Record<string, string>>;
type Problem = NonNullable<AgentInfo["problem"]>;

/** Some take seconds to start; one that hangs must not hold up the list of agents. */
const VERSION_TIMEOUT_MS = 15_000;
/** How long a look at the agents waits for one to say its version, in milliseconds. */
const LOOK_MS = 1_500;
/** Bytes of what a program may say to `--version`. */
const MAX_VERSION_BYTES = 64 * 1024;
/** Characters of it that are a version, and of a fault that is shown. */
const MAX_VERSION_CHARS = 100;
const MAX_FAULT_CHARS = 500;

type Told = string | { readonly fault: string } | undefined;

/** What was told or is being told, by path and time of writing: asking a program for its version costs seconds. */
export type Versions = Map<string, Promise<Told>>;

type Found =
  | { readonly path: string; readonly problem?: undefined }
  | { readonly path?: undefined; readonly problem: Problem };

export async function findInstall(entry: AcpEntry, env: Env): Promise<Found> {
  const [program] = entry.command;
  const path = await findProgram(program, env);
  if (path !== undefined) return { path };
  const mend =
    entry.install !== undefined
      ? `Install it with \`${entry.install.join(" ")}\`.`
      : entry.page === undefined
        ? `There is no program "${program}" on the PATH.`
        : `Install it as ${entry.page} says.`;
  const message = `${entry.title} is not installed on this machine. ${mend}`;
  return { problem: { code: "not_installed", message } };
}

/**
 * What it says to `--version`; undefined where it is not known to say it, or has not said it yet: then whoever asks
 * later is told.
 */
export async function versionAt(
  entry: AcpEntry,
  path: string,
  env: Env,
  known: Versions,
): Promise<string | { readonly problem: Problem } | undefined> {
  if (entry.versioned !== true) return undefined;
  const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: 0 }));
  const key = `${path} ${mtimeMs}`;
  const telling = known.get(key) ?? askVersion(path, { ...env, ...entry.env });
  known.set(key, telling);
  void telling.then((told) => {
    if (typeof told !== "string") known.delete(key);
  });
  const told = await Promise.race([telling, wait(LOOK_MS, undefined, { ref: false })]);
  if (typeof told === "string" || told === undefined) return told;
  const message = `${path} does not run: ${told.fault}. Install ${entry.title} again.`;
  return { problem: { code: "broken", message } };
}

/** Undefined when somebody has signed in, as far as can be seen without starting it. */
export async function signInProblem(entry: AcpEntry, env: Env): Promise<Problem | undefined> {
  const { signIn } = entry;
  if (!signIn) return undefined;
  if (signIn.variables.some(({ variable }) => (env[variable] ?? "") !== "")) return undefined;
  for (const file of signIn.files) if (await exists(join(homeOf(env), file))) return undefined;
  return { code: "not_signed_in", message: `${entry.title} is not signed in on this machine. ${signIn.how}` };
}

/** The way to sign in that the environment stands for. */
export function methodIn(entry: AcpEntry, env: Env): string | undefined {
  return entry.signIn?.variables.find(({ variable, method }) => method !== undefined && (env[variable] ?? "") !== "")
    ?.method;
}

async function findProgram(program: string, env: Env): Promise<string | undefined> {
  if (isAbsolute(program)) return (await executable(program)) ? program : undefined;
  const home = homeOf(env);
  const folders = [
    ...(env["PATH"] ?? "").split(delimiter).filter(isAbsolute),
    // A host started at login has a shorter PATH than the person's shell.
    join(home, ".local", "bin"),
    join(home, ".npm-global", "bin"),
    join(home, ".bun", "bin"),
    join(home, ".cargo", "bin"),
    join(home, `.${program}`, "bin"),
    dirname(process.execPath),
    "/usr/local/bin",
    "/opt/homebrew/bin",
  ];
  const names = process.platform === "win32" ? [`${program}.exe`, `${program}.cmd`] : [program];
  for (const folder of folders) {
    for (const name of names) if (await executable(join(folder, name))) return join(folder, name);
  }
  return undefined;
}

/** A fault only where it ended by itself, and badly: on a busy machine, silence means nothing. */
function askVersion(path: string, env: Env): Promise<Told> {
  const options = { env: { ...env }, timeout: VERSION_TIMEOUT_MS, maxBuffer: MAX_VERSION_BYTES };
  return new Promise((resolve) => {
    execFile(path, ["--version"], options, (error, output, errors) => {
      const found = /\d+\.\d+(?:\.\d+)?[\w.-]*/u.exec(output)?.[0];
      if (found !== undefined) resolve(found.slice(0, MAX_VERSION_CHARS));
      else if (error === null || error.killed === true) resolve(undefined);
      else resolve({ fault: wordsOf(errors.trim() || error.message).slice(0, MAX_FAULT_CHARS) });
    });
  });
}

function homeOf(env: Env): string {
  return env["HOME"] ?? env["USERPROFILE"] ?? homedir();
}

async function executable(path: string): Promise<boolean> {
  try {
    const real = await realpath(path);
    await access(real, constants.X_OK);
    return (await stat(real)).isFile();
  } catch {
    return false;
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    return false;
  }
}
