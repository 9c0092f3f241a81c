/**
 * Modes, models and the agent's other options. ACP has them twice: as configuration options, of which a category says
 * what they are, and by older methods for modes and models; where an agent has both, the options are what counts.
 */
import type { AgentOption, AgentSetting } from "@flybridge/protocol/agent.ts";
import type { FactOf } from "@flybridge/protocol/entry.ts";
import { MAX_COMMANDS, MAX_OPTIONS, MAX_SETTINGS } from "@flybridge/protocol/limits.ts";
import { shortened } from "@flybridge/protocol/text.ts";
import type { Draft } from "../agent.ts";
import { labelOf } from "../bounds.ts";
import { listAt, objectAt, textAt, type Json } from "../json.ts";
import type { Memory, Sent } from "./memory.ts";
import { noticeOf, told } from "./notice.ts";
import { requestLine } from "./rpc.ts";

type Report = Omit<FactOf<"agent.reported">, "kind">;
type Kind = "model" | "mode";

/** Characters of what is said of a command or an option: lists of hundreds travel with each change. */
const MAX_DETAIL_CHARS = 300;

const YES_OR_NO = [
  { value: "true", label: "On" },
  { value: "false", label: "Off" },
];

/** What opening a conversation, or changing an option, says of the settings. */
export function hearSettings(memory: Memory, result: Json | undefined): Draft[] {
  const report: { -readonly [Key in keyof Report]: Report[Key] } = {};
  const modes = objectAt(result, "modes");
  if (modes) {
    report.modes = listAt(modes, "availableModes")
      .slice(0, MAX_OPTIONS)
      .map((mode) => optionOf(mode, "id"));
    memory.control.mode = {};
    memory.modes = report.modes.map((mode) => mode.value);
    Object.assign(report, valueOf("mode", textAt(modes, "currentModeId")));
  }
  const models = objectAt(result, "models");
  if (models) {
    report.models = listAt(models, "availableModels")
      .slice(0, MAX_OPTIONS)
      .map((model) => optionOf(model, "modelId"));
    memory.control.model = {};
    memory.models = report.models.map((model) => model.value);
    Object.assign(report, valueOf("model", textAt(models, "currentModelId")));
  }
  if (Array.isArray(result?.["configOptions"]))
    Object.assign(report, optionsIn(memory, listAt(result, "configOptions")));
  return reportOf(memory, report);
}

export function hearCommands(memory: Memory, update: Json): Draft[] {
  const commands = listAt(update, "availableCommands")
    .slice(0, MAX_COMMANDS)
    .map((command) => {
      const hint = textAt(objectAt(command, "input"), "hint");
      const detail = [textAt(command, "description"), hint]
        .filter((one) => one !== undefined && one !== "")
        .join(" · ");
      return { name: labelOf((textAt(command, "name") ?? "").replace(/^\//u, "")), ...detailOf(detail) };
    });
  return reportOf(memory, { commands });
}

/** Of single values only those that differ from what was told before. */
export function reportOf(memory: Memory, report: Report): Draft[] {
  const changed: Record<string, unknown> = { ...report };
  for (const key of ["version", "model", "mode", "title"] as const) {
    const value = report[key];
    if (value === undefined) continue;
    if (memory.reported[key] === value) delete changed[key];
    else memory.reported[key] = value;
  }
  return Object.keys(changed).length === 0
    ? []
    : [told({ kind: "agent.reported", ...changed } as FactOf<"agent.reported">)];
}

/** The line that changes a setting; none where the agent has nothing of the kind, which is said with the next line. */
export function changeLines(memory: Memory, kind: Kind, value: string): string[] {
  const control = memory.control[kind];
  const { conversation } = memory;
  if (!control || conversation === undefined) {
    memory.later.push(noticeOf("warning", `${memory.title} has no choice of ${kind}: "${value}" changes nothing.`));
    return [];
  }
  const sent: Sent = { kind, value };
  if (control.option !== undefined) {
    const params = { sessionId: conversation, configId: control.option, value };
    return [requestLine(memory, sent, "session/set_config_option", params)];
  }
  return kind === "mode"
    ? [requestLine(memory, sent, "session/set_mode", { sessionId: conversation, modeId: value })]
    : [requestLine(memory, sent, "session/set_model", { sessionId: conversation, modelId: value })];
}

export function settingLines(memory: Memory, setting: string, value: string): string[] {
  if (memory.conversation === undefined) return [];
  const params = memory.switches.includes(setting) ? { type: "boolean", value: value === "true" } : { value };
  const whole = { sessionId: memory.conversation, configId: setting, ...params };
  return [requestLine(memory, { kind: "setting", value }, "session/set_config_option", whole)];
}

/** What was chosen before there was a conversation, as far as the agent offers it and has not chosen it itself. */
export function wantedLines(memory: Memory): string[] {
  const { wanted, modes, models, reported } = memory;
  memory.wanted = {};
  const mode = wanted.mode ?? memory.asksIn.find((one) => modes.includes(one));
  return [
    ...(wanted.model === undefined || wanted.model === reported.model || !models.includes(wanted.model)
      ? []
      : changeLines(memory, "model", wanted.model)),
    ...(mode === undefined || mode === reported.mode || !modes.includes(mode) ? [] : changeLines(memory, "mode", mode)),
  ];
}

function optionsIn(memory: Memory, options: readonly Json[]): Report {
  const report: { -readonly [Key in keyof Report]: Report[Key] } = {};
  const settings: AgentSetting[] = [];
  memory.switches = [];
  for (const option of options.slice(0, MAX_SETTINGS)) {
    const id = textAt(option, "id") ?? "";
    if (id === "" || id.length > MAX_DETAIL_CHARS) continue;
    const category = textAt(option, "category");
    if (category === "mode" || category === "model") {
      const choices = choicesIn(option);
      memory.control[category] = { option: id };
      if (category === "mode") memory.modes = choices.map((one) => one.value);
      else memory.models = choices.map((one) => one.value);
      report[category === "mode" ? "modes" : "models"] = choices;
      Object.assign(report, valueOf(category, textAt(option, "currentValue")));
      continue;
    }
    const isSwitch = textAt(option, "type") === "boolean";
    if (isSwitch) memory.switches.push(id);
    settings.push({
      setting: id,
      label: labelOf(textAt(option, "name") ?? id),
      ...detailOf(textAt(option, "description")),
      value: isSwitch ? String(option["currentValue"] === true) : labelOf(textAt(option, "currentValue") ?? ""),
      options: isSwitch ? YES_OR_NO : choicesIn(option),
    });
  }
  return { ...report, settings };
}

/** Grouped or not; the value that holds now is always among them. */
function choicesIn(option: Json): AgentOption[] {
  const choices = listAt(option, "options").flatMap((one) => {
    const group = textAt(one, "name");
    if (!Array.isArray(one["options"])) return [optionOf(one, "value")];
    return listAt(one, "options").map((inner) => {
      const made = optionOf(inner, "value");
      return group === undefined ? made : { ...made, label: labelOf(`${group}: ${made.label}`) };
    });
  });
  const current = textAt(option, "currentValue");
  if (choices.length <= MAX_OPTIONS) return choices;
  const holds = choices.filter((one) => one.value === current);
  return [...holds, ...choices.filter((one) => one.value !== current)].slice(0, MAX_OPTIONS);
}

function optionOf(option: Json, key: string): AgentOption {
  const value = labelOf(textAt(option, key) ?? "");
  return { value, label: labelOf(textAt(option, "name") ?? value), ...detailOf(textAt(option, "description")) };
}

function valueOf(kind: Kind, value: string | undefined): Partial<Record<Kind, string>> {
  return value === undefined ? {} : { [kind]: labelOf(value) };
}

function detailOf(text: string | undefined): { detail?: string } {
  return text === undefined || text === "" ? {} : { detail: shortened(text, MAX_DETAIL_CHARS) };
}
