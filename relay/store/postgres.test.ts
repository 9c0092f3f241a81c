import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { databaseContract, faultIs } from "./database.contract.ts";
import { recordsContract } from "./records.contract.ts";
import { openPostgres } from "./postgres.ts";
import { sealedUrl } from "./postgres-url.ts";
import { deviceNamed, fill, hostNamed, keyOf } from "./samples.contract.ts";
import { onPostgres } from "./stores.contract.ts";

const NODES = 6;
const TABLES = ["account", "attempt", "family", "invitation", "migration", "notice", "registration", "token"];
const QUICK = { connections: 2, connectMs: 500, statementMs: 300, answerMs: 500 };

onPostgres((open, server) => {
  databaseContract(open);
  recordsContract(open);

  describe("the shared store", () => {
    it("[D50] makes its tables once, however many nodes start at once and how often", async () => {
      const url = await server().database();
      const nodes = await Promise.all(Array.from({ length: NODES }, () => openPostgres(url)));
      await nodes[0]!.query("INSERT INTO registration (key, kind, created, seen, held) VALUES ('k', 'host', 1, 1, 0)");
      await Promise.all(nodes.map((node) => node[Symbol.asyncDispose]()));
      await using again = await openPostgres(url);
      assert.deepEqual(await again.query("SELECT number, name FROM migration"), [{ number: 1, name: "0001-records" }]);
      assert.deepEqual(await again.query("SELECT key, kind FROM registration"), [{ key: "k", kind: "host" }]);
      const tables = await server().query(
        url,
        "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1",
      );
      assert.deepEqual(tables.flat(), TABLES);
    });

    it("[D50] has hosts and devices in its tables: their keys and times, and nothing of what they say", async () => {
      const url = await server().database();
      await using database = await openPostgres(url);
      await fill(database, ["ann"], [hostNamed("desk", "ann"), deviceNamed("phone", "ann"), hostNamed("server")]);
      const kept = await server().query(
        url,
        "SELECT kind, key, account IS NOT NULL FROM registration ORDER BY kind, key",
      );
      assert.deepEqual(kept, [
        ["device", keyOf("phone"), "t"],
        ...[[keyOf("desk"), "t"] as const, [keyOf("server"), "f"] as const]
          .toSorted(([one], [other]) => (one < other ? -1 : 1))
          .map(([key, isUnder]) => ["host", key, isUnder]),
      ]);
      assert.deepEqual(await server().query(url, "SELECT email FROM account"), [["ann@mail.example"]]);
    });

    it("changes nothing that a newer version wrote", async () => {
      const url = await server().database();
      {
        await using database = await openPostgres(url);
        await database.query("INSERT INTO migration (number, name, at) VALUES (99, 'later', 1)");
      }
      await assert.rejects(openPostgres(url), faultIs("newer"));
    });

    it("runs a transaction again that stood in another's way", async () => {
      await using database = await open();
      for (const hash of ["a", "b"])
        await database.query("INSERT INTO invitation (hash, whom, expires) VALUES (?, 'host', 0)", hash);
      const met = [Promise.withResolvers<void>(), Promise.withResolvers<void>()] as const;
      let runs = 0;
      const cross = (first: string, second: string, mine: 0 | 1) =>
        database.transaction(async (tx) => {
          runs++;
          const add = (hash: string) => tx.query("UPDATE invitation SET expires = expires + 1 WHERE hash = ?", hash);
          await add(first);
          met[mine].resolve();
          await met[mine === 0 ? 1 : 0].promise;
          await add(second);
        });
      await Promise.all([cross("a", "b", 0), cross("b", "a", 1)]);
      assert.equal(runs, 3);
      assert.deepEqual(await database.query("SELECT expires FROM invitation"), [{ expires: 2 }, { expires: 2 }]);
    });

    it("says that it is away when the server dies, in a transaction too, and has it all when it is back", async (t) => {
      const url = await server().database();
      const lost: Error[] = [];
      await using database = await openPostgres(url, (error) => lost.push(error));
      // It does already when the test went well.
      t.after(() =>
        server()
          .start()
          .catch(() => {}),
      );
      await database.query("INSERT INTO invitation (hash, whom, expires) VALUES ('a', 'host', 1)");
      // One connection is in a transaction, others rest.
      await Promise.all([1, 2, 3].map(() => database.query("SELECT pg_sleep(0.05)")));
      await assert.rejects(
        database.transaction(async (tx) => {
          await tx.query("INSERT INTO invitation (hash, whom, expires) VALUES ('b', 'host', 1)");
          await server().kill();
          await tx.query("SELECT 1");
        }),
        faultIs("unavailable"),
      );
      await assert.rejects(database.query("SELECT 1"), faultIs("unavailable"));
      await server().start();
      assert.deepEqual(await database.query("SELECT hash FROM invitation"), [{ hash: "a" }]);
      assert.ok(lost.length > 0);
    });

    it("gives up on what takes too long, and uses another connection for the next", async () => {
      const url = await server().database();
      await using database = await openPostgres(url, undefined, QUICK);
      await assert.rejects(database.query("SELECT pg_sleep(30)"), faultIs("unavailable"));
      await database
        .transaction(async (tx) => {
          await assert.rejects(tx.query("SELECT pg_sleep(30)"), faultIs("unavailable"));
        })
        .catch((error: unknown) => assert.ok(faultIs("unavailable")(error)));
      assert.deepEqual(await database.query("SELECT 1 AS one"), [{ one: 1 }]);
    });

    it("gives up on a server that does not answer, and on waiting for a connection", async (t) => {
      const url = new URL(await server().database());
      const wall = await mute(t, `${url.searchParams.get("host")}/.s.PGSQL.5432`);
      const through = `postgres://relay@127.0.0.1:${wall.port}${url.pathname}`;
      await using database = await openPostgres(through, undefined, QUICK);
      wall.isMute = true;
      const asked = Array.from({ length: QUICK.connections + 1 }, () => database.query("SELECT 1 AS one"));
      for (const one of await Promise.allSettled(asked))
        assert.ok(one.status === "rejected" && faultIs("unavailable")(one.reason));
      await assert.rejects(openPostgres(through, undefined, QUICK), faultIs("unavailable"));
      wall.isMute = false;
      assert.deepEqual(await database.query("SELECT 1 AS one"), [{ one: 1 }]);
    });

    it("says what is wrong with an address where nobody is, and where it may not come in", async () => {
      await assert.rejects(openPostgres("postgres://127.0.0.1:1/none"), faultIs("unavailable"));
      const url = new URL(await server().database());
      url.pathname = "/nowhere";
      await assert.rejects(
        openPostgres(url.href),
        (error) => faultIs("unavailable")(error) && /nowhere/u.test(String(error)),
      );
    });
  });
});

describe("the way to PostgreSQL", () => {
  it("is left as it is on this machine", () => {
    for (const url of [
      "postgres://relay:p%40ss@localhost:5432/relay",
      "postgresql://127.0.0.1/relay?sslmode=disable",
      "postgres://[::1]:5432/relay",
      "postgres:///relay?host=%2Fvar%2Frun%2Fpostgresql",
      "postgres://%2Fvar%2Frun%2Fpostgresql/relay",
    ])
      assert.equal(sealedUrl(url), url);
  });

  it("is TLS with a checked certificate beyond it, whatever is said", () => {
    for (const url of [
      "postgres://relay:secret@db.example/relay",
      "postgres://relay:secret@db.example/relay?sslmode=require&uselibpqcompat=true",
      "postgres://relay:secret@db.example/relay?sslmode=verify-ca&sslrootcert=/ca.pem",
      "postgres://localhost/relay?host=db.example&ssl=true",
    ]) {
      const { searchParams } = new URL(sealedUrl(url));
      assert.equal(searchParams.get("sslmode"), "verify-full");
      assert.equal(searchParams.get("uselibpqcompat"), null);
      assert.equal(searchParams.get("sslrootcert"), new URL(url).searchParams.get("sslrootcert"));
    }
  });

  it("is refused in the clear or to anybody, without a word of its secret", () => {
    for (const url of [
      "postgres://relay:secret@db.example/relay?sslmode=disable",
      "postgres://relay:secret@db.example/relay?sslmode=no-verify",
      "postgres://relay:secret@db.example/relay?sslmode=prefer",
      "postgres://relay:secret@db.example/relay?sslmode=require&sslmode=disable",
      "postgres://relay:secret@db.example/relay?ssl=0",
      "postgres://relay:secret@localhost/relay?host=10.0.0.5&ssl=no-verify",
      "mysql://relay:secret@localhost/relay",
      "secret",
    ])
      assert.throws(
        () => sealedUrl(url),
        (error) => faultIs("broken")(error) && !String(error).includes("secret"),
      );
  });
});

/** Leads on to a socket, until it is mute: then what is said on either side goes nowhere. */
async function mute(t: TestContext, path: string): Promise<{ readonly port: number; isMute: boolean }> {
  const open = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(path);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(from);
      from.on("data", (bytes) => !wall.isMute && to.write(bytes));
      from.on("close", () => to.destroy());
      from.on("error", () => {});
    }
  });
  t.after(() => {
    server.close();
    for (const socket of open) socket.destroy();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const wall = { port: (server.address() as { port: number }).port, isMute: false };
  return wall;
}
