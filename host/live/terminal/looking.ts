/**
 * When the agent looks at the screen of one process, and what it is told of it: the screen when it has come to rest, what
 * the program said meanwhile, and whether it shows what is typed. Nothing runs while nothing changes.
 */
import type { Entry } from "@flybridge/protocol/entry.ts";
import type { Seen, Sight, Signal, Watcher } from "../../agents/screen-agent.ts";
import type { Drawing } from "./drawing.ts";

/** The agent looks when nothing was drawn for this long; and at the latest so long after a change. */
const QUIET_MS = 150;
const LATEST_MS = 700;
/** Signals of one kind between two looks. */
const MAX_SIGNALS = 64;
/** What turns and counts while a program works. A screen that differs in nothing else asks nothing else. */
const MOTION = /[\d|/\\\-*·•✢✳✶✻✽◐◓◑◒◴◷◶◵▖▘▝▗\u2800-\u28ff]+/gu;

export interface Around {
  readonly watcher: Watcher;
  drawing(): Drawing;
  /** An ask is open that the screen is not to raise again. */
  better(): boolean;
  echoes(): Promise<boolean | undefined>;
  now(): number;
  after(milliseconds: number, work: () => void): Disposable;
  /** What came of a look. */
  carry(seen: Seen): void;
}

export class Looking implements Disposable {
  readonly #around: Around;
  /** Signals since the program's start that the agent was told of, or will be at the next look. */
  #heard: number;
  #signals: Signal[] = [];
  /** When it last drew, when the text of the screen last changed, and since when a change was not looked at. */
  #drewAt = 0;
  #changedAt = 0;
  #unseenSince: number | undefined;
  #text = "";
  /** The same without what only moves, as the agent last saw it. */
  #still = "";
  /** How long the screen had been at rest at the last look, in milliseconds. */
  #rested = 0;
  /** When to look again, also if nothing changes. */
  #again = Number.POSITIVE_INFINITY;
  /** Whether what is typed is echoed, from when it was asked for until more is drawn. */
  #echo: Sight["echo"];
  #isAskingEcho = false;
  #timer: Disposable | undefined;
  #isOver = false;

  constructor(around: Around, heard: number) {
    this.#around = around;
    this.#heard = heard;
  }

  get heard(): number {
    return this.#heard;
  }

  /** When output is drawn again after a crash, what was told before is not told again. */
  signal(number: number, signal: Signal): void {
    if (number <= this.#heard) return;
    this.#heard = number;
    if (signal.kind === "title" || signal.kind === "bell")
      this.#signals = this.#signals.filter(({ kind }) => kind !== signal.kind);
    this.#signals.push(signal);
    if (this.#signals.length > MAX_SIGNALS) this.#signals.shift();
  }

  drew(): void {
    const now = performance.now();
    this.#echo = undefined;
    this.#drewAt = now;
    this.#unseenSince ??= now;
    this.#soon();
  }

  /** What a device caused. */
  act(entry: Entry): void {
    this.#around.drawing().drawAll();
    this.#carry(this.#around.watcher.act(entry, this.#sight(performance.now())));
  }

  look(): void {
    const drawing = this.#around.drawing();
    // A screen that is not drawn to its end is not at rest. When it is, it says so.
    if (this.#isOver || drawing.drawn < drawing.end) return;
    const now = performance.now();
    const text = drawing.text();
    const isChanged = text !== this.#text;
    if (isChanged) {
      this.#text = text;
      this.#changedAt = this.#drewAt;
    }
    const isResting = now - this.#changedAt >= QUIET_MS;
    const still = isChanged ? text.replaceAll(MOTION, "") : this.#still;
    const isOther = still !== this.#still || this.#signals.length > 0 || now >= this.#again;
    this.#unseenSince = undefined;
    if (isOther || (isResting && this.#rested < QUIET_MS)) {
      this.#still = still;
      this.#again = Number.POSITIVE_INFINITY;
      const sight = this.#sight(now);
      this.#rested = sight.quietMs;
      this.#signals = [];
      this.#carry(this.#around.watcher.see(sight));
    }
    // What is still in motion is looked at again when it rests.
    if (this.#rested < QUIET_MS) this.#unseenSince ??= now;
    this.#soon();
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    this.#timer?.[Symbol.dispose]();
  }

  #carry(seen: Seen): void {
    if (seen.again !== undefined) this.#again = Math.min(this.#again, performance.now() + seen.again);
    if (seen.wantsEcho === true) void this.#askEcho();
    this.#around.carry(seen);
    this.#soon();
  }

  #sight(now: number): Sight {
    return {
      screen: this.#around.drawing().screen(),
      signals: this.#signals,
      quietMs: now - this.#changedAt,
      echo: this.#echo,
      better: this.#around.better(),
      at: this.#around.now(),
    };
  }

  async #askEcho(): Promise<void> {
    if (this.#isAskingEcho) return;
    this.#isAskingEcho = true;
    const drewAt = this.#drewAt;
    const echo = (await this.#around.echoes()) ?? "unknown";
    this.#isAskingEcho = false;
    if (this.#isOver) return;
    if (this.#drewAt === drewAt) this.#echo = echo;
    this.#again = 0;
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    this.#soon();
  }

  /** One timer that looks at the time when it rings, not one for each change. */
  #soon(): void {
    if (this.#timer || this.#isOver) return;
    const now = performance.now();
    const latest = (this.#unseenSince ?? Number.POSITIVE_INFINITY) + LATEST_MS;
    const rests = this.#unseenSince === undefined ? Number.POSITIVE_INFINITY : Math.max(this.#drewAt + QUIET_MS, now);
    const due = Math.min(this.#again, rests, latest);
    if (due === Number.POSITIVE_INFINITY) return;
    this.#timer = this.#around.after(Math.max(1, Math.ceil(due - now)), () => {
      this.#timer = undefined;
      const late = performance.now();
      const isQuiet = late - this.#drewAt >= QUIET_MS;
      const isLate = late - (this.#unseenSince ?? late) >= LATEST_MS;
      if (isQuiet || isLate || late >= this.#again) this.look();
      else this.#soon();
    });
  }
}
