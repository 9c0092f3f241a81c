/**
 * A standing rule allows one exact request of an agent from now on: the same bytes, or the person is asked. It is made
 * by answering an ask with one of the two choices below, which the host adds to what the agent itself offers.
 */
import * as v from "valibot";
import type { Choice } from "./ask.ts";
import { AgentName, DeviceId, SessionId, Time } from "./ids.ts";
import { MAX_ANSWER_CHARS, MAX_LABEL_CHARS, MAX_PATH_CHARS } from "./limits.ts";

/** The choices by which a person makes a rule. No agent's own choice may have these names. */
export const RULE_CHOICES = { session: "flybridge.session", always: "flybridge.always" } as const;

/** As a person is offered them. */
export const RULE_OFFERS: readonly Choice[] = [
  {
    choice: RULE_CHOICES.session,
    label: "Allow this exact request for this session",
    detail:
      "The same request is allowed without asking until this session or the host ends. One changed byte asks again.",
    scope: "session",
  },
  {
    choice: RULE_CHOICES.always,
    label: "Always allow this exact request",
    detail:
      "The same request of this agent in this folder and mode is allowed without asking from now on, until you revoke the rule.",
    scope: "always",
  },
];

const label = v.pipe(v.string(), v.maxLength(MAX_LABEL_CHARS));

export const RuleId = v.pipe(v.string(), v.regex(/^[0-9a-f]{16}$/), v.brand("RuleId"));
export type RuleId = v.InferOutput<typeof RuleId>;

export const Rule = v.object({
  rule: RuleId,
  /** SHA-256 over the request in its canonical form, in hex: agent, server, tool, input, workspace, mode. */
  fingerprint: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
  /** Present: it holds in that session alone, and ends with the host. */
  session: v.optional(SessionId),
  agent: AgentName,
  tool: label,
  server: v.optional(label),
  /** What is allowed, in short: the command, the path, the input. */
  request: v.pipe(v.string(), v.maxLength(MAX_ANSWER_CHARS)),
  workspace: v.pipe(v.string(), v.maxLength(MAX_PATH_CHARS)),
  mode: v.optional(label),
  by: DeviceId,
  made: Time,
  /** How often it has answered, and when last. */
  used: v.number(),
  last: v.optional(Time),
});
export type Rule = v.InferOutput<typeof Rule>;
