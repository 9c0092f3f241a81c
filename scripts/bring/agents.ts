/**
 * The real agents that tests drive, at the exact versions their facts were measured with, in `.cache/agents/`. They are
 * their vendors' programs: never shipped, never fetched by `npm start`.
 */

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { alone } from "../launch/lock.mjs";
import { fetchPackage } from "../launch/npm.mjs";
import { say } from "../launch/say.mjs";

const CLAUDE_VERSION = "2.1.328";
const CODEX_VERSION = "0.169.0";
const OPENCODE_VERSION = "1.18.33";
const GEMINI_VERSION = "0.61.0";

/** Where `.cache/agents/agents.json` says an agent is. */
export interface BroughtAgent {
  readonly version: string;
  readonly path: string;
}

/** Claude Code's path. Throws, with a sentence, when it cannot be had on this machine. */
export async function bringClaude(root: string): Promise<string> {
  // The vendor's own package only links this binary into place in an install script, which npm may refuse to run.
  const name = `@anthropic-ai/claude-code-${process.platform}-${process.arch}${isMusl() ? "-musl" : ""}`;
  const into = join(agentsFolder(root), `claude-${CLAUDE_VERSION}`);
  const path = join(into, "node_modules", ...name.split("/"), process.platform === "win32" ? "claude.exe" : "claude");
  await bring(root, { agent: "claude", title: "Claude Code", name, version: CLAUDE_VERSION, into, path: () => path });
  return path;
}

/** Codex's path. Throws, with a sentence, when it cannot be had on this machine. */
export async function bringCodex(root: string): Promise<string> {
  // The platforms are versions of one package; the plain version only depends on all of them.
  const version = `${CODEX_VERSION}-${process.platform}-${process.arch}`;
  const into = join(agentsFolder(root), `codex-${CODEX_VERSION}`);
  const name = "@openai/codex";
  const vendor = join(into, "node_modules", ...name.split("/"), "vendor");
  const path = (): string => {
    const [target = "none"] = existsSync(vendor) ? readdirSync(vendor) : [];
    return join(vendor, target, "bin", process.platform === "win32" ? "codex.exe" : "codex");
  };
  await bring(root, { agent: "codex", title: "Codex", name, version, into, path });
  return path();
}

/** opencode's path. Throws, with a sentence, when it cannot be had on this machine. */
export async function bringOpencode(root: string): Promise<string> {
  const system = process.platform === "win32" ? "windows" : process.platform;
  const name = `opencode-${system}-${process.arch}${isMusl() ? "-musl" : ""}`;
  const into = join(agentsFolder(root), `opencode-${OPENCODE_VERSION}`);
  const path = join(into, "node_modules", name, "bin", process.platform === "win32" ? "opencode.exe" : "opencode");
  const version = OPENCODE_VERSION;
  await bring(root, { agent: "opencode", title: "opencode", name, version, into, path: () => path });
  return path;
}

/** The path of Gemini CLI, which needs a Node on the PATH. Throws, with a sentence, when it cannot be had. */
export async function bringGemini(root: string): Promise<string> {
  const into = join(agentsFolder(root), `gemini-${GEMINI_VERSION}`);
  const path = join(into, "node_modules", ".bin", process.platform === "win32" ? "gemini.cmd" : "gemini");
  const version = GEMINI_VERSION;
  await bring(root, {
    agent: "gemini",
    title: "Gemini CLI",
    name: "@google/gemini-cli",
    version,
    into,
    path: () => path,
  });
  return path;
}

interface Wanted {
  readonly agent: string;
  readonly title: string;
  readonly name: string;
  readonly version: string;
  readonly into: string;
  /** Where its program is, once it has been fetched. */
  readonly path: () => string;
}

async function bring(root: string, { agent, title, name, version, into, path }: Wanted): Promise<void> {
  const folder = agentsFolder(root);
  const listed = join(folder, "agents.json");
  await alone(join(root, ".cache", "agents.lock"), "fetching agents for the tests", async () => {
    const short = /^[^-]+/u.exec(version)?.[0] ?? version;
    if (!existsSync(path())) {
      say(`Fetching ${title} ${short} for the tests …`);
      await fetchPackage({ name, version, into });
      checkRuns(path(), short);
    }
    mkdirSync(folder, { recursive: true });
    const known = existsSync(listed) ? (JSON.parse(readFileSync(listed, "utf8")) as Record<string, BroughtAgent>) : {};
    const agents = { ...known, [agent]: { version: short, path: path() } };
    writeFileSync(listed, `${JSON.stringify(agents, null, 2)}\n`);
  });
}

function agentsFolder(root: string): string {
  return join(root, ".cache", "agents");
}

function checkRuns(path: string, version: string): void {
  const home = mkdtempSync(join(tmpdir(), "flybridge-agent-"));
  try {
    const env = {
      HOME: home,
      PATH: process.env.PATH ?? "",
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
      DISABLE_AUTOUPDATER: "1",
    };
    const said = execFileSync(path, ["--version"], { env, encoding: "utf8" });
    if (!said.includes(version)) throw new Error(`${path} says it is ${said.trim()}, not ${version}.`);
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

/** Node reports the C library it runs on; only glibc has a version there. */
function isMusl(): boolean {
  if (process.platform !== "linux") return false;
  const report = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
  return report.header?.glibcVersionRuntime === undefined;
}
