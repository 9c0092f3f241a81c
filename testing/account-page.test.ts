/** Accounts as a person sees them: made on one device, opened on another, which then finds the host without a code. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { openMember } from "@flybridge/client/relay/member.ts";
import { systemClock } from "@flybridge/transport/clock.ts";
import { violations } from "@flybridge/web/gallery/axe.contract.ts";
import type { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core";
import { newIntent } from "./bare.ts";
import { DESKTOP, launchChromium, openPage, PHONE } from "./browser.ts";
import { type RunningRelay, startRelay, untilRelayed } from "./relay.ts";
import { linkToRelay, newProof } from "./relayed.ts";
import { startWorld, type World } from "./world.ts";

const LIMIT = { timeout: 400_000 };
const WAIT_MS = 40_000;
const EMAIL = "nora@example.org";
const PASSPHRASE = "walnut boat lamp seventeen";
const NEXT_PASSPHRASE = "violet anchor paper chimney";
/** What a page may say to its console of a socket that could not be opened, while nobody answers. */
const UNANSWERED = /WebSocket connection to .* failed|net::ERR_/u;

interface Seat {
  readonly context: BrowserContext;
  readonly page: Page;
  readonly faults: string[];
}

describe("an account", LIMIT, () => {
  let world: World;
  let relay: RunningRelay;
  let browser: Browser;
  let desk: Seat;
  let phone: Seat;
  let recoveryCode: string;

  before(async () => {
    relay = await startRelay();
    world = await startWorld({ args: ["--confirm", "never"] });
    browser = await launchChromium();
    desk = await seat(DESKTOP);
    phone = await seat(PHONE);
  });
  after(async () => {
    await browser?.close();
    await world?.[Symbol.asyncDispose]();
    await relay?.[Symbol.asyncDispose]();
  });

  async function seat(looks: BrowserContextOptions): Promise<Seat> {
    const context = await browser.newContext({ reducedMotion: "reduce", ...looks });
    context.setDefaultTimeout(WAIT_MS);
    return { context, ...(await openPage(context, "about:blank")) };
  }
  async function pairByLink(page: Page): Promise<void> {
    const shell = await world.shell();
    const { link } = await shell.call("offer.make", {}, newIntent());
    shell.close();
    await page.goto(link);
    await page.getByRole("button", { name: "Pair", exact: true }).click();
    await page.waitForURL(/\/sessions$/u);
  }
  async function typeIn(page: Page, passphrase: string, name: string): Promise<void> {
    await page.getByLabel("E-mail").fill(EMAIL);
    await page.getByLabel("Passphrase", { exact: true }).fill(passphrase);
    await page.getByLabel("Name of this device").fill(name);
  }
  async function signIn(page: Page, passphrase: string, name: string): Promise<void> {
    await page.goto(`${relay.origin}/account`);
    await typeIn(page, passphrase, name);
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    await page.getByRole("heading", { level: 1, name: "Account" }).waitFor();
  }
  const isWide = (page: Page): Promise<boolean> =>
    page.evaluate(() => document.documentElement.scrollWidth > innerWidth);

  it("[D16] is made at a relay from the host's own page, with the keyboard alone, and its code is shown once", async () => {
    const { page, faults } = desk;
    await pairByLink(page);
    await page.keyboard.press("r");
    await page.getByLabel("Address of a relay").fill(relay.origin);
    await page.keyboard.press("Enter");
    await page.getByText("Connected since").waitFor();
    await page.getByRole("button", { name: "Sign in" }).focus();
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/account/u);
    await page.getByRole("heading", { level: 1, name: "Sign in" }).waitFor();
    assert.deepEqual(await violations(page), []);
    const way = page.getByRole("radio", { name: "Create an account" });
    await way.focus();
    await page.keyboard.press("Space");
    await page.getByText("The passphrase does not leave this device").waitFor();
    await page.getByLabel("E-mail").focus();
    await page.keyboard.type(EMAIL);
    await page.keyboard.press("Tab");
    await page.keyboard.type("password123");
    await page.getByText("among the first that anybody tries").waitFor();
    await page.keyboard.press("Enter");
    await page.getByRole("alert").filter({ hasText: "among the first" }).waitFor();
    await page.getByLabel("Passphrase", { exact: true }).fill(PASSPHRASE);
    await page.getByText("Good.").waitFor();
    await page.getByLabel("Name of this device").fill("Nora's desk");
    await page.keyboard.press("Enter");

    await page.getByRole("heading", { name: "Keep this recovery code" }).waitFor();
    recoveryCode = (await page.locator(".recovery-code span").allInnerTexts()).join("-");
    assert.match(recoveryCode, /^(?:[0-9a-z]{9}-){3}[0-9a-z]{9}$/u);
    assert.deepEqual(await violations(page), []);
    await page.getByRole("button", { name: "Print" }).waitFor();
    await page.getByRole("button", { name: "I have kept it" }).focus();
    await page.keyboard.press("Enter");
    await page.getByText(EMAIL).first().waitFor();
    await page.getByText("No host lets the devices of this account in yet").waitFor();
    await page.getByText("Nora's desk", { exact: true }).waitFor();
    await page.getByText("this device", { exact: true }).waitFor();
    assert.equal(await page.getByText(recoveryCode.slice(0, 9)).count(), 0);
    assert.deepEqual(await violations(page), []);
    assert.deepEqual(faults, []);
  });

  it("lets its devices in to the host by a switch, which says what it means", async () => {
    const { page, faults } = desk;
    await page.goto(`http://127.0.0.1:${world.port}/remote`);
    const shown = page.getByRole("switch", { name: "Let devices of my account in" });
    await page.getByText("pairs with test host as its owner, without a code").waitFor();
    assert.equal(await shown.getAttribute("aria-checked"), "false");
    await shown.focus();
    await page.keyboard.press("Space");
    await page.getByText("The account's other devices find test host by themselves").waitFor();
    assert.equal(await shown.getAttribute("aria-checked"), "true");
    assert.deepEqual(await violations(page), []);
    const shell = await world.shell();
    const [row] = (await shell.call("relay.list", {})).relays;
    assert.ok(row?.account);
    shell.close();
    assert.deepEqual(faults, []);
  });

  it("[D17] [D19] is opened on a phone whose page came from the relay, and the host is there without a code", async () => {
    const { page, faults } = phone;
    await page.goto(relay.origin);
    await page.getByRole("button", { name: "Scan the code" }).waitFor();
    await page.getByRole("link", { name: "Sign in" }).tap();
    await page.getByRole("note").filter({ hasText: "whoever runs it can change it" }).waitFor();
    await typeIn(page, NEXT_PASSPHRASE, "Nora's phone");
    await page.getByRole("button", { name: "Sign in", exact: true }).tap();
    await page.getByRole("alert").filter({ hasText: "do not belong together" }).waitFor();
    assert.deepEqual(await violations(page), []);
    assert.equal(await isWide(page), false);
    await page.getByLabel("Passphrase", { exact: true }).fill(PASSPHRASE);
    await page.getByRole("button", { name: "Sign in", exact: true }).tap();
    const host = page.getByRole("button", { name: /test host/u });
    await host.filter({ hasText: "On this device" }).waitFor();
    await page.getByText("Nora's desk", { exact: true }).waitFor();
    assert.deepEqual(await violations(page), []);
    assert.equal(await isWide(page), false);
    await host.tap();
    await page.getByRole("link", { name: "Sessions" }).first().tap();
    await page.getByRole("heading", { level: 1, name: "Sessions" }).waitFor();
    const shell = await world.shell();
    const { devices } = await shell.call("device.list", {});
    assert.ok(devices.some(({ name, grant }) => name === "Nora's phone" && grant.kind === "owner"));
    shell.close();
    assert.deepEqual(faults, []);

    // What happened is told to the other, who may say that they have seen it.
    const { page: other } = desk;
    await other.goto(`http://127.0.0.1:${world.port}/account`);
    await other.getByText(/Nora's phone signed in, from 127\.0\.x\.x/u).waitFor();
    await other.getByRole("button", { name: "I have seen it" }).click();
    await other.getByRole("heading", { name: "What happened" }).waitFor({ state: "detached" });
  });

  it("[D20] is open again after a reload, and after the relay and the host were restarted", async () => {
    const { page } = phone;
    await page.goto(`${relay.origin}/account`);
    const known = page.getByRole("button", { name: /test host/u });
    await known.filter({ hasText: "connected to the relay" }).waitFor();
    await relay.kill();
    await page.getByRole("button", { name: "Try now" }).first().waitFor();
    await relay.restart();
    await world.kill();
    await world.restart();
    const shell = await world.shell();
    await untilRelayed(shell);
    shell.close();
    await page.reload();
    await known.filter({ hasText: "On this device · connected to the relay" }).waitFor();
    await page.goto(`${relay.origin}/remote`);
    await page.getByText("This device is connected to test host").waitFor();
  });

  it("[D19] finds a host that is let in later while it looks, and one that was forgotten only when asked to", async () => {
    const { page } = phone;
    const late = await seat(PHONE);
    const { page: remote } = desk;
    await remote.goto(`http://127.0.0.1:${world.port}/remote`);
    const shown = remote.getByRole("switch", { name: "Let devices of my account in" });
    await shown.click();
    await remote.locator('[role="switch"][aria-checked="false"]').waitFor();
    await signIn(late.page, PASSPHRASE, "Nora's tablet");
    await late.page.getByText("No host lets the devices of this account in yet").waitFor();
    await remote.locator('[role="switch"][aria-checked="false"]:enabled').click();
    const host = late.page.getByRole("button", { name: /test host/u });
    await host.filter({ hasText: "On this device" }).waitFor();
    await late.context.close();

    await page.goto(`${relay.origin}/devices`);
    await page.getByRole("button", { name: "Forget test host" }).tap();
    await page.getByRole("button", { name: "Forget now" }).tap();
    await page.waitForURL(/\/account/u);
    const gone = page.getByRole("button", { name: /test host/u });
    await gone.filter({ hasText: "You forgot it on this device" }).waitFor();
    await page.reload();
    await gone.filter({ hasText: "You forgot it on this device" }).waitFor();
    await gone.tap();
    await page.getByRole("button", { name: "Pair again" }).tap();
    await gone.filter({ hasText: "On this device" }).waitFor();
  });

  it("says of a host that does not let this device in where it is allowed", async () => {
    const { page } = phone;
    const shell = await world.shell();
    const { devices } = await shell.call("device.list", {});
    const device = devices.find(({ name }) => name === "Nora's phone")?.device;
    assert.ok(device);
    await shell.call("device.revoke", { device }, newIntent());
    shell.close();
    await page.goto(`${relay.origin}/devices`);
    await page.getByRole("button", { name: "Forget test host" }).tap();
    await page.getByRole("button", { name: "Forget now" }).tap();
    const host = page.getByRole("button", { name: /test host/u });
    await host.filter({ hasText: "You forgot it" }).waitFor();
    await host.tap();
    await page.getByRole("button", { name: "Pair again" }).tap();
    await host.filter({ hasText: "Allow it on the host: Remote" }).waitFor();
  });

  it("says over the whole screen that a sign-in was used from elsewhere, and leads on from there", async () => {
    const { page } = phone;
    await page.goto(`${relay.origin}/account`);
    await page.getByRole("heading", { level: 1, name: "Account" }).waitFor();
    const session = await sessionOf(page, relay.origin);
    await assert.rejects(
      openMember({ relay: linkToRelay }, { origin: relay.origin, key: newProof(), session, clock: systemClock }),
      { code: "session_reused" },
    );
    await page
      .getByRole("heading", { level: 1, name: "This sign-in was used from somewhere else; it was ended." })
      .waitFor();
    assert.deepEqual(await violations(page), []);
    assert.equal(await isWide(page), false);
    await page.reload();
    await page.getByRole("alert").filter({ hasText: "somebody has its keys" }).waitFor();
    const { page: other } = desk;
    await other.goto(`http://127.0.0.1:${world.port}/`);
    await other
      .locator(".banner")
      .filter({ hasText: "Nora's phone: its sign-in was used from somewhere else" })
      .waitFor();
    await other.getByRole("link", { name: "See" }).click();
    await other.getByText("if it was not copied on purpose").waitFor();

    await page.getByRole("button", { name: "Sign in again" }).tap();
    assert.equal(await page.getByLabel("E-mail").inputValue(), EMAIL);
    await typeIn(page, PASSPHRASE, "Nora's phone");
    await page.getByRole("button", { name: "Sign in", exact: true }).tap();
    await page.getByRole("heading", { level: 1, name: "Account" }).waitFor();
    await page.getByText("Nora's desk", { exact: true }).waitFor();
  });

  it("takes another passphrase and another code, and opens by that code", async () => {
    const { page, faults } = desk;
    await page.goto(`http://127.0.0.1:${world.port}/account`);
    await page.getByRole("button", { name: "Change the passphrase" }).click();
    const sheet = page.getByRole("dialog");
    await sheet.getByLabel("Passphrase until now").fill(NEXT_PASSPHRASE);
    await sheet.getByLabel("New passphrase").fill(NEXT_PASSPHRASE);
    await page.keyboard.press("Enter");
    await sheet.getByRole("alert").filter({ hasText: "do not belong together" }).waitFor();
    assert.deepEqual(await violations(page), []);
    await sheet.getByLabel("Passphrase until now").fill(PASSPHRASE);
    await page.keyboard.press("Enter");
    await sheet.waitFor({ state: "detached" });
    await page.getByText("The passphrase is changed").waitFor();

    await page.getByRole("button", { name: "New recovery code" }).click();
    await page.getByRole("dialog").getByLabel("Passphrase", { exact: true }).fill(NEXT_PASSPHRASE);
    await page.keyboard.press("Enter");
    await page.getByText("The code that you had before opens nothing any more").waitFor();
    const before = recoveryCode;
    recoveryCode = (await page.locator(".recovery-code span").allInnerTexts()).join("-");
    assert.notEqual(recoveryCode, before);
    await page.getByRole("button", { name: "I have kept it" }).click();
    assert.deepEqual(
      faults.filter((fault) => !UNANSWERED.test(fault)),
      [],
    );

    const fresh = await seat(PHONE);
    await fresh.page.goto(`${relay.origin}/account`);
    await fresh.page.getByRole("button", { name: "Use the recovery code" }).tap();
    const open = async (code: string): Promise<void> => {
      await fresh.page.getByLabel("E-mail").fill(EMAIL);
      await fresh.page.getByLabel("Recovery code").fill(code);
      await fresh.page.getByLabel("New passphrase").fill(PASSPHRASE);
      await fresh.page.getByRole("button", { name: "Open it, with the new passphrase" }).tap();
    };
    await open("not a code");
    await fresh.page.getByRole("alert").filter({ hasText: "This is no recovery code" }).waitFor();
    await open(before);
    await fresh.page.getByRole("alert").filter({ hasText: "do not belong together" }).waitFor();
    await open(recoveryCode.toUpperCase().replaceAll("-", " "));
    await fresh.page.getByText("The code that you used is used up").waitFor();
    await fresh.page.getByRole("button", { name: "I have kept it" }).tap();
    await fresh.page.getByRole("heading", { level: 1, name: "Account" }).waitFor();
    await fresh.context.close();
  });

  it("signs devices out, one and all others, and says so there", async () => {
    const { page } = desk;
    await page.goto(`http://127.0.0.1:${world.port}/account?at=${encodeURIComponent(relay.origin)}`);
    await page.getByRole("button", { name: /Nora's phone/u }).click();
    await page.getByRole("button", { name: "Remove now" }).click();
    await page.getByRole("button", { name: /Nora's phone/u }).waitFor({ state: "detached" });
    await phone.page.getByRole("heading", { level: 1, name: "This device is signed out" }).waitFor();
    assert.deepEqual(await violations(phone.page), []);
    await phone.page.getByRole("button", { name: "Forget the account here" }).tap();
    await phone.page.getByRole("heading", { level: 1, name: "Sign in" }).waitFor();
    await page.getByRole("button", { name: "Sign out all others" }).click();
    await page.getByRole("button", { name: "Sign them out now" }).click();
    await page.getByRole("button", { name: "Sign out all others" }).waitFor({ state: "detached" });
    assert.equal(await page.getByText(/^Phone ·/u).count(), 0);
  });

  it("is deleted by whoever types whose it is, and its passphrase", async () => {
    const { page, faults } = desk;
    await page.getByRole("button", { name: "Delete the account" }).click();
    const sheet = page.getByRole("dialog");
    const end = sheet.getByRole("button", { name: "Delete it for good" });
    await sheet.getByLabel("Passphrase", { exact: true }).fill(PASSPHRASE);
    assert.equal(await end.isDisabled(), true);
    await sheet.getByLabel(`type ${EMAIL}`).fill(EMAIL);
    assert.deepEqual(await violations(page), []);
    await end.click();
    await page.getByText("The account is deleted").waitFor();
    await page.getByRole("heading", { level: 1, name: "Sign in" }).waitFor();
    await typeIn(page, PASSPHRASE, "Nora's desk");
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    await page.getByRole("alert").filter({ hasText: "do not belong together" }).waitFor();
    assert.deepEqual(
      faults.filter((fault) => !UNANSWERED.test(fault)),
      [],
    );
  });
});

/** The session that the page holds now, as a thief of its profile would read it. */
function sessionOf(page: Page, origin: string): Promise<string> {
  return page.evaluate(async (at) => {
    const opened = await new Promise<IDBDatabase>((resolve, reject) => {
      const request = indexedDB.open("flybridge");
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
    const get = <T>(key: string): Promise<T> =>
      new Promise((resolve) => {
        const request = opened.transaction("keys").objectStore("keys").get(key);
        request.onsuccess = () => resolve(request.result as T);
      });
    const wrapping = await get<CryptoKey>("wrapping");
    const { iv, bytes } = await get<{ iv: BufferSource; bytes: BufferSource }>(`kept account ${at}`);
    opened.close();
    const text = new TextDecoder().decode(await crypto.subtle.decrypt({ name: "AES-GCM", iv }, wrapping, bytes));
    return (JSON.parse(text) as { session: { session: string } }).session.session;
  }, origin);
}
