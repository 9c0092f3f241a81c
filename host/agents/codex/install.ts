/** The person's own Codex: where it is and which version. Nothing is changed. */
import { execFile } from "node:child_process";
import { access, constants, realpath } from "node:fs/promises";
import { homedir, platform } from "node:os";
import { delimiter, dirname, isAbsolute, join } from "node:path";
import type { AgentInfo } from "@flybridge/protocol/agent.ts";
import { wordsOf } from "../bounds.ts";

export type Env = Readonly<Record<string, string>>;
export type Problem = NonNullable<AgentInfo["problem"]>;

export const INSTALL = ["npm", "install", "-g", "@openai/codex"] as const;

/** The oldest version whose app-server has threads and turns as we use them, settings that change and plans included. */
const OLDEST = [0, 130, 0] as const;
/** A binary of 300 MB on a cold disk takes its time; one that hangs must not hold up the list of agents. */
const VERSION_TIMEOUT_MS = 15_000;

export type Install =
  | { readonly path: string; readonly version: string; readonly problem?: undefined }
  | { readonly path?: string; readonly version?: string; readonly problem: Problem };

export async function findInstall(env: Env): Promise<Install> {
  const path = await findBinary(env);
  if (path === undefined) {
    return problem(
      "not_installed",
      `Codex is not installed on this machine. Install it (\`${INSTALL.join(" ")}\`), then run \`codex login\` once.`,
    );
  }
  const told = await versionOf(path, env);
  if (typeof told !== "string")
    return { path, ...problem("broken", `${path} does not run: ${told.message}. Install Codex again.`) };
  if (isTooOld(told)) {
    const message = `Codex ${told} is too old: ${OLDEST.join(".")} is the oldest that works here. Run \`${INSTALL.join(" ")}@latest\`.`;
    return { path, version: told, ...problem("too_old", message) };
  }
  return { path, version: told };
}

/** Where Codex keeps its settings and conversations. */
export function codexHome(env: Env): string {
  const named = env["CODEX_HOME"] ?? "";
  return named === "" ? join(homeOf(env), ".codex") : named;
}

async function findBinary(env: Env): Promise<string | undefined> {
  const home = homeOf(env);
  const named = platform() === "win32" ? ["codex.exe", "codex.cmd"] : ["codex"];
  const folders = [
    ...(env["PATH"] ?? "").split(delimiter).filter(isAbsolute),
    // A host started at login has a shorter PATH than the person's shell.
    join(home, ".local", "bin"),
    join(home, ".npm-global", "bin"),
    dirname(process.execPath),
    "/usr/local/bin",
    "/opt/homebrew/bin",
  ];
  for (const folder of folders) {
    for (const name of named) {
      const path = join(folder, name);
      if (await executable(path)) return path;
    }
  }
  return undefined;
}

function versionOf(path: string, env: Env): Promise<string | { readonly message: string }> {
  return new Promise((resolve) => {
    execFile(path, ["--version"], { env: { ...env }, timeout: VERSION_TIMEOUT_MS }, (error, output, errors) => {
      const found = /\d+\.\d+\.\d+[\w.-]*/u.exec(output)?.[0];
      if (found !== undefined) return resolve(found);
      const why =
        error?.killed === true ? "it did not answer" : ((errors.trim() || error?.message) ?? "it named no version");
      resolve({ message: wordsOf(why) });
    });
  });
}

function isTooOld(version: string): boolean {
  const parts = version.split(".").map((part) => Number.parseInt(part, 10));
  for (const [place, least] of OLDEST.entries()) {
    const part = parts[place] ?? 0;
    if (part !== least) return part < least;
  }
  return false;
}

function problem(code: Problem["code"], message: string): { readonly problem: Problem } {
  return { problem: { code, message } };
}

function homeOf(env: Env): string {
  return env["HOME"] ?? env["USERPROFILE"] ?? homedir();
}

async function executable(path: string): Promise<boolean> {
  try {
    await access(await realpath(path), constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
