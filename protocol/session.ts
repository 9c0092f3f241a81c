/** A session is one conversation: an agent in a workspace. These are its folds: what it is now, without its history. */
import * as v from "valibot";
import { Command, Offered } from "./agent.ts";
import { Ask } from "./ask.ts";
import { Continued } from "./conversation.ts";
import { Delivery, Usage } from "./entry.ts";
import { AgentName, DeviceId, ItemId, PromptId, Seq, SessionId, Time, TurnId } from "./ids.ts";
import { MAX_LABEL_CHARS, MAX_PATH_CHARS } from "./limits.ts";

const label = v.pipe(v.string(), v.maxLength(MAX_LABEL_CHARS));

/** Why the session is in the state it is in: always with since when. */
export const Status = v.variant("kind", [
  v.object({ kind: v.literal("starting"), since: Time }),
  v.object({ kind: v.literal("idle"), since: Time }),
  /** `doing` is the newest running item: "Bash · npm test". */
  v.object({ kind: v.literal("running"), since: Time, doing: v.optional(label) }),
  v.object({ kind: v.literal("waiting"), since: Time }),
  v.object({
    kind: v.literal("ended"),
    since: Time,
    cause: v.picklist(["stopped", "exited", "failed"]),
    detail: v.optional(label),
  }),
]);
export type Status = v.InferOutput<typeof Status>;

export const OpenAsk = v.object({ ask: Ask, at: Time, seq: Seq, dismissed: v.boolean() });
export type OpenAsk = v.InferOutput<typeof OpenAsk>;

/** A prompt the host has and the agent has not. */
export const WaitingPrompt = v.object({
  prompt: PromptId,
  seq: Seq,
  /** Its beginning; the whole is in the entry. */
  preview: label,
  delivery: Delivery,
  by: DeviceId,
  at: Time,
});

/** What lists show and the Inbox answers: small, and sent whole whenever it changes. */
export const Summary = v.object({
  session: SessionId,
  agent: AgentName,
  workspace: v.pipe(v.string(), v.maxLength(MAX_PATH_CHARS)),
  title: label,
  status: Status,
  /** It is a terminal: a screen, and keys. */
  terminal: v.optional(v.boolean()),
  /** Its process is not this host's: it was started in some other place, and is seen from here until it ends. */
  outside: v.optional(v.boolean()),
  asks: v.array(OpenAsk),
  opened: Time,
  updated: Time,
  last: Seq,
  /** The newest finished turn: what "done since you last looked" is made of. */
  turn: v.optional(
    v.object({
      seq: Seq,
      at: Time,
      outcome: v.picklist(["completed", "interrupted", "failed"]),
      detail: v.optional(label),
    }),
  ),
  /** The beginning of the agent's last words. */
  preview: v.optional(label),
});
export type Summary = v.InferOutput<typeof Summary>;

/** The whole fold: what a device needs beside a page of entries to show the session. */
export const SessionState = v.object({
  ...Summary.entries,
  model: v.optional(label),
  mode: v.optional(label),
  version: v.optional(label),
  command: v.optional(Command),
  from: v.optional(Continued),
  ...Offered,
  pid: v.optional(v.number()),
  /** The title was given by a person; an agent's own no longer replaces it. */
  named: v.boolean(),
  running: v.optional(v.object({ turn: TurnId, at: Time })),
  prompts: v.array(WaitingPrompt),
  /** Items that have begun and not completed, with the entry they began with and how much of the body is journaled. */
  items: v.array(v.object({ item: ItemId, began: Seq, length: v.number(), doing: v.optional(label) })),
  usage: Usage,
  stopping: v.boolean(),
});
export type SessionState = v.InferOutput<typeof SessionState>;
