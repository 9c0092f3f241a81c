/** The app's frame: keys, title, sheets, and words that would like to be more than words. */
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { DESKTOP, inWorld, makeStage, PHONE, type Stage } from "./gallery/stage.contract.ts";
import { settled } from "./gallery/states.contract.ts";

let stage: Stage;
before(async () => {
  stage = await makeStage();
});
afterEach(async () => await stage.clear());
after(async () => await stage[Symbol.asyncDispose]());

describe("hostile words", () => {
  it("run nothing, load nothing, reach nothing", async () => {
    const { page, faults } = await stage.open("session-hostile", DESKTOP);
    const asked: string[] = [];
    page.on("request", (request) => asked.push(request.url()));
    for (const line of await page.locator("button.line").all()) await line.click();
    await settled(page);
    assert.equal(await page.evaluate(() => "pwned" in window), false);
    assert.deepEqual(
      asked.filter((url) => !url.startsWith(stage.origin)),
      [],
    );
    assert.deepEqual(faults, []);
    const links = await page
      .locator(".markdown a")
      .evaluateAll((all) => all.map((a) => [a.getAttribute("href"), a.getAttribute("rel"), a.textContent]));
    assert.ok(links.length > 0);
    for (const [href, rel] of links)
      if (href !== null) assert.ok(/^https?:/.test(href ?? "") && /noopener/.test(rel ?? ""), String(href));
    assert.ok(
      links.some(([, , text]) => /github\.com.*evil\.example/.test(text ?? "")),
      "a link says where it goes",
    );
    assert.equal(
      await page.locator(".markdown img, .markdown script, .markdown iframe, .markdown form, .markdown style").count(),
      0,
    );
    assert.ok(!(await page.locator("body").innerText()).includes("\u202E"), "no bidi override is drawn");
  });
});

describe("the frame", () => {
  it("says in title and icon that something needs you, and stops saying it", async () => {
    const { page } = await stage.open("inbox-approval", PHONE);
    await page.waitForFunction(() => document.title === "(1) Flybridge");
    assert.match((await page.locator("link[rel=icon]").getAttribute("href")) ?? "", /waiting/);
    await page.getByRole("button", { name: "Allow once" }).tap();
    await page.waitForFunction(() => document.title === "Flybridge");
  });

  it("is used by keyboard: ? shows the keys, Ctrl K goes to a session, letters go to screens", async () => {
    const { page } = await stage.open("inbox-asks", DESKTOP);
    await page.keyboard.press("?");
    await page.getByRole("dialog", { name: "Keys" }).waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await page.keyboard.press("Control+k");
    await page.getByRole("combobox").fill("rounding");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: "Tax rounding" }).waitFor();
    await page.keyboard.press("d");
    await page.getByRole("heading", { level: 1, name: "Devices" }).waitFor();
    await page.keyboard.press("n");
    await page.getByRole("dialog", { name: "New session" }).waitFor();
  });

  it("starts a session with agent, folder, model and first prompt", async () => {
    const { page } = await stage.open("sessions", PHONE);
    await page.getByRole("button", { name: "New session" }).tap();
    const sheet = page.getByRole("dialog", { name: "New session" });
    await sheet.getByText("Run codex login on studio").waitFor();
    await sheet.getByLabel("First prompt").fill("Fix the date test");
    await sheet.getByRole("radio", { name: /tide-tables/ }).check();
    await sheet.getByLabel("Model").selectOption("opus");
    await sheet.getByRole("button", { name: "Start" }).tap();
    await page.getByRole("log").waitFor();
    const [made] = await inWorld(page, (world) => world.intents);
    assert.deepEqual(made, {
      method: "session.create",
      params: { agent: "claude", workspace: "/home/ada/work/tide-tables", model: "opus", prompt: "Fix the date test" },
    });
  });

  it("shows the code of this machine only when it is revealed, with a warning, and withdraws it", async () => {
    const { page, faults } = await stage.open("devices", PHONE);
    await page.getByRole("button", { name: "Show code" }).tap();
    const sheet = page.getByRole("dialog");
    await sheet.getByText(/Like a password/).waitFor();
    assert.equal(await sheet.locator(".qr").count(), 0);
    await sheet.getByRole("button", { name: "Reveal the code" }).tap();
    await sheet.locator(".qr").waitFor();
    assert.match((await sheet.locator(".offer-string").textContent()) ?? "", /^flybridge:\/\//);
    await sheet.getByText(/works for \d+ min more/).waitFor();
    await sheet.getByRole("button", { name: "Withdraw the code" }).tap();
    await page.waitForFunction(() => window.gallery?.world.intents.at(-1)?.method === "offer.withdraw");
    assert.deepEqual(faults, []);
  });

  it("cuts a device off only at the second step", async () => {
    const { page } = await stage.open("devices", PHONE);
    await page.getByRole("button", { name: /Chrome on Linux/ }).tap();
    await page.getByRole("button", { name: "Cut off", exact: true }).tap();
    assert.deepEqual(await inWorld(page, (world) => world.intents), []);
    await page.getByRole("button", { name: "Cut off now" }).tap();
    await page.getByText("Chrome on Linux").waitFor({ state: "detached" });
  });

  it("moves nothing when less motion is wanted", async () => {
    const { page } = await stage.open("sessions", { ...PHONE, reducedMotion: "reduce" });
    await settled(page);
    assert.deepEqual(await page.evaluate(() => document.getAnimations().length), 0);
  });
});
