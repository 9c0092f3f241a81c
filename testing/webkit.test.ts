/** The app in WebKit: it opens, pairs, comes back, and a terminal in it is drawn, typed into, and runs what people run in one. */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { type BareDevice, newIntent } from "./bare.ts";
import { KEYS, launchWebKit, type WebKit } from "./webkit.ts";
import { startWorld, type World } from "./world.ts";

/** How often the page is left, and by how much later each time after it began, in milliseconds. */
const LEFT = 24;
const MOMENT_MS = 25;

describe("the app in WebKit", { timeout: 300_000 }, () => {
  let world: World;
  let shell: BareDevice;
  let webkit: WebKit;
  let folder: string;

  before(async () => {
    world = await startWorld({ env: { SHELL: "/bin/bash", PS1: "$ ", LANG: "C.UTF-8" } });
    folder = join(world.home, "project");
    mkdirSync(folder);
    for (const name of [".bashrc", ".profile"]) writeFileSync(join(world.home, name), "PS1='$ '\n");
    writeFileSync(join(world.home, ".vimrc"), "set nocompatible noswapfile\n");
    shell = await world.shell();
    webkit = await launchWebKit({ width: 420, height: 900 });
  });
  after(async () => {
    shell?.close();
    await webkit?.[Symbol.asyncDispose]();
    await world?.[Symbol.asyncDispose]();
  });

  const screen = (): Promise<string> =>
    webkit.run("return document.querySelector('.xterm-rows')?.innerText ?? document.body.innerText");
  const until = (what: string, script: string, ...args: unknown[]): Promise<unknown> =>
    webkit.until(what, script, ...args).catch(async (error: unknown) => {
      throw new Error(`The page never showed ${what}:\n${await screen()}`, { cause: error });
    });
  const shows = (text: string): Promise<unknown> =>
    until(text, "return document.querySelector('.xterm-rows')?.innerText.includes(arguments[0])", text);
  const live = (): Promise<unknown> =>
    until("the terminal", "return document.querySelector('.term-area[data-live=true]') !== null");
  /** Loading begins in its own time: until then the page that is left looks live. */
  const reload = async (): Promise<void> => {
    await webkit.run("window.isLeft = true; location.reload()");
    await webkit.until("the page anew", "return window.isLeft === undefined");
    await live();
  };

  it("pairs by a link, and opens a terminal that is drawn and typed into", async () => {
    const { link } = await shell.call("offer.make", {}, newIntent());
    await webkit.open(link);
    await webkit.until(
      "what it would pair with",
      "return [...document.querySelectorAll('button')].some((one) => one.innerText === 'Pair')",
    );
    await webkit.run("[...document.querySelectorAll('button')].find((one) => one.innerText === 'Pair').click()");
    await webkit.until("the sessions", "return location.pathname === '/sessions'");
    const { session } = await shell.call(
      "session.create",
      { agent: "terminal" as never, workspace: folder },
      newIntent(),
    );
    const { host } = await shell.call("host.read", {});
    await webkit.open(`http://127.0.0.1:${world.port}/session/${host}/${session}`);
    await live();
    await shows("$");
    await webkit.run("document.querySelector('.xterm-helper-textarea').focus()");
    await webkit.type(`echo he''llo; stty size${KEYS.enter}`);
    await shows("hello");
    const rows = await webkit.run<number>("return document.querySelectorAll('.xterm-rows > div').length");
    await shows(`${rows} `);
    const colour = await webkit.run("return getComputedStyle(document.querySelector('.xterm-rows')).color");
    assert.match(String(colour), /^rgb\((?!128, 128, 128)/u, "the token's, as the browser itself has it");
  });

  it("comes back when the page is loaded anew, with the key it has", async () => {
    await reload();
    await shows("hello");
  });

  it("comes back after it was left again and again, in the middle of whatever it then did", async () => {
    // By a link, not anew: such a page the browser may keep as it is.
    const address = await webkit.run<string>("return location.href");
    for (let time = 1; time <= LEFT; time++) {
      await webkit.open(time % 2 === 0 ? address : new URL("/sessions", address).href);
      await until("its moment", "return performance.now() > arguments[0]", MOMENT_MS * time);
    }
    await webkit.open(address);
    await live();
    await shows("hello");
  });

  it("edits a file in vim", async () => {
    await webkit.run("document.querySelector('.xterm-helper-textarea').focus()");
    await webkit.type(`vim notes.txt${KEYS.enter}`);
    await shows("[New]");
    await webkit.type(`ifirst${KEYS.enter}second${KEYS.escape}`);
    await shows("second");
    await webkit.type(`:wq${KEYS.enter}`);
    // Vim is gone when the shell's screen is back; until then it reads what is typed, and drops it.
    await shows("hello");
    await webkit.type(`echo sa''ved${KEYS.enter}`);
    await shows("saved");
    assert.equal(readFileSync(join(folder, "notes.txt"), "utf8"), "first\nsecond\n");
  });

  it("has the keys of the phone, where they are shown", async () => {
    await webkit.run("localStorage.setItem('flybridge.terminal.keys', 'true')");
    await reload();
    await webkit.click(".term-key[aria-label='Up: earlier in history']");
    await shows("sa''ved");
    await webkit.click(".term-key[aria-label='^C: interrupt']");
    await shows("^C");
  });

  it("has less, nano, htop and tmux usable from the keys of the phone", async () => {
    const key = (name: string): Promise<void> => webkit.click(`.term-key[aria-label='${name}']`);
    const type = (text: string): Promise<void> => webkit.type(text.replaceAll("\n", KEYS.enter));
    const control = async (letter: string): Promise<void> => {
      await key("Ctrl, with the next key");
      await type(letter);
    };
    await webkit.run("document.querySelector('.xterm-helper-textarea').focus()");
    await type("clear; seq 1 500 | less; echo le''ft\n");
    await shows("23\n");
    await type("G");
    await shows("500");
    await type("g");
    await key("/");
    await type("^77$\n");
    await shows("\n78\n");
    await type("q");
    await shows("left");

    await type("clear; nano notes.txt; echo wri''tten\n");
    await shows("GNU nano");
    await key("Down: later in history");
    await control("k");
    await control("o");
    await shows("File Name to Write");
    await type("\n");
    await shows("Wrote 1 line");
    await control("x");
    await shows("written");
    assert.equal(readFileSync(join(folder, "notes.txt"), "utf8"), "first\n");

    await type("clear; htop; echo do''ne\n");
    await shows("Tasks");
    await key("Down: later in history");
    await type("q");
    await shows("done");

    await type("clear; tmux -f /dev/null -L flybridge-webkit new -s inside\n");
    await shows("[inside]");
    await control("b");
    await type("%");
    await shows("│");
    await type("echo in the sec''ond\n");
    await shows("in the second");
    await type("tmux -L flybridge-webkit kill-server\n");
    await shows("exited");
  });
});
