/** What was begun in a terminal, in a real browser: found, looked at, gone on with, forked; and what runs elsewhere. */
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import type { Page } from "playwright-core";
import { DESKTOP, inWorld, makeStage, PHONE, SMALL, type Stage } from "../gallery/stage.contract.ts";

let stage: Stage;
before(async () => {
  stage = await makeStage();
});
afterEach(async () => await stage.clear());
after(async () => await stage[Symbol.asyncDispose]());

const SESSION = "01900000-0000-7000-8000-000000000001";
const intents = (page: Page) =>
  inWorld(page, (world) => world.intents.map(({ method, params }) => ({ method, params })));
const shoot = async (page: Page, name: string): Promise<void> => {
  const folder = process.env["FLYBRIDGE_TEST_PICTURES"];
  if (folder !== undefined) await page.screenshot({ path: `${folder}/${name}.png` });
};

async function openList(): Promise<{ page: Page; faults: string[] }> {
  const opened = await stage.open("sessions", PHONE);
  await opened.page.getByRole("button", { name: "New session" }).first().tap();
  await opened.page.getByRole("button", { name: "Continue an earlier one" }).tap();
  await opened.page.getByRole("searchbox", { name: "Search conversations" }).waitFor();
  return opened;
}

describe("conversations that agents keep", () => {
  it("are found by their words, show what was last said, and go on here or as a copy", async () => {
    const { page, faults } = await openList();
    const rows = page.locator(".conversation");
    await rows.first().waitFor();
    assert.equal(await rows.count(), 3);
    await shoot(page, "conversations");
    await page.getByRole("searchbox", { name: "Search conversations" }).fill("lighthouse");
    assert.equal(await rows.count(), 1);
    await rows.first().tap();
    await page.getByText("Do that. Keep the names.").waitFor();
    await shoot(page, "conversation");
    await page.getByRole("button", { name: "Go on with a copy" }).tap();
    await page.locator(".session").waitFor();
    const [created, ...more] = await intents(page);
    assert.equal(more.length, 0);
    assert.equal(created?.method, "session.create");
    assert.deepEqual(created.params, {
      agent: "claude",
      workspace: "/home/ada/lighthouse",
      from: { conversation: "5909cbfa-77c4-4ae0-bdea-ac0bec2040a6", fork: true },
    });
    assert.deepEqual(faults, []);
  });

  it("that are open in a terminal are not opened twice, and one that is a session here leads there", async () => {
    const { page } = await openList();
    await page.getByRole("button", { name: /Round the totals/u }).tap();
    assert.equal(await page.getByRole("button", { name: "Continue here" }).isDisabled(), true);
    await page.getByText("End it there to continue here, or go on with a copy.").waitFor();
    await page.getByRole("button", { name: "Close" }).last().tap();
    await page.getByRole("button", { name: /is what it says/u }).tap();
    await page.getByRole("button", { name: "Show its session" }).tap();
    await page.locator(".session").waitFor();
    assert.deepEqual(await intents(page), []);
  });
});

describe("a session in a terminal of its own", () => {
  for (const look of [PHONE, SMALL, DESKTOP])
    it(`says so instead of taking prompts, and offers the hook: ${look.viewport?.width ?? 0}`, async () => {
      const { page, faults } = await stage.open("session-outside", look);
      await page.getByText(/runs in a terminal of its own/u).waitFor();
      assert.equal(await page.getByRole("textbox", { name: "Prompt" }).count(), 0);
      await page.getByText(/A hook in .*settings\.json/u).waitFor();
      await shoot(page, `outside-${look.viewport?.width ?? 0}`);
      const overflow = await page.evaluate("document.documentElement.scrollWidth - innerWidth");
      assert.ok(Number(overflow) <= 0, "nothing runs out of the page");
      await page.getByRole("button", { name: "Install the hook" }).click();
      await page.getByText(/A hook in .*settings\.json/u).waitFor({ state: "detached" });
      assert.deepEqual(await intents(page), [{ method: "hook.install", params: { agent: "claude" } }]);
      assert.deepEqual(faults, []);
    });

  it("that has ended is continued here", async () => {
    const { page } = await stage.open("session-outside-ended", PHONE);
    await page.getByRole("button", { name: "Continue here" }).tap();
    await page.getByRole("textbox", { name: "Prompt" }).waitFor();
    assert.deepEqual(await intents(page), [{ method: "session.resume", params: { session: SESSION } }]);
  });
});
