/**
 * What the agent wants decided: a permission, a plan, a form, an address to open. Each is a request that stays open
 * until a person answers, the agent takes it back, or the turn is interrupted; it is never left without an answer.
 */
import type { Answer, Ask, Choice, Evidence } from "@flybridge/protocol/ask.ts";
import type { AskId } from "@flybridge/protocol/ids.ts";
import { MAX_INPUT_CHARS, MAX_OPEN_ASKS, MAX_OPTIONS, MAX_PLAN_CHARS } from "@flybridge/protocol/limits.ts";
import type { Draft } from "../agent.ts";
import { kept, labelOf, pathOf, wordsOf } from "../bounds.ts";
import { listAt, objectAt, textAt, type Json } from "../json.ts";
import { contentOf, formQuestions } from "./form.ts";
import { nextId, type Memory, type PendingAsk, type RpcId, type RunningTool } from "./memory.ts";
import { notice, noticeOf, told } from "./notice.ts";
import { answerLine, refusalLine, REQUEST_CANCELLED } from "./rpc.ts";
import { callOf, commandOf, editsIn, kindOf, textIn, toolAsked } from "./tool.ts";

/** What came of a request: drafts, and lines where it was answered at once. */
export interface Opened {
  readonly drafts: readonly Draft[];
  readonly writes: readonly string[];
}

const CANCELLED = { outcome: { outcome: "cancelled" } };

export function hearPermission(memory: Memory, id: RpcId, params: Json, line: string, at: number): Opened {
  const options = listAt(params, "options").slice(0, MAX_OPTIONS);
  const call = objectAt(params, "toolCall") ?? {};
  if (memory.turn?.cancelled === true) return { drafts: [], writes: [answerLine(id, CANCELLED)] };
  const choices = choicesOf(options);
  if (choices.length === 0) {
    const text = `${memory.title} asked for a permission without a way to say yes; it was told no.`;
    return { drafts: [notice("warning", text, line)], writes: [answerLine(id, refusalOf(options))] };
  }
  if (isFull(memory)) {
    const text = `${memory.title} asked for too much at once; one request was told no.`;
    return { drafts: [notice("warning", text, line)], writes: [answerLine(id, refusalOf(options))] };
  }
  const { tool, drafts } = toolAsked(memory, call, at);
  const common = {
    ask: nextId<AskId>(memory, "a"),
    ...(tool.began ? { item: tool.item.item } : {}),
    ...askerOf(memory, params),
  };
  const about = tool.item.tool.object || tool.item.tool.name;
  const plan = planIn(call);
  const pending: PendingAsk = {
    id,
    kind: plan === undefined ? "approval" : "plan",
    call: callOf(call),
    about,
    options,
  };
  const ask: Ask =
    plan === undefined
      ? { ...common, kind: "approval", evidence: evidenceOf(memory, tool, call), choices }
      : { ...common, kind: "plan", plan: kept(plan, MAX_PLAN_CHARS), choices };
  return opened(memory, ask, pending, drafts);
}

export function hearElicitation(memory: Memory, id: RpcId, params: Json, line: string): Opened {
  const message = textAt(params, "message") ?? "";
  const call = textAt(params, "toolCallId");
  const item = call === undefined ? undefined : memory.tools[callOf(params)]?.item.item;
  if (memory.turn?.cancelled === true) return { drafts: [], writes: [answerLine(id, { action: "cancel" })] };
  if (isFull(memory)) {
    const text = `${memory.title} asked for too much at once; one request was declined.`;
    return { drafts: [notice("warning", text, line)], writes: [answerLine(id, { action: "decline" })] };
  }
  const common = {
    ask: nextId<AskId>(memory, "a"),
    ...(item === undefined ? {} : { item }),
    ...askerOf(memory, params),
  };
  const address = textAt(params, "url");
  if (textAt(params, "mode") === "url" && address !== undefined) {
    const elicitation = textAt(params, "elicitationId");
    const pending: PendingAsk = {
      id,
      kind: "address",
      about: address,
      options: [],
      ...(elicitation === undefined ? {} : { elicitation }),
    };
    const evidence: Evidence = {
      tool: labelOf(memory.title),
      kind: "fetch",
      purpose: wordsOf(message),
      url: kept(address, MAX_INPUT_CHARS),
      edits: [],
      input: kept(JSON.stringify(params), MAX_INPUT_CHARS),
    };
    return opened(memory, { ...common, kind: "approval", evidence, choices: [OPENED] }, pending, []);
  }
  const schema = objectAt(params, "requestedSchema");
  const pending: PendingAsk = { id, kind: "form", about: message, options: [], ...(schema ? { schema } : {}) };
  const title = textAt(schema, "title") ?? memory.title;
  return opened(memory, { ...common, kind: "question", questions: formQuestions(title, message, schema) }, pending, []);
}

const OPENED: Choice = {
  choice: "opened",
  label: "I will open it",
  detail: "The agent is told that you open the address yourself. Look at where it leads first.",
  scope: "once",
};

/** The line that settles the ask; what cannot be said in it is told with the next line, or as a prompt. */
export function answerTo(memory: Memory, pending: PendingAsk, answer: Answer): string | undefined {
  const { id, options } = pending;
  switch (pending.kind) {
    case "approval":
    case "plan": {
      if (answer.kind === "deny") {
        refuse(memory, pending, answer.reason);
        return answerLine(id, refusalOf(options));
      }
      if (answer.kind === "revise") {
        refuse(memory, pending, answer.feedback);
        return answerLine(id, refusalOf(options));
      }
      if (answer.kind === "approve" && answer.edited !== undefined) {
        refuse(memory, pending, `I have changed the plan. Follow it as it is here:\n\n${answer.edited}`);
        return answerLine(id, refusalOf(options));
      }
      if (answer.kind !== "allow" && answer.kind !== "approve") return undefined;
      const option = optionOf(options, answer.choice);
      return option === undefined ? undefined : answerLine(id, selected(option));
    }
    case "address":
      if (answer.kind === "deny") return answerLine(id, { action: "decline" });
      return answer.kind === "allow" ? answerLine(id, { action: "accept" }) : undefined;
    case "form": {
      if (answer.kind === "deny") return answerLine(id, { action: "decline" });
      if (answer.kind !== "replies") return undefined;
      const filled = contentOf(pending.schema, answer.replies);
      if (filled.content !== undefined) return answerLine(id, { action: "accept", content: filled.content });
      if ("missing" in filled) {
        const text = `The form needs a fitting answer to "${filled.missing}", and was declined without one.`;
        memory.later.push(noticeOf("warning", text));
      }
      return answerLine(id, { action: "decline" });
    }
  }
}

/** Lines that tell the agent that nobody will answer, for every ask; the asks are taken back with the next line. */
export function cancelAsks(memory: Memory): string[] {
  const asks = Object.entries(memory.asks);
  memory.asks = {};
  memory.later.push(...asks.map(([ask]) => withdrawn(ask as AskId)));
  return asks.map(([, pending]) => cancelLine(pending));
}

/** The agent takes back a request of its own: by its id, or by the name that it gave an address. */
export function withdraw(memory: Memory, which: (pending: PendingAsk) => boolean, answered: boolean): Opened {
  const gone = Object.entries(memory.asks).filter(([, pending]) => which(pending));
  for (const [ask] of gone) delete memory.asks[ask as AskId];
  return {
    drafts: gone.map(([ask]) => told(withdrawn(ask as AskId))),
    writes: gone.map(([, pending]) =>
      answered ? cancelLine(pending) : refusalLine(pending.id, REQUEST_CANCELLED, "The request was cancelled."),
    ),
  };
}

function opened(memory: Memory, ask: Ask, pending: PendingAsk, before: readonly Draft[]): Opened {
  memory.asks[ask.ask] = pending;
  return { drafts: [...before, told({ kind: "ask.opened", ask })], writes: [] };
}

function isFull(memory: Memory): boolean {
  return Object.keys(memory.asks).length >= MAX_OPEN_ASKS;
}

/**
 * ACP has no place for a reason, nor for a changed plan. They are not lost: they follow as a prompt, once the turn is
 * over, and that is said.
 */
function refuse(memory: Memory, pending: PendingAsk, reason: string | undefined): void {
  const tool = pending.call === undefined ? undefined : memory.tools[pending.call];
  if (tool) tool.refused = true;
  if (memory.turn) memory.turn.refused = true;
  if (reason === undefined || reason.trim() === "") return;
  const text = pending.kind === "plan" ? reason : `I said no to "${pending.about}". ${reason}`;
  memory.waiting.push({ blocks: [{ type: "text", text }] });
  memory.later.push(
    noticeOf(
      "info",
      `${memory.title} takes no reason with a refusal. Yours is sent as a prompt when the turn is over.`,
    ),
  );
}

function cancelLine(pending: PendingAsk): string {
  const isCall = pending.kind === "approval" || pending.kind === "plan";
  return answerLine(pending.id, isCall ? CANCELLED : { action: "cancel" });
}

function withdrawn(ask: AskId): { kind: "ask.settled"; ask: AskId; settlement: { kind: "withdrawn" } } {
  return { kind: "ask.settled", ask, settlement: { kind: "withdrawn" } };
}

/** The agent's own ways to say yes, those for this once first. Its ways to say no are one: to deny. */
function choicesOf(options: readonly Json[]): Choice[] {
  const choices = options.flatMap((option, place): Choice[] => {
    const kind = textAt(option, "kind");
    if (kind !== "allow_once" && kind !== "allow_always") return [];
    const label = labelOf(textAt(option, "name") ?? "Allow");
    // Of what outlives the ask, agents say only in words whether it ends with the session.
    const scope = kind === "allow_once" ? "once" : /\bsession\b/iu.test(label) ? "session" : "always";
    return [{ choice: `option-${place}`, label, scope }];
  });
  return [...choices.filter((one) => one.scope === "once"), ...choices.filter((one) => one.scope !== "once")];
}

function optionOf(options: readonly Json[], choice: string): Json | undefined {
  const place = /^option-(\d+)$/u.exec(choice)?.[1];
  return place === undefined ? undefined : options[Number(place)];
}

function refusalOf(options: readonly Json[]): Json {
  const no = ["reject_once", "reject_always"].map((kind) => options.find((one) => textAt(one, "kind") === kind));
  const option = no.find((one) => one !== undefined);
  return option === undefined ? CANCELLED : selected(option);
}

function selected(option: Json): Json {
  return { outcome: { outcome: "selected", optionId: textAt(option, "optionId") ?? "" } };
}

/** Asked by a conversation that is not ours: the agent's sub-agents have their own. */
function askerOf(memory: Memory, params: Json): { from?: string } {
  const session = textAt(params, "sessionId");
  return session === undefined || session === memory.conversation ? {} : { from: "A sub-agent" };
}

function planIn(call: Json): string | undefined {
  const plan = textAt(objectAt(call, "rawInput"), "plan");
  if (plan !== undefined) return plan;
  const text = textAt(call, "kind") === "switch_mode" ? textIn(call) : "";
  return text === "" ? undefined : text;
}

function evidenceOf(memory: Memory, tool: RunningTool, call: Json): Evidence {
  const { item } = tool;
  const input = objectAt(call, "rawInput");
  const kind = textAt(call, "kind") === undefined ? item.tool.kind : kindOf(call);
  const title = textAt(call, "title");
  const command = kind === "command" ? (commandOf(input) ?? title ?? item.tool.object) : undefined;
  const edits = editsIn(call);
  const path =
    textAt(listAt(call, "locations")[0], "path") ??
    ["file_path", "filePath", "filepath", "path"].map((key) => textAt(input, key)).find((one) => one !== undefined) ??
    edits[0]?.path;
  const url = textAt(input, "url");
  const purpose = textIn(call) || (command === undefined ? title : undefined);
  const directory = textAt(input, "cwd") ?? memory.workspace;
  return {
    tool: item.tool.name,
    kind,
    directory: pathOf(directory),
    edits: edits.length > 0 ? edits : [...item.tool.edits],
    input: inputOf(call, input, item.tool.input),
    ...(purpose === undefined || purpose === "" ? {} : { purpose: wordsOf(purpose) }),
    ...(command === undefined ? {} : { command: kept(command, MAX_INPUT_CHARS) }),
    ...(path === undefined ? {} : { path: pathOf(path) }),
    ...(url === undefined ? {} : { url: kept(url, MAX_INPUT_CHARS) }),
  };
}

/** As the agent gave it; of one that gives no input, all that it said of the call, so that two are told apart. */
function inputOf(call: Json, input: Json | undefined, known: string): string {
  if (input && Object.keys(input).length > 0) return kept(JSON.stringify(input), MAX_INPUT_CHARS);
  if (known !== "{}") return known;
  const { toolCallId: _, status: __, ...rest } = call;
  return kept(JSON.stringify(rest), MAX_INPUT_CHARS);
}
