/** Writing a prompt in a real browser: what goes with it, files and commands that are offered, what is refused and why. */
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import type { Upload } from "@flybridge/protocol/attachment.ts";
import type { Page } from "playwright-core";
import { DESKTOP, inWorld, makeStage, PHONE, type Stage } from "../gallery/stage.contract.ts";
import { commandsLike, mentionOf, typedAt } from "./mention.ts";

const PNG = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAMAAAACCAIAAAASFvFNAAAAFElEQVR4nGNouDUBghgYGBiQKQBnlwZ5XkZSUAAAAABJRU5ErkJggg==",
  "base64",
);

let stage: Stage;
before(async () => {
  stage = await makeStage();
});
afterEach(async () => await stage.clear());
after(async () => await stage[Symbol.asyncDispose]());

const field = (page: Page) => page.getByRole("textbox", { name: "Prompt" });
const tray = (page: Page) => page.locator(".composer .tray-item");
const sent = (page: Page) =>
  inWorld(page, (world) =>
    world.intents
      .filter((one) => one.method === "session.prompt")
      .map((one) => one.params as { text: string; attachments?: Upload[] }),
  );
const attach = (page: Page, files: { name: string; mimeType: string; buffer: Buffer }[]) =>
  page.setInputFiles(".composer input[type=file]", files);

/** Large things are made in the page and dropped there: to send them in takes longer than all else. */
const drop = (page: Page, files: readonly { name: string; type: string; size: number }[]) =>
  page.evaluate((all) => {
    const transfer = new DataTransfer();
    for (const { name, type, size } of all)
      transfer.items.add(new File([new Uint8Array(size).fill(7)], name, { type }));
    document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true }));
  }, files);

/** A picture of noise, which no format makes small; gives its bytes. */
const dropNoise = (page: Page, name: string, width: number, height: number) =>
  page.evaluate(
    async ([file, w, h]) => {
      const canvas = document.createElement("canvas");
      [canvas.width, canvas.height] = [w, h];
      const context = canvas.getContext("2d")!;
      const pixels = context.createImageData(w, h);
      const words = new Uint32Array(pixels.data.buffer);
      let seed = 7;
      for (let at = 0; at < words.length; at++) {
        seed ^= seed << 13;
        seed ^= seed >>> 17;
        seed ^= seed << 5;
        words[at] = seed | 0xff00_0000;
      }
      context.putImageData(pixels, 0, 0);
      const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, "image/png"));
      const transfer = new DataTransfer();
      transfer.items.add(new File([blob ?? ""], file, { type: "image/png" }));
      document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true }));
      return blob?.size ?? 0;
    },
    [name, width, height] as const,
  );

describe("attaching", () => {
  for (const [look, options] of [
    ["phone", PHONE],
    ["desktop", DESKTOP],
  ] as const)
    it(`takes pictures and files along, can leave one out, and shows them with the prompt (${look})`, async () => {
      const { page, faults } = await stage.open("session-fresh", options);
      await attach(page, [
        { name: "screen.png", mimeType: "image/png", buffer: PNG },
        { name: "notes.md", mimeType: "text/markdown", buffer: Buffer.from("# Notes") },
        { name: "not-this.txt", mimeType: "text/plain", buffer: Buffer.from("no") },
      ]);
      await tray(page).nth(2).waitFor();
      await page.getByRole("button", { name: "Remove not-this.txt" }).click();
      await field(page).fill("Look");
      await page.getByRole("button", { name: "Send" }).click();
      await page.locator(".prompt").filter({ hasText: "Look" }).waitFor();
      const [prompt] = await sent(page);
      assert.deepEqual(prompt?.attachments, [
        { name: "screen.png", type: "image/png", data: PNG.toString("base64") },
        { name: "notes.md", type: "text/markdown", data: Buffer.from("# Notes").toString("base64") },
      ]);
      assert.equal(await tray(page).count(), 0);
      await page.locator(".attached-picture img").waitFor();
      await page.getByRole("button", { name: "Show screen.png" }).click();
      await page.getByRole("img", { name: "screen.png" }).waitFor();
      await page.getByRole("button", { name: "Close" }).click();
      await page.getByRole("button", { name: /notes\.md/ }).click();
      await page.getByText("# Notes").waitFor();
      assert.deepEqual(faults, []);
    });

  it("a picture alone is a prompt, and nothing is sent twice", async () => {
    const { page } = await stage.open("session-fresh", DESKTOP);
    assert.equal(await page.getByRole("button", { name: "Send" }).isDisabled(), true);
    await attach(page, [{ name: "screen.png", mimeType: "image/png", buffer: PNG }]);
    await tray(page).first().waitFor();
    await field(page).press("Enter");
    await field(page).press("Enter");
    await page.locator(".attached-picture").waitFor();
    const prompts = await sent(page);
    assert.equal(prompts.length, 1);
    assert.equal(prompts[0]?.text, "Look at this.");
  });

  it("scales a large picture down to what fits, on the device", async () => {
    const { page } = await stage.open("session-fresh", DESKTOP);
    const bytes = await dropNoise(page, "Photo 1.png", 2_400, 1_200);
    assert.ok(bytes > 7_000_000, `${bytes} bytes`);
    await page.locator('.tray-item[data-state="ready"]').waitFor();
    await field(page).fill("This");
    await page.getByRole("button", { name: "Send" }).click();
    await page.locator(".attached-picture img").waitFor();
    const [one] = (await sent(page))[0]?.attachments ?? [];
    assert.equal(one?.name, "Photo 1.jpg");
    assert.equal(one.type, "image/jpeg");
    assert.ok(one.data.length < 6 * 1024 * 1024);
    const side = await page
      .locator(".attached-picture img")
      .evaluate((image: HTMLImageElement) => [image.naturalWidth, image.naturalHeight]);
    assert.equal(Math.max(...side), 2_000);
  });

  it("says what does not go along and why, and sends the rest", async () => {
    const { page } = await stage.open("session-fresh", PHONE);
    await drop(page, [
      { name: "movie.mp4", type: "video/mp4", size: 9_000_000 },
      { name: "empty.txt", type: "text/plain", size: 0 },
      { name: "a.txt", type: "text/plain", size: 1 },
    ]);
    await page.getByText("It has 9.0 MB. At most 4.7 MB go with one prompt.").waitFor();
    await page.getByText("Not attached. It is empty.").waitFor();
    await field(page).fill("The rest");
    await page.getByRole("button", { name: "Send" }).tap();
    await page.locator(".attached-file").waitFor();
    assert.deepEqual(
      (await sent(page))[0]?.attachments?.map(({ name }) => name),
      ["a.txt"],
    );
    await attach(
      page,
      Array.from({ length: 18 }, (_, at) => ({ name: `${at}.txt`, mimeType: "text/plain", buffer: Buffer.from("x") })),
    );
    await page.getByText("At most 16 things go with one prompt.").first().waitFor();
  });

  it("two that fit each but not together: the second is refused", async () => {
    const { page } = await stage.open("session-fresh", DESKTOP);
    const large = (name: string) => ({ name, type: "application/zip", size: 3_000_000 });
    await drop(page, [large("one.zip"), large("two.zip")]);
    await page.locator('.tray-item[data-state="ready"]').waitFor();
    await page.locator('.tray-item[data-state="refused"]').waitFor();
    assert.equal(await tray(page).count(), 2);
  });

  it("offers pictures alone where the agent takes nothing else, and nothing where it takes nothing", async () => {
    const { page } = await stage.open("session-fresh", DESKTOP);
    await page.getByRole("button", { name: "Attach pictures or files" }).waitFor();
    await inWorld(page, (world) => world.host().change((host) => (host.agents[0]!.attaches = "images")));
    await page.getByRole("button", { name: "Attach pictures", exact: true }).waitFor();
    await attach(page, [{ name: "notes.md", mimeType: "text/markdown", buffer: Buffer.from("x") }]);
    await page.getByText("This agent takes pictures only.").waitFor();
    await inWorld(page, (world) => world.host().change((host) => delete host.agents[0]!.attaches));
    await page.getByRole("button", { name: /Attach/ }).waitFor({ state: "detached" });
  });

  it("takes a screenshot from the clipboard, and what is dropped on the page", async () => {
    const { page, faults } = await stage.open("session-fresh", DESKTOP);
    await field(page).click();
    const give = (kind: "paste" | "drop", name: string) =>
      page.evaluate(
        ([event, file, data]) => {
          const transfer = new DataTransfer();
          const bytes = Uint8Array.from(atob(data), (char) => char.charCodeAt(0));
          transfer.items.add(new File([bytes], file, { type: "image/png" }));
          if (event === "paste")
            document.activeElement?.dispatchEvent(
              new ClipboardEvent("paste", { clipboardData: transfer, bubbles: true, cancelable: true }),
            );
          else
            for (const type of ["dragenter", "dragover", "drop"])
              document.body.dispatchEvent(
                new DragEvent(type, { dataTransfer: transfer, bubbles: true, cancelable: true }),
              );
        },
        [kind, name, PNG.toString("base64")] as const,
      );
    await give("paste", "image.png");
    await tray(page).nth(0).waitFor();
    await give("drop", "dropped.png");
    await tray(page).nth(1).waitFor();
    assert.equal(await page.locator(".drop").count(), 0);
    await field(page).fill("Both");
    await field(page).press("Enter");
    await page.locator(".attached-picture").nth(1).waitFor();
    assert.equal((await sent(page))[0]?.attachments?.length, 2);
    assert.deepEqual(faults, []);
  });

  it("keeps what is in the tray while another session is looked at", async () => {
    const { page } = await stage.open("session-fresh", DESKTOP);
    await attach(page, [{ name: "screen.png", mimeType: "image/png", buffer: PNG }]);
    await tray(page).first().waitFor();
    await page
      .getByRole("link", { name: /Changelog for 2\.4/ })
      .first()
      .click();
    await page.waitForFunction(() => document.querySelectorAll(".composer .tray-item").length === 0);
    await page
      .getByRole("link", { name: /harbour-shop/ })
      .first()
      .click();
    await tray(page).first().waitFor();
  });
});

describe("a picture that comes into the transcript", () => {
  it("leaves the caret in the field", async () => {
    const { page, faults } = await stage.open("session-attached", PHONE);
    await page.locator(".attached-picture img").waitFor();
    await field(page).tap();
    await page.keyboard.type("Look");
    await inWorld(page, (world) => {
      const given = world.session().value.rows.find((row) => row.kind === "prompt" && row.attachments);
      world.append([{ ...JSON.parse(JSON.stringify(given)), key: "later", prompt: "later" }]);
    });
    await page.locator(".attached-picture img").nth(1).waitFor();
    await page.keyboard.type(" at it");
    assert.equal(await field(page).inputValue(), "Look at it");
    assert.deepEqual(faults, []);
  });
});

describe("mentions and commands", () => {
  it("offers files after @, by keyboard", async () => {
    const { page, faults } = await stage.open("session-attached", DESKTOP);
    await field(page).click();
    await page.keyboard.type("Look at @tot");
    const list = page.getByRole("listbox", { name: "Files" });
    await list.getByRole("option", { name: "totals.test.ts" }).waitFor();
    await page.keyboard.press("ArrowDown");
    assert.equal(await list.getByRole("option", { selected: true }).textContent(), "src/checkout/totals.test.ts");
    await page.keyboard.press("Enter");
    assert.equal(await field(page).inputValue(), "Look at @src/checkout/totals.test.ts ");
    await list.waitFor({ state: "detached" });
    await page.keyboard.type("and @tax");
    await list.waitFor();
    await page.keyboard.press("Tab");
    assert.equal(
      await field(page).inputValue(),
      'Look at @src/checkout/totals.test.ts and @"src/checkout/tax rounding.ts" ',
    );
    await page.keyboard.type("@zzz");
    await page.getByText("No file like this in the folder").waitFor();
    await page.keyboard.press("Enter");
    await page.locator(".prompt").filter({ hasText: "tax rounding" }).waitFor();
    assert.deepEqual(faults, []);
  });

  it("offers files to a finger, goes into folders, and shows hostile names for what they are", async () => {
    const { page } = await stage.open("session-attached", PHONE);
    await field(page).tap();
    await page.keyboard.type("@doc");
    await page.getByRole("option", { name: "docs/" }).tap();
    assert.equal(await field(page).inputValue(), "@docs/");
    await field(page).fill("");
    await page.keyboard.type("@evil");
    await page.getByRole("option").filter({ hasText: "evil⟨U+202E⟩gpj.ts" }).waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("listbox").waitFor({ state: "detached" });
  });

  it("offers the agent's commands after a slash at the start, and nowhere else", async () => {
    const { page } = await stage.open("session-attached", DESKTOP);
    await field(page).click();
    await page.keyboard.type("/co");
    const list = page.getByRole("listbox", { name: "Commands" });
    await list.waitFor();
    assert.deepEqual((await list.locator(".mono").allTextContents()).slice(0, 4), [
      "/compact",
      "/code-review",
      "/commit",
      "/context",
    ]);
    await page.keyboard.press("ArrowUp");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    assert.equal(await field(page).inputValue(), "/compact ");
    await field(page).fill("");
    await page.keyboard.type("a/co");
    await list.waitFor({ state: "detached" });
    // Written out, it is sent.
    await field(page).fill("");
    await page.keyboard.type("/init");
    await list.waitFor();
    await page.keyboard.press("Enter");
    await page.locator(".prompt").filter({ hasText: "/init" }).waitFor();
  });

  it("goes with the first prompt of a new session too", async () => {
    const { page, faults } = await stage.open("sessions", DESKTOP);
    await page.getByRole("button", { name: "New session" }).first().click();
    const prompt = page.getByRole("textbox", { name: "First prompt" });
    await prompt.fill("");
    await page.keyboard.type("Mend @tot");
    await page.getByRole("option", { name: "totals.ts" }).first().click();
    await page.setInputFiles("dialog input[type=file]", [{ name: "a.png", mimeType: "image/png", buffer: PNG }]);
    await page.locator("dialog .tray-item").waitFor();
    await page.getByRole("button", { name: "Start", exact: true }).click();
    await page.locator("dialog").waitFor({ state: "detached" });
    const created = await inWorld(
      page,
      (world) => world.intents.find((one) => one.method === "session.create")?.params,
    );
    const { prompt: text, attachments } = created as { prompt: string; attachments: Upload[] };
    assert.equal(text, "Mend @src/checkout/totals.ts");
    assert.deepEqual(attachments, [{ name: "a.png", type: "image/png", data: PNG.toString("base64") }]);
    assert.deepEqual(faults, []);
  });
});

describe("what is being typed", () => {
  it("is a mention after a space, and a command at the start", () => {
    assert.deepEqual(typedAt("@a", 2), { kind: "file", from: 0, query: "a" });
    assert.deepEqual(typedAt("see @src/x", 10), { kind: "file", from: 4, query: "src/x" });
    assert.deepEqual(typedAt('see @"with sp', 13), { kind: "file", from: 4, query: "with sp" });
    assert.deepEqual(typedAt("(@a", 3), { kind: "file", from: 1, query: "a" });
    assert.deepEqual(typedAt("  /com", 6), { kind: "command", from: 2, query: "com" });
    for (const text of ["ada@example.com", "see @a b", "@a ", "/com x", "a /com", "/usr/bin", "", "https://x/@a b"])
      assert.equal(typedAt(text, text.length), undefined, text);
    assert.deepEqual(typedAt("@one and two", 4), { kind: "file", from: 0, query: "one" });
  });
  it("is inserted as agents read it", () => {
    assert.equal(mentionOf("a.ts"), "@a.ts ");
    assert.equal(mentionOf("a b.ts"), '@"a b.ts" ');
    assert.equal(mentionOf("docs/"), "@docs/");
    assert.equal(mentionOf("my docs/"), '@"my docs/');
  });
  it("finds commands by their beginning first", () => {
    const commands = ["recommit", "commit", "Compact"].map((name) => ({ name }));
    assert.deepEqual(
      commandsLike(commands, "com").map(({ name }) => name),
      ["commit", "Compact", "recommit"],
    );
  });
});
