/** Asking the person: an ask as prompts in the terminal. */
import { isCancel, multiselect, password, select, text } from "@clack/prompts";
import type { Answer, Ask, Choice, Question, Reply } from "@flybridge/protocol/ask.ts";
import { visibleLine } from "@flybridge/protocol/text.ts";
import { askTitle } from "./ask.ts";

/** A line to choose, and what choosing it means. Lines are told apart by place: an agent may call its options anything. */
interface Way<T> {
  readonly means: T;
  readonly label: string;
  readonly hint?: string;
}

/** Undefined when the person left it open, when it cannot be answered here, or `signal` aborted: it was answered elsewhere. */
export async function decide(ask: Ask, signal: AbortSignal): Promise<Answer | undefined> {
  if (ask.elsewhere !== undefined) return undefined;
  switch (ask.kind) {
    case "approval": {
      const allow = ask.choices.map((one) =>
        wayOf(one, () => Promise.resolve<Answer>({ kind: "allow", choice: one.choice })),
      );
      return (await pick(askTitle(ask), [...allow, denyWay(signal)], signal))?.();
    }
    case "plan": {
      const approve = ask.choices.map((one) =>
        wayOf(one, () => Promise.resolve<Answer>({ kind: "approve", choice: one.choice })),
      );
      const revise: Way<() => Promise<Answer | undefined>> = {
        means: () => revision(signal),
        label: "Send back with feedback",
      };
      return (await pick("The plan above", [...approve, revise, denyWay(signal)], signal))?.();
    }
    case "question": {
      const replies: Reply[] = [];
      for (const [at, question] of ask.questions.entries()) {
        const reply = await replyTo(
          question,
          ask.questions.length > 1 ? `${at + 1}/${ask.questions.length} ` : "",
          signal,
        );
        if (!reply) return undefined;
        replies.push(reply);
      }
      return { kind: "replies", replies };
    }
  }
}

async function replyTo(
  { question, text: words, options, many, secret }: Question,
  step: string,
  signal: AbortSignal,
): Promise<Reply | undefined> {
  const message = `${step}${visibleLine(words)}`;
  const ways: Way<string | undefined>[] = [
    ...options.map(({ label, detail }) => ({
      means: label,
      label: visibleLine(label),
      ...(detail === undefined ? {} : { hint: visibleLine(detail) }),
    })),
    { means: undefined, label: "Other…" },
  ];
  const picked =
    options.length === 0
      ? [undefined]
      : many
        ? await pickMany(message, ways, signal)
        : await pickOne(message, ways, signal);
  if (!picked) return undefined;
  const picks = picked.filter((label) => label !== undefined);
  if (picks.length === picked.length) return { question, picks };
  const asked = options.length === 0 ? message : "In your own words";
  const own = secret ? await hidden(asked, signal) : await write(asked, signal, true);
  return own === undefined ? undefined : { question, picks, text: own };
}

function denyWay(signal: AbortSignal): Way<() => Promise<Answer | undefined>> {
  const deny = async (): Promise<Answer | undefined> => {
    const reason = await write("Why not? The agent is told. Enter for no reason.", signal, false);
    return reason === undefined ? undefined : { kind: "deny", ...(reason === "" ? {} : { reason }) };
  };
  return { means: deny, label: "Deny" };
}

async function revision(signal: AbortSignal): Promise<Answer | undefined> {
  const feedback = await write("What should be different?", signal, true);
  return feedback === undefined ? undefined : { kind: "revise", feedback };
}

function wayOf<T>({ label, detail }: Choice, means: T): Way<T> {
  return { means, label: visibleLine(label), ...(detail === undefined ? {} : { hint: visibleLine(detail) }) };
}

async function pick<T>(message: string, ways: readonly Way<T>[], signal: AbortSignal): Promise<T | undefined> {
  return (await pickOne(message, ways, signal))?.[0];
}

async function pickOne<T>(message: string, ways: readonly Way<T>[], signal: AbortSignal): Promise<T[] | undefined> {
  const at = await select<number>({ message, options: linesOf(ways), signal });
  return isCancel(at) ? undefined : ways.slice(at, at + 1).map(({ means }) => means);
}

async function pickMany<T>(message: string, ways: readonly Way<T>[], signal: AbortSignal): Promise<T[] | undefined> {
  const picked = await multiselect<number>({ message, options: linesOf(ways), required: true, signal });
  return isCancel(picked) ? undefined : ways.filter((_, at) => picked.includes(at)).map(({ means }) => means);
}

function linesOf(ways: readonly Way<unknown>[]): { value: number; label: string; hint?: string }[] {
  return ways.map(({ label, hint }, value) => ({ value, label, ...(hint === undefined ? {} : { hint }) }));
}

async function write(message: string, signal: AbortSignal, required: boolean): Promise<string | undefined> {
  const validate = (value: string | undefined): string | undefined =>
    required && !value?.trim() ? "Write something, or press Esc to leave it open." : undefined;
  const written = await text({ message, signal, validate });
  return isCancel(written) ? undefined : (written ?? "");
}

/** What is typed is not shown, and nothing of it is cut off: a space may be part of it. */
async function hidden(message: string, signal: AbortSignal): Promise<string | undefined> {
  const written = await password({ message, signal });
  return isCancel(written) || written === "" ? undefined : written;
}
