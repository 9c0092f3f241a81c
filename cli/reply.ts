/** From flags to an answer: pure, so that a script's answer is checked before anything is sent. */
import { type Answer, type Ask, type Choice, mismatchOf, type Question, type Reply } from "@flybridge/protocol/ask.ts";
import { RULE_CHOICES } from "@flybridge/protocol/rule.ts";
import { visibleLine } from "@flybridge/protocol/text.ts";
import { usage } from "./fault.ts";

export interface ReplyFlags {
  readonly allow?: string;
  readonly deny?: string;
  readonly approve?: string;
  /** The text of the edited plan, not its file. */
  readonly edited?: string;
  readonly revise?: string;
  readonly pick?: readonly string[];
  readonly text?: readonly string[];
  readonly note?: readonly string[];
}

const RULES: ReadonlyMap<string, string> = new Map(Object.entries(RULE_CHOICES));

/** Undefined when no flag says anything. Throws usage faults that name what the ask offers. */
export function answerFrom(ask: Ask, flags: ReplyFlags): Answer | undefined {
  const { allow, deny, approve, edited, revise, pick = [], text = [], note = [] } = flags;
  const replies = pick.length + text.length + note.length > 0;
  const given = [allow, deny, approve, revise].filter((flag) => flag !== undefined).length + (replies ? 1 : 0);
  if (given > 1) throw usage("Give one answer: --allow, --deny, --approve, --revise, or picks, texts and notes.");
  if (edited !== undefined && approve === undefined) throw usage("--edited goes with --approve.");
  const answer = ((): Answer | undefined => {
    if (deny !== undefined) return { kind: "deny", ...(deny === "" ? {} : { reason: deny }) };
    if (allow !== undefined) return { kind: "allow", choice: choiceOf(ask, allow) };
    if (approve !== undefined)
      return { kind: "approve", choice: choiceOf(ask, approve), ...(edited === undefined ? {} : { edited }) };
    if (revise !== undefined) return { kind: "revise", feedback: revise };
    return replies ? { kind: "replies", replies: repliesFrom(ask, pick, text, note) } : undefined;
  })();
  const mismatch = answer && mismatchOf(ask, answer);
  if (mismatch) throw usage(`${visibleLine(mismatch.message)} ${waysText(ask)}`);
  return answer;
}

/** How this ask can be answered, for errors and help. */
export function waysText(ask: Ask): string {
  if (ask.elsewhere !== undefined) return visibleLine(ask.elsewhere);
  switch (ask.kind) {
    case "approval":
      return `Answer it with --allow [${choicesText(ask.choices)}] or --deny [REASON].`;
    case "plan":
      return `Answer it with --approve [${choicesText(ask.choices)}] [--edited FILE], --revise TEXT or --deny [REASON].`;
    case "question":
      return `Answer it with --pick, --text or --note (${ask.questions.map((question, at) => `${at + 1}: ${visibleLine(question.header)}`).join(", ")}), or --deny [REASON].`;
  }
}

function choiceOf(ask: Ask, typed: string): string {
  // The kind that does not fit is told by `mismatchOf`.
  if (ask.kind === "question") return typed;
  if (typed === "") return (ask.choices.find(({ scope }) => scope === "once") ?? ask.choices[0])?.choice ?? typed;
  return (
    (
      ask.choices.find(({ choice }) => choice === typed) ??
      ask.choices.find(({ label }) => label === typed) ??
      // `--allow session` and `--allow always`, where the agent has no choice of that name: the host's own.
      ask.choices.find(({ choice }) => choice === RULES.get(typed))
    )?.choice ?? typed
  );
}

function repliesFrom(ask: Ask, pick: readonly string[], text: readonly string[], note: readonly string[]): Reply[] {
  if (ask.kind !== "question") throw usage(`This is not a question. ${waysText(ask)}`);
  const replies = new Map<string, { picks: string[]; text?: string; note?: string }>();
  const replyTo = (question: Question): { picks: string[]; text?: string; note?: string } => {
    const reply = replies.get(question.question) ?? { picks: [] };
    replies.set(question.question, reply);
    return reply;
  };
  for (const one of pick) {
    const { question, value } = split(ask.questions, one, "--pick");
    replyTo(question).picks.push(optionOf(question, value));
  }
  for (const one of text) {
    const { question, value } = split(ask.questions, one, "--text");
    replyTo(question).text = value;
  }
  for (const one of note) {
    const { question, value } = split(ask.questions, one, "--note");
    replyTo(question).note = value;
  }
  return [...replies].map(([question, reply]) => ({ question, ...reply }));
}

/** `Q=VALUE`, where Q is a question's id, number or header; with one question, VALUE alone. */
function split(questions: readonly Question[], typed: string, flag: string): { question: Question; value: string } {
  const at = typed.indexOf("=");
  const named = at < 0 ? undefined : questionOf(questions, typed.slice(0, at));
  if (named) return { question: named, value: typed.slice(at + 1) };
  const [only] = questions;
  if (only && questions.length === 1) return { question: only, value: typed };
  const names = questions.map((question, number) => `${number + 1} (${visibleLine(question.header)})`).join(", ");
  throw usage(`${flag} ${visibleLine(typed)} does not say which question: write it as Q=…, with Q one of ${names}.`);
}

function questionOf(questions: readonly Question[], typed: string): Question | undefined {
  return (
    questions.find(({ question }) => question === typed) ??
    questions.find((_, at) => String(at + 1) === typed) ??
    questions.find(({ header }) => header === typed)
  );
}

/** An option by its label, or by its number. */
function optionOf({ options, header }: Question, typed: string): string {
  const option = options.find(({ label }) => label === typed) ?? options.find((_, at) => String(at + 1) === typed);
  if (option) return option.label;
  const labels = options.map(({ label }, at) => `${at + 1} (${visibleLine(label)})`).join(", ");
  throw usage(
    `"${visibleLine(header)}" has no option ${visibleLine(typed)}. There are: ${labels}. For an answer of your own, use --text.`,
  );
}

function choicesText(choices: readonly Choice[]): string {
  return choices.map(({ choice }) => visibleLine(choice)).join("|");
}
