/**
 * One session while the host runs: its fold, its agent's process, and the child that the keeper holds for it. Everything
 * that happens becomes entries first; what is done outside (bytes to the child, signals) is done when they are stored.
 *
 *   intent ──decide──► facts ─┐                          ┌─► act: lines to the child
 *   output ──hear────► facts ─┴─► writer ──► stored ─────┴─► followers
 */
import type { Entry, Fact } from "@flybridge/protocol/entry.ts";
import { CallError } from "@flybridge/protocol/error.ts";
import { apply, opened, sameSummary, summaryOf } from "@flybridge/protocol/fold.ts";
import type { DeviceId, IntentId, ItemId, SessionId } from "@flybridge/protocol/ids.ts";
import { CHECKPOINT_MS, PAGE_CHARS, PAGE_ENTRIES, RESUME_ENTRIES } from "@flybridge/protocol/limits.ts";
import type { FollowResult } from "@flybridge/protocol/methods.ts";
import type { SessionState } from "@flybridge/protocol/session.ts";
import type { Agent } from "../agents/agent.ts";
import { decide, type SessionIntent } from "../core/decide.ts";
import type { AgentMark, Journal, SessionShelf, Sink, StorageError, StoredSession } from "../core/ports.ts";
import type { Child, ChildEvents, Exit, Hands } from "./child.ts";
import { ending } from "./ending.ts";
import { Follower } from "./follower.ts";
import { type Outcome, Process } from "./process.ts";
import type { Writer } from "./writer.ts";

/** When nothing could be stored, the output is heard again from where it was stored, after this long. */
const STORAGE_RETRY_MS = 1_000;
/** Between asking an agent's process group to end and ending it. */
const STOP_GRACE_MS = 3_000;

/** What a session needs of the world around it. */
export interface Surroundings {
  readonly journal: Journal;
  readonly shelf: SessionShelf;
  readonly writer: Writer;
  readonly hands: Hands;
  readonly agent: Agent;
  readonly env: Readonly<Record<string, string>>;
  now(): number;
  after(milliseconds: number, work: () => void): Disposable;
  log(message: string, detail: Record<string, unknown>): void;
}

export class LiveSession {
  readonly id: SessionId;
  readonly #around: Surroundings;
  /** With everything that was written, stored or not. Intents are decided on it. */
  #state: SessionState;
  /** With everything that is stored: what is shown. */
  #shown: SessionState;
  /** The newest; replaced when another is started, and when what it said is to be heard again. */
  #process: Process;
  /** The keeper's end of the process, from when its start is stored to when it is gone. */
  #child: Child | undefined;
  /** Known before the last output was heard; while it is, nothing more is given to the child. */
  #exit: Exit | undefined;
  /** The entries of the newest step, for followers that are at the head. */
  #recent: readonly Entry[] = [];
  readonly #followers = new Set<Follower>();
  readonly #timers = new Map<"checkpoint" | "kill" | "retry", Disposable>();

  /** A session from the store. `recover` brings its process back. */
  constructor(stored: StoredSession, around: Surroundings) {
    this.id = stored.state.session;
    this.#around = around;
    this.#state = stored.state;
    this.#shown = stored.state;
    this.#process = Process.stored(around.agent, stored.mark);
  }

  /** A new session: its first entry, its first prompt and its start are one step. */
  static async create(
    around: Surroundings,
    order: {
      id: SessionId;
      by: DeviceId;
      intent: IntentId;
      facts: readonly [Fact & { kind: "session.opened" }, ...Fact[]];
    },
  ): Promise<LiveSession> {
    const at = around.now();
    const [first, ...rest] = order.facts;
    const state = opened(order.id, at, first);
    const session = new LiveSession({ state, mark: { launch: 0, offset: 0, acted: 0, memory: "null" } }, around);
    await session.#intended([{ seq: 1, at, fact: first }], rest, {
      id: order.intent,
      by: order.by,
      answer: (seq) => ({ session: order.id, seq }),
    });
    void session.#start();
    return session;
  }

  /** As it is stored. */
  get state(): SessionState {
    return this.#shown;
  }

  /** Decides, stores, acts; resolves with the answer when it is stored. Rejects with `CallError`. */
  async intend(intent: SessionIntent): Promise<{ seq: number }> {
    const facts = decide(this.#state, intent);
    return this.#intended([], facts, { id: intent.id, by: intent.by, answer: (seq) => ({ seq }) });
  }

  follow(from: number | undefined, sink: Sink): { answer: FollowResult; follower: Follower } {
    const { last } = this.#shown;
    const near = from !== undefined && from >= 1 && from <= last + 1 && last + 1 - from <= RESUME_ENTRIES;
    const answer = near ? { kind: "entries" as const, from } : this.#window();
    const source = {
      get last() {
        return shown().last;
      },
      read: (at: number) => this.#read(at),
      streams: () => this.#streams(),
    };
    const shown = (): SessionState => this.#shown;
    // Once it has every entry, it has what is journaled of the items that are open: from there on their text streams.
    const given = this.#shown.items.map((one) => [one.item, one.length] as const);
    const follower = new Follower(source, sink, near ? from - 1 : last, given);
    this.#followers.add(follower);
    return { answer, follower };
  }

  unfollow(follower: Follower): void {
    this.#followers.delete(follower);
  }

  page(before: number, limit: number): { entries: Entry[]; more: boolean } {
    const entries = this.#around.journal.readBack(this.id, before, limit, PAGE_CHARS);
    return { entries, more: (entries[0]?.seq ?? 1) > 1 };
  }

  /** After a start of the host: finds the process again, or says that it is gone. */
  recover(): void {
    if (this.#state.status.kind === "ended") {
      // The crash came between storing the end and forgetting the process.
      if (this.#process.launch > 0) this.#around.hands.find(this.childName)?.forget();
      return;
    }
    this.#restore();
    if (this.#state.pid === undefined) {
      void this.#start();
      return;
    }
    const child = this.#around.hands.find(this.childName);
    if (!child) {
      this.#end(
        { code: null, signal: null, errors: "" },
        "The machine or the keeper restarted, and the agent with it. Resume to go on.",
      );
      return;
    }
    this.#attach(child);
    this.#writeOwed();
    this.#actAgain();
    this.#deliver();
  }

  /** The keeper is gone, and every process with it. */
  lost(): void {
    if (this.#child === undefined) return;
    this.#end(
      { code: null, signal: null, errors: "" },
      "The keeper process ended, and the agent with it. Resume to go on.",
    );
  }

  /** The session is being removed: nobody follows it any more. */
  remove(): void {
    for (const timer of this.#timers.values()) timer[Symbol.dispose]();
    for (const follower of this.#followers) follower.gone("The session was removed.");
    this.#followers.clear();
  }

  // ── storing ──────────────────────────────────────────────────────────────────────────────────────────────────────

  #intended(
    entries: Entry[],
    facts: readonly Fact[],
    intent: { id: IntentId; by: DeviceId; answer: (seq: number) => { seq: number } },
  ): Promise<{ seq: number }> {
    return new Promise((resolve, reject) => {
      let answer = { seq: 0 };
      this.#write(facts, {
        flushed: true,
        first: entries,
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

  #write(
    facts: readonly Fact[],
    options: {
      readonly flushed: boolean;
      readonly first?: Entry[];
      readonly marked?: boolean;
      readonly intent?: (seq: number) => { id: IntentId; by: DeviceId; answer: unknown };
      readonly stored?: (failure: StorageError | undefined) => void;
    },
  ): void {
    const before = this.#state;
    const entries = [...(options.first ?? [])];
    const at = this.#around.now();
    for (const fact of facts) {
      const entry = { seq: this.#state.last + 1, at, fact: this.#placed(fact) };
      this.#state = apply(this.#state, entry);
      entries.push(entry);
    }
    const state = this.#state;
    const isNew = options.first !== undefined && options.first.length > 0;
    const mark = options.marked || isNew ? this.#process.mark() : undefined;
    this.#around.writer.write(
      {
        session: this.id,
        state,
        entries,
        ...(mark ? { mark } : {}),
        ...(options.intent ? { intent: options.intent(state.last) } : {}),
        ...(isNew || !sameSummary(before, state) ? { feed: { kind: "session", summary: summaryOf(state) } } : {}),
      },
      options.flushed,
      (failure) => {
        if (failure) this.#startOver(failure);
        else this.#stored(state, entries, mark);
        options.stored?.(failure);
      },
    );
  }

  #stored(state: SessionState, entries: readonly Entry[], mark: AgentMark | undefined): void {
    this.#shown = state;
    if (entries.length > 0) this.#recent = entries;
    if (mark) {
      this.#process.keep(mark);
      this.#child?.ack(this.#process.next, mark.offset);
    }
    for (const entry of entries) this.#act(entry);
    this.#deliver();
    this.#pump();
  }

  /** Nothing was stored, so nothing happened: back to what is stored, and hear the output again from there. */
  #startOver(failure: StorageError): void {
    this.#around.log("nothing could be stored", { session: this.id, fault: failure.fault });
    this.#state = this.#shown;
    if (this.#child === undefined) return;
    this.#timer("checkpoint", undefined);
    this.#retry(() => {
      this.#restore();
      this.#child?.read(this.#process.storedOffset);
      this.#writeOwed();
      this.#actAgain();
    });
  }

  #retry(work: () => void): void {
    const again = (): void => {
      this.#timer("retry", undefined);
      work();
    };
    this.#timer("retry", this.#around.after(STORAGE_RETRY_MS, again));
  }

  #placed(fact: Fact): Fact {
    if (fact.kind !== "item.completed") return fact;
    const began = this.#state.items.find((one) => one.item === fact.item.item)?.began;
    return began === undefined ? fact : { ...fact, began };
  }

  // ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────

  #read(from: number): readonly Entry[] {
    const oldest = this.#recent[0]?.seq;
    if (oldest !== undefined && from >= oldest) return this.#recent.slice(from - oldest, from - oldest + PAGE_ENTRIES);
    return this.#around.journal.read(this.id, from, PAGE_ENTRIES, PAGE_CHARS);
  }

  *#streams(): Generator<{ item: ItemId; text: string }> {
    for (const { item } of this.#shown.items) yield { item, text: this.#process.textOf(item) };
  }

  #window(): FollowResult {
    const { entries, more } = this.page(this.#shown.last + 1, PAGE_ENTRIES);
    const first = entries[0]?.seq ?? 1;
    const carried = this.#shown.items
      .filter((one) => one.began < first)
      .flatMap((one) => this.#around.journal.readItem(this.id, one.item, first));
    return { kind: "window", state: this.#shown, entries, more, carried };
  }

  #pump(): void {
    for (const follower of this.#followers) follower.pump();
  }

  // ── the process ──────────────────────────────────────────────────────────────────────────────────────────────────

  /** What the keeper knows its process by. */
  get childName(): string {
    return `${this.id}.${this.#process.launch}`;
  }

  async #start(): Promise<void> {
    const { agent, env, hands } = this.#around;
    const { workspace, model, mode, last: acted } = this.#state;
    const launch = this.#process.launch + 1;
    try {
      const before = this.#process.launch > 0 ? this.#process.memory : undefined;
      const plan = await agent.launch({ session: this.id, workspace, model, mode, before, env });
      const name = `${this.id}.${launch}`;
      const child = await hands.spawn({ name, argv: plan.argv, env: plan.env, cwd: workspace });
      this.#process = Process.launched(agent, launch, plan, acted);
      this.#exit = undefined;
      this.#write([{ kind: "agent.started", pid: child.pid }], {
        flushed: false,
        marked: true,
        stored: (failure) => {
          if (failure) return this.#retry(() => this.recover());
          this.#attach(child);
          this.#writeOwed();
          this.#actAgain();
          this.#deliver();
        },
      });
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      this.#around.log("an agent could not be started", { session: this.id, detail });
      this.#write([{ kind: "agent.ended", cause: "failed", code: null, signal: null, detail }], { flushed: false });
    }
  }

  #attach(child: Child): void {
    this.#child = child;
    const events: ChildEvents = {
      output: (offset, bytes) => this.#hear(offset, bytes),
      exit: (exit) => {
        this.#exit = exit;
        this.#endWhenHeard();
      },
      settled: (id) => this.#process.settle(id),
    };
    child.listen(events, this.#process.storedOffset);
  }

  #hear(offset: number, bytes: Uint8Array): void {
    if (this.#timers.has("retry")) return;
    this.#settleHeard(this.#process.hear(offset, bytes, () => this.#around.now()));
    this.#endWhenHeard();
  }

  #settleHeard(outcome: Outcome): void {
    const due = this.#process.due(outcome);
    if (due === "now") {
      this.#timer("checkpoint", undefined);
      this.#write([...outcome.facts, ...this.#process.checkpoint()], {
        flushed: false,
        marked: true,
        stored: (failure) => {
          if (!failure) this.#writeOwed(outcome.owed);
        },
      });
    } else {
      this.#child?.ack(this.#process.next, this.#process.storedOffset);
      if (due === "soon" && !this.#timers.has("checkpoint"))
        this.#timer(
          "checkpoint",
          this.#around.after(CHECKPOINT_MS, () => this.#checkpoint()),
        );
    }
    this.#pump();
  }

  #checkpoint(): void {
    this.#timer("checkpoint", undefined);
    this.#write(this.#process.checkpoint(), { flushed: false, marked: true });
  }

  /** A child's exit is known before its last output was heard. */
  #endWhenHeard(): void {
    if (this.#exit === undefined || this.#process.next < this.#exit.end) return;
    const { facts } = this.#process.hearRest(() => this.#around.now());
    if (facts.length > 0) this.#write(facts, { flushed: false, marked: true });
    this.#end(this.#exit, undefined);
  }

  #end(exit: Omit<Exit, "end">, why: string | undefined): void {
    const child = this.#child;
    this.#child = undefined;
    this.#exit = undefined;
    this.#timer("checkpoint", undefined);
    this.#timer("kill", undefined);
    const detail = why ?? this.#process.explain(exit);
    const facts = ending(this.#state, this.#process.end(), exit, detail);
    this.#write(facts, {
      flushed: false,
      marked: true,
      stored: (failure) => {
        if (!failure) child?.forget();
        else this.#retry(() => this.recover());
      },
    });
  }

  // ── acting on what is stored ─────────────────────────────────────────────────────────────────────────────────────

  #act(entry: Entry): void {
    const { fact } = entry;
    switch (fact.kind) {
      case "session.resumed":
        void this.#start();
        return;
      case "session.stopped":
        this.#stop();
        return;
      case "interrupt.asked":
      case "prompt.withdrawn":
      case "session.configured":
        this.#tell(entry);
        return;
      case "ask.settled":
        if (fact.settlement.kind === "answered") this.#tell(entry);
        return;
      default:
    }
  }

  #tell(entry: Entry): void {
    if (this.#child) this.#writeOwed(this.#process.tell(entry));
  }

  #writeOwed(ids: Iterable<string> = this.#process.owed): void {
    for (const id of ids) {
      const line = this.#process.lineOf(id);
      if (line !== undefined) this.#child?.write(id, line);
    }
  }

  /** What was stored before the crash and perhaps not done: the keeper puts each id in once. */
  #actAgain(): void {
    if (this.#state.stopping) this.#stop();
    for (let from = this.#process.acted + 1; from <= this.#shown.last;) {
      const entries = this.#around.journal.read(this.id, from, PAGE_ENTRIES, PAGE_CHARS);
      const newest = entries.at(-1);
      if (newest === undefined) return;
      for (const entry of entries) {
        if (entry.fact.kind === "session.resumed") continue;
        // In the order in which people meant it: a prompt before the answer, a mode before the prompt.
        this.#deliver(entry.seq);
        this.#act(entry);
      }
      from = newest.seq + 1;
    }
  }

  #stop(): void {
    const child = this.#child;
    if (!child) return;
    child.signal("SIGTERM");
    this.#timer(
      "kill",
      this.#around.after(STOP_GRACE_MS, () => child.signal("SIGKILL")),
    );
  }

  /**
   * Gives waiting prompts to the process: one while it is at rest, and those that steer at once. Only what is stored is
   * given, and what was heard to be taken is not given again, stored or not.
   */
  #deliver(before = Number.POSITIVE_INFINITY): void {
    if (!this.#child || this.#shown.stopping || this.#exit) return;
    const { handed } = this.#process;
    const open = new Set(this.#state.prompts.map(({ prompt }) => prompt));
    for (const waiting of this.#shown.prompts) {
      if (waiting.seq >= before) return;
      if (handed.has(waiting.prompt) || !open.has(waiting.prompt)) continue;
      const busy = this.#state.running !== undefined || handed.size > 0;
      if (busy && waiting.delivery === "queue") continue;
      handed.add(waiting.prompt);
      const [entry] = this.#around.journal.read(this.id, waiting.seq, 1, PAGE_CHARS);
      if (entry) this.#writeOwed(this.#process.prompt(waiting.prompt, entry));
    }
  }

  // ── coming back ──────────────────────────────────────────────────────────────────────────────────────────────────

  /** As the store has it: what was heard since then will be heard again. */
  #restore(): void {
    const stored = this.#around.shelf.get(this.id);
    if (!stored) return;
    this.#process = Process.stored(this.#around.agent, stored.mark);
    for (const { item } of this.#shown.items)
      this.#process.reopen(item, this.#around.journal.readItem(this.id, item, this.#shown.last + 1));
  }

  #timer(name: "checkpoint" | "kill" | "retry", timer: Disposable | undefined): void {
    this.#timers.get(name)?.[Symbol.dispose]();
    if (timer) this.#timers.set(name, timer);
    else this.#timers.delete(name);
  }
}
