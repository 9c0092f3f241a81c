/** A link over a WebSocket: a browser's, Node's own, or one of `ws`. Binary frames only. */
import { HIGH_WATER_BYTES, LOW_WATER_BYTES, type Link, type LinkEnd, type LinkEvents, type Tls } from "./link.ts";
import { Listener } from "./listener.ts";

/** Bytes that may arrive before anybody listens. */
const UNHEARD_BYTES = 1024 * 1024;
/** Bytes that may wait for a socket that is still connecting; beyond it the link is cut. */
const UNOPENED_BYTES = 1024 * 1024;
/**
 * Milliseconds between looks at a browser's `bufferedAmount`, which has no event. Only while more than
 * `HIGH_WATER_BYTES` wait, and every arriving frame looks too, so it delays nothing that was not already held up.
 */
const WATER_LOOK_MS = 10;
/** Bytes of a close reason (RFC 6455 §5.5.1). */
const REASON_BYTES = 123;
/** WebSocket close codes (RFC 6455 §7.4.1). */
const CLOSE_NORMAL = 1000;
const CLOSE_NOT_TEXT = 1003;
const CLOSE_TOO_LARGE = 1009;
/** Codes that no peer may send: the connection broke without a goodbye. */
const CLOSE_ABNORMAL: readonly [number, ...number[]] = [1005, 1006, 1015];
const CONNECTING = 0;
const OPEN = 1;

/** What all three kinds of socket have in common. */
export interface Socket {
  binaryType: string;
  readonly readyState: number;
  readonly bufferedAmount: number;
  send(data: Uint8Array<ArrayBuffer>): void;
  close(code?: number, reason?: string): void;
  addEventListener(type: "open" | "message" | "close" | "error", listener: (event: object) => void): void;
}

/** What `ws` has beyond it: frames without event objects, a word when a frame has left, an end without a handshake. */
interface NodeSocket extends Socket {
  on(event: "message", listener: (data: Uint8Array, isBinary: boolean) => void): void;
  send(data: Uint8Array, sent?: () => void): void;
  terminate(): void;
}

export interface WebSocketLinkOptions {
  /** A larger frame ends the link as a violation; give `ws` the same number as `maxPayload`. */
  readonly maxFrameBytes: number;
  /** Drops what the system still holds of it, where whoever opened it can; `terminate` of `ws` where not. */
  readonly reset?: () => void;
  /** What is seen of the TLS under the socket; asked once it is open. */
  readonly tls?: () => Tls | undefined;
}

/** Takes the socket over: nobody else may listen to it, send on it or close it. It may still be connecting. */
export function webSocketLink(socket: Socket, options: WebSocketLinkOptions): Link {
  return new WebSocketEnd(socket, options);
}

class WebSocketEnd implements Link {
  readonly #socket: Socket;
  readonly #nodeSocket: NodeSocket | undefined;
  readonly #maxFrameBytes: number;
  readonly #reset: (() => void) | undefined;
  readonly #tls: (() => Tls | undefined) | undefined;
  #lingering: ReturnType<typeof setTimeout> | undefined;
  readonly #listener = new Listener({ maxUnheardBytes: UNHEARD_BYTES });
  #unopened: Uint8Array[] = [];
  #unopenedBytes = 0;
  #high = false;
  #look: ReturnType<typeof setTimeout> | undefined;

  constructor(socket: Socket, { maxFrameBytes, reset, tls }: WebSocketLinkOptions) {
    this.#socket = socket;
    this.#maxFrameBytes = maxFrameBytes;
    this.#reset = reset;
    this.#tls = tls;
    if (isNodeSocket(socket)) {
      this.#nodeSocket = socket;
      socket.binaryType = "nodebuffer";
      socket.on("message", (data, isBinary) => {
        // Not the Buffer itself: its `slice` is a view, which whoever means to copy does not expect.
        if (isBinary) this.#receive(new Uint8Array(data.buffer, data.byteOffset, data.length));
        else this.#violate("a text frame");
      });
    } else {
      socket.binaryType = "arraybuffer";
      socket.addEventListener("message", (event: { data?: unknown }) => {
        if (event.data instanceof ArrayBuffer) this.#receive(new Uint8Array(event.data));
        else this.#violate("a text frame");
      });
    }
    socket.addEventListener("open", () => {
      this.#opened();
    });
    socket.addEventListener("close", (event: { code?: number; reason?: string }) => {
      clearTimeout(this.#lingering);
      const { code = CLOSE_ABNORMAL[0], reason = "" } = event;
      const abnormal = CLOSE_ABNORMAL.includes(code);
      const detail = reason === "" ? `close code ${code}` : reason;
      this.#finish({ kind: abnormal ? "cut" : "closed", detail });
    });
    socket.addEventListener("error", (event: { message?: string; error?: { code?: unknown } }) => {
      const code = event.error?.code;
      // `ws` names what the peer did wrong on the wire; everything else is the network.
      const kind = typeof code === "string" && code.startsWith("WS_ERR_") ? "violation" : "cut";
      this.#finish({ kind, detail: event.message ?? "the socket failed" });
    });
  }

  get tls(): Tls | undefined {
    return this.#tls?.();
  }

  get buffered(): number {
    return this.#socket.bufferedAmount + this.#unopenedBytes;
  }

  listen(events: LinkEvents): void {
    this.#listener.listen(events);
  }

  send(frame: Uint8Array): void {
    if (this.#listener.hasEnded) return;
    if (this.#socket.readyState === CONNECTING) {
      this.#unopened.push(frame);
      this.#unopenedBytes += frame.length;
      if (this.#unopenedBytes > HIGH_WATER_BYTES) this.#high = true;
      if (this.#unopenedBytes > UNOPENED_BYTES) this.close("too much to send before the socket opened");
      return;
    }
    if (this.#socket.readyState !== OPEN) return;
    if (this.#nodeSocket && this.#socket.bufferedAmount + frame.length > HIGH_WATER_BYTES) {
      this.#high = true;
      this.#nodeSocket.send(frame, this.#checkWater);
      return;
    }
    this.#socket.send(frame as Uint8Array<ArrayBuffer>);
    if (this.#socket.bufferedAmount > HIGH_WATER_BYTES) this.#watch();
  }

  close(detail: string, lingerMs?: number): void {
    if (lingerMs !== undefined) this.#tearAfter(lingerMs);
    if (this.#listener.hasEnded) return;
    this.#listener.drop();
    this.#closeSocket(CLOSE_NORMAL, detail);
    this.#finish({ kind: "closed", detail });
  }

  /** A peer that takes nothing would otherwise be waited for, and given in the end what lay ready for it. */
  #tearAfter(milliseconds: number): void {
    const tear = this.#reset ?? (() => this.#nodeSocket?.terminate());
    this.#lingering ??= setTimeout(tear, milliseconds);
  }

  #opened(): void {
    const unopened = this.#unopened;
    this.#unopened = [];
    this.#unopenedBytes = 0;
    for (const frame of unopened) this.send(frame);
    if (this.#high) this.#checkWater();
  }

  #receive(frame: Uint8Array): void {
    if (this.#listener.hasEnded) return;
    if (frame.length > this.#maxFrameBytes) {
      this.#violate(`a frame of ${frame.length} bytes`, CLOSE_TOO_LARGE);
      return;
    }
    if (this.#high) this.#checkWater();
    if (!this.#listener.frame(frame)) this.#violate("too much before anybody listened");
  }

  #violate(detail: string, code = CLOSE_NOT_TEXT): void {
    if (this.#listener.hasEnded) return;
    this.#listener.drop();
    this.#closeSocket(code, detail);
    this.#finish({ kind: "violation", detail });
  }

  #closeSocket(code: number, reason: string): void {
    try {
      // A browser allows only 1000 and 3000 to 4999 here, and throws for others and for long reasons.
      this.#socket.close(this.#nodeSocket ? code : CLOSE_NORMAL, asciiOf(reason));
    } catch {
      this.#socket.close();
    }
  }

  readonly #checkWater = (): void => {
    if (this.#socket.bufferedAmount > LOW_WATER_BYTES || !this.#high) {
      if (this.#high && !this.#nodeSocket) this.#watch();
      return;
    }
    this.#high = false;
    clearTimeout(this.#look);
    this.#listener.drained();
  };

  #watch(): void {
    this.#high = true;
    clearTimeout(this.#look);
    this.#look = setTimeout(this.#checkWater, WATER_LOOK_MS);
  }

  #finish(end: LinkEnd): void {
    if (!this.#listener.end(end)) return;
    this.#unopened = [];
    this.#unopenedBytes = 0;
    clearTimeout(this.#look);
  }
}

function isNodeSocket(socket: Socket): socket is NodeSocket {
  return "terminate" in socket && "on" in socket;
}

function asciiOf(reason: string): string {
  return reason.replaceAll(/[^\x20-\x7e]/gu, "?").slice(0, REASON_BYTES);
}
