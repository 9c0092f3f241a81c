/** Which tests passed when last run, by file: what `features` counts as shown. */

import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** File from the root to the full names (`suite > test`) of its passing tests. */
export type PassingByFile = Readonly<Record<string, readonly string[]>>;

export function readPassing(root: string): string[] {
  return Object.values(readNames(root)).flat();
}

/** A run of some files replaces what is known of those; files that are gone are forgotten. */
export function recordPassing(root: string, ran: PassingByFile): void {
  const merged = { ...readNames(root), ...ran };
  const files = Object.keys(merged).filter((file) => existsSync(join(root, file)));
  const names = Object.fromEntries(files.toSorted().map((file) => [file, merged[file]]));
  mkdirSync(join(root, ".cache"), { recursive: true });
  writeFileSync(namesPath(root), `${JSON.stringify(names, null, 2)}\n`);
}

function readNames(root: string): PassingByFile {
  return existsSync(namesPath(root)) ? (JSON.parse(readFileSync(namesPath(root), "utf8")) as PassingByFile) : {};
}

function namesPath(root: string): string {
  return join(root, ".cache", "test-names.json");
}
