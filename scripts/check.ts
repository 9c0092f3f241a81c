/** `npm run check`: every rule that a machine can hold us to, side by side, one line each. */

import { spawn } from "node:child_process";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "..");

interface Part {
  readonly name: string;
  /** A script of ours or a tool of node_modules, and its words. */
  readonly run: readonly [script: string, ...words: string[]];
}

const PROJECTS = ["pure", "app", "worker", "node", "test"].map((name) => `tsconfig.${name}.json`);

/**
 * The longest first: with fewer cores than parts, what starts last is waited for alone. Types always from the start: what
 * TypeScript 7 keeps of a build outlives a change of `lib`.
 */
const PARTS: readonly Part[] = [
  { name: "types", run: ["node_modules/typescript/bin/tsc", "-b", "--force", ...PROJECTS] },
  { name: "dead code", run: ["node_modules/knip/bin/knip.js", "--no-progress", "--no-config-hints"] },
  { name: "lint", run: ["node_modules/oxlint/bin/oxlint"] },
  { name: "layers", run: ["scripts/layers.ts"] },
  { name: "docs", run: ["scripts/docs.ts"] },
  { name: "format", run: ["node_modules/oxfmt/bin/oxfmt", "--check"] },
];

/** What the part said, when it failed. */
async function runPart(part: Part): Promise<string | undefined> {
  const start = performance.now();
  const child = spawn(process.execPath, part.run, { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`${code === 0 ? "ok    " : "failed"} ${part.name.padEnd(10)} ${seconds} s`);
  return code === 0 ? undefined : output.trim() || `${part.run[0]} ended with ${code} and said nothing.`;
}

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !PARTS.some((part) => part.name === name));
if (unknown.length > 0) {
  console.error(`No such part: ${unknown.join(", ")}. Parts: ${PARTS.map((part) => part.name).join(", ")}.`);
  process.exit(1);
}
const asked = PARTS.filter((part) => wanted.length === 0 || wanted.includes(part.name));
const said = await Promise.all(asked.map(async (part) => ({ part, output: await runPart(part) })));
const failed = said.filter(({ output }) => output !== undefined);
for (const { part, output } of failed) console.log(`\n--- ${part.name}\n${output}`);
process.exitCode = failed.length === 0 ? 0 : 1;
