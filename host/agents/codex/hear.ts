/**
 * What Codex's app-server writes, line by line: answers to our requests, news of the thread, and requests of its own.
 * News that is not known is passed over, as its set grows; a request that is not known is shown, and can be answered.
 */
import { MAX_OPEN_ASKS } from "@flybridge/protocol/limits.ts";
import type { Draft, Heard } from "../agent.ts";
import { numberAt, objectAt, parsed, textAt, type Json } from "../json.ts";
import { isRequest, openAsk, requestIdIn } from "./ask.ts";
import {
  hearDelta,
  hearItemCompleted,
  hearItemStarted,
  hearPart,
  hearPatch,
  hearSteps,
  isChild,
  noticed,
} from "./item.ts";
import { nextId, type Memory } from "./memory.ts";
import { sandboxIn, settingsOf } from "./mode.ts";
import { COMMANDS } from "./prompt.ts";
import {
  beginTurn,
  closeTurn,
  endTurn,
  faultOf,
  hearModels,
  hearUsage,
  leftPrompts,
  report,
  reportSettings,
  withdrawn,
} from "./turn.ts";
import { refusalLine, requestLine, requestOf, type Request } from "./wire.ts";

export function hear(memory: Memory, line: string, at: number): Heard {
  if (line.trim() === "") return heard([]);
  const message = parsed(line);
  if (!message) return heard([noticed("warning", "Codex wrote a line that is not a message.", line)]);
  const method = textAt(message, "method");
  const params = objectAt(message, "params") ?? {};
  if (isRequest(message)) return hearRequest(memory, message, method ?? "", params, line);
  if (method !== undefined) return hearNews(memory, method, params, line, at);
  if (message["result"] !== undefined || message["error"] !== undefined) return hearResponse(memory, message);
  return heard([noticed("warning", "Codex wrote a message that is none of its protocol.", line)]);
}

// ── news ───────────────────────────────────────────────────────────────────────────────────────────────────────────

function hearNews(memory: Memory, method: string, params: Json, line: string, at: number): Heard {
  const thread = textAt(params, "threadId");
  if (thread !== undefined && !isOurs(memory, params)) return heard([]);
  const child = isChild(memory, params);
  switch (method) {
    case "turn/started":
      return child ? heard([]) : beginTurn(memory, textAt(objectAt(params, "turn"), "id"));
    case "turn/completed":
      return child ? heard([]) : endTurn(memory, objectAt(params, "turn") ?? {});
    case "turn/plan/updated":
      return inTurn(memory, params, () => hearSteps(memory, params, at));
    case "item/started":
      return inTurn(memory, params, () => hearItemStarted(memory, params, objectAt(params, "item") ?? {}, at));
    case "item/completed": {
      const item = objectAt(params, "item") ?? {};
      return inTurn(memory, params, () => hearItemCompleted(memory, params, item, line, at));
    }
    case "item/agentMessage/delta":
    case "item/plan/delta":
      return inTurn(memory, params, () => hearDelta(memory, params, "words", textAt(params, "delta") ?? "", at));
    case "item/reasoning/summaryTextDelta":
    case "item/reasoning/textDelta":
      return inTurn(memory, params, () => hearDelta(memory, params, "thought", textAt(params, "delta") ?? "", at));
    case "item/reasoning/summaryPartAdded":
      return heard(numberAt(params, "summaryIndex") === 0 ? [] : hearPart(memory, params, at));
    case "item/commandExecution/outputDelta":
      return heard(hearDelta(memory, params, "output", textAt(params, "delta") ?? "", at));
    case "item/mcpToolCall/progress":
      return heard(hearDelta(memory, params, "output", `${textAt(params, "message") ?? ""}\n`, at));
    case "item/fileChange/patchUpdated":
      hearPatch(memory, params);
      return heard([]);
    case "thread/tokenUsage/updated":
      if (!child) hearUsage(memory, objectAt(params, "tokenUsage"));
      return heard([]);
    case "thread/settings/updated": {
      const settings = objectAt(params, "threadSettings");
      return heard(child ? [] : reportSettings(memory, settings, sandboxIn(settings)));
    }
    case "thread/name/updated":
      return heard(child ? [] : report(memory, { title: textAt(params, "threadName") }));
    case "serverRequest/resolved": {
      const request = params["requestId"];
      return heard(withdrawn(memory, (ask) => ask.request !== undefined && ask.request === request));
    }
    case "error":
      return heard(child ? [] : hearError(memory, params));
    case "thread/closed":
    case "thread/deleted":
      if (child) return heard([]);
      return heard([
        ...closeTurn(memory, { outcome: "failed", detail: "The conversation was closed at Codex." }),
        ...withdrawn(memory, () => true),
        noticed("warning", "The conversation was closed at Codex. Resume to go on."),
      ]);
    case "warning":
    case "guardianWarning":
      return heard([noticed("warning", textAt(params, "message") ?? "Codex gave a warning.")]);
    case "configWarning":
    case "deprecationNotice":
      return heard([noticed("info", summaryOf(params))]);
    case "model/rerouted":
      return heard([
        noticed(
          "warning",
          `Another model answers: ${textAt(params, "toModel") ?? "?"} for ${textAt(params, "fromModel") ?? "?"}.`,
        ),
      ]);
    case "mcpServer/startupStatus/updated": {
      if (textAt(params, "status") !== "failed") return heard([]);
      const why = textAt(params, "error") ?? "it did not say why";
      return heard([noticed("warning", `The MCP server ${textAt(params, "name") ?? ""} did not start: ${why}`)]);
    }
    default:
      // Its set grows with each version, and what matters comes as an item.
      return heard([]);
  }
}

/** One may listen in when a turn runs already: then the first news of it begins it. */
function inTurn(memory: Memory, params: Json, drafts: () => Draft[]): Heard {
  if (isChild(memory, params)) return heard(drafts());
  const begun = memory.turn === undefined ? beginTurn(memory, textAt(params, "turnId")) : heard([]);
  return { drafts: [...begun.drafts, ...drafts()], writes: begun.writes };
}

/** A server of our own has only the session's thread and its sub-agents; another's has a person's other threads. */
function isOurs(memory: Memory, params: Json): boolean {
  return textAt(params, "threadId") === memory.thread || isChild(memory, params);
}

function hearError(memory: Memory, params: Json): Draft[] {
  const error = objectAt(params, "error");
  if (params["willRetry"] === true) {
    const more = textAt(error, "additionalDetails");
    const words = [textAt(error, "message") ?? "The model's service failed.", ...(more === undefined ? [] : [more])];
    return [noticed("warning", words.join(" "))];
  }
  // Said again by the turn's end.
  memory.fault = faultOf(error);
  return [];
}

function summaryOf(params: Json): string {
  const [first = "Codex has something to say about its settings."] = (textAt(params, "summary") ?? "")
    .split("\n")
    .filter((line) => line.trim() !== "");
  const details = textAt(params, "details");
  return details === undefined ? first : `${first} ${details}`;
}

// ── requests of Codex's ────────────────────────────────────────────────────────────────────────────────────────────

function hearRequest(memory: Memory, message: Json, method: string, params: Json, line: string): Heard {
  const id = requestIdIn(message);
  if (id === undefined) return heard([noticed("warning", "Codex asked for something under no usable id.", line)]);
  const thread = textAt(params, "threadId");
  // A person's other threads are none of this session's, and others answer for them.
  if (memory.shared && thread !== undefined && !isOurs(memory, params)) return heard([]);
  // Told again to whoever joins: it is one ask.
  if (Object.values(memory.asks).some((ask) => ask.request === id)) return heard([]);
  if (Object.keys(memory.asks).length >= MAX_OPEN_ASKS) {
    const why = "Too many questions are open at once.";
    return {
      drafts: [noticed("warning", `Codex asked for more, and was refused. ${why}`, line)],
      writes: [refusalLine(id, why, -32_000)],
    };
  }
  const begun =
    thread === memory.thread && memory.turn === undefined && textAt(params, "turnId") !== undefined
      ? beginTurn(memory, textAt(params, "turnId"))
      : heard([]);
  const opened = openAsk(memory, id, method, params);
  memory.asks[opened.ask.ask] = opened.pending;
  return {
    drafts: [...begun.drafts, { kind: "fact", fact: { kind: "ask.opened", ask: opened.ask } }],
    writes: begun.writes,
  };
}

// ── answers to ours ────────────────────────────────────────────────────────────────────────────────────────────────

function hearResponse(memory: Memory, message: Json): Heard {
  const ours = requestOf(message["id"]);
  if (!ours) return heard([]);
  const { request, key } = ours;
  const error = objectAt(message, "error");
  const result = objectAt(message, "result");
  if (error || message["error"] !== undefined) {
    return hearRefused(memory, request, key, textAt(error, "message") ?? "it did not say why");
  }
  switch (request) {
    case "initialize": {
      // "flybridge/0.169.0 (Debian …) …"
      const version = /^[^/]*\/(?<version>\S+)/u.exec(textAt(result, "userAgent") ?? "")?.groups?.["version"];
      return heard(report(memory, { version: version ?? "unknown" }));
    }
    case "start":
    case "resume":
    case "fork":
      return hearOpened(memory, result);
    case "models":
      return heard(hearModels(memory, result));
    case "prompt": {
      const written = memory.prompts.find(({ prompt }) => prompt === key);
      const turn = textAt(objectAt(result, "turn"), "id");
      if (!written || turn === undefined) return heard([]);
      // It went into a turn that ended before this was said: it waits for its own.
      if (memory.over.includes(turn)) written.state = "held";
      else written.turn = turn;
      return { drafts: [], writes: leftPrompts(memory) };
    }
    case "compact":
    case "review":
    case "stop": {
      const written = memory.prompts.find(({ prompt }) => prompt === key);
      if (!written) return heard([]);
      memory.prompts = memory.prompts.filter((one) => one !== written);
      const taken: Draft = { kind: "fact", fact: { kind: "prompt.taken", prompt: written.prompt } };
      const told = request === "stop" ? [noticed("info", "The commands in the background were ended.")] : [];
      // It runs no turn, so the next prompt has nothing to wait for.
      return { drafts: [taken, ...told], writes: request === "stop" ? leftPrompts(memory) : [] };
    }
    default:
      return heard([]);
  }
}

function hearOpened(memory: Memory, result: Json | undefined): Heard {
  const thread = objectAt(result, "thread");
  const id = textAt(thread, "id");
  if (id === undefined) return hearRefused(memory, "start", "", "it named no conversation");
  memory.thread = id;
  memory.ready = true;
  const title = textAt(thread, "name");
  const drafts = [
    ...reportSettings(memory, result, sandboxIn(result)),
    ...report(memory, title === undefined ? {} : { title }),
    { kind: "fact", fact: { kind: "agent.reported", commands: COMMANDS } } as const,
  ];
  const { mode } = memory;
  delete memory.mode;
  // Planning is no setting that a thread can be opened with.
  const plan =
    mode === "plan"
      ? [
          requestLine("configure", nextId<string>(memory, "own"), {
            threadId: id,
            ...settingsOf(mode, memory),
          }),
        ]
      : [];
  return { drafts, writes: [...plan, ...leftPrompts(memory)] };
}

const DOING: Record<Request, string> = {
  initialize: "begin",
  start: "open a conversation",
  resume: "go on with the conversation",
  fork: "copy the conversation",
  models: "list its models",
  prompt: "take the prompt",
  plan: "take the answer to the plan",
  steer: "take the prompt into the running turn",
  reason: "hear the reason",
  interrupt: "stop",
  configure: "change the settings",
  name: "name the conversation",
  compact: "compact the conversation",
  review: "begin a review",
  stop: "end the commands in the background",
};

function hearRefused(memory: Memory, request: Request, key: string, why: string): Heard {
  const told = `Codex refused to ${DOING[request]}: ${why}`;
  switch (request) {
    case "initialize":
    case "start":
    case "resume":
    case "fork":
      memory.fault = told;
      memory.refused = told;
      // Nothing will take them: each is told so, once.
      return heard([
        noticed("error", `${told} Stop the session and resume it, or start a new one.`),
        ...failPrompts(memory, told),
      ]);
    case "steer": {
      const written = memory.prompts.find(({ prompt }) => prompt === key);
      if (!written) return heard([]);
      // The turn ended first, or is of a kind that takes nothing: it waits for its own.
      written.state = "held";
      return { drafts: [], writes: leftPrompts(memory) };
    }
    case "prompt":
    case "compact":
    case "review":
    case "stop": {
      const failed = failPrompts(memory, memory.refused ?? told, key);
      return { drafts: failed.length === 0 ? [noticed("error", told)] : failed, writes: leftPrompts(memory) };
    }
    case "interrupt":
      // There was nothing left to stop.
      return heard([]);
    case "reason":
      return heard([noticed("warning", "The agent was told no, and did not hear the reason: its turn was over.")]);
    case "name":
    case "models":
      return heard([]);
    case "configure":
    case "plan":
      return heard([noticed("error", told)]);
  }
}

/** A prompt that nothing takes has failed as a turn would have: taken, and ended with why. */
function failPrompts(memory: Memory, why: string, only?: string): Draft[] {
  const failed = memory.prompts.filter(({ prompt }) => only === undefined || prompt === only);
  memory.prompts = memory.prompts.filter((one) => !failed.includes(one));
  return failed.flatMap(({ prompt }): Draft[] => {
    const taken: Draft = { kind: "fact", fact: { kind: "prompt.taken", prompt } };
    if (memory.turn !== undefined) return [taken, noticed("error", why)];
    const begun = beginTurn(memory, nextId<string>(memory, "refused"));
    return [taken, ...begun.drafts, ...closeTurn(memory, { outcome: "failed", detail: why })];
  });
}

function heard(drafts: Draft[]): Heard {
  return { drafts, writes: [] };
}
