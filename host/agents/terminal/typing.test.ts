import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { Answer } from "@flybridge/protocol/ask.ts";
import { read } from "./reader/reader.ts";
import { screenOfText } from "./screen.ts";
import { picked, said, stage } from "./typing.fixture.ts";
import { beginTyping, stepTyping, type Typing } from "./typing.ts";

const RESTED = { quietMs: 1_000 };

function begun(text: string, answer: Answer): Typing {
  const reading = read(screenOfText(text), RESTED);
  assert.ok(reading);
  const typing = beginTyping(reading, answer);
  assert.ok(!("refusal" in typing), JSON.stringify(typing));
  return typing;
}

function look(typing: Typing, text: string): ReturnType<typeof stepTyping> {
  const screen = screenOfText(text);
  return stepTyping(typing, read(screen, RESTED), screen);
}

function refusalOf(text: string, answer: Answer): string {
  const reading = read(screenOfText(text), RESTED);
  assert.ok(reading);
  const typing = beginTyping(reading, answer);
  assert.ok("refusal" in typing);
  return typing.refusal;
}

const menu = (at: number): string =>
  `? Pick one (Use arrow keys)\n${["red", "green", "blue"].map((one, place) => `${place === at ? "❯" : " "} ${one}`).join("\n")}`;

describe("typing, look by look", () => {
  it("types nothing when another ask, or none, stands there", () => {
    for (const other of ["Delete everything? [y/N] ", "Working…", "sam@box:~$ ", ""]) {
      const typing = begun("Continue? [y/N] ", picked("Yes"));
      assert.deepEqual(look(typing, other), { end: "lost" });
    }
  });

  it("moves the highlight, checks where it is, and presses Enter only there", () => {
    const typing = begun(menu(0), picked("blue"));
    assert.deepEqual(look(typing, menu(0)), { keys: "\u001b[B" });
    // A key was lost on the way: it is typed again.
    assert.deepEqual(look(typing, menu(0)), { keys: "\u001b[B" });
    assert.deepEqual(look(typing, menu(1)), { keys: "\u001b[B" });
    assert.deepEqual(look(typing, menu(2)), { keys: "\r" });
    assert.deepEqual(look(typing, "✔ Pick one blue"), { end: "done" });
  });

  it("is lost when the menu is gone before Enter", () => {
    const typing = begun(menu(0), picked("blue"));
    look(typing, menu(0));
    assert.deepEqual(look(typing, "✔ Pick one green\nInstalling…"), { end: "lost" });
  });

  it("does not answer the second of two equal questions with the Enter of the first", () => {
    const typing = begun("Really? [y/N] ", picked("Yes"));
    assert.deepEqual(look(typing, "Really? [y/N] "), { keys: "y" });
    assert.deepEqual(look(typing, "Really? [y/N] y\nReally? [y/N] "), { end: "done" });
  });

  it("gives up on a program that does not move", () => {
    const typing = begun("Continue? [y/N] ", picked("Yes"));
    const steps = Array.from({ length: 40 }, () => look(typing, "Continue? [y/N] "));
    assert.deepEqual(steps.at(-1), { end: "lost" });
    assert.equal(steps.filter((step) => "keys" in step).length, 2, "the key, and Enter");
  });

  it("says why it cannot type", () => {
    assert.match(refusalOf("What is your name? ", said("two\nlines")), /one line/u);
    assert.match(refusalOf("What is your name? ", said("\u0003")), /control characters/u);
    assert.match(refusalOf("What is your name? ", { kind: "deny" }), /no way to say no/u);
    assert.match(refusalOf(menu(0), picked("purple")), /does not offer/u);
    assert.match(refusalOf(menu(0), { kind: "allow", choice: "option-0" }), /no approval/u);
  });

  it("says no in the program's own way", () => {
    assert.deepEqual(look(begun("Continue? [Y/n] ", { kind: "deny" }), "Continue? [Y/n] "), { keys: "n" });
    const dialog = ` ☐ Database\n\nWhich database?\n\n❯ 1. SQLite\n  2. Postgres\n  3. Type something.\n────────────\n  4. Chat about this\n\nEnter to select · Esc to cancel`;
    assert.deepEqual(look(begun(dialog, { kind: "deny" }), dialog), { keys: "\u001b" });
  });

  it("[D36] puts words of several lines into an agent's own field as a paste", () => {
    const dialog = (at: number, words: string): string =>
      ` ☐ Database\n\nWhich database?\n\n${["1. SQLite", "2. Postgres", `3. ${words}`].map((one, place) => `${place === at ? "❯" : " "} ${one}`).join("\n")}\n────────────\n  4. Chat about this\n\nEnter to select · Esc to cancel`;
    const typing = begun(dialog(0, "Type something."), said('a "b"\nc ✓'));
    assert.deepEqual(look(typing, dialog(0, "Type something.")), { keys: "\u001b[B" });
    assert.deepEqual(look(typing, dialog(1, "Type something.")), { keys: "\u001b[B" });
    assert.deepEqual(look(typing, dialog(2, "Type something.")), { keys: '\u001b[200~a "b"\nc ✓\u001b[201~' });
    assert.deepEqual(look(typing, dialog(2, 'a "b"')), { keys: "\r" });
    assert.deepEqual(look(typing, "● Answered"), { end: "done" });
  });
});

/** A menu as prompt libraries draw it, in as few lines as it takes. */
const MENU = `
const names = ["red", "green", "blue", "black", "white", "pink", "grey", "cyan"];
let at = 0;
const draw = (first) => process.stdout.write((first ? "" : "\\x1b[" + names.length + "A") + "\\r\\x1b[J? Pick a colour (Use arrow keys)\\n" + names.map((one, n) => (n === at ? "\\x1b[36m❯ " : "  ") + one + "\\x1b[39m").join("\\n"));
process.stdin.setRawMode(true);
draw(true);
process.stdin.on("data", (keys) => {
  for (const key of String(keys).match(/\\x1b\\[.|./gsu) ?? []) {
    if (key === "\\x1b[B") at = Math.min(names.length - 1, at + 1);
    if (key === "\\x1b[A") at = Math.max(0, at - 1);
    if (key === "\\r") { process.stdout.write("\\n\\x1b[J✔ got " + names[at] + "\\n"); process.stdin.pause(); return; }
  }
  draw(false);
});`;

describe("typing at real programs", () => {
  let folder = "";
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "flybridge-typing-"));
    writeFileSync(join(folder, "menu.cjs"), MENU);
    writeFileSync(join(folder, "a.txt"), "a\n");
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  interface Scene {
    readonly name: string;
    /** For bash, in the test's folder. */
    readonly run: string;
    readonly answers: readonly Answer[];
    readonly shows: RegExp;
    readonly needs?: string;
  }

  const scenes: readonly Scene[] = [
    {
      name: "[D37] y at a line",
      run: "read -p 'Continue? [y/N] ' x; echo got=$x",
      answers: [picked("Yes")],
      shows: /got=y/u,
    },
    {
      name: "a key that is taken at once",
      run: "read -n1 -p 'Go on? [y/N] ' x; echo; read -p 'Sure (y/n)? ' z; echo got=$x$z",
      answers: [picked("Yes"), picked("No")],
      shows: /got=yn/u,
    },
    {
      name: "the same question twice",
      run: "for i in 1 2; do read -n1 -p 'Really? [y/N] ' x; echo; echo got$i=$x; done",
      answers: [picked("Yes"), picked("No")],
      shows: /got1=y[^]*got2=n/u,
    },
    {
      name: "[D36] words with quotes and other alphabets",
      run: "read -r -p 'What is your name? ' x; printf 'got=%s\\n' \"$x\"",
      answers: [said('Zoë "Q" O\'Neil ✓ $HOME 日本')],
      shows: /got=Zoë "Q" O'Neil ✓ \$HOME 日本/u,
    },
    {
      name: "a password, which is never shown",
      run: "read -s -p 'Password: ' x; echo; echo length=${#x}",
      answers: [said("s3cret!")],
      shows: /length=7/u,
    },
    {
      name: "[D37] the number of a shell's menu",
      run: "select x in alpha beta gamma; do echo got=$x; break; done",
      answers: [picked("beta")],
      shows: /got=beta/u,
    },
    {
      name: "Enter",
      run: "read -p 'Press ENTER to continue' x; echo went",
      answers: [picked("Continue")],
      shows: /went/u,
    },
    { name: "no to rm", run: "rm -i a.txt; ls", answers: [{ kind: "deny" }], shows: /a\.txt +menu/u },
    {
      name: "[D37] an option far down a menu",
      run: `"${process.execPath}" menu.cjs`,
      answers: [picked("grey")],
      shows: /got grey/u,
    },
    {
      name: "a hunk of git's",
      needs: "git",
      run: "git init -q r && cd r && git config user.email a@b && git config user.name a && seq 9 > f && git add f && git commit -qm x && sed -i s/5/five/ f && git add -p && git diff --cached --stat",
      answers: [picked("Yes")],
      shows: /1 file changed/u,
    },
    {
      name: "Python's input",
      needs: "python3",
      run: 'python3 -c \'print("got", repr(input("Enter a title: ")))\'',
      answers: [said('it\'s "so"')],
      shows: /got 'it\\'s "so"'/u,
    },
    {
      name: "a menu of whiptail's",
      needs: "whiptail",
      run: "x=$(whiptail --menu Choose 15 60 4 1 First 2 Second 3 Third 3>&1 1>&2 2>&3); echo got=$x",
      answers: [picked("Third")],
      shows: /got=3/u,
    },
    {
      name: "a list to tick of whiptail's",
      needs: "whiptail",
      run: "x=$(whiptail --checklist Pick 15 60 4 cheese Cheese ON ham Ham OFF 3>&1 1>&2 2>&3); echo got=$x",
      answers: [picked("ham")],
      shows: /got="ham"/u,
    },
    {
      name: "a box of dialog's",
      needs: "dialog",
      run: "dialog --yesno 'Delete it?' 10 50; echo code=$?",
      answers: [picked("No")],
      shows: /code=1/u,
    },
  ];

  for (const { name, run, answers, shows, needs } of scenes) {
    it(name, { skip: needs !== undefined && !has(needs) && `there is no ${needs}` }, async () => {
      using program = stage(["/bin/bash", "--norc", "-c", `${run}; sleep 120`], folder);
      for (const answer of answers)
        assert.equal(await program.answer(await program.asked(), answer), "done", program.text);
      await program.shows(shows);
      assert.doesNotMatch(program.text, /s3cret/u);
    });
  }
});

function has(program: string): boolean {
  try {
    execFileSync("which", [program], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
