/**
 * What an ACP agent writes, line by line, as drafts and answers. Kinds of updates grow with the protocol: those that
 * are not known are passed over, requests that are not known are refused, and nothing is left without an answer.
 */
import type { Draft, Heard } from "../agent.ts";
import { isObject, listAt, objectAt, parsed, textAt, type Json } from "../json.ts";
import { hearElicitation, hearPermission, withdraw } from "./ask.ts";
import type { Memory, RpcId, Sent } from "./memory.ts";
import { first, notice, noticeOf, told } from "./notice.ts";
import { hearAuthenticated, hearGreeting, hearOpened, hearQuiet, holdHistory } from "./open.ts";
import { nextLines } from "./prompt.ts";
import { METHOD_NOT_FOUND, refusalLine } from "./rpc.ts";
import { hearCommands, hearSettings, reportOf } from "./settings.ts";
import { hearChunk, textOfBlock } from "./text.ts";
import { hearSteps, hearTool } from "./tool.ts";
import { beginTurn, endTurn, errorWords, failWaiting, hearUsage } from "./turn.ts";

/** Lines without a message that are shown, of one process: some programs log to the wrong place. */
const MAX_STRAY_LINES = 5;

/** What the agent was told it cannot ask for; one that asks all the same is told so again, and nobody else. */
const DECLINED = /^(?:fs|terminal)\//u;

export function hear(memory: Memory, line: string, at: number): Heard {
  if (line.trim() === "") return { drafts: [], writes: [] };
  const drafts: Draft[] = memory.later.splice(0).map(told);
  drafts.push(...beginTurn(memory));
  const message = parsed(line);
  const heard = message === undefined ? stray(memory, line) : hearMessage(memory, message, line, at);
  drafts.push(...heard.drafts);
  const writes = [...heard.writes, ...nextLines(memory)];
  // A prompt that was just written begins its turn at once: whoever wrote it here had heard the agent.
  drafts.push(...memory.later.splice(0).map(told), ...beginTurn(memory));
  if (memory.stage === "failed") drafts.push(...failWaiting(memory));
  return { drafts, writes };
}

function hearMessage(memory: Memory, message: Json, line: string, at: number): Heard {
  const method = textAt(message, "method");
  if (method === undefined) return hearAnswer(memory, message);
  const params = objectAt(message, "params") ?? {};
  if (!("id" in message)) return hearNotification(memory, method, params, at);
  const { id } = message;
  if (typeof id !== "string" && typeof id !== "number") {
    return { drafts: [], writes: [refusalLine(null, METHOD_NOT_FOUND, "A request needs an id.")] };
  }
  return hearRequest(memory, id, method, params, line, at);
}

function hearRequest(memory: Memory, id: RpcId, method: string, params: Json, line: string, at: number): Heard {
  // Said twice: the one that is open is the one that will be answered.
  if (Object.values(memory.asks).some((pending) => pending.id === id)) return { drafts: [], writes: [] };
  if (method === "session/request_permission") return hearPermission(memory, id, params, line, at);
  if (method === "elicitation/create") return hearElicitation(memory, id, params, line);
  const writes = [refusalLine(id, METHOD_NOT_FOUND, `Flybridge does not know the request "${method.slice(0, 200)}".`)];
  if (DECLINED.test(method) || !first(memory, `request ${method.slice(0, 200)}`)) return { drafts: [], writes };
  const text = `${memory.title} asked for something that Flybridge cannot do, and was told so: "${method.slice(0, 200)}".`;
  return { drafts: [notice("warning", text, line)], writes };
}

function hearNotification(memory: Memory, method: string, params: Json, at: number): Heard {
  switch (method) {
    case "session/update": {
      const update = objectAt(params, "update");
      const session = textAt(params, "sessionId");
      const ours = memory.history !== undefined || memory.conversation === undefined || session === memory.conversation;
      return { drafts: update && ours ? hearUpdate(memory, update, at) : [], writes: [] };
    }
    case "elicitation/complete": {
      const name = textAt(params, "elicitationId");
      return withdraw(memory, (pending) => name !== undefined && pending.elicitation === name, true);
    }
    case "$/cancel_request": {
      const id = params["requestId"];
      return withdraw(memory, (pending) => pending.id === id, false);
    }
    default:
      return { drafts: [], writes: [] };
  }
}

/** While history is repeated, what was said is held back or known; what holds now is told as ever. */
function hearUpdate(memory: Memory, update: Json, at: number): Draft[] {
  switch (textAt(update, "sessionUpdate")) {
    case "current_mode_update":
      return reportOf(memory, reported("mode", textAt(update, "currentModeId")));
    case "config_option_update":
      return hearSettings(memory, update);
    case "available_commands_update":
      return hearCommands(memory, update);
    case "session_info_update":
      return reportOf(memory, reported("title", textAt(update, "title")));
    case "usage_update":
      hearUsage(memory, update);
      return [];
    default:
  }
  if (memory.history !== undefined) memory.repeated = true;
  if (memory.history === "hidden") return [];
  const drafts = hearSaid(memory, update, at);
  if (memory.history === undefined) return drafts;
  holdHistory(memory, drafts);
  return [];
}

function hearSaid(memory: Memory, update: Json, at: number): Draft[] {
  switch (textAt(update, "sessionUpdate")) {
    case "agent_message_chunk":
      if (memory.turn?.refused === true) memory.turn.refused = false;
      return hearChunk(memory, "words", update, at);
    case "agent_thought_chunk":
      return hearChunk(memory, "thought", update, at);
    case "user_message_chunk":
      // Of the running turn it is our own prompt.
      return memory.history === undefined ? [] : hearChunk(memory, "prompt", update, at);
    case "tool_call":
      return hearTool(memory, update, true, at);
    case "tool_call_update":
      return hearTool(memory, update, false, at);
    case "plan":
      return hearSteps(memory, listAt(update, "entries"), at);
    case "plan_update": {
      const plan = objectAt(update, "plan");
      return textAt(plan, "type") === "items" ? hearSteps(memory, listAt(plan, "entries"), at) : [];
    }
    case "notice": {
      const severity = textAt(update, "severity");
      const level = severity === "warning" || severity === "error" ? severity : "info";
      const words = [textAt(update, "title"), textAt(update, "description")].filter((one) => one !== undefined);
      return words.length === 0 ? [] : [notice(level, words.join(": "))];
    }
    case "compaction_update":
      return hearCompaction(update);
    default:
      return [];
  }
}

function hearCompaction(update: Json): Draft[] {
  switch (textAt(update, "status")) {
    case "completed": {
      const summary = listAt(update, "summary").map(textOfBlock).join("");
      const words = "The conversation was compacted: the agent goes on from a summary.";
      return [notice("info", summary === "" ? words : `${words}\n\n${summary}`)];
    }
    case "failed":
      return [
        notice(
          "warning",
          `The conversation could not be compacted: ${textAt(update, "error") ?? "no reason was given"}`,
        ),
      ];
    default:
      return [];
  }
}

function hearAnswer(memory: Memory, message: Json): Heard {
  const key = String(message["id"]);
  const sent = Object.hasOwn(memory.sent, key) ? memory.sent[key] : undefined;
  if (sent === undefined || (!("result" in message) && !isObject(message["error"]))) return { drafts: [], writes: [] };
  delete memory.sent[key];
  switch (sent.kind) {
    case "initialize":
      return hearGreeting(memory, message);
    case "authenticate":
      return hearAuthenticated(memory, message);
    case "new":
    case "resume":
    case "load":
    case "fork":
      return hearOpened(memory, sent.kind, message);
    case "quiet":
      return hearQuiet(memory);
    case "turn":
      return String(memory.turn?.request) === key ? endTurn(memory, message) : { drafts: [], writes: [] };
    default:
      return { drafts: hearChanged(memory, sent, message), writes: [] };
  }
}

/** A change that was refused is undone on every device: the fold took it for done. */
function hearChanged(memory: Memory, sent: Extract<Sent, { value: string }>, message: Json): Draft[] {
  const error = objectAt(message, "error");
  const { kind, value } = sent;
  if (error === undefined) {
    const changed = hearSettings(memory, objectAt(message, "result"));
    return kind === "setting" || changed.length > 0 ? changed : reportOf(memory, { [kind]: value });
  }
  const drafts: Draft[] = [
    told(noticeOf("error", `${memory.title} did not change the ${kind} to "${value}": ${errorWords(error)}`)),
  ];
  const holds = kind === "setting" ? undefined : memory.reported[kind];
  if (kind !== "setting" && holds !== undefined) drafts.push(told({ kind: "agent.reported", [kind]: holds }));
  return drafts;
}

function stray(memory: Memory, line: string): Heard {
  const known = memory.noticed.filter((one) => one.startsWith("stray")).length;
  if (known >= MAX_STRAY_LINES || !first(memory, `stray ${known}`)) return { drafts: [], writes: [] };
  const more = known + 1 === MAX_STRAY_LINES ? " Further ones are not shown." : "";
  return {
    drafts: [notice("warning", `${memory.title} wrote a line that is not a message.${more}`, line)],
    writes: [],
  };
}

function reported(key: "mode" | "title", value: string | undefined): { mode?: string; title?: string } {
  return value === undefined || value === "" ? {} : { [key]: value.slice(0, 2_000) };
}
