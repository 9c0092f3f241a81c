/**
 * The real agents that tests drive, at the exact versions their facts were measured with, in `.cache/agents/`. They are
 * their vendors' programs: never shipped, never fetched by `npm start`.
 */

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { alone } from "../launch/lock.mjs";
import { fetchPackage } from "../launch/npm.mjs";
import { say } from "../launch/say.mjs";

const CLAUDE_VERSION = "2.1.328";

/** Where `.cache/agents/agents.json` says an agent is. */
export interface BroughtAgent {
  readonly version: string;
  readonly path: string;
}

/** Claude Code's path. Throws, with a sentence, when it cannot be had on this machine. */
export async function bringClaude(root: string): Promise<string> {
  const folder = join(root, ".cache", "agents");
  // The vendor's own package only links this binary into place in an install script, which npm may refuse to run.
  const name = `@anthropic-ai/claude-code-${process.platform}-${process.arch}${isMusl() ? "-musl" : ""}`;
  const into = join(folder, `claude-${CLAUDE_VERSION}`);
  const path = join(into, "node_modules", ...name.split("/"), process.platform === "win32" ? "claude.exe" : "claude");
  await alone(join(root, ".cache", "agents.lock"), "fetching agents for the tests", async () => {
    if (!existsSync(path)) {
      say(`Fetching Claude Code ${CLAUDE_VERSION} for the tests …`);
      await fetchPackage({ name, version: CLAUDE_VERSION, into });
      checkRuns(path);
    }
    const agents: Record<string, BroughtAgent> = { claude: { version: CLAUDE_VERSION, path } };
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "agents.json"), `${JSON.stringify(agents, null, 2)}\n`);
  });
  return path;
}

function checkRuns(path: string): void {
  const home = mkdtempSync(join(tmpdir(), "flybridge-agent-"));
  try {
    const env = {
      HOME: home,
      PATH: process.env.PATH ?? "",
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
      DISABLE_AUTOUPDATER: "1",
    };
    const said = execFileSync(path, ["--version"], { env, encoding: "utf8" });
    if (!said.includes(CLAUDE_VERSION)) throw new Error(`${path} says it is ${said.trim()}, not ${CLAUDE_VERSION}.`);
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
