/** Both stores for tests, each new and empty. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe } from "node:test";
import { type Postgres, startPostgres } from "@flybridge/testing/postgres.ts";
import type { Database } from "./database.ts";
import { openPostgres } from "./postgres.ts";
import { openSqlite } from "./sqlite.ts";

export type Open = () => Promise<Database>;

export function onSqlite(tests: (open: Open, path: () => string) => void): void {
  describe("SQLite", () => {
    const folder = mkdtempSync(join(tmpdir(), "flybridge-relay-store-"));
    after(() => rmSync(folder, { recursive: true, force: true }));
    let files = 0;
    const path = (): string => join(folder, `${++files}.db`);
    tests(() => openSqlite(path()), path);
  });
}

/** One server for all tests of a file. */
export function onPostgres(tests: (open: Open, server: () => Postgres) => void): void {
  describe("PostgreSQL", () => {
    let server: Postgres | undefined;
    before(async () => {
      server = await startPostgres();
    });
    after(() => server?.[Symbol.asyncDispose]());
    const running = (): Postgres => {
      if (!server) throw new Error("PostgreSQL runs while tests do");
      return server;
    };
    tests(async () => openPostgres(await running().database()), running);
  });
}

export function onBoth(tests: (open: Open) => void): void {
  onSqlite(tests);
  onPostgres(tests);
}
