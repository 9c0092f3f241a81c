/**
 * `npm run score:asks -- FOLDER`: how well the reader of terminal screens does on a folder of them. `NAME.txt` is the
 * text of a visible screen, or `NAME.cast` a recording whose end is looked at; `NAME.json` says what is asked there.
 */

import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { expectedOf, judge, type Verdict } from "../host/agents/terminal/corpus/score.ts";
import { screenOfText, type Screen } from "../host/agents/terminal/screen.ts";
import { atEndOfCast } from "./score-asks/cast.ts";

interface Tally {
  hit: number;
  quiet: number;
  missed: number;
  wrong: number;
  alarms: number;
  unusable: number;
}

function score(folder: string): void {
  const tally: Tally = { hit: 0, quiet: 0, missed: 0, wrong: 0, alarms: 0, unusable: 0 };
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).sort();
  const known = new Set(files);
  for (const file of files) {
    const found = /^(.*)\.(txt|cast)$/u.exec(file);
    if (!found || !statSync(join(folder, file)).isFile()) continue;
    const [, name = "", kind = ""] = found;
    // A recording says more than its text; one name is scored once.
    if (kind === "txt" && known.has(`${name}.cast`)) continue;
    const label = `${name}.json`;
    const expected = known.has(label) ? expectedOf(readFileSync(join(folder, label), "utf8")) : undefined;
    if (!expected) {
      tally.unusable += 1;
      console.log(`unusable     ${file}: ${known.has(label) ? `${label} is of another form` : `there is no ${label}`}`);
      continue;
    }
    try {
      const text = readFileSync(join(folder, file), "utf8");
      const judged = (screen: Screen): Verdict => judge(screen, expected);
      const { outcome, said } = kind === "cast" ? atEndOfCast(text, judged) : judged(screenOfText(text));
      if (outcome === "hit") tally.hit += 1;
      else if (outcome === "quiet") tally.quiet += 1;
      else if (outcome === "false alarm") tally.alarms += 1;
      else if (outcome === "missed") tally.missed += 1;
      else tally.wrong += 1;
      if (said !== "") console.log(`${(outcome === "wrong" ? "missed" : outcome).padEnd(12)} ${file}: ${said}`);
    } catch (fault) {
      tally.unusable += 1;
      console.log(`unusable     ${file}: ${fault instanceof Error ? fault.message : String(fault)}`);
    }
  }
  report(tally);
}

/** What was read as another kind, or with other options, counts as missed; it is no false alarm: somebody is asked. */
function report({ hit, quiet, missed, wrong, alarms, unusable }: Tally): void {
  const asks = hit + missed + wrong;
  const skipped = unusable === 0 ? "" : `, ${unusable} unusable`;
  console.log(`${asks + quiet + alarms} screens: ${asks} that ask, ${quiet + alarms} that do not${skipped}`);
  console.log(`recall    ${rate(hit, asks)}`);
  console.log(`precision ${rate(hit, hit + alarms)}`);
}

function rate(part: number, whole: number): string {
  return whole === 0 ? "none to count" : `${((part / whole) * 100).toFixed(1)} % (${part} of ${whole})`;
}

const [word, ...more] = process.argv.slice(2);
// npm runs it in the root, wherever the person stands.
const folder = word === undefined ? undefined : resolve(process.env.INIT_CWD ?? ".", word);
if (folder === undefined || more.length > 0) {
  console.error("Say which folder: npm run score:asks -- FOLDER");
  process.exitCode = 1;
} else if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
  console.error(`${folder} is no folder.`);
  process.exitCode = 1;
} else {
  score(folder);
}
