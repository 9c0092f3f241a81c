/** An ask as a person reads it in a terminal: who wants what, on what evidence, and what may be answered. */
import type { Answer, Ask, Choice, Settlement } from "@flybridge/protocol/ask.ts";
import type { DeviceId } from "@flybridge/protocol/ids.ts";
import type { Edit } from "@flybridge/protocol/item.ts";
import { visible, visibleLine } from "@flybridge/protocol/text.ts";
import type { Style } from "./terminal.ts";

/** How it was noticed, where that can be less sure. */
const SOURCES = { screen: "read from the screen", signal: "from a signal of the program" } as const;

/** The whole of it, unshortened: what is approved is what is shown. */
export function askLines(ask: Ask, style: Style): string[] {
  const from = [
    ...(ask.from === undefined ? [] : [style.dim(`  asked by ${visibleLine(ask.from)}`)]),
    ...(ask.source === undefined || ask.source === "hook" ? [] : [style.dim(`  ${SOURCES[ask.source]}`)]),
    ...(ask.elsewhere === undefined ? [] : indented(ask.elsewhere)),
  ];
  switch (ask.kind) {
    case "approval":
      return [
        `${style.signal("▲ Approve?")} ${style.bold(visibleLine(ask.evidence.tool))}`,
        ...from,
        ...evidenceLines(ask, style),
        ...choiceLines(ask.choices, style),
      ];
    case "plan": {
      const path = ask.path === undefined ? [] : [style.dim(`  ${visibleLine(ask.path)}`)];
      return [
        style.signal("▲ Plan to approve"),
        ...from,
        ...path,
        ...indented(ask.plan),
        ...choiceLines(ask.choices, style),
      ];
    }
    case "question":
      return [
        style.signal(ask.questions.length === 1 ? "▲ Question" : `▲ ${ask.questions.length} questions`),
        ...from,
        ...ask.questions.flatMap(({ question, header, text, options, many }, at) => [
          `  ${at + 1}. ${style.bold(visibleLine(header))} ${style.dim(`(${visibleLine(question)})`)}${many ? style.dim(" several may be picked") : ""}`,
          ...indented(text, "     "),
          ...options.map(
            ({ label, detail }) =>
              `     · ${visibleLine(label)}${detail === undefined ? "" : style.dim(`  ${visibleLine(detail)}`)}`,
          ),
        ]),
      ];
  }
}

/** One line for lists: "Bash: npm test". */
export function askTitle(ask: Ask): string {
  switch (ask.kind) {
    case "approval": {
      const { tool, command, path, url, purpose } = ask.evidence;
      const object = command ?? path ?? url ?? purpose;
      return visibleLine(object === undefined ? tool : `${tool}: ${object}`);
    }
    case "plan":
      return "a plan to approve";
    case "question":
      return visibleLine(ask.questions.map(({ header, text }) => header || text).join(" · "));
  }
}

const RULE_TEXTS = { session: "again in this session", always: "and always from now on" } as const;

export function settlementText(settlement: Settlement, nameOf: (device: DeviceId) => string): string {
  switch (settlement.kind) {
    case "answered":
      return `${answerText(settlement.answer)}${settlement.rule === undefined ? "" : `, ${RULE_TEXTS[settlement.rule]},`} by ${nameOf(settlement.by)}`;
    case "ruled":
      return `${answerText(settlement.answer)} by a standing rule of ${nameOf(settlement.by)}`;
    case "withdrawn":
      return "taken back by the agent";
    case "void":
      return "void: the agent's process ended";
  }
}

function answerText(answer: Answer): string {
  switch (answer.kind) {
    case "allow":
      return `allowed (${visibleLine(answer.choice)})`;
    case "deny":
      return answer.reason ? `denied: ${visibleLine(answer.reason)}` : "denied";
    case "approve":
      return `approved${answer.edited === undefined ? "" : " as edited"} (${visibleLine(answer.choice)})`;
    case "revise":
      return `sent back: ${visibleLine(answer.feedback)}`;
    case "replies":
      return `answered ${visibleLine(answer.replies.map(({ picks, text, note }) => [...picks, text, note].filter(Boolean).join(", ")).join("; "))}`;
  }
}

function evidenceLines(ask: Extract<Ask, { kind: "approval" }>, style: Style): string[] {
  const { purpose, command, directory, path, url, edits, server, reason, input } = ask.evidence;
  const facts = [
    ["directory", directory],
    ["file", path],
    ["address", url],
    ["server", server],
    ["why asked", reason],
  ] as const;
  const hasObject = command !== undefined || path !== undefined || url !== undefined || edits.length > 0;
  return [
    ...(purpose === undefined ? [] : [`  ${visibleLine(purpose)}`]),
    ...(command === undefined ? [] : indented(command, "  $ ")),
    ...facts.flatMap(([name, fact]) => (fact === undefined ? [] : [`  ${style.dim(name)} ${visibleLine(fact)}`])),
    ...edits.flatMap((edit) => editLines(edit, style)),
    // Of a tool that we do not know, the input is all the evidence there is.
    ...(hasObject ? [] : indented(input)),
  ];
}

function editLines({ path, diff, added, removed }: Edit, style: Style): string[] {
  return [
    `  ${visibleLine(path)} ${style.good(`+${added}`)} ${style.bad(`−${removed}`)}`,
    ...visible(diff)
      .split("\n")
      .filter((line) => line !== "")
      .map(
        (line) =>
          `    ${line.startsWith("+") ? style.good(line) : line.startsWith("-") ? style.bad(line) : style.dim(line)}`,
      ),
  ];
}

function choiceLines(choices: readonly Choice[], style: Style): string[] {
  return choices.map(({ choice, label, detail }) => {
    const more = detail === undefined || detail === label ? "" : style.dim(`  ${visibleLine(detail)}`);
    return `  · ${visibleLine(label)} ${style.dim(`(${visibleLine(choice)})`)}${more}`;
  });
}

/** Every line of a text, marked by `first` and then by as many spaces. */
export function indented(text: string, first = "  "): string[] {
  return visible(text)
    .split("\n")
    .map((line, at) => `${at === 0 ? first : " ".repeat(first.length)}${line}`);
}
