/** The store that several nodes share: PostgreSQL through a bounded pool. A connection that is lost is replaced at the next query. */
import pg from "pg";
import { type Database, type Queries, type Run, runTransaction, StoreError, type Value } from "./database.ts";
import { migrate } from "./migrations.ts";
import { sealedUrl } from "./postgres-url.ts";

/** Queries and transactions that wait for a connection. */
const MAX_WAITING = 10_000;
/** Milliseconds in which a transaction whose node hangs keeps its rows. */
const IDLE_IN_TRANSACTION_MS = 15_000;
/** Milliseconds after which an unused connection is closed. */
const IDLE_MS = 30_000;
/** Times that a transaction is run that stood in the way of another. */
const ATTEMPTS = 5;
/** What every node takes before it changes the shape of the tables; of no meaning. */
const MIGRATION_LOCK = 7_684_000_001;
const INT8 = 20;

export interface Bounds {
  /** Connections of one node. */
  readonly connections: number;
  /** Milliseconds until a connection is there, one that is in use by others included. */
  readonly connectMs: number;
  /** Milliseconds of one statement, by the server's clock. */
  readonly statementMs: number;
  /** Milliseconds until this side gives up on a server that does not answer. */
  readonly answerMs: number;
}

const BOUNDS: Bounds = { connections: 10, connectMs: 5_000, statementMs: 10_000, answerMs: 12_000 };

/** Rows that have been changed by each other's transactions: one was rolled back (PostgreSQL, appendix A, class 40). */
const ENTANGLED: ReadonlySet<string | undefined> = new Set(["40001", "40P01"]);

/**
 * Brings the database to its newest shape; nodes that start at once wait for each other. Throws `StoreError`, also where the
 * URL leads beyond this machine without TLS. `lost` hears of connections that ended while nobody used them.
 */
export async function openPostgres(
  url: string,
  lost: (error: Error) => void = () => {},
  bounds: Partial<Bounds> = {},
): Promise<Database> {
  const { connections, connectMs, statementMs, answerMs } = { ...BOUNDS, ...bounds };
  const pool = new pg.Pool({
    connectionString: sealedUrl(url),
    application_name: "flybridge relay",
    max: connections,
    connectionTimeoutMillis: connectMs,
    idleTimeoutMillis: IDLE_MS,
    statement_timeout: statementMs,
    query_timeout: answerMs,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
    keepAlive: true,
    types: {
      getTypeParser: ((oid: number, format?: "text") =>
        oid === INT8 ? safeNumber : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
    },
  });
  pool.on("error", (error) => lost(error));
  const database = new PostgresDatabase(pool);
  try {
    await migrate(database, { lock: { sql: "SELECT pg_advisory_xact_lock(?)", key: MIGRATION_LOCK } });
    return database;
  } catch (error) {
    await database[Symbol.asyncDispose]();
    throw error;
  }
}

class PostgresDatabase implements Database {
  readonly #pool: pg.Pool;
  readonly #translated = new Map<string, string>();
  readonly #underway = new Set<Promise<unknown>>();
  #isClosed = false;

  constructor(pool: pg.Pool) {
    this.#pool = pool;
  }

  query<Row extends object>(sql: string, ...params: readonly Value[]): Promise<Row[]> {
    return this.#connected((run) => run(sql, params) as Promise<Row[]>);
  }

  async transaction<T>(work: (tx: Queries) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++)
      try {
        return await this.#connected((run) =>
          runTransaction(run, "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE", work),
        );
      } catch (error) {
        const isEntangled =
          error instanceof StoreError && error.cause instanceof pg.DatabaseError && ENTANGLED.has(error.cause.code);
        if (!isEntangled || attempt === ATTEMPTS) throw error;
      }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    // The pool would forget who waits for a connection.
    await Promise.allSettled(this.#underway);
    if (!this.#pool.ending) await this.#pool.end();
  }

  #connected<T>(work: (run: Run) => Promise<T>): Promise<T> {
    if (this.#isClosed) return Promise.reject(new StoreError("unavailable", "The database was closed."));
    const underway = this.#withConnection(work);
    this.#underway.add(underway);
    const end = (): void => void this.#underway.delete(underway);
    underway.then(end, end);
    return underway;
  }

  /** One that failed otherwise than by the server's word is not used again. */
  async #withConnection<T>(work: (run: Run) => Promise<T>): Promise<T> {
    if (this.#pool.waitingCount >= MAX_WAITING)
      throw new StoreError("unavailable", "Too much waits for the database. Try again in a moment.");
    let client: pg.PoolClient;
    try {
      client = await this.#pool.connect();
    } catch (error) {
      throw storeError(error);
    }
    let lost: Error | undefined;
    const lose = (error: Error): void => {
      lost ??= error;
    };
    // Between two queries of a transaction nobody else listens, and an event that nobody hears ends the process.
    client.on("error", lose);
    const run: Run = async (sql, params) => {
      try {
        return (await client.query<object>(this.#numbered(sql), [...params])).rows;
      } catch (error) {
        if (!isServersWord(error)) lose(error as Error);
        throw storeError(error);
      }
    };
    try {
      return await work(run);
    } finally {
      client.release(lost);
      client.off("error", lose);
    }
  }

  /** `?` is `$1`, `$2` and so on here. */
  #numbered(sql: string): string {
    const known = this.#translated.get(sql);
    if (known !== undefined) return known;
    let number = 0;
    const translated = sql.replaceAll("?", () => `$${++number}`);
    this.#translated.set(sql, translated);
    return translated;
  }
}

/** A time or a count. Beyond 2^53 a number is not that number any more. */
function safeNumber(text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number)) throw new RangeError(`${text} is beyond what a number holds`);
  return number;
}

/** The server said no, and is ready for the next. */
function isServersWord(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.severity === "ERROR";
}

/** By what can be done about it (PostgreSQL, appendix A). What has no such code did not come from the server. */
function storeError(error: unknown): StoreError {
  const { message, code } = error as Error & { code?: string };
  const words = message || code || "no reason was given";
  const cause = { cause: error };
  if (error instanceof RangeError) return new StoreError("broken", `The database cannot be used: ${words}.`, cause);
  if (!(error instanceof pg.DatabaseError) || code === undefined)
    return new StoreError("unavailable", `The database does not answer: ${words}.`, cause);
  if (code === "53100")
    return new StoreError("full", "The database's disk is full. Free some space; it goes on by itself.", cause);
  if (code === "23505" || code === "23503") return new StoreError("conflict", words, cause);
  // Connection, who one is, rolled back, resources, in use, operator, system; no such database; it only reads now.
  if (/^(?:08|28|40|53|55|57|58|3D)/u.test(code) || code === "25006")
    return new StoreError("unavailable", `The database cannot be used now: ${words}.`, cause);
  return new StoreError("broken", `The database cannot be used: ${words}.`, cause);
}
