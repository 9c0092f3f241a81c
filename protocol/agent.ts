/** What a host says of an agent it could start: enough to offer it, and to say how to mend it where it cannot. */
import * as v from "valibot";
import { AgentName } from "./ids.ts";
import { MAX_ANSWER_CHARS, MAX_LABEL_CHARS } from "./limits.ts";

const label = v.pipe(v.string(), v.maxLength(MAX_LABEL_CHARS));
const option = v.object({ value: label, label, detail: v.optional(label) });

export const AgentInfo = v.object({
  agent: AgentName,
  /** The name people know it by: "Claude Code". */
  title: label,
  version: v.optional(label),
  models: v.array(option),
  modes: v.array(option),
  /** Absent when it can be started; otherwise what is wrong and how to mend it. */
  problem: v.optional(
    v.object({
      code: v.picklist(["not_installed", "too_old", "not_signed_in", "broken"]),
      message: v.pipe(v.string(), v.maxLength(MAX_ANSWER_CHARS)),
    }),
  ),
});
export type AgentInfo = v.InferOutput<typeof AgentInfo>;
