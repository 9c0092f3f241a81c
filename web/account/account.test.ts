/** An account in a real browser, in states that a real relay is seldom in. */
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { DESKTOP, makeStage, PHONE, type Stage } from "../gallery/stage.contract.ts";

const PASSPHRASE = "walnut boat lamp seventeen";

let stage: Stage;
before(async () => {
  stage = await makeStage();
});
afterEach(async () => await stage.clear());
after(async () => await stage[Symbol.asyncDispose]());

describe("an account", () => {
  it("is what a device without a host sees first, where it is signed in", async () => {
    const { page, faults } = await stage.open("account-fresh", PHONE);
    await page.getByRole("heading", { level: 1, name: "Account" }).waitFor();
    assert.equal(await page.evaluate(() => window.gallery?.path()), "/account");
    assert.deepEqual(faults, []);
  });

  it("says of each host how this device stands to it, and pairs with one that was forgotten", async () => {
    const { page } = await stage.open("account", PHONE);
    const says = (name: string, words: string) =>
      page
        .getByRole("button", { name: new RegExp(name, "u") })
        .filter({ hasText: words })
        .waitFor();
    await says("studio", "On this device · connected to the relay");
    await says("the mill", "Paired with by itself when it is");
    await says("a barn", "Allow it on the host: Remote");
    await says("attic", "Pairing by itself");
    await says("A host without a name", "None of your devices put it on the list");
    await page.getByRole("button", { name: /shed/u }).tap();
    await page.getByRole("button", { name: "Pair again" }).tap();
    await says("shed", "On this device");
  });

  it("says in sentences what happened, by which device and from where, until it is seen", async () => {
    const { page } = await stage.open("account", DESKTOP);
    for (const words of [
      /Ada's laptop: its sign-in was used from somewhere else \(203\.0\.x\.x\), and was ended/u,
      /signed in, from 198\.51\.x\.x/u,
      /This device came from another network: 2001:db8:…/u,
      /opened the account with the recovery code, from an unknown network/u,
      /too many wrong tries/u,
    ])
      await page.getByText(words).waitFor();
    await page.getByRole("button", { name: "I have seen it" }).click();
    await page.getByRole("heading", { name: "What happened" }).waitFor({ state: "detached" });
  });

  it("is spoken of over every screen when its sign-in was ended, and led to from there", async () => {
    const { page } = await stage.open("account-banner", PHONE);
    await page
      .getByText("This device's sign-in at relay.example was used from somewhere else; it was ended.")
      .waitFor();
    await page.getByRole("link", { name: "See" }).tap();
    await page.getByRole("heading", { level: 1, name: /used from somewhere else/u }).waitFor();
    await page.getByRole("button", { name: "Forget the account here" }).tap();
    await page.getByRole("heading", { level: 1, name: "Sign in" }).waitFor();
    await page.getByRole("link", { name: "Inbox" }).tap();
    await page.getByRole("heading", { level: 1, name: "Inbox" }).waitFor();
    assert.equal(await page.locator(".banner").count(), 0);
  });

  it("asks for an invitation once the relay does, shows the code once, and prints it on white", async () => {
    const { page, faults } = await stage.open("account-invited", { ...PHONE, colorScheme: "dark" });
    await page.getByRole("radio", { name: "Create an account" }).tap();
    assert.equal(await page.getByLabel("Invitation").count(), 0);
    await page.getByLabel("E-mail").fill("ada@harbour.example");
    await page.getByLabel("Passphrase", { exact: true }).fill(PASSPHRASE);
    await page.getByRole("button", { name: "Create the account" }).tap();
    await page.getByRole("alert").filter({ hasText: "by invitation only" }).waitFor();
    await page.waitForFunction(() => document.activeElement?.matches("input.mono"));
    await page.keyboard.type("open-sesame");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Keep this recovery code" }).waitFor();
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    await page.getByRole("button", { name: "Copy" }).tap();
    const shown = (await page.locator(".recovery-code span").allInnerTexts()).join("-");
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), shown);
    await page.emulateMedia({ media: "print", colorScheme: "dark" });
    assert.deepEqual(await page.getByRole("button").filter({ visible: true }).count(), 0);
    assert.equal(await page.evaluate(() => getComputedStyle(document.documentElement).colorScheme), "light");
    await page.emulateMedia({ media: "screen" });
    await page.getByRole("button", { name: "I have kept it" }).tap();
    await page.getByRole("heading", { level: 1, name: "Account" }).waitFor();
    assert.equal(await page.getByText(shown.slice(0, 9)).count(), 0);
    assert.deepEqual(faults, []);
  });

  it("says why it was not done, and leaves the focus where it was", async () => {
    const { page, faults } = await stage.open("account", DESKTOP);
    await page.getByRole("button", { name: "Delete the account" }).click();
    const sheet = page.getByRole("dialog");
    const end = sheet.getByRole("button", { name: "Delete it for good" });
    await sheet.getByLabel("To delete it").fill("ada@harbour.example");
    await sheet.getByLabel("Passphrase", { exact: true }).fill("not this one");
    await end.click();
    await sheet.getByRole("alert").filter({ hasText: "do not belong together" }).waitFor();
    assert.equal(await end.evaluate((button) => button === document.activeElement), true);
    await sheet.getByLabel("Passphrase", { exact: true }).fill(PASSPHRASE);
    await end.click();
    await page.getByText("The account is deleted").waitFor();
    await page.getByRole("heading", { level: 1, name: "Sign in" }).waitFor();
    assert.deepEqual(faults, []);
  });

  it("shows a passphrase only while it is to be seen", async () => {
    const { page } = await stage.open("account-in", DESKTOP);
    const field = page.getByLabel("Passphrase", { exact: true });
    await field.fill(PASSPHRASE);
    assert.equal(await field.getAttribute("type"), "password");
    await page.getByRole("button", { name: "Show the passphrase" }).click();
    assert.equal(await field.getAttribute("type"), "text");
    await page.getByRole("button", { name: "Hide the passphrase" }).click();
    assert.equal(await field.getAttribute("type"), "password");
  });

  it("says that the relay is away, since it shows what was last known", async () => {
    const { page } = await stage.open("account-away", PHONE);
    await page.getByRole("status").filter({ hasText: "cannot be reached" }).waitFor();
    await page.getByText(/Tries again in \d+ s/u).waitFor();
    await page.getByText("Ada's laptop").waitFor();
  });
});
