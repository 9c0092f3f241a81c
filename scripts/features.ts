/** `npm run features`: the rows of docs/features.md that no passing test names. `--json` for machines. */

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { readPassing } from "./test/names.ts";

const ROOT = join(import.meta.dirname, "..");

export interface Feature {
  /** `A07`: the section's letter and two digits. Stable. */
  readonly id: string;
  readonly capability: string;
}

export interface Coverage {
  readonly shown: readonly Feature[];
  readonly missing: readonly Feature[];
  /** Ids in passing tests that no row has. */
  readonly unknown: readonly string[];
}

export function readFeatures(root: string): Feature[] {
  return parseFeatures(readFileSync(join(root, "docs", "features.md"), "utf8"));
}

export function parseFeatures(markdown: string): Feature[] {
  return [...markdown.matchAll(/^\| *([A-E]\d{2}) *\| *(.*?) *\|/gm)].map(([, id = "", capability = ""]) => ({
    id,
    capability,
  }));
}

/** `[A07]`, or several: `[A07, A08]`, `[A07] [A08]`. Rules of PROTOCOL.md (`[R05]`) are named the same way and are no rows. */
export function idsIn(text: string): string[] {
  return [...text.matchAll(/\[((?:[A-E]\d{2}(?:, ?| )?)+)\]/g)].flatMap(
    ([, ids = ""]) => ids.match(/[A-E]\d{2}/g) ?? [],
  );
}

export function cover(features: readonly Feature[], passing: readonly string[]): Coverage {
  const named = new Set(passing.flatMap(idsIn));
  const known = new Set(features.map(({ id }) => id));
  return {
    shown: features.filter(({ id }) => named.has(id)),
    missing: features.filter(({ id }) => !named.has(id)),
    unknown: [...named].filter((id) => !known.has(id)).sort(),
  };
}

function report(): void {
  const coverage = cover(readFeatures(ROOT), readPassing(ROOT));
  if (process.argv.includes("--json")) {
    console.log(JSON.stringify(coverage, null, 2));
    return;
  }
  if (!existsSync(join(ROOT, ".cache", "test-names.json")))
    console.log("No test run is known yet; `npm test` records one.");
  for (const { id, capability } of coverage.missing) console.log(`${id}  ${capability}`);
  for (const id of coverage.unknown) console.log(`${id}  named by a test, but no row of docs/features.md`);
  const total = coverage.shown.length + coverage.missing.length;
  console.log(`\n${coverage.shown.length} of ${total} rows shown by passing tests, ${coverage.missing.length} not.`);
}

if (process.argv[1] === import.meta.filename) report();
