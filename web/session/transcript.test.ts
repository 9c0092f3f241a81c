/** The transcript in a real browser: what is being read does not move, what streams is followed, and it scrolls. */
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import type { Page } from "playwright-core";
import { DESKTOP, inWorld, makeStage, PHONE, type Stage } from "../gallery/stage.contract.ts";

/** Frames of a long transcript for each of a short one, at least: what else the machine does holds up both alike. */
const LEAST_SHARE = 0.25;
/** Script per streamed piece of text, in milliseconds, at most; a shared machine is allowed a lot of noise. */
const MOST_CHUNK_MS = 4;

let stage: Stage;
before(async () => {
  stage = await makeStage();
});
afterEach(async () => await stage.clear());
after(async () => await stage[Symbol.asyncDispose]());

const atEnd = (page: Page) =>
  page.waitForFunction(() => {
    const one = document.querySelector(".transcript");
    return one !== null && one.scrollHeight - one.scrollTop - one.clientHeight < 8;
  });
/** In a second of scrolling up and down near the end. */
const framesScrolled = (page: Page) =>
  page.evaluate(
    () =>
      new Promise<number>((resolve, reject) => {
        const scroller = document.querySelector(".transcript")!;
        const start = performance.now();
        let count = 0;
        const step = (): void => {
          const before = scroller.scrollTop;
          scroller.scrollBy(0, Math.floor(count / 25) % 2 === 0 ? -60 : 60);
          if (scroller.scrollTop === before) return reject(new Error(`stuck at ${before}`));
          count++;
          if (performance.now() - start < 1_000) requestAnimationFrame(step);
          else resolve(count);
        };
        requestAnimationFrame(step);
      }),
  );
const frames = (page: Page, count: number) =>
  page.evaluate(
    (wanted) =>
      new Promise<void>((resolve) => {
        let seen = 0;
        const next = (): void => void (++seen > wanted ? resolve() : requestAnimationFrame(next));
        next();
      }),
    count,
  );

describe("the transcript", () => {
  it("[A06] [E30] follows text as it streams, and what is finished stays as it was drawn", async () => {
    const { page, faults } = await stage.open("session-stream", PHONE);
    await atEnd(page);
    await page.locator(".words.open .markdown:not(.raw)").waitFor();
    for (let at = 0; at < 40; at++) {
      await inWorld(page, (world, text) => world.stream(text), ` piece **${at}** of it.${at % 4 === 3 ? "\n\n" : ""}`);
      await frames(page, 1);
    }
    await page.getByText("piece 39 of it.").waitFor();
    await atEnd(page);
    assert.equal(await page.locator(".words.open .markdown > div").count(), 10);
    assert.deepEqual(faults, []);
  });

  it("costs little script for each streamed piece", async () => {
    const { page } = await stage.open("session-stream", DESKTOP);
    await page.locator(".words.open .markdown:not(.raw)").waitFor();
    const spent = await inWorld(page, (world) => {
      const start = performance.now();
      for (let at = 0; at < 500; at++) world.stream(" word");
      return (performance.now() - start) / 500;
    });
    console.log(`script per streamed piece: ${spent.toFixed(3)} ms`);
    assert.ok(spent < MOST_CHUNK_MS, `${spent} ms`);
  });

  it("does not move what is being read; a pill counts what is new and leads there", async () => {
    const { page } = await stage.open("session-rich", DESKTOP);
    await atEnd(page);
    await page.locator(".transcript").hover();
    await page.mouse.wheel(0, -500);
    await page.getByRole("button", { name: "To the end" }).waitFor();
    const top = () => page.locator(".transcript").evaluate((one) => one.scrollTop);
    const before = await top();
    for (let at = 0; at < 3; at++)
      await inWorld(
        page,
        (world, n) =>
          world.append([{ kind: "notice", key: `new ${n}`, at: Date.now(), level: "info", text: `New ${n}` }]),
        at,
      );
    await page.getByRole("button", { name: "3 new" }).waitFor();
    assert.equal(await top(), before);
    await page.getByRole("button", { name: "3 new" }).click();
    await atEnd(page);
    await page.getByText("New 2").waitFor();
  });

  it("loads older pages without moving what is read", async () => {
    const { page } = await stage.open("session-pages", DESKTOP);
    await atEnd(page);
    await page.locator(".transcript").hover();
    const where = () =>
      page.evaluate(() => {
        const frame = document.querySelector(".transcript")!.getBoundingClientRect();
        const line = [...document.querySelectorAll(".transcript-line")].find(
          (one) => one.getBoundingClientRect().top > frame.top + 60,
        );
        return { text: line?.textContent?.slice(0, 24), top: line?.getBoundingClientRect().top };
      });
    const rows = () => inWorld(page, (world) => world.session().value.rows.length);
    while ((await rows()) === 120) {
      await page.mouse.wheel(0, -900);
      await frames(page, 3);
    }
    const before = await where();
    await page.waitForFunction(() => window.gallery?.world.session().value.loadingOlder === false);
    await frames(page, 10);
    assert.ok((await rows()) >= 320);
    const now = await page.evaluate(
      (text) =>
        [...document.querySelectorAll(".transcript-line")]
          .find((one) => one.textContent?.startsWith(text ?? "?"))
          ?.getBoundingClientRect().top,
      before.text,
    );
    assert.ok(
      now !== undefined && Math.abs(now - before.top!) < 40,
      `${before.text} moved from ${before.top} to ${now}`,
    );
  });

  it("scrolls 50,000 rows as it scrolls 120, with the processor slowed four times", async () => {
    const opened = [];
    for (const state of ["session-pages", "session-long"]) {
      const { page, faults } = await stage.open(state, DESKTOP);
      await atEnd(page);
      await page.locator(".transcript").hover();
      await page.mouse.wheel(0, -100);
      const session = await page.context().newCDPSession(page);
      await session.send("Emulation.setCPUThrottlingRate", { rate: 4 });
      opened.push({ page, faults, session, frames: 0 });
    }
    for (let round = 0; round < 3; round++) for (const one of opened) one.frames += await framesScrolled(one.page);
    for (const { session } of opened) await session.detach();
    const [short, long] = opened;
    assert.ok(short && long);
    const drawn = await long.page.locator(".transcript-line").count();
    console.log(`scrolling 120 rows: ${short.frames} frames; 50,000 rows: ${long.frames}, ${drawn} lines drawn`);
    assert.ok(long.frames > short.frames * LEAST_SHARE, `${long.frames} frames for ${short.frames}`);
    assert.ok(drawn < 200);
    assert.deepEqual([...short.faults, ...long.faults], []);
  });
});

describe("the composer", () => {
  it("[A05] [E31] sends with Enter where there is a keyboard, and shows the state of the prompt", async () => {
    const { page } = await stage.open("session-fresh", DESKTOP);
    const field = page.getByRole("textbox", { name: "Prompt" });
    // The field is loaded after the page: until it has the focus, letters are shortcuts.
    await field.waitFor();
    await page.keyboard.press("p");
    await page.waitForFunction(() => document.activeElement?.tagName === "TEXTAREA");
    await page.keyboard.type("Fix it");
    await page.keyboard.press("Shift+Enter");
    await page.keyboard.type("please");
    await page.keyboard.press("Enter");
    await page.locator(".prompt").filter({ hasText: "Fix it\nplease" }).filter({ hasText: "done" }).waitFor();
    assert.deepEqual(
      await inWorld(page, (world) =>
        world.intents.map((one) => [
          one.method,
          (one.params as { text: string; delivery: string }).text,
          (one.params as { delivery: string }).delivery,
        ]),
      ),
      [["session.prompt", "Fix it\nplease", "queue"]],
    );
  });

  it("makes a new line with Enter on a phone, steers, withdraws what waits, and stops the turn", async () => {
    const { page } = await stage.open("session-running", PHONE);
    const field = page.getByRole("textbox", { name: "Prompt" });
    await field.tap();
    await page.keyboard.type("a");
    await page.keyboard.press("Enter");
    await page.keyboard.type("b");
    assert.equal(await field.inputValue(), "a\nb");
    await page.getByRole("radio", { name: "Steer" }).tap();
    await page.getByRole("button", { name: "Send" }).tap();
    await page.getByRole("list", { name: "Waiting prompts" }).getByText("a b").waitFor();
    await page.getByRole("list", { name: "Waiting prompts" }).getByRole("button", { name: "Withdraw" }).first().tap();
    await page.getByRole("button", { name: "Stop the turn" }).tap();
    const sent = await inWorld(page, (world) =>
      world.intents.map((one) => [one.method, (one.params as { delivery?: string }).delivery ?? ""]),
    );
    assert.deepEqual(sent, [
      ["session.prompt", "steer"],
      ["session.withdraw", ""],
      ["session.interrupt", ""],
    ]);
  });

  it("saves a prompt while the host is away and says so; a draft outlives a reload", async () => {
    const { page } = await stage.open("session-offline", PHONE);
    await page.getByText(/studio has not answered since/).waitFor();
    await page.getByRole("textbox", { name: "Prompt" }).fill("When you are back");
    await page.getByRole("button", { name: "Send" }).tap();
    await page.locator(".prompt[data-state=saved]").filter({ hasText: "When you are back" }).waitFor();
    await page.getByRole("textbox", { name: "Prompt" }).fill("half a thought");
    await page.reload();
    await page.waitForFunction(
      () => document.querySelector<HTMLTextAreaElement>("[data-composer]")?.value === "half a thought",
    );
  });
});
