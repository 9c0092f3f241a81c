/**
 * The direct way: a data channel to the host, looked for in the background over a connection that has somebody in
 * between. Whatever fails here is nobody's concern, for that connection goes on. Loaded when there is one.
 */
import type { Direct } from "@flybridge/protocol/direct.ts";
import { BEAT_VISIBLE_MS } from "@flybridge/transport/pace.ts";
import type { SecurePipe } from "@flybridge/transport/pipe.ts";
import type { Calls } from "./calls.ts";
import type { Found } from "./meeting.ts";
import type { Platform } from "./platform.ts";
import type { KnownHost } from "./replica.ts";

/** Milliseconds that a new connection has for what the person waits for, before anything is looked for. */
const AFTER_MS = 1_000;
/** Milliseconds between two searches on one network: what did not open, or fell over at once, is not tried on and on. */
const AGAIN_MS = 60_000;
/** Milliseconds in which what was asked over the connection before is answered there. */
const ANSWERED_MS = 10_000;

/** A connection that is there, and what the host said over it of its direct way. */
export interface Roundabout {
  readonly direct: Direct;
  readonly pipe: SecurePipe;
  readonly calls: Calls;
  /** Aborted when there is to be no connection any more. */
  readonly signal: AbortSignal;
}

export class DirectSearch {
  readonly #platform: Platform;
  readonly #known: () => KnownHost;
  readonly #current: () => Roundabout | undefined;
  readonly #take: (found: Found, from: Roundabout) => Promise<unknown>;
  #isRunning = false;
  /** When the newest began, by the clock. */
  #at = Number.NEGATIVE_INFINITY;

  /**
   * `current`: the connection that is there now; undefined when there is none, or it is direct. `take` takes the place of
   * that connection once the host has said welcome, and resolves when it has ended.
   */
  constructor(
    platform: Platform,
    known: () => KnownHost,
    current: () => Roundabout | undefined,
    take: (found: Found, from: Roundabout) => Promise<unknown>,
  ) {
    this.#platform = platform;
    this.#known = known;
    this.#current = current;
    this.#take = take;
  }

  /** Does nothing when it was looked for lately; `elsewhere`: on another network that says nothing. Never rejects. */
  async look(elsewhere: boolean): Promise<void> {
    const { clock } = this.#platform;
    if (elsewhere) this.#at = Number.NEGATIVE_INFINITY;
    if (this.#isRunning || clock.now() - this.#at < AGAIN_MS) return;
    this.#isRunning = true;
    try {
      await new Promise<void>((resolve) => void clock.setTimer(AFTER_MS, resolve));
      const from = this.#current();
      const found = from && (await this.#open(from));
      if (from && found) void this.#take(found, from).finally(() => found.stored());
    } catch {
      // Then it is not.
    } finally {
      this.#isRunning = false;
    }
  }

  async #open({ direct, calls, signal }: Roundabout): Promise<Found | undefined> {
    const platform = this.#platform;
    const reach = await platform.reach();
    if (signal.aborted || !reach.direct) return undefined;
    this.#at = platform.clock.now();
    const offer = await reach.direct(direct.ice);
    try {
      const { sdp } = await calls.ask("direct.open", { sdp: offer.sdp });
      const link = await offer.answered(sdp, signal);
      const { comeBack } = await import("./meeting.ts");
      return await comeBack(platform, this.#known(), BEAT_VISIBLE_MS, signal, link);
    } finally {
      offer[Symbol.dispose]();
    }
  }

  /** Of the connection before: what was asked over it is still answered there, unless the other one ends first. */
  retire({ pipe, calls }: Roundabout, other: Promise<unknown>): void {
    const late = Promise.withResolvers<void>();
    const stopTimer = this.#platform.clock.setTimer(ANSWERED_MS, late.resolve);
    void Promise.race([calls.idle(), late.promise, other]).then(() => {
      stopTimer();
      pipe.close("closing");
    });
  }
}
