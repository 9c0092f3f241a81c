/** What arrives: frames put together to messages, in order within each stream; credit given back as they are used. */
import type { Inflate } from "./deflate.ts";
import { FLAG_DEFLATED, FLAG_LAST, FRAME_HEADER_BYTES, FrameError, type Frame } from "./frames.ts";
import { isStreamId, MAX_MESSAGE_BYTES, UNFINISHED_BYTES, windowBytes } from "./streams.ts";

export interface IncomingEvents {
  /**
   * One whole message. Its bytes stay valid but may share memory with others that came with it: whoever keeps a little
   * of them for long copies it. The sender's credit returns when this does, or when the promise it gives fulfils.
   */
  message(stream: number, bytes: Uint8Array): void | Promise<void>;
  /** `owed` has something to send. */
  owes(): void;
  /** A deflated message was none, found later than `accept` could throw. Nothing follows. */
  failed(error: FrameError): void;
}

export interface Owed {
  readonly stream: number;
  readonly bytes: number;
}

/** A message that is complete and waits for those before it to be inflated. */
interface Complete {
  readonly bytes: Uint8Array;
  readonly deflated: boolean;
  /** Bytes of credit it holds. */
  readonly held: number;
}

interface Lane {
  readonly stream: number;
  /** Bytes that the sender may still send, as far as it can know. Below 0 it cheats. */
  credit: number;
  /** Bytes used here and not yet granted again. */
  owed: number;
  parts: Uint8Array[];
  partsBytes: number;
  deflated: boolean;
  /** Bytes of credit that `parts` hold. */
  partsHeld: number;
  readonly waiting: Complete[];
  inflating: boolean;
  /** Complete messages that have not been used. While there are any, an unfinished one keeps its credit. */
  unused: number;
}

export class Incoming {
  readonly #lanes = new Map<number, Lane>();
  readonly #events: IncomingEvents;
  readonly #inflate: Inflate | undefined;
  #unfinished = 0;
  #over = false;

  constructor(events: IncomingEvents, inflate?: Inflate) {
    this.#events = events;
    this.#inflate = inflate;
  }

  /** Takes one frame of a message stream. Throws `FrameError`; then nothing more is delivered. */
  accept(frame: Frame): void {
    if (this.#over) return;
    try {
      this.#take(frame);
    } catch (error) {
      this.#over = true;
      throw error;
    }
  }

  /** Credit to give back now, in amounts worth a record; it counts as given from here on. */
  owed(): Owed[] {
    const owed: Owed[] = [];
    for (const lane of this.#lanes.values()) {
      if (!isWorthSending(lane)) continue;
      owed.push({ stream: lane.stream, bytes: lane.owed });
      lane.credit += lane.owed;
      lane.owed = 0;
    }
    return owed;
  }

  /** Nothing more is delivered, not even what is being inflated. */
  stop(): void {
    this.#over = true;
    this.#lanes.clear();
  }

  #take({ stream, flags, data }: Frame): void {
    if (!isStreamId(stream)) throw new FrameError(`a message on stream ${stream}`);
    const lane = this.#lane(stream);
    const isLast = (flags & FLAG_LAST) !== 0;
    const isDeflated = (flags & FLAG_DEFLATED) !== 0;
    const cost = FRAME_HEADER_BYTES + data.length;
    if (cost > lane.credit) throw new FrameError(`stream ${stream} has no credit left`);
    if (!isLast && data.length === 0) throw new FrameError("an empty piece of a message");
    if (isDeflated && lane.parts.length > 0) throw new FrameError("deflated from the middle on");
    if (lane.partsBytes + data.length > MAX_MESSAGE_BYTES) throw new FrameError("a message over the limit");
    lane.credit -= cost;
    if (lane.parts.length === 0) lane.deflated = isDeflated;
    if (isLast) {
      this.#unfinished -= lane.partsBytes;
      const bytes = lane.parts.length === 0 ? data : joined(lane.parts, data, lane.partsBytes + data.length);
      const held = lane.partsHeld + cost;
      lane.parts = [];
      lane.partsBytes = 0;
      lane.partsHeld = 0;
      lane.unused++;
      lane.waiting.push({ bytes, deflated: lane.deflated, held });
      this.#advance(lane);
      return;
    }
    lane.parts.push(data);
    lane.partsBytes += data.length;
    lane.partsHeld += cost;
    this.#unfinished += data.length;
    if (this.#unfinished > UNFINISHED_BYTES) throw new FrameError("too many unfinished messages");
    this.#releaseParts(lane);
  }

  #advance(lane: Lane): void {
    for (let next = lane.waiting[0]; next && !lane.inflating && !this.#over; next = lane.waiting[0]) {
      lane.waiting.shift();
      if (next.deflated) this.#inflated(lane, next);
      else this.#deliver(lane, next.bytes, next.held);
    }
  }

  #inflated(lane: Lane, { bytes, held }: Complete): void {
    if (!this.#inflate) throw new FrameError("deflated, which was not agreed");
    let plain: Uint8Array | Promise<Uint8Array>;
    try {
      plain = this.#inflate(bytes, MAX_MESSAGE_BYTES);
    } catch {
      throw new FrameError("a deflated message that does not inflate");
    }
    if (plain instanceof Uint8Array) {
      this.#deliver(lane, plain, held);
      return;
    }
    // Only this stream waits; the others go on.
    lane.inflating = true;
    plain.then(
      (inflated) => {
        lane.inflating = false;
        if (this.#over) return;
        this.#deliver(lane, inflated, held);
        this.#resume(lane);
      },
      () => {
        if (!this.#over) this.#fail(new FrameError("a deflated message that does not inflate"));
      },
    );
  }

  #resume(lane: Lane): void {
    try {
      this.#advance(lane);
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      this.#fail(error);
    }
  }

  #fail(error: FrameError): void {
    this.#over = true;
    this.#events.failed(error);
  }

  #deliver(lane: Lane, bytes: Uint8Array, held: number): void {
    const used = this.#events.message(lane.stream, bytes);
    if (used === undefined) this.#use(lane, held);
    // A listener that rejects is a fault of ours: it shows as an unhandled rejection, and the stream stands still.
    else
      void used.then(() => {
        this.#use(lane, held);
      });
  }

  #use(lane: Lane, held: number): void {
    if (this.#over) return;
    lane.unused--;
    this.#release(lane, held);
    this.#releaseParts(lane);
  }

  /** A message longer than the window can only arrive if its beginning gives credit back before it is whole. */
  #releaseParts(lane: Lane): void {
    if (lane.unused > 0 || lane.partsHeld === 0) return;
    const held = lane.partsHeld;
    lane.partsHeld = 0;
    this.#release(lane, held);
  }

  #release(lane: Lane, bytes: number): void {
    lane.owed += bytes;
    if (isWorthSending(lane)) this.#events.owes();
  }

  #lane(stream: number): Lane {
    const found = this.#lanes.get(stream);
    if (found) return found;
    const lane: Lane = {
      stream,
      credit: windowBytes(stream),
      owed: 0,
      parts: [],
      partsBytes: 0,
      deflated: false,
      partsHeld: 0,
      waiting: [],
      inflating: false,
      unused: 0,
    };
    this.#lanes.set(stream, lane);
    return lane;
  }
}

/** Less is kept for later: the sender never waits for it, because three quarters of its window are free. */
function isWorthSending(lane: Lane): boolean {
  return lane.owed >= windowBytes(lane.stream) / 4;
}

function joined(parts: readonly Uint8Array[], last: Uint8Array, length: number): Uint8Array {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  whole.set(last, at);
  return whole;
}
