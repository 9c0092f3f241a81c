/**
 * Codex has no modes but two settings, when it asks and what its sandbox lets through, and planning beside them. The
 * modes here are the pairs that make sense; any other pair, as a person's config.toml may have it, is shown as it is.
 */
import type { AgentOption } from "@flybridge/protocol/agent.ts";
import { labelOf } from "../bounds.ts";
import { objectAt, textAt, type Json } from "../json.ts";
import type { Memory } from "./memory.ts";

/** Named by nobody: whatever config.toml says. */
const CONFIGURED = "config";

interface Mode {
  readonly option: AgentOption;
  /** `approvalPolicy` on the wire. */
  readonly policy: string;
  /** `sandbox` where a thread is opened; `type` is the same in a `sandboxPolicy`. */
  readonly sandbox: "read-only" | "workspace-write" | "danger-full-access";
  readonly type: "readOnly" | "workspaceWrite" | "dangerFullAccess";
}

const MODES: readonly Mode[] = [
  {
    option: { value: "auto", label: "Auto", detail: "Edits and runs in the workspace; asks to go beyond it" },
    policy: "on-request",
    sandbox: "workspace-write",
    type: "workspaceWrite",
  },
  {
    option: { value: "ask", label: "Ask", detail: "Reads; asks before each edit and whatever would change something" },
    policy: "on-request",
    sandbox: "read-only",
    type: "readOnly",
  },
  {
    option: { value: "read-only", label: "Read only", detail: "Reads; changes nothing and asks for nothing" },
    policy: "never",
    sandbox: "read-only",
    type: "readOnly",
  },
  {
    option: { value: "plan", label: "Plan", detail: "Asks questions and plans, changes nothing" },
    policy: "on-request",
    sandbox: "read-only",
    type: "readOnly",
  },
  {
    option: {
      value: "full-access",
      label: "Full access",
      detail: "No sandbox, asks for nothing: whatever you may do on this machine",
    },
    policy: "never",
    sandbox: "danger-full-access",
    type: "dangerFullAccess",
  },
];

export const MODE_OPTIONS: readonly AgentOption[] = MODES.map(({ option }) => option);

function modeNamed(name: string | undefined): Mode | undefined {
  return MODES.find(({ option }) => option.value === name);
}

/** For `thread/start`, `thread/resume`, `thread/fork`; nothing for a mode that is not ours, which leaves config.toml's. */
export function openingOf(name: string | undefined): Json {
  const mode = modeNamed(name);
  return mode ? { approvalPolicy: mode.policy, sandbox: mode.sandbox, approvalsReviewer: "user" } : {};
}

/** For `thread/settings/update` and `turn/start`. */
export function settingsOf(name: string, memory: Pick<Memory, "chosen" | "writable">): Json {
  const mode = modeNamed(name);
  if (!mode) return {};
  return {
    approvalPolicy: mode.policy,
    approvalsReviewer: "user",
    sandboxPolicy: policyOf(mode.type, memory.writable),
    ...collaborationOf(name === "plan", memory),
  };
}

/** Model and thinking are part of how one plans there, and have to be said again; so it is said only when it changes. */
function collaborationOf(planning: boolean, { chosen }: Pick<Memory, "chosen">): Json {
  const { model, effort } = chosen;
  if (model === undefined || planning === chosen.planning) return {};
  const settings = { model, reasoning_effort: effort ?? null, developer_instructions: null };
  return { collaborationMode: { mode: planning ? "plan" : "default", settings } };
}

/** What settings come to, with an option of its own where they are none of the modes. */
export function modeOf(settings: {
  readonly approvalPolicy?: unknown;
  readonly sandbox?: Json | undefined;
  readonly collaborationMode?: Json | undefined;
}): AgentOption {
  if (textAt(settings.collaborationMode, "mode") === "plan") return modeNamed("plan")?.option as AgentOption;
  const type = textAt(settings.sandbox, "type");
  const found = MODES.find(
    (mode) => mode.option.value !== "plan" && mode.policy === settings.approvalPolicy && mode.type === type,
  );
  if (found) return found.option;
  const policy =
    typeof settings.approvalPolicy === "string" ? settings.approvalPolicy : JSON.stringify(settings.approvalPolicy);
  return {
    value: CONFIGURED,
    label: "As configured",
    detail: labelOf(`approval_policy ${policy ?? "unset"}, sandbox ${type ?? "unset"}, as in config.toml`),
  };
}

export function isConfigured(mode: AgentOption): boolean {
  return mode.value === CONFIGURED;
}

function policyOf(type: Mode["type"], writable: Json | undefined): Json {
  switch (type) {
    case "readOnly":
      return { type, networkAccess: false };
    case "dangerFullAccess":
      return { type };
    case "workspaceWrite":
      return (
        writable ?? {
          type,
          writableRoots: [],
          networkAccess: false,
          excludeTmpdirEnvVar: false,
          excludeSlashTmp: false,
        }
      );
  }
}

/** The sandbox of a response or of `threadSettings`, which name it differently. */
export function sandboxIn(from: Json | undefined): Json | undefined {
  return objectAt(from, "sandbox") ?? objectAt(from, "sandboxPolicy");
}
