/**
 * A WebSocket at this relay: whole binary frames both ways, and no more held for it than its user allows. What it sends it
 * frames itself (RFC 6455 §5.2), so that a small frame is one piece of memory and one write, whatever stands before it.
 */
import type { Duplex } from "node:stream";
import { RELAY_DEAD_MS, RELAY_PING_MS } from "@flybridge/protocol/relay/words.ts";
import type { WebSocket } from "ws";

/** Of the time after which a silent peer counts as dead, the part after which it is pinged: what gets lost is asked again. */
const PINGS = RELAY_DEAD_MS / RELAY_PING_MS;
/** Milliseconds in which a peer that is asked whether it is there answers. */
const ALIVE_MS = 3_000;
/** Milliseconds that a goodbye may take before the socket is torn. */
const LINGER_MS = 2_000;
const CLOSE_NORMAL = 1000;
const CLOSE_VIOLATION = 1003;
const REASON_BYTES = 123;
/** A frame up to so many bytes is copied behind its header, which is less work than a second piece; larger ones are not copied. */
const COPIED_BYTES = 3 * 1024;
/** FIN and the opcode of binary, lengths in one byte, and what announces one in two or in eight (RFC 6455 §5.2). */
const FINAL_BINARY = 0x82;
const LONGEST_SHORT = 125;
const LENGTH_16 = 126;
const LENGTH_64 = 127;
const NOTHING = new Uint8Array(0);

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
  #lingering: NodeJS.Timeout | undefined;
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
      // It would hold all that hangs on a socket, for many who come and go.
      clearTimeout(this.#lingering);
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
    this.sendAfter(NOTHING, frame, gone);
  }

  /** Both as one frame; the first are few bytes. */
  sendAfter(first: Uint8Array, rest: Uint8Array, gone?: () => void): void {
    if (this.#isClosed || this.#webSocket.readyState !== this.#webSocket.OPEN) return gone?.();
    // What one turn brings, often several frames of one read, leaves in one write.
    if (!this.#isCorked) {
      this.#isCorked = true;
      this.#stream.cork();
      process.nextTick(this.#uncork);
    }
    const isCopied = rest.length <= COPIED_BYTES;
    const head = headerFor(first, rest.length, isCopied ? rest.length : 0);
    if (isCopied) {
      head.set(rest, head.length - rest.length);
      this.#stream.write(head, gone);
    } else {
      this.#stream.write(head);
      this.#stream.write(rest, gone);
    }
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

  /** Milliseconds of silence after which it counts as dead. */
  patienceMs = RELAY_DEAD_MS;

  /** Called every so many milliseconds: pings who has been silent, and ends who does not answer. */
  sweep(everyMs: number): void {
    const silent = this.#now() - this.#heard;
    if (silent >= this.patienceMs - everyMs) this.#webSocket.terminate();
    // Timers are not on the dot: who was pinged a look ago and answered is asked again.
    else if (silent >= Math.max(everyMs / 2, this.patienceMs / PINGS - everyMs)) this.#webSocket.ping();
  }

  /** With `lingerMs`, the goodbye has so long to be answered before the socket is torn. */
  close(reason: string, lingerMs = LINGER_MS, code = CLOSE_NORMAL): void {
    if (this.#isClosed) return;
    // A socket that is not read would not hear the other side's goodbye.
    this.#webSocket.resume();
    this.#webSocket.close(code, reason.replaceAll(/[^\x20-\x7e]/gu, "?").slice(0, REASON_BYTES));
    this.#lingering ??= setTimeout(() => this.#webSocket.terminate(), lingerMs).unref();
  }

  terminate(): void {
    this.#webSocket.terminate();
  }

  readonly #uncork = (): void => {
    this.#isCorked = false;
    this.#stream.uncork();
  };

  #violate(): void {
    this.close("binary frames only, and none before it is asked for", LINGER_MS, CLOSE_VIOLATION);
  }
}

/** The header of a frame of `first` and `restBytes` more, `first` itself, and room for what follows. */
function headerFor(first: Uint8Array, restBytes: number, room: number): Buffer {
  const length = first.length + restBytes;
  const lengthBytes = length <= LONGEST_SHORT ? 0 : length <= 0xffff ? 2 : 8;
  const header = Buffer.allocUnsafe(2 + lengthBytes + first.length + room);
  header[0] = FINAL_BINARY;
  header[1] = lengthBytes === 0 ? length : lengthBytes === 2 ? LENGTH_16 : LENGTH_64;
  if (lengthBytes === 2) header.writeUInt16BE(length, 2);
  else if (lengthBytes === 8) {
    header.writeUInt32BE(0, 2);
    header.writeUInt32BE(length, 6);
  }
  header.set(first, 2 + lengthBytes);
  return header;
}
