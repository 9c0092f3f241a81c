/** What Claude wants decided (`can_use_tool`, `elicitation`) as an ask, and the answer as the one line that settles it. */
import type { Answer, Ask, Evidence, Question, Reply } from "@flybridge/protocol/ask.ts";
import type { AskId, ItemId } from "@flybridge/protocol/ids.ts";
import {
  MAX_INPUT_CHARS,
  MAX_LABEL_CHARS,
  MAX_OPTIONS,
  MAX_PLAN_CHARS,
  MAX_QUESTIONS,
} from "@flybridge/protocol/limits.ts";
import { foreignIdOf, kept, labelOf, pathOf, wordsOf } from "../bounds.ts";
import { listAt, objectAt, textAt, type Json } from "../json.ts";
import { contentOf, formQuestions } from "./form.ts";
import type { Memory, PendingAsk } from "./memory.ts";
import { choicesOf, suggestionOf } from "./permission.ts";
import { editsOf, inputOf, kindOf } from "./tool.ts";

/** What the agent is told when a person says no without a reason. */
const NO_REASON = "The person looked at this and said no.";

const PLAN_CHOICES = [
  {
    choice: "acceptEdits",
    label: "Approve and start",
    detail: "Edits in the workspace are made without asking; commands are still asked for.",
    scope: "session" as const,
  },
  {
    choice: "default",
    label: "Approve and ask for each edit",
    detail: "Every edit and command is asked for.",
    scope: "session" as const,
  },
];

/** Why Claude asks, where it names only a class of reasons. */
const REASONS: Record<string, string> = {
  rule: "A rule in the settings says to ask.",
  hook: "A hook says to ask.",
  workingDir: "It reaches outside the workspace.",
  safetyCheck: "A safety check says to ask.",
  sandboxOverride: "It asks to run outside the sandbox.",
  classifier: "Claude was not sure that this is safe.",
};

/** The ask for a request, and what must be kept to answer it. */
export function openAsk(memory: Memory, id: string, request: Json): { ask: Ask; pending: PendingAsk } {
  const input = objectAt(request, "input") ?? {};
  const item = foreignIdOf(textAt(request, "tool_use_id")) as ItemId | undefined;
  const from = askerOf(memory, request);
  const common = {
    ask: id as AskId,
    ...(item === undefined ? {} : { item }),
    ...(from === undefined ? {} : { from }),
  };
  if (textAt(request, "subtype") === "elicitation") {
    return {
      ask: { ...common, kind: "question", questions: formQuestions(request) },
      pending: { kind: "form", input: request, suggestions: [] },
    };
  }
  const name = textAt(request, "tool_name") ?? "tool";
  const questions = name === "AskUserQuestion" ? questionsOf(input) : [];
  if (questions.length > 0) {
    return { ask: { ...common, kind: "question", questions }, pending: { kind: "question", input, suggestions: [] } };
  }
  const plan = textAt(input, "plan");
  if (name === "ExitPlanMode" && plan !== undefined) {
    const path = textAt(input, "planFilePath");
    return {
      ask: {
        ...common,
        kind: "plan",
        plan: kept(plan, MAX_PLAN_CHARS),
        ...(path === undefined ? {} : { path: pathOf(path) }),
        choices: PLAN_CHOICES,
      },
      pending: { kind: "plan", input, suggestions: [] },
    };
  }
  const offered = listAt(request, "permission_suggestions").slice(0, MAX_OPTIONS - 1);
  // Claude says where a rule would permit more than what is asked for here.
  const suggestions =
    request["suppress_always_allow_rule"] === true
      ? offered.filter((one) => textAt(one, "type") !== "addRules")
      : offered;
  return {
    ask: {
      ...common,
      kind: "approval",
      evidence: evidenceOf(memory, name, input, request),
      choices: choicesOf(suggestions),
    },
    pending: { kind: "approval", input, suggestions },
  };
}

/** The payload of the control response; undefined where the answer does not belong to the ask. */
export function answerTo(pending: PendingAsk, answer: Answer): Json | undefined {
  const { input } = pending;
  if (answer.kind === "deny") {
    if (pending.kind === "form") return { action: "decline" };
    return { behavior: "deny", message: said(answer.reason) ?? NO_REASON };
  }
  switch (pending.kind) {
    case "approval": {
      if (answer.kind !== "allow") return undefined;
      const suggestion = suggestionOf(pending.suggestions, answer.choice);
      return { behavior: "allow", updatedInput: input, ...(suggestion ? { updatedPermissions: [suggestion] } : {}) };
    }
    case "plan": {
      if (answer.kind === "revise") return { behavior: "deny", message: said(answer.feedback) ?? NO_REASON };
      if (answer.kind !== "approve") return undefined;
      const updatedInput = answer.edited === undefined ? input : { ...input, plan: answer.edited };
      const mode = { type: "setMode", mode: answer.choice, destination: "session" };
      return { behavior: "allow", updatedInput, updatedPermissions: [mode] };
    }
    case "question":
      if (answer.kind !== "replies") return undefined;
      return { behavior: "allow", updatedInput: { ...input, ...repliesFor(input, answer.replies) } };
    case "form":
      if (answer.kind !== "replies") return undefined;
      return { action: "accept", content: contentOf(input, answer.replies) };
  }
}

/** Claude keys answers by the text of the question; ours are keyed by place, which two equal texts cannot confuse. */
function repliesFor(input: Json, replies: readonly Reply[]): Json {
  const answers: Record<string, string> = {};
  const annotations: Record<string, Json> = {};
  for (const [place, question] of listAt(input, "questions").entries()) {
    const reply = replies.find((one) => one.question === keyOf(place));
    const text = textAt(question, "question") ?? "";
    const note = said(reply?.note);
    const parts = [...(reply?.picks ?? []), ...(said(reply?.text) === undefined ? [] : [reply?.text ?? ""])];
    // A note is only told beside an answer: alone, it is the answer.
    if (parts.length > 0) answers[text] = parts.join(", ");
    else if (note !== undefined) answers[text] = note;
    if (parts.length > 0 && note !== undefined) annotations[text] = { notes: note };
  }
  return { answers, ...(Object.keys(annotations).length === 0 ? {} : { annotations }) };
}

function questionsOf(input: Json): Question[] {
  return listAt(input, "questions")
    .slice(0, MAX_QUESTIONS)
    .map((question, place) => ({
      question: keyOf(place),
      header: labelOf(textAt(question, "header") ?? ""),
      text: wordsOf(textAt(question, "question") ?? ""),
      options: listAt(question, "options")
        .slice(0, MAX_OPTIONS)
        .map((option) => {
          const detail = textAt(option, "description");
          return {
            label: labelOf(textAt(option, "label") ?? ""),
            ...(detail === undefined ? {} : { detail: wordsOf(detail) }),
          };
        }),
      many: question["multiSelect"] === true,
      secret: false,
    }));
}

function keyOf(place: number): string {
  return `q${place + 1}`;
}

function evidenceOf(memory: Memory, name: string, input: Json, request: Json): Evidence {
  const kind = kindOf(name);
  const purpose = textAt(input, "description") ?? (kind === "other" ? textAt(request, "description") : undefined);
  const command = kind === "command" ? textAt(input, "command") : undefined;
  const path = textAt(input, "file_path") ?? textAt(input, "notebook_path") ?? textAt(input, "path");
  const url = textAt(input, "url");
  const server = textAt(objectAt(request, "mcp_server"), "name") ?? /^mcp__(.+?)__/u.exec(name)?.[1];
  const reason = reasonOf(request);
  return {
    tool: labelOf(name),
    kind,
    directory: pathOf(memory.workspace),
    edits: editsOf(name, input),
    input: inputOf(input),
    ...(purpose === undefined ? {} : { purpose: wordsOf(purpose) }),
    ...(command === undefined ? {} : { command: kept(command, MAX_INPUT_CHARS) }),
    ...(path === undefined ? {} : { path: pathOf(path) }),
    ...(url === undefined ? {} : { url: kept(url, MAX_INPUT_CHARS) }),
    ...(server === undefined ? {} : { server: labelOf(server) }),
    ...(reason === undefined ? {} : { reason: wordsOf(reason) }),
  };
}

function reasonOf(request: Json): string | undefined {
  const rule = objectAt(request, "matched_ask_rule");
  const outside = textAt(request, "blocked_path");
  const parts = [
    textAt(request, "decision_reason") ?? REASONS[textAt(request, "decision_reason_type") ?? ""],
    rule && `The rule ${textAt(rule, "tool_name") ?? ""} in ${textAt(rule, "source") ?? "the settings"} says to ask.`,
    outside !== undefined && `It touches ${outside}.`,
  ].filter((part) => typeof part === "string");
  return parts.length === 0 ? undefined : parts.join(" ");
}

/** A sub-agent is named by the call that started it; Claude only gives its id here. */
function askerOf(memory: Memory, request: Json): string | undefined {
  if (textAt(request, "agent_id") === undefined) return undefined;
  const tool = foreignIdOf(textAt(request, "tool_use_id"));
  const parent = tool === undefined ? undefined : memory.tools[tool]?.item.parent;
  const call = parent === undefined ? undefined : memory.tools[parent]?.item.tool.object;
  return (call || "A sub-agent").slice(0, MAX_LABEL_CHARS);
}

function said(text: string | undefined): string | undefined {
  return text === undefined || text.trim() === "" ? undefined : text;
}
