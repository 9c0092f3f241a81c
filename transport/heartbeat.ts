/** Whether the other side is still there: one asks at a pace, both give up when nothing has come for too long. */
import type { Clock } from "./clock.ts";

/** Milliseconds without a record after which the other side is dead. */
export const DEAD_MS = 45_000;
/** Milliseconds after a ping without a record after which whoever asked gives up: a way that slow is of no use. */
export const ANSWER_MS = 10_000;

export interface HeartbeatEvents {
  ping(number: number): void;
  dead(): void;
}

export class Heartbeat {
  readonly #clock: Clock;
  readonly #events: HeartbeatEvents;
  #paceMs: number | undefined;
  #answerMs = ANSWER_MS;
  #heardAt: number;
  #beatAt: number;
  #stopTimer: (() => void) | undefined;
  #number = 0;
  #pingedAt: number | undefined;
  /** Of the first ping since something was heard. */
  #askedAt: number | undefined;
  #rttMs: number | undefined;
  #runs = false;

  /** Without a pace it only listens: a host lets its devices choose, so that it wakes no sleeping phone. */
  constructor(clock: Clock, events: HeartbeatEvents, paceMs?: number) {
    this.#clock = clock;
    this.#events = events;
    this.#paceMs = paceMs;
    this.#heardAt = clock.now();
    this.#beatAt = this.#heardAt;
  }

  /** From now on silence counts. */
  begin(): void {
    this.#runs = true;
    this.#heardAt = this.#clock.now();
    this.#beatAt = this.#heardAt;
    this.#arm();
  }

  /** Milliseconds that the newest answered ping took. */
  get rttMs(): number | undefined {
    return this.#rttMs;
  }

  /**
   * A shorter pace counts from the last ping, so a page that comes to the front asks at once when that is long ago.
   * `answerMs`: in place of `ANSWER_MS`; less patience than before begins with a ping of its own, at once.
   */
  pace(ms: number | undefined, answerMs = ANSWER_MS): void {
    if (answerMs < this.#answerMs) {
      this.#beatAt = Number.NEGATIVE_INFINITY;
      this.#askedAt = undefined;
    }
    this.#paceMs = ms;
    this.#answerMs = answerMs;
    this.#arm();
  }

  /** A record opened. */
  heard(): void {
    this.#heardAt = this.#clock.now();
    this.#askedAt = undefined;
  }

  /** An answer; one to an older ping says that they are there and nothing about time. */
  answered(number: number): void {
    if (number !== this.#number || this.#pingedAt === undefined) return;
    this.#rttMs = this.#clock.now() - this.#pingedAt;
    this.#pingedAt = undefined;
  }

  stop(): void {
    this.#runs = false;
    this.#stopTimer?.();
  }

  get #deadAt(): number {
    return Math.min(this.#heardAt + DEAD_MS, (this.#askedAt ?? Number.POSITIVE_INFINITY) + this.#answerMs);
  }

  #arm(): void {
    this.#stopTimer?.();
    if (!this.#runs) return;
    const beatAt = this.#paceMs === undefined ? Number.POSITIVE_INFINITY : this.#beatAt + this.#paceMs;
    const next = Math.min(beatAt, this.#deadAt);
    this.#stopTimer = this.#clock.setTimer(Math.max(0, next - this.#clock.now()), () => {
      this.#ring();
    });
  }

  #ring(): void {
    if (!this.#runs) return;
    const now = this.#clock.now();
    if (now >= this.#deadAt) {
      this.stop();
      this.#events.dead();
      return;
    }
    if (this.#paceMs !== undefined && now - this.#beatAt >= this.#paceMs) {
      this.#beatAt = now;
      this.#pingedAt = now;
      this.#askedAt ??= now;
      this.#number = (this.#number + 1) >>> 0;
      this.#events.ping(this.#number);
    }
    this.#arm();
  }
}
