import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { accountsIn } from "./accounts.ts";
import { attemptsIn } from "./attempts.ts";
import { noticesIn } from "./notices.ts";
import { registrationsIn } from "./registrations.ts";
import { accountNamed, deviceNamed, fill, hostNamed, keyOf, lockOf, NOW } from "./samples.contract.ts";
import type { Open } from "./stores.contract.ts";

const AT_ONCE = 20;

export function accountsContract(open: Open): void {
  describe("accounts", () => {
    it("are found by e-mail and by key", async () => {
      await using database = await open();
      const accounts = accountsIn(database);
      const ann = accountNamed("ann");
      assert.equal(await accounts.add(ann), true);
      assert.equal(await accounts.add(accountNamed("bob")), true);
      assert.deepEqual(await accounts.byEmail(ann.email), ann);
      assert.deepEqual(await accounts.byKey(ann.key), ann);
      assert.deepEqual(await database.transaction((tx) => accountsIn(tx).lock(ann.key)), ann);
      assert.equal(await accounts.byEmail("nobody@mail.example"), undefined);
      assert.equal(await accounts.byKey(keyOf("nobody")), undefined);
    });

    it("have an e-mail and a key of their own, however many want them at once", async () => {
      await using database = await open();
      const accounts = accountsIn(database);
      const { email } = accountNamed("ann");
      const added = await Promise.all(
        Array.from({ length: AT_ONCE }, (_, at) => accounts.add({ ...accountNamed(`account ${at}`), email })),
      );
      assert.equal(added.filter(Boolean).length, 1);
      const ann = await accounts.byEmail(email);
      assert.equal(await accounts.add({ ...accountNamed("other"), key: ann!.key }), false);
      // A refusal is not the end of a transaction.
      await database.transaction(async (tx) => {
        assert.equal(await accountsIn(tx).add({ ...accountNamed("other"), email }), false);
        assert.equal(await accountsIn(tx).add(accountNamed("other")), true);
      });
    });

    it("get other locks, one without the other", async () => {
      await using database = await open();
      const accounts = accountsIn(database);
      await fill(database, ["ann", "bob"], []);
      const ann = accountNamed("ann");
      const stretching = { salt: "s".repeat(22), memory: 65_536, passes: 3 };
      await accounts.setPassphrase(ann.key, stretching, lockOf("new"));
      assert.deepEqual(await accounts.byKey(ann.key), { ...ann, stretching, passphrase: lockOf("new") });
      await accounts.setRecovery(ann.key, lockOf("newer"));
      const both = { ...ann, stretching, passphrase: lockOf("new"), recovery: lockOf("newer") };
      assert.deepEqual(await accounts.byKey(ann.key), both);
      assert.deepEqual(await accounts.byKey(keyOf("bob")), accountNamed("bob"));
    });

    it("take their devices and notices with them, and leave hosts and others alone", async () => {
      await using database = await open();
      await fill(database, ["ann", "bob"], [deviceNamed("phone", "ann"), hostNamed("desk", "ann")]);
      await fill(database, [], [deviceNamed("tablet", "bob"), hostNamed("server", "bob")]);
      await noticesIn(database).add(keyOf("ann"), { at: NOW, kind: "locked" });
      await noticesIn(database).add(keyOf("bob"), { at: NOW, kind: "locked" });
      await database.transaction((tx) => accountsIn(tx).remove(keyOf("ann")));
      assert.equal(await accountsIn(database).byKey(keyOf("ann")), undefined);
      const registrations = registrationsIn(database);
      assert.equal(await registrations.byKey(keyOf("phone")), undefined);
      assert.deepEqual(await registrations.byKey(keyOf("desk")), hostNamed("desk"));
      assert.equal((await registrations.byAccount(keyOf("bob"))).length, 2);
      assert.deepEqual(await database.query("SELECT account FROM notice"), [{ account: keyOf("bob") }]);
    });
  });

  describe("attempts", () => {
    it("are counted one after the other, however many come at once", async () => {
      await using database = await open();
      const counted = await Promise.all(
        Array.from({ length: AT_ONCE }, () =>
          database.transaction(async (tx) => {
            const { failures } = await attemptsIn(tx).lock("a", NOW);
            await attemptsIn(tx).set("a", failures + 1, NOW + failures, NOW);
            return failures;
          }),
        ),
      );
      assert.deepEqual(
        counted.toSorted((one, other) => one - other),
        Array.from({ length: AT_ONCE }, (_, at) => at),
      );
      const stands = await database.transaction((tx) => attemptsIn(tx).lock("a", NOW + 1));
      assert.deepEqual(stands, { failures: AT_ONCE, until: NOW + AT_ONCE - 1 });
    });

    it("are forgotten by name and by age", async () => {
      await using database = await open();
      const attempts = attemptsIn(database);
      for (const [name, at] of [
        ["a", 1],
        ["b", 2],
        ["c", 3],
      ] as const)
        await attempts.lock(name, at);
      await attempts.forget("b");
      await attempts.sweep(1);
      assert.deepEqual(await database.query("SELECT name FROM attempt"), [{ name: "c" }]);
    });
  });
}
