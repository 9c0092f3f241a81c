/**
 * One session shared, seen as people see it: a desktop that shares, a phone that joins and answers, real browsers, the
 * real host, the real Claude Code, a faked model. Then the ends of it: revoked, left, ended.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import type { AgentName, SessionId } from "@flybridge/protocol/ids.ts";
import type { Verb } from "@flybridge/protocol/grant.ts";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import decodeQR from "qr/decode.js";
import { type Anthropic, startAnthropic } from "./anthropic.ts";
import { type BareDevice, newIntent } from "./bare.ts";
import { DESKTOP, launchChromium, openPage, PHONE } from "./browser.ts";
import { claudeEnv, findClaude } from "./claude.ts";
import { startWorld, type World } from "./world.ts";

const WAIT_MS = 30_000;
/** From the end of the command to the guest's screen. */
const CUT_MS = 1_000;
const TABLET: BrowserContextOptions = { viewport: { width: 834, height: 1112 }, hasTouch: true, deviceScaleFactor: 2 };
const CLI = join(import.meta.dirname, "..", "cli", "main.ts");
/** Side of a module of a code as this test photographs it, in pixels. */
const MODULE_PX = 4;

const run = promisify(execFile);

describe("one session, shared", () => {
  let model: Anthropic;
  let world: World;
  let browser: Browser;
  let shell: BareDevice;
  let session: SessionId;
  const faults: string[][] = [];

  before(async () => {
    const claude = findClaude();
    assert.ok(claude, "Claude Code is not here; `npm test` brings it");
    model = await startAnthropic();
    const { HOME: _, ...env } = claudeEnv({ home: "", url: model.url });
    world = await startWorld({ env: { ...env, PATH: `${dirname(claude)}:${process.env["PATH"]}` } });
    const project = join(world.home, "project");
    mkdirSync(project);
    shell = await world.shell();
    const begun = await shell.call(
      "session.create",
      { agent: "claude" as AgentName, workspace: project, prompt: "[[text The tide is coming in.]]" },
      newIntent(),
    );
    session = begun.session;
    await shell.call("session.create", { agent: "demo" as AgentName, workspace: project }, newIntent());
    browser = await launchChromium();
  });
  after(async () => {
    await browser?.close();
    shell?.close();
    await world?.[Symbol.asyncDispose]();
    await model?.close();
  });

  const home = (): string => `http://127.0.0.1:${world.port}/`;
  const fresh = async (look: BrowserContextOptions): Promise<Page> => {
    const context = await browser.newContext(look);
    context.setDefaultTimeout(WAIT_MS);
    const opened = await openPage(context, home());
    faults.push(opened.faults);
    return opened.page;
  };
  const owner = async (look: BrowserContextOptions): Promise<Page> => {
    const page = await fresh(look);
    await page.goto((await shell.call("offer.make", {}, newIntent())).link);
    await page.getByRole("button", { name: "Pair", exact: true }).click();
    await page.waitForURL(/\/sessions$/u);
    return page;
  };
  const shared = async (verbs: Verb[], life?: number): Promise<string> =>
    (await shell.call("session.share", { session, verbs, ...(life === undefined ? {} : { life }) }, newIntent())).link;
  const joins = async (page: Page, link: string): Promise<void> => {
    await page.goto(link);
    await page.getByRole("button", { name: "Join session" }).click();
    await page.getByText(/^Shared by test host until/u).waitFor();
  };
  const card = (page: Page) => page.getByRole("region", { name: "What needs you" });
  const said = (page: Page, text: string) => page.locator(".words", { hasText: text }).first().waitFor();
  const prompt = (text: string) =>
    shell.call("session.prompt", { session, text, delivery: "queue" }, newIntent()).then(() => undefined);
  const over = (page: Page, reason: string) => page.locator(`.over[data-reason="${reason}"]`);
  const guests = async () =>
    (await shell.call("device.list", {})).devices.filter(({ grant }) => grant.kind === "session");

  describe("from the desktop to a phone", () => {
    let desk: Page;
    let phone: Page;
    let link: string;

    it("[C03] [C04] [C05] [C22] [C23] [A16] [A36] is offered in its own view, in words; the code is small, and hidden until revealed", async () => {
      desk = await owner(DESKTOP);
      await desk.goto(`${home()}sessions`);
      await desk
        .getByRole("link", { name: /The tide/u })
        .first()
        .click();
      await said(desk, "The tide is coming in.");
      await desk.getByRole("button", { name: "Share this session" }).click();
      const sheet = desk.getByRole("dialog", { name: "Share this session" });
      await sheet.getByText("Watch and answer", { exact: true }).click();
      await sheet.getByRole("radio", { name: "1 hour" }).click();
      await sheet.getByRole("button", { name: "Make a code" }).click();
      await sheet.getByText("Treat it like a password: who opens it first may watch and answer.").waitFor();
      await sheet.getByText(/works for [45] min more/u).waitFor();
      assert.equal(await sheet.getByRole("img").count(), 0, "nothing to photograph before it is revealed");
      assert.equal(await sheet.getByLabel("Link", { exact: true }).count(), 0);
      await sheet.getByRole("button", { name: "Reveal the code" }).click();
      link = await sheet.getByLabel("Link", { exact: true }).innerText();
      const code = await codeOf(desk);
      assert.equal(decodeQR(code.picture), link);
      assert.ok(code.modules <= 17 + 4 * 10, `${code.modules} modules: larger than version 10`);
      assert.match(link, /\/join#flybridge:/u);
      const { offers } = await shell.call("offer.list", {});
      assert.deepEqual(
        offers.map(({ grant }) => grant.kind === "session" && [grant.session, grant.verbs]),
        [[session, ["read", "detach", "answer"]]],
      );
    });

    it("[C01] [C10] [C17] [C29] is joined with one tap, and nothing else is asked or seen", async () => {
      phone = await fresh(PHONE);
      await phone.goto(link);
      await phone.getByRole("heading", { name: "Join this session?" }).waitFor();
      assert.equal(phone.url(), `${home()}join`, "the secret is gone from the address at once");
      assert.equal(await phone.getByRole("textbox").count(), 0, "no name, no account, nothing to fill in");
      assert.deepEqual(await guests(), [], "nothing happens before the tap");
      await phone.getByRole("button", { name: "Join session" }).tap();
      await said(phone, "The tide is coming in.");
      await phone.getByText(/^Shared by test host until/u).waitFor();
      await phone.getByText("You may watch and answer", { exact: true }).waitFor();
      assert.equal(await phone.getByRole("navigation").count(), 0);
      assert.deepEqual(await phone.getByRole("link").allInnerTexts(), ["To the content"]);
      await phone.goto(`${home()}devices`);
      await said(phone, "The tide is coming in.");
      await phone.keyboard.press("n");
      assert.equal(await phone.getByRole("dialog").count(), 0);
      assert.doesNotMatch(await phone.locator("body").innerText(), /New session|Inbox|Devices/u);
    });

    it("[C02] is listed at the owner's: who has it, what it may, until when, and that it watches", async () => {
      const sheet = desk.getByRole("dialog", { name: "Share this session" });
      await sheet.getByText(/has joined$/u).waitFor();
      const row = sheet.getByRole("listitem").filter({ hasText: "watching now" });
      await row.getByText(/^may watch and answer, until/u).waitFor();
      await sheet.getByRole("button", { name: "Close" }).click();
      const second = await fresh(PHONE);
      await second.goto(link);
      await second.getByRole("button", { name: "Join session" }).tap();
      await second.getByRole("alert").filter({ hasText: "used before" }).waitFor();
      await second.context().close();
    });

    it("[C11] [C12] [C14] follows what is said, and answers once: what is asked, not for longer, and no prompts", async () => {
      await desk.getByLabel("Prompt", { exact: true }).fill(runs("from the phone"));
      await desk.getByRole("button", { name: "Send", exact: true }).click();
      await card(phone).getByText("echo from the phone").first().waitFor();
      assert.equal(await card(desk).getByRole("button", { name: "Other ways to allow" }).count(), 1);
      assert.equal(await card(phone).getByRole("button", { name: "Other ways to allow" }).count(), 0);
      assert.equal(await phone.getByLabel("Prompt", { exact: true }).count(), 0);
      await card(phone).getByRole("button", { name: "Allow once" }).tap();
      for (const page of [phone, desk]) await said(page, "Last result: from the phone");
    });

    it("[C08] goes on when the desktop is closed", async () => {
      await desk.context().close();
      await prompt(runs("still here"));
      await card(phone).getByRole("button", { name: "Allow once" }).tap();
      await said(phone, "Last result: still here");
    });

    it("[C26] comes back after a reload, with what its grant says and nothing more", async () => {
      await phone.reload();
      await said(phone, "Last result: still here");
      await phone.getByText("You may watch and answer", { exact: true }).waitFor();
      assert.equal(await phone.getByRole("navigation").count(), 0);
    });

    it("[C30] [E44] is cut within a second when it is revoked from the shell, says why, and says so after a reload", async () => {
      const [guest] = await guests();
      assert.ok(guest);
      await run(process.execPath, [CLI, "revoke", guest.device.slice(0, 12), "--yes"], {
        env: { ...process.env, FLYBRIDGE_HOME: world.state },
      });
      const told = over(phone, "revoked");
      await told.getByRole("heading", { name: "No longer shared with you" }).waitFor({ timeout: CUT_MS });
      await told.getByText(/taken back on test host at/u).waitFor();
      await phone.reload();
      await told.getByText(/taken back on test host at/u).waitFor();
      assert.equal(await phone.locator(".words").count(), 0);
      await phone.getByRole("button", { name: "Forget it on this device" }).tap();
      await phone.getByRole("button", { name: "Scan the code" }).waitFor();
      await phone.context().close();
    });
  });

  for (const [name, look] of [
    ["tablet", TABLET],
    ["desktop", DESKTOP],
  ] as const)
    it(`[C31] [C15] [C14] works on a ${name}: watches, answers, prompts, leaves; the session goes on`, async () => {
      const page = await fresh(look);
      await joins(page, await shared(["read", "answer", "prompt", "detach"]));
      await page.getByText("You may watch, answer and send prompts", { exact: true }).waitFor();
      assert.equal(await page.getByRole("navigation").count(), 0);
      await page.getByLabel("Prompt", { exact: true }).fill(runs(`from the ${name}`));
      await page.getByRole("button", { name: "Send", exact: true }).click();
      await card(page).getByRole("button", { name: "Allow once" }).click();
      await said(page, `Last result: from the ${name}`);
      await page.getByRole("button", { name: "Leave", exact: true }).click();
      await page.getByRole("dialog").getByRole("button", { name: "Leave it" }).click();
      await over(page, "detached").getByRole("heading", { name: "You left the session" }).waitFor();
      assert.deepEqual(await guests(), []);
      const { sessions } = await shell.call("session.list", {});
      assert.notEqual(sessions.find((one) => one.session === session)?.status.kind, "ended");
      await page.reload();
      await over(page, "detached").waitFor();
      await joins(page, await shared(["read", "detach"]));
      await page.getByText("You may watch", { exact: true }).waitFor();
      await page.context().close();
      await revokeGuests();
    });

  it("[C13] [C20] shows a terminal to who watches and takes no key from it; takes the keys of who may type", async () => {
    const opened = await shell.call(
      "session.create",
      { agent: "terminal" as AgentName, workspace: world.home, command: ["cat"] },
      newIntent(),
    );
    const before = session;
    session = opened.session;
    const watcher = await fresh(PHONE);
    await joins(watcher, await shared(["read", "detach"]));
    const typist = await fresh(DESKTOP);
    await joins(typist, await shared(["read", "input", "detach"]));
    for (const page of [watcher, typist]) await page.locator(".term-holder .xterm").waitFor();
    assert.equal(await watcher.getByRole("toolbar", { name: "Keys" }).count(), 0);
    await watcher.locator(".xterm-helper-textarea").focus();
    await watcher.keyboard.type("unseen");
    await typist.locator(".xterm-helper-textarea").focus();
    await typist.keyboard.type("typed here\n");
    const lines = async (): Promise<string> => (await shell.call("terminal.page", { session })).lines.join("\n");
    const text = (page: Page) => page.getByRole("button", { name: "Text to select and copy" });
    await text(watcher).tap();
    await watcher.getByText("typed here").first().waitFor();
    assert.doesNotMatch(await lines(), /unseen/u);
    await shell.call("session.stop", { session }, newIntent());
    for (const page of [watcher, typist]) await over(page, "session_ended").waitFor();
    session = before;
    await watcher.context().close();
    await typist.context().close();
  });

  it("[C09] says that the session ended, and what was seen last stays readable", async () => {
    const page = await fresh(PHONE);
    await joins(page, await shared(["read", "detach"]));
    await said(page, "Last result: from the desktop");
    await shell.call("session.stop", { session }, newIntent());
    await over(page, "session_ended").getByRole("heading", { name: "The session has ended" }).waitFor();
    assert.deepEqual(await guests(), []);
    await page.reload();
    await page.getByRole("button", { name: "Read what was said" }).tap();
    await said(page, "Last result: from the desktop");
    await page.getByText("As it was last seen. Nothing can be sent from here.").waitFor();
    await page.context().close();
  });

  it("nothing broke the page's policy or threw", () => {
    assert.deepEqual(faults.flat(), []);
  });

  async function revokeGuests(): Promise<void> {
    for (const { device } of await guests()) await shell.call("device.revoke", { device }, newIntent());
  }
});

/** A prompt by which the model wants to run what it has to ask for, which then says `words`. */
function runs(words: string): string {
  return `[[tool Bash {"command":"touch said.txt && echo ${words}","description":"Say it"}]]`;
}

/** The code on a page as a camera sees it, from what is drawn. */
async function codeOf(
  page: Page,
): Promise<{ modules: number; picture: { width: number; height: number; data: Uint8Array } }> {
  const { side, dark } = await page.locator("svg.qr").evaluate((svg) => ({
    side: Number(svg.getAttribute("viewBox")?.split(" ")[2]),
    dark: svg.querySelector(".qr-dark")?.getAttribute("d") ?? "",
  }));
  const width = side * MODULE_PX;
  const data = new Uint8Array(width * width * 4).fill(255);
  const xs: number[] = [];
  for (const [, x, y] of dark.matchAll(/M(\d+) (\d+)h1v1h-1z/gu)) {
    xs.push(Number(x));
    for (let line = 0; line < MODULE_PX; line++) {
      const at = (Number(y) * MODULE_PX + line) * width + Number(x) * MODULE_PX;
      for (let pixel = 0; pixel < MODULE_PX; pixel++) data.fill(0, (at + pixel) * 4, (at + pixel) * 4 + 3);
    }
  }
  return { modules: Math.max(...xs) - Math.min(...xs) + 1, picture: { width, height: width, data } };
}
