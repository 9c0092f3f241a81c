/**
 * A pipe with a seal on it: messages on streams, over a link and the two directions of a finished handshake.
 *
 * Sending takes no timer: the first message of a tick goes out in the microtask after it, what is sent later in the
 * same tick goes out together at its end. One record, so one seal, per batch.
 */
import type { Clock } from "./clock.ts";
import { type Control, decodeControl, encodeControl } from "./control.ts";
import type { Deflate, Inflate } from "./deflate.ts";
import { FLAG_LAST, FRAME_HEADER_BYTES, FrameError, packRecord, unpackRecord, type Frame } from "./frames.ts";
import { Heartbeat } from "./heartbeat.ts";
import { Incoming } from "./incoming.ts";
import { HIGH_WATER_BYTES, type Link, type LinkEnd } from "./link.ts";
import { Outgoing } from "./outgoing.ts";
import { CONTROL } from "./streams.ts";

/** What every end of a link says to the network, whatever the reason: reasons travel inside the seal. */
export const GENERIC_END = "closed";
/** How long a link that is cut may go on with what was on its way, in milliseconds. */
export const CUT_MS = 200;

export type PipeEnd =
  /** Somebody said goodbye inside the seal. */
  | { readonly kind: "bye"; readonly by: "us" | "them"; readonly reason: string }
  /** The link ended without a goodbye, or nothing was heard for too long. */
  | { readonly kind: "cut"; readonly detail: string }
  /** A record did not open, or what it held breaks the rules. `detail` is for logs. */
  | { readonly kind: "violation"; readonly detail: string };

export interface PipeEvents {
  /**
   * One whole message, in order within its stream. The sender's credit returns when this returns, or when the promise
   * it gives fulfils: whoever is slow says so by a promise. It must not throw or reject. The bytes may share memory
   * with others that came with them: copy a little that is kept for long.
   */
  message(stream: number, bytes: Uint8Array): void | Promise<void>;
  /** A stream that refused a message, or was half full, is short again. */
  drained(stream: number): void;
  /** Once, last, never inside a call to `send` or `close`. */
  ended(end: PipeEnd): void;
}

/** Messages that arrive before `listen` are kept, within the streams' credit. */
export interface SecurePipe {
  listen(events: PipeEvents): void;
  /**
   * False when the message was not taken: the stream's queue is full (`drained` follows) or the pipe has ended. The
   * bytes belong to the pipe from here on. Throws `RangeError` for more than `MAX_MESSAGE_BYTES` or a stream that is
   * none of 1 to 31.
   */
  send(stream: number, message: Uint8Array): boolean;
  /** Bytes of a stream that wait here. */
  queued(stream: number): number;
  /** Sends what credit allows, says goodbye, and ends. What still waits is dropped. */
  close(reason: string): void;
  /** Says goodbye and nothing else, and ends; within `CUT_MS` nothing of it is on its way any more. */
  cut(reason: string): void;
  /** Milliseconds between pings from this side, undefined only listens; and in which one is to be answered. */
  pace(ms: number | undefined, answerMs?: number): void;
  /** Milliseconds that the newest answered ping took. */
  readonly rttMs: number | undefined;
  /** Handshake hash, 32 bytes: the same on both sides and on no other pipe. */
  readonly hash: Uint8Array;
}

/** Both directions of a finished handshake, as `crypto/channel` makes them. */
export interface Seal {
  readonly sealer: { seal(plaintext: Uint8Array): Uint8Array };
  readonly opener: { open(record: Uint8Array): Uint8Array };
  readonly hash: Uint8Array;
}

export interface PipeOptions {
  readonly clock: Clock;
  /** Only when the other side inflates. */
  readonly deflate?: Deflate | undefined;
  readonly inflate?: Inflate | undefined;
  readonly paceMs?: number | undefined;
  /** Bytes of the other side's first record, at most: until it opens, nobody is authenticated. */
  readonly firstRecordBytes: number;
  /** A person may have to let us in before it comes: until then whoever made the handshake watches the time. */
  readonly waits?: boolean | undefined;
}

/** For whoever made the handshake. */
export interface PipeBirth {
  /** Their first record opened. False: end as if it had not. Called before anything else of theirs takes effect. */
  ready(): boolean;
  /** The pipe ended, before or after that. */
  ended(end: PipeEnd): void;
}

interface Kept {
  readonly stream: number;
  readonly bytes: Uint8Array;
  readonly heard: () => void;
}

export class SealedPipe implements SecurePipe {
  readonly #link: Link;
  readonly #seal: Seal;
  readonly #birth: PipeBirth;
  readonly #firstRecordBytes: number;
  readonly #outgoing: Outgoing;
  readonly #incoming: Incoming;
  readonly #heartbeat: Heartbeat;
  #events: PipeEvents | undefined;
  #kept: Kept[] = [];
  #theirsReady = false;
  #ping: number | undefined;
  #pong: number | undefined;
  #due = false;
  #busy = false;
  #ending: PipeEnd | undefined;
  #told = false;

  constructor(link: Link, seal: Seal, birth: PipeBirth, options: PipeOptions) {
    this.#link = link;
    this.#seal = seal;
    this.#birth = birth;
    this.#firstRecordBytes = options.firstRecordBytes;
    this.#outgoing = new Outgoing(options.deflate);
    this.#incoming = new Incoming(
      {
        message: (stream, bytes) => this.#message(stream, bytes),
        owes: () => {
          this.#soon();
        },
        failed: (error) => {
          this.#violate(error.message);
        },
      },
      options.inflate,
    );
    this.#heartbeat = new Heartbeat(
      options.clock,
      {
        ping: (number) => {
          this.#ping = number;
          this.#soon();
        },
        dead: () => {
          this.#link.close(GENERIC_END);
          this.#end({ kind: "cut", detail: "nothing was heard for too long" });
        },
      },
      options.paceMs,
    );
    if (options.waits !== true) this.#heartbeat.begin();
  }

  get hash(): Uint8Array {
    return this.#seal.hash;
  }

  get rttMs(): number | undefined {
    return this.#heartbeat.rttMs;
  }

  /** Sends this side's first record. Nothing may be sent before. */
  announce(): void {
    this.#sendRecord([controlFrame({ kind: "ready" })]);
  }

  listen(events: PipeEvents): void {
    this.#events = events;
    if (this.#kept.length > 0 || this.#ending)
      queueMicrotask(() => {
        this.#catchUp(events);
      });
  }

  send(stream: number, message: Uint8Array): boolean {
    if (this.#ending) return false;
    if (!this.#outgoing.send(stream, message)) return false;
    this.#soon();
    return true;
  }

  queued(stream: number): number {
    return this.#outgoing.queued(stream);
  }

  pace(ms: number | undefined, answerMs?: number): void {
    if (!this.#ending) this.#heartbeat.pace(ms, answerMs);
  }

  close(reason: string): void {
    if (this.#ending) return;
    this.#pump();
    this.#sayBye(reason);
  }

  cut(reason: string): void {
    if (!this.#ending) this.#sayBye(reason, CUT_MS);
  }

  /** A frame of the link: one record. */
  receive(record: Uint8Array): void {
    if (this.#ending) return;
    try {
      if (!this.#theirsReady && record.length > this.#firstRecordBytes)
        throw new FrameError("a first record too large");
      const frames = unpackRecord(this.#open(record));
      this.#heartbeat.heard();
      for (const frame of frames) {
        if (this.#isOver()) return;
        if (!this.#theirsReady) this.#begin(frames);
        else if (frame.stream === CONTROL) this.#obey(frame);
        else this.#incoming.accept(frame);
      }
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      this.#violate(error.message);
    }
  }

  /** The link takes more. */
  linkDrained(): void {
    if (!this.#ending) this.#flush();
  }

  linkEnded(end: LinkEnd): void {
    this.#end({ kind: end.kind === "violation" ? "violation" : "cut", detail: end.detail });
  }

  #open(record: Uint8Array): Uint8Array {
    try {
      return this.#seal.opener.open(record);
    } catch {
      // Why does not matter and is told to nobody: somebody changed, lost, doubled or swapped a record.
      throw new FrameError("a record that does not open");
    }
  }

  #begin(frames: readonly Frame[]): void {
    const [first] = frames;
    if (!first || frames.length > 1 || first.stream !== CONTROL || decodeFrame(first).kind !== "ready")
      throw new FrameError("a first record that is not ready");
    if (!this.#birth.ready()) throw new FrameError("not accepted");
    this.#theirsReady = true;
    this.#heartbeat.begin();
  }

  #obey(frame: Frame): void {
    const control = decodeFrame(frame);
    switch (control.kind) {
      case "ready":
        throw new FrameError("ready twice");
      case "credit":
        this.#outgoing.grant(control.stream, control.bytes);
        this.#soon();
        return;
      case "ping":
        // Only the newest is answered, so a flood of pings makes no queue.
        this.#pong = control.number;
        this.#soon();
        return;
      case "pong":
        this.#heartbeat.answered(control.number);
        return;
      case "bye":
        this.#link.close(GENERIC_END);
        this.#end({ kind: "bye", by: "them", reason: control.reason });
    }
  }

  #message(stream: number, bytes: Uint8Array): void | Promise<void> {
    // What was kept is heard first.
    if (this.#events && this.#kept.length === 0) return this.#events.message(stream, bytes);
    return new Promise((heard) => {
      this.#kept.push({ stream, bytes, heard });
    });
  }

  #catchUp(events: PipeEvents): void {
    // `close` inside `message` empties the list: after it nothing more is heard.
    for (let kept = this.#kept[0]; kept; kept = this.#kept[0]) {
      const { heard } = kept;
      const used = events.message(kept.stream, kept.bytes);
      if (used) void used.then(heard);
      else heard();
      this.#kept.shift();
    }
    this.#tell();
  }

  #soon(): void {
    if (this.#due) return;
    this.#due = true;
    if (!this.#busy) queueMicrotask(this.#flush);
  }

  readonly #flush = (): void => {
    this.#due = false;
    if (this.#ending) return;
    this.#pump();
    if (this.#busy || !atTickEnd) return;
    this.#busy = true;
    atTickEnd(() => {
      this.#busy = false;
      if (this.#due) this.#flush();
    });
  };

  #pump(): void {
    while (this.#link.buffered <= HIGH_WATER_BYTES) {
      const control = this.#control();
      const controlBytes = control.reduce((sum, { data }) => sum + FRAME_HEADER_BYTES + data.length, 0);
      const frames = this.#outgoing.take(controlBytes);
      if (control.length + frames.length === 0) break;
      this.#sendRecord(control.length === 0 ? frames : [...control, ...frames]);
    }
    for (const stream of this.#outgoing.drained()) this.#events?.drained(stream);
  }

  #control(): Frame[] {
    const control: Frame[] = this.#incoming.owed().map((owed) => controlFrame({ kind: "credit", ...owed }));
    if (this.#ping !== undefined) control.push(controlFrame({ kind: "ping", number: this.#ping }));
    if (this.#pong !== undefined) control.push(controlFrame({ kind: "pong", number: this.#pong }));
    this.#ping = undefined;
    this.#pong = undefined;
    return control;
  }

  #sendRecord(frames: readonly Frame[]): void {
    this.#link.send(this.#seal.sealer.seal(packRecord(frames)));
  }

  #sayBye(reason: string, lingerMs?: number): void {
    this.#sendRecord([controlFrame({ kind: "bye", reason })]);
    this.#kept = [];
    this.#link.close(GENERIC_END, lingerMs);
    this.#end({ kind: "bye", by: "us", reason });
  }

  #violate(detail: string): void {
    if (this.#ending) return;
    this.#kept = [];
    this.#link.close(GENERIC_END);
    this.#end({ kind: "violation", detail });
  }

  #end(end: PipeEnd): void {
    if (this.#ending) return;
    this.#ending = end;
    this.#incoming.stop();
    this.#heartbeat.stop();
    queueMicrotask(() => {
      this.#birth.ended(end);
      this.#tell();
    });
  }

  #tell(): void {
    // What arrived before the end is heard before the end.
    if (this.#told || !this.#events || !this.#ending || this.#kept.length > 0) return;
    this.#told = true;
    this.#events.ended(this.#ending);
  }

  #isOver(): boolean {
    return this.#ending !== undefined;
  }
}

function controlFrame(control: Control): Frame {
  return { stream: CONTROL, flags: FLAG_LAST, data: encodeControl(control) };
}

function decodeFrame(frame: Frame): Control {
  if (frame.flags !== FLAG_LAST) throw new FrameError("a control frame in pieces");
  return decodeControl(frame.data);
}

/** After what else is to be done in this turn of the event loop. Browsers have none without a delay: they go at once. */
const atTickEnd = (globalThis as { setImmediate?: (act: () => void) => unknown }).setImmediate;
