/** PROTOCOL.md is enough to write a device: one that was written from it alone meets the real host. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { Ask } from "@flybridge/protocol/ask.ts";
import type { Device } from "@flybridge/protocol/device.ts";
import type { Entry } from "@flybridge/protocol/entry.ts";
import type { AgentName, SessionId } from "@flybridge/protocol/ids.ts";
import type { Result } from "@flybridge/protocol/methods.ts";
import { type Kept, newIntent, pair, reconnect, Refused, type SecondDevice } from "./second-device.ts";
import { startWorld, type World } from "./world.ts";

const LIMIT = { timeout: 120_000 };
const MAX_LINES = 400;
const PHONE = { name: "Second device", kind: "phone" };
/** Calls of one batch, under the 64 that may be unanswered. */
const BATCH = 60;

/** What it would have on its disk. */
interface Disk {
  kept?: Kept;
}

function keepOn(disk: Disk): (kept: Kept) => void {
  return (kept) => {
    disk.kept = structuredClone(kept);
  };
}

function comeBack(disk: Disk): Promise<SecondDevice> {
  assert(disk.kept);
  return reconnect(disk.kept, keepOn(disk));
}

/** The first thing that the journal says which `find` is after. */
async function untilEntry<T>(device: SecondDevice, find: (entry: Entry) => T | false | undefined): Promise<T> {
  for (let from = 0; ;) {
    const told = await device.until((one) => one["t"] === "entries" && device.told.indexOf(one) >= from);
    for (const entry of told["entries"] as Entry[]) {
      const found = find(entry);
      if (found !== false && found !== undefined) return found;
    }
    from = device.told.indexOf(told) + 1;
  }
}

const askIn = ({ fact }: Entry): Ask | false => fact.kind === "ask.opened" && fact.ask;

async function allow(device: SecondDevice, session: string): Promise<string> {
  const ask = await untilEntry(device, askIn);
  assert(ask.kind === "approval");
  const answer = { kind: "allow", choice: ask.choices[0]?.choice };
  await device.call("ask.answer", { session, ask: ask.ask, answer }, newIntent());
  return untilEntry(
    device,
    ({ fact }) => fact.kind === "ask.settled" && fact.settlement.kind === "answered" && fact.settlement.by,
  );
}

async function idOf(device: SecondDevice): Promise<string> {
  const welcome = await device.until(({ t }) => t === "welcome");
  return String(welcome["device"]);
}

describe("a device that was written from PROTOCOL.md alone", LIMIT, () => {
  let world: World;
  before(async () => {
    world = await startWorld();
  });
  after(() => world[Symbol.asyncDispose]());

  /** A connection string for a new device of the owner. */
  async function offered(): Promise<string> {
    const shell = await world.shell();
    const { connection } = await shell.call("offer.make", {});
    shell.close();
    return connection;
  }

  async function opened(prompt: string): Promise<SessionId> {
    const shell = await world.shell();
    const { session } = await shell.call("session.create", {
      agent: "demo" as AgentName,
      workspace: world.home,
      prompt,
    });
    shell.close();
    return session;
  }

  it("is short", () => {
    const lines = readFileSync(join(import.meta.dirname, "second-device.ts"), "utf8")
      .trimEnd()
      .split("\n");
    assert.ok(lines.length < MAX_LINES, `${lines.length} lines`);
  });

  it("[A13] pairs, follows a session that it opened, answers its ask, and comes back three times", async () => {
    const disk: Disk = {};
    const device = await pair(await offered(), PHONE, keepOn(disk));
    const id = await idOf(device);
    const create = { agent: "demo", workspace: world.home, prompt: "ask" };
    const intent = newIntent();
    const made = await device.call<Result<"session.create">>("session.create", create, intent);
    assert.equal(made.session, intent);
    const session = made.session;
    await device.call("session.follow", { session, from: 1 });
    assert.equal(await allow(device, session), id);
    device.bye();

    const seen = new Set<string>();
    for (let time = 0; time < 3; time++) {
      seen.add(Buffer.from(disk.kept!.secrets[0]!).toString("hex"));
      const back = await comeBack(disk);
      assert.equal(await idOf(back), id);
      assert.equal(disk.kept?.secrets.length, 1, "the host said that it has the newer one");
      assert.deepEqual(await back.call("session.create", create, intent), made, "the same intent has one answer");
      await back.call("session.follow", { session, from: 1 });
      assert.equal(await untilEntry(back, ({ fact }) => fact.kind === "session.opened" && fact.agent), "demo");
      back.bye();
    }
    assert.equal(seen.size, 3, "each time with another secret");
  });

  it("says and hears what is longer than a window, through its credit", async () => {
    const device = await pair(await offered(), PHONE, () => {});
    const session = await opened("question");
    const text = "é".repeat(400_000);
    await device.call("session.prompt", { session, text, delivery: "queue" }, newIntent());
    const { entries } = await device.call<Result<"session.page">>("session.page", {
      session,
      before: 1_000,
      limit: 200,
    });
    assert.ok(entries.some(({ fact }) => fact.kind === "prompt.accepted" && fact.text === text));
    device.bye();
  });

  it("takes the step of both keys after 4,096 records, and has its ping answered", async () => {
    const device = await pair(await offered(), PHONE, () => {});
    for (let done = 0; done < 4_096 + BATCH; done += BATCH) {
      await Promise.all(Array.from({ length: BATCH }, () => device.call("rule.list", {})));
      device.told.length = 0;
    }
    device.say(0, new Uint8Array([3, 0, 0, 0, 7]));
    assert.equal((await device.until(({ t }) => t === "pong"))["number"], 7);
    device.bye();
  });

  it("[C06] is a guest of one session: watches and answers there, and is refused elsewhere with the same words", async () => {
    const [session, other] = [await opened("ask"), await opened("question")];
    const shell = await world.shell();
    const { connection } = await shell.call("session.share", { session, verbs: ["read", "answer"] });
    const disk: Disk = {};
    const guest = await pair(connection, { name: "Guest", kind: "tablet" }, keepOn(disk));
    const welcome = await guest.until(({ t }) => t === "welcome");
    const { kind, session: its, verbs } = welcome["grant"] as Extract<Device["grant"], { kind: "session" }>;
    assert.deepEqual([kind, its, verbs], ["session", session, ["read", "answer"]]);
    await guest.call("session.follow", { session, from: 1 });
    assert.equal(await allow(guest, session), await idOf(guest));
    const refusals = await Promise.all(
      [
        guest.call("session.follow", { session: other }),
        guest.call("session.follow", { session: newIntent() }),
        guest.call("session.prompt", { session, text: "no", delivery: "queue" }, newIntent()),
        guest.call("device.list", {}),
      ].map((call) =>
        call.then(
          () => "allowed",
          ({ code, message }: { code: string; message: string }) => `${code}: ${message}`,
        ),
      ),
    );
    assert.match(refusals[0] ?? "", /^forbidden: /u);
    assert.equal(refusals[0], refusals[1], "what is there, and what is not");
    assert.deepEqual(new Set(refusals.map((refusal) => refusal.split(":")[0])), new Set(["forbidden"]));
    guest.bye();
    const back = await comeBack(disk);
    await shell.call("device.revoke", { device: (await idOf(back)) as Device["device"] });
    assert.equal(await back.ended, "revoked");
    await assert.rejects(comeBack(disk), Refused);
    shell.close();
  });

  it("is suspended when a copy of it comes with a secret that it used before, and the copy gets nothing", async () => {
    const disk: Disk = {};
    (await pair(await offered(), PHONE, keepOn(disk))).bye();
    const copied: Disk = structuredClone(disk);
    for (let time = 0; time < 2; time++) (await comeBack(disk)).bye();
    const original = await comeBack(disk);
    const id = await idOf(original);
    const copy = await comeBack(copied);
    assert.equal(await original.ended, "suspended");
    for (const told of [copy, await comeBack(disk)]) {
      assert.equal(await told.ended, "suspended");
      assert.deepEqual(told.told, [], "not even who the host is");
    }
    const shell = await world.shell();
    const { devices } = await shell.call("device.list", {});
    assert.ok(devices.find(({ device }) => device === id)?.suspended);
    shell.close();
  });
});

describe("where a person lets each device in, such a device", LIMIT, () => {
  it("shows the six digits that the host expects, and other digits turn it away", async () => {
    await using world = await startWorld({ args: ["--confirm", "always"] });
    const shell = await world.shell();
    await shell.call("feed.follow", { from: 0 });
    for (const isRight of [false, true]) {
      const { connection } = await shell.call("offer.make", {});
      const shown = Promise.withResolvers<string>();
      const paired = pair(connection, PHONE, () => {}, shown.resolve);
      const digits = await shown.promise;
      assert.match(digits, /^\d{6}$/u);
      const waiting = await shell.until(() =>
        shell.messages
          .flatMap((message) => (message.t === "feed" ? message.facts : []))
          .flatMap(({ fact }) => (fact.kind === "pairing" ? [fact.pairing.pairing] : []))
          .at(isRight ? 1 : 0),
      );
      const typed = isRight ? digits : digits.replace(/^./u, (digit) => String((Number(digit) + 1) % 10));
      const confirmed = shell.call("pairing.confirm", { pairing: waiting, digits: typed });
      if (isRight) {
        await confirmed;
        (await paired).bye();
      } else {
        await assert.rejects(confirmed);
        await assert.rejects(paired, /cut off/u);
      }
    }
    shell.close();
  });
});
