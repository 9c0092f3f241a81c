/** A host that lets nobody in without a person: the digits on the phone, the dialog at the owner's, and each way it ends. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { AgentName } from "@flybridge/protocol/ids.ts";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { type BareDevice, newIntent } from "./bare.ts";
import { DESKTOP, launchChromium, openPage, PHONE } from "./browser.ts";
import { startWorld, type World } from "./world.ts";

const WAIT_MS = 30_000;

describe("a device that has to be let in", () => {
  let world: World;
  let browser: Browser;
  let shell: BareDevice;
  let desk: Page;
  const faults: string[][] = [];

  before(async () => {
    world = await startWorld({ args: ["--confirm", "always"] });
    shell = await world.shell();
    browser = await launchChromium();
    desk = await fresh(DESKTOP);
    const digits = await asked(desk, "Desk");
    const [waits] = (await shell.call("pairing.list", {})).pairings;
    assert.ok(waits);
    await shell.call("pairing.confirm", { pairing: waits.pairing, digits }, newIntent());
    await desk.waitForURL(/\/sessions$/u);
  });
  after(async () => {
    await browser?.close();
    shell?.close();
    await world?.[Symbol.asyncDispose]();
  });

  const fresh = async (look: BrowserContextOptions): Promise<Page> => {
    const context = await browser.newContext(look);
    context.setDefaultTimeout(WAIT_MS);
    const opened = await openPage(context, `http://127.0.0.1:${world.port}/`);
    faults.push(opened.faults);
    return opened.page;
  };
  const link = async (): Promise<string> => (await shell.call("offer.make", {}, newIntent())).link;
  /** The digits that the page shows once it has used a link. */
  const asked = async (page: Page, name: string): Promise<string> => {
    await page.goto(await link());
    await page.getByLabel("Name of this device").fill(name);
    await page.getByRole("button", { name: "Pair", exact: true }).click();
    await page.getByRole("heading", { name: "Type these at the host" }).waitFor();
    return (await page.locator(".digits-shown").innerText()).replaceAll(/\D/gu, "");
  };
  const dialog = () => desk.getByRole("dialog", { name: "Let this device in?" });
  const names = async (): Promise<string[]> =>
    (await shell.call("device.list", {})).devices.map(({ name }) => name).sort();
  const events = async (): Promise<string[]> =>
    (await shell.call("audit.list", {})).rows.map(({ event, detail }) => `${event} ${detail}`);

  it("[E09] [A01] [E10] is asked about on whatever screen the owner looks at, and let in by the digits that it shows", async () => {
    await desk.getByRole("link", { name: "Inbox" }).first().click();
    const phone = await fresh(PHONE);
    const digits = await asked(phone, "Ada's phone");
    assert.match(digits, /^\d{6}$/u);
    await dialog().getByText("Ada's phone").waitFor();
    await dialog()
      .getByText("Desktop · a browser on the host")
      .or(dialog().getByText("Phone · a browser on the host"))
      .waitFor();
    assert.ok(!(await names()).includes("Ada's phone"), "it is not in before");
    assert.ok(await dialog().getByRole("button", { name: "Let it in" }).isDisabled(), "not without digits");
    await desk.keyboard.type(`${digits.slice(0, 3)} ${digits.slice(3)}`);
    await desk.keyboard.press("Enter");
    await desk.getByText("Ada's phone is in").waitFor();
    await phone.waitForURL(/\/sessions$/u);
    assert.ok((await names()).includes("Ada's phone"));
  });

  it("[E09] [A27] is turned away by other digits: one attempt, both are told, and its link is used up", async () => {
    const phone = await fresh(PHONE);
    const digits = await asked(phone, "A stranger");
    await dialog()
      .getByLabel("The six digits that it shows")
      .fill(String((Number(digits) + 1) % 1_000_000).padStart(6, "0"));
    await dialog().getByRole("button", { name: "Let it in" }).click();
    await dialog().getByRole("alert").filter({ hasText: "so it was turned away and its link is used up" }).waitFor();
    await phone.getByRole("alert").filter({ hasText: "This device was not let in" }).waitFor();
    assert.ok(!(await names()).includes("A stranger"));
    assert.ok((await events()).some((one) => /^pairing\.refused .*A stranger/u.test(one)));
    assert.deepEqual((await shell.call("offer.list", {})).offers, []);
    await dialog().getByRole("button", { name: "Close", exact: true }).last().click();
    await dialog().waitFor({ state: "detached" });
  });

  it("[E09] is turned away by Refuse, also when it was put aside first and looked at again under Devices", async () => {
    const phone = await fresh(PHONE);
    await asked(phone, "Not mine");
    await dialog().getByText("Not mine").waitFor();
    await desk.keyboard.press("Escape");
    await dialog().waitFor({ state: "detached" });
    await desk.getByRole("link", { name: "Devices" }).first().click();
    await desk
      .getByRole("listitem")
      .filter({ hasText: "waits to be let in" })
      .getByRole("button", { name: "Look" })
      .click();
    await dialog().getByRole("button", { name: "Refuse" }).click();
    await desk.getByText("Not mine was turned away").waitFor();
    await phone.getByRole("alert").filter({ hasText: "This device was not let in" }).waitFor();
    assert.ok(!(await names()).includes("Not mine"));
  });

  it("[E09] is not let in when nobody answers: it went, and the owner is told so", async () => {
    const phone = await fresh(PHONE);
    await asked(phone, "Gone again");
    await dialog().getByText("Gone again").waitFor();
    await phone.context().close();
    await dialog().getByRole("alert").filter({ hasText: "It does not wait any more" }).waitFor();
    await dialog().getByRole("button", { name: "Close", exact: true }).last().click();
    assert.ok(!(await names()).includes("Gone again"));
    assert.ok((await events()).some((one) => /^pairing\.expired .*Gone again/u.test(one)));
  });

  it("[C29] does not wait where one session was shared with it: the owner has chosen what it gets", async () => {
    const { session } = await shell.call(
      "session.create",
      { agent: "demo" as AgentName, workspace: world.home },
      newIntent(),
    );
    const offer = await shell.call("session.share", { session, verbs: ["read", "detach"] }, newIntent());
    const phone = await fresh(PHONE);
    await phone.goto(offer.link);
    await phone.getByRole("button", { name: "Join session" }).tap();
    await phone.getByText(/^Shared by test host until/u).waitFor();
    await phone.context().close();
  });

  it("[A28] [A39] [A31] all others are cut off at once from the page, and a new code lets one in again", async () => {
    const phone = await fresh(PHONE);
    const digits = await asked(phone, "Lost phone");
    await dialog().getByLabel("The six digits that it shows").fill(digits);
    await dialog().getByRole("button", { name: "Let it in" }).click();
    await phone.waitForURL(/\/sessions$/u);
    const open = await link();
    await desk.getByRole("link", { name: "Inbox" }).first().click();
    await desk.getByRole("link", { name: "Devices" }).first().click();
    await desk.getByText("Open invitations").waitFor();
    await desk.getByRole("button", { name: "Cut off all others" }).click();
    await desk.getByRole("button", { name: "Cut all off now" }).click();
    await phone.getByText("test host no longer lets this device in. Pair it again to go on.").first().waitFor();
    assert.deepEqual(
      (await names()).filter((name) => !/shell/u.test(name)),
      ["Desk"],
    );
    await phone.goto(open);
    await phone.getByRole("button", { name: "Pair", exact: true }).tap();
    await phone.getByRole("alert").filter({ hasText: "This device was not let in" }).waitFor();
    const again = await asked(phone, "Found phone");
    await dialog().getByLabel("The six digits that it shows").fill(again);
    await dialog().getByRole("button", { name: "Let it in" }).click();
    await phone.waitForURL(/\/sessions$/u);
  });

  it("nothing broke the page's policy or threw", () => {
    assert.deepEqual(faults.flat(), []);
  });
});
