/**
 * How a session's agent runs: the child that the keeper holds becomes facts as it is heard, and what is stored is done
 * to it. Nothing is done outside (bytes to the child, signals) before what it comes of is stored.
 */
import { type Answer, isWithheld, type Settlement } from "@flybridge/protocol/ask.ts";
import type { Entry, Fact } from "@flybridge/protocol/entry.ts";
import type { AskId, ItemId, SessionId } from "@flybridge/protocol/ids.ts";
import { CHECKPOINT_MS, PAGE_CHARS, PAGE_ENTRIES } from "@flybridge/protocol/limits.ts";
import type { Agent, Attached } from "../agents/agent.ts";
import type { AgentMark, StorageError } from "../core/ports.ts";
import type { Child, ChildEvents, Exit } from "./child.ts";
import { ending } from "./ending.ts";
import type { Ledger } from "./ledger.ts";
import { type Outcome, Process } from "./process.ts";
import { fingerprintOf, isRuled, withRuleChoices } from "./rules.ts";
import type { Running, RunStep } from "./running.ts";
import type { Surroundings } from "./surroundings.ts";

/** When nothing could be stored, the output is heard again from where it was stored, after this long. */
const STORAGE_RETRY_MS = 1_000;
/** Between asking an agent's process group to end and ending it. */
const STOP_GRACE_MS = 3_000;
/** Output taken that the keeper is told of at the latest. It sends 1 MiB ahead, so a word for each line is for nothing. */
const MAX_UNACKED_BYTES = 64 * 1024;

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
  readonly #timers = new Map<"checkpoint" | "kill" | "retry", Disposable>();
  /** Answers that are stored without what is secret in them, until the agent was told. */
  readonly #answers = new Map<AskId, Answer>();

  constructor(around: Surroundings, agent: Agent, ledger: Ledger, mark: AgentMark, grown: () => void) {
    this.#around = around;
    this.#agent = agent;
    this.#ledger = ledger;
    this.#grown = grown;
    this.#process = Process.stored(agent, mark);
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

  [Symbol.dispose](): void {
    for (const timer of this.#timers.values()) timer[Symbol.dispose]();
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
          if (failure) return this.#retry(() => this.recover());
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
  write(facts: readonly Fact[], { marked, answers, stored, ...step }: RunStep): void {
    for (const [ask, answer] of answers ?? []) this.#answers.set(ask, answer);
    const mark = marked ? this.#process.mark() : undefined;
    this.#ledger.write(facts, { ...step, mark }, (entries, failure) => {
      if (failure) this.#startOver(failure);
      else this.#stored(entries, mark);
      stored?.(failure);
    });
  }

  #stored(entries: readonly Entry[], mark: AgentMark | undefined): void {
    if (mark) {
      this.#process.keep(mark);
      this.#ack();
    }
    for (const entry of entries) this.#act(entry);
    this.#deliver();
    this.#grown();
  }

  #ack(): void {
    this.#acked = this.#process.next;
    this.#child?.ack(this.#acked, this.#process.storedOffset);
  }

  /** Nothing was stored, so nothing happened: the output is heard again from what is. */
  #startOver(failure: StorageError): void {
    this.#around.log("nothing could be stored", { session: this.#id, fault: failure.fault });
    if (this.#child === undefined) return;
    this.#timer("checkpoint", undefined);
    this.#retry(() => {
      this.#restore();
      this.#acked = this.#process.storedOffset;
      this.#child?.read(this.#acked);
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
    this.#acked = this.#process.storedOffset;
    child.listen(events, this.#acked);
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
      this.write([...this.#ruled(outcome.facts), ...this.#process.checkpoint()], {
        flushed: false,
        marked: true,
        stored: (failure) => {
          if (!failure) this.#writeOwed(outcome.owed);
        },
      });
    } else {
      if (this.#process.next - this.#acked >= MAX_UNACKED_BYTES) this.#ack();
      if (due === "soon" && !this.#timers.has("checkpoint"))
        this.#timer(
          "checkpoint",
          this.#around.after(CHECKPOINT_MS, () => this.#checkpoint()),
        );
    }
    this.#grown();
  }

  #checkpoint(): void {
    this.#timer("checkpoint", undefined);
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
    this.#timer("checkpoint", undefined);
    this.#timer("kill", undefined);
    const detail = why ?? this.#process.explain(exit);
    const facts = ending(this.#ledger.written, this.#process.end(), exit, detail);
    this.write(facts, {
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
        void this.start();
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
        if (fact.settlement.kind === "answered" || fact.settlement.kind === "ruled") this.#tell(this.#whole(entry));
        return;
      default:
    }
  }

  /** Asks with the choice to make a rule of the answer; those that a rule answers are settled at once. */
  #ruled(facts: readonly Fact[]): Fact[] {
    return facts.flatMap((fact): Fact[] => {
      if (fact.kind !== "ask.opened" || !isRuled(fact.ask)) return [fact];
      const opened: Fact = { ...fact, ask: withRuleChoices(fact.ask) };
      const { ask, choices } = fact.ask;
      const rule = this.#around.rules.use(fingerprintOf(this.#ledger.written, fact.ask), this.#id);
      const once = choices.find(({ scope }) => scope === "once");
      if (rule === undefined || once === undefined) return [opened];
      const settlement: Settlement = {
        kind: "ruled",
        answer: { kind: "allow", choice: once.choice },
        rule: rule.rule,
        by: rule.by,
      };
      return [opened, { kind: "ask.settled", ask, settlement }];
    });
  }

  /** The settlement with the answer as it was given. What was secret in it may be lost: then the agent is told no. */
  #whole(entry: Entry): Entry {
    const { fact } = entry;
    if (fact.kind !== "ask.settled" || fact.settlement.kind !== "answered") return entry;
    const { settlement } = fact;
    const given = this.#answers.get(fact.ask);
    this.#answers.delete(fact.ask);
    const answer = given ?? (isWithheld(settlement.answer) ? LOST : settlement.answer);
    return { ...entry, fact: { ...fact, settlement: { ...settlement, answer } } };
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
    if (this.#ledger.written.stopping) this.#stop();
    for (let from = this.#process.acted + 1; from <= this.#ledger.stored.last;) {
      const entries = this.#around.journal.read(this.#id, from, PAGE_ENTRIES, PAGE_CHARS);
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
      const [entry] = this.#around.journal.read(this.#id, waiting.seq, 1, PAGE_CHARS);
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

  #timer(name: "checkpoint" | "kill" | "retry", timer: Disposable | undefined): void {
    this.#timers.get(name)?.[Symbol.dispose]();
    if (timer) this.#timers.set(name, timer);
    else this.#timers.delete(name);
  }
}
