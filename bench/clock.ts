/** One time for all processes of a measurement, page included: milliseconds since 1970 with fractions. */

export function wall(): number {
  return performance.timeOrigin + performance.now();
}

/**
 * How far `performance` is ahead of the machine's clock here, in milliseconds: each process fixes its origin once, and
 * a browser rounds it. Read at the edges where `Date.now()` steps on. It stands alone, so that it can be run in a page.
 */
export function skewMs(): number {
  const EDGES = 8;
  const skews: number[] = [];
  let last = Date.now();
  while (skews.length < EDGES) {
    const now = Date.now();
    const seen = performance.timeOrigin + performance.now();
    if (now !== last) skews.push(seen - now);
    last = now;
  }
  return skews.toSorted((a, b) => a - b)[EDGES / 2] ?? 0;
}
