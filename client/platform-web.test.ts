import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { after, before, describe, it } from "node:test";
import { verify } from "@flybridge/crypto/identity.ts";
import { formatConnection, toBase64Url } from "@flybridge/protocol/offer.ts";
import { LINK_PATH, RECORD_BYTES } from "@flybridge/protocol/relay.ts";
import { systemClock } from "@flybridge/transport/clock.ts";
import { webSocketLink } from "@flybridge/transport/websocket.ts";
import { type Browser, chromium, type Page as Tab } from "playwright-core";
import { build } from "vite";
import { WebSocketServer } from "ws";
import type { Page } from "./page.contract.ts";
import { webAddresses } from "./platform-web.ts";
import { smallHost } from "./small-host.contract.ts";

const SESSION = "the session of an account at a relay";
const CHROMIUM = process.env.FLYBRIDGE_TEST_CHROMIUM ?? "/usr/bin/chromium";

describe("a browser", { skip: existsSync(CHROMIUM) ? false : "no Chromium here" }, () => {
  const host = smallHost(systemClock, 3);
  let browser: Browser;
  let server: Server;
  let origin: string;

  before(async () => {
    const script = await bundle();
    server = createServer((request, response) => {
      const isScript = request.url === "/page.js";
      response.setHeader("content-type", isScript ? "text/javascript" : "text/html");
      response.end(isScript ? script : "<!doctype html><script type=module src=/page.js></script>");
    });
    const sockets = new WebSocketServer({
      server,
      path: LINK_PATH,
      maxPayload: RECORD_BYTES,
      perMessageDeflate: false,
    });
    sockets.on("connection", (socket) => {
      host.accept(webSocketLink(socket, { maxFrameBytes: RECORD_BYTES }));
    });
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
  });
  after(async () => {
    await browser.close();
    server.closeAllConnections();
    server.close();
  });

  async function open(context: Awaited<ReturnType<Browser["newContext"]>>): Promise<Tab> {
    const tab = await context.newPage();
    await tab.goto(origin);
    await tab.waitForFunction(() => "flybridge" in globalThis);
    return tab;
  }

  it("keeps to the contract of a store", async () => {
    const tab = await open(await browser.newContext());
    assert.deepEqual(await tab.evaluate(() => (globalThis as unknown as { flybridge: Page }).flybridge.store()), []);
  });

  it("keeps to the contract of keys, with the kinds of keys that it has and with those that it has not", async () => {
    const native = await browser.newContext();
    const bare = await browser.newContext();
    // As of a browser that has neither kind, and of one that makes them and does not give back what it kept.
    await bare.addInitScript(() => {
      const make = crypto.subtle.generateKey.bind(crypto.subtle) as (...what: unknown[]) => Promise<unknown>;
      Object.assign(crypto.subtle, {
        generateKey: (algorithm: { name: string }, ...rest: unknown[]) =>
          algorithm.name.endsWith("25519") ? Promise.reject(new Error("unknown")) : make(algorithm, ...rest),
      });
    });
    const forgetful = await browser.newContext();
    await forgetful.addInitScript(() => {
      const get = IDBObjectStore.prototype.get;
      IDBObjectStore.prototype.get = function getExcept(name) {
        return get.call(this, name === "device" || name === "proof" ? "nothing" : name);
      };
    });
    for (const [context, proofs] of [
      [native, ["proof"]],
      [bare, ["proof sealed"]],
      [forgetful, ["proof sealed"]],
    ] as const) {
      const tab = await open(context);
      assert.deepEqual(await tab.evaluate(() => (globalThis as unknown as { flybridge: Page }).flybridge.keys()), []);
      const proof = await tab.evaluate(() => (globalThis as unknown as { flybridge: Page }).flybridge.proof());
      const [publicKey, signature] = [Uint8Array.from(proof.publicKey), Uint8Array.from(proof.signature)];
      assert.ok(verify(publicKey, signature, "page", new Uint8Array(0)));
      assert.deepEqual(
        proof.names.filter((name) => name.startsWith("proof")),
        proofs,
      );
      await tab.reload();
      await tab.waitForFunction(() => "flybridge" in globalThis);
      const later = await tab.evaluate(() => (globalThis as unknown as { flybridge: Page }).flybridge.proof());
      assert.deepEqual(later, proof);
      await context.close();
    }
  });

  it("[A24] [C07] keeps keys and secrets so that nothing kept can be read in clear", async () => {
    const context = await browser.newContext();
    const tab = await open(context);
    const device = await tab.evaluate(() => (globalThis as unknown as { flybridge: Page }).flybridge.device());
    assert.deepEqual(device.shared, device.theirs);
    const secrets = [Buffer.alloc(32, 0xa7), Buffer.alloc(32, 0x5c)];
    const texts = secrets.map((secret) => toBase64Url(secret));
    const kept = await tab.evaluate(
      (all) => (globalThis as unknown as { flybridge: Page }).flybridge.keep("h", all),
      texts,
    );
    assert.deepEqual(
      kept,
      secrets.map((secret) => secret.toString("hex")),
    );

    await tab.evaluate(() => (globalThis as unknown as { flybridge: Page }).flybridge.proof());
    const keptText = await tab.evaluate(
      (word) => (globalThis as unknown as { flybridge: Page }).flybridge.keepText("session", word),
      SESSION,
    );
    assert.equal(keptText, SESSION);

    const { text, keys } = await tab.evaluate(() =>
      (globalThis as unknown as { flybridge: Page }).flybridge.everything(),
    );
    assert.ok(keys >= 3, "the device's keys and the wrapping key were looked at");
    assert.ok(text.includes("kept session"), "the place of the text was looked at");
    assert.ok(text.includes("host h"), "the place of the secrets was looked at");
    assert.doesNotMatch(text, /exported/u);
    for (const secret of [...secrets, Buffer.from(SESSION)])
      for (const form of ["hex", "base64", "base64url"] as const)
        assert.ok(!text.includes(secret.toString(form).slice(0, 20)), form);
    assert.ok(!text.includes(SESSION));

    // Another launch finds the same.
    await tab.close();
    const again = await open(context);
    assert.deepEqual(
      await again.evaluate(() => (globalThis as unknown as { flybridge: Page }).flybridge.keep("h", [])),
      kept,
    );
    const later = await again.evaluate(() => (globalThis as unknown as { flybridge: Page }).flybridge.device());
    assert.deepEqual(later.publicKey, device.publicKey);
  });

  it("[A23] [B24] pairs over a WebSocket, comes back after a reload without pairing, and in two tabs at once", async () => {
    const context = await browser.newContext();
    const tab = await open(context);
    const drive = (where: Tab, ...what: Parameters<Page["drive"]>): ReturnType<Page["drive"]> =>
      where.evaluate((args) => (globalThis as unknown as { flybridge: Page }).flybridge.drive(...args), what);
    const { session } = await drive(tab, formatConnection(host.offer()), undefined, "one");
    await tab.reload();
    await tab.waitForFunction(() => "flybridge" in globalThis);
    assert.deepEqual((await drive(tab, undefined, session, "two")).texts, ["one", "two"]);
    const other = await open(context);
    await Promise.all([drive(tab, undefined, session, "three"), drive(other, undefined, session, "four")]);
    const accepted = host
      .journal(session as never)
      .flatMap(({ fact }) => (fact.kind === "prompt.accepted" ? [fact.text] : []));
    assert.deepEqual(accepted.slice(0, 2), ["one", "two"]);
    assert.deepEqual(accepted.slice(2).sort(), ["four", "three"]);
  });

  it("hears that the network is back, and that it is of another kind where the browser tells, and no more", async () => {
    // As on a phone.
    const args = ["--no-sandbox", "--enable-blink-features=NetInfoDownlinkMax"];
    await using telling = await chromium.launch({ executablePath: CHROMIUM, args });
    const context = await telling.newContext();
    const tab = await open(context);
    const session = await context.newCDPSession(tab);
    const times = await tab.evaluateHandle(() => (globalThis as unknown as { flybridge: Page }).flybridge.network());
    const told: number[] = [];
    for (const [connectionType, latency] of [
      ["wifi", 50],
      ["wifi", 400],
      ["cellular4g", 400],
      ["none", 0],
      ["cellular4g", 50],
    ] as const) {
      await tab.evaluate(() => {
        const { connection } = navigator as unknown as { connection: EventTarget };
        const heard = new Promise((resolve) => connection.addEventListener("change", resolve, { once: true }));
        Object.assign(globalThis, { heard });
      });
      const offline = connectionType === "none";
      const speed = { downloadThroughput: 1e6, uploadThroughput: 1e6 };
      await session.send("Network.emulateNetworkConditions", { offline, latency, connectionType, ...speed });
      await tab.evaluate(() => (globalThis as unknown as { heard: Promise<unknown> }).heard);
      told.push(await times.evaluate((count) => count()));
    }
    assert.deepEqual(told.slice(0, 4), [1, 1, 2, 2]);
    // Of which kind it is, and that it is back.
    await tab.waitForFunction((count) => count() === 4, times);
  });
});

describe("addresses in a browser", () => {
  it("are the page's own first, then those of the connection, as safely as the page", () => {
    const addresses = [
      { host: "127.0.0.1", port: 7683 },
      { host: "fe80::1", port: 80 },
    ] as const;
    assert.deepEqual(webAddresses("http://127.0.0.1:7683", { addresses }), [
      "ws://127.0.0.1:7683",
      "wss://[fe80::1]:80",
    ]);
    assert.deepEqual(webAddresses("https://a.example", { addresses: [addresses[0]] }), [
      "wss://a.example",
      "wss://127.0.0.1:7683",
    ]);
    assert.deepEqual(webAddresses("https://relay.example", { addresses, relay: "https://relay.example" }), []);
  });
});

async function bundle(): Promise<string> {
  const entry = fileURLToPath(new URL("page.contract.ts", import.meta.url));
  const built = await build({
    configFile: false,
    logLevel: "error",
    build: {
      write: false,
      minify: false,
      lib: { entry, formats: ["es"], fileName: "page" },
      // The page is one script here, what it loads later included.
      rolldownOptions: { output: { codeSplitting: false } },
    },
  });
  const [output] = Array.isArray(built) ? built : [built];
  assert.ok(output && "output" in output);
  return output.output[0].code;
}
