/** The built app in a real Chromium, paired with a host; and the eyes that say when something is on its page. */
import { launchChromium, DESKTOP } from "@flybridge/testing/browser.ts";
import { newIntent } from "@flybridge/testing/bare.ts";
import type { World } from "@flybridge/testing/world.ts";
import type { HostId, SessionId } from "@flybridge/protocol/ids.ts";
import type { Browser, Page } from "playwright-core";
import type { Bare } from "./bare/bare.ts";
import { skewMs } from "./clock.ts";

export { launchChromium };

/** A new device: a page of its own storage, paired by an invitation that is opened as a link. */
export async function pairPage(browser: Browser, world: World): Promise<Page> {
  const shell = await world.shell();
  const { link } = await shell.call("offer.make", {}, newIntent());
  shell.close();
  const context = await browser.newContext(DESKTOP);
  const page = await context.newPage();
  await page.goto(link);
  await page.getByRole("button", { name: "Pair", exact: true }).click();
  await page.waitForURL(/\/sessions$/u);
  return page;
}

export async function openSession(page: Page, host: HostId, session: SessionId): Promise<void> {
  await page.goto(new URL(`/session/${host}/${session}`, page.url()).href);
  await page.locator("[data-composer]").waitFor();
}

/** The reference's page, connected. */
export async function openBarePage(browser: Browser, bare: Bare): Promise<Page> {
  const page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${bare.port}/`);
  await page.locator("[data-open]").waitFor({ state: "attached" });
  return page;
}

/** In the bare page: sends an order and resolves with the lines that came of it. */
export function ordered(words: string): Promise<string[]> {
  const bench = globalThis as unknown as { order: (words: string) => void; heard: string[]; ended: () => void };
  bench.heard = [];
  return new Promise((resolve) => {
    bench.ended = () => resolve(bench.heard);
    bench.order(words);
  });
}

/**
 * Watches for times in the words on the page. The result gives, when called, how many milliseconds after its own time
 * each was there, and forgets them.
 */
export async function watchWords(page: Page, ownSkewMs: number): Promise<() => Promise<number[]>> {
  const skew = (await page.evaluate(skewMs)) - ownSkewMs;
  await page.evaluate((ahead) => {
    const seen = { newest: performance.timeOrigin + performance.now() - ahead, delays: [] as number[] };
    Object.assign(globalThis, { benchSeen: seen });
    new MutationObserver(() => {
      const at = performance.timeOrigin + performance.now() - ahead;
      const text = [...document.querySelectorAll(".words")].at(-1)?.textContent ?? "";
      for (const [found] of text.slice(-2_000).matchAll(/\d{13}\.\d{3}/gu)) {
        const said = Number(found);
        if (said <= seen.newest) continue;
        seen.newest = said;
        seen.delays.push(at - said);
      }
    }).observe(document, { subtree: true, childList: true, characterData: true });
  }, skew);
  return () =>
    page.evaluate(() => (globalThis as unknown as { benchSeen: { delays: number[] } }).benchSeen.delays.splice(0));
}

/** When a card was there and when it was tapped, by ask. */
export type Taps = Record<string, { readonly seen: number; readonly tapped: number }>;

/** Watches for ask cards and taps each a moment after it came. */
export async function tapCards(page: Page, ownSkewMs: number): Promise<() => Promise<Taps>> {
  const skew = (await page.evaluate(skewMs)) - ownSkewMs;
  await page.evaluate((ahead) => {
    const MOMENT_MS = 40;
    const taps: Record<string, { seen: number; tapped: number }> = {};
    Object.assign(globalThis, { benchTaps: taps });
    const now = (): number => performance.timeOrigin + performance.now() - ahead;
    new MutationObserver(() => {
      for (const card of document.querySelectorAll<HTMLElement>("[data-ask]")) {
        const ask = card.dataset["ask"] ?? "";
        const button = card.querySelector<HTMLElement>("[data-decide]");
        if (ask in taps || !button) continue;
        const tap = { seen: now(), tapped: 0 };
        taps[ask] = tap;
        setTimeout(() => {
          tap.tapped = now();
          button.click();
        }, MOMENT_MS);
      }
    }).observe(document, { subtree: true, childList: true });
  }, skew);
  return () => page.evaluate(() => (globalThis as unknown as { benchTaps: Taps }).benchTaps);
}
