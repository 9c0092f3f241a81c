/**
 * Sessions as they are stored: families of tokens, each family of one sign-in of one key, of a token its hash only. What they
 * mean is in `access/sessions.ts`. Who changes one holds the lock of its key's registration.
 */
import type { Queries } from "./database.ts";

export interface Family {
  readonly id: string;
  /** Whose it is. */
  readonly key: string;
  readonly began: number;
  /** The newest that was given out. */
  readonly given: number;
  /** The newest that its holder said to have stored, or the first: those before it are replaced. */
  readonly kept: number;
}

export interface Token {
  readonly number: number;
  readonly expires: number;
  /** Since when its successor is kept. */
  readonly replaced?: number;
  readonly family: Family;
}

export interface Sessions {
  byHash(hash: string): Promise<Token | undefined>;
  family(id: string): Promise<Family | undefined>;
  /** Oldest first. */
  familiesOf(key: string): Promise<Family[]>;
  /** With its first token. `StoreError("conflict")` when the key is not registered. */
  begin(family: Pick<Family, "id" | "key" | "began">, hash: string, expires: number): Promise<void>;
  /** A token, or a later end of one. */
  give(family: string, number: number, hash: string, expires: number): Promise<void>;
  /** That number is stored where it is used: those before it are replaced, if they were not. */
  keep(family: string, number: number, now: number): Promise<void>;
  end(family: string): Promise<void>;
  endAll(key: string): Promise<void>;
  /** Ends those that began at that time or before. */
  sweep(began: number): Promise<void>;
}

const FAMILY = "family.id AS id, family.key AS key, family.began AS began, family.given AS given, family.kept AS kept";

export function sessionsIn(queries: Queries): Sessions {
  const addToken = (family: string, number: number, hash: string, expires: number): Promise<unknown> =>
    queries.query(
      `INSERT INTO token (hash, family, number, expires) VALUES (?, ?, ?, ?)
       ON CONFLICT (family, number) DO UPDATE SET hash = excluded.hash, expires = excluded.expires`,
      hash,
      family,
      number,
      expires,
    );

  return {
    async byHash(hash) {
      const [row] = await queries.query<Family & { number: number; expires: number; replaced: number | null }>(
        `SELECT token.number AS number, token.expires AS expires, token.replaced AS replaced, ${FAMILY}
         FROM token JOIN family ON family.id = token.family WHERE token.hash = ?`,
        hash,
      );
      if (!row) return undefined;
      const { number, expires, replaced, ...family } = row;
      return { number, expires, ...(replaced === null ? {} : { replaced }), family };
    },
    family: async (id) => (await queries.query<Family>(`SELECT ${FAMILY} FROM family WHERE id = ?`, id))[0],
    familiesOf: (key) =>
      queries.query<Family>(`SELECT ${FAMILY} FROM family WHERE family.key = ? ORDER BY began, id`, key),
    async begin({ id, key, began }, hash, expires) {
      await queries.query("INSERT INTO family (id, key, began, given, kept) VALUES (?, ?, ?, 1, 1)", id, key, began);
      await addToken(id, 1, hash, expires);
    },
    async give(family, number, hash, expires) {
      await queries.query("UPDATE family SET given = ? WHERE id = ? AND given < ?", number, family, number);
      await addToken(family, number, hash, expires);
    },
    async keep(family, number, now) {
      await queries.query(
        "UPDATE family SET kept = ? WHERE id = ? AND kept < ? AND given >= ?",
        number,
        family,
        number,
        number,
      );
      await queries.query(
        `UPDATE token SET replaced = ?
         WHERE family = ? AND replaced IS NULL AND number < (SELECT kept FROM family WHERE id = ?)`,
        now,
        family,
        family,
      );
    },
    async end(family) {
      await queries.query("DELETE FROM family WHERE id = ?", family);
    },
    async endAll(key) {
      await queries.query("DELETE FROM family WHERE key = ?", key);
    },
    async sweep(began) {
      await queries.query("DELETE FROM family WHERE began <= ?", began);
    },
  };
}
