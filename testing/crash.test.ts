/** A host that is killed again and again, at chosen moments and at chosen system calls: the journal has each entry once. */
import assert from "node:assert/strict";
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { describe, it } from "node:test";
import type { AgentName, SessionId } from "@flybridge/protocol/ids.ts";
import { newIntent } from "./bare.ts";
import { check, type Deeds, type Evidence } from "./checker.ts";
import { chance, Kills, type KillPoint } from "./kills.ts";
import { ReturningDevice } from "./returning.ts";
import { journalOf } from "./spine.ts";
import { startWorld, type World } from "./world.ts";

/** A test ends after so long, or after so many kills, whichever comes first; by hand it may be given more. */
const BUDGET_MS = Number(process.env["FLYBRIDGE_BUDGET_MS"] ?? 15_000);
const KILLS = 1_000;
/** Entries that devices get between two kills, at most. */
const BETWEEN = 24;
const MAX_SEED = 1_000_000;
/** System calls of the host that change what is on the disk. */
const WRITES = ["fsync", "pwrite64"];

/** Small turns of the demo agent on two devices, with all that was said. */
class Chatter {
  readonly deeds: Deeds = { prompts: [], answers: [], refused: [], files: [] };
  readonly session = newIntent() as string as SessionId;
  readonly world: World;
  readonly phone: ReturningDevice;
  readonly tablet: ReturningDevice;

  constructor(world: World, phone: ReturningDevice, tablet: ReturningDevice) {
    this.world = world;
    this.phone = phone;
    this.tablet = tablet;
  }

  async begin(): Promise<void> {
    const params = { agent: "demo" as AgentName, workspace: this.world.home };
    await this.phone.intend("session.create", params, this.session as string as never);
    await Promise.all([this.phone.follow(this.session), this.tablet.follow(this.session)]);
  }

  /** One turn that says so many words. */
  async speak(words: number): Promise<void> {
    const prompt = newIntent();
    const text = `flood ${words}`;
    await this.phone.intend("session.prompt", { session: this.session, text, delivery: "queue" }, prompt);
    const said = Array.from({ length: words }, (_, at) => `${at + 1}${(at + 1) % 12 === 0 ? "\n" : " "}`).join("");
    this.deeds.prompts.push({ prompt, text, words: [said], outcome: "completed" });
    await this.#rest(prompt);
  }

  /** One turn that asks for an approval, given by the second device. */
  async ask(): Promise<void> {
    const prompt = newIntent();
    const text = "probe 1";
    await this.tablet.intend("session.prompt", { session: this.session, text, delivery: "queue" }, prompt);
    this.deeds.prompts.push({ prompt, text, words: [], outcome: "completed" });
    const taken = await this.tablet.entry(
      "it is taken",
      ({ seq, fact }) => fact.kind === "prompt.taken" && fact.prompt === (prompt as string) && seq,
    );
    const ask = await this.tablet.entry("an ask", ({ seq, fact }) =>
      seq > taken && fact.kind === "ask.opened" ? fact.ask.ask : undefined,
    );
    const answer = { kind: "allow", choice: "once" } as const;
    await this.tablet.intend("ask.answer", { session: this.session, ask, answer });
    this.deeds.answers.push({ ask, answer, told: "" });
    await this.#rest(prompt);
  }

  differences(): string[] {
    const evidence = {
      deeds: this.deeds,
      model: null,
      transcript: null,
      devices: [this.phone, this.tablet].map(({ name, entries, deltas }) => ({ name, entries, deltas })),
      journal: journalOf(this.world, this.session),
      files: [],
      pids: [],
    };
    return check(JSON.parse(JSON.stringify(evidence)) as Evidence);
  }

  async #rest(prompt: string): Promise<void> {
    const over = (device: ReturningDevice): Promise<number> =>
      device.until(`the end of the turn of ${prompt}`, () => {
        const taken = device.entries.find(({ fact }) => fact.kind === "prompt.taken" && fact.prompt === prompt)?.seq;
        return device.entries.find(
          ({ seq, fact }) => fact.kind === "turn.ended" && seq > (taken ?? Number.POSITIVE_INFINITY),
        )?.seq;
      });
    await Promise.all([over(this.phone), over(this.tablet)]);
  }
}

async function chatter(points: readonly KillPoint[]): Promise<{ talk: Chatter; kills: Kills } & AsyncDisposable> {
  const world = await startWorld();
  const kills = new Kills(world, points);
  const paired = await Promise.all([world.pair("phone"), world.pair("tablet")]);
  const [phone, tablet] = paired.map(
    (device, at) =>
      new ReturningDevice(device, { name: at === 0 ? "phone" : "tablet", up: kills.up, happened: kills.happened }),
  ) as [ReturningDevice, ReturningDevice];
  const talk = new Chatter(world, phone, tablet);
  return {
    talk,
    kills,
    async [Symbol.asyncDispose]() {
      await kills.end();
      await phone.close();
      await tablet.close();
      await world[Symbol.asyncDispose]();
    },
  };
}

describe("a host that is killed again and again", () => {
  const seed = Number(process.env["FLYBRIDGE_SEED"] ?? Math.floor(Math.random() * MAX_SEED));

  it(`after every few entries, seed ${seed}`, async (t) => {
    const next = chance(seed);
    let count = 0;
    const points = Array.from({ length: KILLS }, () => {
      count += 1 + Math.floor(next() * BETWEEN);
      return { moment: "entry" as const, count };
    });
    await using at = await chatter(points);
    const { talk, kills } = at;
    const deadline = Date.now() + BUDGET_MS;
    await talk.begin();
    while (kills.done.length < KILLS && Date.now() < deadline) {
      if (next() < 0.5) await talk.ask();
      else await talk.speak(1 + Math.floor(next() * 3_000));
    }
    await kills.end();
    t.diagnostic(
      `${kills.done.length} kills, ${talk.phone.entries.length} entries, ${talk.deeds.prompts.length} prompts`,
    );
    assert.ok(kills.done.length > 0);
    assert.deepEqual(talk.differences(), [], `FLYBRIDGE_SEED=${seed} plays it again`);
  });

  const traceable = canTrace();

  it(
    "at each of its first writes to the disk in a turn",
    { skip: traceable ? false : "strace cannot be used here" },
    async (t) => {
      await using at = await chatter([]);
      const { talk, kills } = at;
      await talk.begin();
      const deadline = Date.now() + BUDGET_MS;
      const struck: string[] = [];
      for (const call of WRITES) {
        for (let place = 1; Date.now() < deadline; place += 1) {
          const tracer = await traced(talk.world.pid, call, place);
          const dead = once(tracer, "exit");
          const revived = kills.reviveAfter(dead);
          await talk.ask();
          await talk.speak(400);
          const survived = tracer.exitCode === null;
          if (survived) tracer.kill("SIGINT");
          await revived;
          if (survived) break;
          struck.push(`${call} ${place}`);
        }
      }
      t.diagnostic(`killed at ${struck.join(", ")}`);
      assert.ok(struck.length > WRITES.length);
      assert.deepEqual(talk.differences(), []);
    },
  );
});

/** Resolves when every thread of the process is held, so that no call is missed. */
async function traced(pid: number, call: string, place: number): Promise<ChildProcess> {
  const inject = `inject=${call}:signal=SIGKILL:when=${place}`;
  const tracer = spawn("strace", ["-f", "-p", String(pid), "-o", "/dev/null", "-e", `trace=${call}`, "-e", inject], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  await once(tracer.stderr, "data");
  return tracer;
}

function canTrace(): boolean {
  const tried = spawnSync("strace", ["-e", "trace=fsync", "-o", "/dev/null", "true"]);
  return tried.status === 0;
}
