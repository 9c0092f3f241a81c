/** Samples and what is said of them. Two things that are compared are measured in turns. */

/** The value that a share of the samples does not exceed (nearest rank). Throws on no samples: a figure of nothing is none. */
export function percentile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  const value = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
  if (value === undefined) throw new RangeError("There are no samples.");
  return value;
}

export function median(samples: readonly number[]): number {
  return percentile(samples, 0.5);
}

/** Runs each in turn, `rounds` times; the first round warms up and is dropped. Each adds its samples to the list it is given. */
export async function inTurns(
  rounds: number,
  each: Readonly<Record<string, (samples: number[]) => Promise<void> | void>>,
): Promise<Record<string, number[]>> {
  const all: Record<string, number[]> = {};
  for (let round = -1; round < rounds; round += 1) {
    for (const [name, measure] of Object.entries(each)) {
      const samples: number[] = [];
      await measure(samples);
      if (round >= 0) (all[name] ??= []).push(...samples);
    }
  }
  return all;
}

/** Milliseconds that the work took. */
export async function timed(work: () => unknown): Promise<number> {
  const from = performance.now();
  await work();
  return performance.now() - from;
}

/** Microseconds that one call takes, over many calls. */
export function microsOf(calls: number, work: (call: number) => void): number {
  const from = performance.now();
  for (let call = 0; call < calls; call += 1) work(call);
  return ((performance.now() - from) * 1000) / calls;
}
