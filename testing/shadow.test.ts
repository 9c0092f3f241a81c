/** A desktop that goes where the phone goes: two real browsers, the real host, the demo agent. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { FeedEntry } from "@flybridge/protocol/feed.ts";
import type { AgentName, SessionId } from "@flybridge/protocol/ids.ts";
import type { Browser, Page } from "playwright-core";
import { newIntent } from "./bare.ts";
import { DESKTOP, launchChromium, openPage, PHONE } from "./browser.ts";
import { startWorld, type World } from "./world.ts";

const WAIT_MS = 30_000;

describe("a desktop and a phone", () => {
  let world: World;
  let browser: Browser;
  let phone: Page;
  let desk: Page;
  const sessions: SessionId[] = [];
  const faults: string[][] = [];

  before(async () => {
    world = await startWorld();
    const shell = await world.shell();
    for (const prompt of ["speak 300 1", "speak 300 1 "]) {
      const order = { agent: "demo" as AgentName, workspace: world.home, prompt };
      const { session } = await shell.call("session.create", order, newIntent());
      await shell.call("session.follow", { session, from: 1 });
      await shell.untilEntry(session, ({ fact }) => fact.kind === "turn.ended");
      sessions.push(session);
    }
    browser = await launchChromium();
    for (const look of [PHONE, DESKTOP]) {
      const context = await browser.newContext({
        ...look,
        ...(look === PHONE
          ? { userAgent: "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 Safari/604.1" }
          : {}),
      });
      context.setDefaultTimeout(WAIT_MS);
      const opened = await openPage(context, `http://127.0.0.1:${world.port}/`);
      const { link } = await shell.call("offer.make", {}, newIntent());
      await opened.page.goto(link);
      await opened.page.getByRole("button", { name: "Pair", exact: true }).click();
      await opened.page.waitForURL(/\/sessions$/u);
      faults.push(opened.faults);
      if (look === PHONE) phone = opened.page;
      else desk = opened.page;
    }
    shell.close();
  });
  after(async () => {
    await browser?.close();
    await world?.[Symbol.asyncDispose]();
  });

  const open = (session: SessionId | undefined): Promise<void> =>
    phone.locator(`a[href$="/${session}"]`).locator("visible=true").first().click();
  const back = async (): Promise<void> => {
    await phone.goto(`http://127.0.0.1:${world.port}/sessions`);
  };

  it("stay apart until the person says otherwise", async () => {
    await open(sessions[0]);
    await phone.waitForURL(new RegExp(`${sessions[0]}$`, "u"));
    await desk.getByText(/^Go where .* goes$/u).waitFor();
    assert.ok(desk.url().endsWith("/sessions"));
  });

  it("[E06] [E16] [E17] go together: the sidebar's selection follows the phone, and the newest words are in view", async () => {
    await desk.getByText(/^Go where .* goes$/u).click();
    await desk.waitForURL(new RegExp(`${sessions[0]}$`, "u"));
    await back();
    await open(sessions[1]);
    await desk.waitForURL(new RegExp(`${sessions[1]}$`, "u"));
    const chosen = desk.locator(`.sidebar a[href$="/${sessions[1]}"]`);
    await chosen.and(desk.locator("[aria-current=page]")).waitFor();
    await desk.locator(".words").last().waitFor();
    await desk.waitForFunction(() => {
      const words = [...document.querySelectorAll(".words")].at(-1)?.getBoundingClientRect();
      return words !== undefined && words.bottom <= innerHeight && words.bottom > 0;
    });
  });

  it("part again at once when it is turned off", async () => {
    await desk.getByText(/^Go where .* goes$/u).click();
    const shown = desk.url();
    await back();
    await open(sessions[0]);
    await phone.waitForURL(new RegExp(`${sessions[0]}$`, "u"));
    const shell = await world.shell();
    const { facts } = await shell.call("feed.follow", { from: 0 });
    const isThere = ({ fact }: FeedEntry): boolean => fact.kind === "device" && fact.device.viewing === sessions[0];
    if (!facts.some(isThere))
      await shell.until(() =>
        shell.messages.some((message) => message.t === "feed" && message.facts.some(isThere)) ? true : undefined,
      );
    shell.close();
    assert.equal(desk.url(), shown);
    assert.deepEqual(faults, [[], []]);
  });
});
