/**
 * What an intent on a session comes to: facts to journal, or a refusal. Pure: the same state and intent give the same
 * answer, which is why an intent that is repeated after a crash cannot be decided differently by chance.
 */
import { type Answer, type Ask, mismatchOf, type Settlement } from "@flybridge/protocol/ask.ts";
import type { Attachment } from "@flybridge/protocol/attachment.ts";
import type { Fact } from "@flybridge/protocol/entry.ts";
import { CallError } from "@flybridge/protocol/error.ts";
import type { DeviceId, IntentId, PromptId } from "@flybridge/protocol/ids.ts";
import type { IntentMethod, Params } from "@flybridge/protocol/methods.ts";
import { RULE_CHOICES } from "@flybridge/protocol/rule.ts";
import type { SessionState } from "@flybridge/protocol/session.ts";

/** The intents that are about one existing session and become entries in its journal. */
export type SessionMethod = Extract<
  IntentMethod,
  | "session.prompt"
  | "session.withdraw"
  | "session.interrupt"
  | "session.configure"
  | "session.stop"
  | "session.resume"
  | "ask.answer"
  | "ask.dismiss"
>;

export type SessionIntent = {
  [M in SessionMethod]: {
    readonly method: M;
    readonly params: Params<M>;
    readonly id: IntentId;
    readonly by: DeviceId;
    /** Not the owner's: it may answer, and not for longer than once. */
    readonly guest: boolean;
    /** What came with a prompt, as it is kept. */
    readonly attachments?: readonly Attachment[] | undefined;
  };
}[SessionMethod];

/** Prompts that may wait at once for a busy agent. */
export const MAX_WAITING_PROMPTS = 64;

/** Throws `CallError` when it cannot be done. The last of the facts is the one the intent is answered with. */
export function decide(state: SessionState, intent: SessionIntent): [Fact, ...Fact[]] {
  const { by } = intent;
  const ended = state.status.kind === "ended";
  if (state.outside && !ended) refuseOutside(intent);
  switch (intent.method) {
    case "session.prompt": {
      if (state.prompts.length >= MAX_WAITING_PROMPTS)
        throw new CallError("too_many", `${MAX_WAITING_PROMPTS} prompts are waiting already. Withdraw some, or wait.`);
      if (state.stopping)
        throw new CallError("wrong_state", "The session is being stopped. Send again when it has ended.");
      const prompt: Fact = {
        kind: "prompt.accepted",
        prompt: intent.id as string as PromptId,
        text: intent.params.text,
        ...(intent.attachments?.length ? { attachments: [...intent.attachments] } : {}),
        delivery: intent.params.delivery,
        by,
      };
      return ended ? [{ kind: "session.resumed", by }, prompt] : [prompt];
    }
    case "session.withdraw": {
      const { prompt } = intent.params;
      if (!state.prompts.some((one) => one.prompt === prompt))
        throw new CallError("wrong_state", "The agent has this prompt already, or it was withdrawn before.");
      return [{ kind: "prompt.withdrawn", prompt, by }];
    }
    case "session.interrupt":
      if (!state.running && state.asks.length === 0) throw new CallError("wrong_state", "Nothing is running.");
      return [{ kind: "interrupt.asked", by }];
    case "session.configure": {
      const { session: _, ...settings } = intent.params;
      if (Object.values(settings).every((value) => value === undefined))
        throw new CallError("bad_params", "Give a model, a mode, a setting or a title.");
      if (settings.title?.trim() === "") throw new CallError("bad_params", "A title has at least one character.");
      return [{ kind: "session.configured", ...settings, by }];
    }
    case "session.stop":
      if (ended) throw new CallError("wrong_state", "The session has ended already.");
      return [{ kind: "session.stopped", by }];
    case "session.resume":
      if (!ended) throw new CallError("wrong_state", "The session is not ended.");
      return [{ kind: "session.resumed", by }];
    case "ask.answer": {
      const { ask, answer } = intent.params;
      const open = state.asks.find((one) => one.ask.ask === ask);
      if (!open)
        throw new CallError(
          "already_settled",
          "This ask is no longer open: it was answered, withdrawn, or its agent ended.",
        );
      const mismatch = mismatchOf(open.ask, answer);
      if (mismatch) throw new CallError("bad_answer", mismatch.message, { code: mismatch.code });
      return [{ kind: "ask.settled", ask, settlement: settled(open.ask, answer, intent) }];
    }
    case "ask.dismiss": {
      const { ask } = intent.params;
      if (!state.asks.some((one) => one.ask.ask === ask))
        throw new CallError("already_settled", "This ask is no longer open.");
      return [{ kind: "ask.dismissed", ask, by }];
    }
  }
}

/** What runs elsewhere is not this host's to drive: it is looked at, and answers are taken there. */
function refuseOutside({ method, params }: SessionIntent): void {
  const isTitle = method === "session.configure" && params.model === undefined && params.mode === undefined;
  if (isTitle || method === "ask.answer" || method === "ask.dismiss" || method === "session.withdraw") return;
  throw new CallError(
    "wrong_state",
    "This session runs in a terminal of its own. End it there, then continue here; or fork its conversation.",
  );
}

/** The agent is told of a rule only that it may, this once: rules are the host's. */
function settled(ask: Ask, answer: Answer, { by, guest }: SessionIntent): Settlement {
  if (ask.kind !== "approval" || answer.kind !== "allow") return { kind: "answered", answer, by };
  const scope = ask.choices.find(({ choice }) => choice === answer.choice)?.scope ?? "once";
  if (guest && scope !== "once")
    throw new CallError("forbidden", "Only the owner of the host may allow more than this once.");
  const rule = (["session", "always"] as const).find((one) => RULE_CHOICES[one] === answer.choice);
  const once = ask.choices.find((choice) => choice.scope === "once");
  if (rule === undefined || once === undefined) return { kind: "answered", answer, by };
  return { kind: "answered", answer: { kind: "allow", choice: once.choice }, by, rule };
}
