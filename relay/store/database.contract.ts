/** What either store does for the records: run by both. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { type Database, StoreError, type StoreFault } from "./database.ts";

export const faultIs = (fault: StoreFault) => (error: unknown) => error instanceof StoreError && error.fault === fault;

const PUT = "INSERT INTO invitation (hash, whom, expires) VALUES (?, ?, ?)";
const COUNT = "SELECT count(*) AS count FROM invitation";
const AT_ONCE = 40;

/** `open` gives an empty database with its tables. */
export function databaseContract(open: () => Promise<Database>): void {
  const put = (database: Pick<Database, "query">, hash: string, expires = 1) =>
    database.query(PUT, hash, "host", expires);
  const count = async (database: Pick<Database, "query">) =>
    (await database.query<{ count: number }>(COUNT))[0]?.count ?? Number.NaN;

  describe("the database", () => {
    it("gives back what was stored: texts as they are, and numbers as numbers, up to 2^53", async () => {
      await using database = await open();
      const odd = `"'?$1 -- ; \u2028 ünï 😀`;
      await put(database, odd, Number.MAX_SAFE_INTEGER);
      assert.deepEqual(await database.query("SELECT hash, expires FROM invitation WHERE hash = ?", odd), [
        { hash: odd, expires: Number.MAX_SAFE_INTEGER },
      ]);
      assert.deepEqual(await database.query(COUNT), [{ count: 1 }]);
      assert.deepEqual(await database.query("SELECT max(expires) AS last, NULL AS none FROM invitation WHERE 1 = 0"), [
        { last: null, none: null },
      ]);
    });

    it("refuses a number beyond 2^53 rather than give another one", async () => {
      await using database = await open();
      await database.query("INSERT INTO invitation (hash, whom, expires) VALUES ('a', 'host', 9007199254740993)");
      await assert.rejects(database.query("SELECT expires FROM invitation"), faultIs("broken"));
      assert.equal(await count(database), 1);
    });

    it("takes values of a column's type only", async () => {
      await using database = await open();
      await assert.rejects(database.query(PUT, "a", "host", "soon"), faultIs("broken"));
      await assert.rejects(database.query(PUT, "a", "host", null), faultIs("broken"));
      await assert.rejects(database.query(PUT, "a", "nobody", 1), faultIs("broken"));
      assert.equal(await count(database), 0);
    });

    it("returns what a change has changed", async () => {
      await using database = await open();
      await put(database, "a", 1);
      await put(database, "b", 5);
      const upsert = `${PUT} ON CONFLICT (hash) DO UPDATE SET expires = invitation.expires + excluded.expires RETURNING expires`;
      assert.deepEqual(await database.query(upsert, "a", "host", 2), [{ expires: 3 }]);
      assert.deepEqual(await database.query(`${PUT} ON CONFLICT DO NOTHING RETURNING hash`, "a", "host", 2), []);
      assert.deepEqual(await database.query("DELETE FROM invitation WHERE expires > ? RETURNING hash", 4), [
        { hash: "b" },
      ]);
    });

    it("tells a key that is there, and one that is not there, from other faults", async () => {
      await using database = await open();
      await put(database, "a");
      await assert.rejects(put(database, "a"), faultIs("conflict"));
      await assert.rejects(
        database.query("INSERT INTO family (id, key, began, given, kept) VALUES ('f', 'nobody', 1, 1, 1)"),
        faultIs("conflict"),
      );
      await assert.rejects(database.query("SELECT nothing FROM nowhere"), faultIs("broken"));
      assert.equal(await count(database), 1);
    });

    it("does all of a transaction or nothing", async () => {
      await using database = await open();
      const given = await database.transaction(async (tx) => {
        await put(tx, "a");
        await put(tx, "b");
        return count(tx);
      });
      assert.equal(given, 2);
      const fault = new Error("changed its mind");
      await assert.rejects(
        database.transaction(async (tx) => {
          await put(tx, "c");
          throw fault;
        }),
        (error) => error === fault,
      );
      assert.equal(await count(database), 2);
    });

    it("undoes a transaction of which a query failed, though it went on", async () => {
      await using database = await open();
      await assert.rejects(
        database.transaction(async (tx) => {
          await put(tx, "a");
          await put(tx, "a").catch(() => {});
          await put(tx, "b").catch(() => {});
        }),
        faultIs("conflict"),
      );
      assert.equal(await count(database), 0);
    });

    it("has no use for a transaction that is over", async () => {
      await using database = await open();
      const tx = await database.transaction((one) => Promise.resolve(one));
      await assert.rejects(put(tx, "a"), faultIs("broken"));
      assert.equal(await count(database), 0);
    });

    it("lets nobody else change a row that a transaction has changed", async () => {
      await using database = await open();
      await put(database, "a", 0);
      await Promise.all(
        Array.from({ length: AT_ONCE }, () =>
          database.transaction(async (tx) => {
            const [row] = await tx.query<{ expires: number }>(
              "UPDATE invitation SET expires = expires WHERE hash = ? RETURNING expires",
              "a",
            );
            await tx.query("UPDATE invitation SET expires = ? WHERE hash = ?", row!.expires + 1, "a");
          }),
        ),
      );
      assert.deepEqual(await database.query("SELECT expires FROM invitation"), [{ expires: AT_ONCE }]);
    });

    it("shows nobody what a transaction has not ended", async () => {
      await using database = await open();
      const begun = Promise.withResolvers<void>();
      const fault = new Error("changed its mind");
      const transaction = database.transaction(async (tx) => {
        await put(tx, "a");
        begun.resolve();
        await turn();
        throw fault;
      });
      await begun.promise;
      const [seen, end] = await Promise.all([count(database), transaction.catch((error: unknown) => error)]);
      assert.equal(seen, 0);
      assert.equal(end, fault);
    });

    it("does not answer once it is closed, and closing it twice is closing it once", async () => {
      const database = await open();
      await put(database, "a");
      const last = put(database, "b");
      await database[Symbol.asyncDispose]();
      await last;
      await database[Symbol.asyncDispose]();
      await assert.rejects(count(database), faultIs("unavailable"));
      await assert.rejects(
        database.transaction((tx) => count(tx)),
        faultIs("unavailable"),
      );
    });
  });
}
