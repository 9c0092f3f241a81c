/** Results of runs, one file each, newest last by name. */
import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import type { Figure } from "./figure.ts";

const FOLDER = join(import.meta.dirname, "results");

export interface Results {
  /** ISO 8601. */
  readonly at: string;
  readonly machine: string;
  /** Below 1, the figures are of too few samples to be quoted. */
  readonly share: number;
  readonly figures: readonly Figure[];
}

export function machineHere(): string {
  const [first] = cpus();
  return `${cpus().length} × ${first?.model.trim() ?? "unknown"}, ${process.platform} ${process.arch}, Node ${process.versions.node}`;
}

/** Gives the file's path. */
export function keepResults(results: Results, folder = FOLDER): string {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${results.at.replaceAll(":", "-")}.json`);
  writeFileSync(path, `${JSON.stringify(results, null, 2)}\n`);
  return path;
}

/** The newest figure of each bench, so that a run of one bench renews only its own rows. */
export function newestResults(folder = FOLDER): (Results & { figures: Figure[] }) | undefined {
  if (!existsSync(folder)) return undefined;
  const all = globSync("*.json", { cwd: folder })
    .sort()
    .map((name) => JSON.parse(readFileSync(join(folder, name), "utf8")) as Results)
    .filter((results) => results.share === 1);
  const newest = all.at(-1);
  if (!newest) return undefined;
  const byBench = new Map<string, Figure[]>();
  for (const { figures } of all) {
    for (const [bench, rows] of Map.groupBy(figures, (figure) => figure.bench)) byBench.set(bench, rows);
  }
  return { ...newest, figures: [...byBench.values()].flat() };
}
