/** The person's own Claude Code: where it is, which version, and whether it can reach a model. Nothing is changed. */
import { execFile } from "node:child_process";
import { access, constants, readFile, realpath } from "node:fs/promises";
import { homedir, platform } from "node:os";
import { delimiter, dirname, isAbsolute, join } from "node:path";
import type { AgentInfo } from "@flybridge/protocol/agent.ts";
import { wordsOf } from "../bounds.ts";
import { objectAt, parsed, textAt } from "../json.ts";

type Env = Readonly<Record<string, string>>;
export type Problem = NonNullable<AgentInfo["problem"]>;

/** The oldest version whose control protocol asks for permission over its input and output as we answer it. */
const OLDEST = [2, 0, 0] as const;
/** A binary of 370 MB on a cold disk takes its time; one that hangs must not hold up the list of agents. */
const VERSION_TIMEOUT_MS = 15_000;

export type Install =
  | { readonly path: string; readonly version: string; readonly problem?: undefined }
  | { readonly path?: string; readonly version?: string; readonly problem: Problem };

export async function findInstall(env: Env): Promise<Install> {
  const path = await findBinary(env);
  if (path === undefined) {
    return problem(
      "not_installed",
      "Claude Code is not installed on this machine. Install it (`npm install -g @anthropic-ai/claude-code`, or as claude.com/code says), then run `claude` once to sign in.",
    );
  }
  const told = await versionOf(path, env);
  if (typeof told !== "string")
    return { path, ...problem("broken", `${path} does not run: ${told.message}. Install Claude Code again.`) };
  if (isTooOld(told)) {
    return {
      path,
      version: told,
      ...problem(
        "too_old",
        `Claude Code ${told} is too old: ${OLDEST.join(".")} is the oldest that works here. Run \`claude update\`.`,
      ),
    };
  }
  return { path, version: told };
}

/** Undefined when a model can be reached, as far as can be seen without trying. */
export async function signInProblem(env: Env): Promise<Problem | undefined> {
  if (CREDENTIALS.some((name) => (env[name] ?? "") !== "")) return undefined;
  // The keychain is not ours to open, so on macOS nothing is claimed.
  if (platform() === "darwin") return undefined;
  const folder = configFolder(env);
  if (await readable(join(folder, ".credentials.json"))) return undefined;
  const settings = parsed(await textOf(join(folder, "settings.json")));
  if (textAt(settings, "apiKeyHelper") !== undefined) return undefined;
  const set = objectAt(settings, "env");
  if (CREDENTIALS.some((name) => textAt(set, name) !== undefined)) return undefined;
  const state = parsed(await textOf(join(homeOf(env), ".claude.json")));
  if (textAt(state, "primaryApiKey") !== undefined) return undefined;
  return {
    code: "not_signed_in",
    message:
      "Claude Code is not signed in on this machine. Run `claude` in a terminal there and sign in, or start the host with ANTHROPIC_API_KEY set.",
  };
}

const CREDENTIALS = [
  "ANTHROPIC_API_KEY",
  "ANTHROPIC_AUTH_TOKEN",
  "CLAUDE_CODE_OAUTH_TOKEN",
  "CLAUDE_CODE_USE_BEDROCK",
  "CLAUDE_CODE_USE_VERTEX",
  "CLAUDE_CODE_USE_FOUNDRY",
];

/** Where Claude keeps its settings and conversations. */
export function configFolder(env: Env): string {
  return env["CLAUDE_CONFIG_DIR"] ?? join(homeOf(env), ".claude");
}

async function findBinary(env: Env): Promise<string | undefined> {
  const home = homeOf(env);
  const named = platform() === "win32" ? ["claude.exe", "claude.cmd"] : ["claude"];
  const folders = [
    ...(env["PATH"] ?? "").split(delimiter).filter(isAbsolute),
    // A host started at login has a shorter PATH than the person's shell.
    join(home, ".local", "bin"),
    join(home, ".claude", "local"),
    join(home, ".claude", "local", "node_modules", ".bin"),
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
      if (found !== undefined) resolve(found);
      else
        resolve({
          message: wordsOf(
            error?.killed === true ? "it did not answer" : ((errors.trim() || error?.message) ?? "it named no version"),
          ),
        });
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

async function readable(path: string): Promise<boolean> {
  return (await textOf(path)) !== "";
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch {
    return "";
  }
}
