/**
 * From the first word to an open conversation: who speaks which version and can do what, then a new conversation, or
 * the one that the session had, or one that began elsewhere.
 */
import type { Fact } from "@flybridge/protocol/entry.ts";
import type { Draft } from "../agent.ts";
import { labelOf, wordsOf } from "../bounds.ts";
import { listAt, numberAt, objectAt, textAt, type Json } from "../json.ts";
import type { Memory, Sent } from "./memory.ts";
import { began, completed, notice, told } from "./notice.ts";
import { AUTH_REQUIRED, quietLine, requestLine } from "./rpc.ts";
import { hearSettings, reportOf, wantedLines } from "./settings.ts";
import { closeText } from "./text.ts";
import { closeTools } from "./tool.ts";
import { errorWords, failWaiting } from "./turn.ts";

/** The one version of ACP that is spoken here; a later one is another protocol. */
const VERSION = 1;
/** Of a conversation that began elsewhere: items that are shown, and characters of them. */
const MAX_TOLD = 400;
const MAX_TOLD_CHARS = 512 * 1024;

/** Drafts, and lines for the agent. */
export interface Opening {
  readonly drafts: readonly Draft[];
  readonly writes: readonly string[];
}

/** Files and terminals are the agent's own affair: it is on this machine, and what it does is asked for by name. */
export function greetingLine(memory: Memory): string {
  const clientCapabilities = {
    fs: { readTextFile: false, writeTextFile: false },
    terminal: false,
    elicitation: { form: {}, url: {} },
    session: { configOptions: { boolean: {} }, notices: {}, compaction: {} },
    _meta: { terminal_output: true },
  };
  const clientInfo = { name: "flybridge", title: "Flybridge", version: "1" };
  return requestLine(memory, { kind: "initialize" }, "initialize", {
    protocolVersion: VERSION,
    clientInfo,
    clientCapabilities,
  });
}

export function hearGreeting(memory: Memory, message: Json): Opening {
  const result = objectAt(message, "result");
  const info = objectAt(result, "agentInfo");
  memory.version = labelOf(textAt(info, "version") ?? "unknown");
  if (!result) {
    const why = errorWords(objectAt(message, "error"));
    return fail(memory, `${memory.title} refused to speak ACP with Flybridge: ${why}`, true);
  }
  const version = numberAt(result, "protocolVersion");
  if (version !== VERSION) {
    const said = version === undefined ? "no version" : `version ${version}`;
    const mend =
      version !== undefined && version > VERSION ? "Flybridge must be updated for it" : `Update ${memory.title}`;
    return fail(memory, `${memory.title} speaks ${said} of ACP, and Flybridge speaks ${VERSION}. ${mend}.`, true);
  }
  const able = objectAt(result, "agentCapabilities");
  const sessions = objectAt(able, "sessionCapabilities");
  memory.able = {
    load: able?.["loadSession"] === true,
    resume: objectAt(sessions, "resume") !== undefined,
    fork: objectAt(sessions, "fork") !== undefined,
    image: objectAt(able, "promptCapabilities")?.["image"] === true,
  };
  memory.signIns = listAt(result, "authMethods")
    .slice(0, 16)
    .map((method) => {
      const detail = textAt(method, "description");
      return labelOf(
        `${textAt(method, "name") ?? textAt(method, "id") ?? "?"}${detail === undefined ? "" : ` (${detail})`}`,
      );
    });
  return { drafts: [], writes: [openLine(memory)] };
}

/** The request that opens the conversation: also to try again. */
export function openLine(memory: Memory): string {
  memory.stage = "opening";
  delete memory.fault;
  const { able, conversation, from } = memory;
  const place = { cwd: memory.workspace, mcpServers: [] };
  const ask = (kind: Exclude<Sent["kind"], "model" | "mode" | "setting">, params: Json): string =>
    requestLine(memory, { kind }, `session/${kind}`, params);
  if (conversation !== undefined) {
    if (able.resume) return ask("resume", { ...place, sessionId: conversation });
    if (able.load) return loadLine(memory, conversation, "hidden");
    return ask("new", place);
  }
  if (from === undefined) return ask("new", place);
  if (from.fork) return ask("fork", { ...place, sessionId: from.conversation });
  if (able.load || !able.resume) return loadLine(memory, from.conversation, "shown");
  return ask("resume", { ...place, sessionId: from.conversation });
}

/** The answer to what `openLine` asked. */
export function hearOpened(memory: Memory, kind: "new" | "resume" | "load" | "fork", message: Json): Opening {
  const error = objectAt(message, "error");
  const result = objectAt(message, "result");
  const had = memory.conversation;
  if (error !== undefined || !result) {
    endHistory(memory);
    if (numberAt(error, "code") === AUTH_REQUIRED) return signIn(memory, errorWords(error));
    const why = errorWords(error);
    if (kind !== "new" && had !== undefined && memory.from?.conversation !== had) {
      // The session's own conversation is gone; the session is not.
      delete memory.conversation;
      const text = `${memory.title} does not find this conversation any more (${why}). It goes on in a new one, and knows nothing of what is above.`;
      const line = requestLine(memory, { kind: "new" }, "session/new", { cwd: memory.workspace, mcpServers: [] });
      return { drafts: [notice("warning", text)], writes: [line] };
    }
    if (kind === "fork") return fail(memory, `${memory.title} could not copy the conversation: ${why}`);
    return fail(memory, `${memory.title} could not open the conversation: ${why}`);
  }
  const conversation =
    textAt(result, "sessionId") ?? (kind === "new" || kind === "fork" ? undefined : (had ?? memory.from?.conversation));
  if (conversation === undefined) return fail(memory, `${memory.title} opened a conversation without a name.`, true);
  memory.conversation = conversation;
  if (kind === "fork" && memory.able.load) {
    return { drafts: [], writes: [loadLine(memory, conversation, "shown")] };
  }
  if (kind === "load") {
    memory.repeated = false;
    return { drafts: hearSettings(memory, result), writes: [quietLine(memory)] };
  }
  const lost = kind === "new" && had !== undefined;
  const text = `${memory.title} cannot take up a conversation again: it knows nothing of what is above.`;
  return opened(memory, [...(lost ? [notice("warning", text)] : []), ...hearSettings(memory, result)]);
}

/**
 * Gemini CLI answers `session/load` before it has repeated what was said. It is over when nothing was repeated between
 * a question and its answer.
 */
export function hearQuiet(memory: Memory): Opening {
  if (memory.repeated !== true) return opened(memory, endHistory(memory));
  memory.repeated = false;
  return { drafts: [], writes: [quietLine(memory)] };
}

function opened(memory: Memory, drafts: readonly Draft[]): Opening {
  memory.stage = "open";
  return { drafts: [...drafts, ...reportOf(memory, { version: memory.version })], writes: wantedLines(memory) };
}

export function hearAuthenticated(memory: Memory, message: Json): Opening {
  const error = objectAt(message, "error");
  if (error !== undefined) return signIn(memory, errorWords(error));
  return { drafts: [], writes: [openLine(memory)] };
}

/** While history is repeated: what is told is kept back until it is known how much there is, and the newest is shown. */
export function holdHistory(memory: Memory, drafts: readonly Draft[]): void {
  for (const draft of drafts) {
    if (draft.kind !== "fact" || draft.fact.kind !== "item.completed") continue;
    memory.told.push(draft.fact);
    memory.toldChars += JSON.stringify(draft.fact).length;
    while (memory.told.length > 1 && (memory.told.length > MAX_TOLD || memory.toldChars > MAX_TOLD_CHARS)) {
      memory.toldChars -= JSON.stringify(memory.told.shift()).length;
      memory.untold += 1;
    }
  }
}

function endHistory(memory: Memory): Draft[] {
  if (memory.history === undefined) return [];
  const left = [...closeText(memory), ...closeTools(memory, "done")];
  if (memory.history === "shown") holdHistory(memory, left);
  delete memory.history;
  delete memory.repeated;
  const told = memory.told.splice(0);
  const { untold } = memory;
  memory.toldChars = 0;
  memory.untold = 0;
  return [
    ...(untold > 0 ? [notice("info", `${untold} earlier things of this conversation are not shown here.`)] : []),
    ...told.flatMap(shownAgain),
  ];
}

function shownAgain(fact: Fact): Draft[] {
  if (fact.kind !== "item.completed") return [];
  const { item } = fact;
  return [began({ ...item, body: "" }), completed(item)];
}

function loadLine(memory: Memory, conversation: string, history: "shown" | "hidden"): string {
  memory.history = history;
  const params = { cwd: memory.workspace, mcpServers: [], sessionId: conversation };
  return requestLine(memory, { kind: "load" }, "session/load", params);
}

/** With what the environment stands for, once; otherwise a person has to, and the next prompt tries again. */
function signIn(memory: Memory, why: string): Opening {
  const method = memory.authenticate;
  if (method !== undefined) {
    memory.authenticate = undefined;
    return {
      drafts: [],
      writes: [requestLine(memory, { kind: "authenticate" }, "authenticate", { methodId: method })],
    };
  }
  const ways = memory.signIns.length === 0 ? "" : ` It offers: ${memory.signIns.join("; ")}.`;
  const how = memory.how ?? "Sign in to it in a terminal on this machine.";
  return fail(memory, `${memory.title} is not signed in. ${how}${ways} Then send the prompt again. (${why})`);
}

function fail(memory: Memory, fault: string, hopeless = false): Opening {
  memory.stage = "failed";
  memory.fault = wordsOf(fault);
  memory.hopeless = hopeless;
  return {
    drafts: [
      told({ kind: "notice", level: "error", text: memory.fault }),
      ...reportOf(memory, { version: memory.version }),
      ...failWaiting(memory),
    ],
    writes: [],
  };
}
