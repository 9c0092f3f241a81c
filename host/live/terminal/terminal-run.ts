/**
 * How a session runs whose agent is a program in a terminal: the keeper's output goes to the devices that look, and
 * draws the screen; the agent looks at the screen when it has come to rest; what devices type goes to the keeper.
 *
 * What is stored is the screen at an offset (`kept.ts`): after a crash the output since is drawn again. By then the
 * agent may have been told of signals that come again, and the keeper may have answers; both are counted, so that each
 * is told and given once.
 */
import type { Entry, Fact } from "@flybridge/protocol/entry.ts";
import type { Size } from "@flybridge/protocol/terminal.ts";
import type { ScreenAgent, Seen } from "../../agents/screen-agent.ts";
import type { AgentMark } from "../../core/ports.ts";
import { Answers } from "../answers.ts";
import type { Child, Exit } from "../child.ts";
import { ending, UNSEEN } from "../ending.ts";
import type { Ledger } from "../ledger.ts";
import type { Running, RunStep } from "../running.ts";
import { Steps } from "../steps.ts";
import { Stop } from "../stop.ts";
import type { Surroundings } from "../surroundings.ts";
import { Canvas } from "./canvas.ts";
import { Front } from "./front.ts";
import { Keyboard } from "./keyboard.ts";
import { Output } from "./output.ts";
import { Prompts } from "./prompts.ts";
import { Unstored } from "./unstored.ts";
import { Viewers } from "./viewers.ts";
import { Watch } from "./watch.ts";

/** Shells ignore the second when they are interactive, and pass the first on to their jobs. */
const STOPPING = ["SIGHUP", "SIGTERM"] as const;
/** Output after which the screen is stored though it is never at rest. */
const STORE_BYTES = 16 * 1024 * 1024;

export class TerminalRun implements Running {
  /** What devices do with it. */
  readonly front: Front;
  readonly #around: Surroundings;
  readonly #agent: ScreenAgent;
  readonly #ledger: Ledger;
  readonly #steps: Steps;
  readonly #answers = new Answers();
  readonly #canvas: Canvas;
  readonly #unstored: Unstored;
  readonly #viewers: Viewers;
  readonly #output: Output;
  readonly #keyboard: Keyboard;
  readonly #prompts: Prompts;
  readonly #watch: Watch;
  readonly #stop: Stop;
  /** Counts the processes of the session from 1; 0 before the first. */
  #launch: number;
  #child: Child | undefined;
  #exit: Exit | undefined;

  constructor(around: Surroundings, agent: ScreenAgent, ledger: Ledger, mark: AgentMark, grown: () => void) {
    this.#around = around;
    this.#agent = agent;
    this.#ledger = ledger;
    this.#launch = mark.launch;
    this.#stop = new Stop(around);
    this.#steps = new Steps(around, ledger, {
      mark: () => this.#mark(),
      stored: (stored) => {
        if (stored?.launch === this.#launch) this.#output.stored(stored.offset);
      },
      act: (entry) => this.#act(entry),
      acted: () => {
        this.#deliver();
        grown();
      },
      failed: () => (this.#child ? () => this.#startOver() : undefined),
    });
    this.#unstored = new Unstored(around, () => this.#store());
    this.#canvas = new Canvas(() => around.shelf.get(ledger.stored.session)?.mark, {
      answer: (number, text) => this.#keyboard.answer(number, text),
      signal: (number, signal) => this.#watch.signal(number, signal),
      drew: () => this.#drew(),
    });
    this.#viewers = new Viewers({
      drawing: () => this.#canvas.shown(),
      after: (milliseconds, work) => around.after(milliseconds, work),
      moved: () => this.#output.moved(),
    });
    this.#output = new Output(this.#canvas, this.#viewers, () => this.#child);
    this.#keyboard = new Keyboard(around, () => (this.#exit ? undefined : this.#child));
    this.#prompts = new Prompts(ledger, this.#canvas, this.#keyboard, (prompt) =>
      this.write([{ kind: "prompt.taken", prompt }], { flushed: false }),
    );
    this.#watch = new Watch(agent, mark.acted, {
      drawing: () => this.#canvas.shown(),
      better: () => ledger.written.asks.some(({ ask }) => ask.source !== "screen" && ask.source !== "signal"),
      echoes: () => this.#child?.echoes() ?? Promise.resolve(undefined),
      now: () => around.now(),
      after: (milliseconds, work) => around.after(milliseconds, work),
      carry: (seen) => this.#carry(seen),
    });
    this.front = new Front({
      canvas: this.#canvas,
      viewers: this.#viewers,
      keyboard: this.#keyboard,
      isEnded: () => this.#isEnded,
      resized: (size) => {
        this.#child?.resize(size);
        this.#drew();
      },
    });
    if (ledger.stored.status.kind === "ended") this.#viewers.ended(true);
  }

  get #isEnded(): boolean {
    return this.#ledger.written.status.kind === "ended";
  }

  get name(): string {
    return `${this.#ledger.stored.session}.${this.#launch}`;
  }

  lengthOf(): number {
    return 0;
  }

  textFrom(): string {
    return "";
  }

  recover(): void {
    if (this.#isEnded) {
      if (this.#launch > 0) this.#around.hands.find(this.name)?.forget();
      return;
    }
    const kept = this.#canvas.kept();
    this.#canvas.restore(kept);
    this.#watch.resume(kept.agent, kept.heard);
    if (this.#ledger.written.pid === undefined) {
      void this.start();
      return;
    }
    const child = this.#around.hands.find(this.name);
    if (!child) {
      this.#end(UNSEEN, "The machine or the keeper restarted, and the program with it. Resume to start it again.");
      return;
    }
    this.#attach(child);
    child.resize(this.#canvas.size);
    this.#actAgain();
    this.#deliver();
  }

  lost(): void {
    if (this.#child === undefined) return;
    this.#end(UNSEEN, "The keeper process ended, and the program with it. Resume to start it again.");
  }

  [Symbol.dispose](): void {
    for (const owned of [this.#steps, this.#unstored, this.#keyboard, this.#watch, this.#viewers, this.#stop])
      owned[Symbol.dispose]();
    this.#canvas[Symbol.dispose]();
  }

  async start(first: { readonly size?: Size | undefined } = {}): Promise<void> {
    const { env, hands } = this.#around;
    const { session, workspace, model, mode, from, command, last: acted } = this.#ledger.written;
    const launch = this.#launch + 1;
    this.front.hold();
    try {
      const before = this.#launch > 0 ? (this.#watch.memory ?? this.#canvas.kept().agent) : undefined;
      const order = { session, workspace, model, mode, before, from, command, env };
      const plan = await this.#agent.launch(order);
      const drawing = this.#canvas.shown();
      if (first.size) drawing.resize(first.size);
      const name = `${session}.${launch}`;
      const child = await hands.spawn({ name, argv: plan.argv, env: plan.env, cwd: workspace, terminal: drawing.size });
      this.#canvas.begin(this.#launch > 0);
      this.#unstored.clear();
      this.#launch = launch;
      this.#watch.begin(plan.memory, acted);
      this.#exit = undefined;
      this.#viewers.ended(false);
      this.write([{ kind: "agent.started", pid: child.pid }], {
        flushed: false,
        marked: true,
        stored: (failure) => {
          if (failure) return this.#steps.retry(() => this.recover());
          this.#attach(child);
          this.#actAgain();
          this.#deliver();
        },
      });
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      this.#around.log("a terminal could not be started", { session, detail });
      this.front.release();
      this.write([{ kind: "agent.ended", cause: "failed", code: null, signal: null, detail }], { flushed: false });
      this.#viewers.ended(true);
    }
  }

  // ── storing ──────────────────────────────────────────────────────────────────────────────────────────────────────

  write(facts: readonly Fact[], { answers, ...step }: RunStep): void {
    this.#answers.keep(answers);
    this.#steps.write(facts, step);
  }

  #mark(): AgentMark {
    return {
      launch: this.#launch,
      offset: Math.max(0, this.#canvas.offset - this.#canvas.base),
      acted: this.#watch.acted,
      memory: this.#canvas.stored(this.#watch.memory, this.#watch.heard),
    };
  }

  /** The agent looks again with what it remembered. */
  #startOver(): void {
    this.#watch.resume(this.#canvas.kept().agent, this.#watch.heard);
    this.#unstored.drew();
    this.#actAgain();
    this.#watch.look();
    this.#store();
  }

  #store(): void {
    if (!this.#unstored.isAny || this.#steps.isWaiting) return;
    this.#unstored.clear();
    this.#canvas.keep();
    this.write([], { flushed: false, marked: true });
  }

  // ── the process ──────────────────────────────────────────────────────────────────────────────────────────────────

  #attach(child: Child): void {
    this.#child = child;
    child.listen(
      {
        output: (offset, bytes) => {
          this.#output.hear(offset, bytes);
          this.#endWhenHeard();
        },
        exit: (exit) => {
          this.#exit = exit;
          this.#endWhenHeard();
        },
        settled: (id, taken) => this.#keyboard.settle(id, taken),
        full: (id) => this.#keyboard.settle(id, false),
      },
      this.#output.begin(),
    );
    this.front.release();
  }

  #endWhenHeard(): void {
    if (this.#exit === undefined || !this.#output.isHeard(this.#exit.end)) return;
    this.#end(this.#exit, undefined);
  }

  #end(exit: Omit<Exit, "end">, why: string | undefined): void {
    const child = this.#child;
    this.#child = undefined;
    this.#exit = undefined;
    this.#stop.clear();
    this.#keyboard.release();
    this.front.release();
    this.#prompts.clear();
    this.#answers.clear();
    this.#watch.end();
    this.#unstored.clear();
    this.#canvas.keep();
    const detail = why ?? this.#agent.explain(this.#watch.memory as never, exit);
    this.write(ending(this.#ledger.written, [], exit, detail), {
      flushed: false,
      marked: true,
      stored: (failure) => {
        if (failure) return this.#steps.retry(() => this.recover());
        child?.forget();
        this.#viewers.ended(true);
        if (this.#viewers.count === 0) this.#canvas.putAway();
      },
    });
  }

  // ── the screen ───────────────────────────────────────────────────────────────────────────────────────────────────

  #drew(): void {
    this.#unstored.drew();
    this.#output.moved();
    const { drawing, offset } = this.#canvas;
    if ((drawing?.end ?? 0) - offset >= STORE_BYTES) this.#store();
    if (!this.#steps.isWaiting) this.#watch.drew();
    if (this.#child) this.#unstored.storeSoon();
  }

  #carry({ facts, typed }: Seen): void {
    const type = (): void => {
      for (const { id, keys } of typed) this.#keyboard.type(id, keys);
    };
    if (facts.length === 0) type();
    else this.write(facts, { flushed: false, marked: true, stored: (failure) => void (failure ?? type()) });
  }

  // ── acting on what is stored ─────────────────────────────────────────────────────────────────────────────────────

  #act(entry: Entry): void {
    const { fact } = entry;
    switch (fact.kind) {
      case "session.resumed":
        this.front.hold();
        void this.start();
        return;
      case "session.stopped":
        this.#stop.begin(this.#child, STOPPING);
        return;
      case "ask.settled":
        if (fact.settlement.kind === "answered" || fact.settlement.kind === "ruled")
          this.#tell(this.#answers.whole(entry));
        return;
      case "interrupt.asked":
      case "ask.dismissed":
        this.#tell(entry);
        return;
      default:
    }
  }

  #tell(entry: Entry): void {
    if (this.#child) this.#watch.tell(entry);
  }

  /** What was stored before the crash and perhaps not done. */
  #actAgain(): void {
    if (this.#ledger.written.stopping) this.#stop.begin(this.#child, STOPPING);
    for (const entry of this.#ledger.after(this.#watch.acted))
      if (entry.fact.kind !== "session.resumed") this.#act(entry);
  }

  #deliver(): void {
    if (this.#keyboard.isRead && !this.#ledger.stored.stopping) this.#prompts.deliver();
  }
}
