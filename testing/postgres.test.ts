import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { type Postgres, startPostgres } from "./postgres.ts";

describe("a PostgreSQL for tests", { timeout: 120_000 }, () => {
  let postgres: Postgres;

  before(async () => {
    postgres = await startPostgres();
  });
  after(() => postgres[Symbol.asyncDispose]());

  it("starts, with a database that is empty", async () => {
    assert.deepEqual(await postgres.query(postgres.url, "SELECT current_database(), current_user"), [
      ["relay", "relay"],
    ]);
    assert.deepEqual(await postgres.query(postgres.url, "SELECT 1 FROM pg_tables WHERE schemaname = 'public'"), []);
  });

  it("makes further databases, each of its own", async () => {
    const [one, other] = [await postgres.database(), await postgres.database()];
    await postgres.query(one, "CREATE TABLE here (word text)");
    await postgres.query(one, "INSERT INTO here VALUES ('a b'), ('c')");
    assert.deepEqual(await postgres.query(one, "SELECT word, length(word) FROM here ORDER BY 1"), [
      ["a b", "3"],
      ["c", "1"],
    ]);
    await assert.rejects(postgres.query(other, "SELECT * FROM here"), /relation "here" does not exist/);
  });

  it("is killed in the middle of its work, and has what it acknowledged when it starts again", async () => {
    const url = await postgres.database();
    await postgres.query(url, "CREATE TABLE kept (at int)");
    await postgres.query(url, "INSERT INTO kept SELECT generate_series(1, 1000)");
    const running = assert.rejects(
      postgres.query(url, "SELECT pg_sleep(60)"),
      /server closed the connection|terminating/,
    );
    const isAsleep = async (): Promise<boolean> =>
      (await postgres.query(postgres.url, "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'")).length > 0;
    while (!(await isAsleep()));
    await postgres.kill();
    await running;
    await assert.rejects(postgres.query(url, "SELECT 1"), /connection to server on socket/);
    await postgres.start();
    assert.deepEqual(await postgres.query(url, "SELECT count(*) FROM kept"), [["1000"]]);
  });

  it("is stopped and started, and stopped twice", async () => {
    await postgres.stop();
    await postgres.stop();
    await assert.rejects(postgres.query(postgres.url, "SELECT 1"), /connection to server on socket/);
    await postgres.start();
    assert.deepEqual(await postgres.query(postgres.url, "SELECT 1"), [["1"]]);
  });

  it("leaves nothing", async () => {
    const other = await startPostgres();
    const folder = new URL(other.url).searchParams.get("host") ?? "";
    assert.ok(existsSync(folder));
    await other.kill();
    await other[Symbol.asyncDispose]();
    assert.ok(!existsSync(folder));
  });
});
