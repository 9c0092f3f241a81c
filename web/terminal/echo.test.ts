import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Echo, type Seen } from "./echo.ts";

/** Columns of the screen in these tests. */
const COLS = 40;

/** A program on the far side of a slow link: what it shows arrives half a round trip after it did it. */
class Far {
  readonly echo = new Echo();
  readonly #roundTrip: number;
  readonly #program: (key: string, far: Far) => void;
  readonly #queue: { at: number; act: () => void }[] = [];
  now = 10_000;
  /** What the program has drawn, and what has arrived of it. */
  lines: string[] = ["$ "];
  column = 2;
  alternate = false;
  #seen = { lines: ["$ "], column: 2, alternate: false };
  #typed = 0;
  /** Everything that was ever shown before the program had. */
  readonly shown: string[] = [];

  constructor(roundTrip: number, program: (key: string, far: Far) => void) {
    this.#roundTrip = roundTrip;
    this.#program = program;
    this.echo.measured(roundTrip);
  }

  get seen(): Seen {
    const { lines, column, alternate } = this.#seen;
    return {
      cols: COLS,
      column,
      row: lines.length - 1,
      alternate,
      cell: (at, row) => lines[row]?.[at] ?? "",
    };
  }

  /** What a person sees on the line of the cursor: the program's, with guesses over it. */
  get line(): string {
    const cells = [...(this.#seen.lines.at(-1) ?? "").padEnd(COLS)];
    const { shown } = this.echo;
    for (const { column, char } of shown?.cells ?? []) cells[column] = char;
    return cells.join("").trimEnd();
  }

  get cursor(): number {
    return this.echo.shown?.cursor ?? this.#seen.column;
  }

  key(key: string): void {
    this.#typed += key.length;
    const upTo = this.#typed;
    this.echo.typed(key, upTo, this.seen, this.now);
    this.#note();
    this.#later(this.#roundTrip / 2, () => {
      this.#program(key, this);
      const drawn = { lines: [...this.lines], column: this.column, alternate: this.alternate };
      this.#later(this.#roundTrip / 2, () => this.echo.answered(upTo, this.now));
      this.#later(this.#roundTrip / 2 + 3, () => {
        this.#seen = drawn;
        this.echo.look(this.seen, this.now);
      });
    });
  }

  keys(text: string, each = 90): void {
    for (const key of text) {
      this.key(key);
      this.pass(each);
    }
  }

  /** Something is printed that nobody typed. */
  print(act: (far: Far) => void): void {
    act(this);
    const drawn = { lines: [...this.lines], column: this.column, alternate: this.alternate };
    this.#later(this.#roundTrip / 2, () => {
      this.#seen = drawn;
      this.echo.look(this.seen, this.now);
    });
  }

  pass(ms: number): void {
    const end = this.now + ms;
    for (;;) {
      const next = this.#queue.filter((one) => one.at <= end).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      this.#queue.splice(this.#queue.indexOf(next), 1);
      this.now = Math.max(this.now, next.at);
      next.act();
      this.#note();
    }
    this.now = end;
    this.echo.look(this.seen, this.now);
    this.#note();
  }

  #later(ms: number, act: () => void): void {
    this.#queue.push({ at: this.now + ms, act });
  }

  #note(): void {
    for (const { char } of this.echo.shown?.cells ?? []) this.shown.push(char);
  }
}

/** A shell's line editor: inserts, erases, moves, and begins a new line with its prompt. */
function shell(key: string, far: Far): void {
  const at = far.lines.length - 1;
  const line = far.lines[at] ?? "";
  if (key === "\r") {
    far.lines.push("output", "$ ");
    far.column = 2;
  } else if (key === "\u007f") {
    if (far.column === 2) return;
    far.lines[at] = line.slice(0, far.column - 1) + line.slice(far.column);
    far.column--;
  } else if (key === "\u001b[D") far.column = Math.max(2, far.column - 1);
  else if (key === "\u001b[C") far.column = Math.min(line.length, far.column + 1);
  else if (key.length === 1) {
    far.lines[at] = line.slice(0, far.column) + key + line.slice(far.column);
    far.column++;
  }
}

describe("local echo", () => {
  it("shows what is typed at once, after the first of the line has come true", () => {
    const far = new Far(300, shell);
    far.key("l");
    assert.equal(far.line, "$", "nothing is known of this line yet");
    far.pass(400);
    assert.equal(far.line, "$ l");
    far.key("s");
    assert.equal(far.line, "$ ls", "at once");
    assert.equal(far.cursor, 4);
    far.key(" ");
    far.key("-");
    far.key("a");
    assert.equal(far.line, "$ ls -a");
    far.pass(1_000);
    assert.equal(far.line, "$ ls -a");
    assert.equal(far.echo.shown, undefined, "nothing is a guess any more");
    assert.equal(far.echo.pending, undefined);
  });

  it("keeps up with somebody who does not wait", () => {
    const far = new Far(300, shell);
    far.keys("echo one two three");
    assert.equal(far.line, "$ echo one two three");
    far.pass(2_000);
    assert.equal(far.line, "$ echo one two three");
    assert.equal(far.echo.shown, undefined);
  });

  it("begins anew on each line: its first characters wait", () => {
    const far = new Far(300, shell);
    far.keys("pwd");
    far.pass(1_000);
    far.key("\r");
    far.key("x");
    assert.equal(far.echo.shown, undefined);
    far.pass(1_000);
    assert.equal(far.line, "$ x");
    far.key("y");
    assert.equal(far.line, "$ x", "guessed at the wrong place before: it is not believed yet");
    far.pass(1_000);
    far.key("z");
    assert.equal(far.line, "$ xyz");
    far.pass(1_000);
    far.key("!");
    assert.equal(far.line, "$ xyz!");
  });

  it("shows erasing, and moving left and right, and inserting in the middle", () => {
    const far = new Far(300, shell);
    far.keys("abcd");
    far.pass(1_000);
    far.key("\u007f");
    assert.equal(far.line, "$ abc");
    far.key("\u001b[D");
    far.key("\u001b[D");
    assert.equal(far.cursor, 3);
    far.key("X");
    assert.equal(far.line, "$ aXbc");
    assert.equal(far.cursor, 4);
    far.key("\u001b[C");
    far.key("\u007f");
    assert.equal(far.line, "$ aXc");
    far.pass(2_000);
    assert.equal(far.line, "$ aXc");
    assert.equal(far.echo.shown, undefined);
  });

  it("does not erase what was not typed, nor move into it", () => {
    const far = new Far(300, shell);
    far.key("a");
    far.pass(1_000);
    far.key("\u007f");
    assert.equal(far.line, "$");
    far.key("\u007f");
    far.key("\u001b[D");
    assert.ok(far.cursor >= 2);
    assert.equal(far.line.startsWith("$"), true);
    far.pass(1_000);
    assert.equal(far.line, "$");
  });

  it("takes a wrong guess back, and believes nothing until one comes true again", () => {
    let isLoud = false;
    const far = new Far(300, (key, there) => shell(isLoud ? key.toUpperCase() : key, there));
    far.keys("ab");
    far.pass(1_000);
    isLoud = true;
    far.key("c");
    assert.equal(far.line, "$ abc");
    far.pass(1_000);
    assert.equal(far.line, "$ abC");
    far.key("d");
    assert.equal(far.line, "$ abC");
    far.pass(1_000);
    assert.equal(far.line, "$ abCD");
  });

  it("never shows a password: after Enter, after a prompt that came by itself, and when stars are echoed", () => {
    for (const mask of ["", "*"]) {
      let isSecret = false;
      const far = new Far(300, (key, there) => {
        if (!isSecret) {
          shell(key, there);
          if (key === "\r") {
            there.lines[there.lines.length - 1] = "Password: ";
            there.column = 10;
            isSecret = true;
          }
        } else if (key === "\r") {
          isSecret = false;
          there.lines.push("$ ");
          there.column = 2;
        } else if (mask !== "") shell(mask, there);
      });
      far.keys("sudo");
      far.pass(1_000);
      far.key("\r");
      const before = far.shown.length;
      far.keys("hunter2", 60);
      far.pass(1_000);
      far.keys("hunter2", 400);
      assert.deepEqual(
        far.shown.slice(before).filter((char) => char !== "*"),
        [],
      );
      far.key("\r");
      far.pass(1_000);

      far.keys("ok");
      far.pass(1_000);
      far.print((there) => {
        there.lines.push("Enter passphrase: ");
        there.column = 18;
        isSecret = true;
      });
      far.pass(1_000);
      const again = far.shown.length;
      far.keys("swordfish", 50);
      far.pass(1_000);
      assert.deepEqual(
        far.shown.slice(again).filter((char) => char !== "*"),
        [],
      );
    }
  });

  it("shows nothing in a pager or an editor's commands, and what is written into the editor's text", () => {
    let inserting = false;
    const far = new Far(300, (key, there) => {
      if (inserting) {
        if (key === "\u001b") inserting = false;
        else shell(key, there);
      } else if (key === "i") inserting = true;
      else if (key === "j") there.column = Math.min(COLS - 1, there.column + 1);
    });
    far.print((there) => {
      there.lines = ["", "", "the text of a file"];
      there.column = 0;
      there.alternate = true;
    });
    far.pass(1_000);
    far.keys("jjjjjjjj", 120);
    far.pass(1_000);
    assert.equal(far.shown.length, 0);
    far.key("i");
    far.pass(1_000);
    assert.equal(far.shown.length, 0);
    far.keys("well, ", 120);
    far.pass(1_000);
    far.key("n");
    assert.ok(far.line.includes("n"), far.line);
    assert.ok(far.shown.includes("n"));
    far.pass(1_000);
    far.key("\u001b");
    far.pass(1_000);
    const before = far.shown.length;
    far.keys("jjj", 120);
    far.pass(1_000);
    assert.equal(far.shown.length, before);
  });

  it("does nothing on a fast link, and comes and goes with its speed", () => {
    const far = new Far(20, shell);
    far.keys("abc");
    assert.equal(far.shown.length, 0);
    far.echo.measured(61);
    far.key("d");
    assert.equal(far.line, "$ abcd");
    far.echo.measured(50);
    assert.equal(far.line, "$ abcd", "it does not flicker");
    far.echo.measured(40);
    assert.equal(far.line, "$ abc");
  });

  it("never keeps a guess for more than a moment when nothing answers", () => {
    let isHung = false;
    const far = new Far(200, (key, there) => {
      if (!isHung) shell(key, there);
    });
    far.keys("abc");
    far.pass(1_000);
    isHung = true;
    far.key("d");
    assert.equal(far.line, "$ abcd");
    far.pass(2_000);
    assert.equal(far.line, "$ abc");
    assert.equal(far.echo.shown, undefined);
  });

  it("takes any text and any screen: nothing throws, nothing is shown past the edge, all guesses end", () => {
    let chance = 7;
    const next = (below: number): number => {
      chance = (Math.imul(chance, 1_664_525) + 1_013_904_223) >>> 0;
      return (chance >>> 8) % below;
    };
    const strange = [
      "a",
      "é",
      "世",
      "👩‍🚀",
      "\u0301",
      "\r",
      "\u007f",
      "\b",
      "\u001b[D",
      "\u001bOC",
      "\u001b",
      "\t",
      "x".repeat(500),
    ];
    const far = new Far(250, (key, there) => {
      if (next(3) > 0) shell(key, there);
      if ((there.lines.at(-1)?.length ?? 0) >= COLS) {
        there.lines.push("");
        there.column = 0;
      }
    });
    for (let count = 0; count < 3_000; count++) {
      far.key(strange[next(strange.length)] ?? "");
      if (next(4) === 0) far.pass(next(500));
      if (next(50) === 0) far.echo.reset();
      const { shown } = far.echo;
      for (const { column } of shown?.cells ?? []) assert.ok(column >= 0 && column < COLS, `${column}`);
      if (shown) assert.ok(shown.cursor >= 0 && shown.cursor < COLS);
    }
    far.pass(10_000);
    assert.equal(far.echo.shown, undefined);
    assert.equal(far.echo.pending, undefined);
  });
});
