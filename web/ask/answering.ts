/**
 * Answers on their way. A card is never answered optimistically: it says "sending" until the host has the answer, and
 * why when the host refused it. The Inbox has no open session to read this from, so both places share this.
 */
import type { Replica } from "@flybridge/client/replica.ts";
import { type Answer, type Ask, keepable, mismatchOf } from "@flybridge/protocol/ask.ts";
import { CallError } from "@flybridge/protocol/error.ts";
import type { AskId, SessionId } from "@flybridge/protocol/ids.ts";
import { createStore, reconcile } from "solid-js/store";
import type { Toasts } from "../design/toasts.tsx";
import { t } from "../words.ts";

export interface Progress {
  readonly answer: Answer;
  /** `taken`: the host has it; the card leaves when the ask does. */
  readonly state: "sending" | "taken" | "refused";
  readonly refusal?: string;
}

export interface Answering {
  of(session: SessionId, ask: AskId): Progress | undefined;
  answer(replica: Replica, session: SessionId, ask: Ask, answer: Answer): void;
  /** Puts the card away at once; the host is told when it can no longer be undone. */
  dismiss(replica: Replica, session: SessionId, ask: Ask): void;
  readonly isPutAway: (session: SessionId, ask: AskId) => boolean;
  /** Shows a card again that was put away on this device or another. */
  bringBack(session: SessionId, ask: AskId): void;
}

export function makeAnswering(toasts: Toasts): Answering {
  const [progress, setProgress] = createStore<Record<string, Progress>>({});
  const [away, setAway] = createStore<Record<string, boolean>>({});
  const put = (key: string, value: Progress): void =>
    setProgress(key, reconcile<Progress | undefined, unknown>(value) as never);

  return {
    of: (session, ask) => progress[keyOf(session, ask)],
    answer(replica, session, ask, answer) {
      const key = keyOf(session, ask.ask);
      const mismatch = mismatchOf(ask, answer);
      const shown = keepable(ask, answer);
      if (mismatch) return put(key, { answer: shown, state: "refused", refusal: mismatch.message });
      put(key, { answer: shown, state: "sending" });
      navigator.vibrate?.(8);
      // What was given to a secret question is written down nowhere on this device.
      const where = isSecret(ask) ? "memory" : "store";
      replica.intend("ask.answer", { session, ask: ask.ask, answer }, where).settled.then(
        () => put(key, { answer: shown, state: "taken" }),
        (fault: unknown) => put(key, { answer: shown, state: "refused", refusal: refusalFrom(fault) }),
      );
    },
    dismiss(replica, session, ask) {
      const key = keyOf(session, ask.ask);
      setAway(key, true);
      toasts.later(
        t("Put away. The agent still waits."),
        () => void replica.intend("ask.dismiss", { session, ask: ask.ask }).settled.catch(() => setAway(key, false)),
        () => setAway(key, false),
      );
    },
    isPutAway: (session, ask) => away[keyOf(session, ask)] ?? false,
    bringBack: (session, ask) => setAway(keyOf(session, ask), false),
  };
}

function isSecret(ask: Ask): boolean {
  return ask.kind === "question" && ask.questions.some(({ secret }) => secret);
}

function keyOf(session: SessionId, ask: AskId): string {
  return `${session} ${ask}`;
}

function refusalFrom(fault: unknown): string {
  if (fault instanceof CallError && fault.code === "already_settled")
    return t("It was answered elsewhere first. Your answer was not used.");
  return fault instanceof Error ? fault.message : t("The host could not take the answer. Try again.");
}
