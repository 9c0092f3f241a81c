/** How often somebody tried in vain to open an account: under a keyed hash of its e-mail, whether it has an account or not. */
import type { Queries } from "./database.ts";

/** Of those that are counted at once the newest; more there are only when somebody makes them up. */
const MAX_COUNTED = 100_000;

export interface Attempts {
  /** How it stands; until the transaction ends nobody else learns it. */
  lock(name: string, now: number): Promise<{ readonly failures: number; readonly until: number }>;
  set(name: string, failures: number, until: number, now: number): Promise<void>;
  forget(name: string): Promise<void>;
  /** Forgets what was last tried at that time or before, and what is too much. */
  sweep(before: number): Promise<void>;
}

export function attemptsIn(queries: Queries): Attempts {
  return {
    async lock(name, now) {
      const [row] = await queries.query<{ failures: number; until: number }>(
        `INSERT INTO attempt (name, failures, until, at) VALUES (?, 0, 0, ?)
         ON CONFLICT (name) DO UPDATE SET at = attempt.at RETURNING failures, until`,
        name,
        now,
      );
      return row ?? { failures: 0, until: 0 };
    },
    async set(name, failures, until, now) {
      await queries.query(
        "UPDATE attempt SET failures = ?, until = ?, at = ? WHERE name = ?",
        failures,
        until,
        now,
        name,
      );
    },
    async forget(name) {
      await queries.query("DELETE FROM attempt WHERE name = ?", name);
    },
    async sweep(before) {
      await queries.query("DELETE FROM attempt WHERE at <= ?", before);
      await queries.query(
        `DELETE FROM attempt WHERE name IN (SELECT name FROM attempt ORDER BY at DESC LIMIT ${MAX_COUNTED} OFFSET ${MAX_COUNTED})`,
      );
    },
  };
}
