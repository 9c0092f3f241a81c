/**
 * What a relay's records lie in. One set of plain SQL is for both stores, SQLite and PostgreSQL: keys, hashes and ids are
 * TEXT, base64url; times are BIGINT, milliseconds since 1970; flags are INTEGER. `?` stands for a parameter.
 */

export type Value = string | number | null;

/** What asks and changes: the database itself, each query for itself, or a transaction, in which they are one. */
export interface Queries {
  /** Rows as plain objects, columns by name. Throws `StoreError`. */
  query<Row extends object = Record<string, Value>>(sql: string, ...params: readonly Value[]): Promise<Row[]>;
}

export interface Database extends Queries, AsyncDisposable {
  /**
   * All that `work` asks through its argument, or nothing. It is rolled back when `work` throws, and also when one of its
   * queries failed and `work` went on. Nobody else changes a row that it has changed, until it ends; of a row that it has
   * only read the rest of the world is free to make another. So who decides by a row changes it first: `lock` in the
   * records does. `work` may run again, after nothing of it remained, and must have no effect outside; and it must not
   * wait for the database other than through its argument.
   */
  transaction<T>(work: (tx: Queries) => Promise<T>): Promise<T>;
}

/**
 * `full`: the disk is, and nothing was stored. `unavailable`: the store does not answer; whether the last thing was stored
 * is not known; the next query tries again. `conflict`: a key is there already, or what it refers to is not. `newer`: a
 * newer version wrote it. `broken`: anything else, and nothing that waiting mends.
 */
export type StoreFault = "full" | "unavailable" | "conflict" | "newer" | "broken";

export class StoreError extends Error {
  override readonly name = "StoreError";
  readonly fault: StoreFault;

  constructor(fault: StoreFault, message: string, options?: ErrorOptions) {
    super(message, options);
    this.fault = fault;
  }
}

/** One connection, which runs what it is told. */
export type Run = (sql: string, params: readonly Value[]) => Promise<object[]>;

/** `work` between `begin` and a commit, on a connection that nobody else uses meanwhile. */
export async function runTransaction<T>(run: Run, begin: string, work: (tx: Queries) => Promise<T>): Promise<T> {
  await run(begin, []);
  let failure: { readonly error: unknown } | undefined;
  let isOver = false;
  const tx: Queries = {
    async query<Row extends object>(sql: string, ...params: readonly Value[]) {
      if (isOver) throw new StoreError("broken", "A transaction was used after its end.");
      // PostgreSQL refuses all that follows a failed query, SQLite does not: here both do.
      if (failure) throw failure.error;
      try {
        return (await run(sql, params)) as Row[];
      } catch (error) {
        failure ??= { error };
        throw error;
      }
    },
  };
  try {
    const result = await work(tx);
    isOver = true;
    if (failure) throw failure.error;
    await run("COMMIT", []);
    return result;
  } catch (error) {
    isOver = true;
    // Where even that fails the connection is gone, and the transaction with it.
    await run("ROLLBACK", []).catch(() => {});
    throw error;
  }
}
