/** `npm run bench [-- NAME… | --list] [--readme] [--capacity]`: measures, prints the table, keeps it as JSON. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import { capacityTables } from "./capacity.ts";
import { BENCHES } from "./catalogue.ts";
import { type Figure, figureOf } from "./figure.ts";
import { keepResults, machineHere, newestResults } from "./results.ts";
import { filled, markdownTable, textTable } from "./table.ts";

const ROOT = join(import.meta.dirname, "..");
const README = join(ROOT, "README.md");
const CAPACITY = join(ROOT, "docs", "capacity.md");

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    /** Names the benches there are. */
    list: { type: "boolean", default: false },
    /** Writes the newest kept figures into the README; measures nothing. */
    readme: { type: "boolean", default: false },
    /** Writes what a relay needs for so many pairs, by the newest kept figures, into docs/capacity.md; measures nothing. */
    capacity: { type: "boolean", default: false },
    /** Share of the full number of samples. */
    share: { type: "string", default: "1" },
    /** The built app that is measured. */
    app: { type: "string", default: join(ROOT, "web", "dist") },
  },
});

if (values.list) for (const { name, about } of BENCHES) console.log(`${name.padEnd(10)} ${about}`);
else if (values.readme) writeReadme();
else if (values.capacity) writeCapacity();
else await measure(positionals, Number(values.share), resolve(values.app));

async function measure(names: readonly string[], share: number, app: string): Promise<void> {
  const unknown = names.find((name) => !BENCHES.some((bench) => isNamed(bench.name, name)));
  if (unknown !== undefined || !(share > 0 && share <= 1)) {
    console.error(
      unknown === undefined
        ? "--share is a number above 0 and at most 1."
        : `There is no bench "${unknown}". See --list.`,
    );
    process.exitCode = 1;
    return;
  }
  const at = new Date().toISOString();
  const figures: Figure[] = [];
  for (const bench of BENCHES) {
    if (names.length > 0 && !names.some((name) => isNamed(bench.name, name))) continue;
    process.stderr.write(`${bench.name}: ${bench.about} …`);
    const from = performance.now();
    const measured = await bench.run({ share, app });
    process.stderr.write(` ${((performance.now() - from) / 1000).toFixed(1)} s\n`);
    figures.push(...measured.map((one) => figureOf(bench.name, one)));
  }
  console.log(`\n${textTable(figures)}\n`);
  console.log(`Kept in ${keepResults({ at, machine: machineHere(), share, figures })}`);
}

/** By its own name, or by the first word of it: `relay` is all that are about the relay. */
function isNamed(bench: string, name: string): boolean {
  return bench === name || bench.startsWith(`${name}-`);
}

function writeReadme(): void {
  const newest = newestResults();
  newest?.figures.sort((a, b) => placeOf(a.bench) - placeOf(b.bench));
  write(README, "bench", newest && markdownTable(newest));
}

function writeCapacity(): void {
  const newest = newestResults();
  write(CAPACITY, "capacity", newest && capacityTables(newest));
}

/** Between the marks of that name. */
function write(path: string, name: string, made: string | undefined): void {
  const text = existsSync(path) ? filled(readFileSync(path, "utf8"), made ?? "", name) : undefined;
  if (made !== undefined && text !== undefined) {
    writeFileSync(path, text);
    console.log(`${relative(ROOT, path)} has the newest figures.`);
    return;
  }
  console.error(
    made === undefined
      ? "Nothing was measured yet: run `npm run bench` first."
      : `${relative(ROOT, path)} has no marks for what is made here.`,
  );
  process.exitCode = 1;
}

function placeOf(name: string): number {
  return BENCHES.findIndex((bench) => bench.name === name);
}
