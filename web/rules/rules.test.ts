/** The list of rules in a real browser: what each allows and who made it, and its end. */
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { DESKTOP, inWorld, makeStage, PHONE, type Stage } from "../gallery/stage.contract.ts";

let stage: Stage;
before(async () => {
  stage = await makeStage();
});
afterEach(async () => await stage.clear());
after(async () => await stage[Symbol.asyncDispose]());

describe("rules", () => {
  it("[E50] lists what is allowed, where, by whom, and how often it was used; led to from the devices", async () => {
    const { page, faults } = await stage.open("devices", PHONE);
    await page.getByRole("link", { name: /Rules/ }).tap();
    await page.getByRole("heading", { name: "Rules" }).waitFor();
    const [always, session, hostile] = [0, 1, 2].map((at) => page.locator(".rule").nth(at));
    const words = async (rule: typeof always): Promise<string> => (await rule?.innerText()) ?? "";
    assert.match(await words(always), /Bash.*always.*npm test.*Claude Code in its mode “Ask before edits”/su);
    assert.match(await words(always), /made by Chrome on Linux.*used 14 times, last 1\d min ago/su);
    assert.match(await words(session), /git\.hub.*one session.*"pull": 118.*made by this device.*not used yet/su);
    assert.match(await words(hostile), /Write⟨U\+202E⟩evil.*a device that is gone.*used once/su);
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true);
    assert.deepEqual(faults, []);
  });

  it("revokes one in two steps, at once, and says so when the host has done it", async () => {
    const { page } = await stage.open("rules", DESKTOP);
    const intents = () => inWorld(page, (world) => world.intents.map(({ method, params }) => ({ method, params })));
    await page.getByRole("button", { name: "Revoke" }).first().click();
    await page.getByRole("button", { name: "Keep" }).click();
    assert.deepEqual(await intents(), []);
    await page.getByRole("button", { name: "Revoke" }).first().click();
    await page.getByRole("button", { name: "Revoke now" }).click();
    await page.locator(".rule").nth(2).waitFor({ state: "detached" });
    await page.getByText("Revoked. It is asked again.").waitFor();
    assert.deepEqual(await intents(), [{ method: "rule.revoke", params: { rule: "0123456789abcdef" } }]);
  });

  it("keeps it on the list, with why, when the host refused", async () => {
    const { page } = await stage.open("rules", DESKTOP);
    await inWorld(page, (world) => world.behave({ refuse: "The disk of the host is full." }));
    await page.getByRole("button", { name: "Revoke" }).first().click();
    await page.getByRole("button", { name: "Revoke now" }).click();
    await page.getByText("The disk of the host is full.").waitFor();
    assert.equal(await page.locator(".rule").count(), 3);
    await page.getByRole("button", { name: "Revoke" }).nth(2).waitFor();
  });

  it("says how one is made where there is none", async () => {
    const { page } = await stage.open("rules-none", PHONE);
    await page.getByText("Everything is asked.").waitFor();
  });
});
