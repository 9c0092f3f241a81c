/** An ask is something an agent needs a human to decide: an approval, a question or a plan. */
import * as v from "valibot";
import { AskId, DeviceId, ItemId } from "./ids.ts";
import { Edit, ToolKind } from "./item.ts";
import { RuleId } from "./rule.ts";
import {
  MAX_ANSWER_CHARS,
  MAX_INPUT_CHARS,
  MAX_EDITS,
  MAX_LABEL_CHARS,
  MAX_OPTIONS,
  MAX_PATH_CHARS,
  MAX_PLAN_CHARS,
  MAX_QUESTIONS,
} from "./limits.ts";

const label = v.pipe(v.string(), v.maxLength(MAX_LABEL_CHARS));
const words = v.pipe(v.string(), v.maxLength(MAX_ANSWER_CHARS));
const path = v.pipe(v.string(), v.maxLength(MAX_PATH_CHARS));
const key = v.pipe(v.string(), v.minLength(1), v.maxLength(200));

/** One way to say yes. An agent's own narrower rules are offered as the agent states them, one choice each. */
export const Choice = v.object({
  choice: key,
  label,
  /** What it permits from now on, spelled out. */
  detail: v.optional(words),
  /** `once` binds to this ask; the others outlive it. */
  scope: v.picklist(["once", "session", "always"]),
});
export type Choice = v.InferOutput<typeof Choice>;

/** What the person must see before deciding. Every field is as the agent gave it, unshortened. */
export const Evidence = v.object({
  tool: label,
  kind: ToolKind,
  /** The agent's own sentence on it. */
  purpose: v.optional(words),
  command: v.optional(v.pipe(v.string(), v.maxLength(MAX_INPUT_CHARS))),
  directory: v.optional(path),
  path: v.optional(path),
  url: v.optional(v.pipe(v.string(), v.maxLength(MAX_INPUT_CHARS))),
  edits: v.pipe(v.array(Edit), v.maxLength(MAX_EDITS)),
  /** The MCP server the tool belongs to. */
  server: v.optional(label),
  /** Why the agent had to ask. */
  reason: v.optional(words),
  /** Exactly what the tool would be given, as JSON text. */
  input: v.pipe(v.string(), v.maxLength(MAX_INPUT_CHARS)),
});
export type Evidence = v.InferOutput<typeof Evidence>;

export const Question = v.object({
  question: key,
  header: label,
  text: words,
  options: v.pipe(v.array(v.object({ label, detail: v.optional(words) })), v.maxLength(MAX_OPTIONS)),
  many: v.boolean(),
  secret: v.boolean(),
});
export type Question = v.InferOutput<typeof Question>;

const common = {
  ask: AskId,
  item: v.optional(ItemId),
  /** The sub-agent that asks, when it is not the session's own agent. */
  from: v.optional(label),
  /** How it was noticed, where the agent did not raise it over its own protocol: that can be less sure. */
  source: v.optional(v.picklist(["hook", "signal", "screen"])),
  /** Present: it cannot be answered from a device, and this says where it can. */
  elsewhere: v.optional(words),
};

export const ApprovalAsk = v.object({
  ...common,
  kind: v.literal("approval"),
  evidence: Evidence,
  choices: v.pipe(v.array(Choice), v.minLength(1), v.maxLength(MAX_OPTIONS)),
});
export const QuestionAsk = v.object({
  ...common,
  kind: v.literal("question"),
  questions: v.pipe(v.array(Question), v.minLength(1), v.maxLength(MAX_QUESTIONS)),
});
export const PlanAsk = v.object({
  ...common,
  kind: v.literal("plan"),
  plan: v.pipe(v.string(), v.maxLength(MAX_PLAN_CHARS)),
  path: v.optional(path),
  choices: v.pipe(v.array(Choice), v.minLength(1), v.maxLength(MAX_OPTIONS)),
});

export const Ask = v.variant("kind", [ApprovalAsk, QuestionAsk, PlanAsk]);
export type Ask = v.InferOutput<typeof Ask>;
export type ApprovalAsk = v.InferOutput<typeof ApprovalAsk>;
export type QuestionAsk = v.InferOutput<typeof QuestionAsk>;
export type PlanAsk = v.InferOutput<typeof PlanAsk>;

/** The answer to one question: labels of options, own words, and a note beside either. */
export const Reply = v.object({
  question: key,
  picks: v.pipe(v.array(label), v.maxLength(MAX_OPTIONS)),
  text: v.optional(words),
  note: v.optional(words),
});
export type Reply = v.InferOutput<typeof Reply>;

export const Answer = v.variant("kind", [
  /** To an approval. */
  v.object({ kind: v.literal("allow"), choice: key }),
  /** To any ask: the agent is told no, with the reason, and goes on. */
  v.object({ kind: v.literal("deny"), reason: v.optional(words) }),
  /** To a question. A question without a reply is left unanswered. */
  v.object({
    kind: v.literal("replies"),
    replies: v.pipe(v.array(Reply), v.maxLength(MAX_QUESTIONS)),
  }),
  /** To a plan; `edited` replaces the plan's text. */
  v.object({
    kind: v.literal("approve"),
    choice: key,
    edited: v.optional(v.pipe(v.string(), v.maxLength(MAX_PLAN_CHARS))),
  }),
  /** To a plan: back with feedback; the agent plans on. */
  v.object({ kind: v.literal("revise"), feedback: words }),
]);
export type Answer = v.InferOutput<typeof Answer>;

/** How an ask came to its end. */
export const Settlement = v.variant("kind", [
  v.object({
    kind: v.literal("answered"),
    answer: Answer,
    by: DeviceId,
    /** The person chose that the same request is allowed from now on, and for how long; the agent was told `once`. */
    rule: v.optional(v.picklist(["session", "always"])),
  }),
  /** A standing rule answered it at once. */
  v.object({ kind: v.literal("ruled"), answer: Answer, rule: RuleId, by: DeviceId }),
  /** The agent took it back: the turn was interrupted, or it was answered at the agent itself. */
  v.object({ kind: v.literal("withdrawn") }),
  /** The agent's process ended: nobody is left to hear an answer. */
  v.object({ kind: v.literal("void") }),
]);
export type Settlement = v.InferOutput<typeof Settlement>;

export type Mismatch = {
  readonly code: "wrong_kind" | "unknown_choice" | "unknown_question" | "unknown_option" | "repeated" | "elsewhere";
  readonly message: string;
};

/** Whether an answer fits an ask; undefined when it does. The same check on the device, before sending, and on the host. */
export function mismatchOf(ask: Ask, answer: Answer): Mismatch | undefined {
  if (ask.elsewhere !== undefined) return { code: "elsewhere", message: ask.elsewhere };
  if (answer.kind === "deny") return undefined;
  switch (ask.kind) {
    case "approval":
      if (answer.kind !== "allow") return wrongKind(ask, answer);
      return unknownChoice(ask.choices, answer.choice);
    case "plan":
      if (answer.kind === "revise") return undefined;
      if (answer.kind !== "approve") return wrongKind(ask, answer);
      return unknownChoice(ask.choices, answer.choice);
    case "question": {
      if (answer.kind !== "replies") return wrongKind(ask, answer);
      for (const [at, reply] of answer.replies.entries()) {
        const question = ask.questions.find((one) => one.question === reply.question);
        if (!question)
          return {
            code: "unknown_question",
            message: `This ask has no question "${reply.question}".`,
          };
        if (answer.replies.findIndex((one) => one.question === reply.question) < at)
          return { code: "repeated", message: `"${question.header}" is answered twice.` };
        const unknown = reply.picks.find((pick) => !question.options.some((option) => option.label === pick));
        if (unknown !== undefined)
          return {
            code: "unknown_option",
            message: `"${question.header}" has no option "${unknown}".`,
          };
        if (!question.many && reply.picks.length > 1)
          return {
            code: "unknown_option",
            message: `"${question.header}" takes one option, not ${reply.picks.length}.`,
          };
      }
      return undefined;
    }
  }
}

/** Stands in the journal for an answer that is nobody's to read again. */
const WITHHELD = "•••";

/** The answer as it may be kept: what was given to a secret question is told to the agent and written nowhere. */
export function keepable(ask: Ask, answer: Answer): Answer {
  if (ask.kind !== "question" || answer.kind !== "replies") return answer;
  const secret = new Set(ask.questions.filter((one) => one.secret).map((one) => one.question));
  if (!answer.replies.some((reply) => secret.has(reply.question))) return answer;
  return {
    kind: "replies",
    replies: answer.replies.map((reply) =>
      secret.has(reply.question)
        ? { question: reply.question, picks: reply.picks, ...(reply.text === undefined ? {} : { text: WITHHELD }) }
        : reply,
    ),
  };
}

/** Whether something of it was kept back. */
export function isWithheld(answer: Answer): boolean {
  return answer.kind === "replies" && answer.replies.some(({ text }) => text === WITHHELD);
}

function unknownChoice(choices: readonly Choice[], choice: string): Mismatch | undefined {
  if (choices.some((one) => one.choice === choice)) return undefined;
  return { code: "unknown_choice", message: `This ask does not offer "${choice}".` };
}

function wrongKind(ask: Ask, answer: Answer): Mismatch {
  return { code: "wrong_kind", message: `A ${ask.kind} cannot be answered with "${answer.kind}".` };
}
