/** The main job with the real Claude Code, and the same with the host killed in between: nothing is lost or doubled. */
import assert from "node:assert/strict";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { findClaude } from "./claude.ts";
import { pointsFrom } from "./kills.ts";
import { Spine } from "./spine.ts";

const found = findClaude();
const skip = found === undefined ? "Claude Code is not in .cache/agents; npm test brings it" : false;

/** How often each moment comes in the story, on a slow machine: deltas are then fewer, as several go in one. */
const COUNTS = { entry: 220, delta: 30, intent: 24, reply: 23, call: 19 };
const KILLS = 5;
/** Stories with kills are played until this is over, the fixed seeds first. */
const BUDGET_MS = 45_000;
const MAX_SEED = 1_000_000;

describe("the spine, with the real Claude Code and two devices", { skip }, () => {
  let spine: Spine;
  let pid = 0;

  before(async () => {
    spine = await Spine.start(found ?? "");
  });
  after(() => spine[Symbol.asyncDispose]());

  it("[A05] [A06] starts a session in a git repository, and both devices watch the text grow", async () => {
    await spine.story.begins();
    [pid = 0] = spine.pids();
    assert.ok(pid > 0);
    for (const { name, deltas } of [spine.phone, spine.tablet]) {
      const words = deltas.at(-1)?.item;
      const pieces = deltas.filter(({ item }) => item === words);
      assert.ok(pieces.length >= 3, `${name} saw the text grow ${pieces.length} times`);
    }
  });

  it("[A15] [A40] approves a command mid-turn; it runs as the person who owns the host, with their credentials", async () => {
    await spine.story.approves();
    assert.equal(readFileSync(join(spine.repository, "env.txt"), "utf8"), `${spine.world.home} sk-ant-fake`);
    assert.equal(statSync(join(spine.repository, "made")).uid, process.getuid?.());
  });

  it("denies another from the second device, with a reason that arrives as written", () => spine.story.denies());

  it("allows one always: the rule alone is stored, and the same command is not asked for again", async () => {
    await spine.story.allowsAlways();
    const modes = spine.phone.entries.filter(
      ({ fact }) => fact.kind === "agent.reported" && fact.mode === "acceptEdits",
    );
    assert.equal(modes.length, 0);
  });

  it("[D36] [D37] [D38] [D39] dismisses a question, which tells the agent nothing; answers it once, from elsewhere", async () => {
    const calls = spine.model.requests.length;
    const dismissed = spine.phone.entry("the dismissal", ({ fact }) => fact.kind === "ask.dismissed");
    const acted = spine.story.answersQuestions();
    await dismissed;
    // Its question asked, and no call since: nothing answered it.
    assert.equal(spine.model.requests.length, calls + 1);
    await acted;
    assert.equal(spine.model.requests.length, calls + 2);
  });

  it("[A09] [A10] sends a plan back with feedback, then approves it edited", () => spine.story.sendsPlanBack());

  it("interrupts a turn, from the second device", () => spine.story.interrupts());

  it("steers a running turn, queues a prompt behind it, and withdraws one", () => spine.story.steersAndQueues());

  it("[A14] [A41] all was one process, and the model, the agent, the journal and both devices tell one story", async () => {
    await spine.story.ends();
    assert.deepEqual(spine.pids(), [pid]);
    assert.deepEqual(spine.differences(), []);
  });
});

describe("the spine, with the host killed", { skip }, () => {
  it("[A41] with an ask open: the same process goes on, the ask is shown again and can be answered", async () => {
    await using spine = await Spine.start(found ?? "");
    const { story, world, kills } = spine;
    await story.begins();
    const pids = spine.pids();
    await story.approves(async (ask) => {
      await kills.reviveAfter(world.kill());
      const late = await world.pair("late");
      const { session } = story;
      const followed = await late.call("session.follow", { session });
      const shown = followed.kind === "window" ? followed.state.asks.map((one) => one.ask) : [];
      assert.deepEqual(shown, [ask]);
      const { sessions } = await late.call("session.list", {});
      assert.deepEqual(sessions.find((one) => one.session === session)?.status.kind, "waiting");
      assert.deepEqual(spine.pids(), pids);
      late.close();
    });
    await story.ends();
    assert.deepEqual(spine.pids(), pids);
    assert.deepEqual(spine.differences(), []);
  });

  it("[A06] [D21] in the middle of a sentence: who comes back sees it go on at once", async () => {
    await using spine = await Spine.start(found ?? "", [{ moment: "delta", count: 40 }]);
    const { story, phone } = spine;
    await story.tellsSlowly();
    assert.equal(spine.kills.done.length, 1);
    const again = phone.deltas.filter(({ connection }) => connection === 2);
    const resumed = phone.resumedAt[1] ?? 0;
    const checkpoint = phone.entries.find(({ seq, fact }) => seq > resumed && fact.kind === "item.grew")?.seq;
    // Not only from the next checkpoint on.
    assert.ok((again[0]?.after ?? Number.POSITIVE_INFINITY) < (checkpoint ?? Number.POSITIVE_INFINITY));
    assert.deepEqual(spine.differences(), []);
  });

  const named = process.env["FLYBRIDGE_SEED"];
  const seeds = named === undefined ? [1, 3, 4, Math.floor(Math.random() * MAX_SEED)] : [Number(named)];

  it(`five times in one story, at points chosen by the seeds ${seeds.join(", ")}`, async (t) => {
    const deadline = Date.now() + BUDGET_MS;
    for (const seed of seeds) {
      if (Date.now() > deadline) return t.diagnostic(`there was no time for seed ${seed}`);
      await using spine = await Spine.start(found ?? "", pointsFrom(seed, KILLS, COUNTS));
      const replay = `FLYBRIDGE_SEED=${seed} plays it again`;
      await assert.doesNotReject(
        spine.story.play(() => spine.kills.rest()),
        replay,
      );
      t.diagnostic(`seed ${seed}: ${spine.kills.done.map(({ moment, count }) => `${moment} ${count}`).join(", ")}`);
      assert.equal(spine.kills.done.length, KILLS);
      assert.deepEqual(spine.differences(), [], replay);
    }
  });
});
