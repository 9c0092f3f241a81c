/** Programs that tests need and that are Debian's packages, where this machine can get them. */

import { spawnSync } from "node:child_process";
import { existsSync, globSync } from "node:fs";
import { delimiter, join } from "node:path";
import { say } from "../launch/say.mjs";

const APT_LIMIT_MS = 5 * 60 * 1000;

export interface Wanted {
  /** For a person. */
  readonly what: string;
  readonly programs: readonly string[];
  readonly packages: readonly string[];
  /** Where the programs may be besides the PATH: patterns of folders. */
  readonly folders?: readonly string[];
}

/** Throws, with a sentence that names those that are missing, when there is one that is not here and cannot be had. */
export function bring(wanted: Wanted): void {
  const { what, packages } = wanted;
  if (missing(wanted).length === 0) return;
  if (existsSync("/etc/debian_version") && process.getuid?.() === 0) {
    say(`Installing ${packages.join(", ")} for the tests …`);
    const options = {
      stdio: "ignore",
      timeout: APT_LIMIT_MS,
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    } as const;
    spawnSync("apt-get", ["update"], options);
    spawnSync("apt-get", ["install", "-y", "--no-install-recommends", ...packages], options);
  }
  const absent = missing(wanted);
  if (absent.length > 0)
    throw new Error(`${what}: ${absent.join(", ")} not found. On Debian: apt-get install ${packages.join(" ")}.`);
}

function missing({ programs, folders = [] }: Wanted): string[] {
  const places = [...(process.env.PATH ?? "").split(delimiter), ...folders.flatMap((pattern) => globSync(pattern))];
  return programs.filter((name) => !places.some((folder) => existsSync(join(folder, name))));
}
