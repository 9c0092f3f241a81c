/** The person's own program of an ACP agent: where it is, which version, and whether somebody has signed in. */
import { access, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { askVersion, broken, type Env, findProgram, homeOf, missing, type Problem, type Told } from "../program.ts";
import type { AcpEntry } from "./entry.ts";

/** How long a look at the agents waits for one to say its version, in milliseconds: some take seconds to start. */
const LOOK_MS = 1_500;

/** What was told or is being told, by path and time of writing: asking a program for its version costs seconds. */
export type Versions = Map<string, Promise<Told>>;

type Found =
  | { readonly path: string; readonly problem?: undefined }
  | { readonly path?: undefined; readonly problem: Problem };

export async function findInstall(entry: AcpEntry, env: Env): Promise<Found> {
  const [program] = entry.command;
  const homes = [".local/bin", ".npm-global/bin", ".bun/bin", ".cargo/bin", `.${program}/bin`];
  const path = await findProgram(program, homes, env);
  if (path !== undefined) return { path };
  const mend =
    entry.install !== undefined
      ? `Install it with \`${entry.install.join(" ")}\`.`
      : entry.page === undefined
        ? `There is no program "${program}" on the PATH.`
        : `Install it as ${entry.page} says.`;
  return { problem: missing(entry.title, mend) };
}

/**
 * What it says to `--version`; undefined where it is not known to say it, or has not said it yet: then whoever asks
 * later is told. A fault only where it ended by itself, and badly: on a busy machine, silence means nothing.
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
  if (typeof told === "string") return told;
  return told?.failed === true ? { problem: broken(path, told.fault, entry.title) } : undefined;
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

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    return false;
  }
}
