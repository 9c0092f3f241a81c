/**
 * `npm test [paths]`: brings what tests need, runs them, and ends with the line `N passed, N failed`.
 *
 * What could not be brought is said at the start and at the end; in CI it is a failed test, because a suite that skips
 * the browser there would be green for nothing.
 */

import { globSync, statSync } from "node:fs";
import { cpus } from "node:os";
import { join, relative, sep } from "node:path";
import { bringClaude, bringCodex, bringGemini, bringOpencode } from "./bring/agents.ts";
import { bringChromium } from "./bring/chromium.ts";
import { bringServers } from "./bring/servers.ts";
import { bringPrograms, bringWebKit } from "./bring/webkit.ts";
import { idleProcessors } from "./test/idle.ts";
import { runTests } from "./test/run.ts";
import { recordPassing } from "./test/names.ts";
import { buildWeb } from "./web.ts";

const ROOT = join(import.meta.dirname, "..");
const TEST_FILES = "**/*.test.{ts,tsx}";
const SKIPPED_FOLDERS = /(^|\/)(node_modules|dist|\.cache|\.git)(\/|$)/;
/** Tests hold agents and browsers: more files at once than this is slower, whatever the machine has. */
const MOST_FILES_AT_ONCE = 4;

/** These start hosts, agents and browsers and take longest: begun first, none of them is what the others have to wait for. */
const LONG_FOLDERS = ["testing", "web", "cli"];
/** Files that are named at the end, with their seconds. */
const SLOWEST_SHOWN = 12;

interface Need {
  readonly name: string;
  /** Whether a machine may be without it; our own build may not fail anywhere. */
  readonly foreign: boolean;
  readonly bring: () => Promise<void> | void;
}

const NEEDS: readonly Need[] = [
  {
    name: "the claude agent",
    foreign: true,
    bring: async () => {
      process.env.FLYBRIDGE_TEST_CLAUDE ??= await bringClaude(ROOT);
    },
  },
  {
    name: "the codex agent",
    foreign: true,
    bring: async () => {
      process.env.FLYBRIDGE_TEST_CODEX ??= await bringCodex(ROOT);
    },
  },
  {
    name: "the opencode agent",
    foreign: true,
    bring: async () => {
      process.env.FLYBRIDGE_TEST_OPENCODE ??= await bringOpencode(ROOT);
    },
  },
  {
    name: "the gemini agent",
    foreign: true,
    bring: async () => {
      process.env.FLYBRIDGE_TEST_GEMINI ??= await bringGemini(ROOT);
    },
  },
  {
    name: "a browser",
    foreign: true,
    bring: () => {
      process.env.FLYBRIDGE_TEST_CHROMIUM ??= bringChromium(ROOT);
    },
  },
  { name: "WebKit", foreign: true, bring: bringWebKit },
  { name: "vim, less, htop, tmux and nano", foreign: true, bring: bringPrograms },
  { name: "PostgreSQL, NATS and coturn", foreign: true, bring: bringServers },
  { name: "the built web app", foreign: false, bring: () => buildWeb(ROOT) },
];

interface Missing {
  readonly foreign: boolean;
  readonly sentence: string;
}

async function bringNeeds(): Promise<Missing[]> {
  const missing: Missing[] = [];
  for (const { name, foreign, bring } of NEEDS) {
    try {
      await bring();
    } catch (fault) {
      missing.push({ foreign, sentence: `MISSING ${name}: ${fault instanceof Error ? fault.message : String(fault)}` });
    }
  }
  return missing;
}

/** Folders mean all their tests; what is named and is not there throws. */
function testFiles(asked: readonly string[]): string[] {
  const patterns = asked.length === 0 ? [TEST_FILES] : asked.map(asPattern);
  const files = globSync(patterns, { cwd: ROOT, exclude: (name) => SKIPPED_FOLDERS.test(name) });
  const isLong = (file: string): boolean => LONG_FOLDERS.includes(file.split(sep)[0] ?? "");
  const sorted = [...new Set(files)].sort();
  return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
}

function asPattern(path: string): string {
  const fromRoot = relative(ROOT, join(process.cwd(), path));
  const isFolder = statSync(join(ROOT, fromRoot), { throwIfNoEntry: false })?.isDirectory() ?? false;
  return isFolder ? join(fromRoot, TEST_FILES) : fromRoot;
}

const files = testFiles(process.argv.slice(2));
if (files.length === 0) {
  console.error(`No test files: ${process.argv.slice(2).join(" ") || TEST_FILES}`);
  process.exit(1);
}
// What a test starts, often again and again, is compiled once.
process.env.NODE_COMPILE_CACHE ??= join(ROOT, ".cache", "compiled");
const missing = await bringNeeds();
for (const { sentence } of missing) console.log(sentence);

const stop = new AbortController();
for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => stop.abort());
const concurrency = Math.max(2, Math.min(MOST_FILES_AT_ONCE, Math.floor(cpus().length / 2)));
const { signal } = stop;
const start = performance.now();
const result = await runTests({ root: ROOT, files, concurrency, idle: idleProcessors, signal, print: console.log });
const minutes = (performance.now() - start) / 60_000;
recordPassing(ROOT, result.passing);

const slowest = Object.entries(result.seconds).toSorted(([, one], [, other]) => other - one);
console.log(`\n${files.length} files in ${minutes.toFixed(1)} min; the slowest:`);
for (const [file, seconds] of slowest.slice(0, SLOWEST_SHOWN))
  console.log(`${seconds.toFixed(1).padStart(7)} s  ${file}`);

for (const { sentence } of missing) console.log(`\n${sentence}`);
const failed = result.failed + missing.filter(({ foreign }) => !foreign || process.env.CI).length;
for (const file of result.unsteady) console.log(`\nUNSTEADY ${file}: failed beside others, passed alone`);
if (result.skipped > 0) console.log(`\n${result.skipped} skipped`);
console.log(`${result.passed} passed, ${failed} failed`);
process.exit(failed === 0 && !signal.aborted ? 0 : 1);
