/** The embedded store: one SQLite file in WAL mode, flushed before anything counts as stored. */
import { chmodSync, closeSync, openSync } from "node:fs";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { type Database, type Queries, type Run, runTransaction, StoreError, type Value } from "./database.ts";
import { migrate } from "./migrations.ts";

/** Milliseconds that a statement waits for another process, such as `flybridge relay invite`. */
const BUSY_MS = 2_000;
/** Queries and transactions that wait for those before them. */
const MAX_WAITING = 10_000;
/** Statements that stay prepared: more than there are in this folder. */
const MAX_PREPARED = 200;
const PRIVATE_FILE = 0o600;

/**
 * Makes the file, 0600, and brings it to its newest shape. Throws `StoreError`: "newer" when a newer version wrote it,
 * "broken" when it is no database or damaged.
 */
export async function openSqlite(path: string): Promise<Database> {
  const database = new SqliteDatabase(opened(path));
  try {
    await migrate(database, { statement: strict });
    return database;
  } catch (error) {
    await database[Symbol.asyncDispose]();
    throw error;
  }
}

class SqliteDatabase implements Database {
  readonly #db: DatabaseSync;
  readonly #prepared = new Map<string, StatementSync>();
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  query<Row extends object>(sql: string, ...params: readonly Value[]): Promise<Row[]> {
    return this.#inTurn(() => this.#run(sql, params) as Promise<Row[]>);
  }

  transaction<T>(work: (tx: Queries) => Promise<T>): Promise<T> {
    // Immediate: one that began by reading could not write any more once another process has written.
    return this.#inTurn(() => runTransaction(this.#run, "BEGIN IMMEDIATE", work));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#last;
    if (this.#db.isOpen) this.#db.close();
  }

  /** One connection is one transaction, so whatever comes meanwhile waits. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#waiting >= MAX_WAITING)
      return Promise.reject(new StoreError("unavailable", "Too much waits for the database. Try again in a moment."));
    this.#waiting++;
    const turn = this.#last.then(work);
    this.#last = turn.then(
      () => this.#waiting--,
      () => this.#waiting--,
    );
    return turn;
  }

  readonly #run: Run = async (sql, params) => {
    if (!this.#db.isOpen) throw new StoreError("unavailable", "The database was closed.");
    try {
      // They come without a prototype.
      return this.#statement(sql)
        .all(...params)
        .map((row) => ({ ...row }));
    } catch (error) {
      throw storeError(error);
    }
  };

  #statement(sql: string): StatementSync {
    const known = this.#prepared.get(sql);
    if (known) return known;
    if (this.#prepared.size >= MAX_PREPARED) this.#prepared.clear();
    const statement = this.#db.prepare(sql);
    this.#prepared.set(sql, statement);
    return statement;
  }
}

function opened(path: string): DatabaseSync {
  try {
    // Before SQLite makes it; its log gets the same rights.
    closeSync(openSync(path, "a", PRIVATE_FILE));
    chmodSync(path, PRIVATE_FILE);
    const db = new DatabaseSync(path, { timeout: BUSY_MS, enableForeignKeyConstraints: true });
    try {
      db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;");
      return db;
    } catch (error) {
      db.close();
      throw error;
    }
  } catch (error) {
    const fault = storeError(error);
    if (fault.fault !== "broken") throw fault;
    throw new StoreError(
      "broken",
      `${path} cannot be opened: ${(error as Error).message}. Restore it from a backup; or move it away, and the relay begins anew without accounts and registrations.`,
      { cause: error },
    );
  }
}

/** A statement of a migration as SQLite is strict about it: a column takes its own type only, and knows no BIGINT. */
function strict(sql: string): string {
  const typed = sql.replaceAll(/\bBIGINT\b/gu, "INTEGER");
  return /^CREATE TABLE\b/u.test(typed) ? `${typed} STRICT` : typed;
}

/** By what can be done about it (result codes, sqlite.org/rescode.html). */
function storeError(error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  const { errcode = 0, message, code } = error as Error & { errcode?: number; code?: string };
  const cause = { cause: error };
  if (FULL.has(errcode) || FULL.has(errcode & 0xff) || code === "ENOSPC")
    return new StoreError(
      "full",
      "The disk is full: nothing can be stored. Free some space; it goes on by itself.",
      cause,
    );
  if (CONFLICTS.has(errcode)) return new StoreError("conflict", message, cause);
  if (UNAVAILABLE.has(errcode & 0xff))
    return new StoreError("unavailable", `The database cannot be used now: ${message}.`, cause);
  return new StoreError("broken", `The database cannot be used: ${message}.`, cause);
}

/** SQLITE_FULL, and SQLITE_IOERR_SHMSIZE: the log's index could not grow. */
const FULL: ReadonlySet<number> = new Set([13, 4874]);
/** Of a foreign key, a primary key, a unique column, a row's number. */
const CONFLICTS: ReadonlySet<number> = new Set([787, 1555, 2067, 2579]);
/** Busy, locked, I/O. */
const UNAVAILABLE: ReadonlySet<number> = new Set([5, 6, 10]);
