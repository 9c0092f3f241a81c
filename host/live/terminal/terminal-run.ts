/**
 * How a session runs whose agent is a program in a terminal: the keeper's output goes to the devices that look, and
 * draws the screen; the agent looks at the screen when it has come to rest; what devices type goes to the keeper.
 *
 * What is stored is the screen at an offset (`kept.ts`): after a crash the output since is drawn again. By then the
 * agent may have been told of signals that come again, and the keeper may have answers; both are counted, so that each
 * is told and given once.
 */
import type { Answer } from "@flybridge/protocol/ask.ts";
import type { Entry, Fact } from "@flybridge/protocol/entry.ts";
import { CallError } from "@flybridge/protocol/error.ts";
import type { AskId, DeviceId, PromptId, SessionId } from "@flybridge/protocol/ids.ts";
import { MAX_SCROLLBACK_LINES, PAGE_CHARS, PAGE_ENTRIES } from "@flybridge/protocol/limits.ts";
import type { Size, Whose } from "@flybridge/protocol/terminal.ts";
import type { ScreenAgent, Seen } from "../../agents/screen-agent.ts";
import type { AgentMark, ScreenSink, StorageError } from "../../core/ports.ts";
import type { Child, Exit } from "../child.ts";
import { ending } from "../ending.ts";
import type { Ledger } from "../ledger.ts";
import type { Running, RunStep } from "../running.ts";
import type { Surroundings } from "../surroundings.ts";
import { Drawing } from "./drawing.ts";
import { BLANK, keptFrom, keptJson, type KeptTerminal, screenJson } from "./kept.ts";
import { Looking } from "./looking.ts";
import { Viewers } from "./viewers.ts";

/** When nothing could be stored, it is tried again after this long. */
const STORAGE_RETRY_MS = 1_000;
/** Between asking a program to end and ending it. */
const STOP_GRACE_MS = 3_000;
/** Output taken that the keeper is told of at the latest: a quarter of what it sends ahead. */
const ACK_BYTES = 32 * 1024;
/** The screen is stored when nothing was drawn for this long; and at the latest after so much time or output. */
const STORE_QUIET_MS = 1_000;
const STORE_LATEST_MS = 30_000;
const STORE_BYTES = 16 * 1024 * 1024;
/** Answers to a program's queries that the keeper has not confirmed; of more, the program is to ask again. */
const MAX_ANSWERS_BYTES = 64 * 1024;
/** A program takes an Enter that comes with a paste for a part of it. */
const ENTER_AFTER_PASTE_MS = 120;
/** Ends what the program before left behind: its other screen, its modes and its colours. */
const TIDY =
  "\u001b[?1049l\u001b[!p\u001b[?9l\u001b[?1000l\u001b[?1002l\u001b[?1003l\u001b[?1004l\u001b[?1006l\u001b[?2004l\u001b[?25h";
const AGAIN = "\r\n\u001b[2m── started again ──\u001b[0m\r\n";

type TimerName = "store" | "kill" | "retry" | "enter";

export class TerminalRun implements Running {
  readonly #around: Surroundings;
  readonly #agent: ScreenAgent;
  readonly #ledger: Ledger;
  readonly #grown: () => void;
  readonly #viewers: Viewers;
  /** Counts the processes of the session from 1; 0 before the first. */
  #launch: number;
  /** The last entry of a device's that the agent was told of. */
  #acted: number;
  #memory: unknown;
  /** Who looks at the present program's screen. */
  #looking: Looking | undefined;

  /** Absent while nobody looks at a terminal that has ended: then the store has its screen. */
  #drawing: Drawing | undefined;
  /** The terminal's offset at which the present program's output begins. */
  #base = 0;
  /** What is stored of the screen, as JSON, and its offset. */
  #screen = screenJson(BLANK);
  #screenOffset = 0;
  /** Before this offset of the present program's output all is in a screen that is stored. */
  #storedOffset = 0;
  #sizes: (readonly [number, number, number])[] = [];
  #answersBytes = 0;

  #child: Child | undefined;
  #exit: Exit | undefined;
  /** Output that the keeper was told is taken, by the terminal's offset. */
  #acked = 0;
  /** What waits for the keeper's word, by the id of what was typed. */
  readonly #typed = new Map<string, ((taken: boolean) => void)[]>();
  /** Who waits for a program that is just being started. */
  #starting: { promise: Promise<void>; done(): void } | undefined;
  readonly #handed = new Set<PromptId>();
  /** Answers that are stored without what is secret in them, until the agent was told. */
  readonly #answers = new Map<AskId, Answer>();

  /** When it last drew, and since when that is not stored. */
  #drewAt = 0;
  #unstoredSince: number | undefined;
  readonly #timers = new Map<TimerName, Disposable>();

  constructor(around: Surroundings, agent: ScreenAgent, ledger: Ledger, mark: AgentMark, grown: () => void) {
    this.#around = around;
    this.#agent = agent;
    this.#ledger = ledger;
    this.#grown = grown;
    this.#launch = mark.launch;
    this.#acted = mark.acted;
    this.#viewers = new Viewers({
      drawing: () => this.#shown(),
      after: (milliseconds, work) => around.after(milliseconds, work),
      moved: () => this.#moved(),
    });
    if (ledger.stored.status.kind === "ended") this.#viewers.ended(true);
  }

  get #id(): SessionId {
    return this.#ledger.stored.session;
  }

  get #isEnded(): boolean {
    return this.#ledger.written.status.kind === "ended";
  }

  get name(): string {
    return `${this.#id}.${this.#launch}`;
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
    const { sizes, drawn } = this.#restore();
    if (this.#ledger.written.pid === undefined) {
      void this.start();
      return;
    }
    const child = this.#around.hands.find(this.name);
    if (!child) {
      this.#end(
        { code: null, signal: null, errors: "" },
        "The machine or the keeper restarted, and the program with it. Resume to start it again.",
      );
      return;
    }
    const [, cols, rows] = sizes.at(-1) ?? [0, drawn.snapshot.size.cols, drawn.snapshot.size.rows];
    this.#attach(child);
    child.resize({ cols, rows });
    this.#actAgain();
    this.#deliver();
  }

  lost(): void {
    if (this.#child === undefined) return;
    this.#end(
      { code: null, signal: null, errors: "" },
      "The keeper process ended, and the program with it. Resume to start it again.",
    );
  }

  [Symbol.dispose](): void {
    for (const timer of this.#timers.values()) timer[Symbol.dispose]();
    this.#looking?.[Symbol.dispose]();
    this.#viewers[Symbol.dispose]();
    this.#drawing?.[Symbol.dispose]();
  }

  async start(first: { readonly size?: Size | undefined } = {}): Promise<void> {
    const { env, hands } = this.#around;
    const { workspace, model, mode, from, command, last: acted } = this.#ledger.written;
    const launch = this.#launch + 1;
    this.#awaitStart();
    try {
      const before = this.#launch > 0 ? (this.#memory ?? this.#keptNow().agent) : undefined;
      const order = { session: this.#id, workspace, model, mode, before, from, command, env };
      const plan = await this.#agent.launch(order);
      const drawing = this.#shown();
      if (first.size) drawing.resize(first.size);
      const name = `${this.#id}.${launch}`;
      const child = await hands.spawn({ name, argv: plan.argv, env: plan.env, cwd: workspace, terminal: drawing.size });
      if (this.#launch > 0) beginAgain(drawing);
      this.#launch = launch;
      this.#acted = acted;
      this.#watch(plan.memory, 0);
      this.#exit = undefined;
      this.#base = drawing.end;
      this.#viewers.ended(false);
      this.#keepScreen({ afresh: true });
      this.write([{ kind: "agent.started", pid: child.pid }], {
        flushed: false,
        marked: true,
        stored: (failure) => {
          if (failure) return this.#retry(() => this.recover());
          this.#attach(child);
          this.#actAgain();
          this.#deliver();
        },
      });
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      this.#around.log("a terminal could not be started", { session: this.#id, detail });
      this.#started();
      this.write([{ kind: "agent.ended", cause: "failed", code: null, signal: null, detail }], { flushed: false });
      this.#viewers.ended(true);
    }
  }

  // ── devices ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** What is followed begins with the first `pump`. */
  follow(
    device: DeviceId,
    from: number | undefined,
    sink: ScreenSink,
  ): { answer: { size: Size; whose: Whose; ended: boolean }; following: Disposable & { pump(): void } } {
    const { size } = this.#shown();
    const following = this.#viewers.add(device, sink, from);
    return {
      answer: { size, whose: this.#viewers.whose(device), ended: this.#isEnded },
      following: {
        pump: () => following.pump(),
        [Symbol.dispose]: () => {
          following[Symbol.dispose]();
          if (this.#isEnded && this.#viewers.count === 0) this.#putAway();
        },
      },
    };
  }

  /** Types, once for each id; resolves when the keeper has it. Rejects with `CallError`. */
  async type(id: string, text: string): Promise<void> {
    await this.#starting?.promise;
    const child = this.#child;
    if (!child || this.#exit)
      throw new CallError("wrong_state", "The program is gone: nobody is there to read it. Resume the session first.");
    if (text.includes("\u0003")) this.#viewers.hurry();
    const taken = await new Promise<boolean>((resolve) => {
      this.#typed.set(id, [...(this.#typed.get(id) ?? []), resolve]);
      child.type(id, text);
    });
    if (!taken)
      throw new CallError("wrong_state", "The program does not read what it is given, or is gone. Nothing was typed.");
  }

  resize(device: DeviceId, size: Size, take: boolean): { size: Size; whose: Whose } {
    const drawing = this.#shown();
    if (this.#viewers.claim(device, take)) {
      const { cols, rows } = drawing.size;
      if (cols !== size.cols || rows !== size.rows) {
        drawing.resize(size);
        this.#child?.resize(size);
        this.#sizes.push([drawing.end, size.cols, size.rows]);
        this.#drew();
      }
      this.#viewers.resized(drawing.size);
    }
    return { size: drawing.size, whose: this.#viewers.whose(device) };
  }

  page(before: number | undefined): { first: number; lines: string[] } {
    return this.#shown().page(before, MAX_SCROLLBACK_LINES);
  }

  // ── storing ──────────────────────────────────────────────────────────────────────────────────────────────────────

  write(facts: readonly Fact[], { marked, answers, stored, ...step }: RunStep): void {
    for (const [ask, answer] of answers ?? []) this.#answers.set(ask, answer);
    const mark = marked ? this.#mark() : undefined;
    this.#ledger.write(facts, { ...step, mark }, (entries, failure) => {
      if (failure) this.#startOver(failure);
      else this.#stored(entries, mark);
      stored?.(failure);
    });
  }

  #mark(): AgentMark {
    const rest = { agent: this.#memory, heard: this.#looking?.heard ?? 0, base: this.#base, sizes: this.#sizes };
    return {
      launch: this.#launch,
      offset: Math.max(0, this.#screenOffset - this.#base),
      acted: this.#acted,
      memory: keptJson(rest, this.#screen),
    };
  }

  /** What is stored with the next mark. Costs milliseconds; nothing when nothing was drawn since. */
  #keepScreen({ afresh }: { afresh: boolean }): void {
    this.#unstoredSince = undefined;
    if (!this.#drawing) return;
    const drawn = this.#drawing.snapshot();
    // A new program's queries and signals are counted from the beginning.
    this.#screen = screenJson(afresh ? { ...drawn, answers: 0, signals: 0 } : drawn);
    this.#screenOffset = drawn.offset;
    this.#sizes = [];
    if (afresh) this.#drawing.countAfresh();
  }

  #stored(entries: readonly Entry[], mark: AgentMark | undefined): void {
    if (mark && mark.launch === this.#launch && mark.offset > this.#storedOffset) {
      this.#storedOffset = mark.offset;
      this.#child?.ack(Math.max(0, this.#acked - this.#base), mark.offset);
    }
    for (const entry of entries) this.#act(entry);
    this.#deliver();
    this.#grown();
  }

  /** Nothing was stored, so nothing happened: the agent looks again with what it remembered. */
  #startOver(failure: StorageError): void {
    this.#around.log("nothing could be stored", { session: this.#id, fault: failure.fault });
    if (this.#child === undefined) return;
    this.#retry(() => {
      const { agent, heard } = this.#keptNow();
      this.#watch(agent, this.#looking?.heard ?? heard);
      this.#unstoredSince ??= performance.now();
      this.#actAgain();
      this.#looking?.look();
      this.#store();
    });
  }

  #retry(work: () => void): void {
    const again = (): void => {
      this.#timer("retry", undefined);
      work();
    };
    this.#timer("retry", this.#around.after(STORAGE_RETRY_MS, again));
  }

  #store(): void {
    this.#timer("store", undefined);
    if (this.#unstoredSince === undefined || this.#timers.has("retry")) return;
    this.#keepScreen({ afresh: false });
    this.write([], { flushed: false, marked: true });
  }

  // ── the process ──────────────────────────────────────────────────────────────────────────────────────────────────

  #attach(child: Child): void {
    this.#child = child;
    this.#acked = this.#screenOffset;
    this.#storedOffset = Math.max(0, this.#screenOffset - this.#base);
    child.listen(
      {
        output: (offset, bytes) => this.#hear(offset, bytes),
        exit: (exit) => {
          this.#exit = exit;
          this.#endWhenHeard();
        },
        settled: (id, taken) => this.#settle(id, taken),
        full: (id) => this.#settle(id, false),
      },
      this.#storedOffset,
    );
    this.#started();
  }

  #awaitStart(): void {
    if (this.#starting) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#starting = { promise, done: resolve };
  }

  #started(): void {
    this.#starting?.done();
    this.#starting = undefined;
  }

  #hear(offset: number, bytes: Uint8Array): void {
    const drawing = this.#drawing;
    if (!drawing) return;
    const known = drawing.end - (this.#base + offset);
    if (known < 0) throw new RangeError(`output from ${offset} on, where ${-known} bytes before it are missing`);
    if (known >= bytes.length) return;
    drawing.push(Buffer.from(bytes.buffer, bytes.byteOffset + known, bytes.length - known));
    this.#viewers.pump();
    this.#moved();
    this.#endWhenHeard();
  }

  /** Tells the keeper what is taken: what devices have, and the screen has not too much of before it. */
  #moved(): void {
    const drawing = this.#drawing;
    if (!this.#child || !drawing) return;
    const taken = Math.min(this.#viewers.taken, drawing.limit);
    if (taken - this.#acked < ACK_BYTES) return;
    this.#acked = taken;
    this.#child.ack(taken - this.#base, this.#storedOffset);
  }

  #settle(id: string, taken: boolean): void {
    const waiting = this.#typed.get(id);
    this.#typed.delete(id);
    for (const told of waiting ?? []) told(taken);
  }

  #typeOnce(id: string, keys: string, settled: (taken: boolean) => void = () => {}): void {
    const child = this.#child;
    if (!child || this.#exit) return;
    this.#typed.set(id, [...(this.#typed.get(id) ?? []), settled]);
    child.type(id, keys);
  }

  #endWhenHeard(): void {
    if (this.#exit === undefined || (this.#drawing?.end ?? 0) < this.#base + this.#exit.end) return;
    this.#end(this.#exit, undefined);
  }

  #end(exit: Omit<Exit, "end">, why: string | undefined): void {
    const child = this.#child;
    this.#child = undefined;
    this.#exit = undefined;
    for (const name of ["store", "kill", "enter"] as const) this.#timer(name, undefined);
    for (const id of this.#typed.keys()) this.#settle(id, false);
    this.#started();
    this.#handed.clear();
    this.#answers.clear();
    this.#looking?.[Symbol.dispose]();
    this.#keepScreen({ afresh: false });
    const detail = why ?? this.#agent.explain(this.#memory as never, exit);
    this.write(ending(this.#ledger.written, [], exit, detail), {
      flushed: false,
      marked: true,
      stored: (failure) => {
        if (failure) return this.#retry(() => this.recover());
        child?.forget();
        this.#viewers.ended(true);
        if (this.#viewers.count === 0) this.#putAway();
      },
    });
  }

  // ── the screen ───────────────────────────────────────────────────────────────────────────────────────────────────

  /** The drawing, brought back from the store where it was put away. */
  #shown(): Drawing {
    return this.#drawing ?? this.#drawFrom(this.#keptNow());
  }

  #keptNow(): KeptTerminal {
    const stored = this.#around.shelf.get(this.#id);
    return stored ? keptFrom(stored.mark) : keptFrom({ launch: 0, offset: 0, acted: 0, memory: "null" });
  }

  #restore(): KeptTerminal {
    const kept = this.#keptNow();
    this.#drawFrom(kept);
    this.#watch(kept.agent, kept.heard);
    return kept;
  }

  #watch(memory: unknown, heard: number): void {
    const { now, after } = this.#around;
    this.#memory = memory;
    this.#looking?.[Symbol.dispose]();
    this.#looking = new Looking(
      {
        watcher: this.#agent.watch(memory),
        drawing: () => this.#shown(),
        better: () => this.#ledger.written.asks.some(({ ask }) => ask.source !== "screen" && ask.source !== "signal"),
        echoes: () => this.#child?.echoes() ?? Promise.resolve(undefined),
        now,
        after,
        carry: (seen) => this.#carry(seen),
      },
      heard,
    );
  }

  #drawFrom(kept: KeptTerminal): Drawing {
    this.#drawing?.[Symbol.dispose]();
    const drawing = new Drawing(kept.drawn, {
      answer: (number, text) => this.#answer(number, text),
      signal: (number, signal) => this.#looking?.signal(number, signal),
      drew: () => this.#drew(),
    });
    this.#drawing = drawing;
    this.#base = kept.base;
    this.#screen = screenJson(kept.drawn);
    this.#screenOffset = kept.drawn.offset;
    this.#sizes = [...kept.sizes];
    drawing.resizeAt(kept.sizes);
    return drawing;
  }

  /** Nobody looks at what has ended: the store has it. */
  #putAway(): void {
    this.#drawing?.[Symbol.dispose]();
    this.#drawing = undefined;
    this.#screen = "null";
  }

  /** The ids are the same when the same output is drawn again after a crash. */
  #answer(number: number, text: string): void {
    if (this.#answersBytes + text.length > MAX_ANSWERS_BYTES) return;
    this.#answersBytes += text.length;
    const child = this.#child;
    if (!child || this.#exit) return;
    this.#typeOnce(`q${number}`, text, () => {
      this.#answersBytes -= text.length;
    });
  }

  #drew(): void {
    const now = performance.now();
    this.#drewAt = now;
    this.#unstoredSince ??= now;
    this.#moved();
    if ((this.#drawing?.end ?? 0) - this.#screenOffset >= STORE_BYTES) this.#store();
    if (!this.#timers.has("retry")) this.#looking?.drew();
    this.#storeSoon();
  }

  /** One timer that looks at the time when it rings, not one for each change. */
  #storeSoon(): void {
    if (this.#timers.has("store") || !this.#child) return;
    this.#timer(
      "store",
      this.#around.after(STORE_QUIET_MS, () => {
        this.#timer("store", undefined);
        if (this.#unstoredSince === undefined) return;
        const now = performance.now();
        const isDue = now - this.#drewAt >= STORE_QUIET_MS * 0.9 || now - this.#unstoredSince >= STORE_LATEST_MS;
        if (isDue) this.#store();
        else this.#storeSoon();
      }),
    );
  }

  #carry({ facts, typed }: Seen): void {
    const type = (): void => {
      for (const { id, keys } of typed) this.#typeOnce(id, keys);
    };
    if (facts.length === 0) type();
    else this.write(facts, { flushed: false, marked: true, stored: (failure) => void (failure ?? type()) });
  }

  // ── acting on what is stored ─────────────────────────────────────────────────────────────────────────────────────

  #act(entry: Entry): void {
    const { fact } = entry;
    switch (fact.kind) {
      case "session.resumed":
        this.#awaitStart();
        void this.start();
        return;
      case "session.stopped":
        this.#stop();
        return;
      case "ask.settled":
        if (fact.settlement.kind === "answered" || fact.settlement.kind === "ruled") this.#tell(this.#whole(entry));
        return;
      case "interrupt.asked":
      case "ask.dismissed":
        this.#tell(entry);
        return;
      default:
    }
  }

  #tell(entry: Entry): void {
    if (!this.#looking || !this.#child || entry.seq <= this.#acted) return;
    this.#acted = entry.seq;
    this.#looking.act(entry);
  }

  /** The settlement with the answer as it was given, where that is still there. */
  #whole(entry: Entry): Entry {
    const { fact } = entry;
    if (fact.kind !== "ask.settled" || fact.settlement.kind !== "answered") return entry;
    const given = this.#answers.get(fact.ask);
    this.#answers.delete(fact.ask);
    if (!given) return entry;
    return { ...entry, fact: { ...fact, settlement: { ...fact.settlement, answer: given } } };
  }

  /** What was stored before the crash and perhaps not done. */
  #actAgain(): void {
    if (this.#ledger.written.stopping) this.#stop();
    for (let from = this.#acted + 1; from <= this.#ledger.stored.last;) {
      const entries = this.#around.journal.read(this.#id, from, PAGE_ENTRIES, PAGE_CHARS);
      const newest = entries.at(-1);
      if (newest === undefined) return;
      for (const entry of entries) if (entry.fact.kind !== "session.resumed") this.#act(entry);
      from = newest.seq + 1;
    }
  }

  #stop(): void {
    const child = this.#child;
    if (!child) return;
    // Shells ignore the second when they are interactive, and pass the first on to their jobs.
    child.signal("SIGHUP");
    child.signal("SIGTERM");
    this.#timer(
      "kill",
      this.#around.after(STOP_GRACE_MS, () => child.signal("SIGKILL")),
    );
  }

  /** Types waiting prompts: one while the program is at rest, those that steer at once. */
  #deliver(): void {
    if (!this.#child || this.#exit || this.#ledger.stored.stopping) return;
    const open = new Set(this.#ledger.written.prompts.map(({ prompt }) => prompt));
    for (const waiting of this.#ledger.stored.prompts) {
      if (this.#handed.has(waiting.prompt) || !open.has(waiting.prompt)) continue;
      const isBusy = this.#ledger.written.running !== undefined || this.#handed.size > 0;
      if (isBusy && waiting.delivery === "queue") continue;
      const [entry] = this.#around.journal.read(this.#id, waiting.seq, 1, PAGE_CHARS);
      if (entry?.fact.kind !== "prompt.accepted") continue;
      this.#handed.add(waiting.prompt);
      this.#typePrompt(waiting.prompt, entry.fact.text);
    }
  }

  #typePrompt(prompt: PromptId, text: string): void {
    const id = `p${prompt}`;
    const taken = (isTaken: boolean): void => {
      this.#handed.delete(prompt);
      if (isTaken) this.write([{ kind: "prompt.taken", prompt }], { flushed: false });
    };
    const lines = text.replaceAll(/\r\n?|\n/gu, "\r");
    this.#drawing?.drawAll();
    if (this.#drawing?.takesBrackets !== true) return this.#typeOnce(`${id}.0`, `${lines}\r`, taken);
    this.#typeOnce(`${id}.0`, bracketed(lines), (isTaken) => {
      if (!isTaken) return taken(false);
      const enter = this.#around.after(ENTER_AFTER_PASTE_MS, () => {
        this.#timer("enter", undefined);
        this.#typeOnce(`${id}.1`, "\r", taken);
      });
      this.#timer("enter", enter);
    });
  }

  #timer(name: TimerName, timer: Disposable | undefined): void {
    this.#timers.get(name)?.[Symbol.dispose]();
    if (timer) this.#timers.set(name, timer);
    else this.#timers.delete(name);
  }
}

/** Below what there is. */
function beginAgain(drawing: Drawing): void {
  drawing.push(Buffer.from(TIDY));
  drawing.drawAll();
  const rows = drawing.text().trimEnd().split("\n").length;
  drawing.push(Buffer.from(`\u001b[${rows};1H${AGAIN}`));
}

/** A paste as programs want it that said so. What would end it early is left out. */
function bracketed(text: string): string {
  return `\u001b[200~${text.replaceAll("\u001b", "")}\u001b[201~`;
}
