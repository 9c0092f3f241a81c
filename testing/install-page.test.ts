/** An agent that is not there yet, installed from the phone: the real host, a package manager of the test's own. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { Browser } from "playwright-core";
import { newIntent } from "./bare.ts";
import { launchChromium, openPage, PHONE } from "./browser.ts";
import { startWorld, type World } from "./world.ts";

const WAIT_MS = 60_000;

describe("an agent that is not there yet", { timeout: 300_000 }, () => {
  let folder: string;
  let world: World;
  let browser: Browser;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "flybridge-install-"));
    const [state, bin] = [join(folder, "state"), join(folder, "bin")];
    mkdirSync(state, { mode: 0o700 });
    mkdirSync(bin);
    // None of the agents that are known: whoever runs this may have any of them.
    const missing = { name: "courier", title: "Courier", command: ["courier"], install: ["pack", "add", "courier"] };
    writeFileSync(join(state, "agents.json"), JSON.stringify([missing]), { mode: 0o600 });
    const pack = '#!/bin/sh\nprintf "Proceed with $* in $(basename "$PWD")? "\nread -r word\necho "added: $word"\n';
    writeFileSync(join(bin, "pack"), pack, { mode: 0o755 });
    world = await startWorld({ state, env: { PATH: `${bin}:${process.env["PATH"]}`, LANG: "C.UTF-8" } });
    browser = await launchChromium();
  });
  after(async () => {
    await browser?.close();
    await world?.[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  });

  it("is installed by one tap, in a terminal in the home folder where its questions are answered", async () => {
    const context = await browser.newContext(PHONE);
    context.setDefaultTimeout(WAIT_MS);
    const { page, faults } = await openPage(context, `http://127.0.0.1:${world.port}/`);
    const shell = await world.shell();
    const { link } = await shell.call("offer.make", {}, newIntent());
    shell.close();
    await page.goto(link);
    await page.getByRole("button", { name: "Pair", exact: true }).tap();
    await page.waitForURL(/\/sessions$/u);

    await page.getByRole("button", { name: "New session" }).last().tap();
    const sheet = page.getByRole("dialog", { name: "New session" });
    await sheet.getByText(/can be installed$/u).tap();
    await sheet.getByText("Courier is not installed on this machine. Install it with `pack add courier`.").waitFor();
    await sheet.getByRole("button", { name: "Install Courier" }).tap();
    await page.waitForURL(/\/session\//u);
    const shows = async (text: string): Promise<void> =>
      await page.locator(".xterm-rows").filter({ hasText: text }).waitFor();
    await shows(`Proceed with add courier in ${basename(world.home)}?`);
    await page.locator(".xterm-helper-textarea").focus();
    await page.keyboard.type("yes");
    await page.keyboard.press("Enter");
    await shows("added: yes");
    assert.deepEqual(faults, []);
  });
});
