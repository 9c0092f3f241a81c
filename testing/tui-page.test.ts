/** The real agents' own screens in our terminals: started by `flybridge run`, driven from the phone's page, in two engines. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { Browser, Page } from "playwright-core";
import { newIntent } from "./bare.ts";
import { launchChromium, openPage, PHONE } from "./browser.ts";
import { openShell } from "./shell.ts";
import { startTuis, type Tui, type Tuis } from "./tui.ts";
import { KEYS, launchWebKit } from "./webkit.ts";
import { startWorld, type World } from "./world.ts";

/** Generous: some of them take half a minute to start beside each other on two cores. */
const WAIT_MS = 90_000;
/** An agent that has not asked its model by then may have let the Enter go by. */
const TAKEN_MS = 4_000;

describe("the agents' own screens in a terminal", { timeout: 600_000 }, () => {
  let tuis: Tuis;
  let world: World;
  let browser: Browser;
  let phone: Page;
  let faults: string[];
  /** Of each agent's terminal. */
  const addresses = new Map<string, string>();

  before(async () => {
    tuis = await startTuis();
    world = await startWorld({ env: tuis.env });
    await using command = openShell();
    const started: string[] = [];
    for (const tui of tuis.each) {
      const words = ["run", "--detach", "--cwd", tuis.workspace, "--", ...tui.command];
      const { stdout, stderr } = await command.run(words, { env: { FLYBRIDGE_HOME: world.state } });
      assert.equal(stderr, "");
      started.push(stdout.trim());
    }
    const shell = await world.shell();
    const { host } = await shell.call("host.read", {});
    shell.close();
    for (const [place, { name }] of tuis.each.entries())
      addresses.set(name, `http://127.0.0.1:${world.port}/session/${host}/${started[place]}`);
    browser = await launchChromium();
    const context = await browser.newContext(PHONE);
    context.setDefaultTimeout(WAIT_MS);
    ({ page: phone, faults } = await openPage(context, await offered()));
    await phone.getByRole("button", { name: "Pair", exact: true }).tap();
    await phone.waitForURL(/\/sessions$/u);
  });
  after(async () => {
    await browser?.close();
    await world?.[Symbol.asyncDispose]();
    await tuis?.[Symbol.asyncDispose]();
  });

  /** A link that pairs. */
  const offered = async (): Promise<string> => {
    const shell = await world.shell();
    const { link } = await shell.call("offer.make", {}, newIntent());
    shell.close();
    return link;
  };
  const named = (name: string): Tui => tuis.each.find((tui) => tui.name === name) as Tui;
  const made = (file: string): string | undefined => {
    const path = join(tuis.workspace, file);
    return existsSync(path) ? readFileSync(path, "utf8") : undefined;
  };
  const card = () => phone.getByRole("region", { name: "What needs you" });
  const live = (is = true) => phone.locator(`.term-area[data-live=${is}]`).waitFor();
  const shows = async (text: RegExp): Promise<void> => {
    const rows = phone.locator(".xterm-rows");
    await rows
      .filter({ hasText: text })
      .waitFor()
      .catch(async (error: unknown) => {
        throw new Error(`The screen never showed ${text.source}:\n${await rows.innerText()}`, { cause: error });
      });
  };
  /**
   * An Enter that comes with the words is taken for part of a paste: it is pressed once they stand there. An agent that
   * was just putting something away may let it go by, and a person presses it again; not when the model has the prompt,
   * for then it may be an answer.
   */
  const prompt = async (tui: Tui, text: string, word: string): Promise<void> => {
    await phone.locator(".xterm-helper-textarea").focus();
    await phone.keyboard.type(text);
    await shows(drawn(text));
    for (const late = Date.now() + WAIT_MS; Date.now() < late && !tui.told().includes(word);) {
      await phone.keyboard.press("Enter");
      for (const again = Date.now() + TAKEN_MS; Date.now() < again && !tui.told().includes(word);)
        await phone.waitForTimeout(100);
    }
  };

  for (const name of ["claude", "codex", "gemini", "opencode"])
    it(`[C13] [D33] [D39] ${name}: is typed to, asks on a card, is allowed, and denied after the host was killed`, async () => {
      const tui = named(name);
      await phone.goto(addresses.get(name) ?? "");
      await live();
      await shows(tui.ready);
      await prompt(tui, tui.runs(`printf %s%s sea gull | tee allowed-${name}`), `allowed-${name}`);
      await card().getByText(`tee allowed-${name}`).first().waitFor();
      assert.equal(made(`allowed-${name}`), undefined, "not before the answer");
      await card()
        .getByRole("button", { name: /^(?:Yes|Allow once)/u })
        .first()
        .tap();
      await shows(/All done\. Last result:/u);
      assert.equal(made(`allowed-${name}`), "seagull");
      assert.match(tui.told(), /seagull/u, "the model was told what came of it");

      await prompt(tui, tui.runs(`touch denied-${name}`), `denied-${name}`);
      await card().getByText(`touch denied-${name}`).first().waitFor();
      await world.kill();
      await live(false);
      await world.restart();
      await live();
      await card().getByRole("button", { name: "Deny", exact: true }).tap();
      // The card is gone with the answer; its dialog is when the answer was typed, and takes keys until then.
      await card().getByText(`touch denied-${name}`).first().waitFor({ state: "detached" });
      await phone.locator(".xterm-rows").filter({ hasNotText: tui.asks }).waitFor();
      await prompt(tui, "Go on", "Go on");
      await shows(/You said: Go on/u);
      const screen = await phone.locator(".xterm-rows").innerText();
      assert.match(`${screen}\n${tui.told()}`, tui.refused, "it knows that it was refused");
      assert.equal(made(`denied-${name}`), undefined);
    });

  it("[C13] each is opened in WebKit, is read there, and typed to", async () => {
    await phone.close();
    await using webkit = await launchWebKit({ width: 420, height: 900 });
    const button = (name: string) =>
      `[...document.querySelectorAll("button")].find((one) => one.innerText === "${name}")`;
    const rows = "document.querySelector('.xterm-rows')?.innerText";
    await webkit.open(await offered());
    await webkit.until("what it would pair with", `return ${button("Pair")} !== undefined`);
    await webkit.run(`${button("Pair")}.click()`);
    await webkit.until("the sessions", "return location.pathname === '/sessions'");
    for (const { name } of tuis.each) {
      await webkit.open(addresses.get(name) ?? "");
      await webkit.until("the terminal", "return document.querySelector('.term-area[data-live=true]') !== null");
      await webkit.until(`what ${name} said before`, `return ${rows}?.includes("You said: Go on")`);
      await webkit.run("document.querySelector('.xterm-helper-textarea').focus()");
      await webkit.type("From WebKit");
      await webkit.until(`${name} to show what is typed`, `return ${rows}?.includes("From WebKit")`);
      await webkit.type(KEYS.enter);
      await webkit.until(`what ${name} says`, `return ${rows}?.includes("You said: From WebKit")`);
    }
  });

  it("keeps its manners through all of this: no word of the policy broken, nothing thrown", () => {
    const own = faults.filter((fault) => !/WebSocket connection|net::ERR_/u.test(fault));
    assert.deepEqual(own, []);
  });
});

/** Words as a screen has them on which an agent broke them at the edge of its box, which may have sides. */
function drawn(text: string): RegExp {
  const letters = [...text.replaceAll(" ", "")].map((letter) => letter.replace(/[$()*+.?[\\\]^{|}]/u, String.raw`\$&`));
  return new RegExp(letters.join(String.raw`[\s┃│]*`), "u");
}
