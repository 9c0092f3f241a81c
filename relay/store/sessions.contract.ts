import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { faultIs } from "./database.contract.ts";
import { registrationsIn } from "./registrations.ts";
import { fill, hostNamed, keyOf, NOW } from "./samples.contract.ts";
import { sessionsIn } from "./sessions.ts";
import type { Open } from "./stores.contract.ts";

export function sessionsContract(open: Open): void {
  describe("stored sessions", () => {
    it("begin with one token, for a key that is registered", async () => {
      await using database = await open();
      const sessions = sessionsIn(database);
      await fill(database, [], [hostNamed("desk")]);
      const family = { id: "f", key: keyOf("desk"), began: NOW };
      await sessions.begin(family, "one", NOW + 10);
      const began = { ...family, given: 1, kept: 1 };
      assert.deepEqual(await sessions.byHash("one"), { number: 1, expires: NOW + 10, family: began });
      assert.deepEqual(await sessions.family("f"), began);
      assert.equal(await sessions.byHash("none"), undefined);
      assert.equal(await sessions.family("none"), undefined);
      await assert.rejects(
        database.transaction((tx) => sessionsIn(tx).begin({ ...family, id: "g", key: keyOf("no") }, "two", NOW)),
        faultIs("conflict"),
      );
      assert.equal(await sessions.family("g"), undefined);
    });

    it("replace those before the one that is kept, and never go back", async () => {
      await using database = await open();
      const sessions = sessionsIn(database);
      await fill(database, [], [hostNamed("desk")]);
      await sessions.begin({ id: "f", key: keyOf("desk"), began: NOW }, "one", NOW + 10);
      await sessions.give("f", 2, "two", NOW + 20);
      await sessions.give("f", 3, "three", NOW + 30);
      const standing = async () => {
        const tokens = await Promise.all(["one", "two", "three"].map((hash) => sessions.byHash(hash)));
        return [tokens[0]?.family.given, tokens[0]?.family.kept, ...tokens.map((token) => token?.replaced)];
      };
      assert.deepEqual(await standing(), [3, 1, undefined, undefined, undefined]);
      await sessions.keep("f", 2, NOW + 5);
      assert.deepEqual(await standing(), [3, 2, NOW + 5, undefined, undefined]);
      await sessions.keep("f", 1, NOW + 6);
      // What was not given out cannot be kept.
      await sessions.keep("f", 4, NOW + 7);
      assert.deepEqual(await standing(), [3, 2, NOW + 5, undefined, undefined]);
      await sessions.keep("f", 3, NOW + 8);
      assert.deepEqual(await standing(), [3, 3, NOW + 5, NOW + 8, undefined]);
    });

    it("are given again until another time", async () => {
      await using database = await open();
      const sessions = sessionsIn(database);
      await fill(database, [], [hostNamed("desk")]);
      await sessions.begin({ id: "f", key: keyOf("desk"), began: NOW }, "one", NOW + 10);
      await sessions.give("f", 2, "two", NOW + 20);
      await sessions.give("f", 3, "three", NOW + 20);
      await sessions.give("f", 2, "two", NOW + 40);
      const token = await sessions.byHash("two");
      assert.deepEqual([token?.expires, token?.number, token?.family.given], [NOW + 40, 2, 3]);
    });

    it("end by their family, by their key, and by their age", async () => {
      await using database = await open();
      const sessions = sessionsIn(database);
      await fill(database, [], [hostNamed("desk"), hostNamed("server")]);
      for (const [id, name, began] of [
        ["a", "desk", 3],
        ["b", "desk", 1],
        ["c", "desk", 2],
        ["d", "server", 4],
        ["e", "server", 5],
      ] as const)
        await sessions.begin({ id, key: keyOf(name), began }, `token ${id}`, NOW);
      const ids = async (name: string) => (await sessions.familiesOf(keyOf(name))).map(({ id }) => id);
      assert.deepEqual(await ids("desk"), ["b", "c", "a"]);
      await sessions.end("c");
      assert.deepEqual(await ids("desk"), ["b", "a"]);
      assert.equal(await sessions.byHash("token c"), undefined);
      await sessions.sweep(1);
      assert.deepEqual(await ids("desk"), ["a"]);
      await sessions.endAll(keyOf("desk"));
      assert.deepEqual(await ids("desk"), []);
      assert.deepEqual(await ids("server"), ["d", "e"]);
      await registrationsIn(database).remove(keyOf("server"));
      assert.deepEqual(await ids("server"), []);
      assert.deepEqual(await database.query("SELECT hash FROM token"), []);
    });
  });
}
