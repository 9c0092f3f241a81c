/**
 * One session while the host runs: its intents, and who follows it. Everything that happens becomes entries first; what
 * is done outside is done when they are stored.
 *
 *   intent ──decide──► facts ─┐                          ┌─► run: lines to the child
 *   output ──run─────► facts ─┴─► ledger ──► stored ─────┴─► followers
 */
import { type Answer, keepable } from "@flybridge/protocol/ask.ts";
import type { Entry, Fact, FactOf } from "@flybridge/protocol/entry.ts";
import { CallError } from "@flybridge/protocol/error.ts";
import { opened } from "@flybridge/protocol/fold.ts";
import type { AskId, DeviceId, IntentId, ItemId, SessionId } from "@flybridge/protocol/ids.ts";
import { RESUME_ENTRIES } from "@flybridge/protocol/limits.ts";
import type { FollowResult } from "@flybridge/protocol/methods.ts";
import type { SessionState } from "@flybridge/protocol/session.ts";
import type { Size } from "@flybridge/protocol/terminal.ts";
import type { Agent } from "../agents/agent.ts";
import { decide, type SessionIntent } from "../core/decide.ts";
import type { AgentMark, Sink, StoredSession } from "../core/ports.ts";
import { Follower } from "./follower.ts";
import { Ledger } from "./ledger.ts";
import { ruleFrom } from "./rules.ts";
import { Run } from "./run.ts";
import type { Running } from "./running.ts";
import type { Surroundings } from "./surroundings.ts";
import type { Front } from "./terminal/front.ts";
import { TerminalRun } from "./terminal/terminal-run.ts";

export type { Surroundings } from "./surroundings.ts";

const NEVER_RUN: AgentMark = { launch: 0, offset: 0, acted: 0, memory: "null" };

export class LiveSession {
  readonly id: SessionId;
  readonly #ledger: Ledger;
  readonly #around: Surroundings;
  #run: Running;
  readonly #followers = new Set<Follower>();

  /** A session from the store. `recover` brings its process back. */
  constructor(stored: StoredSession, around: Surroundings) {
    this.id = stored.state.session;
    this.#ledger = new Ledger(stored.state, around);
    this.#around = around;
    this.#run = this.#runOf(stored.mark);
  }

  /** A new session: its first entry, its first prompt and its start are one step. */
  static async create(
    around: Surroundings,
    order: {
      id: SessionId;
      by: DeviceId;
      intent: IntentId;
      facts: readonly [Fact & { kind: "session.opened" }, ...Fact[]];
      size?: Size | undefined;
    },
  ): Promise<LiveSession> {
    const at = around.now();
    const [first, ...rest] = order.facts;
    const state = opened(order.id, at, first);
    const session = new LiveSession({ state, mark: NEVER_RUN }, around);
    await session.#intended([{ seq: 1, at, fact: first }], rest, {
      id: order.intent,
      by: order.by,
      answer: (seq) => ({ session: order.id, seq }),
    });
    void session.#run.start({ size: order.size });
    return session;
  }

  /** A session that nobody asked for: its agent, or its conversation, was found. Rejects with `CallError`. */
  static async found(
    around: Surroundings,
    id: SessionId,
    fact: Fact & { kind: "session.opened" },
  ): Promise<LiveSession> {
    const at = around.now();
    const session = new LiveSession({ state: opened(id, at, fact), mark: NEVER_RUN }, around);
    await new Promise<void>((resolve, reject) => {
      session.#run.write([], {
        flushed: false,
        first: [{ seq: 1, at, fact }],
        marked: true,
        stored: (failure) => (failure ? reject(new CallError("storage", failure.message)) : resolve()),
      });
    });
    void session.#run.start();
    return session;
  }

  /** What these devices asked for and the agent has not taken is not to be done. */
  drop(devices: ReadonlySet<DeviceId>): void {
    const waiting = this.#ledger.written.prompts.filter(({ by }) => devices.has(by));
    if (waiting.length > 0)
      this.note(waiting.map(({ prompt, by }) => ({ kind: "prompt.withdrawn" as const, prompt, by })));
  }

  /** What is known of it by other ways than its agent's own. */
  note(facts: readonly Fact[]): void {
    this.#run.write(facts, { flushed: false });
  }

  /** An ended session's agent again, because its conversation goes on. */
  restart(): void {
    void this.#run.start();
  }

  /** As it is stored. */
  get state(): SessionState {
    return this.#ledger.stored;
  }

  /** Decides, stores, acts; resolves with the answer when it is stored. Rejects with `CallError`. */
  async intend(intent: SessionIntent): Promise<{ seq: number }> {
    const state = this.#ledger.written;
    const facts = decide(state, intent);
    if (facts[0].kind === "session.resumed" && state.outside) this.#takeOver();
    const answers = new Map<AskId, Answer>();
    const kept = facts.map((fact) => (fact.kind === "ask.settled" ? this.#kept(fact, answers) : fact));
    const answer = await this.#intended([], kept, { ...intent, answer: (seq) => ({ seq }) }, answers);
    for (const fact of kept) if (fact.kind === "ask.settled") this.#makeRule(state, fact);
    return answer;
  }

  follow(from: number | undefined, sink: Sink): { answer: FollowResult; follower: Follower } {
    const { last } = this.#ledger.stored;
    const near = from !== undefined && from >= 1 && from <= last + 1 && last + 1 - from <= RESUME_ENTRIES;
    const answer = near ? { kind: "entries" as const, from } : this.#ledger.window();
    const source = {
      get last() {
        return shown().last;
      },
      read: (at: number) => this.#ledger.read(at),
      streams: () => this.#streams(),
      textFrom: (item: ItemId, offset: number) => this.#run.textFrom(item, offset),
    };
    const shown = (): SessionState => this.#ledger.stored;
    // Once it has every entry, it has what is journaled of the items that are open: from there on their text streams.
    const given = this.#ledger.stored.items.map((one) => [one.item, one.length] as const);
    const follower = new Follower(source, sink, near ? from - 1 : last, given);
    this.#followers.add(follower);
    return { answer, follower };
  }

  unfollow(follower: Follower): void {
    this.#followers.delete(follower);
  }

  page(before: number, limit: number): { entries: Entry[]; more: boolean } {
    return this.#ledger.page(before, limit);
  }

  /** Its screen and keys, where it is a terminal of this host's. */
  get terminal(): Front | undefined {
    return this.#run instanceof TerminalRun ? this.#run.front : undefined;
  }

  /** What the keeper knows its process by. */
  get childName(): string {
    return this.#run.name;
  }

  /** After a start of the host: finds the process again, or says that it is gone. */
  recover(): void {
    this.#run.recover();
  }

  /** The keeper is gone, and every process with it. */
  lost(): void {
    this.#run.lost();
  }

  /** The session is being removed: nobody follows it any more. */
  remove(): void {
    this.#run[Symbol.dispose]();
    for (const follower of this.#followers) follower.gone("The session was removed.");
    this.#followers.clear();
  }

  #runOf(mark: AgentMark): Running {
    const { agent, outside } = this.#around;
    const grown = (): void => {
      for (const follower of this.#followers) follower.pump();
    };
    if (this.#ledger.stored.outside && outside) return outside(this.#ledger, mark, grown);
    if ("speaks" in agent) return new TerminalRun(this.#around, agent, this.#ledger, mark, grown);
    return new Run(this.#around, agent, this.#ledger, mark, grown);
  }

  /** What was seen from outside goes on here, with a process of this host's. */
  #takeOver(): void {
    this.#run[Symbol.dispose]();
    const { agent, shelf } = this.#around;
    // What was read of the conversation goes with it.
    const mark = shelf.get(this.id)?.mark ?? NEVER_RUN;
    this.#run = new Run(this.#around, agent as Agent, this.#ledger, mark, () => {
      for (const follower of this.#followers) follower.pump();
    });
  }

  /** The settlement as it may be kept; the answer as it was given goes into `answers`. */
  #kept(fact: FactOf<"ask.settled">, answers: Map<AskId, Answer>): Fact {
    const { ask, settlement } = fact;
    const open = this.#ledger.written.asks.find((one) => one.ask.ask === ask);
    if (settlement.kind !== "answered" || !open) return fact;
    const answer = keepable(open.ask, settlement.answer);
    if (answer === settlement.answer) return fact;
    answers.set(ask, settlement.answer);
    return { ...fact, settlement: { ...settlement, answer } };
  }

  /** The answer is stored; a rule that cannot be kept costs no more than being asked again. */
  #makeRule(state: SessionState, { ask, settlement }: FactOf<"ask.settled">): void {
    const open = state.asks.find((one) => one.ask.ask === ask)?.ask;
    if (open?.kind !== "approval" || settlement.kind !== "answered" || settlement.rule === undefined) return;
    try {
      this.#around.rules.make(ruleFrom(state, open, settlement.rule, settlement.by));
    } catch (error) {
      this.#around.log("a rule could not be kept", { session: this.id, error: String(error) });
      const text = "The rule could not be stored, so this request will be asked again.";
      this.#run.write([{ kind: "notice", level: "warning", text }], { flushed: false });
    }
  }

  #intended(
    entries: Entry[],
    facts: readonly Fact[],
    intent: { id: IntentId; by: DeviceId; answer: (seq: number) => { seq: number } },
    answers?: ReadonlyMap<AskId, Answer>,
  ): Promise<{ seq: number }> {
    return new Promise((resolve, reject) => {
      let answer = { seq: 0 };
      this.#run.write(facts, {
        flushed: true,
        first: entries,
        marked: entries.length > 0,
        answers,
        intent: (seq) => {
          answer = intent.answer(seq);
          return { id: intent.id, by: intent.by, answer };
        },
        stored: (failure) => {
          if (failure) reject(new CallError("storage", failure.message));
          else resolve(answer);
        },
      });
    });
  }

  *#streams(): Generator<{ item: ItemId; length: number }> {
    for (const { item } of this.#ledger.stored.items) yield { item, length: this.#run.lengthOf(item) };
  }
}
