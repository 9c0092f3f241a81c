/**
 * A model that costs nothing for agents that speak the older of OpenAI's interfaces, as most other vendors do:
 * `/chat/completions` on loopback, played from the script in the prompt (`script.ts`).
 */
import { randomUUID } from "node:crypto";
import { type Asked, type Model, piecesOf, playedWhole, sendJson, startModel, stream, type Vendor } from "./model.ts";
import { stepsOf, toolOf, type Directive, type Step } from "./script.ts";

type Content = string | null | readonly { readonly type: string; readonly text?: string }[];

interface Message {
  readonly role: string;
  readonly content?: Content;
  readonly tool_calls?: readonly unknown[];
}

/** What an agent sent: the body of one model call, as far as tests read it. */
export interface Completion {
  readonly model?: string;
  readonly stream?: boolean;
  readonly messages?: readonly Message[];
}

export function startChatCompletions(port = 0): Promise<Model<Completion>> {
  return startModel(VENDOR, port);
}

/** All text the model was shown in a call, one line per message: for "the model was told". */
export function toldInCompletion(call: Completion | undefined): string {
  return (call?.messages ?? []).map((message) => textOf(message.content)).join("\n");
}

const VENDOR: Vendor<Completion> = {
  aside(path) {
    if (path.endsWith("/chat/completions")) return undefined;
    return { object: "list", data: [{ id: "fake", object: "model", created: 1, owned_by: "fake" }] };
  },
  play,
  refusal: (status, message) => ({
    error: { message, type: status >= 500 ? "server_error" : "invalid_request_error", code: null },
  }),
};

async function play(asked: Asked<Completion>): Promise<void> {
  const { call, response } = asked;
  const step = stepFor(call);
  if (playedWhole(step, response, VENDOR.refusal)) return;
  const tools = step.filter((directive) => directive.kind === "tool");
  const finish_reason = tools.length > 0 ? "tool_calls" : "stop";
  const usage = { prompt_tokens: 1_000, completion_tokens: 20, total_tokens: 1_020 };
  const head = { id: `chatcmpl-${randomUUID()}`, created: 1, model: call.model ?? "fake" };
  // Ids are as unique as the real ones: a session that resumes meets a new server.
  const toolCall = (directive: Directive): object => {
    const { name, input } = toolOf(directive);
    const index = tools.indexOf(directive);
    return {
      index,
      id: `call_${randomUUID()}`,
      type: "function",
      function: { name, arguments: JSON.stringify(input) },
    };
  };
  if (call.stream !== true) {
    const content = step.map((one) => (one.kind === "text" ? one.argument : "")).join("");
    const message = { role: "assistant", content, ...(tools.length > 0 ? { tool_calls: tools.map(toolCall) } : {}) };
    const choices = [{ index: 0, finish_reason, message }];
    return sendJson(response, 200, { ...head, object: "chat.completion", choices, usage });
  }
  const chunk = (delta: object, finish: string | null = null): object => ({
    ...head,
    object: "chat.completion.chunk",
    choices: [{ index: 0, delta, finish_reason: finish }],
  });
  const said = (directive: Directive): object[] => {
    if (directive.kind === "text") return piecesOf(directive.argument).map((content) => chunk({ content }));
    if (directive.kind === "think")
      return piecesOf(directive.argument).map((text) => chunk({ reasoning_content: text }));
    return directive.kind === "tool" ? [chunk({ tool_calls: [toolCall(directive)] })] : [];
  };
  const last = [chunk({}, finish_reason), { ...head, object: "chat.completion.chunk", choices: [], usage }, "[DONE]"];
  await stream(asked, step, { said, last });
}

/** The step of the newest prompt; a call of the agent's own (for a title) has a script too, and no one reads its answer. */
function stepFor(call: Completion): Step {
  const messages = call.messages ?? [];
  const at = messages.findLastIndex((one) => one.role === "user" && textOf(one.content).trim() !== "");
  const prompt = textOf(messages[at]?.content).trim();
  const played = messages.slice(at + 1).filter((one) => one.role === "assistant").length;
  const step = stepsOf(prompt)[played];
  if (step) return step;
  const results = messages.filter((one, place) => place > at && one.role === "tool").map((one) => textOf(one.content));
  const last = results.slice(-1).join(" | ").slice(0, 300);
  return [
    { kind: "text", argument: played === 0 ? `You said: ${prompt.slice(-400)}` : `All done. Last result: ${last}` },
  ];
}

function textOf(content: Content | undefined): string {
  if (content === undefined || content === null) return "";
  return typeof content === "string" ? content : content.map((part) => part.text ?? "").join("\n");
}

if (import.meta.main) {
  const { url } = await startChatCompletions(Number(process.argv[2] ?? 0));
  process.stdout.write(`${url}\n`);
}
