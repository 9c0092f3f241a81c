/**
 * Devices that used an offer and wait to be confirmed: each shows six digits, and a person types them at the host. There
 * is one attempt. What is confirmed is what was shown, for nothing of it changes meanwhile.
 */
import { timingSafeEqual } from "node:crypto";
import { toBase64Url } from "@flybridge/protocol/base64.ts";
import type { Introduction } from "@flybridge/protocol/device.ts";
import { CallError } from "@flybridge/protocol/error.ts";
import type { FeedFact } from "@flybridge/protocol/feed.ts";
import type { DeviceId } from "@flybridge/protocol/ids.ts";
import { CONFIRM_MS } from "@flybridge/protocol/limits.ts";
import type { Pairing, PairingId } from "@flybridge/protocol/pairing.ts";
import type { Way } from "@flybridge/protocol/way.ts";
import type { Occurrence } from "./audit.ts";

const ID_BYTES = 16;
/** More than that nobody can tell apart. */
const MAX_WAITING = 8;

export interface Candidate {
  readonly introduction: Introduction;
  readonly way: Way;
  /** The six it shows. */
  readonly digits: string;
  /** It went away. */
  readonly gone: AbortSignal;
}

export interface Pairings {
  /** Oldest first. */
  list(): readonly Pairing[];
  /** Resolves with whether a person let it in. */
  ask(candidate: Candidate): Promise<boolean>;
  /** Throws `CallError`: "not_found", or "bad_answer" for other digits, and then it is turned away. */
  confirm(pairing: PairingId, digits: string, by: DeviceId): void;
  /** Nothing when it does not wait any more. */
  refuse(pairing: PairingId, by: DeviceId): void;
}

interface Waiting {
  readonly pairing: Pairing;
  readonly digits: string;
  settle(isIn: boolean, why?: Omit<Occurrence, "detail">): void;
}

export function makePairings(around: {
  readonly publish: (fact: FeedFact) => void;
  readonly note: (what: Occurrence) => void;
  readonly now: () => number;
  readonly random: (bytes: number) => Uint8Array;
  readonly after: (milliseconds: number, work: () => void) => Disposable;
}): Pairings {
  const { publish, note, now } = around;
  const waiting = new Map<PairingId, Waiting>();

  return {
    list: () => [...waiting.values()].map(({ pairing }) => pairing),
    ask({ introduction, way, digits, gone }) {
      if (waiting.size >= MAX_WAITING || gone.aborted) return Promise.resolve(false);
      const asked = now();
      const id = toBase64Url(around.random(ID_BYTES));
      const pairing: Pairing = { pairing: id, ...introduction, way, asked, expires: asked + CONFIRM_MS };
      const detail = `${introduction.kind} ${introduction.name}, by ${way}`;
      const { promise, resolve } = Promise.withResolvers<boolean>();
      const settle: Waiting["settle"] = (isIn, why) => {
        if (!waiting.delete(id)) return;
        timer[Symbol.dispose]();
        gone.removeEventListener("abort", left);
        resolve(isIn);
        publish({ kind: "pairing.gone", pairing: id });
        if (why) note({ ...why, detail });
      };
      const left = (): void => settle(false, { event: "pairing.expired" });
      const timer = around.after(CONFIRM_MS, left);
      gone.addEventListener("abort", left);
      waiting.set(id, { pairing, digits, settle });
      note({ event: "pairing.asked", detail });
      publish({ kind: "pairing", pairing });
      return promise;
    },
    confirm(id, digits, by) {
      const one = waiting.get(id);
      if (!one)
        throw new CallError(
          "not_found",
          "This device does not wait any more: it was let in, turned away, or gave up. Show it a new link.",
        );
      const isRight = timingSafeEqual(Buffer.from(digits), Buffer.from(one.digits));
      one.settle(isRight, isRight ? undefined : { event: "pairing.refused", by });
      if (!isRight)
        throw new CallError(
          "bad_answer",
          "These are not the digits of that device, so it was turned away and its link is used up. If it is yours, show a new link and try again; if you do not know it, all is well: it did not get in.",
        );
    },
    refuse(id, by) {
      waiting.get(id)?.settle(false, { event: "pairing.refused", by });
    },
  };
}
