/**
 * The direct way: a data channel to the host, looked for in the background over a connection that has somebody in
 * between. Whatever fails here is nobody's concern, for that connection goes on.
 */
import type { Direct } from "@flybridge/protocol/direct.ts";
import type { Calls } from "./calls.ts";
import type { Found } from "./meeting.ts";
import type { Platform } from "./platform.ts";
import type { KnownHost } from "./replica.ts";

/** Milliseconds that a new connection has for what the person waits for, before anything is looked for. */
const AFTER_MS = 1_000;
/** Milliseconds between two searches on one network: what did not open, or fell over at once, is not tried on and on. */
const AGAIN_MS = 60_000;

/** A connection that is there, and what the host said over it of its direct way. */
export interface Roundabout {
  readonly direct: Direct;
  readonly calls: Calls;
  /** Aborted when there is to be no connection any more. */
  readonly signal: AbortSignal;
}

export class DirectSearch {
  readonly #platform: Platform;
  #isRunning = false;
  /** When the newest began, by the clock. */
  #at = Number.NEGATIVE_INFINITY;

  constructor(platform: Platform) {
    this.#platform = platform;
  }

  /** On another network the last search says nothing. */
  forget(): void {
    this.#at = Number.NEGATIVE_INFINITY;
  }

  /**
   * Over the connection that `current` gives by then. Undefined when there is no direct way, or it was looked for lately.
   * Never rejects.
   */
  async look(
    current: () => Roundabout | undefined,
    known: () => KnownHost,
    paceMs: () => number,
  ): Promise<{ readonly found: Found; readonly from: Roundabout } | undefined> {
    const { clock } = this.#platform;
    if (this.#isRunning || clock.now() - this.#at < AGAIN_MS) return undefined;
    this.#isRunning = true;
    try {
      await new Promise<void>((resolve) => void clock.setTimer(AFTER_MS, resolve));
      const from = current();
      const reach = await this.#platform.reach();
      if (!from || from.signal.aborted || !reach.direct) return undefined;
      this.#at = clock.now();
      const { direct, calls, signal } = from;
      const offer = await reach.direct(direct.ice);
      try {
        const { sdp } = await calls.ask("direct.open", { sdp: offer.sdp });
        const link = await offer.answered(sdp, signal);
        const { comeBack } = await import("./meeting.ts");
        return { found: await comeBack(this.#platform, known(), paceMs(), signal, link), from };
      } finally {
        offer[Symbol.dispose]();
      }
    } catch {
      return undefined;
    } finally {
      this.#isRunning = false;
    }
  }
}
