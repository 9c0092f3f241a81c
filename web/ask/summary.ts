/** An ask and an answer in a few words: for titles, for the transcript, for what is on its way. */
import { type Answer, type Ask, type Choice, keepable } from "@flybridge/protocol/ask.ts";
import type { ToolKind } from "@flybridge/protocol/item.ts";
import { shortened, visibleLine } from "@flybridge/protocol/text.ts";
import { counted, t } from "../words.ts";

/** Characters of an answer that a line shows. */
const SHORT_CHARS = 80;

export function askTitle(ask: Ask): string {
  switch (ask.kind) {
    case "approval":
      return approvalTitle(ask.evidence.kind, visibleLine(ask.evidence.tool), ask.evidence.edits.length);
    case "question":
      return ask.questions.length === 1
        ? t("Has a question")
        : counted(ask.questions.length, "Has {n} question", "Has {n} questions");
    case "plan":
      return t("Has a plan");
  }
}

function approvalTitle(kind: ToolKind, tool: string, edits: number): string {
  switch (kind) {
    case "command":
      return t("Wants to run a command");
    case "edit":
      return counted(Math.max(edits, 1), "Wants to change a file", "Wants to change {n} files");
    case "read":
      return t("Wants to read a file");
    case "fetch":
      return t("Wants to open an address");
    default:
      return t("Wants to use {tool}", { tool: shortened(tool, SHORT_CHARS) });
  }
}

export function answerWords(given: Answer, ask: Ask): string {
  const answer = keepable(ask, given);
  switch (answer.kind) {
    case "allow":
    case "approve": {
      const choices: readonly Choice[] = ask.kind === "question" ? [] : ask.choices;
      const label = choices.find((one) => one.choice === answer.choice)?.label ?? answer.choice;
      return answer.kind === "approve" && answer.edited !== undefined
        ? t("{label}, as edited", { label: visibleLine(label) })
        : visibleLine(label);
    }
    case "deny": {
      const no = ask.kind === "question" ? t("Skipped") : t("Denied");
      return answer.reason === undefined ? no : `${no}: ${short(answer.reason)}`;
    }
    case "revise":
      return t("Sent back: {feedback}", { feedback: short(answer.feedback) });
    case "replies":
      return (
        short(
          answer.replies
            .flatMap((reply) => [...reply.picks, ...(reply.text === undefined ? [] : [reply.text])])
            .join(", "),
        ) || t("Noted")
      );
  }
}

function short(text: string): string {
  return shortened(visibleLine(text), SHORT_CHARS);
}
