/** The person's own Claude Code: where it is, which version, and whether it can reach a model. Nothing is changed. */
import { readFile } from "node:fs/promises";
import { platform } from "node:os";
import { join } from "node:path";
import { objectAt, parsed, textAt } from "../json.ts";
import { type Env, homeOf, type Problem, type Wanted } from "../program.ts";

export const INSTALL = ["npm", "install", "-g", "@anthropic-ai/claude-code"] as const;

export const CLAUDE: Wanted = {
  title: "Claude Code",
  program: "claude",
  homes: [".local/bin", ".claude/local", ".claude/local/node_modules/.bin", ".npm-global/bin"],
  // Its control protocol asks for permission over its input and output as we answer it.
  oldest: [2, 0, 0],
  mend: {
    missing: `Install it (\`${INSTALL.join(" ")}\`, or as claude.com/code says), then run \`claude\` once to sign in.`,
    old: "Run `claude update`.",
  },
};

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
