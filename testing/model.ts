/**
 * The server under a faked model: it takes model calls on loopback, keeps them for the test, and holds what a script
 * waits for. What a call and its answer look like is each vendor's own (`anthropic.ts`, `openai.ts`,
 * `chat-completions.ts`, `gemini.ts`).
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import type { Directive, Step } from "./script.ts";

/** Characters of one delta: small, so that even short words are seen to grow. */
const DELTA_CHARS = 12;

export interface Model<Call> extends AsyncDisposable {
  readonly url: string;
  /** Every model call so far, oldest first. */
  readonly requests: readonly Call[];
  /** Lets every `[[wait NAME]]`, now or later, go on. */
  release(name: string): void;
  close(): Promise<void>;
}

export interface Asked<Call> {
  readonly path: string;
  readonly call: Call;
  /** The call as it came. */
  readonly raw: string;
  /** Counts the model calls, from 1. */
  readonly number: number;
  readonly response: ServerResponse;
  /** Settles when the test releases that name. */
  gate(name: string): Promise<void>;
}

export interface Vendor<Call> {
  /** What is answered to anything but a model call, `404` where nothing is; undefined when the path is one. */
  aside(path: string, raw: string, method: string): object | 404 | undefined;
  play(asked: Asked<Call>): Promise<void>;
  /** The body of a refusal. */
  refusal(status: number, message: string): object;
}

/** `called` is told of each model call as it comes, before it is answered. */
export async function startModel<Call>(
  vendor: Vendor<Call>,
  port = 0,
  called: () => void = () => {},
): Promise<Model<Call>> {
  const requests: Call[] = [];
  const gates = new Map<string, PromiseWithResolvers<void>>();
  const gate = (name: string): PromiseWithResolvers<void> => {
    const known = gates.get(name) ?? Promise.withResolvers<void>();
    gates.set(name, known);
    return known;
  };
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let raw = "";
    for await (const chunk of request.setEncoding("utf8")) raw += String(chunk);
    const path = (request.url ?? "/").split("?")[0] ?? "/";
    const aside = vendor.aside(path, raw, request.method ?? "GET");
    if (aside === 404) return sendJson(response, 404, {});
    if (aside) return sendJson(response, 200, aside);
    const call = JSON.parse(raw) as Call;
    requests.push(call);
    called();
    await vendor.play({ path, call, raw, number: requests.length, response, gate: (name) => gate(name).promise });
  };
  const server = createServer((request, response) => {
    answer(request, response).catch((fault: unknown) => {
      // A script that cannot be played must look like a refused request: agents retry a broken server for minutes.
      const message = `The script in the prompt cannot be played: ${String(fault)}`;
      if (response.headersSent) response.destroy();
      else sendJson(response, 400, vendor.refusal(400, message));
    });
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  };
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    release: (name) => gate(name).resolve(),
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** A step that is an answer by itself: true when it was given. */
export function playedWhole(step: Step, response: ServerResponse, refusal: Vendor<unknown>["refusal"]): boolean {
  const whole = step[0];
  if (whole?.kind === "hang") return true;
  if (whole?.kind !== "http") return false;
  const [status = "500", ...words] = whole.argument.split(" ");
  sendJson(response, Number(status), refusal(Number(status), words.join(" ") || `scripted error ${status}`));
  return true;
}

/** What a step is as events; one that has a type is named by it. */
export interface Events {
  readonly first?: readonly object[];
  /** Those of a directive, one for each delta. */
  said(directive: Directive, place: number): readonly object[];
  readonly last: readonly (object | string)[];
}

/** Streams a step as server-sent events. */
export async function stream(
  { response, gate, number }: Asked<unknown>,
  step: Step,
  { first = [], said, last }: Events,
): Promise<void> {
  response.writeHead(200, { "content-type": "text/event-stream", "request-id": `req_${number}` });
  const emit = (data: object | string): void => {
    if (response.destroyed) return;
    const name = typeof data === "object" && "type" in data ? `event: ${String(data.type)}\r\n` : "";
    response.write(`${name}data: ${typeof data === "string" ? data : JSON.stringify(data)}\r\n\r\n`);
  };
  for (const event of first) emit(event);
  let pause = 0;
  for (const [place, directive] of step.entries()) {
    if (directive.kind === "slow") pause = Number(directive.argument);
    if (directive.kind === "wait") await gate(directive.argument);
    if (directive.kind === "drop") {
      // What came before must have left: the agent is to have heard a part.
      await new Promise((resolve) => response.write(": cut\r\n\r\n", resolve));
      return void response.destroy();
    }
    for (const event of said(directive, place)) {
      emit(event);
      if (pause > 0) await delay(pause);
      if (response.destroyed) return;
    }
  }
  for (const event of last) emit(event);
  response.end();
}

export function piecesOf(text: string): readonly string[] {
  return text.match(new RegExp(`[\\s\\S]{1,${DELTA_CHARS}}`, "gu")) ?? [];
}

export function sendJson(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}
