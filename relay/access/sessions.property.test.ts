/** Session tokens, whatever is cut, crashes or comes late: no honest holder is accused, and every copy is found. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import fc from "fast-check";
import type { Database } from "../store/database.ts";
import { registrationsIn } from "../store/registrations.ts";
import { fill, hostNamed, keyOf, NOW } from "../store/samples.contract.ts";
import { onPostgres, onSqlite, type Open } from "../store/stores.contract.ts";
import { FAMILY_MS, GRACE_MS, type Holding, makeSessions, SESSION_MS, type Sessions } from "./sessions.ts";

/** How far a renewal gets: where its holder dies, a word between it and the relay is lost, or a node dies. */
const FATES = [
  "whole",
  "asked in vain",
  "answer lost",
  "not stored",
  "disk full",
  "stored, not said",
  "said late",
] as const;
type Fate = (typeof FATES)[number];

/** Milliseconds between two steps. */
const PAUSES = [0, 1_000, GRACE_MS, GRACE_MS + 1, SESSION_MS / 2, SESSION_MS - 1, SESSION_MS, FAMILY_MS / 4, FAMILY_MS];
const STEPS = 24;
const HOME = "192.0.2.7";
const MIN_CRASHES = 100;

/** What a holder has on its disk. */
interface Disk {
  session: string | undefined;
}

/** `in` is with a session that the disk has, or could not get; `out` is without one, to sign in by the key next time. */
type Outcome = "in" | "out" | "accused";

/** One key at a relay of two nodes. */
class World {
  readonly key: string;
  readonly disk: Disk = { session: undefined };
  now = NOW;
  readonly #nodes: readonly Sessions[];
  readonly #database: Database;
  /** Words `kept` that are on their way. */
  #late: Holding[] = [];

  constructor(database: Database, key: string) {
    this.key = key;
    this.#database = database;
    const around = { database, secret: "x".repeat(32), now: () => this.now, told() {} };
    this.#nodes = [makeSessions(around), makeSessions(around)];
  }

  async isHeld(): Promise<boolean> {
    return (await registrationsIn(this.#database).byKey(this.key))?.held === true;
  }

  /** A socket opens: by what is on the disk, else by the key. */
  async open(disk: Disk, node: number): Promise<Outcome> {
    const sessions = this.#node(node);
    if (disk.session !== undefined) {
      const used = await sessions.use(disk.session, this.key, HOME);
      if (used.kind === "good" || used.kind === "given") return "in";
      if (used.kind !== "ended") return "accused";
      disk.session = undefined;
    }
    const begun = await sessions.begin(this.key, HOME);
    if (begun.kind !== "given") return "accused";
    disk.session = begun.session.session;
    return "in";
  }

  /** A renewal over a socket that is open; what is not on the disk is forgotten. */
  async renew(disk: Disk, fate: Fate, node: number): Promise<Outcome> {
    if (disk.session === undefined) return "out";
    if (fate === "asked in vain") return "in";
    const renewed = await this.#node(node).renew(disk.session, this.key, HOME);
    if (renewed.kind === "ended") {
      disk.session = undefined;
      return "out";
    }
    if (renewed.kind !== "given") return "accused";
    if (fate === "answer lost" || fate === "not stored") return "in";
    if (fate === "disk full") {
      // It goes on with what it has in memory, says of none that it is kept, and then it dies.
      const further = await this.#node(node).renew(renewed.session.session, this.key, HOME);
      return further.kind === "given" || further.kind === "ended" ? "in" : "accused";
    }
    disk.session = renewed.session.session;
    if (fate === "said late") this.#late.push(renewed.holding);
    else if (fate === "whole") await this.#node(node).kept(renewed.holding);
    return "in";
  }

  async arrive(which: number): Promise<void> {
    const [holding] = this.#late.splice(this.#late.length === 0 ? 0 : which % this.#late.length, 1);
    if (holding) await this.#node(which).kept(holding);
  }

  #node(which: number): Sessions {
    return this.#nodes[which % 2]!;
  }
}

const fate = fc.constantFrom(...FATES);
const node = fc.nat({ max: 1 });
const pause = fc.record({ kind: fc.constant("pause" as const), for: fc.constantFrom(...PAUSES) });
const renewal = fc.record({ kind: fc.constant("renewal" as const), fate, node });
const step = fc.oneof(
  { weight: 4, arbitrary: renewal },
  { weight: 3, arbitrary: pause },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("opening" as const), node }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("arrival" as const), which: fc.nat({ max: STEPS }) }) },
);
type Step = typeof step extends fc.Arbitrary<infer One> ? One : never;
const steps = fc.array(step, { minLength: STEPS / 2, maxLength: STEPS });

function properties(open: Open, runs: number): void {
  describe("session tokens", () => {
    let database: Database | undefined;
    let keys = 0;
    before(async () => {
      database = await open();
    });
    after(() => database?.[Symbol.asyncDispose]());
    const newWorld = async (): Promise<World> => {
      const name = `host ${++keys}`;
      await fill(database!, [], [hostNamed(name)]);
      return new World(database!, keyOf(name));
    };
    const take = async (world: World, one: Step): Promise<Outcome> => {
      if (one.kind === "pause") world.now += one.for;
      else if (one.kind === "arrival") await world.arrive(one.which);
      else if (one.kind === "opening") return world.open(world.disk, one.node);
      else return world.renew(world.disk, one.fate, one.node);
      return "in";
    };

    it("accuse no honest holder, wherever it and the relay crash and whatever comes late", async () => {
      let crashes = 0;
      await fc.assert(
        fc.asyncProperty(steps, async (taken) => {
          const world = await newWorld();
          for (const one of taken) {
            assert.notEqual(await take(world, one), "accused");
            if (one.kind === "renewal" && one.fate !== "whole") crashes++;
          }
          assert.equal(await world.isHeld(), false);
          assert.equal(await world.open(world.disk, 0), "in");
          assert.equal(await world.renew(world.disk, "whole", 1), "in");
        }),
        { numRuns: runs },
      );
      assert.ok(crashes >= Math.min(MIN_CRASHES, runs), `${crashes} renewals that were cut`);
    });

    it("show a copy at the latest at the second renewal of either, and let none of the two go on", async () => {
      const turn = fc.record({ isThief: fc.boolean(), node, wait: fc.constantFrom(GRACE_MS + 1, SESSION_MS / 4) });
      const found = { runs: 0 };
      await fc.assert(
        fc.asyncProperty(steps, fc.array(turn, { minLength: 2, maxLength: STEPS / 2 }), async (earlier, turns) => {
          const world = await newWorld();
          for (const one of earlier) await take(world, one);
          // It has one that counts, as after an opening.
          if ((await world.open(world.disk, 0)) !== "in") return;
          await world.renew(world.disk, "whole", 0);
          if (world.disk.session === undefined) return;
          const copy: Disk = { ...world.disk };
          let whoRenewed: boolean | undefined;
          for (const { isThief, node: where, wait } of turns) {
            world.now += wait;
            const disk = isThief ? copy : world.disk;
            const before = disk.session;
            const outcome = await world.renew(disk, "whole", where);
            // The family's or the token's time was over: what was copied is worth nothing any more.
            if (outcome === "out") return;
            if (whoRenewed === undefined || whoRenewed === isThief) {
              assert.equal(outcome, "in");
              whoRenewed = isThief;
              continue;
            }
            assert.equal(outcome, "accused", `with ${before}`);
            found.runs++;
            assert.equal(await world.isHeld(), true);
            for (const one of [copy, world.disk]) {
              assert.equal(await world.open(one, 0), "accused");
              assert.equal(await world.open({ session: undefined }, 1), "accused");
            }
            return;
          }
        }),
        { numRuns: runs },
      );
      assert.ok(found.runs >= runs / 4, `${found.runs} runs in which both renewed`);
    });

    it("tell one that was replaced from one that was not, whatever two holders do and wherever they crash", async () => {
      const turn = fc.oneof({
        weight: 3,
        arbitrary: fc.record({ isThief: fc.boolean(), fate, node, wait: fc.constantFrom(...PAUSES.slice(0, 5)) }),
      });
      const seen = { accused: 0, spared: 0 };
      await fc.assert(
        fc.asyncProperty(fc.array(turn, { minLength: STEPS / 2, maxLength: STEPS }), async (turns) => {
          const world = await newWorld();
          await world.open(world.disk, 0);
          const copy: Disk = { ...world.disk };
          /** By whom they were said to be kept, and when they were replaced by that. */
          const order: string[] = [copy.session!];
          const replaced = new Map<string, number>();
          for (const { isThief, fate: how, node: where, wait } of turns) {
            world.now += wait;
            const disk = isThief ? copy : world.disk;
            const before = disk.session;
            if (before === undefined || how === "said late") continue;
            const since = replaced.get(before);
            const outcome = await world.renew(disk, how, where);
            if (how !== "asked in vain" && since !== undefined && world.now - since > GRACE_MS && outcome !== "out") {
              assert.equal(outcome, "accused");
              seen.accused++;
              return;
            }
            assert.notEqual(outcome, "accused");
            seen.spared++;
            if (disk.session === undefined) continue;
            if (!order.includes(disk.session)) order.push(disk.session);
            if (how === "whole")
              for (const old of order.slice(0, order.indexOf(disk.session)))
                if (!replaced.has(old)) replaced.set(old, world.now);
          }
        }),
        { numRuns: runs },
      );
      assert.ok(seen.accused > 0 && seen.spared > runs, JSON.stringify(seen));
    });
  });
}

onSqlite((open) => properties(open, 300));
onPostgres((open) => properties(open, 30));
