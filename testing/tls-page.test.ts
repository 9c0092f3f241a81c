/** A phone's browser at the door beyond this machine: a real Chromium, told to take the host's own certificate. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { newIntent } from "./bare.ts";
import { launchChromium, openPage, PHONE } from "./browser.ts";
import { startWorld, type World } from "./world.ts";

const LIMIT = { timeout: 240_000 };
const WAIT_MS = 30_000;

describe("a phone at the TLS door", LIMIT, () => {
  let world: World;
  let browser: Browser;

  before(async () => {
    world = await startWorld({ args: ["--bind", "127.0.0.1", "--no-mdns", "--confirm", "never"] });
    browser = await launchChromium();
  });
  after(async () => {
    await browser?.close();
    await world?.[Symbol.asyncDispose]();
  });

  const phone = async (): Promise<BrowserContext> => {
    const context = await browser.newContext({ ...PHONE, ignoreHTTPSErrors: true });
    context.setDefaultTimeout(WAIT_MS);
    return context;
  };
  const linkNow = async (): Promise<string> => {
    const shell = await world.shell();
    const { link } = await shell.call("offer.make", {}, newIntent());
    shell.close();
    return link;
  };
  const pair = async (page: Page, link: string): Promise<void> => {
    await page.goto(link);
    await page.getByRole("button", { name: "Pair", exact: true }).tap();
    await page.waitForURL(/\/sessions$/u);
  };

  it("[E11] [E12] [E13] [E45] pairs by an https link, speaks wss from then on, and comes back so", async () => {
    const link = await linkNow();
    assert.equal(new URL(link).origin, `https://127.0.0.1:${world.tls.port}`);
    const context = await phone();
    const { page, faults } = await openPage(context, "about:blank");
    const sockets: string[] = [];
    const asked = new Set<string>();
    page.on("websocket", (socket) => sockets.push(new URL(socket.url()).protocol));
    page.on("request", (request) => asked.add(new URL(request.url()).protocol));
    await pair(page, link);
    // What is shown first is what is kept here: it comes back when a socket does.
    await Promise.all([page.waitForEvent("websocket"), page.reload()]);
    await page.getByRole("heading", { name: "Sessions" }).waitFor();
    await Promise.all([page.waitForEvent("websocket"), page.goto(`${new URL(link).origin}/devices`)]);
    await page.getByText("this device").first().waitFor();
    assert.deepEqual([...new Set(sockets)], ["wss:"]);
    asked.delete("data:");
    assert.deepEqual([...asked], ["https:"]);
    // The service worker, which Chromium refuses under such a certificate.
    assert.deepEqual(
      faults.filter((fault) => !fault.includes("when fetching the script")),
      [],
    );
    await context.close();
  });

  it("is told there what the host's own certificate costs it, and at the loopback door nothing of the kind", async () => {
    const costs = { hasText: "can neither be installed here nor notify you" };
    const context = await phone();
    for (const scheme of ["https:", "http:"]) {
      const link = (await linkNow()).replace("https:", scheme);
      const page = await context.newPage();
      await pair(page, link);
      await page.goto(`${new URL(link).origin}/devices`);
      await page.getByText("this device").first().waitFor();
      const note = page.getByRole("note").filter(costs);
      if (scheme === "http:") assert.equal(await note.count(), 0);
      else {
        await note.waitFor();
        assert.ok(await note.evaluate((shown) => shown.scrollWidth <= shown.clientWidth), "it fits the phone");
      }
    }
    await context.close();
  });
});
