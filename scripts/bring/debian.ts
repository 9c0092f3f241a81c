/** Programs that tests need and that are Debian's packages, where this machine can get them. */

import { spawnSync } from "node:child_process";
import { existsSync, globSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { say } from "../launch/say.mjs";

const APT_LIMIT_MS = 5 * 60 * 1000;
/** Asked by Debian's scripts before they start a service (invoke-rc.d(8)); 101 forbids it. */
const START_POLICY = "/usr/sbin/policy-rc.d";
const FORBIDS = "#!/bin/sh\nexit 101\n";

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
    using _ = forbidStarts();
    spawnSync("apt-get", ["update"], options);
    spawnSync("apt-get", ["install", "-y", "--no-install-recommends", ...packages], options);
  }
  const absent = missing(wanted);
  if (absent.length > 0)
    throw new Error(`${what}: ${absent.join(", ")} not found. On Debian: apt-get install ${packages.join(" ")}.`);
}

/** Tests start what they need themselves: no server is left running on the machine, where nobody has said which may be. */
function forbidStarts(): Disposable {
  const isOurs = !existsSync(START_POLICY);
  if (isOurs) writeFileSync(START_POLICY, FORBIDS, { mode: 0o755 });
  return { [Symbol.dispose]: () => void (isOurs && rmSync(START_POLICY, { force: true })) };
}

function missing({ programs, folders = [] }: Wanted): string[] {
  const places = [...(process.env.PATH ?? "").split(delimiter), ...folders.flatMap((pattern) => globSync(pattern))];
  return programs.filter((name) => !places.some((folder) => existsSync(join(folder, name))));
}
