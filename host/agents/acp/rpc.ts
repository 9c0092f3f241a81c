/** The lines that go to the agent: JSON-RPC 2.0 requests and notifications of ours, and answers to its own. */
import type { Json } from "../json.ts";
import { nextNumber, type Memory, type RpcId, type Sent } from "./memory.ts";

/** JSON-RPC 2.0 §5.1, and ACP's own codes after it. */
export const METHOD_NOT_FOUND = -32_601;
export const REQUEST_CANCELLED = -32_800;
export const AUTH_REQUIRED = -32_000;

/**
 * ACP has no word for "the prompt has arrived": the answer comes when the turn is over. Every agent answers a method that
 * it does not know at once, so this one is sent behind what has to be seen to have arrived. Names with an underscore
 * are free for that (ACP, Extensibility).
 */
export const PROBE = "_flybridge/arrived";

/** A request, remembered until it is answered. */
export function requestLine(memory: Memory, sent: Sent, method: string, params: Json): string {
  const id = nextNumber(memory);
  memory.sent[String(id)] = sent;
  return line({ id, method, params });
}

/** Asked to know that the agent has said what it had to say: the answer comes behind that. */
export function quietLine(memory: Memory): string {
  return requestLine(memory, { kind: "quiet" }, PROBE, {});
}

/** Nobody waits for its answer: that it is heard is all. */
export function probeLine(memory: Memory): string {
  return line({ id: nextNumber(memory), method: PROBE, params: {} });
}

export function notificationLine(method: string, params: Json): string {
  return line({ method, params });
}

export function answerLine(id: RpcId | null, result: Json): string {
  return line({ id, result });
}

export function refusalLine(id: RpcId | null, code: number, message: string): string {
  return line({ id, error: { code, message } });
}

function line(message: Json): string {
  return JSON.stringify({ jsonrpc: "2.0", ...message });
}
