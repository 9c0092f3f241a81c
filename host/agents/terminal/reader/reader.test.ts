import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import fc from "fast-check";
import * as v from "valibot";
import { ApprovalAsk, QuestionAsk } from "@flybridge/protocol/ask.ts";
import { screenOfText, type Line, type Screen, type Span } from "../screen.ts";
import { read, type Reading } from "./reader.ts";

const RESTED = { quietMs: 1_000 };
/** Of one look at a screen in the worst case, in milliseconds, on a machine that does other things too. */
const SLOW_MS = 250;

const Body = v.variant("kind", [v.omit(ApprovalAsk, ["ask"]), v.omit(QuestionAsk, ["ask"])]);

function asked(text: string): Reading {
  const reading = read(screenOfText(text), RESTED);
  assert.ok(reading, `nothing was read in:\n${text}`);
  v.parse(Body, reading.ask);
  assert.deepEqual(JSON.parse(JSON.stringify(reading.shape)), reading.shape);
  return reading;
}

function labelsOf(reading: Reading): string[] {
  return reading.ask.kind === "question"
    ? (reading.ask.questions[0]?.options.map(({ label }) => label) ?? [])
    : reading.ask.choices.map(({ label }) => label);
}

describe("what is read", () => {
  it("[D31] makes an approval of Claude's dialog, with its command, its purpose and each yes as it is worded", () => {
    const reading = asked(`
● Making and removing
────────────────────────────────────────────────────────────────────────────────
 Bash command
 make and remove
╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌
 touch a.txt && rm -rf a.txt
╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌
 Do you want to proceed?
 ❯ 1. Yes
   2. Yes, and don't ask again for touch a.txt commands in /home/sam/app
   3. Yes, and switch to auto mode · auto mode handles these prompts for you
   4. No

 Esc to cancel · Tab to amend
`);
    assert.equal(reading.ask.kind, "approval");
    assert.ok(reading.ask.kind === "approval");
    const { evidence, choices } = reading.ask;
    assert.equal(evidence.tool, "Bash");
    assert.equal(evidence.kind, "command");
    assert.equal(evidence.command, "touch a.txt && rm -rf a.txt");
    assert.equal(evidence.purpose, "make and remove");
    assert.deepEqual(
      choices.map(({ label, scope }) => [label, scope]),
      [
        ["Yes", "once"],
        ["Yes, and don't ask again for touch a.txt commands in /home/sam/app", "always"],
        ["Yes, and switch to auto mode", "session"],
      ],
    );
    assert.equal(reading.shape.no, 3);
    assert.equal(reading.shape.agent, "claude");
  });

  it("[D31] on a phone's columns, joins a command that was broken, and takes no part of a tip for its purpose", () => {
    const broken = screenOfText(`
  ┃
  ┃  △ Permission required
  ┃    # Shell command
  ┃
  ┃  $ printf %s%s sea gull | tee allowed-
  ┃  opencode
  ┃
  ┃   Allow once   Allow always   Reject
  ┃
  ┃  ctrl+f fullscreen  ⇆ select  enter confirm
`);
    const highlighted = broken.lines.map((line) =>
      line.text.includes("Allow once")
        ? {
            ...line,
            spans: [
              { text: "  ┃  " },
              { text: " Allow once ", bg: 0x1fab283, fg: 0x100000a },
              { text: "  Allow always   Reject" },
            ],
          }
        : line,
    );
    const joined = read({ ...broken, cols: 51, lines: highlighted }, RESTED)?.ask;
    assert.ok(joined?.kind === "approval");
    assert.equal(joined.evidence.command, "printf %s%s sea gull | tee allowed-opencode");

    const tipped = screenOfText(`
● Doing it
───────────────────────────────────────────────────
 Bash command
 Tip: auto mode handles these prompts for you —
 choose "switch to auto mode" below
 Do it
╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌
 touch one
╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌
 Do you want to proceed?
 ❯ 1. Yes
   2. Yes, and switch to auto mode
   3. No

 Esc to cancel · Tab to amend
`);
    const bold = tipped.lines.map((line) =>
      /Tip|choose/u.test(line.text) ? { ...line, spans: [{ text: line.text, bold: true as const }] } : line,
    );
    const offered = read({ ...tipped, cols: 51, lines: bold }, RESTED)?.ask;
    assert.ok(offered?.kind === "approval");
    assert.equal(offered.evidence.purpose, "Do it");
  });

  it("[D31] makes an approval of Codex's dialog", () => {
    const reading = asked(`
• Running touch /var/tmp/zz1


  Would you like to run the following command?

  Environment: local

  Reason: May I create a file in /var/tmp?

  $ touch /var/tmp/zz1


› 1. Yes, proceed (y)
  2. Yes, and don't ask again for commands that start with \`touch\` (p)
  3. No, and tell Codex what to do differently (esc)

  Press enter to confirm or esc to cancel
`);
    assert.ok(reading.ask.kind === "approval");
    assert.equal(reading.ask.evidence.command, "touch /var/tmp/zz1");
    assert.equal(reading.ask.evidence.reason, "May I create a file in /var/tmp?");
    assert.deepEqual(
      reading.ask.choices.map(({ scope }) => scope),
      ["once", "always"],
    );
    assert.equal(reading.shape.no, 2);
  });

  it("[D32] takes a menu with descriptions, a separator and more than ten options apart", () => {
    const many = Array.from({ length: 12 }, (_, place) => `${String(place + 1).padStart(2)}) region-${place + 1}`);
    const reading = asked(
      `Select your region:\n${many.slice(0, 6).join("\n")}\n--------\n${many.slice(6).join("\n")}\n\nEnter number [1-12]: `,
    );
    assert.equal(labelsOf(reading).length, 12);
    assert.equal(reading.shape.options[11]?.key, "12");
    const question = asked(`
 ☐ Database

Which database should we use?

❯ 1. SQLite
     one file
  2. Postgres
     a server
  3. Type something.
────────────────────────────────────────────────────────────────────────────────
  4. Chat about this

Enter to select · ↑/↓ to navigate · Esc to cancel
`);
    assert.deepEqual(labelsOf(question), ["SQLite", "Postgres", "Chat about this"]);
    assert.ok(question.ask.kind === "question");
    assert.equal(question.ask.questions[0]?.options[1]?.detail, "a server");
  });

  it("never carries what is typed at a secret prompt", () => {
    for (const text of ["? Enter your password ******", "Password: hunter2", "? API key abc123"]) {
      const reading = read(screenOfText(text), RESTED);
      assert.ok(!JSON.stringify(reading ?? {}).includes("hunter2"));
      assert.ok(!JSON.stringify(reading ?? {}).includes("abc123"));
      if (reading?.shape.asks === "secret") assert.equal(reading.shape.typed, undefined);
    }
  });

  it("is the same ask while it is half answered, and another when its words change", () => {
    const menu = (at: number): string =>
      `? Pick one (Use arrow keys)\n${["red", "green", "blue"].map((one, place) => `${place === at ? "❯" : " "} ${one}`).join("\n")}`;
    assert.equal(asked(menu(0)).key, asked(menu(2)).key);
    assert.notEqual(asked(menu(0)).key, asked(menu(0).replace("green", "grey")).key);
    assert.equal(asked("Continue? [y/N] ").key, asked("Continue? [y/N] y").key);
    assert.notEqual(asked("Continue? [y/N] ").key, asked("Really continue? [y/N] ").key);
    assert.equal(asked("What is your name? ").key, asked("What is your name? Alic").key);
  });

  it("[D34] takes an answered or scrolled prompt for what it is: over", () => {
    for (const after of ["y\nGet:1 http://deb.example.org sl", "y\nsam@box:~$ ", "y\n\nDone."]) {
      assert.equal(read(screenOfText(`Do you want to continue? [Y/n] ${after}`), RESTED), undefined);
    }
  });

  it("does not contradict a program that says it is at work", () => {
    assert.equal(read(screenOfText("Continue? [y/N] "), { ...RESTED, state: "working" }), undefined);
    assert.ok(read(screenOfText("Continue? [y/N] "), { ...RESTED, state: "blocked" }));
  });

  it("reads the screens of real agents where they are at hand", (context) => {
    const folder = join(import.meta.dirname, "..", "..", "..", "..", "..", "shared", "reference", "screens");
    let files: string[] = [];
    try {
      files = readdirSync(folder).filter((file) => file.endsWith(".txt"));
    } catch {
      context.skip("they are not on this machine");
      return;
    }
    const quiet = /busy|ready|turn1|interrupted|gemini-1|opencode-1/u;
    for (const file of files) {
      const reading = read(screenOfText(readFileSync(join(folder, file), "utf8")), RESTED);
      assert.equal(reading === undefined, quiet.test(file), `${file}: ${JSON.stringify(reading?.shape)}`);
    }
  });
});

describe("any screen at all", () => {
  const cell = fc.constantFrom(..."ab1.) ?:[]()<>yYnN/*●○❯›>│┌┐└┘─╭╰☐☑✔|#$%~_-=:\t\u{1f98b}é中", " ", " ", " ");
  const row = fc.array(cell, { maxLength: 60 }).map((cells) => cells.join(""));
  const prompts = fc.constantFrom(
    "Continue? [y/N] ",
    "❯ 1. Yes",
    "  2. No",
    "Password: ",
    "? Pick one (Use arrow keys)",
    "◆  Name?",
    "│  ● Yes / ○ No",
    "└",
    "<Ok>  <Cancel>",
    "Press ENTER to continue",
    "(y/n/",
    "[[[[[[[[",
    "Esc to cancel · Tab to amend",
  );

  it("never throws, and gives only asks that the protocol takes", () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(row, prompts, fc.string({ unit: "binary", maxLength: 80 })), { maxLength: 40 }),
        (rows) => {
          const reading = read(screenOfText(rows.join("\n")), RESTED);
          if (reading) v.parse(Body, reading.ask);
        },
      ),
      { numRuns: 500 },
    );
  });

  it("takes cells, cursors and sizes that cannot be", () => {
    const span: fc.Arbitrary<Span> = fc.record({ text: fc.string({ maxLength: 20 }) });
    const line: fc.Arbitrary<Line> = fc.record({
      text: fc.oneof(fc.string({ maxLength: 80 }), prompts),
      spans: fc.array(span, { maxLength: 5 }),
      wrapped: fc.boolean(),
    });
    const screen: fc.Arbitrary<Screen> = fc.record({
      cols: fc.integer({ min: -1, max: 500 }),
      rows: fc.integer({ min: -1, max: 500 }),
      lines: fc.array(line, { maxLength: 30 }),
      cursor: fc.record({
        row: fc.integer({ min: -5, max: 300 }),
        col: fc.integer({ min: -5, max: 600 }),
        visible: fc.boolean(),
      }),
      alternate: fc.boolean(),
      title: fc.string(),
    });
    fc.assert(
      fc.property(screen, fc.boolean(), (one, echo) => {
        const reading = read(one, { quietMs: 0, echo });
        if (reading) v.parse(Body, reading.ask);
      }),
      { numRuns: 800 },
    );
  });

  it("is quick with 200 rows of 500 columns of anything", () => {
    const fill = [
      "[y/n] (a/b/c) <Yes> ",
      "? ",
      "❯ 1. Yes, proceed (y) ",
      "│ ● x ○ y ",
      "(".repeat(50),
      "a, b, c or d / ",
      "press enter to · esc to ",
      "1) a  2) b  3) c  ",
      "::::????",
      "word ",
      "'\"`yes",
    ];
    for (const one of fill) {
      const text = Array.from({ length: 200 }, () => one.repeat(500).slice(0, 500)).join("\n");
      const screen = screenOfText(text);
      read(screen, RESTED);
      const times = Array.from({ length: 5 }, () => {
        const start = performance.now();
        read(screen, RESTED);
        return performance.now() - start;
      });
      assert.ok(Math.min(...times) < SLOW_MS, `${JSON.stringify(one)} took ${Math.min(...times).toFixed(1)} ms`);
    }
  });
});
