import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { formatConnection } from "@flybridge/protocol/offer.ts";
import { makeStage, PHONE, type Stage } from "../gallery/stage.contract.ts";

const offerAt = (host: string): string =>
  formatConnection({
    addresses: [{ host, port: 7683 }],
    offer: new Uint8Array(8),
    secret: new Uint8Array(32),
    hostKey: new Uint8Array(32),
    name: "studio",
  });

let stage: Stage;
before(async () => {
  stage = await makeStage();
});
afterEach(async () => await stage.clear());
after(async () => await stage[Symbol.asyncDispose]());

describe("pairing", () => {
  it("[A18] takes a pasted string, shows whose it is, and pairs only after a tap", async () => {
    const { page, faults } = await stage.open("inbox-empty", PHONE);
    await page.getByRole("link", { name: "Devices" }).tap();
    await page.getByRole("link", { name: "Pair with another host" }).tap();
    await page.getByLabel("Connection string").fill(`  ${offerAt("studio.local")}  `);
    await page.getByRole("button", { name: "Continue" }).tap();
    await page.getByRole("heading", { name: "Pair with this host?" }).waitFor();
    await page.getByText("studio.local").waitFor();
    await page.getByText("AAAA AAAA AAAA AAAA").waitFor();
    await page.getByRole("button", { name: "Pair", exact: true }).tap();
    await page.getByRole("heading", { level: 1, name: "Sessions" }).waitFor();
    assert.deepEqual(faults, []);
  });

  const wrong: [string, string, RegExp][] = [
    ["nothing", "", /There is nothing here/],
    ["another scheme", "https://example.com", /must start with flybridge:/],
    ["no token", "flybridge://studio.local", /no pairing token/],
    ["a damaged token", "flybridge://studio.local/abc.def.ghi", /damaged or cut short/],
    ["a port that is none", offerAt("x").replace("://x", "://x:99999"), /not a number from 1 to 65535/],
  ];
  for (const [what, string, says] of wrong)
    it(`[A18] says what is wrong with ${what}`, async () => {
      const { page } = await stage.open("pair", PHONE);
      await page.getByLabel("Connection string").fill(string);
      await page.getByRole("button", { name: "Continue" }).tap();
      await page.getByRole("alert").filter({ hasText: says }).waitFor();
    });

  it("says that a code was used already, and lets one try again", async () => {
    const { page } = await stage.open("pair-again", PHONE);
    await page.getByLabel("Connection string").fill(offerAt("used.local"));
    await page.getByRole("button", { name: "Continue" }).tap();
    await page.getByRole("button", { name: "Pair", exact: true }).tap();
    await page.getByRole("alert").filter({ hasText: "it was used already" }).waitFor();
    await page.getByRole("button", { name: "Try again" }).waitFor();
  });

  it("[A42] asks for the camera at the tap on Scan, not before", async () => {
    const { page } = await stage.open("pair", PHONE);
    await page.evaluate(() => {
      const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
      Object.assign(window, { asked: 0 });
      navigator.mediaDevices.getUserMedia = (wanted) => {
        (window as unknown as { asked: number }).asked++;
        return real(wanted);
      };
    });
    const state = () =>
      page.evaluate(async () => [
        (await navigator.permissions.query({ name: "camera" as PermissionName })).state,
        (window as unknown as { asked: number }).asked,
      ]);
    const [before, asked] = await state();
    assert.deepEqual([before, asked], ["prompt", 0]);
    await page.getByRole("button", { name: "Scan the code" }).tap();
    await page.waitForFunction(() => (window as unknown as { asked: number }).asked === 1);
  });
});
