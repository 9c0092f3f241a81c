/**
 * An agent that speaks the whole of ACP and needs no model: what it does is written in the prompt (`script.ts`). It is
 * run as a program, `node testing/example-agent.ts`, and is the cheapest thing to try the adapter on.
 *
 *   [[text …]] [[think …]] [[slow MS]]      words and thoughts, in pieces
 *   [[tool execute {"command":"ls"}]]       a call that asks for permission; [[+tool …]] asks at the same time
 *   [[tool edit {"path":"…","oldText":"","newText":"…"}]]   one with a diff
 *   [[tool read {"path":"…","quiet":true}]] one that does not ask
 *   [[tool switch_mode {"plan":"…"}]]       a plan to approve
 *   [[tool form {schema}]] [[tool address {"url":"…"}]]     elicitations
 *   [[tool update {…}]] [[tool request {"method":"…"}]] [[tool say {…}]]  an update, a request, a bare message of one's own
 *   [[steps one|two]] [[raw text]] [[stop refusal]] [[error -32603 words]] [[hang]] [[exit 3]]
 *
 * `EXAMPLE_AGENT` holds its `Manner` as JSON; with `folder` in it, conversations are kept there for the next process.
 */
import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { stepsOf, toolOf, type Directive } from "./script.ts";

/** How it differs from what an agent should be. */
export interface Manner {
  /** Where conversations are kept. */
  readonly folder?: string;
  /** Ends, with what it has to say, as soon as it is asked this. */
  readonly dies?: string;
  readonly version?: number;
  /** A file without which nobody is signed in. */
  readonly key?: string;
  /** What it cannot do: `load`, `resume`, `fork`, `image`, `options`. */
  readonly cannot?: readonly string[];
  /** Asks for permission without having said a word of the call, and says how it ended only if it ran. */
  readonly terse?: boolean;
  /** Ends the turn, without a word, when it is told no. */
  readonly sulks?: boolean;
}

type Json = Record<string, unknown>;

interface Conversation {
  readonly cwd: string;
  mode: string;
  model: string;
  loud: boolean;
  history: Json[];
  stopped?: AbortController;
}

const MODES = [
  { id: "ask", name: "Ask" },
  { id: "auto", name: "Auto", description: "Never asks" },
];
const OPTIONS = [
  { optionId: "always", name: "Always allow", kind: "allow_always" },
  { optionId: "once", name: "Allow", kind: "allow_once" },
  { optionId: "no", name: "Reject", kind: "reject_once" },
];
const DELTA = /[\s\S]{1,12}/gu;

const manner = JSON.parse(process.env["EXAMPLE_AGENT"] ?? "{}") as Manner;
const conversations = new Map<string, Conversation>();
const asked = new Map<number, (answer: Json) => void>();
let requests = 0;

class Refusal extends Error {
  readonly code: number;
  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

function can(what: string): boolean {
  return manner.cannot?.includes(what) !== true;
}

function say(message: Json): void {
  process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
}

function ask(method: string, params: Json): Promise<Json> {
  const id = requests;
  requests += 1;
  say({ id, method, params });
  return new Promise((resolve) => asked.set(id, resolve));
}

async function answer(method: string, params: Json): Promise<Json> {
  if (manner.dies === method) {
    process.stderr.write(`no ${method} today\n`);
    process.exit(7);
  }
  const id = typeof params["sessionId"] === "string" ? params["sessionId"] : "";
  switch (method) {
    case "initialize":
      return {
        protocolVersion: manner.version ?? 1,
        agentInfo: { name: "example-agent", version: "1.2.3" },
        agentCapabilities: {
          loadSession: can("load"),
          promptCapabilities: { image: can("image"), embeddedContext: true },
          sessionCapabilities: {
            list: {},
            ...(can("resume") ? { resume: {} } : {}),
            ...(can("fork") ? { fork: {} } : {}),
          },
        },
        authMethods: [{ id: "key", name: "A key", description: "Put it where it belongs" }],
      };
    case "authenticate":
      return {};
    case "session/new":
      return open(randomUUID(), { cwd: String(params["cwd"]), mode: "ask", model: "small", loud: false, history: [] });
    case "session/load":
    case "session/resume": {
      const kept = found(id);
      const opened = open(id, kept);
      if (method === "session/load") for (const update of kept.history) tell(id, update);
      return opened;
    }
    case "session/fork":
      return open(randomUUID(), { ...found(id), history: [...found(id).history] });
    case "session/list":
      return { sessions: [...conversations].map(([sessionId, { cwd }]) => ({ sessionId, cwd })) };
    case "session/set_mode": {
      const { modeId } = params;
      if (!MODES.some((mode) => mode.id === modeId))
        throw new Refusal(-32_602, `There is no mode "${String(modeId)}".`);
      found(id).mode = String(modeId);
      tell(id, { sessionUpdate: "current_mode_update", currentModeId: modeId });
      return {};
    }
    case "session/set_config_option":
      return configure(found(id), params);
    case "session/prompt":
      return prompt(id, params["prompt"] as Json[]);
    default:
      throw new Refusal(-32_601, `"Method not found": ${method}`);
  }
}

function open(id: string, conversation: Conversation): Json {
  if (manner.key !== undefined && !existsSync(manner.key)) throw new Refusal(-32_000, "Authentication required");
  conversations.set(id, conversation);
  keep(id);
  const modes = { currentModeId: conversation.mode, availableModes: MODES };
  return { sessionId: id, ...(can("options") ? { configOptions: optionsOf(conversation) } : { modes }) };
}

function optionsOf({ mode, model, loud }: Conversation): Json[] {
  const modes = MODES.map(({ id, ...mode }) => ({ value: id, ...mode }));
  const models = ["small", "large"].map((value) => ({ value, name: value }));
  return [
    { id: "the-mode", name: "Mode", category: "mode", type: "select", currentValue: mode, options: modes },
    { id: "the-model", name: "Model", category: "model", type: "select", currentValue: model, options: models },
    { id: "loud", name: "Loud", type: "boolean", currentValue: loud },
  ];
}

function configure(conversation: Conversation, { configId, value }: Json): Json {
  if (configId === "the-mode" && MODES.some((mode) => mode.id === value)) conversation.mode = String(value);
  else if (configId === "the-model" && (value === "small" || value === "large")) conversation.model = value;
  else if (configId === "loud" && typeof value === "boolean") conversation.loud = value;
  else throw new Refusal(-32_602, `"${String(configId)}" cannot be ${JSON.stringify(value)}.`);
  return { configOptions: optionsOf(conversation) };
}

function found(id: string): Conversation {
  const known = conversations.get(id);
  if (known) return known;
  const path = join(manner.folder ?? "", `${id}.json`);
  if (manner.folder === undefined || !existsSync(path)) throw new Refusal(-32_002, `Resource not found: ${id}`);
  return JSON.parse(readFileSync(path, "utf8")) as Conversation;
}

function keep(id: string): void {
  if (manner.folder === undefined) return;
  mkdirSync(manner.folder, { recursive: true });
  writeFileSync(join(manner.folder, `${id}.json`), JSON.stringify(conversations.get(id)));
}

function tell(sessionId: string, update: Json): void {
  say({ method: "session/update", params: { sessionId, update } });
}

/** One prompt: its steps in order, those of one step at the same time. */
async function prompt(id: string, blocks: readonly Json[]): Promise<Json> {
  const conversation = found(id);
  const stopped = new AbortController();
  conversation.stopped = stopped;
  const text = blocks.map((block) => (block["type"] === "text" ? String(block["text"]) : `[${String(block["type"])}]`));
  conversation.history.push({ sessionUpdate: "user_message_chunk", content: { type: "text", text: text.join("\n") } });
  const heard = (update: Json): void => {
    conversation.history.push(update);
    tell(id, update);
  };
  const steps = stepsOf(text.join("\n"));
  const played = steps.length > 0 ? steps : [[{ kind: "text", argument: `You said: ${text.join("\n")}` }]];
  let stopReason = "end_turn";
  let pause = 0;
  const say = async (kind: string, words: string): Promise<void> => {
    for (const piece of words.match(DELTA) ?? []) {
      if (stopped.signal.aborted) return;
      heard({ sessionUpdate: `agent_${kind}_chunk`, content: { type: "text", text: piece } });
      if (pause > 0) await delay(pause);
    }
  };
  const play = async ({ kind, argument }: Directive): Promise<void> => {
    if (kind === "slow") pause = Number(argument);
    else if (kind === "text") await say("message", argument);
    else if (kind === "think") await say("thought", argument);
    else if (kind === "steps") heard({ sessionUpdate: "plan", entries: stepsIn(argument) });
    else if (kind === "raw") process.stdout.write(`${argument}\n`);
    else if (kind === "stop") stopReason = argument;
    else if (kind === "exit") process.exit(Number(argument));
    else if (kind === "hang") await aborted(stopped.signal);
    else if (kind === "error") throw new Refusal(Number.parseInt(argument, 10), argument.replace(/^\S+\s*/u, ""));
    else if (kind === "tool" && !(await call(id, conversation, toolOf({ kind, argument }), heard))) stopped.abort();
  };
  for (const step of played) {
    if (stopped.signal.aborted) break;
    await Promise.all(step.map(play));
  }
  keep(id);
  const cancelled = stopped.signal.aborted && stopReason === "end_turn" && !sulked.delete(id);
  return {
    stopReason: cancelled ? "cancelled" : stopReason,
    usage: { inputTokens: 100, outputTokens: 10, totalTokens: 110 },
  };
}

/** Conversations whose turn ended because of a no. */
const sulked = new Set<string>();

/** False when the turn ends by it. */
async function call(
  sessionId: string,
  conversation: Conversation,
  { name, input }: { name: string; input: unknown },
  heard: (update: Json) => void,
): Promise<boolean> {
  const given = input as Json;
  if (name === "update") heard(given);
  else if (name === "say") say(given);
  else if (name === "request") {
    const { error, result } = await ask(String(given["method"]), { sessionId });
    heard(words(`answered: ${JSON.stringify(error ?? result)}`));
  } else if (name === "form" || name === "address") {
    const mode =
      name === "form" ? { mode: "form", requestedSchema: given } : { mode: "url", elicitationId: "e1", ...given };
    const { result } = await ask("elicitation/create", { sessionId, message: "Please say.", ...mode });
    heard(words(`elicited: ${JSON.stringify(result)}`));
  } else return toolCall(sessionId, conversation, name, given, heard);
  return true;
}

async function toolCall(
  sessionId: string,
  conversation: Conversation,
  kind: string,
  { quiet, oldText, newText, ...rawInput }: Json,
  heard: (update: Json) => void,
): Promise<boolean> {
  const toolCallId = `call_${randomUUID()}`;
  const path = typeof rawInput["path"] === "string" ? rawInput["path"] : undefined;
  const title = kind === "switch_mode" ? "Ready to code?" : `${kind} ${JSON.stringify(Object.values(rawInput)[0])}`;
  const content = newText === undefined ? [] : [{ type: "diff", path, oldText, newText }];
  const locations = path === undefined ? [] : [{ path }];
  const details = { toolCallId, title, kind, status: "pending", content, locations };
  const whole = manner.terse === true ? details : { ...details, rawInput };
  if (manner.terse !== true) heard({ sessionUpdate: "tool_call", ...whole });
  let option: string | undefined = "once";
  if (quiet !== true && conversation.mode !== "auto") {
    const { result } = await ask("session/request_permission", { sessionId, toolCall: whole, options: OPTIONS });
    const outcome = (result as Json | undefined)?.["outcome"] as Json | undefined;
    if (outcome?.["outcome"] !== "selected") return false;
    option = outcome["optionId"] as string;
  }
  if (option === "always") conversation.mode = "auto";
  const ran = option !== "no";
  const text = ran ? `ran ${kind}` : "rejected by the user";
  if (ran || manner.terse !== true) {
    const said = [...content, { type: "content", content: { type: "text", text } }];
    heard({ sessionUpdate: "tool_call_update", toolCallId, status: ran ? "completed" : "failed", content: said });
  }
  if (ran || manner.sulks !== true) return true;
  sulked.add(sessionId);
  return false;
}

function stepsIn(text: string): Json[] {
  return text.split("|").map((content) => ({ content, priority: "medium", status: "pending" }));
}

function words(text: string): Json {
  return { sessionUpdate: "agent_message_chunk", content: { type: "text", text } };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve());
  });
}

if (import.meta.main) {
  createInterface({ input: process.stdin }).on("line", (line) => {
    const {
      id,
      method,
      params = {},
      ...rest
    } = JSON.parse(line) as { id?: number; method?: string; params?: Json } & Json;
    if (method === "session/cancel") return conversations.get(String(params["sessionId"]))?.stopped?.abort();
    if (method === undefined) return asked.get(id ?? -1)?.(rest);
    void answer(method, params).then(
      (result) => say({ id, result }),
      (error: unknown) => {
        const code = error instanceof Refusal ? error.code : -32_603;
        say({ id, error: { code, message: (error as Error).message } });
      },
    );
  });
}
