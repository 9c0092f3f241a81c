/**
 * A model that costs nothing: the streaming part of OpenAI's Responses API on loopback, played from the script in the
 * prompt (`script.ts`). The agent in front of it is the real one. `node testing/openai.ts PORT` runs it by hand.
 *
 * Beside what `script.ts` has:
 *   [[comment some text]]                  words said on the way, not the answer
 *   [[custom apply_patch *** Begin …]]     a call of a tool that takes plain text
 *   [[nstool mcp__demo deploy {"a":1}]]    a call of a tool that has a namespace
 *   [[search some words]]                  a search that the model's service made itself
 */
import { randomUUID } from "node:crypto";
import { type Asked, type Model, piecesOf, playedWhole, startModel, stream, type Vendor } from "./model.ts";
import { stepsOf, toolOf, type Directive, type Step } from "./script.ts";

/** What the agent itself says to its model in the person's name. */
const REMARKS =
  /<(?<tag>environment_context|turn_aborted|user_instructions|user_shell_command|skill|subagent_notification|recommended_plugins)(?: [^>]*)?>[\s\S]*?<\/\k<tag>>|<\/?image[^>]*>/gu;

interface Piece {
  readonly type: string;
  readonly text?: string;
  readonly image_url?: string;
}

interface InputItem {
  readonly type?: string;
  readonly role?: string;
  readonly content?: string | readonly Piece[];
  readonly output?: unknown;
}

/** What an agent sent: the body of one model call, as far as tests read it. */
export interface ModelCall {
  readonly model?: string;
  readonly stream?: boolean;
  readonly instructions?: string;
  readonly tools?: readonly { readonly name?: string; readonly type: string }[];
  readonly input?: string | readonly InputItem[];
}

export type OpenAi = Model<ModelCall>;

export async function startOpenAi(port = 0): Promise<OpenAi> {
  const model = await startModel(VENDOR, port);
  return { ...model, url: `${model.url}/v1` };
}

/** All text the model was shown in a call, one line per piece: for "the model was told". */
export function toldIn(call: ModelCall | undefined): string {
  return itemsOf(call)
    .map((item) => `${textOf(item.content)}${item.output === undefined ? "" : outputOf(item)}`)
    .join("\n");
}

const VENDOR: Vendor<ModelCall> = {
  aside(path) {
    if (path.endsWith("/responses")) return undefined;
    return path.endsWith("/models") ? { object: "list", data: [] } : 404;
  },
  play,
  refusal: (status, message) => ({
    error: { message, type: status >= 500 ? "server_error" : "invalid_request_error", code: null },
  }),
};

async function play(asked: Asked<ModelCall>): Promise<void> {
  const { call, raw, response } = asked;
  const step = stepFor(call);
  if (playedWhole(step, response, VENDOR.refusal)) return;
  let number = 0;
  const event: Event = (type, body) => ({ type, sequence_number: number++, ...body });
  const head = { id: `resp_${randomUUID()}`, object: "response", created_at: 1, model: call.model, error: null };
  const first = [event("response.created", { response: { ...head, output: [], status: "in_progress" } })];
  // Before the first byte: one that cannot be played is refused.
  const output: object[] = [];
  const events = step.map((directive) => {
    const said = spokenAs(directive);
    if (!said) return [];
    output.push(said.done);
    return eventsOf(said, output.length - 1, event);
  });
  const input = Math.max(1, Math.ceil(raw.length / 4));
  const spoken = Math.max(1, Math.ceil(JSON.stringify(output).length / 4));
  const usage = {
    input_tokens: input,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: spoken,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: input + spoken,
  };
  const last = [event("response.completed", { response: { ...head, output, status: "completed", usage } })];
  await stream(asked, step, { first, said: (_, place) => events[place] ?? [], last });
}

type Event = (type: string, body: object) => object;

function eventsOf(said: Spoken, output_index: number, event: Event): object[] {
  const { id, begun, opened, delta, text, done } = said;
  return [
    event("response.output_item.added", { output_index, item: begun }),
    ...(opened ? [event(opened.type, { item_id: id, output_index, ...opened.body })] : []),
    ...(delta
      ? piecesOf(text).map((piece) => event(delta.type, { item_id: id, output_index, ...delta.body, delta: piece }))
      : []),
    event("response.output_item.done", { output_index, item: done }),
  ];
}

interface Spoken {
  readonly id: string;
  readonly begun: object;
  readonly opened?: { readonly type: string; readonly body: object };
  /** Absent for what does not stream. */
  readonly delta?: { readonly type: string; readonly body: object };
  readonly text: string;
  readonly done: object;
}

/** Ids are as unique as the real ones: a session that resumes meets a new server. */
function spokenAs(directive: Directive): Spoken | undefined {
  const text = directive.argument;
  const unique = randomUUID().replaceAll("-", "");
  switch (directive.kind) {
    case "text":
    case "comment": {
      const id = `msg_${unique}`;
      const phase = directive.kind === "comment" ? "commentary" : "final_answer";
      const head = { id, type: "message", role: "assistant", phase };
      const part = { type: "output_text", text: "", annotations: [] };
      return {
        id,
        begun: { ...head, status: "in_progress", content: [] },
        opened: { type: "response.content_part.added", body: { content_index: 0, part } },
        delta: { type: "response.output_text.delta", body: { content_index: 0 } },
        text,
        done: { ...head, status: "completed", content: [{ ...part, text }] },
      };
    }
    case "think": {
      const id = `rs_${unique}`;
      const part = { type: "summary_text", text: "" };
      return {
        id,
        begun: { id, type: "reasoning", summary: [] },
        opened: { type: "response.reasoning_summary_part.added", body: { summary_index: 0, part } },
        delta: { type: "response.reasoning_summary_text.delta", body: { summary_index: 0 } },
        text,
        done: { id, type: "reasoning", summary: [{ ...part, text }], encrypted_content: "c2ln" },
      };
    }
    case "search": {
      const id = `ws_${unique}`;
      const head = { id, type: "web_search_call" };
      const action = { type: "search", query: text };
      return {
        id,
        begun: { ...head, status: "in_progress" },
        text: "",
        done: { ...head, status: "completed", action },
      };
    }
    case "tool":
    case "nstool": {
      const { namespace, name, json } = namedIn(directive);
      const id = `fc_${unique}`;
      const head = { id, type: "function_call", status: "completed", call_id: `call_${unique}`, name, ...namespace };
      return {
        id,
        begun: { ...head, arguments: "" },
        delta: { type: "response.function_call_arguments.delta", body: {} },
        text: json,
        done: { ...head, arguments: json },
      };
    }
    case "custom": {
      const [, name = "", input = ""] = /^(\S+)\s*([\s\S]*)$/u.exec(text) ?? [];
      const id = `ctc_${unique}`;
      const head = { id, type: "custom_tool_call", status: "completed", call_id: `call_${unique}`, name };
      return {
        id,
        begun: { ...head, input: "" },
        delta: { type: "response.custom_tool_call_input.delta", body: {} },
        text: input,
        done: { ...head, input },
      };
    }
    default:
      return undefined;
  }
}

function namedIn(directive: Directive): { namespace: object; name: string; json: string } {
  if (directive.kind === "tool") {
    const { name, input } = toolOf(directive);
    return { namespace: {}, name, json: JSON.stringify(input) };
  }
  const [, namespace = "", rest = ""] = /^(\S+)\s+([\s\S]*)$/u.exec(directive.argument) ?? [];
  const { name, input } = toolOf({ kind: "tool", argument: rest });
  return { namespace: { namespace }, name, json: JSON.stringify(input) };
}

/**
 * The step of the newest real prompt, which is a message of the user's with more than the agent's own remarks. A run of
 * what the model said, not broken by a result, was one call.
 */
function stepFor(call: ModelCall): Step {
  const items = itemsOf(call);
  const at = items.findLastIndex((item) => item.role === "user" && spoken(item) !== "");
  const prompt = at < 0 ? "" : spoken(items[at]);
  let played = 0;
  let before = "";
  for (const item of items.slice(at + 1)) {
    const who = whoSaid(item);
    if (who === "model" && before !== "model") played += 1;
    if (who !== "other") before = who;
  }
  const step = stepsOf(prompt)[played];
  if (step) return step;
  const results = items.slice(items.findLastIndex((item) => whoSaid(item) === "model") + 1);
  const text =
    played === 0
      ? `You said: ${prompt.slice(-400)}`
      : `All done. Last result: ${results.map(outputOf).join(" | ").slice(0, 300)}`;
  return [{ kind: "text", argument: text }];
}

function whoSaid(item: InputItem): "model" | "result" | "other" {
  if (item.type?.endsWith("_output") === true) return "result";
  if (item.role === "assistant" || /_call$|^reasoning$/u.test(item.type ?? "")) return "model";
  return "other";
}

/** The newest text of a message that is not the agent's own remark on where it runs. */
function spoken(item: InputItem | undefined): string {
  const { content } = item ?? {};
  const texts = typeof content === "string" ? [content] : (content ?? []).map((one) => one.text ?? "");
  return texts.map(withoutRemarks).findLast((text) => text !== "") ?? "";
}

function withoutRemarks(text: string): string {
  if (text.startsWith("# AGENTS.md")) return "";
  return text.replaceAll(REMARKS, "").trim();
}

function itemsOf(call: ModelCall | undefined): readonly InputItem[] {
  const input = call?.input ?? [];
  return typeof input === "string" ? [{ role: "user", content: input }] : input;
}

function textOf(content: InputItem["content"]): string {
  if (content === undefined || typeof content === "string") return content ?? "";
  return content
    .map((one) => one.text ?? (one.image_url === undefined ? "" : `[image ${one.image_url.slice(0, 40)}]`))
    .join("\n");
}

function outputOf(item: InputItem): string {
  const { output } = item;
  if (typeof output === "string") return output;
  if (Array.isArray(output)) return textOf(output as Piece[]);
  return output === undefined ? "" : JSON.stringify(output);
}

if (import.meta.main) {
  const { url } = await startOpenAi(Number(process.argv[2] ?? 0));
  process.stdout.write(`${url}\n`);
}
