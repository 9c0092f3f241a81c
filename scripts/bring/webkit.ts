/** WebKit and the programs that terminals are tried with, where this machine can get them: they are Debian's packages. */

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { say } from "../launch/say.mjs";

const APT_LIMIT_MS = 5 * 60 * 1000;

const PROGRAMS = ["vim", "less", "htop", "tmux", "nano", "whiptail", "dialog"];

/** Throws, with a sentence, when there is none and none can be had. */
export function bringWebKit(): void {
  bring("WebKit", ["WebKitWebDriver", "Xvfb"], ["webkit2gtk-driver", "xvfb"]);
}

/** As above, naming those that are missing. */
export function bringPrograms(): void {
  bring("the programs that terminals are tried with", PROGRAMS, PROGRAMS);
}

function bring(what: string, names: readonly string[], packages: readonly string[]): void {
  if (missing(names).length === 0) return;
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
  const absent = missing(names);
  if (absent.length > 0)
    throw new Error(`${what}: ${absent.join(", ")} not found. On Debian: apt-get install ${packages.join(" ")}.`);
}

function missing(names: readonly string[]): string[] {
  const folders = (process.env.PATH ?? "").split(delimiter);
  return names.filter((name) => !folders.some((folder) => existsSync(join(folder, name))));
}
