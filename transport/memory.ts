/** A link inside one process: for tests, and for a host and a device that share one. */
import { HIGH_WATER_BYTES, LOW_WATER_BYTES, type Link, type LinkEnd, type LinkEvents } from "./link.ts";

export interface MemoryOptions {
  /** A larger frame ends the link as a violation. Without it, any size passes. */
  readonly maxFrameBytes?: number;
  /** What the wire makes of each frame: none drops it, two double it. `index` counts from 0 in each direction. */
  readonly tamper?: (frame: Uint8Array, from: 0 | 1, index: number) => readonly Uint8Array[];
}

/** A pair whose frames wait on the wire until they are pumped. */
export interface MemoryWire {
  readonly ends: readonly [Link, Link];
  /** Frames on the wire, both ways. */
  readonly waiting: number;
  /** Delivers up to so many frames in each direction; all of them without a number. */
  pump(frames?: number): void;
  /** The network goes away: both ends see a cut, what is on the wire is lost. */
  cut(): void;
}

/** Two ends of one wire. Frames arrive in a later microtask, never inside `send`. */
export function memoryLink(options: MemoryOptions = {}): [Link, Link] {
  return join(options, true);
}

/** As `memoryLink`, with the test's hand on the wire. */
export function memoryWire(options: MemoryOptions = {}): MemoryWire {
  const [a, b] = join(options, false);
  return {
    ends: [a, b],
    get waiting() {
      return a.waiting + b.waiting;
    },
    pump(frames) {
      a.pump(frames);
      b.pump(frames);
    },
    cut() {
      a.finish({ kind: "cut", detail: "the wire was cut" });
      b.finish({ kind: "cut", detail: "the wire was cut" });
    },
  };
}

function join(options: MemoryOptions, flowing: boolean): [MemoryEnd, MemoryEnd] {
  const a = new MemoryEnd(0, options, flowing);
  const b = new MemoryEnd(1, options, flowing);
  a.other = b;
  b.other = a;
  return [a, b];
}

type Parcel = { readonly frame: Uint8Array } | { readonly end: LinkEnd };

/** One end: `wire` holds what this end sent and the other has not been given. */
class MemoryEnd implements Link {
  readonly #side: 0 | 1;
  readonly #options: MemoryOptions;
  readonly #flowing: boolean;
  other!: MemoryEnd;
  #events: LinkEvents | undefined;
  #wire: Parcel[] = [];
  #sent = 0;
  #buffered = 0;
  #high = false;
  #scheduled = false;
  #ending: LinkEnd | undefined;
  #told = false;

  constructor(side: 0 | 1, options: MemoryOptions, flowing: boolean) {
    this.#side = side;
    this.#options = options;
    this.#flowing = flowing;
  }

  get buffered(): number {
    return this.#buffered;
  }

  get waiting(): number {
    return this.#wire.length;
  }

  listen(events: LinkEvents): void {
    this.#events = events;
    if (this.#ending) this.#tellLater();
    this.other.#schedule();
  }

  send(frame: Uint8Array): void {
    if (this.#ending) return;
    const tampered = this.#options.tamper?.(frame, this.#side, this.#sent++) ?? [frame];
    for (const each of tampered) {
      this.#wire.push({ frame: each });
      this.#buffered += each.length;
    }
    if (this.#buffered > HIGH_WATER_BYTES) this.#high = true;
    this.#schedule();
  }

  close(detail: string): void {
    if (this.#ending) return;
    this.#wire.push({ end: { kind: "closed", detail } });
    this.#schedule();
    this.finish({ kind: "closed", detail });
  }

  /** Ends this side; what it sent before stays on the wire unless the wire itself is gone. */
  finish(end: LinkEnd): void {
    if (this.#ending) return;
    this.#ending = end;
    if (end.kind === "cut") this.#wire = [];
    this.#tellLater();
  }

  pump(frames = Number.POSITIVE_INFINITY): void {
    for (let count = 0; count < frames && this.#wire.length > 0 && this.other.#events; count++) this.#deliver();
  }

  #deliver(): void {
    const parcel = this.#wire.shift();
    if (!parcel) return;
    if ("end" in parcel) {
      this.other.finish(parcel.end);
      return;
    }
    this.#buffered -= parcel.frame.length;
    this.other.#receive(parcel.frame);
    if (this.#high && this.#buffered <= LOW_WATER_BYTES) {
      this.#high = false;
      if (!this.#ending) this.#events?.drained();
    }
  }

  #receive(frame: Uint8Array): void {
    if (this.#ending) return;
    if (frame.length > (this.#options.maxFrameBytes ?? Number.POSITIVE_INFINITY)) {
      this.finish({ kind: "violation", detail: `a frame of ${frame.length} bytes` });
      this.other.finish({ kind: "closed", detail: "frame too large" });
      return;
    }
    this.#events?.frame(frame);
  }

  #schedule(): void {
    if (!this.#flowing || this.#scheduled || !this.other.#events || this.#wire.length === 0) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.pump();
    });
  }

  #tellLater(): void {
    queueMicrotask(() => {
      if (this.#told || !this.#events || !this.#ending) return;
      this.#told = true;
      this.#events.ended(this.#ending);
    });
  }
}
