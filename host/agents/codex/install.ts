/** The person's own Codex: which one is wanted, and where it keeps what is its own. */
import { join } from "node:path";
import { type Env, homeOf, type Wanted } from "../program.ts";

export const INSTALL = ["npm", "install", "-g", "@openai/codex"] as const;

export const CODEX: Wanted = {
  title: "Codex",
  program: "codex",
  homes: [".local/bin", ".npm-global/bin"],
  // Its app-server has threads and turns as we use them, settings that change and plans included.
  oldest: [0, 130, 0],
  mend: {
    missing: `Install it (\`${INSTALL.join(" ")}\`), then run \`codex login\` once.`,
    old: `Run \`${INSTALL.join(" ")}@latest\`.`,
  },
};

/** Where Codex keeps its settings and conversations. */
export function codexHome(env: Env): string {
  const named = env["CODEX_HOME"] ?? "";
  return named === "" ? join(homeOf(env), ".codex") : named;
}
