/** Remote in a real browser, in states that a real relay is seldom in. */
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { DESKTOP, inWorld, makeStage, PHONE, type Stage } from "../gallery/stage.contract.ts";

let stage: Stage;
before(async () => {
  stage = await makeStage();
});
afterEach(async () => await stage.clear());
after(async () => await stage[Symbol.asyncDispose]());

describe("the page of a host's relays", () => {
  it("says of each that refuses what to do, and does it", async () => {
    const { page, faults } = await stage.open("remote-refused", PHONE);
    const row = (name: string) => page.getByRole("listitem", { name });
    await row("relay-1.example").getByText("This relay takes who was invited").waitFor();
    assert.equal(await row("relay-1.example").getByRole("button", { name: "Use it" }).isDisabled(), true);
    await row("relay-2.example").getByText("somebody may have a copy of its keys").waitFor();
    await row("relay-3.example").getByText("takes nobody new").waitFor();
    await row("relay-4.example").getByText("knows itself by another address than https://relay-4.example").waitFor();
    await row("relay-2.example").getByRole("button", { name: "Sign in again" }).tap();
    await row("relay-2.example").getByText("Connected since").waitFor();
    const sent = await inWorld(page, (world) => world.intents.map(({ method, params }) => ({ method, params })));
    assert.deepEqual(sent, [{ method: "relay.add", params: { origin: "https://relay-2.example" } }]);
    assert.deepEqual(faults, []);
  });

  it("asks for an invitation once the relay does, and says when it did not help", async () => {
    const { page } = await stage.open("remote-none", DESKTOP);
    await page.getByLabel("Address of a relay").fill("https://invited.example");
    await page.keyboard.press("Enter");
    const invitation = page.getByLabel("Invitation");
    await invitation.fill("wrong");
    await invitation.press("Enter");
    await page.getByRole("alert").filter({ hasText: "did not take it" }).waitFor();
    await invitation.fill("open-sesame");
    await invitation.press("Enter");
    await page.getByText("Connected since").waitFor();
  });

  it("warns that the page itself comes by what is about to be removed", async () => {
    const { page } = await stage.open("remote-by-relay", PHONE);
    await page.getByText("connected to studio through https://relay.example").waitFor();
    await page.getByRole("button", { name: "Remove", exact: true }).tap();
    await page.getByText("This page comes by it, too").waitFor();
    await page.getByRole("button", { name: "Keep" }).tap();
    assert.deepEqual(await inWorld(page, (world) => world.intents), []);
  });

  it("keeps what is typed and opened while it looks again and again", async () => {
    const { page } = await stage.open("remote", DESKTOP);
    await page.getByText("Run one yourself").click();
    await page.getByLabel("Another relay").fill("https://half-typed");
    await page.getByRole("button", { name: "Remove", exact: true }).first().click();
    const looks = await inWorld(page, (world) => world.relays.looks);
    await page.waitForFunction((before) => (window.gallery?.world.relays.looks ?? 0) > before + 2, looks);
    assert.equal(await page.getByLabel("Another relay").inputValue(), "https://half-typed");
    await page.getByText("flybridge relay --help").waitFor();
    await page.getByRole("button", { name: "Remove now" }).waitFor();
  });

  it("lets an account that is not this device's in no more, in two steps", async () => {
    const { page } = await stage.open("remote-other-account", PHONE);
    await page.getByText("Its key: kkkk kkkk kkkk kkkk").waitFor();
    await page.getByRole("button", { name: "Let no more in" }).tap();
    await page.getByRole("button", { name: "Let no more in now" }).tap();
    await page.getByText("your devices find this host by themselves").waitFor();
    const sent = await inWorld(page, (world) => world.intents.map(({ method, params }) => ({ method, params })));
    assert.deepEqual(sent, [{ method: "account.distrust", params: { origin: "https://relay.example" } }]);
  });
});
