/** The real Claude Code in tests: where it is, and the smallest environment that keeps it away from everything else. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

const CACHE = join(import.meta.dirname, "..", ".cache", "agents");

/**
 * The path of the real binary, from `FLYBRIDGE_TEST_CLAUDE` or from the cache that `npm test` fills; undefined where
 * there is none, so that a test can say why it was skipped.
 */
export function findClaude(): string | undefined {
  const named = process.env["FLYBRIDGE_TEST_CLAUDE"];
  if (named !== undefined && existsSync(named)) return named;
  const listed = join(CACHE, "agents.json");
  if (!existsSync(listed)) return undefined;
  const path = (JSON.parse(readFileSync(listed, "utf8")) as { claude?: { path: string } }).claude?.path;
  return path !== undefined && existsSync(path) ? path : undefined;
}

/** Nothing of the person's own: their key, their settings and their sessions stay out of a test. */
export function claudeEnv(at: { readonly home: string; readonly url: string }): Record<string, string> {
  return {
    HOME: at.home,
    PATH: process.env["PATH"] ?? "/usr/bin:/bin",
    ANTHROPIC_BASE_URL: at.url,
    ANTHROPIC_API_KEY: "sk-ant-fake",
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
    DISABLE_TELEMETRY: "1",
    DISABLE_ERROR_REPORTING: "1",
    DISABLE_AUTOUPDATER: "1",
  };
}
