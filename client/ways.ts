/**
 * The ways to one host, tried at once: its addresses, and the relays that it is connected to. Each gets a head start on
 * the next, the first over which the host proves itself is the one, and the others are let go before they change anything.
 */
import { HandshakeError } from "@flybridge/transport/secure.ts";
import type { Clock } from "@flybridge/transport/clock.ts";

/** Milliseconds that a way is ahead of the next: about what a handshake on the same network takes. */
const HEAD_START_MS = 150;

/** One way's own: whether it may go on, and when it has to stop. */
export interface Turn {
  /** True for the first that asks, and for it alone. */
  claim(): boolean;
  readonly signal: AbortSignal;
}

/**
 * What the first way that succeeds gives; `lost` is what each of the others said, in no order. Rejects when all failed, or
 * with the one that had claimed and failed after.
 */
export async function firstWay<Way, Result>(
  ways: readonly Way[],
  attempt: (way: Way, turn: Turn) => Promise<Result>,
  { clock, signal }: { readonly clock: Clock; readonly signal?: AbortSignal },
): Promise<{ readonly result: Result } | { readonly faults: readonly unknown[] }> {
  const faults: unknown[] = [];
  let claimed: object | undefined;
  let begun = 0;
  let running = 0;
  return new Promise((resolve) => {
    let stopTimer = (): void => {};
    const controllers = new Set<AbortController>();
    const stopOthers = (own?: AbortController): void => {
      stopTimer();
      for (const controller of controllers) if (controller !== own) controller.abort();
    };
    const abort = (): void => stopOthers();
    signal?.addEventListener("abort", abort);
    const finish = (outcome: { readonly result: Result } | { readonly faults: readonly unknown[] }): void => {
      signal?.removeEventListener("abort", abort);
      stopOthers();
      resolve(outcome);
    };
    const next = (): void => {
      stopTimer();
      if (claimed !== undefined || signal?.aborted === true || begun >= ways.length) {
        if (running === 0) finish({ faults });
        return;
      }
      const way = ways[begun++] as Way;
      const own = new AbortController();
      controllers.add(own);
      running += 1;
      stopTimer = clock.setTimer(HEAD_START_MS, next);
      const turn: Turn = {
        signal: own.signal,
        claim() {
          if (own.signal.aborted || (claimed !== undefined && claimed !== own)) return false;
          claimed = own;
          stopOthers(own);
          return true;
        },
      };
      // What throws at once is a way that this platform cannot go.
      Promise.resolve()
        .then(() => attempt(way, turn))
        .then(
          (result) => finish({ result }),
          (error: unknown) => {
            running -= 1;
            controllers.delete(own);
            if (claimed === own) return finish({ faults: [error] });
            // Those that another was quicker than have nothing to say.
            if (!(error instanceof HandshakeError && error.fault === "aborted" && claimed !== undefined))
              faults.push(error);
            next();
          },
        );
    };
    next();
  });
}
