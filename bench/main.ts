/** `npm run bench [-- NAME… | --list] [--readme]`: measures, prints the table, keeps it as JSON. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { BENCHES } from "./catalogue.ts";
import { type Figure, figureOf } from "./figure.ts";
import { keepResults, machineHere, newestResults } from "./results.ts";
import { filled, markdownTable, textTable } from "./table.ts";

const ROOT = join(import.meta.dirname, "..");
const README = join(ROOT, "README.md");

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    /** Names the benches there are. */
    list: { type: "boolean", default: false },
    /** Writes the newest kept figures into the README; measures nothing. */
    readme: { type: "boolean", default: false },
    /** Share of the full number of samples. */
    share: { type: "string", default: "1" },
    /** The built app that is measured. */
    app: { type: "string", default: join(ROOT, "web", "dist") },
  },
});

if (values.list) for (const { name, about } of BENCHES) console.log(`${name.padEnd(10)} ${about}`);
else if (values.readme) writeReadme();
else await measure(positionals, Number(values.share), resolve(values.app));

async function measure(names: readonly string[], share: number, app: string): Promise<void> {
  const unknown = names.find((name) => BENCHES.every((bench) => bench.name !== name));
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
    if (names.length > 0 && !names.includes(bench.name)) continue;
    process.stderr.write(`${bench.name}: ${bench.about} …`);
    const from = performance.now();
    const measured = await bench.run({ share, app });
    process.stderr.write(` ${((performance.now() - from) / 1000).toFixed(1)} s\n`);
    figures.push(...measured.map((one) => figureOf(bench.name, one)));
  }
  console.log(`\n${textTable(figures)}\n`);
  console.log(`Kept in ${keepResults({ at, machine: machineHere(), share, figures })}`);
}

function writeReadme(): void {
  const newest = newestResults();
  newest?.figures.sort((a, b) => placeOf(a.bench) - placeOf(b.bench));
  const readme = existsSync(README)
    ? filled(readFileSync(README, "utf8"), newest ? markdownTable(newest) : "")
    : undefined;
  if (newest && readme !== undefined) {
    writeFileSync(README, readme);
    console.log("README.md has the newest figures.");
    return;
  }
  console.error(
    newest ? "README.md has no marks for the bench table." : "Nothing was measured yet: run `npm run bench` first.",
  );
  process.exitCode = 1;
}

function placeOf(name: string): number {
  return BENCHES.findIndex((bench) => bench.name === name);
}
