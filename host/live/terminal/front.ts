/** A terminal as devices have it: its screen as it changes, the lines above it, its keys and its size. */
import { CallError } from "@flybridge/protocol/error.ts";
import type { DeviceId } from "@flybridge/protocol/ids.ts";
import { MAX_SCROLLBACK_LINES } from "@flybridge/protocol/limits.ts";
import type { Size, Whose } from "@flybridge/protocol/terminal.ts";
import type { ScreenSink } from "../../core/ports.ts";
import type { Canvas } from "./canvas.ts";
import type { Keyboard } from "./keyboard.ts";
import type { Viewers } from "./viewers.ts";

/** What stands behind it. */
export interface Behind {
  readonly canvas: Canvas;
  readonly viewers: Viewers;
  readonly keyboard: Keyboard;
  isEnded(): boolean;
  /** It has another size from now on. */
  resized(size: Size): void;
}

export class Front {
  readonly #behind: Behind;
  #held: PromiseWithResolvers<void> | undefined;

  constructor(behind: Behind) {
    this.#behind = behind;
  }

  /** A program is being started: keys wait for it. */
  hold(): void {
    this.#held ??= Promise.withResolvers<void>();
  }

  /** It reads, or is not started after all. */
  release(): void {
    this.#held?.resolve();
    this.#held = undefined;
  }

  /** What is followed begins with the first `pump`. */
  follow(
    device: DeviceId,
    from: number | undefined,
    sink: ScreenSink,
  ): { answer: { size: Size; whose: Whose; ended: boolean }; following: Disposable & { pump(): void } } {
    const { canvas, viewers, isEnded } = this.#behind;
    const { size } = canvas.shown();
    const following = viewers.add(device, sink, from);
    return {
      answer: { size, whose: viewers.whose(device), ended: isEnded() },
      following: {
        pump: () => following.pump(),
        [Symbol.dispose]: () => {
          following[Symbol.dispose]();
          if (isEnded() && viewers.count === 0) canvas.putAway();
        },
      },
    };
  }

  /** Types, once for each id, unless `ended` first; resolves when the keeper has it. Rejects with `CallError`. */
  async type(id: string, text: string, ended: AbortSignal): Promise<void> {
    const { keyboard, viewers } = this.#behind;
    await this.#held?.promise;
    if (ended.aborted) throw new CallError("forbidden", "This device may not type here any more.");
    if (!keyboard.isRead)
      throw new CallError("wrong_state", "The program is gone: nobody is there to read it. Resume the session first.");
    if (text.includes("\u0003")) viewers.hurry();
    const taken = await new Promise<boolean>((resolve) => keyboard.type(id, text, resolve));
    if (!taken)
      throw new CallError("wrong_state", "The program does not read what it is given, or is gone. Nothing was typed.");
  }

  resize(device: DeviceId, size: Size, take: boolean): { size: Size; whose: Whose } {
    const { canvas, viewers, resized } = this.#behind;
    const drawing = canvas.shown();
    if (viewers.claim(device, take)) {
      const { cols, rows } = drawing.size;
      if (cols !== size.cols || rows !== size.rows) {
        canvas.resize(size);
        resized(size);
      }
      viewers.resized(drawing.size);
    }
    return { size: drawing.size, whose: viewers.whose(device) };
  }

  page(before: number | undefined): { first: number; lines: string[] } {
    return this.#behind.canvas.shown().page(before, MAX_SCROLLBACK_LINES);
  }
}
