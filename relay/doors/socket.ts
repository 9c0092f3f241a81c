/** A WebSocket at this relay: whole binary frames both ways, and no more held for it than its user allows. */
import type { Duplex } from "node:stream";
import { RELAY_DEAD_MS, RELAY_PING_MS } from "@flybridge/protocol/relay/words.ts";
import type { WebSocket } from "ws";

/** Milliseconds in which a peer that is asked whether it is there answers. */
const ALIVE_MS = 3_000;
/** Milliseconds that a goodbye may take before the socket is torn. */
const LINGER_MS = 2_000;
const CLOSE_NORMAL = 1000;
const CLOSE_VIOLATION = 1003;
const REASON_BYTES = 123;

export interface SocketEvents {
  frame(bytes: Uint8Array): void;
  /** Once, last. */
  closed(): void;
}

export class PeerSocket {
  readonly #webSocket: WebSocket;
  readonly #stream: Duplex;
  #events: SocketEvents | undefined;
  #unheard: Uint8Array[] = [];
  #isCorked = false;
  #isClosed = false;
  #heard: number;
  readonly #now: () => number;
  #answers: ((isAlive: boolean) => void)[] = [];

  constructor(webSocket: WebSocket, stream: Duplex, now: () => number) {
    this.#webSocket = webSocket;
    this.#stream = stream;
    this.#now = now;
    this.#heard = now();
    webSocket.binaryType = "nodebuffer";
    webSocket.on("message", (data: Buffer, isBinary) => {
      this.#heard = this.#now();
      if (!isBinary) return this.#violate();
      const frame = new Uint8Array(data.buffer, data.byteOffset, data.length);
      if (this.#events) this.#events.frame(frame);
      else if (this.#unheard.length === 0) this.#unheard.push(frame);
      else this.#violate();
    });
    webSocket.on("pong", () => {
      this.#heard = this.#now();
      for (const answer of this.#answers.splice(0)) answer(true);
    });
    webSocket.on("ping", () => {
      this.#heard = this.#now();
    });
    webSocket.on("error", () => webSocket.terminate());
    webSocket.on("close", () => {
      this.#isClosed = true;
      for (const answer of this.#answers.splice(0)) answer(false);
      this.#events?.closed();
    });
  }

  /** From now on these hear. One frame may have come before. */
  listen(events: SocketEvents): void {
    this.#events = events;
    for (const frame of this.#unheard.splice(0)) events.frame(frame);
    if (this.#isClosed) events.closed();
  }

  /** Bytes that have not left the process. */
  get buffered(): number {
    return this.#webSocket.bufferedAmount;
  }

  /** `gone` when the system has taken it, or never will. */
  send(frame: Uint8Array, gone?: () => void): void {
    if (this.#isClosed) return gone?.();
    // What one turn brings, often several frames of one read, leaves in one write.
    if (!this.#isCorked) {
      this.#isCorked = true;
      this.#stream.cork();
      process.nextTick(() => {
        this.#isCorked = false;
        this.#stream.uncork();
      });
    }
    this.#webSocket.send(frame, gone);
  }

  pause(): void {
    this.#webSocket.pause();
  }

  resume(): void {
    this.#webSocket.resume();
  }

  isAlive(): Promise<boolean> {
    if (this.#isClosed) return Promise.resolve(false);
    return new Promise((resolve) => {
      const late = setTimeout(() => resolve(false), ALIVE_MS);
      this.#answers.push((isAlive) => {
        clearTimeout(late);
        resolve(isAlive);
      });
      this.#webSocket.ping();
    });
  }

  /** Called every so many milliseconds: pings who has been silent, and ends who does not answer. */
  sweep(everyMs: number): void {
    const silent = this.#now() - this.#heard;
    if (silent >= RELAY_DEAD_MS - everyMs) this.#webSocket.terminate();
    else if (silent >= RELAY_PING_MS - everyMs) this.#webSocket.ping();
  }

  close(reason: string, code = CLOSE_NORMAL): void {
    if (this.#isClosed) return;
    // A socket that is not read would not hear the other side's goodbye.
    this.#webSocket.resume();
    this.#webSocket.close(code, reason.replaceAll(/[^\x20-\x7e]/gu, "?").slice(0, REASON_BYTES));
    setTimeout(() => this.#webSocket.terminate(), LINGER_MS).unref();
  }

  terminate(): void {
    this.#webSocket.terminate();
  }

  #violate(): void {
    this.close("binary frames only, and none before it is asked for", CLOSE_VIOLATION);
  }
}
