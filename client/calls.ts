/** Calls over one pipe: numbers them, matches what comes back, and fails what is open when the pipe ends. */
import { CallError } from "@flybridge/protocol/error.ts";
import type { IntentId } from "@flybridge/protocol/ids.ts";
import { encodeMessage, type HostMessage } from "@flybridge/protocol/message.ts";
import { METHODS, type Method, type Params, type Result } from "@flybridge/protocol/methods.ts";
import type { SecurePipe } from "@flybridge/transport/pipe.ts";
import { Streams } from "@flybridge/transport/streams.ts";
import * as v from "valibot";
import { Offline } from "./replica.ts";

/** Bytes of a call from which it goes with bulk, where it holds up nothing else. */
const BULK_BYTES = 64 * 1024;

/** Called while the message is being read, so that what comes after it on its stream finds everything in place. */
export interface Answered<M extends Method> {
  ok(result: Result<M>): void;
  failed(error: CallError | Offline): void;
}

interface Open {
  readonly method: Method;
  ok(result: never): void;
  failed(error: CallError | Offline): void;
}

export class Calls {
  readonly #pipe: SecurePipe;
  readonly #open = new Map<number, Open>();
  /** Messages that the pipe's queue had no room for, by stream. */
  readonly #waiting = new Map<number, Uint8Array[]>();
  /** Who waits for the last answer. */
  #idle: (() => void)[] = [];
  #number = 0;
  #ended = false;

  constructor(pipe: SecurePipe) {
    this.#pipe = pipe;
  }

  send<M extends Method>(method: M, params: Params<M>, answered: Answered<M>, intent?: IntentId): void {
    if (this.#ended) {
      answered.failed(new Offline("The connection ended."));
      return;
    }
    const call = this.#number++;
    const bytes = encodeMessage({ t: "call", call, method, params, ...(intent === undefined ? {} : { intent }) });
    this.#open.set(call, { method, ...answered });
    const stream = bytes.length > BULK_BYTES ? Streams.bulk : Streams.calls;
    const waiting = this.#waiting.get(stream);
    if (waiting) waiting.push(bytes);
    else if (!this.#pipe.send(stream, bytes)) this.#waiting.set(stream, [bytes]);
  }

  /** As `send`, for who need not be first to know. */
  ask<M extends Method>(method: M, params: Params<M>, intent?: IntentId): Promise<Result<M>> {
    return new Promise((ok, failed) => {
      this.send(method, params, { ok, failed }, intent);
    });
  }

  /** Resolves when nothing is unanswered. */
  idle(): Promise<void> {
    return new Promise((resolve) => {
      this.#idle.push(resolve);
      this.#look();
    });
  }

  answer(message: Extract<HostMessage, { t: "reply" | "fault" }>): void {
    const open = this.#open.get(message.call);
    if (!open) return;
    this.#open.delete(message.call);
    this.#look();
    if (message.t === "fault") {
      const { code, message: words, details } = message.error;
      open.failed(new CallError(code, words, details));
      return;
    }
    const result = v.safeParse(METHODS[open.method].result, message.ok);
    if (result.success) open.ok(result.output as never);
    else open.failed(new CallError("internal", "The host answered in words that this app does not know. Update it."));
  }

  drained(stream: number): void {
    const waiting = this.#waiting.get(stream) ?? [];
    while (waiting[0] && this.#pipe.send(stream, waiting[0])) waiting.shift();
    if (waiting.length === 0) this.#waiting.delete(stream);
  }

  end(reason: string): void {
    this.#ended = true;
    const open = [...this.#open.values()];
    this.#open.clear();
    this.#waiting.clear();
    for (const one of open) one.failed(new Offline(reason));
    this.#look();
  }

  #look(): void {
    if (this.#open.size === 0) for (const resolve of this.#idle.splice(0)) resolve();
  }
}
