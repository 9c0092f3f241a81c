/** Brings a database to its newest shape. A migration that was released is never changed; what comes later is a new one. */
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { type Database, StoreError } from "./database.ts";

/** In order. Named one by one, so that they are found and packed like modules. */
const FILES: readonly string[] = [import.meta.resolve("./migrations/0001-records.sql")];

export interface Dialect {
  /** Keeps other nodes out until the transaction ends, where a transaction alone does not. */
  readonly lock?: { readonly sql: string; readonly key: number };
  /** How this store says it. */
  statement?(sql: string): string;
}

/** Does nothing where it has been done. Throws `StoreError("newer")`, and changes nothing, where a newer version has been. */
export async function migrate(
  database: Database,
  { lock, statement = (sql) => sql }: Dialect,
  files: readonly string[] = FILES,
): Promise<void> {
  await database.transaction(async (tx) => {
    if (lock) await tx.query(lock.sql, lock.key);
    await tx.query(
      statement(
        "CREATE TABLE IF NOT EXISTS migration (number INTEGER PRIMARY KEY, name TEXT NOT NULL, at BIGINT NOT NULL)",
      ),
    );
    const [last] = await tx.query<{ number: number | null }>("SELECT max(number) AS number FROM migration");
    const done = last?.number ?? 0;
    if (done > files.length)
      throw new StoreError(
        "newer",
        `The database was written by a newer Flybridge (shape ${done}, this one knows ${files.length}). Nothing was changed. Update this relay.`,
      );
    for (const [at, file] of files.entries()) {
      if (at < done) continue;
      const path = fileURLToPath(file);
      for (const sql of statementsIn(readFileSync(path, "utf8"))) await tx.query(statement(sql));
      await tx.query(
        "INSERT INTO migration (number, name, at) VALUES (?, ?, ?)",
        at + 1,
        basename(path, ".sql"),
        Date.now(),
      );
    }
  });
}

/** A statement ends with a semicolon at the end of a line; a comment has its lines to itself. */
function statementsIn(text: string): string[] {
  return text
    .replaceAll(/^\s*--.*$/gmu, "")
    .split(/;\s*$/mu)
    .map((sql) => sql.trim())
    .filter((sql) => sql !== "");
}
