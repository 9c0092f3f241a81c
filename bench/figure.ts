/** One row of the table: what was measured, the reference that was measured in the same run, and what must hold. */

export type Unit = "ms" | "µs" | "MB" | "KB" | "B" | "/s" | "entries/ms";

export interface Measured {
  readonly what: string;
  readonly value: number;
  readonly unit: Unit;
  /** In the same unit; measured in turns with the value, so that a busy machine slows both. */
  readonly reference: { readonly what: string; readonly value: number };
  /** What the value may be at most, in its unit, or how many times the reference at most. */
  readonly limit?: { readonly value: number } | { readonly ratio: number };
}

export interface Figure extends Measured {
  readonly bench: string;
  readonly ratio: number;
  readonly verdict: "met" | "missed" | "no limit";
}

export interface Bench {
  readonly name: string;
  /** One line for `--list`. */
  readonly about: string;
  /** `share` of the full number of samples, from above 0 to 1; figures of a small share show that it runs, no more. */
  run(around: { readonly share: number; readonly app: string }): Promise<Measured[]>;
}

export function figureOf(bench: string, measured: Measured): Figure {
  const ratio = measured.value / measured.reference.value;
  return { ...measured, bench, ratio, verdict: verdictOf(measured, ratio) };
}

/** `full` samples, or the share of them, `least` at least. */
export function countOf(full: number, share: number, least = 1): number {
  return Math.max(least, Math.round(full * share));
}

function verdictOf({ value, limit }: Measured, ratio: number): Figure["verdict"] {
  if (!limit) return "no limit";
  return ("ratio" in limit ? ratio <= limit.ratio : value <= limit.value) ? "met" : "missed";
}
