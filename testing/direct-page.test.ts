/** The direct way as a page takes it: a real Chromium, whose page came from a relay, and a real host on another address. */
import assert from "node:assert/strict";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { networkInterfaces } from "node:os";
import { setTimeout } from "node:timers/promises";
import { after, afterEach, before, describe, it } from "node:test";
import type { AgentName, SessionId } from "@flybridge/protocol/ids.ts";
import type { Way } from "@flybridge/protocol/way.ts";
import type { Browser, BrowserContext, Page, WebSocket } from "playwright-core";
import { type BareDevice, newIntent } from "./bare.ts";
import { DESKTOP, launchChromium, openPage } from "./browser.ts";
import { type RunningRelay, startRelay, untilRelayed } from "./relay.ts";
import { startWorld, type World } from "./world.ts";

const WAIT_MS = 30_000;
const LOOK_MS = 50;
const DEMO = "demo" as AgentName;
/** What `speak` says: the time of each piece. */
const PIECE = /\b\d{13}\.\d{3}\b/gu;
/** Neither side offers a loopback address to the other. */
const HERE = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .find(({ internal, family }) => !internal && family === "IPv4")?.address;

/** Between a page and a host, where a channel's packets can be lost on purpose. */
class Wire {
  /** As the page sees the host. */
  readonly #near: Socket;
  /** As the host sees the page. */
  readonly #far: Socket;
  /** What becomes of a packet to the host, and of one to the page. */
  readonly passes = { host: true, page: true };
  passed = 0;

  private constructor(near: Socket, far: Socket, host: { readonly address: string; readonly port: number }) {
    [this.#near, this.#far] = [near, far];
    let page: { readonly address: string; readonly port: number } | undefined;
    near.on("message", (bytes, from) => {
      page = from;
      if (this.passes.host) this.#pass(far, bytes, host);
    });
    far.on("message", (bytes) => {
      if (page && this.passes.page) this.#pass(near, bytes, page);
    });
  }

  static async to(address: string, port: number): Promise<Wire> {
    const sockets = [createSocket("udp4"), createSocket("udp4")] as const;
    for (const socket of sockets) await once(socket.bind(0, HERE), "listening");
    return new Wire(...sockets, { address, port });
  }

  get port(): number {
    return this.#near.address().port;
  }

  close(): void {
    this.#near.close();
    this.#far.close();
  }

  #pass(by: Socket, bytes: Buffer, { address, port }: { readonly address: string; readonly port: number }): void {
    this.passed += 1;
    by.send(bytes, port, address);
  }
}

/** Looks until something is found. */
async function until<T>(what: string, find: () => Promise<T | undefined> | T | undefined): Promise<T> {
  for (const end = performance.now() + WAIT_MS; performance.now() < end; await setTimeout(LOOK_MS)) {
    const found = await find();
    if (found !== undefined) return found;
  }
  throw new Error(`waited in vain for ${what}`);
}

interface Watched {
  readonly peers: RTCPeerConnection[];
  /** What the screen said of a connection that is not there. */
  readonly said: string[];
}

describe(
  "a page that came by a relay",
  { skip: HERE ? false : "no network but loopback here", timeout: 240_000 },
  () => {
    let world: World;
    let relay: RunningRelay;
    let browser: Browser;
    let shell: BareDevice;
    const contexts: BrowserContext[] = [];
    const wires: Wire[] = [];

    before(async () => {
      relay = await startRelay();
      world = await startWorld({ args: ["--relay", relay.origin, "--confirm", "never"] });
      shell = await world.shell();
      await untilRelayed(shell);
      browser = await launchChromium();
    });
    afterEach(async () => {
      for (const context of contexts.splice(0)) await context.close();
      for (const wire of wires.splice(0)) wire.close();
    });
    after(async () => {
      shell?.close();
      await browser?.close();
      await world?.[Symbol.asyncDispose]();
      await relay?.[Symbol.asyncDispose]();
    });

    /** A paired page on a session of its own. `wired`: its channels run over wires of ours. */
    async function open(
      wired: boolean,
    ): Promise<{ page: Page; faults: string[]; session: SessionId; sockets: () => number }> {
      const context = await browser.newContext(DESKTOP);
      contexts.push(context);
      context.setDefaultTimeout(WAIT_MS);
      await context.exposeFunction("wireTo", async (address: string, port: number) => {
        const wire = await Wire.to(address, port);
        wires.push(wire);
        return wire.port;
      });
      await context.addInitScript(watch, wired ? HERE : undefined);
      const { link, host } = await shell.call("offer.make", {}, newIntent());
      const { session } = await shell.call("session.create", { agent: DEMO, workspace: world.home }, newIntent());
      const { page, faults } = await openPage(context, "about:blank");
      await page.goto(link);
      await page.getByRole("button", { name: "Pair", exact: true }).click();
      await page.waitForURL(/\/sessions$/u);
      const sockets = new Set<WebSocket>();
      page.on("websocket", (socket) => {
        sockets.add(socket);
        socket.on("close", () => sockets.delete(socket));
      });
      await page.goto(`${relay.origin}/session/${host}/${session}`);
      await page.getByRole("textbox").first().waitFor();
      await page
        .locator(".sidebar-hosts")
        .getByText(/^(?:by relay|live)$/u)
        .waitFor();
      await page.evaluate(() => void (globalThis as unknown as Watched).said.splice(0));
      return { page, faults, session, sockets: () => sockets.size };
    }

    /** Resolves when the newest device of the host is there by a way, as the host sees it. */
    const untilBy = (way: Way): Promise<boolean> =>
      until(`the page by ${way}`, async () => {
        const { devices } = await shell.call("device.list", {});
        return devices.toSorted((a, b) => b.paired - a.paired)[0]?.way === way || undefined;
      });

    const lose = async (...whose: ("host" | "page")[]): Promise<void> => {
      for (const { passes } of wires) for (const one of whose) passes[one] = false;
    };
    const say = async (page: Page, words: string): Promise<void> => {
      await page.getByRole("textbox").first().fill(words);
      await page.keyboard.press("Enter");
    };
    const shown = async (page: Page): Promise<string[]> => (await page.locator("main").innerText()).match(PIECE) ?? [];
    /** The pieces that the host journaled, once so many turns have ended. */
    const journaled = (session: SessionId, turns: number): Promise<string[]> =>
      until(`the end of turn ${turns}`, async () => {
        const { entries } = await shell.call("session.page", { session, before: 1_000_000 });
        const facts = entries.map(({ fact }) => fact);
        if (facts.filter(({ kind }) => kind === "turn.ended").length < turns) return undefined;
        const whole = facts.filter(({ kind }) => kind === "item.completed");
        return JSON.stringify(whole).replaceAll("\\n", " ").match(PIECE) ?? [];
      });
    const said = (page: Page): Promise<string[]> => page.evaluate(() => (globalThis as unknown as Watched).said);
    const peers = (page: Page): Promise<string[]> =>
      page.evaluate(() => (globalThis as unknown as Watched).peers.map(({ connectionState }) => connectionState));

    it("goes on directly, with the relay let go, and nothing is shown of it", async () => {
      const { page, faults, session, sockets } = await open(false);
      await say(page, "speak 120 25");
      await untilBy("direct");
      await until("the end of the page's sockets", () => sockets() === 0 || undefined);
      await relay.kill("SIGTERM");
      try {
        const first = await journaled(session, 1);
        assert.equal(first.length, 120);
        await page.waitForFunction(
          (last) => document.querySelector("main")?.innerText.includes(last),
          first.at(-1) ?? "",
        );
        assert.deepEqual(await shown(page), first);
        await say(page, "speak 40 25");
        const both = await journaled(session, 2);
        await page.waitForFunction(
          (last) => document.querySelector("main")?.innerText.includes(last),
          both.at(-1) ?? "",
        );
        // What is far from the end is not drawn.
        const drawn = await shown(page);
        assert.deepEqual(drawn, both.slice(-drawn.length));
        await page.getByText("live", { exact: true }).waitFor();
        assert.deepEqual(await said(page), []);
        assert.deepEqual(await peers(page), ["connected"]);
        assert.deepEqual(faults, []);
      } finally {
        await relay.restart();
        await untilRelayed(shell);
      }
    });

    for (const [how, kill] of [
      ["is closed", async (page: Page) => page.evaluate(() => (globalThis as unknown as Watched).peers[0]?.close())],
      ["says no more", () => lose("host", "page")],
      ["is heard no more", () => lose("host")],
    ] as const)
      it(`is back at the relay in the middle of an answer when its peer ${how}, with nothing lost and nothing doubled`, async () => {
        const { page, faults, session } = await open(true);
        await untilBy("direct");
        await say(page, "speak 600 20");
        await page.waitForFunction(() => /\d{13}\.\d{3}/u.test(document.querySelector("main")?.innerText ?? ""));
        assert.ok(wires.length === 1 && (wires[0]?.passed ?? 0) > 10, "the channel runs over the wire");
        await kill(page);
        const began = performance.now();
        await untilBy("relay");
        const took = performance.now() - began;
        console.log(`by the relay again ${Math.round(took)} ms after its peer ${how}`);
        const all = await journaled(session, 1);
        assert.equal(all.length, 600);
        await page.waitForFunction(
          (last) => document.querySelector("main")?.innerText.includes(last),
          all.at(-1) ?? "",
        );
        assert.deepEqual(await shown(page), all);
        assert.equal(await page.locator("main").getByText("speak 600 20", { exact: true }).count(), 1);
        assert.deepEqual(
          (await said(page)).filter((words) => /offline|away/iu.test(words)),
          [],
        );
        assert.deepEqual(faults, []);
      });
  },
);

/** Runs in the page before its own code: keeps its peers, hears what the screen says, and leads channels over a wire. */
function watch(wired: string | undefined): void {
  const all: Watched = { peers: [], said: [] };
  Object.assign(globalThis, all);
  const Native = RTCPeerConnection;
  class Kept extends Native {
    constructor(configuration?: RTCConfiguration) {
      super(configuration);
      all.peers.push(this);
    }
    override async setRemoteDescription(description: RTCSessionDescriptionInit): Promise<void> {
      const { sdp = "" } = description;
      const candidate = /^a=candidate:\S+ 1 UDP \d+ (\d+\.\S+) (\d+) typ host.*$/mu.exec(sdp);
      if (wired === undefined || !candidate) return super.setRemoteDescription(description);
      const [line, address = "", port = ""] = candidate;
      const { wireTo } = globalThis as unknown as { wireTo(address: string, port: number): Promise<number> };
      const other = line.replace(`${address} ${port}`, `${wired} ${await wireTo(address, Number(port))}`);
      const without = sdp.replaceAll(/^a=candidate:.*\r\n/gmu, "");
      return super.setRemoteDescription({ ...description, sdp: `${without.trimEnd()}\r\n${other}\r\n` });
    }
  }
  Object.assign(globalThis, { RTCPeerConnection: Kept });
  let last = "live";
  new MutationObserver(() => {
    const host = document.querySelector(".sidebar-hosts .dim")?.textContent ?? last;
    const banner = document.querySelector(".banner.stale")?.textContent ?? "";
    const words = `${host} ${banner}`.trim();
    if (words !== last && !/^(?:live|by relay)$/u.test(words)) all.said.push(words);
    last = words;
  }).observe(document, { subtree: true, childList: true, characterData: true });
}
