/**
 * What a link's user hears: frames in order, kept until somebody listens, and after all that came before it, once and
 * last, the end.
 */
import type { LinkEnd, LinkEvents } from "./link.ts";

export interface ListenerOptions {
  /** Bytes that may wait until somebody listens; a peer that sends more is not following the conversation. */
  readonly maxUnheardBytes: number;
  /** What a frame counts for, where that is not its length. */
  costOf?(frame: Uint8Array): number;
  /** A frame was heard. */
  heard?(frame: Uint8Array): void;
}

export class Listener {
  readonly #options: ListenerOptions;
  #events: LinkEvents | undefined;
  #unheard: Uint8Array[] = [];
  #unheardBytes = 0;
  #end: LinkEnd | undefined;
  #isTold = false;

  constructor(options: ListenerOptions) {
    this.#options = options;
  }

  /** Whether the end is known; it may not have been told. */
  get hasEnded(): boolean {
    return this.#end !== undefined;
  }

  listen(events: LinkEvents): void {
    this.#events = events;
    if (this.#unheard.length === 0 && !this.#end) return;
    queueMicrotask(() => {
      // `drop` inside `frame` empties the list: after it nothing more is heard.
      for (let frame = this.#unheard[0]; frame; frame = this.#unheard[0]) {
        this.#hear(frame);
        this.#unheard.shift();
      }
      this.#unheardBytes = 0;
      this.#tell();
    });
  }

  /** False when too much came before anybody listened. */
  frame(bytes: Uint8Array): boolean {
    if (this.#end) return true;
    if (this.#events && this.#unheard.length === 0) {
      this.#hear(bytes);
      return true;
    }
    this.#unheard.push(bytes);
    this.#unheardBytes += this.#options.costOf?.(bytes) ?? bytes.length;
    return this.#unheardBytes <= this.#options.maxUnheardBytes;
  }

  drained(): void {
    if (!this.#end) this.#events?.drained();
  }

  /** What was not heard until now is not heard. */
  drop(): void {
    this.#unheard = [];
  }

  /** The first end is the one that is told, in a later microtask. False for any other. */
  end(end: LinkEnd): boolean {
    if (this.#end) return false;
    this.#end = end;
    queueMicrotask(() => this.#tell());
    return true;
  }

  #hear(frame: Uint8Array): void {
    this.#events?.frame(frame);
    this.#options.heard?.(frame);
  }

  #tell(): void {
    if (this.#isTold || !this.#events || !this.#end || this.#unheard.length > 0) return;
    this.#isTold = true;
    this.#events.ended(this.#end);
  }
}
