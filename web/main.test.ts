/** The app as it is shipped, without a host behind it: what it is by itself, and what it weighs. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, afterEach, before, describe, it } from "node:test";
import { brotliCompressSync } from "node:zlib";
import { makeStage, PHONE, type Stage } from "./gallery/stage.contract.ts";

/** JS and CSS until the first screen is drawn, brotli, in bytes. */
const FIRST_SCREEN_BYTES = 60 * 1024;

let stage: Stage;
before(async () => {
  stage = await makeStage("app");
});
afterEach(async () => await stage.clear());
after(async () => await stage[Symbol.asyncDispose]());

describe("the shipped app", () => {
  it("runs under the strict policy and leads to pairing when it knows no host", async () => {
    const { page, faults } = await stage.open("/", PHONE);
    await page.getByRole("button", { name: "Scan the code" }).waitFor();
    assert.equal(new URL(page.url()).pathname, "/pair");
    assert.deepEqual(faults, []);
  });

  it("takes the secret of a link out of the address at once, and waits for a tap", async () => {
    const token = `${"A".repeat(11)}.${"A".repeat(43)}.${"A".repeat(43)}`;
    const { page, faults } = await stage.open(`/pair#flybridge://studio.local/${token}?n=studio`, PHONE);
    await page.getByRole("heading", { name: "Pair with this host?" }).waitFor();
    assert.equal(await page.evaluate(() => location.href), `${stage.origin}/pair`);
    await page.getByRole("button", { name: "Pair", exact: true }).waitFor();
    assert.deepEqual(faults, []);
  });

  it("opens without a network once it was open", async () => {
    const { page } = await stage.open("/", { ...PHONE, serviceWorkers: "allow" });
    await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
    await page.context().setOffline(true);
    await page.reload();
    await page.getByRole("button", { name: "Scan the code" }).waitFor();
  });

  it("weighs little until the first screen", () => {
    const sizes = new Map<string, number>();
    const add = (file: string): void => {
      if (sizes.has(file)) return;
      const bytes = readFileSync(join(stage.directory, file));
      sizes.set(file, brotliCompressSync(bytes).length);
      if (!file.endsWith(".js")) return;
      for (const [, next] of bytes.toString().matchAll(/(?:from|import)\s*["']\.\/([^"']+\.js)["']/g))
        add(`assets/${next}`);
    };
    for (const [, file] of readFileSync(join(stage.directory, "index.html"), "utf8").matchAll(
      /(?:src|href)="\/(assets\/[^"]+)"/g,
    ))
      add(file!);
    const total = [...sizes.values()].reduce((sum, size) => sum + size, 0);
    console.log(`first screen: ${(total / 1024).toFixed(1)} KiB of JS and CSS, brotli`);
    assert.ok(total < FIRST_SCREEN_BYTES, `${total} bytes`);
  });
});
