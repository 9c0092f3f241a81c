/** What a host says of an agent it could start: enough to offer it, and to say how to mend it where it cannot. */
import * as v from "valibot";
import { AgentName } from "./ids.ts";
import {
  MAX_ANSWER_CHARS,
  MAX_ARGUMENTS,
  MAX_COMMANDS,
  MAX_LABEL_CHARS,
  MAX_OPTIONS,
  MAX_PATH_CHARS,
  MAX_SETTINGS,
} from "./limits.ts";

const label = v.pipe(v.string(), v.maxLength(MAX_LABEL_CHARS));

/** One value that can be chosen. */
export const AgentOption = v.object({ value: label, label, detail: v.optional(label) });
export type AgentOption = v.InferOutput<typeof AgentOption>;

/** A command of the agent's own, without its slash. */
export const AgentCommand = v.object({ name: label, detail: v.optional(label) });
export type AgentCommand = v.InferOutput<typeof AgentCommand>;

/** A setting of the agent's own beside model and mode. */
export const AgentSetting = v.object({
  setting: label,
  label,
  detail: v.optional(label),
  value: label,
  options: v.pipe(v.array(AgentOption), v.maxLength(MAX_OPTIONS)),
});
export type AgentSetting = v.InferOutput<typeof AgentSetting>;

/** What a running agent offers, as far as it says; what is absent has not changed. */
export const Offered = {
  models: v.optional(v.pipe(v.array(AgentOption), v.maxLength(MAX_OPTIONS))),
  modes: v.optional(v.pipe(v.array(AgentOption), v.maxLength(MAX_OPTIONS))),
  settings: v.optional(v.pipe(v.array(AgentSetting), v.maxLength(MAX_SETTINGS))),
  commands: v.optional(v.pipe(v.array(AgentCommand), v.maxLength(MAX_COMMANDS))),
};

/** A program and its arguments. */
export const Command = v.pipe(
  v.array(v.pipe(v.string(), v.maxLength(MAX_PATH_CHARS))),
  v.minLength(1),
  v.maxLength(MAX_ARGUMENTS),
);

export const AgentInfo = v.object({
  agent: AgentName,
  /** The name people know it by: "Claude Code". */
  title: label,
  version: v.optional(label),
  models: v.array(AgentOption),
  modes: v.array(AgentOption),
  /** Its sessions are terminals: a screen, and keys. */
  terminal: v.optional(v.boolean()),
  /** What a prompt may carry beside its text; absent where it takes nothing. */
  attaches: v.optional(v.picklist(["images", "files"])),
  /** It has conversations on this machine that can be gone on with. */
  remembers: v.optional(v.boolean()),
  /** How to install it: run in a terminal when the person says so, never by itself. */
  install: v.optional(Command),
  /** Absent when it can be started; otherwise what is wrong and how to mend it. */
  problem: v.optional(
    v.object({
      code: v.picklist(["not_installed", "too_old", "not_signed_in", "broken"]),
      message: v.pipe(v.string(), v.maxLength(MAX_ANSWER_CHARS)),
    }),
  ),
});
export type AgentInfo = v.InferOutput<typeof AgentInfo>;
