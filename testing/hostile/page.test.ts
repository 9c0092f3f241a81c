/**
 * A page of another site in the desktop's own browser, which reaches for the host by every name this machine has, and for
 * the relay that the app comes from.
 */
import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, it } from "node:test";
import { signOpening } from "@flybridge/crypto/proof.ts";
import { fromBase64Url } from "@flybridge/protocol/base64.ts";
import { LINK_PATH } from "@flybridge/protocol/relay.ts";
import { relaySocketOf } from "@flybridge/protocol/relay/origin.ts";
import { encode, type Opening, RELAY_PATH } from "@flybridge/protocol/relay/words.ts";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { DESKTOP, launchChromium } from "../browser.ts";
import type { BareDevice } from "../bare.ts";
import type { RunningRelay } from "../relay.ts";
import { newProof, offerIn, RelayedDevice } from "../relayed.ts";
import type { World } from "../world.ts";
import { Place } from "./ways.ts";

const SITE = "evil.test";
const METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"] as const;

let place: Place;
let world: World;
let relay: RunningRelay;
let owner: BareDevice;
let browser: Browser;
let context: BrowserContext;
let site: Server;
/** What the site was asked for. */
const asked: string[] = [];
let page: Page;

before(async () => {
  place = await Place.open("by a relay");
  ({ world } = place);
  assert.ok(place.relay);
  ({ relay } = place);
  owner = await place.pair("owner");
  site = createServer((request, response) => {
    asked.push(request.url ?? "");
    response.setHeader("content-type", "text/html");
    response.end("<!doctype html><title>a page</title>");
  });
  await new Promise<void>((resolve) => site.listen(0, "127.0.0.1", resolve));
  // Both names lead to this machine: one for the page, one that was another address when the page was loaded.
  browser = await launchChromium({
    args: [`--host-resolver-rules=MAP ${SITE} 127.0.0.1, MAP rebound.test 127.0.0.1`],
  });
  context = await browser.newContext(DESKTOP);
  page = await context.newPage();
  await page.goto(theirs());
});

after(async () => {
  await browser?.close();
  site?.close();
  owner?.close();
  await place?.[Symbol.asyncDispose]();
});

const theirs = (): string => `http://${SITE}:${(site.address() as AddressInfo).port}/`;

/** What a script of the page can learn of an address. */
async function reached(url: string, method: string, mode: RequestMode): Promise<string> {
  return page.evaluate(
    async ([to, how, kind]) => {
      try {
        // Without credentials more may be read, where there is any CORS; without CORS they go along.
        const credentials = kind === "cors" ? "omit" : "include";
        const answer = await fetch(to, { method: how, mode: kind as RequestMode, credentials });
        return `${answer.type} ${answer.status} ${await answer.text()}`;
      } catch {
        return "nothing";
      }
    },
    [url, method, mode] as const,
  );
}

const opened = (from: Page, url: string): Promise<string> =>
  from.evaluate(
    (to) =>
      new Promise<string>((resolve) => {
        try {
          const socket = new WebSocket(to);
          socket.onopen = () => resolve("open");
          socket.onmessage = () => resolve("a message");
          socket.onerror = () => resolve("refused");
        } catch {
          resolve("refused");
        }
      }),
    url,
  );

describe("a page of another site", { timeout: 120_000 }, () => {
  const names = ["127.0.0.1", "localhost", "[::1]", "0.0.0.0", SITE, "rebound.test"];

  it("opens no link to the host, by whatever name it calls this machine", async () => {
    for (const name of names)
      assert.equal(await opened(page, `ws://${name}:${world.port}${LINK_PATH}`), "refused", name);
  });

  it("reads nothing of the host, with any method, with its cookies or without CORS, and changes nothing", async () => {
    const before = await owner.call("feed.follow", { from: 0 });
    const addresses = [
      ...names.flatMap((name) =>
        ["/", LINK_PATH, "/index.html", "/session.list"].map((path) => `http://${name}:${world.port}${path}`),
      ),
      ...["/", RELAY_PATH, "/served.json", "/health", "/metrics"].map((path) => `${relay.origin}${path}`),
    ];
    for (const url of addresses)
      for (const method of METHODS)
        for (const mode of ["cors", "no-cors"] as const) {
          const answer = await reached(url, method, mode);
          // Opaque is what a page sees of what it may not see.
          assert.match(answer, /^(?:nothing|opaque 0 )$/u, `${method} ${mode} ${url}`);
        }
    assert.deepEqual((await owner.call("feed.follow", { from: before.last })).facts, []);
  });

  it("gets no further by an address that becomes this machine's after it was loaded", async () => {
    const rebound = await browser.newPage();
    const answer = await rebound.goto(`http://rebound.test:${world.port}/`);
    assert.equal(answer?.status(), 421);
    assert.equal(await rebound.title(), "");
    assert.equal(await opened(rebound, `ws://rebound.test:${world.port}${LINK_PATH}`), "refused");
    await rebound.close();
  });

  it("gets no further without an origin: from a frame in a sandbox, a file or a data address", async () => {
    const framed = await page.evaluate(
      ([url]) =>
        new Promise<string>((resolve) => {
          addEventListener("message", ({ data }) => resolve(String(data)), { once: true });
          const frame = document.createElement("iframe");
          frame.setAttribute("sandbox", "allow-scripts");
          frame.srcdoc = `<script>const s=new WebSocket(${JSON.stringify(url)});s.onopen=()=>parent.postMessage("open","*");s.onerror=()=>parent.postMessage("refused","*")</script>`;
          document.body.append(frame);
        }),
      [`ws://127.0.0.1:${world.port}${LINK_PATH}`] as const,
    );
    assert.equal(framed, "refused");
    const data = await browser.newPage();
    await data.goto("data:text/html,<title>nothing</title>");
    assert.equal(await opened(data, `ws://127.0.0.1:${world.port}${LINK_PATH}`), "refused");
    await data.close();
  });

  it("cannot show the app in a frame of its own, whoever serves it", async () => {
    for (const origin of [`http://127.0.0.1:${world.port}`, relay.origin]) {
      const shown = await page.evaluate(
        (url) =>
          new Promise<string>((resolve) => {
            const frame = document.createElement("iframe");
            frame.src = url;
            frame.onload = () => {
              try {
                resolve(frame.contentDocument?.title ?? "closed to the page");
              } catch {
                resolve("closed to the page");
              }
            };
            document.body.append(frame);
          }),
        `${origin}/`,
      );
      assert.equal(shown, "closed to the page");
      // What was refused is the browser's own page of errors.
      const shownAt = page.frames().map((frame) => frame.url());
      assert.ok(!shownAt.some((url) => url.startsWith(origin)), shownAt.join(" "));
    }
  });

  it("[R70] is nobody at the relay, whose sockets it can open: without a key of the app's it gets in nowhere", async () => {
    const { connection } = await owner.call("offer.make", {});
    const { rendezvous } = offerIn(connection);
    const device = await RelayedDevice.pair(connection, "seen by the page");
    const ticket = device.way?.ticket ?? "";
    const key = newProof();
    /** What the relay answers to a page that signs for an origin. */
    const answered = async (opening: Opening, origin = relay.origin, then?: string): Promise<string> =>
      page.evaluate(
        ([url, by, words, more]) =>
          new Promise<string>((resolve) => {
            const socket = new WebSocket(url);
            socket.binaryType = "arraybuffer";
            const heard: string[] = [];
            socket.onmessage = async ({ data }) => {
              const text = new TextDecoder().decode(data as ArrayBuffer);
              heard.push(text);
              if (heard.length === 1) {
                const sign = (globalThis as unknown as { sign: (...of: string[]) => Promise<number[]> }).sign;
                socket.send(new Uint8Array(await sign(by, (JSON.parse(text) as { nonce: string }).nonce, words)));
              } else if (heard.length === 2 && more !== "") socket.send(new TextEncoder().encode(more));
              else resolve(text);
            };
            socket.onclose = () => resolve("closed");
          }),
        [relaySocketOf(relay.origin), origin, JSON.stringify(opening), then ?? ""] as const,
      );
    await page.exposeFunction("sign", async (origin: string, nonce: string, opening: string) => [
      ...(await signOpening(key, origin, fromBase64Url(nonce, 32) ?? new Uint8Array(32), Buffer.from(opening))),
    ]);
    const join = (by: Extract<Opening, { t: "join" }>["by"]): Opening => ({ t: "join", rendezvous, by });
    const codeOf = (answer: string): string => (JSON.parse(answer) as { code: string }).code;
    // What it may have seen of a device is worth nothing without the device's key.
    assert.equal(codeOf(await answered(join({ kind: "ticket", ticket }))), "bad_ticket");
    await owner.call("offer.make", {});
    assert.equal(codeOf(await answered(join({ kind: "offer" }))), "no_offer");
    assert.equal(codeOf(await answered(join({ kind: "offer" }), new URL(theirs()).origin)), "bad_opening");
    const member = await answered(
      { t: "member" },
      relay.origin,
      new TextDecoder().decode(encode({ t: "call", id: 1, method: "account.read", params: {} })),
    );
    assert.match(member, /"not_signed_in"/u);
    assert.equal((await device.device.call("host.read", {})).name, "test host");
    device.device.close();
  });

  for (const served of ["the host", "the relay"] as const)
    it(`has no hold on the app that it opens, and nothing of its runs there, where ${served} serves it`, async () => {
      const origin = served === "the host" ? `http://127.0.0.1:${world.port}` : relay.origin;
      const opened = context.waitForEvent("page");
      await page.evaluate((url) => {
        (globalThis as { held?: unknown }).held = open(url);
      }, `${origin}/pair`);
      const app = await opened;
      await app.getByRole("heading").first().waitFor();
      const holds = await page.evaluate((url) => {
        const { held } = globalThis as unknown as { held: Window };
        const isHeld = !held.closed;
        held.location.href = url;
        return isHeld;
      }, `${origin}/pair#taken`);
      assert.equal(holds, false);
      assert.equal(await app.evaluate(() => opener === null && location.hash === ""), true);
      asked.length = 0;
      // Whatever is slipped into its page: scripts in any form, and all that would carry something away.
      const { ran, forbidden } = await app.evaluate(async (url) => {
        const added = (tag: string, attributes: Readonly<Record<string, string>>): Element => {
          const element = document.createElement(tag);
          for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
          document.body.append(element);
          return element;
        };
        const tries: readonly (() => unknown)[] = [
          () => (added("script", {}).textContent = "globalThis.ran = 'inline'"),
          () => added("script", { src: `${url}script` }),
          () => added("img", { src: "x", onerror: "globalThis.ran = 'handler'" }),
          () => added("p", {}).insertAdjacentHTML("beforeend", "<img src=x onerror=\"globalThis.ran = 'markup'\">"),
          () => added("img", { src: `${url}image` }),
          () => added("link", { rel: "stylesheet", href: `${url}style` }),
          () => added("iframe", { src: `${url}frame` }),
          () => (added("form", { action: `${url}form` }) as HTMLFormElement).submit(),
          () => void fetch(`${url}fetched`, { mode: "no-cors" }).catch(() => {}),
          () => navigator.sendBeacon(`${url}beacon`),
          () => new WebSocket(url.replace("http", "ws")),
          () => new EventSource(`${url}events`),
        ];
        const forbidding: string[] = [];
        const all = new Promise<void>((resolve) => {
          addEventListener("securitypolicyviolation", ({ effectiveDirective, blockedURI }) => {
            if (blockedURI.includes("://")) forbidding.push(effectiveDirective);
            if (forbidding.length === 8) resolve();
          });
          setTimeout(resolve, 5_000);
        });
        for (const one of tries)
          try {
            one();
          } catch {
            // What is forbidden throws, or does nothing.
          }
        await all;
        return { ran: (globalThis as { ran?: string }).ran, forbidden: forbidding.toSorted() };
      }, theirs());
      assert.equal(ran, undefined);
      assert.deepEqual(forbidden, [
        ...Array.from({ length: 4 }, () => "connect-src"),
        "form-action",
        "frame-src",
        "img-src",
        "style-src-elem",
      ]);
      assert.deepEqual(asked, []);
      assert.deepEqual(await context.cookies(), [], "nothing that a browser would add by itself");
      await app.close();
    });
});
