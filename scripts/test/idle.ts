/** How many processors have nothing to do. */

import { cpus } from "node:os";
import { setTimeout as delay } from "node:timers/promises";

/** Long enough to see past the pauses of a single test. */
const MEASURED_MS = 2_000;

export async function idleProcessors(): Promise<number> {
  const before = cpus();
  await delay(MEASURED_MS);
  return cpus().reduce((sum, { times }, at) => {
    const then = before[at]?.times ?? times;
    const all = Object.values(times).reduce((total, each) => total + each, 0);
    const allThen = Object.values(then).reduce((total, each) => total + each, 0);
    return sum + (all === allThen ? 0 : (times.idle - then.idle) / (all - allThen));
  }, 0);
}
