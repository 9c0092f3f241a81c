/** The frames of a link while a handshake asks for them one by one; then they go to the pipe it made. */
import type { Link, LinkEnd, LinkEvents } from "./link.ts";

/** Frames that may wait: the conversation never has more than two on the way before the pipe. */
const MAX_WAITING = 4;

export interface Receiver {
  receive(frame: Uint8Array): void;
  linkDrained(): void;
  linkEnded(end: LinkEnd): void;
}

/** The link ended while a handshake was waiting. */
export class LinkEnded extends Error {
  override readonly name = "LinkEnded";
  readonly end: LinkEnd;
  constructor(end: LinkEnd) {
    super(end.detail);
    this.end = end;
  }
}

export class Inbox {
  readonly #link: Link;
  readonly #maxFrameBytes: number;
  readonly #maxWaiting: number;
  #waiting: Uint8Array[] = [];
  #asked: { readonly take: (frame: Uint8Array) => void; readonly fail: (error: LinkEnded) => void } | undefined;
  #end: LinkEnd | undefined;
  #heard = 0;
  #receiver: Receiver | undefined;
  /** Made when somebody asks: most links end before anybody does. */
  #gone: AbortController | undefined;

  constructor(link: Link, maxFrameBytes: number, maxWaiting = MAX_WAITING) {
    this.#link = link;
    this.#maxFrameBytes = maxFrameBytes;
    this.#maxWaiting = maxWaiting;
    const events: LinkEvents = {
      frame: (bytes) => {
        this.#frame(bytes);
      },
      drained: () => {
        this.#receiver?.linkDrained();
      },
      ended: (end) => {
        this.fail(end);
      },
    };
    link.listen(events);
  }

  /** How the link ended; undefined while it has not. */
  get end(): LinkEnd | undefined {
    return this.#end;
  }

  /** Aborted when the link has ended. */
  get gone(): AbortSignal {
    this.#gone ??= new AbortController();
    if (this.#end) this.#gone.abort();
    return this.#gone.signal;
  }

  /** Frames that came, those given on to the receiver not counted. */
  get heard(): number {
    return this.#heard;
  }

  /** The next frame. Rejects with `LinkEnded`, also when frames still wait. One caller at a time. */
  next(): Promise<Uint8Array> {
    const frame = this.#waiting.shift();
    if (frame) return Promise.resolve(frame);
    if (this.#end) return Promise.reject(new LinkEnded(this.#end));
    return new Promise((resolve, reject) => {
      this.#asked = { take: resolve, fail: reject };
    });
  }

  /** From here on everything goes to `receiver`, what waits first. */
  handOver(receiver: Receiver): void {
    this.#receiver = receiver;
    for (const frame of this.#waiting.splice(0)) receiver.receive(frame);
    if (this.#end) receiver.linkEnded(this.#end);
  }

  /** As if the link had ended. */
  fail(end: LinkEnd): void {
    this.#end ??= end;
    this.#gone?.abort();
    this.#waiting = [];
    this.#receiver?.linkEnded(this.#end);
    this.#asked?.fail(new LinkEnded(this.#end));
    this.#asked = undefined;
  }

  #frame(bytes: Uint8Array): void {
    if (this.#receiver) {
      this.#receiver.receive(bytes);
      return;
    }
    if (this.#end) return;
    this.#heard++;
    if (bytes.length > this.#maxFrameBytes || this.#waiting.length >= this.#maxWaiting) {
      this.#link.close("closed");
      this.fail({ kind: "violation", detail: `too much before the handshake (${bytes.length} bytes)` });
      return;
    }
    if (!this.#asked) {
      this.#waiting.push(bytes);
      return;
    }
    const { take } = this.#asked;
    this.#asked = undefined;
    take(bytes);
  }
}
