/** Terminals as a person uses them: the real host, real programs, a phone and a desktop in Chromium. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { SessionId } from "@flybridge/protocol/ids.ts";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { type BareDevice, newIntent } from "./bare.ts";
import { DESKTOP, launchChromium, openPage, PHONE } from "./browser.ts";
import { startWorld, type World } from "./world.ts";

/** Generous: files run beside each other on two cores. */
const WAIT_MS = 60_000;

/** Programs that this machine lacks; a test of one of them fails with its name. */
const absent = (program: string): boolean => spawnSync("which", [program]).status !== 0;

describe("a terminal in the app", { timeout: 600_000 }, () => {
  let world: World;
  let browser: Browser;
  let shell: BareDevice;
  let host: string;
  let folder: string;
  let phone: Page;
  let desk: Page;
  const faults: string[][] = [];

  before(async () => {
    world = await startWorld({
      env: { SHELL: "/bin/bash", PS1: "$ ", LANG: "C.UTF-8", BASH_SILENCE_DEPRECATION_WARNING: "1" },
    });
    folder = join(world.home, "project");
    mkdirSync(folder);
    for (const name of [".bashrc", ".profile"]) writeFileSync(join(world.home, name), "PS1='$ '\n");
    writeFileSync(join(world.home, ".vimrc"), "set nocompatible noswapfile\n");
    shell = await world.shell();
    ({ host } = await shell.call("host.read", {}));
    browser = await launchChromium();
    phone = await paired(PHONE);
    desk = await paired(DESKTOP);
  });
  after(async () => {
    shell?.close();
    await browser?.close();
    await world?.[Symbol.asyncDispose]();
  });

  async function paired(look: BrowserContextOptions): Promise<Page> {
    const context = await browser.newContext(look);
    context.setDefaultTimeout(WAIT_MS);
    const opened = await openPage(context, `http://127.0.0.1:${world.port}/`);
    faults.push(opened.faults);
    const { link } = await shell.call("offer.make", {}, newIntent());
    await opened.page.goto(link);
    await opened.page.getByRole("button", { name: "Pair", exact: true }).click();
    await opened.page.waitForURL(/\/sessions$/u);
    return opened.page;
  }
  async function started(command?: string[]): Promise<SessionId> {
    const { session } = await shell.call(
      "session.create",
      { agent: "terminal" as never, workspace: folder, ...(command ? { command } : {}) },
      newIntent(),
    );
    return session;
  }
  async function look(page: Page, session: SessionId): Promise<void> {
    await page.goto(`http://127.0.0.1:${world.port}/session/${host}/${session}`);
    await page.locator(".term-area[data-live=true]").waitFor();
  }
  const shows = async (page: Page, text: string | RegExp): Promise<void> => {
    await page
      .locator(".xterm-rows")
      .filter({ hasText: text })
      .waitFor()
      .catch(async (error: unknown) => {
        const screen = await page.locator(".xterm-rows").innerText();
        throw new Error(`The screen never showed ${String(text)}:\n${screen}`, { cause: error });
      });
  };
  const focus = async (page: Page): Promise<void> => {
    await page.locator(".xterm-helper-textarea").focus();
  };
  const key = async (name: string): Promise<void> => {
    await phone.getByRole("toolbar", { name: "Keys" }).getByRole("button", { name, exact: true }).tap();
  };
  const size = async (page: Page): Promise<string> => {
    const [rows, cols] = await page.evaluate(() => [
      document.querySelectorAll(".xterm-rows > div").length,
      document.querySelector<HTMLElement>(".term-area")?.dataset["whose"],
    ]);
    return `${rows} ${cols}`;
  };

  it("[C13] [B04] opens in a folder from the phone, takes what is typed, and is of the size of its screen", async () => {
    await phone.getByRole("button", { name: "New session" }).last().tap();
    await phone.getByText(/^Terminal/u).tap();
    await phone.getByRole("button", { name: "Another folder" }).tap();
    await phone.getByRole("button", { name: "project" }).tap();
    await phone
      .getByRole("button", { name: /this folder|Choose|Use/u })
      .first()
      .tap();
    await phone.getByRole("button", { name: "Start", exact: true }).tap();
    await phone.waitForURL(/\/session\//u);
    await shows(phone, "$");
    await focus(phone);
    await phone.keyboard.type("echo hi; hostname; pwd; stty size");
    await phone.keyboard.press("Enter");
    await shows(phone, hostname());
    await shows(phone, "/project");
    const rows = Number((await size(phone)).split(" ")[0]);
    await shows(phone, new RegExp(`${rows} \\d+`, "u"));
    const cols = Number(new RegExp(`${rows} (\\d+)`, "u").exec(await phone.locator(".xterm-rows").innerText())?.[1]);
    assert.ok(rows > 20 && cols > 35 && cols < 75, `${rows} ${cols}`);
  });

  it("is seen scaled on a second device, which takes over with a tap; keys and output are on both", async () => {
    const session = phone.url().split("/").at(-1) as SessionId;
    await look(desk, session);
    await desk.getByText("Shown at the size of another device").waitFor();
    await desk.getByRole("button", { name: "Take over" }).click();
    await phone.getByText("Shown at the size of another device").waitFor();
    await focus(desk);
    await desk.keyboard.type("clear; stty size; echo from the desk");
    await desk.keyboard.press("Enter");
    await shows(desk, "from the desk");
    await shows(phone, "from the desk");
    const rows = Number((await size(desk)).split(" ")[0]);
    await shows(phone, new RegExp(`${rows} 1\\d\\d`, "u"));
    await phone.getByRole("button", { name: "Take over" }).tap();
    await desk.getByText("Shown at the size of another device").waitFor();
  });

  it("comes back after the host was killed and started again: the screen is there, and a key is typed once", async () => {
    await focus(phone);
    await phone.keyboard.type("clear; echo be''fore\n");
    await shows(phone, "before");
    await world.kill();
    await phone.locator(".term-area[data-live=false]").waitFor();
    await phone.keyboard.type("echo on''ce");
    await world.restart();
    await phone.locator(".term-area[data-live=true]").waitFor();
    await phone.keyboard.press("Enter");
    await shows(phone, "once");
    await shows(phone, "before");
    const text = await phone.locator(".xterm-rows").innerText();
    assert.equal(text.split("echo on''ce").length, 2, text);
    shell = await world.shell();
  });

  it("stops a flood with Ctrl-C, and lets a program end and start again", async () => {
    await focus(phone);
    await phone.keyboard.type("clear; seq 1 100000000\n");
    await shows(phone, /\d{5}/u);
    await key("^C: interrupt");
    // A tap is a click a moment later: what is typed before it would be thrown away with the rest that waits to be read.
    await shows(phone, "^C");
    await phone.keyboard.type("echo sto''pped\n");
    await shows(phone, "stopped");
    await phone.keyboard.type("exit 3\n");
    await phone
      .getByText(/exit 3/u)
      .first()
      .waitFor();
    await phone.getByRole("button", { name: "Start again" }).tap();
    await phone.getByRole("toolbar", { name: "Keys" }).waitFor();
    await focus(phone);
    await phone.keyboard.type("echo ag''ain\n");
    await shows(phone, "again");
  });

  it("is answered by the host alone: a program that asks its terminal is told once", async () => {
    const session = phone.url().split("/").at(-1) as SessionId;
    await look(desk, session);
    await focus(phone);
    // What comes back within a second of asking, of two pages and a host that could all answer.
    await phone.keyboard.type(
      "clear; stty -echo raw; printf '\\033[c\\033[6n\\033[>q\\033]11;?\\007\\033[18t'; sleep 2; dd bs=4096 count=1 2>/dev/null | od -c | head -20; stty sane; echo do''ne\n",
    );
    await shows(phone, "done");
    const text = await phone.locator(".xterm-rows").innerText();
    assert.equal(text.match(/033\s+\[\s+\?/gu)?.length, 1, text);
  });

  it("has vim, less, nano, htop and tmux usable from the keys of the phone", async () => {
    assert.deepEqual(
      ["vim", "less", "nano", "htop", "tmux"].filter(absent),
      [],
      "not on this machine: `npm test` brings them",
    );
    await look(phone, await started());
    await shows(phone, "$");
    await focus(phone);
    const type = (text: string): Promise<void> => phone.keyboard.type(text);
    const file = join(folder, "notes.txt");

    await type("vim notes.txt\n");
    await shows(phone, "[New]");
    await type("ifirst line\nsecond line");
    await key("Esc");
    await shows(phone, "second line");
    await key("Up: earlier in history");
    await type("A!");
    await key("Esc");
    await shows(phone, "first line!");
    await type(":wq\n");
    // The shell's own screen is back.
    await shows(phone, "vim notes.txt");
    assert.equal(readFileSync(file, "utf8"), "first line!\nsecond line\n");

    await type("clear; seq 1 500 | less\n");
    await shows(phone, /\d:\s*$/u);
    await type("G");
    await shows(phone, "500");
    await key("/");
    await type("^77$\n");
    await type("g");
    await key("Down: later in history");
    await type("q");
    await shows(phone, "$");

    await type("clear; nano notes.txt\n");
    await shows(phone, "GNU nano");
    await key("Down: later in history");
    await key("Ctrl, with the next key");
    await type("k");
    await key("Ctrl, with the next key");
    await type("o");
    await shows(phone, "notes.txt");
    await type("\n");
    await key("Ctrl, with the next key");
    await type("x");
    await shows(phone, "$");
    assert.equal(readFileSync(file, "utf8"), "first line!\n");

    await type("clear; htop\n");
    await shows(phone, "Tasks");
    await key("Down: later in history");
    await type("q");

    await type("clear; tmux -f /dev/null -L flybridge-test new -s inside\n");
    await shows(phone, "inside");
    await key("Ctrl, with the next key");
    await type("b");
    await type("%");
    await shows(phone, "│");
    await type("echo in the second\n");
    await shows(phone, "in the second");
    await type("tmux -L flybridge-test kill-server\n");
    await shows(phone, "exited");
  });

  it("keeps its manners through all of this: no word of the policy broken, nothing thrown", () => {
    const own = faults.flat().filter((fault) => !/WebSocket connection to .* failed/u.test(fault));
    assert.deepEqual(own, []);
  });
});
