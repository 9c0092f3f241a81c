/** A phone's page against the real host: what is attached outlives a reload, and a rule made there is ended there. */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { AgentName, SessionId } from "@flybridge/protocol/ids.ts";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { type BareDevice, newIntent } from "./bare.ts";
import { launchChromium, openPage, PHONE } from "./browser.ts";
import { startWorld, type World } from "./world.ts";

/** A page on a busy machine takes its time. */
const WAIT_MS = 40_000;

const PNG = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAMAAAACCAIAAAASFvFNAAAAFElEQVR4nGNouDUBghgYGBiQKQBnlwZ5XkZSUAAAAABJRU5ErkJggg==",
  "base64",
);

describe("what goes with a prompt, and rules, on a phone", () => {
  let world: World;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let faults: string[];
  let shell: BareDevice;
  const session = newIntent() as string as SessionId;

  before(async () => {
    world = await startWorld();
    const workspace = join(world.home, "project");
    mkdirSync(join(workspace, "docs"), { recursive: true });
    writeFileSync(join(workspace, "docs", "tides.md"), "");
    browser = await launchChromium();
    context = await browser.newContext(PHONE);
    context.setDefaultTimeout(WAIT_MS);
    shell = await world.shell();
    const params = { agent: "demo" as AgentName, workspace, model: "demo-quick" };
    await shell.call("session.create", params, session as string as never);
    await shell.call("session.follow", { session, from: 1 });
    const { link } = await shell.call("offer.make", {}, newIntent());
    ({ page, faults } = await openPage(context, link));
    await page.getByRole("button", { name: "Pair", exact: true }).tap();
    await page.waitForURL(/\/sessions$/u);
    await page
      .getByRole("link", { name: /project/u })
      .first()
      .tap();
    await page.getByRole("textbox", { name: "Prompt" }).waitFor();
  });
  after(async () => {
    shell?.close();
    await browser?.close();
    await world?.[Symbol.asyncDispose]();
  });

  it("keeps a picture while the host is away, over a reload, and sends it when it is back", async () => {
    await page.setInputFiles(".composer input[type=file]", [{ name: "tide.png", mimeType: "image/png", buffer: PNG }]);
    await page.locator('.tray-item[data-state="ready"]').waitFor();
    shell.close();
    await world.kill();
    await page.getByRole("textbox", { name: "Prompt" }).fill("notice");
    await page.getByRole("button", { name: "Send" }).tap();
    await page.locator('.prompt[data-state="saved"] .attached-picture img').waitFor();
    await page.reload().catch(() => undefined);
    await world.restart();
    shell = await world.shell();
    await shell.call("session.follow", { session, from: 1 });
    const accepted = await shell.untilEntry(session, ({ fact }) => fact.kind === "prompt.accepted" && fact);
    assert.deepEqual(
      accepted.attachments?.map(({ name, size }) => [name, size]),
      [["tide.png", PNG.length]],
    );
    const { host } = await shell.call("host.read", {});
    await page.goto(`http://127.0.0.1:${world.port}/session/${host}/${session}`);
    await page.locator('.prompt[data-state="done"] .attached-picture img').waitFor();
    const width = await page.locator(".attached-picture img").evaluate((image: HTMLImageElement) => image.naturalWidth);
    assert.equal(width, 3, "the host gives it back");
    await shell.untilEntry(session, ({ fact }) => fact.kind === "turn.ended");
  });

  it("finds a file of the host's folder, and a command of the agent's", async () => {
    const field = page.getByRole("textbox", { name: "Prompt" });
    await field.tap();
    await page.keyboard.type("@tide");
    await page.getByRole("option", { name: "docs/tides.md" }).tap();
    assert.equal(await field.inputValue(), "@docs/tides.md ");
    await field.fill("");
    await page.keyboard.type("/as");
    await page.getByRole("option", { name: /\/ask/u }).tap();
    assert.equal(await field.inputValue(), "/ask ");
  });

  it("[E50] makes a rule, sees it answer, and revokes it", async () => {
    const card = page.getByRole("region", { name: "What needs you" });
    await page.getByRole("button", { name: "Send" }).tap();
    await card.getByRole("button", { name: "Other ways to allow" }).tap();
    await page.getByRole("menuitem", { name: /Always allow this exact request/u }).tap();
    await page.getByText(/and from now on without asking/u).waitFor();
    const turns = () => shell.entriesOf(session).filter(({ fact }) => fact.kind === "turn.ended").length;
    await shell.until(() => (turns() >= 2 ? true : undefined));
    await page.getByRole("textbox", { name: "Prompt" }).fill("ask");
    await page.getByRole("button", { name: "Send" }).tap();
    await page.getByText("allowed by a rule, without asking").waitFor();
    await shell.until(() => (turns() >= 3 ? true : undefined));
    await page.goto(`http://127.0.0.1:${world.port}/rules`);
    await page.getByText("used once", { exact: false }).waitFor();
    await page.getByRole("button", { name: "Revoke" }).tap();
    await page.getByRole("button", { name: "Revoke now" }).tap();
    await page.getByText("Everything is asked.").waitFor();
    assert.deepEqual((await shell.call("rule.list", {})).rules, []);
    assert.deepEqual(
      faults.filter((fault) => !/WebSocket|Failed to load|net::ERR/u.test(fault)),
      [],
    );
  });
});
