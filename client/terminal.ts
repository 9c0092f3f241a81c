/**
 * A terminal as this device has it: the frames that draw it, what is typed into it, and whose size it has. It is drawn
 * by an emulator that the page brings; what the emulator has not taken holds back the host, which is the credit from
 * end to end that lets Ctrl-C through a flood.
 *
 * What is typed goes at once, a few calls ahead of the answers, then in larger pieces. It is kept until answered and
 * sent again under the same numbers after a cut, so that it is typed once.
 */
import type { SessionId } from "@flybridge/protocol/ids.ts";
import { MAX_COLUMNS, MAX_ROWS } from "@flybridge/protocol/limits.ts";
import { toBase64Url } from "@flybridge/protocol/base64.ts";
import { decodeFrame, type Frame, type Size, type Whose } from "@flybridge/protocol/terminal.ts";
import { systemClock } from "@flybridge/transport/clock.ts";
import type { Calls } from "./calls.ts";
import type { Cell } from "./cell.ts";
import type { Platform } from "./platform.ts";
import { type FrameListener, Offline, type Replica } from "./replica.ts";

/** Pieces of what is typed that may be on the way unanswered; the rest waits and goes together. */
const PIECES_AHEAD = 4;
/** Characters of one piece: a long paste goes in several, and can be interrupted between them. */
const PIECE_CHARS = 16 * 1024;
/** Characters that may wait to be sent. */
const MAX_WAITING_CHARS = 4 * 1024 * 1024;
/** Milliseconds after a cut in which what is typed is kept for the host: later nobody wants it typed unseen. */
const KEEP_TYPED_MS = 30_000;
/** Milliseconds that a size must hold before the program is told: a keyboard slides in, a window is dragged. */
const SIZE_HOLDS_MS = 120;
const KEYBOARD_BYTES = 12;

/**
 * Draws. Each promise fulfils once the emulator has taken what it was given, in the order of the calls, and also when
 * the emulator is gone; none rejects.
 */
export interface Screen {
  /** Replaces everything. */
  snapshot(size: Size, bytes: Uint8Array): Promise<void>;
  output(bytes: Uint8Array): Promise<void>;
  size(size: Size): Promise<void>;
  /** So many characters of all that was typed have reached the program. */
  answered(chars: number): void;
}

export interface TerminalView {
  /** Whether anything has been drawn yet. */
  drawn: boolean;
  live: boolean;
  /** Since when what is drawn may be behind. */
  staleSince?: number;
  size?: Size;
  whose: Whose;
  ended: boolean;
  /** Not there (any more), or not for this device. */
  gone?: string;
  /** Milliseconds from typing to the program, smoothed. */
  roundTrip?: number;
  /** Why what was typed was dropped, and how often that has happened. */
  dropped?: { count: number; why: string };
}

export interface Typed {
  /** Characters typed so far, this included; compare with `Screen.answered`. Undefined: it was not taken. */
  readonly upTo: number;
}

export interface OpenTerminal {
  readonly view: Cell<TerminalView>;
  /** Undefined when it was not taken; the view says why. */
  type(text: string): Typed | undefined;
  /** What fits here. The terminal takes that size where it is this device's or nobody's. */
  fit(size: Size): void;
  /** Makes the size this device's. */
  take(): void;
  /** Begins again with a snapshot: the program was started anew. */
  refresh(): void;
  close(): void;
}

/** Where a terminal runs; a test passes its own. */
export type Around = Pick<Platform, "makeCell" | "clock" | "now" | "random">;

export const BROWSER: Omit<Around, "makeCell"> = {
  clock: systemClock,
  now: () => Date.now(),
  random: (bytes) => crypto.getRandomValues(new Uint8Array(bytes)),
};

export function openTerminal(replica: Replica, session: SessionId, screen: Screen, around: Around): OpenTerminal {
  return new Terminal(replica, session, screen, around);
}

interface Piece {
  readonly number: number;
  readonly text: string;
  /** By the clock; undefined when it was sent more than once, and says nothing about the round trip. */
  sent: number | undefined;
  answered: boolean;
}

class Terminal implements OpenTerminal, FrameListener {
  readonly view: Cell<TerminalView>;
  readonly #session: SessionId;
  readonly #screen: Screen;
  readonly #around: Around;
  readonly #keyboard: string;
  readonly #stopHearing: () => void;
  #calls: Pick<Calls, "send"> | undefined;
  #closed = false;
  /** Where the next output begins; undefined while a snapshot is waited for. */
  #offset: number | undefined;
  /** Of the newest `terminal.follow`; an answer to an older one is passed over. */
  #follow = 0;
  #fits: Size | undefined;
  /** What the host was last asked for on this connection. */
  #asked: Size | undefined;
  #stopSizing: (() => void) | undefined;
  readonly #pieces: Piece[] = [];
  #waiting = "";
  #number = 0;
  #typed = 0;
  #answered = 0;
  /** Since when there is no connection, by the clock. */
  #cut: number | undefined;

  constructor(replica: Replica, session: SessionId, screen: Screen, around: Around) {
    this.#session = session;
    this.#screen = screen;
    this.#around = around;
    this.#keyboard = toBase64Url(around.random(KEYBOARD_BYTES));
    this.view = around.makeCell<TerminalView>({ drawn: false, live: false, whose: "nobody", ended: false });
    this.#cut = around.clock.now();
    this.#stopHearing = replica.hearFrames(this);
  }

  up(calls: Pick<Calls, "send">): void {
    this.#calls = calls;
    if (this.#cut !== undefined && this.#around.clock.now() - this.#cut > KEEP_TYPED_MS)
      this.#drop("What was typed as the connection ended may not have arrived.");
    this.#cut = undefined;
    this.#asked = undefined;
    this.#begin(this.#offset);
    for (const piece of this.#pieces) {
      piece.sent = undefined;
      this.#send(calls, piece);
    }
    this.#pump();
  }

  down(): void {
    this.#calls = undefined;
    this.#follow++;
    this.#cut ??= this.#around.clock.now();
    this.view.change((view) => {
      view.live = false;
      view.staleSince ??= this.#around.now();
    });
  }

  frame(bytes: Uint8Array): void | Promise<void> {
    const { session, frame } = decodeFrame(bytes);
    return session === this.#session && frame && !this.#closed ? this.#draw(frame) : undefined;
  }

  type(text: string): Typed | undefined {
    const { view } = this;
    if (text === "" || this.#closed || view.value.gone !== undefined) return undefined;
    if (view.value.ended) return undefined;
    if (!view.value.drawn) return undefined;
    if (this.#cut !== undefined && this.#around.clock.now() - this.#cut > KEEP_TYPED_MS) {
      this.#say("Nothing is typed while the host is away.");
      return undefined;
    }
    if (this.#waiting.length + text.length > MAX_WAITING_CHARS) {
      this.#say("That is too much to type at once.");
      return undefined;
    }
    this.#waiting += text;
    this.#typed += text.length;
    this.#pump();
    return { upTo: this.#typed };
  }

  fit({ cols, rows }: Size): void {
    this.#fits = {
      cols: Math.max(2, Math.min(MAX_COLUMNS, Math.floor(cols))),
      rows: Math.max(2, Math.min(MAX_ROWS, Math.floor(rows))),
    };
    this.#stopSizing?.();
    this.#stopSizing = this.#around.clock.setTimer(SIZE_HOLDS_MS, () => {
      this.#resize(false);
    });
  }

  take(): void {
    this.#stopSizing?.();
    this.#resize(true);
  }

  refresh(): void {
    if (this.#calls) this.#begin(undefined);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#follow++;
    this.#stopSizing?.();
    this.#stopHearing();
    this.#calls?.send("terminal.unfollow", { session: this.#session }, { ok() {}, failed() {} });
  }

  #begin(from: number | undefined): void {
    const follow = ++this.#follow;
    this.#offset = from;
    this.#calls?.send(
      "terminal.follow",
      { session: this.#session, ...(from === undefined ? {} : { from }) },
      {
        ok: ({ size, whose, ended }) => {
          if (follow !== this.#follow) return;
          this.view.change((view) => {
            view.live = true;
            delete view.staleSince;
            delete view.gone;
            Object.assign(view, { size, whose, ended });
          });
          if (from !== undefined) void this.#screen.size(size);
          this.#resize(false);
        },
        failed: (error) => {
          if (follow !== this.#follow || error instanceof Offline) return;
          this.view.change((view) => {
            view.gone = error.message;
            view.live = false;
          });
        },
      },
    );
  }

  #draw(frame: Frame): void | Promise<void> {
    switch (frame.kind) {
      case "snapshot":
        this.#offset = frame.offset;
        this.view.change((view) => {
          view.drawn = true;
          view.size = frame.size;
          view.ended = false;
        });
        return this.#screen.snapshot(frame.size, frame.bytes);
      case "output":
        return this.#output(frame.offset, frame.bytes);
      case "size":
        this.view.change((view) => {
          view.size = frame.size;
          view.whose = frame.whose;
        });
        this.#resize(false);
        return this.#screen.size(frame.size);
      case "ended":
        this.view.change((view) => {
          view.ended = true;
        });
        return undefined;
    }
  }

  #output(offset: number, bytes: Uint8Array): void | Promise<void> {
    const at = this.#offset;
    if (at === undefined) return undefined;
    if (offset > at) {
      // Something is missing, so what follows would be drawn on the wrong screen.
      this.#begin(undefined);
      return undefined;
    }
    const fresh = bytes.subarray(at - offset);
    if (fresh.length === 0) return undefined;
    this.#offset = at + fresh.length;
    if (this.view.value.ended)
      this.view.change((view) => {
        view.ended = false;
      });
    return this.#screen.output(fresh);
  }

  #resize(take: boolean): void {
    const [calls, size] = [this.#calls, this.#fits];
    const { live, whose, gone } = this.view.value;
    if (!calls || !size || !live || gone !== undefined || this.#closed) return;
    if (!take && (whose === "other" || isSame(size, this.#asked) || this.#isThere(size))) return;
    this.#asked = size;
    calls.send(
      "terminal.resize",
      { session: this.#session, size, take },
      {
        ok: (given) => {
          this.view.change((view) => {
            view.whose = given.whose;
          });
        },
        // A watcher may not; then it stays as it is, scaled.
        failed() {},
      },
    );
  }

  #isThere(size: Size): boolean {
    const { value } = this.view;
    return value.whose === "this" && isSame(size, value.size);
  }

  #pump(): void {
    const calls = this.#calls;
    if (!calls) return;
    while (this.#waiting !== "" && this.#pieces.length < PIECES_AHEAD) {
      const text = pieceOf(this.#waiting);
      this.#waiting = this.#waiting.slice(text.length);
      const piece: Piece = { number: this.#number++, text, sent: this.#around.clock.now(), answered: false };
      this.#pieces.push(piece);
      this.#send(calls, piece);
    }
  }

  #send(calls: Pick<Calls, "send">, piece: Piece): void {
    const { number, text } = piece;
    calls.send(
      "terminal.input",
      { session: this.#session, keyboard: this.#keyboard, number, text },
      {
        ok: () => {
          this.#heard(piece);
        },
        failed: (error) => {
          if (error instanceof Offline || !this.#pieces.includes(piece)) return;
          this.#drop(error.message);
        },
      },
    );
  }

  #heard(piece: Piece): void {
    piece.answered = true;
    if (piece.sent !== undefined) this.#measure(this.#around.clock.now() - piece.sent);
    const before = this.#answered;
    for (let first = this.#pieces[0]; first?.answered; first = this.#pieces[0]) {
      this.#pieces.shift();
      this.#answered += first.text.length;
    }
    if (this.#answered > before) this.#screen.answered(this.#answered);
    this.#pump();
  }

  /** As RFC 6298 §2 smooths it. */
  #measure(took: number): void {
    const before = this.view.value.roundTrip ?? took;
    this.view.change((view) => {
      view.roundTrip = before + (took - before) / 8;
    });
  }

  #drop(why: string): void {
    const some = this.#pieces.length > 0 || this.#waiting !== "";
    this.#pieces.length = 0;
    this.#waiting = "";
    this.#answered = this.#typed;
    this.#screen.answered(this.#answered);
    if (some) this.#say(why);
  }

  #say(why: string): void {
    this.view.change((view) => {
      view.dropped = { count: (view.dropped?.count ?? 0) + 1, why };
    });
  }
}

/** The beginning of a text, never ending in half a character. */
function pieceOf(text: string): string {
  if (text.length <= PIECE_CHARS) return text;
  const last = text.charCodeAt(PIECE_CHARS - 1);
  return text.slice(0, last >= 0xd8_00 && last < 0xdc_00 ? PIECE_CHARS - 1 : PIECE_CHARS);
}

function isSame(one: Size | undefined, other: Size | undefined): boolean {
  return one?.cols === other?.cols && one?.rows === other?.rows;
}
