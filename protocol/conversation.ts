/**
 * A conversation is what an agent itself keeps on this machine of a session that was begun anywhere: in a plain
 * terminal, in an editor, here. It can be looked at, gone on with, or forked, and then it is a session.
 */
import * as v from "valibot";
import { AgentName, SessionId, Time } from "./ids.ts";
import { MAX_ANSWER_CHARS, MAX_LABEL_CHARS, MAX_PATH_CHARS } from "./limits.ts";

const label = v.pipe(v.string(), v.maxLength(MAX_LABEL_CHARS));

/** The agent's own name of it. */
export const ConversationId = v.pipe(v.string(), v.minLength(1), v.maxLength(200));

export const Conversation = v.object({
  agent: AgentName,
  conversation: ConversationId,
  title: label,
  workspace: v.pipe(v.string(), v.maxLength(MAX_PATH_CHARS)),
  /** When something was last written to it. */
  updated: Time,
  /** The session of this host that holds it, where there is one. */
  session: v.optional(SessionId),
  /** A process that this host did not start has it open now. */
  open: v.optional(v.boolean()),
});
export type Conversation = v.InferOutput<typeof Conversation>;

/** One thing that was said in it. */
export const Said = v.object({
  who: v.picklist(["person", "agent"]),
  text: v.pipe(v.string(), v.maxLength(MAX_ANSWER_CHARS)),
  at: v.optional(Time),
});
export type Said = v.InferOutput<typeof Said>;

/** Where a new session goes on: in the conversation itself, or in a copy of it. */
export const Continued = v.object({ conversation: ConversationId, fork: v.boolean() });
export type Continued = v.InferOutput<typeof Continued>;
