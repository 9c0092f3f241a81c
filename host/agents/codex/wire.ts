/** The lines that go to Codex's app-server: JSON-RPC without its version field, one object a line. */
import type { Json } from "../json.ts";

/** What ours begin with where Codex repeats them: prompts that no person wrote as one. */
export const OURS = "flybridge:";

/** What we ask of Codex; the id says which, so that a response needs no memory of its request. */
export const REQUESTS = {
  initialize: "initialize",
  start: "thread/start",
  resume: "thread/resume",
  fork: "thread/fork",
  models: "model/list",
  prompt: "turn/start",
  plan: "turn/start",
  steer: "turn/steer",
  reason: "turn/steer",
  interrupt: "turn/interrupt",
  configure: "thread/settings/update",
  name: "thread/name/set",
  compact: "thread/compact/start",
  review: "review/start",
  stop: "thread/backgroundTerminals/clean",
} as const;
export type Request = keyof typeof REQUESTS;

export const INITIALIZE = {
  clientInfo: { name: "flybridge", title: "Flybridge", version: "1" },
  // Questions, plans and background terminals are experimental there.
  capabilities: { experimentalApi: true, requestAttestation: false },
};

/** `key` makes the id unique and is the entry's or the prompt's, so that a request repeated after a crash has the same. */
export function requestLine(request: Request, key: string | number, params: Json): string {
  return JSON.stringify({ id: `${request}:${key}`, method: REQUESTS[request], params });
}

export function initializedLine(): string {
  return JSON.stringify({ method: "initialized" });
}

export function answerLine(id: string | number, result: Json): string {
  return JSON.stringify({ id, result });
}

/** -32601: JSON-RPC 2.0 §5.1, "method not found". */
export function refusalLine(id: string | number, message: string, code = -32601): string {
  return JSON.stringify({ id, error: { code, message } });
}

/** Which request of ours a response answers, and its key. */
export function requestOf(id: unknown): { readonly request: Request; readonly key: string } | undefined {
  if (typeof id !== "string") return undefined;
  const at = id.indexOf(":");
  const name = id.slice(0, Math.max(0, at));
  return Object.hasOwn(REQUESTS, name) ? { request: name as Request, key: id.slice(at + 1) } : undefined;
}
