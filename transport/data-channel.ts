/**
 * A link over a WebRTC data channel, ordered and reliable: what is the same whoever made the channel. A browser's is in
 * `data-channel-web.ts`, libdatachannel's in `data-channel-node.ts`. A frame is one binary message.
 *
 * The last message is text, and says what the close of a WebSocket says: a data channel's own close has no words, and in
 * libdatachannel it may overtake what was sent before it. Whoever hears the text ends the peer connection.
 */
import { HIGH_WATER_BYTES, LOW_WATER_BYTES, type Link, type LinkEnd, type LinkEvents } from "./link.ts";
import { Listener } from "./listener.ts";

/** Bytes that may arrive before anybody listens. */
const UNHEARD_BYTES = 1024 * 1024;
/** Characters of the text; as few as fit a WebSocket's close. */
const WORD_CHARS = 123;
/** Milliseconds that the other side has to take what was sent before, where nobody says otherwise. */
const LINGER_MS = 5_000;

/** An open channel, as a link needs it. */
export interface Channel {
  /** Bytes that were given to it and have not left the process. */
  readonly buffered: number;
  /** Throws when it takes no more. */
  send(message: Uint8Array | string): void;
  /** Ends the peer connection under it, and all that is on its way. More than once is harmless. */
  tear(): void;
}

/** An offer of a channel that nobody has answered yet. Disposing it ends it; a link that came of it stays. */
export interface ChannelOffer extends Disposable {
  /** The whole of it, with the candidates that were found in time. */
  readonly sdp: string;
  /** Resolves with the open link. Rejects when it does not open in time, or `signal` ends it. */
  answered(sdp: string, signal: AbortSignal): Promise<Link>;
}

/** What is heard of it. */
export interface Hearing {
  message(data: Uint8Array | string): void;
  /** `buffered` fell to `LOW_WATER_BYTES` or less. */
  low(): void;
  /** It ended without a word, or is as good as gone. May come more than once, and after `tear`. */
  broke(detail: string): void;
}

export class DataChannelLink implements Link, Hearing {
  readonly #channel: Channel;
  readonly #maxFrameBytes: number;
  readonly #listener = new Listener({ maxUnheardBytes: UNHEARD_BYTES });
  #high = false;
  #lingering: ReturnType<typeof setTimeout> | undefined;

  constructor(channel: Channel, maxFrameBytes: number) {
    this.#channel = channel;
    this.#maxFrameBytes = maxFrameBytes;
  }

  get buffered(): number {
    return this.#listener.hasEnded ? 0 : this.#channel.buffered;
  }

  listen(events: LinkEvents): void {
    this.#listener.listen(events);
  }

  send(frame: Uint8Array): void {
    if (this.#listener.hasEnded) return;
    this.#give(frame);
    if (this.buffered > HIGH_WATER_BYTES) this.#high = true;
  }

  close(detail: string, lingerMs?: number): void {
    if (lingerMs !== undefined) this.#tearAfter(lingerMs);
    if (this.#listener.hasEnded) return;
    this.#listener.drop();
    this.#give(detail.slice(0, WORD_CHARS));
    this.#listener.end({ kind: "closed", detail });
    if (lingerMs === undefined) this.#tearAfter(LINGER_MS);
  }

  message(data: Uint8Array | string): void {
    // Both may say the last word at once.
    if (this.#listener.hasEnded && typeof data === "string") this.#tear();
    if (this.#listener.hasEnded) return;
    if (typeof data === "string") {
      if (data.length > WORD_CHARS) this.#violate("a text frame");
      else this.#break({ kind: "closed", detail: data });
    } else if (data.length > this.#maxFrameBytes) this.#violate(`a frame of ${data.length} bytes`);
    else if (!this.#listener.frame(data)) this.#violate("too much before anybody listened");
  }

  low(): void {
    // It may be the word of an earlier time, that waited for its turn while more was sent.
    if (!this.#high || this.#listener.hasEnded || this.#channel.buffered > LOW_WATER_BYTES) return;
    this.#high = false;
    this.#listener.drained();
  }

  broke(detail: string): void {
    this.#break({ kind: "cut", detail });
  }

  #give(message: Uint8Array | string): void {
    try {
      this.#channel.send(message);
    } catch (error) {
      this.broke(String(error));
    }
  }

  #violate(detail: string): void {
    this.#listener.drop();
    this.#break({ kind: "violation", detail });
  }

  #break(end: LinkEnd): void {
    this.#listener.end(end);
    this.#tear();
  }

  #tear(): void {
    clearTimeout(this.#lingering);
    this.#channel.tear();
  }

  /** With less time than it had before, where it was closed and is now to be cut. */
  #tearAfter(milliseconds: number): void {
    clearTimeout(this.#lingering);
    this.#lingering = setTimeout(() => this.#channel.tear(), milliseconds);
  }
}
