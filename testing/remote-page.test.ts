/** Remote as a person sees it: the page of a host's relays, and a phone whose page came from one of them. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { violations } from "@flybridge/web/gallery/axe.contract.ts";
import type { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core";
import { newIntent } from "./bare.ts";
import { DESKTOP, launchChromium, openPage, PHONE } from "./browser.ts";
import { type RunningRelay, startRelay, untilRelayed } from "./relay.ts";
import { startWorld, type World } from "./world.ts";

const LIMIT = { timeout: 240_000 };
const WAIT_MS = 30_000;

/** What the page may say to its console of a socket that could not be opened, while nobody answers. */
const UNANSWERED = /WebSocket connection to .* failed|net::ERR_/u;

async function linkOf(world: World): Promise<string> {
  const shell = await world.shell();
  const { link } = await shell.call("offer.make", {}, newIntent());
  shell.close();
  return link;
}

async function relayed(world: World): Promise<void> {
  const shell = await world.shell();
  await untilRelayed(shell);
  shell.close();
}

async function pairByLink(page: Page, link: string): Promise<void> {
  await page.goto(link);
  await page.getByRole("button", { name: "Pair", exact: true }).click();
  await page.waitForURL(/\/sessions$/u);
}

describe("the page of a host's relays", LIMIT, () => {
  let world: World;
  let relay: RunningRelay;
  let browser: Browser;
  const open = async (looks: BrowserContextOptions): Promise<BrowserContext> => {
    const context = await browser.newContext({ reducedMotion: "reduce", ...looks });
    context.setDefaultTimeout(WAIT_MS);
    return context;
  };

  before(async () => {
    relay = await startRelay({ env: { FLYBRIDGE_RELAY_REGISTRATION: "invitation" } });
    world = await startWorld({ args: ["--confirm", "never"] });
    browser = await launchChromium();
  });
  after(async () => {
    await browser?.close();
    await world?.[Symbol.asyncDispose]();
    await relay?.[Symbol.asyncDispose]();
  });

  it("[D15] is a tab with its status; adds a relay that wants an invitation, and removes it in two steps", async () => {
    const context = await open(DESKTOP);
    const { page, faults } = await openPage(context, "about:blank");
    await pairByLink(page, await linkOf(world));
    const tab = page.getByRole("navigation").getByRole("link", { name: /^Remote/u });
    await tab.click();
    await page.getByRole("heading", { name: "No relay yet" }).waitFor();
    await page.getByText("can read nothing of them").waitFor();
    assert.deepEqual(await violations(page), []);

    const address = page.getByLabel("Address of a relay");
    await address.fill("relay.example");
    await address.press("Enter");
    await page.getByRole("alert").filter({ hasText: "starts with https://" }).waitFor();
    await address.fill("http://relay.example");
    await address.press("Enter");
    await page.getByRole("alert").filter({ hasText: "not encrypted" }).waitFor();
    await address.fill(`${relay.origin}/`);
    await address.press("Enter");

    // Only now, and the field has the focus: by keyboard one goes on at once.
    const invitation = page.getByLabel("Invitation");
    await invitation.waitFor();
    await page.waitForFunction(() => document.activeElement?.closest(".relay-mend") !== null);
    await page.getByText("Refused since").waitFor();
    await tab.filter({ hasText: "refused" }).waitFor();
    assert.deepEqual(await violations(page), []);
    await page.keyboard.type("not-an-invitation");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").filter({ hasText: "did not take it" }).waitFor();
    await invitation.fill(relay.invitation ?? "");
    await invitation.press("Enter");
    await page.getByText("Connected since").waitFor();
    await tab.filter({ hasText: "connected" }).waitFor();
    await page.getByText("connected to test host directly").waitFor();
    assert.deepEqual(await violations(page), []);

    await relay.kill();
    await page.getByText("Away since").waitFor();
    await tab.filter({ hasText: "away" }).waitFor();
    await relay.restart();
    await page.getByRole("button", { name: "Try now" }).click();
    await page.getByText("Connected since").waitFor();

    await page.getByRole("button", { name: "Remove", exact: true }).click();
    await page.getByRole("button", { name: "Keep" }).click();
    await page.getByText("Connected since").waitFor();
    await page.getByRole("button", { name: "Remove", exact: true }).click();
    await page.getByRole("button", { name: "Remove now" }).click();
    await page.getByRole("heading", { name: "No relay yet" }).waitFor();
    const shell = await world.shell();
    assert.deepEqual((await shell.call("relay.list", {})).relays, []);
    shell.close();
    assert.deepEqual(faults, []);
    await context.close();
  });

  it("is led to from the devices on a phone, fits it, and is used with the keyboard on a desktop", async () => {
    const phone = await open(PHONE);
    const { page } = await openPage(phone, "about:blank");
    await pairByLink(page, await linkOf(world));
    await page.getByRole("link", { name: "Devices" }).tap();
    await page.getByRole("link", { name: /^Remote/u }).tap();
    await page.getByRole("heading", { level: 1, name: "Remote" }).waitFor();
    await page.getByRole("heading", { name: "No relay yet" }).waitFor();
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
    assert.deepEqual(await violations(page), []);
    await phone.close();
    const desktop = await open(DESKTOP);
    const { page: wide } = await openPage(desktop, "about:blank");
    await pairByLink(wide, await linkOf(world));
    await wide.getByRole("heading", { level: 1, name: "Sessions" }).waitFor();
    await wide.keyboard.press("r");
    await wide.getByRole("heading", { level: 1, name: "Remote" }).waitFor();
    await desktop.close();
  });
});

describe("a phone whose page came from a relay", LIMIT, () => {
  let world: World;
  let relay: RunningRelay;
  let browser: Browser;

  before(async () => {
    relay = await startRelay();
    world = await startWorld({ args: ["--relay", relay.origin, "--confirm", "never", "--no-direct"] });
    await relayed(world);
    browser = await launchChromium();
  });
  after(async () => {
    await browser?.close();
    await world?.[Symbol.asyncDispose]();
    await relay?.[Symbol.asyncDispose]();
  });

  it("[D17] [D20] pairs through it, says so, and is there again after each of the two was restarted", async () => {
    const context = await browser.newContext(PHONE);
    context.setDefaultTimeout(WAIT_MS);
    const { page, faults } = await openPage(context, "about:blank");
    const sockets: string[] = [];
    page.on("websocket", (socket) => sockets.push(socket.url()));
    const link = await linkOf(world);
    assert.equal(new URL(link).origin, relay.origin, "the link leads to the relay");
    await page.goto(link);
    await page.getByRole("heading", { name: "Pair with this host?" }).waitFor();
    const through = page.locator(".facts > div").filter({ hasText: "Through" });
    assert.match(await through.innerText(), new RegExp(relay.origin, "u"));
    assert.equal(await page.getByText("Address", { exact: true }).count(), 0);
    await page.getByRole("note").filter({ hasText: "whoever runs it can change it" }).waitFor();
    assert.deepEqual(await violations(page), []);
    await page.getByRole("button", { name: "Pair", exact: true }).tap();
    await page.waitForURL(/\/sessions$/u);
    await page.goto(`${relay.origin}/remote`);
    await page.getByText(`connected to test host through ${relay.origin}`).waitFor();
    await page
      .getByRole("note")
      .filter({ hasText: `http://127.0.0.1:${world.port}` })
      .waitFor();
    assert.deepEqual(await violations(page), []);
    assert.deepEqual([...new Set(sockets.map((url) => new URL(url).host))], [new URL(relay.origin).host]);
    assert.deepEqual(faults, [], "nothing was dialled that the page may not");

    const connected = async (): Promise<void> => {
      await page.getByText(/^Connected since/u).waitFor();
      await page.getByText("This device is connected").waitFor();
    };
    await world.kill();
    await page.getByRole("button", { name: "Try now" }).waitFor();
    await world.restart();
    await connected();
    await page.reload();
    await connected();
    await relay.kill();
    await page.getByRole("button", { name: "Try now" }).waitFor();
    await relay.restart();
    await relayed(world);
    await page.reload();
    await connected();
    assert.deepEqual(
      faults.filter((fault) => !UNANSWERED.test(fault)),
      [],
    );
    await context.close();
  });

  it("says of a link that was used what to do instead, in words of its own", async () => {
    const context = await browser.newContext(PHONE);
    context.setDefaultTimeout(WAIT_MS);
    const page = await context.newPage();
    const link = await linkOf(world);
    await pairByLink(page, link);
    const other = await browser.newContext(PHONE);
    other.setDefaultTimeout(WAIT_MS);
    const { page: late } = await openPage(other, link);
    await late.getByRole("button", { name: "Pair", exact: true }).tap();
    await late.getByRole("alert").filter({ hasText: "Show a new one on the host" }).waitFor();
    await other.close();
    await context.close();
  });

  it("says where a host is found that is not at this relay", async () => {
    const context = await browser.newContext(PHONE);
    context.setDefaultTimeout(WAIT_MS);
    const { page } = await openPage(context, `${relay.origin}/`);
    const shell = await world.shell();
    const { connection } = await shell.call("offer.make", {}, newIntent());
    shell.close();
    const field = page.getByLabel("Connection string");
    await field.fill(connection.replace(/r=[^&]+/u, `r=${encodeURIComponent("https://other.example")}`));
    await page.getByRole("button", { name: "Continue" }).tap();
    await page.getByRole("alert").filter({ hasText: "https://other.example/pair" }).waitFor();
    await field.fill(connection.replace(/&?rt?=[^&]+/gu, ""));
    await page.getByRole("button", { name: "Continue" }).tap();
    await page.getByRole("alert").filter({ hasText: "at no relay" }).waitFor();
    await field.fill(connection);
    await page.getByRole("button", { name: "Continue" }).tap();
    await page.getByRole("heading", { name: "Pair with this host?" }).waitFor();
    await context.close();
  });
});
