import assert from "node:assert/strict";
import { existsSync, statSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { describe, it } from "node:test";
import { databaseContract, faultIs } from "./database.contract.ts";
import { recordsContract } from "./records.contract.ts";
import { openSqlite } from "./sqlite.ts";
import { onSqlite } from "./stores.contract.ts";

onSqlite((open, path) => {
  databaseContract(open);
  recordsContract(open);

  describe("the embedded store", () => {
    it("has what was stored when it is opened again, and is its owner's alone", async () => {
      const file = path();
      {
        await using database = await openSqlite(file);
        await database.query("INSERT INTO invitation (hash, whom, expires) VALUES ('a', 'host', 1)");
        assert.ok(existsSync(`${file}-wal`));
        for (const one of [file, `${file}-wal`]) assert.equal(statSync(one).mode & 0o777, 0o600);
      }
      await using database = await openSqlite(file);
      assert.deepEqual(await database.query("SELECT hash FROM invitation"), [{ hash: "a" }]);
      assert.deepEqual(await database.query("SELECT number, name FROM migration"), [
        { number: 1, name: "0001-records" },
      ]);
    });

    it("flushes what it acknowledges, and is strict about types", async () => {
      await using database = await open();
      assert.deepEqual(await database.query("PRAGMA synchronous"), [{ synchronous: 2 }]);
      assert.deepEqual(await database.query("PRAGMA journal_mode"), [{ journal_mode: "wal" }]);
      const tables = await database.query<{ name: string; strict: number }>(
        "SELECT name, strict FROM pragma_table_list",
      );
      const ours = tables.filter(({ name }) => !name.startsWith("sqlite_"));
      assert.ok(ours.length >= 8 && ours.every(({ strict }) => strict === 1), JSON.stringify(ours));
    });

    it("is shared with a command that makes an invitation meanwhile", async () => {
      const file = path();
      await using database = await openSqlite(file);
      await using command = await openSqlite(file);
      await command.query("INSERT INTO invitation (hash, whom, expires) VALUES ('a', 'host', 1)");
      assert.equal((await database.query("DELETE FROM invitation WHERE hash = 'a' RETURNING hash")).length, 1);
      assert.deepEqual(await command.query("SELECT hash FROM invitation"), []);
    });

    it(
      "says that it is busy when another process does not let go, and goes on after that",
      { timeout: 20_000 },
      async () => {
        const file = path();
        await using database = await openSqlite(file);
        using other = new DatabaseSync(file);
        other.exec("BEGIN IMMEDIATE");
        await assert.rejects(
          database.transaction((tx) => tx.query("SELECT 1 AS one")),
          faultIs("unavailable"),
        );
        other.exec("ROLLBACK");
        await database.query("INSERT INTO invitation (hash, whom, expires) VALUES ('a', 'host', 1)");
      },
    );

    it("stores nothing more when there is no room, says so, and goes on when there is", async () => {
      await using database = await open();
      const [{ page_count: pages } = { page_count: 0 }] = await database.query<{ page_count: number }>(
        "PRAGMA page_count",
      );
      await database.query(`PRAGMA max_page_count = ${pages + 1}`);
      const long = "x".repeat(20_000);
      await assert.rejects(
        database.transaction(async (tx) => {
          await tx.query("INSERT INTO invitation (hash, whom, expires) VALUES ('small', 'host', 1)");
          await tx.query("INSERT INTO invitation (hash, whom, expires) VALUES (?, 'host', 1)", long);
        }),
        faultIs("full"),
      );
      assert.deepEqual(await database.query("SELECT hash FROM invitation"), []);
      await database.query("PRAGMA max_page_count = 100000");
      await database.query("INSERT INTO invitation (hash, whom, expires) VALUES (?, 'host', 1)", long);
    });

    it("changes nothing that a newer version wrote, and nothing that is no database", async () => {
      const file = path();
      {
        await using database = await openSqlite(file);
        await database.query("INSERT INTO migration (number, name, at) VALUES (99, 'later', 1)");
      }
      await assert.rejects(openSqlite(file), faultIs("newer"));
      const text = path();
      writeFileSync(text, "no database, but a text that is longer than the header of one is".repeat(20));
      await assert.rejects(openSqlite(text), faultIs("broken"));
    });
  });
});
