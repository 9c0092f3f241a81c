import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { faultIs } from "./database.contract.ts";
import { IDLE_MS, registrationsIn, TOUCH_MS } from "./registrations.ts";
import { deviceNamed, fill, hostNamed, keyOf, NOW } from "./samples.contract.ts";
import { sessionsIn } from "./sessions.ts";
import type { Open } from "./stores.contract.ts";

const AT_ONCE = 20;

export function registrationsContract(open: Open): void {
  describe("registrations", () => {
    it("are found by their key, a host's rendezvous, and their account", async () => {
      await using database = await open();
      const registrations = registrationsIn(database);
      const desk = hostNamed("desk", "ann");
      const later = { ...deviceNamed("tablet", "ann"), created: NOW + 1 };
      await fill(database, ["ann"], [later, desk, deviceNamed("phone", "ann"), hostNamed("server")]);
      assert.deepEqual(await registrations.byKey(desk.key), desk);
      assert.deepEqual(await registrations.byKey(keyOf("server")), hostNamed("server"));
      assert.deepEqual(await registrations.byRendezvous(desk.rendezvous!), desk);
      assert.equal(await registrations.byRendezvous("nowhere"), undefined);
      assert.equal(await registrations.byKey(keyOf("nobody")), undefined);
      const ofAnn = await registrations.byAccount(keyOf("ann"));
      assert.equal(ofAnn.length, 3);
      assert.deepEqual(ofAnn.at(-1), later);
      assert.deepEqual(await registrations.byAccount(keyOf("bob")), []);
    });

    it("take the place of what that key had, but do not let it go when it is held", async () => {
      await using database = await open();
      const registrations = registrationsIn(database);
      await fill(database, ["ann", "bob"], [deviceNamed("phone", "ann")]);
      await registrations.setPlace(keyOf("phone"), "somewhere");
      await registrations.setHeld(keyOf("phone"), true);
      const anew = { ...deviceNamed("phone", "bob"), created: NOW + 5, seen: NOW + 5 };
      assert.equal(await registrations.put(anew), true);
      const expected = { ...anew, created: NOW, held: true, place: "somewhere" };
      assert.deepEqual(await registrations.byKey(keyOf("phone")), expected);
      await registrations.setHeld(keyOf("phone"), false);
      assert.equal((await registrations.byKey(keyOf("phone")))?.held, false);
    });

    it("give a rendezvous to one key only, however many want it at once", async () => {
      await using database = await open();
      const registrations = registrationsIn(database);
      const { rendezvous } = hostNamed("desk");
      const taken = await Promise.all(
        Array.from({ length: AT_ONCE }, (_, at) =>
          registrations.put({ ...hostNamed(`host ${at}`), rendezvous: rendezvous! }).catch((error: unknown) => {
            assert.ok(faultIs("conflict")(error), String(error));
            return false;
          }),
        ),
      );
      assert.equal(taken.filter(Boolean).length, 1);
      const owner = await registrations.byRendezvous(rendezvous!);
      assert.equal(await registrations.put({ ...hostNamed("late"), rendezvous: rendezvous! }), false);
      assert.equal(await registrations.byKey(keyOf("late")), undefined);
      // Its owner may come again, and go to another, which leaves this one to others.
      assert.equal(await registrations.put(owner!), true);
      assert.equal(await registrations.put({ ...owner!, rendezvous: "x".repeat(16) }), true);
      assert.equal(await registrations.put({ ...hostNamed("late"), rendezvous: rendezvous! }), true);
    });

    it("are not under an account that there is not", async () => {
      await using database = await open();
      const registrations = registrationsIn(database);
      await assert.rejects(registrations.put(deviceNamed("phone", "nobody")), faultIs("conflict"));
      await fill(database, [], [hostNamed("desk")]);
      assert.equal(await registrations.setAccount(keyOf("desk"), keyOf("nobody")), false);
      assert.equal((await registrations.byKey(keyOf("desk")))?.account, undefined);
    });

    it("of hosts change their account, and lose the name that they had there", async () => {
      await using database = await open();
      const registrations = registrationsIn(database);
      await fill(database, ["ann", "bob"], [hostNamed("desk", "ann"), deviceNamed("phone", "ann")]);
      assert.equal(await registrations.setAccount(keyOf("desk"), keyOf("ann")), true);
      assert.equal((await registrations.byKey(keyOf("desk")))?.label, "desk-label");
      assert.equal(await registrations.setAccount(keyOf("desk"), keyOf("bob")), true);
      assert.deepEqual(await registrations.byAccount(keyOf("bob")), [hostWithout("label")]);
      assert.equal(await registrations.setAccount(keyOf("desk"), undefined), true);
      assert.deepEqual(await registrations.byKey(keyOf("desk")), hostNamed("desk"));
      assert.equal(await registrations.setAccount(keyOf("phone"), keyOf("bob")), false);
      assert.equal(await registrations.setAccount(keyOf("nobody"), keyOf("bob")), false);
    });

    it("of hosts are named by their own account, and by their id and rendezvous together", async () => {
      await using database = await open();
      const registrations = registrationsIn(database);
      await fill(database, ["ann", "bob"], [hostNamed("desk", "ann"), hostNamed("server", "ann")]);
      const { host, rendezvous } = hostNamed("desk");
      assert.equal(await registrations.setLabel(keyOf("ann"), host!, rendezvous!, "new"), true);
      assert.equal(await registrations.setLabel(keyOf("bob"), host!, rendezvous!, "theirs"), false);
      assert.equal(await registrations.setLabel(keyOf("ann"), host!, hostNamed("server").rendezvous!, "mixed"), false);
      assert.equal((await registrations.byKey(keyOf("desk")))?.label, "new");
      assert.equal((await registrations.byKey(keyOf("server")))?.label, "server-label");
    });

    it("are seen once an hour", async () => {
      await using database = await open();
      const registrations = registrationsIn(database);
      await fill(database, [], [hostNamed("desk")]);
      const seen = async (now: number) => {
        await registrations.touch(keyOf("desk"), now);
        return (await registrations.byKey(keyOf("desk")))?.seen;
      };
      assert.equal(await seen(NOW + TOUCH_MS - 1), NOW);
      assert.equal(await seen(NOW + TOUCH_MS), NOW + TOUCH_MS);
      // A clock that was set back.
      assert.equal(await seen(NOW), NOW + TOUCH_MS);
    });

    it("are gone after 90 days without a sign, and with them their sessions", async () => {
      await using database = await open();
      const registrations = registrationsIn(database);
      await fill(database, [], [hostNamed("desk"), { ...hostNamed("server"), seen: NOW + 1 }]);
      await sessionsIn(database).begin({ id: "f", key: keyOf("desk"), began: NOW }, "hash", NOW + 1);
      assert.deepEqual(await registrations.sweep(NOW + IDLE_MS - 1), []);
      assert.deepEqual(await registrations.sweep(NOW + IDLE_MS), [keyOf("desk")]);
      assert.equal(await registrations.byKey(keyOf("desk")), undefined);
      assert.equal(await sessionsIn(database).byHash("hash"), undefined);
      assert.notEqual(await registrations.byKey(keyOf("server")), undefined);
    });

    it("are removed once", async () => {
      await using database = await open();
      const registrations = registrationsIn(database);
      await fill(database, [], [hostNamed("desk")]);
      const removed = await Promise.all(Array.from({ length: AT_ONCE }, () => registrations.remove(keyOf("desk"))));
      assert.equal(removed.filter(Boolean).length, 1);
    });

    it("are locked until a transaction ends", async () => {
      await using database = await open();
      await fill(database, [], [hostNamed("desk")]);
      await Promise.all(
        Array.from({ length: AT_ONCE }, () =>
          database.transaction(async (tx) => {
            const one = await registrationsIn(tx).lock(keyOf("desk"));
            await registrationsIn(tx).put({ ...one!, label: `${one?.label ?? ""}+` });
          }),
        ),
      );
      assert.equal((await registrationsIn(database).byKey(keyOf("desk")))?.label, "+".repeat(AT_ONCE));
      assert.equal(await database.transaction((tx) => registrationsIn(tx).lock(keyOf("nobody"))), undefined);
    });
  });
}

function hostWithout(name: "label") {
  const { [name]: _, ...rest } = { ...hostNamed("desk", "bob") };
  return rest;
}
