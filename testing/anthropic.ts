/**
 * A model that costs nothing: the streaming part of Anthropic's Messages API on loopback, played from the script in the
 * prompt (`script.ts`). The agent in front of it is the real one. `node testing/anthropic.ts PORT` runs it by hand.
 */
import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { stepsOf, toolOf, type Step } from "./script.ts";

/** Characters of one delta: small, so that even short words are seen to grow. */
const DELTA_CHARS = 12;

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

export interface Anthropic extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** Every model call so far, oldest first. */
  readonly requests: readonly ModelCall[];
  /** Lets every `[[wait NAME]]`, now or later, go on. */
  release(name: string): void;
  close(): Promise<void>;
}

/** `called` is told of each model call as it comes, before it is answered. */
export async function startAnthropic(port = 0, called: () => void = () => {}): Promise<Anthropic> {
  const requests: ModelCall[] = [];
  const gates = new Map<string, Gate>();
  const gate = (name: string): Gate => {
    const known = gates.get(name) ?? closedGate();
    gates.set(name, known);
    return known;
  };
  const server = createServer((request, response) => {
    answer(request, response, requests, (name) => gate(name).opened, called).catch((fault: unknown) => {
      // A script that cannot be played must look like a refused request: agents retry a broken server for minutes.
      if (response.headersSent) response.destroy();
      else refuse(response, 400, `The script in the prompt cannot be played: ${String(fault)}`);
    });
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const bound = (server.address() as AddressInfo).port;
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  };
  return {
    url: `http://127.0.0.1:${bound}`,
    port: bound,
    requests,
    release: (name) => gate(name).open(),
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** All text the model was shown in a call, one line per block: for "the model was told". */
export function toldIn(call: ModelCall | undefined): string {
  return (call?.messages ?? []).map((message) => told(message.content)).join("\n");
}

interface Gate {
  readonly opened: Promise<void>;
  readonly open: () => void;
}

function closedGate(): Gate {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  requests: ModelCall[],
  gate: (name: string) => Promise<void>,
  called: () => void,
): Promise<void> {
  let raw = "";
  for await (const chunk of request.setEncoding("utf8")) raw += String(chunk);
  const path = (request.url ?? "/").split("?")[0] ?? "/";
  if (path.endsWith("/count_tokens")) return send(response, 200, { input_tokens: Math.ceil(raw.length / 4) });
  if (!path.endsWith("/v1/messages")) return send(response, request.method === "POST" ? 404 : 200, {});
  const call = JSON.parse(raw) as ModelCall;
  requests.push(call);
  called();
  await play(call, raw, requests.length, response, gate);
}

async function play(
  call: ModelCall,
  raw: string,
  number: number,
  response: ServerResponse,
  gate: (name: string) => Promise<void>,
): Promise<void> {
  const step = stepFor(call, raw);
  const whole = step[0];
  if (whole?.kind === "hang") return;
  if (whole?.kind === "http") {
    const [status = "500", ...words] = whole.argument.split(" ");
    return refuse(response, Number(status), words.join(" ") || `scripted error ${status}`);
  }
  // Ids are as unique as the real ones: a session that resumes meets a new server.
  const message = `msg_${randomUUID()}`;
  const blocks = step.flatMap((one, place) => blockOf(one, `${message.replace("msg", "toolu")}_${place}`));
  const usage = { input_tokens: 1_000, cache_creation_input_tokens: 0, cache_read_input_tokens: 200, output_tokens: 1 };
  const stop = blocks.some((block) => block.type === "tool_use") ? "tool_use" : "end_turn";
  const head = { id: message, type: "message", role: "assistant", model: call.model };
  if (call.stream !== true) {
    return send(response, 200, { ...head, content: blocks, stop_reason: stop, stop_sequence: null, usage });
  }
  response.writeHead(200, { "content-type": "text/event-stream", "request-id": `req_${number}` });
  const emit = (type: string, body: object): void => {
    if (!response.destroyed) response.write(`event: ${type}\ndata: ${JSON.stringify({ type, ...body })}\n\n`);
  };
  emit("message_start", { message: { ...head, content: [], stop_reason: null, stop_sequence: null, usage } });
  let pause = 0;
  let index = 0;
  for (const [place, directive] of step.entries()) {
    if (directive.kind === "slow") pause = Number(directive.argument);
    if (directive.kind === "wait") await gate(directive.argument);
    if (directive.kind === "drop") {
      // What came before must have left: the agent is to have heard a part.
      await new Promise((resolve) => response.write(": cut\n\n", resolve));
      return void response.destroy();
    }
    for (const block of blockOf(directive, `${message.replace("msg", "toolu")}_${place}`)) {
      emit("content_block_start", { index, content_block: { ...block, ...EMPTY[block.type] } });
      for (const delta of deltasOf(block)) {
        emit("content_block_delta", { index, delta });
        if (pause > 0) await delay(pause);
        if (response.destroyed) return;
      }
      emit("content_block_stop", { index });
      index += 1;
    }
  }
  const output = Math.ceil(JSON.stringify(blocks).length / 4);
  emit("message_delta", { delta: { stop_reason: stop, stop_sequence: null }, usage: { output_tokens: output } });
  emit("message_stop", {});
  response.end();
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

function blockOf(directive: Step[number], id: string): ModelBlock[] {
  if (directive.kind === "text") return [{ type: "text", text: directive.argument }];
  if (directive.kind === "think") return [{ type: "thinking", thinking: directive.argument, signature: "c2ln" }];
  if (directive.kind === "tool") return [{ type: "tool_use", id, ...toolOf(directive) }];
  return [];
}

function deltasOf(block: ModelBlock): object[] {
  if (block.type === "text") return pieces(block.text).map((text) => ({ type: "text_delta", text }));
  if (block.type === "tool_use") {
    return pieces(JSON.stringify(block.input)).map((json) => ({ type: "input_json_delta", partial_json: json }));
  }
  const thoughts = pieces(block.thinking).map((thinking) => ({ type: "thinking_delta", thinking }));
  return [...thoughts, { type: "signature_delta", signature: block.signature }];
}

function pieces(text: string): readonly string[] {
  return text.match(new RegExp(`[\\s\\S]{1,${DELTA_CHARS}}`, "gu")) ?? [];
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

function refuse(response: ServerResponse, status: number, message: string): void {
  const type = status === 529 ? "overloaded_error" : status === 401 ? "authentication_error" : "invalid_request_error";
  send(response, status, { type: "error", error: { type, message } });
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}

if (import.meta.main) {
  const { url } = await startAnthropic(Number(process.argv[2] ?? 0));
  process.stdout.write(`${url}\n`);
}
