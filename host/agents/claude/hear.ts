/**
 * What Claude writes, line by line (`--output-format stream-json`), as drafts and answers. What is not known is told
 * as a notice with the line itself: Claude's set of messages grows, and nothing of it may be swallowed unseen.
 */
import type { AskId, ItemId } from "@flybridge/protocol/ids.ts";
import { MAX_OPEN_ASKS } from "@flybridge/protocol/limits.ts";
import type { Draft, Heard } from "../agent.ts";
import { foreignIdOf, rawOf, wordsOf } from "../bounds.ts";
import { listAt, numberAt, objectAt, parsed, textAt, type Json } from "../json.ts";
import { openAsk } from "./ask.ts";
import { refusalLine, requestOf } from "./control.ts";
import type { Memory } from "./memory.ts";
import { offeredIn } from "./offer.ts";
import { hearStream, hearWhole } from "./stream.ts";
import { hearBackgroundEnd, hearToolResult, hearToolUse } from "./tool.ts";
import { beginTurn, closeTurn, endTurn, report, takePrompt } from "./turn.ts";

type Level = "info" | "warning" | "error";

/** Known, and of no use to a person. */
const NOISE = new Set([
  "keep_alive",
  "tool_progress",
  "prompt_suggestion",
  "active_goal",
  "system/thinking_tokens",
  "system/hook_started",
  "system/hook_progress",
  "system/hook_response",
  "system/plugin_install",
  "system/task_started",
  "system/task_progress",
  "system/task_updated",
  "system/background_tasks_changed",
  "system/files_persisted",
  "system/tool_use_summary",
  "system/memory_recall",
  "system/mirror_error",
  "system/control_request_progress",
  "system/elicitation_complete",
  "system/worker_shutting_down",
  // The tool's result says the same.
  "system/permission_denied",
]);

const SILENT_BLOCKS = new Set(["redacted_thinking", "fallback", "image"]);

export function hear(memory: Memory, line: string, at: number): Heard {
  if (line.trim() === "") return heard([]);
  const message = parsed(line);
  if (!message) return heard([notice("warning", "Claude Code wrote a line that is not a message.", line)]);
  const drafts = hearMessage(memory, message, line, at);
  return Array.isArray(drafts) ? heard(drafts) : drafts;
}

function hearMessage(memory: Memory, message: Json, line: string, at: number): Draft[] | Heard {
  const parent = foreignIdOf(textAt(message, "parent_tool_use_id")) as ItemId | undefined;
  switch (textAt(message, "type")) {
    case "stream_event":
      return hearStream(memory, objectAt(message, "event") ?? {}, parent, at);
    case "assistant":
      return hearAssistant(memory, message, parent, line, at);
    case "user":
      return hearUser(memory, message, at);
    case "result":
      return endTurn(memory, message);
    case "system":
      return hearSystem(memory, message, line);
    case "command_lifecycle":
      return hearLifecycle(memory, textAt(message, "command_uuid"), textAt(message, "state"));
    case "control_request":
      return hearRequest(memory, message, line);
    case "control_cancel_request":
      return withdraw(memory, textAt(message, "request_id"));
    case "control_response":
      return hearResponse(memory, objectAt(message, "response") ?? {});
    case "conversation_reset":
      memory.steps = [];
      return [notice("info", "The conversation was cleared: the agent no longer knows what is above.")];
    case "rate_limit_event":
      return hearRateLimit(objectAt(message, "rate_limit_info"));
    case "auth_status": {
      const error = textAt(message, "error");
      return error === undefined ? [] : [notice("error", `Claude Code could not sign in: ${error}`)];
    }
    default:
      return unknown(message, line);
  }
}

function hearSystem(memory: Memory, message: Json, line: string): Draft[] {
  const words = textAt(message, "content") ?? textAt(message, "text") ?? "";
  switch (textAt(message, "subtype")) {
    case "init":
      memory.conversation = textAt(message, "session_id") ?? memory.conversation;
      return [
        ...report(memory, {
          ...said("version", textAt(message, "claude_code_version")),
          ...said("model", textAt(message, "model")),
          ...said("mode", textAt(message, "permissionMode")),
        }),
        ...beginTurn(memory),
      ];
    case "status": {
      const failed = textAt(message, "compact_error");
      const mode = report(memory, said("mode", textAt(message, "permissionMode")));
      return failed === undefined
        ? mode
        : [...mode, notice("warning", `The conversation could not be compacted: ${failed}`)];
    }
    case "session_state_changed":
      // A turn whose result never came must not run forever on every screen.
      if (textAt(message, "state") !== "idle") return [];
      return closeTurn(memory, {
        outcome: "failed",
        detail: "Claude Code is at rest and did not say how the turn ended.",
      });
    case "api_retry":
      return [notice("warning", retryWords(message))];
    case "compact_boundary": {
      const before = numberAt(objectAt(message, "compact_metadata"), "pre_tokens");
      const size = before === undefined ? "" : ` It had ${before} tokens.`;
      return [notice("info", `The conversation was compacted: the agent goes on from a summary.${size}`)];
    }
    case "task_notification": {
      const ended = hearBackgroundEnd(memory, message);
      if (ended !== undefined) return ended;
      const summary = textAt(message, "summary");
      const hidden = message["skip_transcript"] === true || message["ambient"] === true || summary === undefined;
      return hidden ? [] : [notice(textAt(message, "status") === "failed" ? "warning" : "info", summary)];
    }
    case "commands_changed": {
      const offered = offeredIn(message);
      return offered.commands ? [{ kind: "fact", fact: { kind: "agent.reported", ...offered } }] : [];
    }
    case "informational":
      return words === "" ? [] : [notice(textAt(message, "level") === "warning" ? "warning" : "info", words)];
    case "notification":
    case "local_command_output":
      return words === "" ? [] : [notice("info", words)];
    case "model_refusal_fallback":
    case "model_refusal_no_fallback":
      return [notice("warning", words || "The model refused to answer.")];
    case "session_writes_lost":
      return [
        notice(
          "error",
          "Claude Code could not store the conversation: the disk is full. Make room; a resumed session may miss a part.",
        ),
      ];
    default:
      return unknown(message, line);
  }
}

function hearAssistant(memory: Memory, message: Json, parent: ItemId | undefined, line: string, at: number): Draft[] {
  // Said again, in other words, by the result that ends the turn.
  if (message["is_api_error_message"] === true) {
    memory.fault = listAt(objectAt(message, "message"), "content")
      .map((block) => textAt(block, "text") ?? "")
      .join("\n");
    return [];
  }
  return listAt(objectAt(message, "message"), "content").flatMap((block) => {
    const type = textAt(block, "type") ?? "";
    if (type === "text") return hearWhole(memory, "words", textAt(block, "text") ?? "", parent, at);
    if (type === "thinking") return hearWhole(memory, "thought", textAt(block, "thinking") ?? "", parent, at);
    if (type.endsWith("tool_use")) return hearToolUse(memory, block, parent, at);
    if (type.endsWith("tool_result")) return hearToolResult(memory, block, message, at);
    return SILENT_BLOCKS.has(type)
      ? []
      : [notice("info", `The agent said something of an unknown kind (${type}).`, line)];
  });
}

/** A repeated prompt of ours, or the results of tools; the agent's own remarks to its model are not for people. */
function hearUser(memory: Memory, message: Json, at: number): Draft[] {
  if (message["isReplay"] === true) return takePrompt(memory, textAt(message, "uuid"));
  const results = listAt(objectAt(message, "message"), "content").filter(
    (block) => textAt(block, "type") === "tool_result",
  );
  return results.flatMap((result) => hearToolResult(memory, result, message, at));
}

/** What becomes of a prompt in Claude's own queue. */
function hearLifecycle(memory: Memory, prompt: string | undefined, state: string | undefined): Draft[] {
  if (state === "started") return takePrompt(memory, prompt);
  if (state === "cancelled") memory.written = memory.written.filter((one) => one !== prompt);
  return [];
}

function hearRequest(memory: Memory, message: Json, line: string): Draft[] | Heard {
  const id = textAt(message, "request_id") ?? "";
  const request = objectAt(message, "request");
  const subtype = textAt(request, "subtype");
  const ask = foreignIdOf(id);
  if (request && ask === id && (subtype === "can_use_tool" || subtype === "elicitation")) {
    if (memory.asks[id]) return [];
    if (Object.keys(memory.asks).length >= MAX_OPEN_ASKS) {
      return refused(id, "Too many questions are open at once.", line);
    }
    const opened = openAsk(memory, id, request);
    memory.asks[id] = opened.pending;
    return [{ kind: "fact", fact: { kind: "ask.opened", ask: opened.ask } }];
  }
  return refused(id, `Flybridge does not know the request "${subtype ?? ""}".`, line);
}

function refused(id: string, why: string, line: string): Heard {
  const told = notice(
    "warning",
    `Claude Code asked for something that Flybridge cannot do; it was told so. ${why}`,
    line,
  );
  return { drafts: [told], writes: id === "" ? [] : [refusalLine(id, why)] };
}

function withdraw(memory: Memory, id: string | undefined): Draft[] {
  if (id === undefined || !memory.asks[id]) return [];
  delete memory.asks[id];
  return [{ kind: "fact", fact: { kind: "ask.settled", ask: id as AskId, settlement: { kind: "withdrawn" } } }];
}

function hearResponse(memory: Memory, response: Json): Draft[] {
  const request = requestOf(textAt(response, "request_id"));
  if (request === undefined) return [];
  const error = textAt(response, "error");
  if (textAt(response, "subtype") === "error" || error !== undefined) {
    return [notice("error", `Claude Code refused to ${DOING[request]}: ${error ?? "it did not say why"}`)];
  }
  const payload = objectAt(response, "response");
  switch (request) {
    case "initialize": {
      const models = listAt(payload, "models").map((model) => ({
        value: textAt(model, "value") ?? "",
        resolved: textAt(model, "resolvedModel") ?? "",
      }));
      memory.models = models;
      const offered = offeredIn(payload);
      const usual = models.find((one) => one.value === "default")?.resolved;
      return report(
        memory,
        {
          ...said("version", textAt(payload, "claude_code_version") ?? "unknown"),
          ...said("mode", textAt(payload, "current_permission_mode")),
          ...(memory.model === undefined ? said("model", usual) : {}),
        },
        offered,
      );
    }
    case "model":
      return report(memory, said("model", textAt(payload, "model")));
    case "mode":
      return report(memory, said("mode", textAt(payload, "mode")));
    case "cancel":
      return payload?.["cancelled"] === false
        ? [notice("info", "The agent already had the prompt that was withdrawn.")]
        : [];
    case "interrupt":
      return [];
  }
}

const DOING = {
  initialize: "begin the conversation",
  interrupt: "stop",
  model: "change the model",
  mode: "change the mode",
  cancel: "take the prompt back",
};

function hearRateLimit(info: Json | undefined): Draft[] {
  const status = textAt(info, "status");
  if (status === undefined || status === "allowed") return [];
  const kind = textAt(info, "rateLimitType")?.replaceAll("_", " ") ?? "usage";
  return [
    notice(
      "warning",
      status === "rejected" ? `The account's ${kind} limit is reached.` : `The account's ${kind} limit is near.`,
    ),
  ];
}

function retryWords(message: Json): string {
  const status = numberAt(message, "error_status");
  const why =
    status === undefined
      ? "The connection to the model's service broke."
      : status === 529
        ? "The model's service is overloaded (529)."
        : `The model's service answered with an error (${status}).`;
  const seconds = Math.max(1, Math.round((numberAt(message, "retry_delay_ms") ?? 0) / 1_000));
  return `${why} Claude Code tries again in ${seconds} s (${numberAt(message, "attempt") ?? 1} of ${numberAt(message, "max_retries") ?? "?"}).`;
}

function unknown(message: Json, line: string): Draft[] {
  const type = textAt(message, "type") ?? "";
  const subtype = textAt(message, "subtype");
  const name = subtype === undefined ? type : `${type}/${subtype}`;
  return NOISE.has(name)
    ? []
    : [notice("info", `Claude Code said something Flybridge does not know yet (${name || "no type"}).`, line)];
}

function notice(level: Level, text: string, raw?: string): Draft {
  const fact = {
    kind: "notice" as const,
    level,
    text: wordsOf(text),
    ...(raw === undefined ? {} : { raw: rawOf(raw) }),
  };
  return { kind: "fact", fact };
}

function said<Key extends string>(key: Key, value: string | undefined): { [K in Key]?: string } {
  return (value === undefined ? {} : { [key]: value }) as { [K in Key]?: string };
}

function heard(drafts: Draft[]): Heard {
  return { drafts, writes: [] };
}
