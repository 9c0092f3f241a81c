/**
 * The devices that look at a terminal, and whose size it has. They are pulled like followers (docs/adr/0007): each holds
 * an offset and no queue. Who is close behind gets the bytes, who is further behind the newest screen.
 *
 * The program is held to the pace of the fastest device, so that a device that reads as fast as it can misses nothing;
 * but one that takes nothing for a while is no longer waited for, until it is at the end again.
 */
import type { DeviceId } from "@flybridge/protocol/ids.ts";
import type { Size, Whose } from "@flybridge/protocol/terminal.ts";
import type { ScreenSink } from "../../core/ports.ts";
import type { Drawing } from "./drawing.ts";

/** Bytes of output in one frame. */
const FRAME_BYTES = 32 * 1024;
/** How long the program waits for devices of which none takes a byte. */
const PATIENCE_MS = 500;
/** Between two screens for one device: each costs milliseconds, and a slow device would have one after the other. */
const SCREEN_PAUSE_MS = 150;

interface Viewer {
  readonly device: DeviceId;
  readonly sink: ScreenSink;
  /** It has everything before this offset. */
  cursor: number;
  /** The newest screen is what it needs, wherever its cursor is. */
  lost: boolean;
  /** It is not waited for. */
  stalled: boolean;
  /** When it was last given a screen, in milliseconds. */
  screenAt: number;
  endTold: boolean;
}

export interface Around {
  /** Undefined when the screen of a program that is gone is not at hand any more. */
  drawing(): Drawing;
  after(milliseconds: number, work: () => void): Disposable;
  /** Somebody took something: the program may go on. */
  moved(): void;
}

export class Viewers implements Disposable {
  readonly #around: Around;
  readonly #viewers = new Set<Viewer>();
  #owner: DeviceId | undefined;
  #ended = false;
  #patience: Disposable | undefined;
  #pause: Disposable | undefined;

  constructor(around: Around) {
    this.#around = around;
  }

  get count(): number {
    return this.#viewers.size;
  }

  whose(device: DeviceId): Whose {
    return this.#owner === undefined ? "nobody" : this.#owner === device ? "this" : "other";
  }

  /** Whether the size may be set by this device; with `take` it is its own from now on, if it looks. */
  claim(device: DeviceId, take: boolean): boolean {
    if (this.#owner !== undefined && this.#owner !== device && !take) return false;
    if (this.#isLooking(device)) this.#owner = device;
    return true;
  }

  /** Tells everybody the size, and whose it is. */
  resized(size: Size): void {
    const { end } = this.#around.drawing();
    for (const viewer of this.#viewers) {
      // What it has yet to get was drawn for another size.
      if (viewer.cursor < end) viewer.lost = true;
      viewer.sink.frame({ kind: "size", size, whose: this.whose(viewer.device) });
    }
  }

  /** The first frame goes when `pump` is called. */
  add(device: DeviceId, sink: ScreenSink, from: number | undefined): Disposable & { pump(): void } {
    const { recent, end } = this.#around.drawing();
    const isNear = from !== undefined && from >= recent.start && from <= end;
    const viewer: Viewer = {
      device,
      sink,
      cursor: isNear ? from : end,
      lost: !isNear,
      stalled: false,
      screenAt: -Infinity,
      endTold: false,
    };
    this.#viewers.add(viewer);
    return {
      pump: () => {
        this.#pump(viewer);
        this.#around.moved();
      },
      [Symbol.dispose]: () => {
        this.#viewers.delete(viewer);
        if (this.#owner === device && !this.#isLooking(device)) {
          this.#owner = undefined;
          if (this.#viewers.size > 0) this.resized(this.#around.drawing().size);
        }
        this.#around.moved();
      },
    };
  }

  /** There is more. */
  pump(): void {
    for (const viewer of this.#viewers) this.#pump(viewer);
  }

  /** The offset up to which the program was waited for. */
  get taken(): number {
    let furthest: number | undefined;
    for (const { stalled, lost, cursor } of this.#viewers)
      if (!stalled && !lost) furthest = Math.max(furthest ?? 0, cursor);
    const { end } = this.#around.drawing();
    if (furthest === undefined || furthest >= end) return end;
    this.#patience ??= this.#bePatient();
    return furthest;
  }

  /** Who is behind now is to see what comes of a key, not what was on its way before. */
  hurry(): void {
    const { end } = this.#around.drawing();
    for (const viewer of this.#viewers) if (viewer.cursor < end && !viewer.sink.ready()) viewer.lost = true;
    this.#around.moved();
  }

  /** The program is gone, or there is another. */
  ended(ended: boolean): void {
    this.#ended = ended;
    for (const viewer of this.#viewers) viewer.endTold = false;
    this.pump();
  }

  [Symbol.dispose](): void {
    this.#patience?.[Symbol.dispose]();
    this.#pause?.[Symbol.dispose]();
    this.#viewers.clear();
  }

  #pump(viewer: Viewer): void {
    const drawing = this.#around.drawing();
    const { recent } = drawing;
    while (viewer.sink.ready()) {
      if (viewer.lost || viewer.cursor < recent.start) {
        if (!this.#showScreen(viewer, drawing)) return;
      } else if (viewer.cursor < recent.end) {
        const bytes = recent.read(viewer.cursor, FRAME_BYTES);
        viewer.sink.frame({ kind: "output", offset: viewer.cursor, bytes });
        viewer.cursor += bytes.length;
      } else {
        viewer.stalled = false;
        if (this.#ended && !viewer.endTold) {
          viewer.endTold = true;
          viewer.sink.frame({ kind: "ended" });
        }
        return;
      }
    }
  }

  #showScreen(viewer: Viewer, drawing: Drawing): boolean {
    const now = performance.now();
    const rest = viewer.screenAt + SCREEN_PAUSE_MS - now;
    if (rest > 0) {
      this.#pause ??= this.#around.after(Math.ceil(rest), () => {
        this.#pause = undefined;
        this.pump();
        this.#around.moved();
      });
      return false;
    }
    const { offset, snapshot } = drawing.snapshot();
    const bytes = Buffer.concat([Buffer.from(snapshot.text), snapshot.unfinished]);
    viewer.sink.frame({ kind: "snapshot", offset, size: snapshot.size, bytes });
    viewer.cursor = offset;
    viewer.lost = false;
    viewer.screenAt = now;
    return true;
  }

  #bePatient(): Disposable {
    const before = new Map([...this.#viewers].map((viewer) => [viewer, takenBy(viewer)]));
    const judge = (): void => {
      this.#patience = undefined;
      if (this.#viewers.size === 0) return;
      const { end } = this.#around.drawing();
      for (const viewer of this.#viewers)
        if (viewer.cursor < end && takenBy(viewer) === before.get(viewer)) viewer.stalled = true;
      this.#around.moved();
    };
    // When this host itself was held up, the timer comes before what devices have said meanwhile: that is let in first.
    return this.#around.after(PATIENCE_MS, () => void setImmediate(judge));
  }

  #isLooking(device: DeviceId): boolean {
    return [...this.#viewers].some((viewer) => viewer.device === device);
  }
}

function takenBy({ cursor, sink }: Viewer): number {
  return cursor - sink.waiting();
}
