/** The table: as text for a terminal, and as markdown between the marks in the README. */
import type { Figure } from "./figure.ts";
import type { Results } from "./results.ts";

const END = "<!-- /made -->";
const HEAD = ["what", "ours", "reference", "ratio", "must be", ""] as const;

export function textTable(figures: readonly Figure[]): string {
  const rows = [[...HEAD], ...figures.map(cellsOf)];
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) =>
        column === 0 || column === 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join("  ")
      .trimEnd();
  const [head = [], ...body] = rows;
  return [line(head), "─".repeat(widths.reduce((sum, width) => sum + width + 2, -2)), ...body.map(line)].join("\n");
}

export function markdownTable({ at, machine, figures }: Results): string {
  const rows = [[...HEAD.slice(0, -1), "held"], ["---", "---:", "---", "---:", "---:", "---"], ...figures.map(cellsOf)];
  const table = rows.map((row) => `| ${row.join(" | ")} |`).join("\n");
  return `${table}\n\nMade by \`npm run bench\` on ${at.slice(0, 10)} (${machine}). Read the ratios: each reference is measured in turns with ours, in the same run.`;
}

/** The text with the table between the marks of that name; undefined when it has none. */
export function filled(readme: string, table: string, name = "bench"): string | undefined {
  const mark = `<!-- made: ${name} -->`;
  const begin = readme.indexOf(mark);
  const end = readme.indexOf(END, begin);
  if (begin < 0 || end < 0) return undefined;
  return `${readme.slice(0, begin + mark.length)}\n\n${table}\n\n${readme.slice(end)}`;
}

function cellsOf(figure: Figure): string[] {
  const { what, value, unit, reference, ratio, limit, verdict } = figure;
  const must =
    limit === undefined
      ? ""
      : "ratio" in limit
        ? `≤ ${Number(limit.ratio.toPrecision(3))}x`
        : `≤ ${short(limit.value)} ${unit}`;
  const held = verdict === "no limit" ? "" : verdict;
  return [
    what,
    `${short(value)} ${unit}`,
    `${short(reference.value)} ${unit}, ${reference.what}`,
    `${short(ratio)}x`,
    must,
    held,
  ];
}

/** Three digits that count. */
function short(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  return value >= 100 ? String(Math.round(value)) : String(Number(value.toPrecision(value >= 10 ? 3 : 2)));
}
