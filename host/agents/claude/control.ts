/** The lines that go to Claude: prompts, control requests, and the answers to its own requests. */
import type { Delivery } from "@flybridge/protocol/entry.ts";
import type { Attached } from "../agent.ts";
import type { Json } from "../json.ts";
import { contentOf } from "./attach.ts";

/** Ids of our requests begin so; Claude repeats our answers to its own requests, and those must not be taken for these. */
const OURS = "flybridge:";

/** What we may ask of Claude; the id says which, so that a response needs no memory of its request. */
export type Request = "initialize" | "interrupt" | "model" | "mode" | "cancel";

const SUBTYPES: Record<Request, string> = {
  initialize: "initialize",
  interrupt: "interrupt",
  model: "set_model",
  mode: "set_permission_mode",
  cancel: "cancel_async_message",
};

/**
 * `next` is read by the running turn before its next model call, `later` waits for its end; `now` would interrupt it.
 * Claude's default is `next`, so a queued prompt has to say otherwise.
 */
export function promptLine(
  prompt: string,
  text: string,
  delivery: Delivery,
  attached: readonly Attached[] = [],
): string {
  const message = { role: "user", content: contentOf(text, attached) };
  return JSON.stringify({ type: "user", message, uuid: prompt, priority: delivery === "steer" ? "next" : "later" });
}

/** `number` makes the id unique and is the entry's, so that a request repeated after a crash has the same id. */
export function requestLine(request: Request, number: number, parameters: Json = {}): string {
  return JSON.stringify({
    type: "control_request",
    request_id: `${OURS}${request}:${number}`,
    request: { subtype: SUBTYPES[request], ...parameters },
  });
}

/** Which request of ours a response answers. */
export function requestOf(id: string | undefined): Request | undefined {
  const name = id?.startsWith(OURS) === true ? id.slice(OURS.length).split(":")[0] : undefined;
  return name !== undefined && name in SUBTYPES ? (name as Request) : undefined;
}

export function answerLine(request: string, response: Json): string {
  return JSON.stringify({ type: "control_response", response: { subtype: "success", request_id: request, response } });
}

export function refusalLine(request: string, error: string): string {
  return JSON.stringify({ type: "control_response", response: { subtype: "error", request_id: request, error } });
}
