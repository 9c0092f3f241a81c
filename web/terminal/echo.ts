/**
 * Local echo: guesses what the program will show for what is typed, to show it at once on a slow link; after mosh
 * (Winstein and Balakrishnan, USENIX ATC 2012, §3.2). Pure: time, the screen and what was answered come in.
 *
 * A guess belongs to an epoch, and is shown only when one of its epoch has come true. Whatever may change what typing
 * does (Enter, Esc, an arrow up, output out of turn) begins a new epoch: so a password, a pager's or an editor's
 * commands are never shown, because nothing of theirs ever comes true. A wrong guess takes all of them back.
 */

/** Milliseconds of round trip above which guesses are shown, and below which they no longer are. */
export const SHOW_ABOVE_MS = 60;
const HIDE_BELOW_MS = 45;
/** Milliseconds that the program's answer may take longer than the host's answer that it can read what was typed. */
const GRACE_MS = 150;
/** Milliseconds beyond two round trips that a guess may stand unconfirmed; then the link or the program hangs. */
const PATIENCE_MS = 700;
/** Milliseconds after the last guess that came true for which its epoch is believed. */
const RECENT_MS = 20_000;
/** Guesses that must come true before an epoch is believed: on a program's own screen, letters may be commands. */
const PROOFS = { line: 1, screen: 2 } as const;
/** Cells guessed at once. More is a paste, or a link that does not answer. */
const MAX_GUESSES = 200;

/** The emulator's screen, as it is drawn. */
export interface Seen {
  readonly cols: number;
  /** Of the cursor; `row` counts from the first line that is kept. */
  readonly column: number;
  readonly row: number;
  /** A program has the screen for itself (the alternate buffer). */
  readonly alternate: boolean;
  /** What a cell shows, "" or " " when nothing; undefined for a half of something wide. */
  cell(column: number, row: number): string | undefined;
}

export interface Shown {
  readonly row: number;
  readonly cells: readonly { readonly column: number; readonly char: string }[];
  readonly cursor: number;
}

interface Guess {
  readonly char: string;
  /** What the cell showed when it was guessed: a guess that changes nothing proves nothing. */
  readonly before: string;
  /** All characters typed up to the one that this is for. */
  readonly upTo: number;
  readonly at: number;
  /** It was typed here, and not moved here by what was typed before it. */
  readonly typed: boolean;
}

/** One cell each, and no marks that join what is before them. */
const PLAIN = /^[\u0020-\u007e\u00a1-\u00ac\u00ae-\u02af\u0370-\u03ff\u0400-\u0482\u048a-\u052f]$/u;
const BACKSPACE = new Set(["\u007f", "\b"]);
const LEFT = new Set(["\u001b[D", "\u001bOD"]);
const RIGHT = new Set(["\u001b[C", "\u001bOC"]);

export class Echo {
  #guesses = new Map<number, Guess>();
  /** Where the guesses are. */
  #row = 0;
  /** Where the cursor is guessed to be; undefined when nothing is guessed. */
  #cursor: number | undefined;
  /** What moved the guessed cursor there. */
  #cursorUpTo = 0;
  #cursorAt = 0;
  /** First column of what was typed on this line: nothing before it is taken back or moved into. */
  #from = 0;
  #proofs = 0;
  #proofsWanted: number = PROOFS.line;
  #provenAt = 0;
  /** Where the last guess that came true left the cursor, and all that was typed up to there. */
  #left: { readonly column: number; readonly row: number; readonly upTo: number } | undefined;
  /** Characters typed, and of those the ones that the program can read. */
  #typed = 0;
  #answered = 0;
  #answeredAt = 0;
  /** Something was typed up to here whose effect cannot be guessed. */
  #unknownUpTo = 0;
  #roundTrip = 0;
  #slow = false;

  /** A round trip was measured, in milliseconds. */
  measured(roundTrip: number): void {
    this.#roundTrip = roundTrip;
    if (roundTrip > SHOW_ABOVE_MS) this.#slow = true;
    else if (roundTrip < HIDE_BELOW_MS) this.#slow = false;
  }

  /** `text` was typed; `upTo` counts all that was typed, this included. */
  typed(text: string, upTo: number, seen: Seen, now: number): void {
    const before = this.#typed;
    this.#typed = upTo;
    if (now - this.#provenAt > RECENT_MS) this.#proofs = 0;
    if (this.#cursor === undefined && !this.#start(before, seen)) {
      if (!isPlain(text)) this.#unknown(upTo);
      return;
    }
    if (PLAIN.test(text)) this.#insert(text, upTo, seen, now);
    else if (BACKSPACE.has(text)) this.#erase(upTo, seen, now);
    else if (LEFT.has(text)) this.#move(-1, upTo, seen, now);
    else if (RIGHT.has(text)) this.#move(1, upTo, seen, now);
    else this.#unknown(upTo);
  }

  /** The program can read all characters up to this many. */
  answered(upTo: number, now: number): void {
    this.#answered = Math.max(this.#answered, upTo);
    this.#answeredAt = now;
  }

  /** The program's output was drawn, or time passed. */
  look(seen: Seen, now: number): void {
    if (this.#cursor === undefined) {
      // The cursor went somewhere without being typed there: what is asked for now may be something else.
      if (this.#left && this.#answered >= this.#typed && !isAt(seen, this.#left)) this.#forget();
      return;
    }
    const settled = now > this.#answeredAt + GRACE_MS;
    for (const [column, guess] of this.#guesses) {
      const shown = seen.cell(column, this.#row);
      const isRight = isSame(shown, guess.char);
      if (isRight && (this.#answered >= guess.upTo || isPassed(seen, this.#row, column, guess))) {
        this.#guesses.delete(column);
        if (guess.typed && !isSame(guess.before, guess.char)) {
          this.#proofs++;
          this.#provenAt = now;
        }
        continue;
      }
      const late = now - guess.at > 2 * this.#roundTrip + PATIENCE_MS;
      if (late || (!isRight && settled && this.#answered >= guess.upTo)) return this.#wrong();
    }
    if (isAt(seen, { column: this.#cursor, row: this.#row })) {
      if (this.#guesses.size === 0 && (this.#answered >= this.#cursorUpTo || this.#proofs > 0)) {
        this.#left = { column: seen.column, row: seen.row, upTo: this.#cursorUpTo };
        this.#cursor = undefined;
      }
      return;
    }
    const late = now - this.#cursorAt > 2 * this.#roundTrip + PATIENCE_MS;
    if (late || (settled && this.#answered >= this.#cursorUpTo)) this.#wrong();
  }

  /** What to show over the screen now. */
  get shown(): Shown | undefined {
    if (this.#cursor === undefined || !this.#slow || this.#proofs < this.#proofsWanted) return undefined;
    const cells = [...this.#guesses].map(([column, { char }]) => ({ column, char }));
    return { row: this.#row, cells, cursor: this.#cursor };
  }

  /** Milliseconds until `look` should be called even if nothing is drawn; undefined when nothing is guessed. */
  get pending(): number | undefined {
    return this.#cursor === undefined ? undefined : GRACE_MS;
  }

  /** The screen was replaced or resized: nothing that was guessed is about it. */
  reset(): void {
    this.#forget();
    this.#unknownUpTo = this.#typed;
  }

  #start(before: number, seen: Seen): boolean {
    if (this.#answered < this.#unknownUpTo) return false;
    // What was typed and has not shown yet will have moved the cursor by the time this arrives.
    const shownUpTo = this.#left && isAt(seen, this.#left) ? this.#left.upTo : 0;
    const column = seen.column + (before - Math.max(this.#answered, this.#unknownUpTo, shownUpTo));
    if (column >= seen.cols - 1) return false;
    const goesOn = this.#left !== undefined && isAt({ column, row: seen.row }, this.#left);
    if (!goesOn) {
      this.#proofs = 0;
      this.#from = column;
    }
    this.#proofsWanted = seen.alternate ? PROOFS.screen : PROOFS.line;
    this.#row = seen.row;
    this.#cursor = column;
    return true;
  }

  #insert(char: string, upTo: number, seen: Seen, now: number): void {
    const cursor = this.#cursor ?? 0;
    const end = this.#end(seen);
    if (cursor >= seen.cols - 2 || end >= seen.cols - 1 || this.#guesses.size >= MAX_GUESSES)
      return this.#unknown(upTo);
    for (let column = end; column > cursor; column--)
      this.#guess(column, this.#at(column - 1, seen), upTo, seen, now, false);
    this.#guess(cursor, char, upTo, seen, now, true);
    this.#goTo(cursor + 1, upTo, now);
  }

  #erase(upTo: number, seen: Seen, now: number): void {
    const cursor = this.#cursor ?? 0;
    if (cursor <= this.#from) return this.#unknown(upTo);
    const end = this.#end(seen);
    for (let column = cursor - 1; column < end; column++)
      this.#guess(column, column + 1 < end ? this.#at(column + 1, seen) : " ", upTo, seen, now, false);
    this.#goTo(cursor - 1, upTo, now);
  }

  #move(by: 1 | -1, upTo: number, seen: Seen, now: number): void {
    const to = (this.#cursor ?? 0) + by;
    if (to < this.#from || to > this.#end(seen)) return this.#unknown(upTo);
    this.#goTo(to, upTo, now);
  }

  #goTo(column: number, upTo: number, now: number): void {
    this.#cursor = column;
    this.#cursorUpTo = upTo;
    this.#cursorAt = now;
  }

  #guess(column: number, char: string, upTo: number, seen: Seen, now: number, typed: boolean): void {
    const earlier = this.#guesses.get(column);
    const before = earlier?.before ?? seen.cell(column, this.#row) ?? "";
    this.#guesses.set(column, { char, before, upTo, at: now, typed });
  }

  /** What a cell will show, as far as is known. */
  #at(column: number, seen: Seen): string {
    return this.#guesses.get(column)?.char ?? (seen.cell(column, this.#row) || " ");
  }

  /** The column after the last on the line that shows something, from the cursor on. */
  #end(seen: Seen): number {
    const cursor = this.#cursor ?? 0;
    let end = Math.max(cursor, ...[...this.#guesses.keys()].map((column) => column + 1));
    for (let column = seen.cols - 1; column >= end; column--) {
      const shown = seen.cell(column, this.#row);
      if (shown === undefined || shown.trim() !== "") {
        end = column + 1;
        break;
      }
    }
    while (end > cursor && this.#at(end - 1, seen).trim() === "") end--;
    return end;
  }

  /** What was typed may do anything: the next epoch begins once its effect is there. */
  #unknown(upTo: number): void {
    this.#unknownUpTo = upTo;
    this.#forget();
  }

  #wrong(): void {
    this.#unknownUpTo = this.#typed;
    this.#forget();
  }

  #forget(): void {
    this.#guesses.clear();
    this.#cursor = undefined;
    this.#left = undefined;
    this.#proofs = 0;
  }
}

function isAt(seen: { readonly column: number; readonly row: number }, at: { column: number; row: number }): boolean {
  return seen.column === at.column && seen.row === at.row;
}

function isSame(one: string | undefined, other: string): boolean {
  return one === other || (other === " " && one === "");
}

function isPlain(text: string): boolean {
  return PLAIN.test(text);
}

/** The program's cursor went by what was guessed at the end of a line: it has come true before its answer came. */
function isPassed(seen: Seen, row: number, column: number, guess: Guess): boolean {
  return guess.typed && guess.before.trim() === "" && seen.row === row && seen.column > column;
}
