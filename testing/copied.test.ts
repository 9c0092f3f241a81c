/** Somebody copies what a guest's browser keeps: neither copy comes in any more, and the owner is told. */
import assert from "node:assert/strict";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, it } from "node:test";
import type { AgentName } from "@flybridge/protocol/ids.ts";
import { type BrowserContext, chromium } from "playwright-core";
import { type BareDevice, newIntent } from "./bare.ts";
import { chromiumPath, DESKTOP, openPage, PHONE } from "./browser.ts";
import { startWorld, type World } from "./world.ts";

const WAIT_MS = 30_000;

let world: World;
let shell: BareDevice;
const folder = mkdtempSync(join(tmpdir(), "flybridge-copied-"));
const open: BrowserContext[] = [];

before(async () => {
  world = await startWorld();
  shell = await world.shell();
});
after(async () => {
  for (const context of open) await context.close();
  shell?.close();
  await world?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
});

/** A browser with a profile of its own; what it keeps lies in the folder. */
async function browserOf(profile: string, look = PHONE) {
  const context = await chromium.launchPersistentContext(join(folder, profile), {
    executablePath: chromiumPath(),
    args: ["--no-sandbox", "--disable-background-networking", "--disk-cache-size=1"],
    ...look,
  });
  context.setDefaultTimeout(WAIT_MS);
  open.push(context);
  return { context, ...(await openPage(context, `http://127.0.0.1:${world.port}/`)) };
}

it("[A24] [C27] a copy of a guest's profile is refused, the device suspended, and the owner told which it is", async () => {
  const { session } = await shell.call(
    "session.create",
    { agent: "demo" as AgentName, workspace: world.home },
    newIntent(),
  );
  const prompt = (text: string) => shell.call("session.prompt", { session, text, delivery: "queue" }, newIntent());
  const first = await browserOf("own");
  const { link } = await shell.call("session.share", { session, verbs: ["read", "detach"] }, newIntent());
  await first.page.goto(link);
  await first.page.getByRole("button", { name: "Join session" }).tap();
  await first.page.getByText(/^Shared by test host until/u).waitFor();
  await first.context.close();
  cpSync(join(folder, "own"), join(folder, "copied"), { recursive: true });

  // When the one that it was taken from has come in twice, the secret in the copy has had its day.
  const { page: own } = await browserOf("own");
  await prompt("Back once");
  await own.getByText("Back once").first().waitFor();
  await own.reload();
  await prompt("Back twice");
  await own.getByText("Back twice").first().waitFor();

  const { page: copy } = await browserOf("copied");
  for (const page of [own, copy])
    await page
      .locator('.over[data-reason="suspended"]')
      .getByRole("heading", { name: "Two copies of this device were seen" })
      .waitFor();
  assert.equal(await copy.getByText("Back twice").count(), 0, "the copy has seen nothing since");
  const [device] = (await shell.call("device.list", {})).devices.filter(({ grant }) => grant.kind === "session");
  assert.ok(device?.suspended);

  const { page: owner, faults } = await browserOf("owner", DESKTOP);
  await owner.goto((await shell.call("offer.make", {}, newIntent())).link);
  await owner.getByRole("button", { name: "Pair", exact: true }).click();
  await owner.waitForURL(/\/sessions$/u);
  await owner.getByRole("link", { name: "Devices" }).first().click();
  const row = owner.getByRole("listitem").filter({ hasText: "Suspended: two copies of it were seen" });
  await row.getByText(device.name).waitFor();
  await row.getByRole("button", { name: device.name }).click();
  await row.getByRole("button", { name: "Cut off", exact: true }).click();
  await row.getByRole("button", { name: "Cut off now" }).click();
  await row.waitFor({ state: "detached" });

  await owner.getByRole("link", { name: "Log" }).click();
  await owner.getByText(`Two copies of ${device.name} were seen: it is suspended.`).waitFor();
  await owner.getByRole("button", { name: "Verify" }).click();
  await owner.getByText(/and they are whole/u).waitFor();
  assert.deepEqual(faults, []);
});
