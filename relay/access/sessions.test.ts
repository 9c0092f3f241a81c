import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Notice } from "@flybridge/protocol/relay/account.ts";
import type { Database } from "../store/database.ts";
import { noticesIn } from "../store/notices.ts";
import { registrationsIn } from "../store/registrations.ts";
import { deviceNamed, fill, HOUR_MS, hostNamed, keyOf, NOW } from "../store/samples.contract.ts";
import { onBoth } from "../store/stores.contract.ts";
import { FAMILY_MS, type Given, GRACE_MS, makeSessions, SESSION_MS, type Sessions, type Used } from "./sessions.ts";

const SECRET = "a secret of this relay that nobody can guess";
const PHONE = keyOf("phone");
const THIEF = keyOf("thief");
const HOME = "192.0.2.7";
const AT_ONCE = 20;

interface World extends AsyncDisposable {
  readonly database: Database;
  readonly sessions: Sessions;
  /** Another node over the same store. */
  readonly other: Sessions;
  readonly told: [string, Notice][];
  now: number;
}

onBoth((open) => {
  const begin = async (): Promise<World> => {
    const database = await open();
    await fill(database, ["ann", "eve"], [deviceNamed("phone", "ann"), deviceNamed("thief", "eve"), hostNamed("desk")]);
    const told: [string, Notice][] = [];
    const around = {
      database,
      secret: SECRET,
      now: () => world.now,
      told: (account: string, notice: Notice) => void told.push([account, notice]),
    };
    const world: World = {
      database,
      sessions: makeSessions(around),
      other: makeSessions(around),
      told,
      now: NOW,
      [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
    };
    return world;
  };
  const isHeld = async ({ database }: World, key = PHONE) => (await registrationsIn(database).byKey(key))?.held;
  const noticesOf = ({ database }: World, name: string) => noticesIn(database).list(keyOf(name));

  describe("a session", () => {
    it("begins for a key that is registered", async () => {
      await using world = await begin();
      const { session, holding } = given(await world.sessions.begin(PHONE, HOME));
      assert.equal(session.expires, NOW + SESSION_MS);
      assert.deepEqual(await world.sessions.use(session.session, PHONE, HOME), { kind: "good", holding });
      assert.deepEqual(await world.other.use(session.session, PHONE, HOME), { kind: "good", holding });
      assert.deepEqual(await world.sessions.begin(keyOf("stranger"), HOME), { kind: "unregistered" });
    });

    it("is nothing that somebody made up", async () => {
      await using world = await begin();
      await world.sessions.begin(PHONE, HOME);
      for (const made of ["", keyOf("made up"), "\u0000", "x".repeat(100_000)])
        for (const key of [PHONE, keyOf("stranger")]) {
          assert.deepEqual(await world.sessions.use(made, key, HOME), { kind: "ended" });
          assert.deepEqual(await world.sessions.renew(made, key, HOME), { kind: "ended" });
        }
      assert.equal(await isHeld(world), false);
    });

    it("is stored as a hash only, and is another with another secret", async () => {
      await using world = await begin();
      const first = given(await world.sessions.begin(PHONE, HOME));
      const second = given(await world.sessions.renew(first.session.session, PHONE, HOME));
      const stored = JSON.stringify([
        await world.database.query("SELECT hash, family FROM token"),
        await world.database.query("SELECT id, key FROM family"),
        await world.database.query("SELECT key, place, label FROM registration"),
      ]);
      for (const { session } of [first, second]) assert.ok(!stored.includes(session.session));
      assert.ok(!stored.includes("192."));
      const foreign = makeSessions({ ...world, secret: `${SECRET}!`, now: () => world.now, told() {} });
      const theirs = given(await foreign.renew(first.session.session, PHONE, HOME));
      assert.notEqual(theirs.session.session, second.session.session);
    });

    it("is renewed by its key, and both count until the successor is kept", async () => {
      await using world = await begin();
      const first = given(await world.sessions.begin(PHONE, HOME));
      world.now += 5 * 60_000;
      const second = given(await world.sessions.renew(first.session.session, PHONE, HOME));
      assert.equal(second.session.expires, world.now + SESSION_MS);
      world.now += GRACE_MS + 1;
      for (const { session } of [first, second])
        assert.equal((await world.sessions.use(session.session, PHONE, HOME)).kind, "good");
      // The answer was lost: again, at another node, and it counts from then.
      const again = given(await world.other.renew(first.session.session, PHONE, HOME));
      assert.equal(again.session.session, second.session.session);
      assert.equal(again.session.expires, world.now + SESSION_MS);
      assert.deepEqual(again.holding, second.holding);
    });

    it("is kept more than once, late, and never for one that is newer", async () => {
      await using world = await begin();
      const first = given(await world.sessions.begin(PHONE, HOME));
      const second = given(await world.sessions.renew(first.session.session, PHONE, HOME));
      await world.sessions.kept(second.holding);
      await world.other.kept(second.holding);
      await world.sessions.kept(first.holding);
      await world.sessions.kept({ ...second.holding, number: 99 });
      await world.sessions.kept({ family: "none", number: 1 });
      assert.equal((await world.sessions.use(second.session.session, PHONE, HOME)).kind, "good");
      const third = given(await world.sessions.renew(second.session.session, PHONE, HOME));
      await world.sessions.kept(third.holding);
      assert.equal(await isHeld(world), false);
    });

    it("may be renewed by one that could not be stored: what is on the disk still counts", async () => {
      await using world = await begin();
      const first = given(await world.sessions.begin(PHONE, HOME));
      const second = given(await world.sessions.renew(first.session.session, PHONE, HOME));
      const third = given(await world.sessions.renew(second.session.session, PHONE, HOME));
      world.now += GRACE_MS + 1;
      assert.equal((await world.sessions.use(first.session.session, PHONE, HOME)).kind, "good");
      assert.equal(
        given(await world.sessions.renew(second.session.session, PHONE, HOME)).session.session,
        third.session.session,
      );
      await world.sessions.kept(third.holding);
      world.now += GRACE_MS + 1;
      assert.equal((await world.sessions.use(first.session.session, PHONE, HOME)).kind, "reused");
    });

    it("gives one successor, however many ask at once at several nodes", async () => {
      await using world = await begin();
      const first = given(await world.sessions.begin(PHONE, HOME));
      const renewed = await Promise.all(
        Array.from({ length: AT_ONCE }, (_, at) =>
          (at % 2 === 0 ? world.sessions : world.other).renew(first.session.session, PHONE, HOME),
        ),
      );
      assert.equal(new Set(renewed.map((one) => given(one).session.session)).size, 1);
    });

    it("ends after ten minutes, without an alarm, and the key signs in anew", async () => {
      await using world = await begin();
      const { session } = given(await world.sessions.begin(PHONE, HOME));
      world.now += SESSION_MS - 1;
      assert.equal((await world.sessions.use(session.session, PHONE, HOME)).kind, "good");
      world.now += 1;
      for (const later of [0, 2 * HOUR_MS, FAMILY_MS]) {
        world.now += later;
        assert.deepEqual(await world.sessions.use(session.session, PHONE, HOME), { kind: "ended" });
        assert.deepEqual(await world.sessions.renew(session.session, PHONE, HOME), { kind: "ended" });
      }
      assert.equal((await world.sessions.begin(PHONE, HOME)).kind, "given");
      assert.deepEqual(await noticesOf(world, "ann"), []);
    });

    it("is renewed for twelve hours at most, and forgotten after them", async () => {
      await using world = await begin();
      let newest = given(await world.sessions.begin(PHONE, HOME));
      const first = newest;
      while (world.now + SESSION_MS / 2 < NOW + FAMILY_MS) {
        world.now += SESSION_MS / 2;
        newest = given(await world.sessions.renew(newest.session.session, PHONE, HOME));
        await world.sessions.kept(newest.holding);
        assert.ok(newest.session.expires <= NOW + FAMILY_MS);
      }
      assert.equal(newest.session.expires, NOW + FAMILY_MS);
      world.now = NOW + FAMILY_MS;
      // What was replaced long ago is no alarm any more either, swept or not.
      for (const { session } of [newest, first])
        assert.deepEqual(await world.sessions.renew(session.session, PHONE, HOME), { kind: "ended" });
      await world.sessions.sweep();
      assert.deepEqual(await world.database.query("SELECT hash FROM token"), []);
      assert.equal(await isHeld(world), false);
    });

    it("is one of eight of its key: a ninth ends the oldest, and that is no alarm", async () => {
      await using world = await begin();
      const begun: Given[] = [];
      for (let at = 0; at < 9; at++) {
        world.now += 1_000;
        begun.push(given(await world.sessions.begin(PHONE, HOME)));
      }
      const kinds = await Promise.all(
        begun.map(async ({ session }) => (await world.sessions.use(session.session, PHONE, HOME)).kind),
      );
      assert.deepEqual(kinds, ["ended", ...Array.from({ length: 8 }, () => "good")]);
      // Of another key it takes nothing away.
      assert.equal((await world.sessions.begin(THIEF, HOME)).kind, "given");
      assert.equal((await world.database.query("SELECT id FROM family")).length, 9);
    });

    it("ends with its registration", async () => {
      await using world = await begin();
      const { session, holding } = given(await world.sessions.begin(PHONE, HOME));
      await registrationsIn(world.database).remove(PHONE);
      assert.deepEqual(await world.sessions.use(session.session, PHONE, HOME), { kind: "ended" });
      assert.deepEqual(await world.sessions.begin(PHONE, HOME), { kind: "unregistered" });
      await world.sessions.kept(holding);
    });

    it("notes that its key was seen, at most once an hour", async () => {
      await using world = await begin();
      const seen = async () => (await registrationsIn(world.database).byKey(PHONE))?.seen;
      const { session } = given(await world.sessions.begin(PHONE, HOME));
      assert.equal(await seen(), NOW);
      world.now += HOUR_MS - 1;
      const second = given(await world.sessions.begin(PHONE, HOME));
      assert.equal(await seen(), NOW);
      world.now += 1;
      await world.sessions.use(second.session.session, PHONE, HOME);
      assert.equal(await seen(), NOW + HOUR_MS);
      assert.equal((await world.sessions.use(session.session, PHONE, HOME)).kind, "ended");
    });
  });

  describe("a session that was copied", () => {
    const replaced = async (world: World) => {
      const first = given(await world.sessions.begin(PHONE, HOME));
      const second = given(await world.sessions.renew(first.session.session, PHONE, HOME));
      await world.sessions.kept(second.holding);
      return { first: first.session.session, second: second.session.session };
    };
    const isFound = async (world: World, session: string) => {
      assert.equal(await isHeld(world), true);
      assert.deepEqual(await world.sessions.use(session, PHONE, HOME), { kind: "held" });
      assert.deepEqual(await world.sessions.renew(session, PHONE, HOME), { kind: "held" });
      assert.deepEqual(await world.sessions.begin(PHONE, HOME), { kind: "held" });
      assert.deepEqual(await world.database.query("SELECT id FROM family WHERE key = ?", PHONE), []);
    };

    it("[D47] replayed at once by its own key gives what replaced it, and no other", async () => {
      await using world = await begin();
      const { first, second } = await replaced(world);
      for (const later of [0, GRACE_MS]) {
        world.now = NOW + later;
        for (const one of [world.sessions.renew, world.other.use] as const)
          assert.equal(given(await one(first, PHONE, HOME)).session.session, second);
      }
      assert.equal((await world.sessions.use(second, PHONE, HOME)).kind, "good");
      assert.equal(await isHeld(world), false);
      assert.deepEqual(world.told, []);
    });

    it("[D47] replayed at once by another key ends the sign-in and says whose sockets to close", async () => {
      for (const which of ["first", "second"] as const) {
        await using world = await begin();
        const tokens = await replaced(world);
        const theirs = given(await world.sessions.begin(THIEF, HOME));
        const found = await world.sessions.renew(tokens[which], THIEF, "198.51.100.9");
        assert.deepEqual(found, { kind: "reused", key: PHONE });
        await isFound(world, tokens.second);
        const notice: Notice = { at: NOW, kind: "session_reused", key: PHONE, from: "198.51.0.0/16" };
        assert.deepEqual(await noticesOf(world, "ann"), [notice]);
        assert.deepEqual(world.told, [[keyOf("ann"), notice]]);
        assert.deepEqual(await noticesOf(world, "eve"), []);
        assert.equal((await world.sessions.use(theirs.session.session, THIEF, HOME)).kind, "good");
      }
    });

    it("[D47] replayed after two hours ends every session of its key", async () => {
      await using world = await begin();
      const { first, second } = await replaced(world);
      let newest = second;
      while (world.now < NOW + 2 * HOUR_MS) {
        world.now += SESSION_MS / 2;
        const next = given(await world.sessions.renew(newest, PHONE, HOME));
        await world.sessions.kept(next.holding);
        newest = next.session.session;
      }
      const window = given(await world.sessions.begin(PHONE, HOME));
      assert.deepEqual(await world.other.use(first, PHONE, HOME), { kind: "reused", key: PHONE });
      for (const session of [newest, window.session.session]) await isFound(world, session);
      assert.deepEqual(
        (await noticesOf(world, "ann")).map(({ kind }) => kind),
        ["session_reused"],
      );
    });

    it("[D47] used from elsewhere is noted and told once, and goes on", async () => {
      await using world = await begin();
      const { session } = given(await world.sessions.begin(PHONE, HOME));
      const use = async (from: string) => (await world.sessions.use(session.session, PHONE, from)).kind;
      // The same network, and the first time that it is known at all.
      assert.equal(await use("192.0.250.250"), "good");
      assert.equal(await use("::ffff:192.0.2.9"), "good");
      assert.deepEqual(await noticesOf(world, "ann"), []);
      world.now += 1;
      assert.equal(await use("2001:db8:1::7"), "good");
      const notice: Notice = { at: NOW + 1, kind: "moved", key: PHONE, from: "2001:db8::/32" };
      assert.deepEqual(await noticesOf(world, "ann"), [notice]);
      world.now += 1;
      for (const from of [HOME, "2001:db8:2::7", HOME, "no address"]) assert.equal(await use(from), "good");
      assert.deepEqual(
        (await noticesOf(world, "ann")).map(({ from }) => from),
        ["192.0.0.0/16", "2001:db8::/32"],
      );
      assert.deepEqual(world.told.length, 2);
      assert.equal(await isHeld(world), false);
      const next = given(await world.sessions.renew(session.session, PHONE, "203.0.113.4"));
      assert.equal((await world.sessions.use(next.session.session, PHONE, HOME)).kind, "good");
      assert.equal((await noticesOf(world, "ann")).length, 3);
    });

    it("is found a moment after the grace, however late the clock of a node is", async () => {
      await using world = await begin();
      const { first, second } = await replaced(world);
      world.now = NOW - 60_000;
      assert.equal(given(await world.sessions.renew(first, PHONE, HOME)).session.session, second);
      world.now = NOW + GRACE_MS + 1;
      assert.deepEqual(await world.sessions.renew(first, PHONE, HOME), { kind: "reused", key: PHONE });
    });

    it("is found once, by however many it is used at once", async () => {
      await using world = await begin();
      const { first } = await replaced(world);
      world.now += HOUR_MS;
      const found = await Promise.all(
        Array.from({ length: AT_ONCE }, (_, at) =>
          (at % 2 === 0 ? world.sessions : world.other).use(first, PHONE, HOME),
        ),
      );
      assert.deepEqual(found.map(({ kind }) => kind).toSorted(), [
        ...Array.from({ length: AT_ONCE - 1 }, () => "held"),
        "reused",
      ]);
      assert.equal((await noticesOf(world, "ann")).length, 1);
    });

    it("is found for a host without an account as well, and it signs in once it is let go", async () => {
      await using world = await begin();
      const desk = keyOf("desk");
      const first = given(await world.sessions.begin(desk, HOME));
      assert.deepEqual(await world.sessions.use(first.session.session, THIEF, HOME), { kind: "reused", key: desk });
      assert.deepEqual(await world.sessions.begin(desk, HOME), { kind: "held" });
      assert.deepEqual(world.told, []);
      await registrationsIn(world.database).setHeld(desk, false);
      assert.equal((await world.sessions.begin(desk, HOME)).kind, "given");
      // What was ended stays so.
      assert.deepEqual(await world.sessions.use(first.session.session, desk, HOME), { kind: "ended" });
    });
  });
});

function given(outcome: Used | Awaited<ReturnType<Sessions["begin"]>>): Given {
  assert.equal(outcome.kind, "given");
  return outcome as Given;
}
