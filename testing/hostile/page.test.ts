/** A page of another site in the desktop's own browser, which reaches for the host by every name this machine has. */
import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, it } from "node:test";
import { LINK_PATH } from "@flybridge/protocol/relay.ts";
import type { Browser, Page } from "playwright-core";
import { DESKTOP, launchChromium } from "../browser.ts";
import type { BareDevice } from "../bare.ts";
import { startWorld, type World } from "../world.ts";

const SITE = "evil.test";
const METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"] as const;

let world: World;
let owner: BareDevice;
let browser: Browser;
let site: Server;
let page: Page;

before(async () => {
  world = await startWorld();
  owner = await world.pair("owner");
  site = createServer((_request, response) => {
    response.setHeader("content-type", "text/html");
    response.end("<!doctype html><title>a page</title>");
  });
  await new Promise<void>((resolve) => site.listen(0, "127.0.0.1", resolve));
  // Both names lead to this machine: one for the page, one that was another address when the page was loaded.
  browser = await launchChromium({
    args: [`--host-resolver-rules=MAP ${SITE} 127.0.0.1, MAP rebound.test 127.0.0.1`],
  });
  page = await (await browser.newContext(DESKTOP)).newPage();
  await page.goto(`http://${SITE}:${(site.address() as AddressInfo).port}/`);
});

after(async () => {
  await browser.close();
  site.close();
  owner.close();
  await world[Symbol.asyncDispose]();
});

/** What a script of the page can learn of an address. */
async function reached(url: string, method: string, mode: RequestMode): Promise<string> {
  return page.evaluate(
    async ([to, how, kind]) => {
      try {
        const answer = await fetch(to, { method: how, mode: kind as RequestMode, credentials: "include" });
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
    for (const name of names)
      for (const path of ["/", LINK_PATH, "/index.html", "/session.list"])
        for (const method of METHODS)
          for (const mode of ["cors", "no-cors"] as const) {
            const answer = await reached(`http://${name}:${world.port}${path}`, method, mode);
            // Opaque is what a page sees of what it may not see.
            assert.match(answer, /^(?:nothing|opaque 0 )$/u, `${method} ${mode} ${name}${path}`);
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

  it("cannot show the app in a frame of its own", async () => {
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
      `http://127.0.0.1:${world.port}/`,
    );
    assert.equal(shown, "closed to the page");
    // What was refused is the browser's own page of errors.
    assert.deepEqual(
      page.frames().filter((frame) => frame.url().includes(`:${world.port}`)),
      [],
    );
  });
});
