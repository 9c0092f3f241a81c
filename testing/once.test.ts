/** Every intent counts once, however often it is sent and whatever dies meanwhile. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CallError } from "@flybridge/protocol/error.ts";
import type { AgentName, IntentId, SessionId } from "@flybridge/protocol/ids.ts";
import { HandshakeError } from "@flybridge/transport/secure.ts";
import { BareDevice, newIntent } from "./bare.ts";
import { chance } from "./kills.ts";
import { startWorld, type World } from "./world.ts";

const DEMO = "demo" as AgentName;
const PROMPTS = 200;

async function entriesOf(device: BareDevice, session: SessionId) {
  const all = [];
  for (let before = 1_000_000; ;) {
    const { entries, more } = await device.call("session.page", { session, before });
    all.unshift(...entries);
    if (!more) return all;
    before = entries[0]?.seq ?? 1;
  }
}

describe("an intent", { timeout: 300_000 }, () => {
  it("that is sent twice at once, again later, over a new connection and after the host was killed is one entry with one answer", async () => {
    await using world = await startWorld();
    const device = await world.pair();
    const intent = newIntent();
    const made = await Promise.all(
      [1, 2].map(() => device.call("session.create", { workspace: world.home, agent: DEMO }, intent)),
    );
    assert.deepEqual(made[0], made[1]);
    const session = made[0]!.session;
    const prompt = newIntent();
    const send = (by: BareDevice) => by.call("session.prompt", { session, text: "flood 1", delivery: "queue" }, prompt);
    const answers = await Promise.all([send(device), send(device), send(device)]);
    answers.push(await send(device));
    device.close();
    await device.ended;
    const again = await BareDevice.reconnect(device.keys);
    answers.push(await send(again));
    await world.kill();
    await world.restart();
    const back = await BareDevice.reconnect(again.keys);
    answers.push(await send(back));
    assert.equal(new Set(answers.map(({ seq }) => seq)).size, 1);
    const entries = await entriesOf(back, session);
    assert.equal(entries.filter(({ fact }) => fact.kind === "prompt.accepted").length, 1);
    assert.deepEqual(await back.call("session.create", { workspace: world.home, agent: DEMO }, intent), made[0]);
    assert.equal((await back.call("session.list", {})).sessions.length, 1);
    // What was refused is not remembered: it may be done when it can be.
    const early = newIntent();
    await assert.rejects(back.call("session.resume", { session }, early), CallError);
    back.close();
  });

  it(`of ${PROMPTS} prompts, none is lost or doubled over cut connections and killed hosts`, async (test) => {
    const seed = Number(process.env["FLYBRIDGE_TEST_SEED"] ?? Date.now() % 1_000_000);
    test.diagnostic(`FLYBRIDGE_TEST_SEED=${seed}`);
    const next = chance(seed);
    await using world = await startWorld();
    let device = await world.pair();
    const { session } = await device.call("session.create", { workspace: world.home, agent: DEMO });
    const kills = new Set(Array.from({ length: 5 }, () => Math.floor(next() * PROMPTS)));
    const sent: IntentId[] = [];
    for (let count = 0; count < PROMPTS; count++) {
      const intent = newIntent();
      sent.push(intent);
      const wish = kills.has(count) ? "kill" : next() < 0.2 ? "cut" : "none";
      for (let first = true; ; first = false) {
        const answered = device.call(
          "session.prompt",
          { session, text: `flood 1 ${count}`, delivery: "queue" },
          intent,
        );
        if (first && wish === "cut") device.close();
        if (first && wish === "kill")
          await Promise.all([world.kill(), answered.catch(() => {})]).then(() => world.restart());
        try {
          await answered;
          break;
        } catch (error) {
          if (error instanceof CallError) {
            // The agent is slower than we are.
            assert.equal(error.code, "too_many", error.message);
            continue;
          }
          device = await comeBack(world, device);
        }
      }
    }
    if (sent.length > 0) device = await comeBack(world, device);
    await device.call("session.follow", { session, from: 1 });
    const taken = new Set<string>();
    await device.until(() => {
      for (const { fact } of device.entriesOf(session)) if (fact.kind === "prompt.taken") taken.add(fact.prompt);
      const ended = device.entriesOf(session).filter(({ fact }) => fact.kind === "turn.ended").length;
      return taken.size === PROMPTS && ended >= PROMPTS ? true : undefined;
    });
    const entries = await entriesOf(device, session);
    assert.deepEqual(
      entries.map(({ seq }) => seq),
      entries.map((_, index) => index + 1),
    );
    const accepted = entries.flatMap(({ fact }) => (fact.kind === "prompt.accepted" ? [fact.prompt as string] : []));
    assert.deepEqual(accepted, sent as string[], "each is there once, in the order in which it was sent");
    const given = entries.flatMap(({ fact }) => (fact.kind === "prompt.taken" ? [fact.prompt as string] : []));
    assert.deepEqual(given, sent as string[], "and the agent took each once");
    assert.equal(entries.filter(({ fact }) => fact.kind === "turn.began").length, PROMPTS);
    assert.equal(
      entries.filter(({ fact }) => fact.kind === "agent.started").length,
      1,
      "the agent lived through it all",
    );
    device.close();
  });
});

/** A host that is just starting refuses the connection; this asks again until it is there. */
async function comeBack(world: World, device: BareDevice): Promise<BareDevice> {
  device.close();
  await device.ended;
  for (;;) {
    try {
      return await BareDevice.reconnect(device.keys);
    } catch (error) {
      assert.ok(error instanceof HandshakeError && error.fault === "cut", `${String(error)} at port ${world.port}`);
    }
  }
}
