/** Which of several places on a screen is drawn unlike the others: the highlight, where a program draws it by colour. */
import type { Row } from "./rows.ts";

export interface Place {
  readonly row: Row;
  readonly col: number;
}

/** The one that stands out, when exactly one does. `ground`: a place of the same rows that is none of them. */
export function standingOut(places: readonly Place[], ground?: Place): number | undefined {
  if (places.length === 0) return undefined;
  const styles = places.map(({ row, col }) => styleAt(row, col));
  if (styles.every((style) => style === undefined)) return undefined;
  if (ground) {
    const plain = styleAt(ground.row, ground.col) ?? "";
    const apart = styles.flatMap((style, at) => (backOf(style) === backOf(plain) ? [] : [at]));
    if (apart.length === 1) return apart[0];
  }
  const inverse = styles.flatMap((style, at) => (style?.startsWith("i") === true ? [at] : []));
  if (inverse.length === 1) return inverse[0];
  if (places.length > 2) {
    const counts = new Map<string, number>();
    for (const style of styles) counts.set(style ?? "", (counts.get(style ?? "") ?? 0) + 1);
    const single = [...counts].filter(([, count]) => count === 1);
    if (counts.size === 2 && single.length === 1) return styles.findIndex((style) => (style ?? "") === single[0]?.[0]);
  }
  const backs = styles.map(backOf);
  const backed = backs.flatMap((back, at) => (back === "" || back === undefined ? [] : [at]));
  if (backed.length === 1) return backed[0];
  const strong = styles.flatMap((style, at) => (/[bu]/u.test(style?.slice(1).split(":")[0] ?? "") ? [at] : []));
  if (strong.length === 1) return strong[0];
  const dim = styles.flatMap((style, at) => (/d/u.test(style?.slice(1).split(":")[0] ?? "") ? [] : [at]));
  return dim.length === 1 ? dim[0] : undefined;
}

/** Whether what is written there is dim: a placeholder, not something typed. */
export function isDimAt(row: Row, col: number): boolean {
  const span = spanAt(row, col);
  return span?.dim === true || (span?.fg !== undefined && (span.fg === 8 || (span.fg >= 232 && span.fg <= 246)));
}

function styleAt(row: Row, col: number): string | undefined {
  const span = spanAt(row, col);
  if (!span) return undefined;
  return `${span.inverse ? "i" : "."}${span.bold ? "b" : ""}${span.dim ? "d" : ""}${span.underline ? "u" : ""}:${span.bg ?? ""}:${span.fg ?? ""}`;
}

function backOf(style: string | undefined): string | undefined {
  if (style === undefined) return undefined;
  const back = style.split(":")[1] ?? "";
  return style.startsWith("i") ? `i${back}` : back;
}

function spanAt(row: Row, col: number): Row["spans"][number] | undefined {
  let at = 0;
  for (const span of row.spans) {
    at += span.text.length;
    if (col < at) return span;
  }
  return undefined;
}
