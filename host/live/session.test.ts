/** Crashes at the moments that no signal hits twice: between what is stored and what is on its way to the agent. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import {
  uuid7From,
  type AgentName,
  type DeviceId,
  type IntentId,
  type PromptId,
  type SessionId,
  type TurnId,
} from "@flybridge/protocol/ids.ts";
import type { Agent } from "../agents/agent.ts";
import { type Journal, StorageError } from "../core/ports.ts";
import { openStore } from "../machine/store/store.ts";
import type { Child, ChildEvents, Hands } from "./child.ts";
import { LiveSession, type Surroundings } from "./session.ts";
import { EMPTY_SHELVES } from "./surroundings.fixture.ts";
import { makeWriter } from "./writer.ts";

const BY = "device".padEnd(43, "-") as DeviceId;
const id = <Id extends string>(): Id => uuid7From(Date.now(), randomBytes(10)) as string as Id;

/** A line is the name of what it means; `ask` wants an answer of the adapter's own. */
const agent: Agent<null> = {
  name: "echo" as AgentName,
  look: () => Promise.reject(new Error("not asked for here")),
  launch: () => Promise.resolve({ argv: ["/bin/cat"], env: {}, memory: null, writes: ["hello"] }),
  hear(_, line) {
    const [word, rest = ""] = line.split(" ");
    if (word === "ask") return { drafts: [], writes: [`no to ${rest}`] };
    if (word === "took")
      return { drafts: [{ kind: "fact", fact: { kind: "prompt.taken", prompt: rest as PromptId } }], writes: [] };
    if (word === "turn")
      return { drafts: [{ kind: "fact", fact: { kind: "turn.began", turn: rest as TurnId } }], writes: [] };
    if (word === "end") {
      const fact = { kind: "turn.ended", turn: rest as TurnId, outcome: "completed" } as const;
      return { drafts: [{ kind: "fact", fact }], writes: [] };
    }
    return { drafts: [], writes: [] };
  },
  act: (_, { fact }) =>
    fact.kind === "prompt.accepted" ? [fact.text] : fact.kind === "session.configured" ? [`mode ${fact.mode}`] : [],
  explain: () => undefined,
};

/** A keeper that outlives hosts. `deaf`: what it is given is lost on its way, as when the host dies in the middle. */
class Keeping implements Hands {
  readonly got = new Map<string, string>();
  deaf = false;
  output = "";
  /** What is asked for again waits on its way until it `arrives`. */
  far = false;
  #asked = 0;
  #events: ChildEvents | undefined;
  #alive = false;

  spawn(): Promise<Child> {
    this.#alive = true;
    return Promise.resolve(this.#child);
  }
  find(): Child | undefined {
    return this.#alive ? this.#child : undefined;
  }
  arrives(): void {
    this.far = false;
    this.#child.read(this.#asked);
  }
  say(line: string): void {
    const offset = this.output.length;
    this.output += `${line}\n`;
    this.#events?.output(offset, Buffer.from(`${line}\n`));
  }
  readonly #child: Child = {
    pid: 1,
    listen: (events, from) => {
      this.#events = events;
      this.#child.read(from);
    },
    read: (from) => {
      if (this.far) this.#asked = from;
      else this.#events?.output(from, Buffer.from(this.output.slice(from)));
    },
    ack: () => {},
    write: (name, line) => {
      if (this.deaf) return;
      // The first of an id counts; each is confirmed.
      if (!this.got.has(name)) this.got.set(name, line);
      this.#events?.settled(name, true);
    },
    type: () => {},
    resize: () => {},
    echoes: () => Promise.resolve(undefined),
    signal: () => {},
    forget: () => {},
  };
}

function desk(more: Partial<Agent<null>> = {}) {
  const folder = mkdtempSync(join(tmpdir(), "flybridge-live-"));
  const store = openStore(join(folder, "db"));
  const keeping = new Keeping();
  const disk = { full: false };
  const journal: Journal = {
    ...store.journal,
    append(steps, flushed) {
      if (disk.full) throw new StorageError("full", "The disk is full.");
      return store.journal.append(steps, flushed);
    },
  };
  const timers = new Set<() => void>();
  const session = id<SessionId>();
  const around = (): Surroundings => ({
    journal: store.journal,
    shelf: store.sessions,
    writer: makeWriter(journal, () => {}),
    hands: keeping,
    ...EMPTY_SHELVES,
    agent: { ...agent, ...more },
    env: {},
    now: () => Date.now(),
    after(_, work) {
      timers.add(work);
      return { [Symbol.dispose]: () => void timers.delete(work) };
    },
    log: () => {},
  });
  return {
    keeping,
    disk,
    /** All that was to happen later happens now. */
    ring() {
      for (const work of timers) {
        timers.delete(work);
        work();
      }
    },
    begin: () =>
      LiveSession.create(around(), {
        id: session,
        by: BY,
        intent: session as string as IntentId,
        facts: [{ kind: "session.opened", agent: agent.name, workspace: "/", by: BY }],
      }),
    /** As after a start of the host; the session of before is no longer heard. */
    again() {
      const stored = store.sessions.get(session);
      assert.ok(stored);
      const live = new LiveSession(stored, around());
      live.recover();
      return live;
    },
    prompt(live: LiveSession, text: string) {
      return live.intend({
        method: "session.prompt",
        params: { session, text, delivery: "queue" },
        id: id(),
        by: BY,
        guest: false,
      });
    },
    configure(live: LiveSession, mode: string) {
      return live.intend({ method: "session.configure", params: { session, mode }, id: id(), by: BY, guest: false });
    },
    kinds: () => store.journal.read(session, 1, 100, 1_000_000).map(({ fact }) => fact.kind),
    [Symbol.dispose]() {
      store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** What is written is stored in the next turn of the loop, and acted on in the same one. */
const settled = async (): Promise<void> => {
  for (let turns = 0; turns < 4; turns += 1) await new Promise((resolve) => setImmediate(resolve));
};

describe("a session whose host dies", () => {
  it("gives the agent its first lines, and its own answers, although they were lost on their way", async () => {
    using at = desk();
    at.keeping.deaf = true;
    await at.begin();
    await settled();
    at.keeping.say("ask 1");
    await settled();
    assert.deepEqual([...at.keeping.got.values()], []);
    at.keeping.deaf = false;
    at.again();
    await settled();
    assert.deepEqual([...at.keeping.got.values()], ["hello", "no to 1"]);
    at.again();
    await settled();
    assert.equal(at.keeping.got.size, 2);
  });

  it("tells the agent what people meant in the order in which they meant it", async () => {
    using at = desk();
    const live = await at.begin();
    await settled();
    at.keeping.deaf = true;
    await at.configure(live, "plan");
    await at.prompt(live, "first");
    await at.configure(live, "default");
    at.keeping.deaf = false;
    at.again();
    await settled();
    assert.deepEqual([...at.keeping.got.values()], ["hello", "mode plan", "first", "mode default"]);
  });

  it("does not give a prompt again that it heard to be taken, stored or not", async () => {
    using at = desk();
    const live = await at.begin();
    await settled();
    const prompted = at.prompt(live, "first");
    await prompted;
    const prompt = live.state.prompts[0]?.prompt ?? "";
    // Heard in the same turn of the loop in which something else is stored: it is known, and not yet in the journal.
    const other = at.configure(live, "plan");
    at.keeping.say(`took ${prompt}`);
    await other;
    await settled();
    await at.prompt(live, "second");
    await settled();
    assert.ok([...at.keeping.got.values()].includes("second"), [...at.keeping.got.values()].join(", "));
    assert.equal(at.kinds().filter((kind) => kind === "prompt.taken").length, 1);
  });
});

describe("a session that could not store what it heard", () => {
  it("hears it again from where it was stored, and passes over what was on its way before", async () => {
    using at = desk();
    await at.begin();
    await settled();
    at.disk.full = true;
    at.keeping.say(`turn ${id()}`);
    await settled();
    at.keeping.say("while nothing is heard");
    at.disk.full = false;
    at.keeping.far = true;
    at.ring();
    at.keeping.say("on its way");
    at.keeping.arrives();
    await settled();
    at.keeping.say("and so on");
    await settled();
    assert.equal(at.kinds().filter((kind) => kind === "turn.began").length, 1);
  });
});

describe("a session whose turn is over", () => {
  const recall: Agent["recall"] = {
    list: () => Promise.resolve([]),
    read: () => Promise.resolve(undefined),
    of: () => "its conversation",
  };

  it("[E06] tells its agent once that the conversation rests, however many turns there were, and not while one runs", async () => {
    const told: string[] = [];
    using at = desk({ recall, rested: (conversation) => void told.push(conversation) });
    await at.begin();
    await settled();
    const [first, second, third] = [id(), id(), id()];
    at.keeping.say(`turn ${first}`);
    at.keeping.say(`end ${first}`);
    at.keeping.say(`turn ${second}`);
    await settled();
    at.ring();
    assert.deepEqual(told, []);
    at.keeping.say(`end ${second}`);
    at.keeping.say(`turn ${third}`);
    at.keeping.say(`end ${third}`);
    await settled();
    assert.deepEqual(told, []);
    at.ring();
    assert.deepEqual(told, ["its conversation"]);
    at.again();
    await settled();
    at.ring();
    assert.equal(told.length, 1, "what was over before a crash is no news");
  });
});
