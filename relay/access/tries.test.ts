import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { HOUR_MS } from "../store/samples.contract.ts";
import { onBoth, onSqlite } from "../store/stores.contract.ts";
import { ask, authOf, codeOf, emailOf, get, openWorld, signUp, socketOf, type World } from "./people.contract.ts";
import { deriving } from "./secret.ts";
import { makeTries } from "./tries.ts";

const AT_ONCE = 100;

onBoth((open) => {
  let addresses = 0;
  /** From a network that nobody has come from. */
  const elsewhere = (): string => `10.${++addresses >> 8}.${addresses & 255}.1`;
  const tried = (
    world: World,
    person: string,
    passphrase = "wrong",
    method: "account.signIn" | "account.recover" = "account.signIn",
    from = elsewhere(),
  ) =>
    ask(world.accounts, socketOf("thief", from), method, { email: emailOf(person), auth: authOf(person, passphrase) });
  const waits = async (world: World, person: string, tries: number) => {
    const found: number[] = [];
    for (let at = 0; at < tries; at++) {
      assert.deepEqual(await tried(world, person), { code: "wrong_passphrase", after: undefined });
      const next = await tried(world, person);
      if ("code" in next && next.code === "locked") {
        found.push(next.after!);
        world.now += next.after!;
      } else found.push(0);
    }
    return found;
  };

  describe("tries to open an account", () => {
    it("wait after five in vain, twice as long after each, up to a quarter of an hour", async () => {
      await using world = await openWorld(open);
      await signUp(world, "ann", "phone");
      for (let at = 0; at < 4; at++)
        assert.equal(((await tried(world, "ann")) as { code: string }).code, "wrong_passphrase");
      const seconds = (await waits(world, "ann", 10)).map((wait) => wait / 1_000);
      assert.deepEqual(seconds, [5, 10, 20, 40, 80, 160, 320, 640, 900, 900]);
    });

    it("are refused while they wait, the right one too, and start anew after a right one", async () => {
      await using world = await openWorld(open);
      const phone = await signUp(world, "ann", "phone");
      for (let at = 0; at < 5; at++) await tried(world, "ann");
      assert.deepEqual(await tried(world, "ann", "passphrase"), { code: "locked", after: 5_000 });
      world.now += 4_999;
      assert.deepEqual(await tried(world, "ann", "passphrase"), { code: "locked", after: 1 });
      world.now += 1;
      assert.ok("ok" in (await tried(world, "ann", "passphrase")));
      for (let at = 0; at < 4; at++) await tried(world, "ann");
      assert.ok("ok" in (await tried(world, "ann", "passphrase")));
      // Who is signed in is not locked out by anybody's tries.
      for (let at = 0; at < 6; at++) await tried(world, "ann");
      await get(world.accounts, phone, "account.read", {});
    });

    it("look the same for an e-mail that has no account", async () => {
      await using world = await openWorld(open);
      await signUp(world, "ann", "phone");
      const of = async (person: string) => {
        const answers: unknown[] = [];
        for (let at = 0; at < 8; at++) answers.push(await tried(world, person));
        world.now += 5_000;
        for (let at = 0; at < 2; at++) answers.push(await tried(world, person));
        return answers;
      };
      const [anns, nobodys] = [await of("ann"), await of("nobody")];
      assert.deepEqual(nobodys, anns);
      assert.ok(JSON.stringify(anns).includes("locked"));
    });

    it("of one way do not lock the other: who is locked out has the recovery code", async () => {
      await using world = await openWorld(open);
      await signUp(world, "ann", "phone");
      for (let at = 0; at < 6; at++) await tried(world, "ann");
      assert.ok("ok" in (await tried(world, "ann", "recovery", "account.recover")));
      for (let at = 0; at < 5; at++) await tried(world, "ann", "wrong", "account.recover");
      assert.deepEqual(await tried(world, "ann", "recovery", "account.recover"), { code: "locked", after: 5_000 });
    });

    it("count at every node, and a hundred at once are a hundred", async () => {
      await using world = await openWorld(open);
      await signUp(world, "ann", "phone");
      const answers = await Promise.all(
        Array.from({ length: AT_ONCE }, (_, at) =>
          codeOf(at % 2 === 0 ? world.accounts : world.other, socketOf("thief", elsewhere()), "account.signIn", {
            email: emailOf("ann"),
            auth: authOf("ann", `guess ${at}`),
          }),
        ),
      );
      assert.equal(answers.filter((code) => code === "wrong_passphrase").length, 5);
      assert.equal(answers.filter((code) => code === "locked").length, AT_ONCE - 5);
    });

    it("are told to the people of the account once a day, without where from", async () => {
      await using world = await openWorld(open);
      const phone = await signUp(world, "ann", "phone");
      const locked = async () =>
        (await get(world.accounts, phone, "account.read", {})).notices.filter(({ kind }) => kind === "locked");
      for (let at = 0; at < 4; at++) await tried(world, "ann");
      assert.equal((await locked()).length, 0);
      await waits(world, "ann", 4);
      assert.deepEqual(
        (await locked()).map(({ key, from }) => [key, from]),
        [[undefined, undefined]],
      );
      assert.equal(world.told.filter(([, { kind }]) => kind === "locked").length, 1);
      world.now += 25 * HOUR_MS;
      await tried(world, "ann");
      assert.equal((await locked()).length, 2);
    });

    it("are forgotten a day after the last, and never hold for longer than the longest wait", async () => {
      await using world = await openWorld(open);
      await signUp(world, "ann", "phone");
      for (let at = 0; at < 5; at++) await tried(world, "ann");
      world.now += 24 * HOUR_MS;
      await world.accounts.sweep();
      assert.deepEqual((await world.stored("attempt"))["attempt"], []);
      for (let at = 0; at < 5; at++) await tried(world, "ann");
      // A clock that was set back by a day.
      world.now -= 24 * HOUR_MS;
      assert.deepEqual(await tried(world, "ann"), { code: "wrong_passphrase", after: undefined });
    });
  });

  describe("what one network asks", () => {
    const HERE = "192.0.2.7";
    const spendAll = async (world: World, from: string) => {
      let answered = 0;
      for (; ; answered++) {
        const begun = await ask(world.accounts, socketOf("x", from), "account.begin", {
          email: emailOf(`p${answered}`),
        });
        if ("code" in begun) return { answered, ...begun };
      }
    };

    it("is bounded, over all accounts, and comes back little by little", async () => {
      await using world = await openWorld(open);
      await signUp(world, "ann", "phone");
      const spent = await spendAll(world, HERE);
      assert.deepEqual([spent.code, spent.after], ["locked", 10_000]);
      assert.ok(spent.answered <= 60, `${spent.answered}`);
      for (const method of ["account.signIn", "account.recover"] as const)
        assert.deepEqual(await tried(world, "ann", "passphrase", method, HERE), { code: "locked", after: 20_000 });
      assert.deepEqual(
        await tried(world, "ann", "passphrase", "account.signIn", "192.0.2.8").then((one) => "ok" in one),
        true,
      );
      world.now += 10_000;
      assert.equal((await spendAll(world, HERE)).answered, 1);
      world.now += HOUR_MS;
      assert.equal((await spendAll(world, HERE)).answered, 60);
    });

    it("is one for all addresses that a customer has in IPv6", async () => {
      await using world = await openWorld(open);
      await spendAll(world, "2001:db8:1:2::1");
      assert.equal((await spendAll(world, "2001:db8:1:2:ffff::9")).answered, 0);
      assert.equal((await spendAll(world, "2001:db8:1:3::1")).answered, 60);
      assert.equal((await spendAll(world, "no address")).answered, 60);
      assert.equal((await spendAll(world, "none either")).answered, 0);
    });

    it("is no less for tries that are right, and no more", async () => {
      await using world = await openWorld(open);
      await signUp(world, "ann", "phone");
      const signIn = () =>
        get(world.accounts, socketOf("x", HERE), "account.signIn", { email: emailOf("ann"), auth: authOf("ann") });
      for (let at = 0; at < 50; at++) await signIn();
      for (let at = 0; at < 20; at++) await tried(world, `p${at}`, "wrong", "account.signIn", HERE);
      for (let at = 0; at < 50; at++) await signIn();
      // What making the account cost, and twenty in vain.
      assert.equal((await spendAll(world, HERE)).answered, 60 - 2 - 40);
    });
  });
});

onSqlite((open) => {
  it("remembers what so many networks ask, and no more", async () => {
    await using database = await open();
    const tries = makeTries({ database, derive: deriving("x".repeat(32)), now: () => 0 });
    const HERE = "192.0.2.7";
    const others = (from: number, to: number) => {
      for (let at = from; at < to; at++) tries.spend(`10.${at >> 16}.${(at >> 8) & 255}.${at & 255}`, 1);
    };
    assert.equal(tries.spend(HERE, 60), undefined);
    others(0, 9_999);
    assert.notEqual(tries.spend(HERE, 1), undefined);
    others(10_000, 20_000);
    assert.equal(tries.spend(HERE, 1), undefined);
  });
});
