/** How often somebody may try to open an account: by the account, wherever the tries come from, and by where they come from. */
import type { Database } from "../store/database.ts";
import { attemptsIn } from "../store/attempts.ts";
import { customerNetwork } from "./address.ts";
import type { Derive } from "./secret.ts";

/** Tries in vain before the first wait; each further one doubles it. */
const FREE_TRIES = 5;
const FIRST_WAIT_MS = 5_000;
const LONGEST_WAIT_MS = 15 * 60_000;
/** Milliseconds after the last try in vain until it is forgotten. */
const REMEMBERED_MS = 24 * 3_600_000;

/** What one network may spend at once, and the milliseconds in which it gets one back. */
const BUCKET = 60;
const REFILL_MS = 10_000;
/** Networks that are remembered; the one that was quiet for longest is forgotten. */
const MAX_BUCKETS = 10_000;

/** By what an account is tried to be opened. Each is counted for itself: who is locked out of one has the other. */
export type Way = "passphrase" | "recovery";

export interface Tries {
  /** Counts a try before it is judged, so that many at once are many. `wait`: milliseconds, when it may not be made now. */
  count(way: Way, email: string): Promise<{ readonly failures: number; readonly wait?: number }>;
  /** The last one was right. */
  forget(way: Way, email: string): Promise<void>;
  /** Of so much of what this address may spend; milliseconds to wait, when it has not got it. Kept by this node alone. */
  spend(from: string, cost: number): number | undefined;
  giveBack(from: string, cost: number): void;
  sweep(): Promise<void>;
}

export function makeTries(around: { readonly database: Database; readonly derive: Derive; now(): number }): Tries {
  const { database, derive, now } = around;
  // An e-mail without an account is counted as well: otherwise one could see by it which have one.
  const nameOf = (way: Way, email: string): string => derive("attempt", way, email).toString("base64url");
  /** Least recently used first. */
  const buckets = new Map<string, { left: number; at: number }>();
  const bucketOf = (from: string): { left: number; at: number } => {
    const network = customerNetwork(from);
    const at = now();
    const { left, at: since } = buckets.get(network) ?? { left: BUCKET, at };
    buckets.delete(network);
    const bucket = { left: Math.min(BUCKET, left + Math.max(0, at - since) / REFILL_MS), at };
    buckets.set(network, bucket);
    if (buckets.size > MAX_BUCKETS) buckets.delete(buckets.keys().next().value ?? network);
    return bucket;
  };

  return {
    count(way, email) {
      const name = nameOf(way, email);
      return database.transaction(async (tx) => {
        const at = now();
        const { failures, until } = await attemptsIn(tx).lock(name, at);
        // A wait that is longer than there are any: a clock was set back.
        if (until > at && until <= at + LONGEST_WAIT_MS) return { failures, wait: until - at };
        await attemptsIn(tx).set(name, failures + 1, at + waitAfter(failures + 1), at);
        return { failures: failures + 1 };
      });
    },
    forget: (way, email) => attemptsIn(database).forget(nameOf(way, email)),
    spend(from, cost) {
      const bucket = bucketOf(from);
      if (bucket.left < cost) return Math.ceil((cost - bucket.left) * REFILL_MS);
      bucket.left -= cost;
      return undefined;
    },
    giveBack(from, cost) {
      const bucket = bucketOf(from);
      bucket.left = Math.min(BUCKET, bucket.left + cost);
    },
    sweep: () => attemptsIn(database).sweep(now() - REMEMBERED_MS),
  };
}

/** Whether somebody has to wait after so many. */
export function isLocked(failures: number): boolean {
  return failures >= FREE_TRIES;
}

function waitAfter(failures: number): number {
  return isLocked(failures) ? Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (failures - FREE_TRIES)) : 0;
}
