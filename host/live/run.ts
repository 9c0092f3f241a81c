/**
 * How a session's agent runs: the child that the keeper holds becomes facts as it is heard, and what is stored is done
 * to it. Nothing is done outside (bytes to the child, signals) before what it comes of is stored.
 */
import type { Answer } from "@flybridge/protocol/ask.ts";
import type { Entry, Fact } from "@flybridge/protocol/entry.ts";
import type { ItemId, SessionId } from "@flybridge/protocol/ids.ts";
import { CHECKPOINT_MS } from "@flybridge/protocol/limits.ts";
import type { Agent, Attached } from "../agents/agent.ts";
import type { AgentMark } from "../core/ports.ts";
import { Answers } from "./answers.ts";
import type { Child, ChildEvents, Exit } from "./child.ts";
import { ending, UNSEEN } from "./ending.ts";
import type { Ledger } from "./ledger.ts";
import { type Outcome, Process } from "./process.ts";
import { ruled } from "./rules.ts";
import type { Running, RunStep } from "./running.ts";
import { Steps } from "./steps.ts";
import { Stop } from "./stop.ts";
import type { Surroundings } from "./surroundings.ts";
import { Timer } from "./timer.ts";

/** Output taken that the keeper is told of at the latest. It sends 1 MiB ahead, so a word for each line is for nothing. */
const MAX_UNACKED_BYTES = 64 * 1024;

/** Milliseconds of rest until an agent is told of it: turns that follow each other closely are one. */
const REST_MS = 2_000;

/** What an agent is told in place of a secret that was lost with the host before it was passed on. */
const LOST: Answer = { kind: "deny", reason: "The answer was lost before it could be passed on. Ask again." };

export class Run implements Running {
  readonly #around: Surroundings;
  readonly #agent: Agent;
  readonly #ledger: Ledger;
  /** Called when there is more to show: entries that are stored, or text that streams. */
  readonly #grown: () => void;
  /** The newest; replaced when another is started, and when what it said is to be heard again. */
  #process: Process;
  /** The keeper's end of the process, from when its start is stored to when it is gone. */
  #child: Child | undefined;
  /** May be known before the last output is heard; from then on no prompt is handed to the child. */
  #exit: Exit | undefined;
  /** Output that the keeper was told is taken. */
  #acked = 0;
  /** Output was asked for again from here: until that comes, what was on its way before is passed over. */
  #awaited: number | undefined;
  readonly #answers = new Answers();
  readonly #steps: Steps;
  readonly #checkpointTimer: Timer;
  readonly #restTimer: Timer;
  readonly #stop: Stop;

  constructor(around: Surroundings, agent: Agent, ledger: Ledger, mark: AgentMark, grown: () => void) {
    this.#around = around;
    this.#agent = agent;
    this.#ledger = ledger;
    this.#grown = grown;
    this.#process = Process.stored(agent, mark);
    this.#checkpointTimer = new Timer(around);
    this.#restTimer = new Timer(around);
    this.#stop = new Stop(around);
    this.#steps = new Steps(around, ledger, {
      mark: () => this.#process.mark(),
      stored: (stored) => {
        if (!stored) return;
        this.#process.keep(stored);
        this.#ack();
      },
      act: (entry) => {
        this.#act(entry);
        if (entry.fact.kind === "turn.ended") this.#restSoon();
      },
      acted: () => {
        this.#deliver();
        this.#grown();
      },
      failed: () => this.#failed(),
    });
  }

  get #id(): SessionId {
    return this.#ledger.stored.session;
  }

  /** What the keeper knows its process by. */
  get name(): string {
    return `${this.#id}.${this.#process.launch}`;
  }

  /** Characters so far of an item that is open. */
  lengthOf(item: ItemId): number {
    return this.#process.lengthOf(item);
  }

  /** The text of an open item after so many characters. */
  textFrom(item: ItemId, offset: number): string {
    return this.#process.textFrom(item, offset);
  }

  /** After a start of the host: finds the process again, or says that it is gone. */
  recover(): void {
    if (this.#ledger.written.status.kind === "ended") {
      // The crash came between storing the end and forgetting the process.
      if (this.#process.launch > 0) this.#around.hands.find(this.name)?.forget();
      return;
    }
    this.#restore();
    if (this.#ledger.written.pid === undefined) {
      void this.start();
      return;
    }
    const child = this.#around.hands.find(this.name);
    if (!child) {
      this.#end(UNSEEN, "The machine or the keeper restarted, and the agent with it. Resume to go on.");
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
    this.#end(UNSEEN, "The keeper process ended, and the agent with it. Resume to go on.");
  }

  [Symbol.dispose](): void {
    for (const owned of [this.#steps, this.#checkpointTimer, this.#restTimer, this.#stop]) owned[Symbol.dispose]();
  }

  /** The next process of the session; one that cannot be started ends the session, and says why. */
  async start(): Promise<void> {
    const { env, hands } = this.#around;
    const agent = this.#agent;
    const { workspace, model, mode, from, last: acted } = this.#ledger.written;
    const launch = this.#process.launch + 1;
    try {
      const before = this.#process.launch > 0 ? this.#process.memory : undefined;
      const plan = await agent.launch({ session: this.#id, workspace, model, mode, before, from, env });
      const name = `${this.#id}.${launch}`;
      const child = await hands.spawn({ name, argv: plan.argv, env: plan.env, cwd: workspace });
      this.#process = Process.launched(agent, launch, plan, acted);
      this.#exit = undefined;
      this.write([{ kind: "agent.started", pid: child.pid }, ...(plan.facts ?? [])], {
        flushed: false,
        marked: true,
        stored: (failure) => {
          if (failure) return this.#steps.retry(() => this.recover());
          this.#attach(child);
          this.#writeOwed();
          this.#actAgain();
          this.#deliver();
        },
      });
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      this.#around.log("an agent could not be started", { session: this.#id, detail });
      this.write([{ kind: "agent.ended", cause: "failed", code: null, signal: null, detail }], { flushed: false });
    }
  }

  // ── storing ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Every step of the session is written here: when it is stored it is acted on, and when it is not, all starts over. */
  write(facts: readonly Fact[], { answers, ...step }: RunStep): void {
    this.#answers.keep(answers);
    this.#steps.write(facts, step);
  }

  #ack(): void {
    this.#acked = this.#process.next;
    this.#child?.ack(this.#acked, this.#process.storedOffset);
  }

  /** The output is heard again from what is stored. */
  #failed(): (() => void) | undefined {
    if (this.#child === undefined) return undefined;
    this.#checkpointTimer.clear();
    return () => {
      this.#restore();
      this.#acked = this.#process.storedOffset;
      this.#awaited = this.#acked;
      this.#child?.read(this.#awaited);
      this.#writeOwed();
      this.#actAgain();
    };
  }

  // ── the process ──────────────────────────────────────────────────────────────────────────────────────────────────

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
    this.#awaited = undefined;
    this.#acked = this.#process.storedOffset;
    child.listen(events, this.#acked);
  }

  #hear(offset: number, bytes: Uint8Array): void {
    if (this.#steps.isWaiting || offset > (this.#awaited ?? offset)) return;
    this.#awaited = undefined;
    this.#settleHeard(this.#process.hear(offset, bytes, () => this.#around.now()));
    this.#endWhenHeard();
  }

  #settleHeard(outcome: Outcome): void {
    const due = this.#process.due(outcome);
    if (due === "now") {
      this.#checkpointTimer.clear();
      this.write([...this.#ruled(outcome.facts), ...this.#process.checkpoint()], {
        flushed: false,
        marked: true,
        stored: (failure) => {
          if (!failure) this.#writeOwed(outcome.owed);
        },
      });
    } else {
      if (this.#process.next - this.#acked >= MAX_UNACKED_BYTES) this.#ack();
      if (due === "soon" && !this.#checkpointTimer.isSet)
        this.#checkpointTimer.set(CHECKPOINT_MS, () => this.#checkpoint());
    }
    this.#grown();
  }

  #checkpoint(): void {
    this.write(this.#process.checkpoint(), { flushed: false, marked: true });
  }

  /** A child's exit is known before its last output was heard. */
  #endWhenHeard(): void {
    if (this.#exit === undefined || this.#process.next < this.#exit.end) return;
    const { facts } = this.#process.hearRest(() => this.#around.now());
    if (facts.length > 0) this.write(this.#ruled(facts), { flushed: false, marked: true });
    this.#end(this.#exit, undefined);
  }

  #end(exit: Omit<Exit, "end">, why: string | undefined): void {
    const child = this.#child;
    this.#child = undefined;
    this.#exit = undefined;
    this.#checkpointTimer.clear();
    this.#stop.clear();
    const detail = why ?? this.#process.explain(exit);
    const facts = ending(this.#ledger.written, this.#process.end(), exit, detail);
    this.write(facts, {
      flushed: false,
      marked: true,
      stored: (failure) => {
        if (!failure) child?.forget();
        else this.#steps.retry(() => this.recover());
      },
    });
  }

  // ── acting on what is stored ─────────────────────────────────────────────────────────────────────────────────────

  #act(entry: Entry): void {
    const { fact } = entry;
    switch (fact.kind) {
      case "session.resumed":
        void this.start();
        return;
      case "session.stopped":
        this.#stop.begin(this.#child, ["SIGTERM"]);
        return;
      case "interrupt.asked":
      case "prompt.withdrawn":
      case "session.configured":
        this.#tell(entry);
        return;
      case "ask.settled":
        if (fact.settlement.kind === "answered" || fact.settlement.kind === "ruled")
          this.#tell(this.#answers.whole(entry, LOST));
        return;
      default:
    }
  }

  #restSoon(): void {
    if (!this.#agent.rested) return;
    this.#restTimer.set(REST_MS, () => {
      const conversation = this.#agent.recall?.of(this.#process.memory);
      // The turn that has begun in the meantime will end as well.
      if (conversation === undefined || this.#ledger.stored.running !== undefined) return;
      this.#agent.rested?.(conversation, this.#around.env);
    });
  }

  #ruled(facts: readonly Fact[]): Fact[] {
    return ruled(facts, this.#ledger.written, this.#around.rules);
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
    if (this.#ledger.written.stopping) this.#stop.begin(this.#child, ["SIGTERM"]);
    for (const entry of this.#ledger.after(this.#process.acted)) {
      if (entry.fact.kind === "session.resumed") continue;
      // In the order in which people meant it: a prompt before the answer, a mode before the prompt.
      this.#deliver(entry.seq);
      this.#act(entry);
    }
  }

  /**
   * Gives waiting prompts to the process: one while it is at rest, and those that steer at once. Only what is stored is
   * given, and what was heard to be taken is not given again, stored or not.
   */
  #deliver(before = Number.POSITIVE_INFINITY): void {
    if (!this.#child || this.#ledger.stored.stopping || this.#exit) return;
    const { handed } = this.#process;
    const open = new Set(this.#ledger.written.prompts.map(({ prompt }) => prompt));
    for (const waiting of this.#ledger.stored.prompts) {
      if (waiting.seq >= before) return;
      if (handed.has(waiting.prompt) || !open.has(waiting.prompt)) continue;
      // What was handed and then taken back holds nothing up: an agent need not say what became of it.
      const busy = this.#ledger.written.running !== undefined || [...handed].some((prompt) => open.has(prompt));
      if (busy && waiting.delivery === "queue") continue;
      handed.add(waiting.prompt);
      const entry = this.#ledger.entry(waiting.seq);
      if (entry) this.#writeOwed(this.#process.prompt(waiting.prompt, entry, this.#attached(entry)));
    }
  }

  #attached({ fact }: Entry): Attached[] {
    if (fact.kind !== "prompt.accepted") return [];
    return (fact.attachments ?? []).flatMap((attachment) => {
      const kept = this.#around.attachments.get(attachment.hash);
      if (!kept) this.#around.log("an attachment is gone", { session: this.#id, hash: attachment.hash });
      return kept ? [{ ...attachment, ...kept }] : [];
    });
  }

  // ── coming back ──────────────────────────────────────────────────────────────────────────────────────────────────

  /** As the store has it: what was heard since then will be heard again. */
  #restore(): void {
    const stored = this.#around.shelf.get(this.#id);
    if (!stored) return;
    this.#process = Process.stored(this.#agent, stored.mark);
    for (const { item } of this.#ledger.stored.items)
      this.#process.reopen(item, this.#around.journal.readItem(this.#id, item, this.#ledger.stored.last + 1));
  }
}
