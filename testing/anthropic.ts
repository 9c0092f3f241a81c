/**
 * A model that costs nothing: the streaming part of Anthropic's Messages API on loopback, played from the script in the
 * prompt (`script.ts`). The agent in front of it is the real one. `node testing/anthropic.ts PORT` runs it by hand.
 */
import { randomUUID } from "node:crypto";
import { type Asked, type Model, piecesOf, playedWhole, sendJson, startModel, stream, type Vendor } from "./model.ts";
import { stepsOf, toolOf, type Directive, type Step } from "./script.ts";

interface Block {
  readonly type: string;
  readonly text?: string;
  readonly content?: unknown;
  readonly is_error?: boolean;
}

interface Message {
  readonly role: string;
  readonly content: string | readonly Block[];
}

/** What an agent sent: the body of one model call, as far as tests read it. */
export interface ModelCall {
  readonly model?: string;
  readonly stream?: boolean;
  readonly messages?: readonly Message[];
}

export type Anthropic = Model<ModelCall>;

/** `called` is told of each model call as it comes, before it is answered. */
export function startAnthropic(port = 0, called?: () => void): Promise<Anthropic> {
  return startModel(VENDOR, port, called);
}

/** All text the model was shown in a call, one line per block: for "the model was told". */
export function toldIn(call: ModelCall | undefined): string {
  return (call?.messages ?? []).map((message) => told(message.content)).join("\n");
}

const VENDOR: Vendor<ModelCall> = {
  aside(path, raw, method) {
    if (path.endsWith("/v1/messages")) return undefined;
    if (path.endsWith("/count_tokens")) return { input_tokens: Math.ceil(raw.length / 4) };
    return method === "POST" ? 404 : {};
  },
  play,
  refusal(status, message) {
    const type =
      status === 529 ? "overloaded_error" : status === 401 ? "authentication_error" : "invalid_request_error";
    return { type: "error", error: { type, message } };
  },
};

async function play(asked: Asked<ModelCall>): Promise<void> {
  const { call, raw, response } = asked;
  const step = stepFor(call, raw);
  if (playedWhole(step, response, VENDOR.refusal)) return;
  // Ids are as unique as the real ones: a session that resumes meets a new server.
  const message = `msg_${randomUUID()}`;
  const blocks = step.map((one, place) => blockOf(one, `${message.replace("msg", "toolu")}_${place}`));
  const content = blocks.filter((block) => block !== undefined);
  const usage = { input_tokens: 1_000, cache_creation_input_tokens: 0, cache_read_input_tokens: 200, output_tokens: 1 };
  const stop_reason = content.some((block) => block.type === "tool_use") ? "tool_use" : "end_turn";
  const ended = { stop_reason, stop_sequence: null };
  const head = { id: message, type: "message", role: "assistant", model: call.model };
  if (call.stream !== true) return sendJson(response, 200, { ...head, content, ...ended, usage });
  const begun = { ...head, content: [], stop_reason: null, stop_sequence: null, usage };
  const output_tokens = Math.ceil(JSON.stringify(content).length / 4);
  await stream(asked, step, {
    first: [{ type: "message_start", message: begun }],
    said(_, place) {
      const block = blocks[place];
      return block ? eventsOf(block, content.indexOf(block)) : [];
    },
    last: [{ type: "message_delta", delta: ended, usage: { output_tokens } }, { type: "message_stop" }],
  });
}

function eventsOf(block: ModelBlock, index: number): object[] {
  return [
    { type: "content_block_start", index, content_block: { ...block, ...EMPTY[block.type] } },
    ...deltasOf(block).map((delta) => ({ type: "content_block_delta", index, delta })),
    { type: "content_block_stop", index },
  ];
}

type ModelBlock =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "thinking"; readonly thinking: string; readonly signature: string }
  | { readonly type: "tool_use"; readonly id: string; readonly name: string; readonly input: unknown };

/** A block begins without what its deltas bring. */
const EMPTY: Record<ModelBlock["type"], object> = {
  text: { text: "" },
  thinking: { thinking: "", signature: "" },
  tool_use: { input: {} },
};

function blockOf(directive: Directive, id: string): ModelBlock | undefined {
  if (directive.kind === "text") return { type: "text", text: directive.argument };
  if (directive.kind === "think") return { type: "thinking", thinking: directive.argument, signature: "c2ln" };
  return directive.kind === "tool" ? { type: "tool_use", id, ...toolOf(directive) } : undefined;
}

function deltasOf(block: ModelBlock): object[] {
  if (block.type === "text") return piecesOf(block.text).map((text) => ({ type: "text_delta", text }));
  if (block.type === "tool_use") {
    return piecesOf(JSON.stringify(block.input)).map((json) => ({ type: "input_json_delta", partial_json: json }));
  }
  const thoughts = piecesOf(block.thinking).map((thinking) => ({ type: "thinking_delta", thinking }));
  return [...thoughts, { type: "signature_delta", signature: block.signature }];
}

/** The step of the newest real prompt: messages that hold only tool results or the agent's own remarks are no prompt. */
function stepFor(call: ModelCall, raw: string): Step {
  const messages = (call.messages ?? []).filter((one) => one.role === "user" || one.role === "assistant");
  const at = messages.findLastIndex((one) => one.role === "user" && spoken(one) !== "");
  const message = messages[at];
  const prompt = (message ? spoken(message) : "").replaceAll("{{PLAN_FILE}}", planFile(raw));
  const played = messages.slice(at + 1).filter((one) => one.role === "assistant").length;
  const step = stepsOf(prompt)[played];
  if (step) return step;
  const text = played === 0 ? `You said: ${prompt.slice(-400)}` : `All done. Last result: ${results(messages.at(-1))}`;
  return [{ kind: "text", argument: text }];
}

/** The newest text in a message: a prompt that failed shares its message with the one after it. */
function spoken(message: Message): string {
  const { content } = message;
  const texts = typeof content === "string" ? [content] : content.map((one) => one.text ?? "");
  return texts.map(withoutRemarks).findLast((text) => text !== "") ?? "";
}

function withoutRemarks(text: string): string {
  return text
    .replaceAll(/<(?<tag>system-reminder|(?:local-)?command-[\w-]+)>[\s\S]*?<\/\k<tag>>/gu, "")
    .replaceAll(/\[Request interrupted by user[^\]]*\]/gu, "")
    .trim();
}

function results(message: Message | undefined): string {
  if (!message || typeof message.content === "string") return "";
  const told = message.content
    .filter((one) => one.type === "tool_result")
    .map((one) => `${one.is_error === true ? "ERROR " : ""}${textOf(one.content)}`);
  return told.join(" | ").slice(0, 200);
}

/** In plan mode the agent tells the model which file to write the plan to. */
function planFile(raw: string): string {
  return /[^\s"'`\\]*\/plans\/[\w.-]+\.md/u.exec(raw)?.[0] ?? "{{PLAN_FILE}}";
}

function told(content: Message["content"]): string {
  if (typeof content === "string") return content;
  return content.map((block) => block.text ?? textOf(block.content)).join("\n");
}

function textOf(content: unknown): string {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  return content.map((one: Block) => one.text ?? "").join("\n");
}

if (import.meta.main) {
  const { url } = await startAnthropic(Number(process.argv[2] ?? 0));
  process.stdout.write(`${url}\n`);
}
