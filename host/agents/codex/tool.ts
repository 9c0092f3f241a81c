/** Codex's thread items that are tool calls: what each is about, its diffs, and what came of it. */
import type { Edit, ToolItem } from "@flybridge/protocol/item.ts";
import { MAX_EDITS, MAX_INPUT_CHARS } from "@flybridge/protocol/limits.ts";
import { kept, labelOf } from "../bounds.ts";
import { isObject, listAt, numberAt, objectAt, textAt, type Json } from "../json.ts";
import { editsOf } from "./patch.ts";

export type Tool = ToolItem["tool"];
type ToolKind = Tool["kind"];

/** A tool item as it stands, and its whole output where it is told whole. */
export interface ToolTold {
  readonly tool: Tool;
  readonly body: string;
}

/** Undefined for an item that is no tool call. */
export function toolOf(item: Json): ToolTold | undefined {
  const state = stateOf(textAt(item, "status"));
  switch (textAt(item, "type")) {
    case "commandExecution": {
      const actions = listAt(item, "commandActions");
      const command = textAt(item, "command") ?? "";
      const exit = numberAt(item, "exitCode");
      return told("exec_command", commandKind(actions), unwrapped(command), {
        input: { command, cwd: item["cwd"] ?? null },
        body: textAt(item, "aggregatedOutput") ?? "",
        state,
        ...(exit === undefined ? {} : { exit }),
      });
    }
    case "fileChange": {
      const changes = listAt(item, "changes");
      return told("apply_patch", "edit", filesOf(changes), {
        input: { changes },
        state,
        edits: editsOf(changes),
      });
    }
    case "mcpToolCall": {
      const server = textAt(item, "server") ?? "";
      const input = item["arguments"] ?? null;
      return told(`mcp__${server}__${textAt(item, "tool") ?? ""}`, "other", objectOf(input), {
        input,
        body: textAt(objectAt(item, "error"), "message") ?? contentOf(objectAt(item, "result")?.["content"]),
        state,
      });
    }
    case "dynamicToolCall": {
      const input = item["arguments"] ?? null;
      return told(textAt(item, "tool") ?? "tool", "other", objectOf(input), {
        input,
        body: contentOf(item["contentItems"]),
        state,
      });
    }
    case "webSearch": {
      const action = objectAt(item, "action");
      const asked = textAt(action, "query") ?? textAt(action, "url") ?? textAt(item, "query") ?? "";
      return told("web_search", "fetch", asked, { input: action ?? { query: asked }, state: "done" });
    }
    case "imageView": {
      const path = textAt(item, "path") ?? "";
      return told("view_image", "read", path, { input: { path }, state: "done" });
    }
    case "imageGeneration":
      return told("image_generation", "other", textAt(item, "revisedPrompt") ?? "", { input: {}, state: "done" });
    case "sleep":
      return told("sleep", "other", `${numberAt(item, "durationMs") ?? 0} ms`, { input: {}, state: "done" });
    case "collabAgentToolCall": {
      const prompt = textAt(item, "prompt") ?? "";
      const name = textAt(item, "tool") ?? "agent";
      return told(name, "agent", prompt || name, { input: { prompt, model: item["model"] ?? null }, state });
    }
    default:
      return undefined;
  }
}

export function inputOf(input: unknown): string {
  return kept(JSON.stringify(input) ?? "null", MAX_INPUT_CHARS);
}

/**
 * Codex runs `/bin/bash -lc 'SCRIPT'` and shows SCRIPT, and so do we where that can be read back without doubt: the
 * whole of it stands in the item's input.
 */
export function unwrapped(command: string): string {
  const script = /^(?:\/\S+\/)?(?:ba|z|da)?sh -l?c (?<word>[\s\S]+)$/u.exec(command)?.groups?.["word"];
  if (script === undefined) return command;
  if (/^[\w@%+=:,./-]+$/u.test(script)) return script;
  // POSIX shell §2.2.2: what is in single quotes is literal; a quote itself is written outside of them.
  const quoted = /^'[^']*'(?:(?:\\'|"'")(?:'[^']*')?)*$/u.test(script);
  if (quoted)
    return script.replaceAll(
      /'(?<inner>[^']*)'(?<quote>\\'|"'")?/gu,
      (_, inner: string, quote?: string) => `${inner}${quote === undefined ? "" : "'"}`,
    );
  const double = /^"(?<inner>[^"\\$`]*)"$/u.exec(script)?.groups?.["inner"];
  return double ?? command;
}

function told(
  name: string,
  kind: ToolKind,
  object: string,
  more: {
    readonly input: unknown;
    readonly body?: string;
    readonly state: Tool["state"];
    readonly edits?: Edit[];
    readonly exit?: number;
  },
): ToolTold {
  const { input, body = "", edits = [], ...rest } = more;
  return {
    tool: {
      name: labelOf(name),
      kind,
      object: labelOf(object),
      input: inputOf(input),
      edits: edits.slice(0, MAX_EDITS),
      ...rest,
    },
    body,
  };
}

function stateOf(status: string | undefined): Tool["state"] {
  switch (status) {
    case "completed":
      return "done";
    case "failed":
    case "interrupted":
      return "failed";
    case "declined":
      return "refused";
    default:
      return "running";
  }
}

/** Codex reads commands itself: those that only read, list or search fold as such. */
function commandKind(actions: readonly Json[]): ToolKind {
  const kinds: Record<string, ToolKind> = { read: "read", listFiles: "list", search: "search" };
  const found = new Set(actions.map((action) => kinds[textAt(action, "type") ?? ""] ?? "command"));
  const [only] = found;
  return found.size === 1 && only !== undefined ? only : "command";
}

function filesOf(changes: readonly Json[]): string {
  const [first] = changes.map((change) => textAt(change, "path") ?? "");
  if (first === undefined) return "";
  return changes.length === 1 ? first : `${first} and ${changes.length - 1} more`;
}

function objectOf(input: unknown): string {
  if (!isObject(input)) return "";
  const texts = Object.values(input).filter((value) => typeof value === "string");
  return texts[0] ?? (Object.keys(input).length === 0 ? "" : JSON.stringify(input));
}

/** The text of an MCP result's content. */
export function contentOf(content: unknown): string {
  if (!Array.isArray(content)) return "";
  const parts = content
    .filter(isObject)
    .map((part) => textAt(part, "text") ?? `[${textAt(part, "type") ?? "something"}]`);
  return parts.join("\n");
}
