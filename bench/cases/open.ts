/** Opening a session must not depend on how long it is: a hundred entries beside a million. */
import { join } from "node:path";
import type { HostId, SessionId } from "@flybridge/protocol/ids.ts";
import { startWorld } from "@flybridge/testing/world.ts";
import type { Page } from "playwright-core";
import { type Bench, countOf, type Measured } from "../figure.ts";
import { launchChromium, pairPage } from "../phone.ts";
import { inTurns, median, percentile, timed } from "../sample.ts";
import { writeSession } from "../transcript.ts";

const SHORT = 100;
const PAGE = 1_000;
const LONG = 1_000_000;
const OPENINGS = 20;
const ROUNDS = 3;
const PAGES = 3;

export const open: Bench = {
  name: "open",
  about: "opening a session of 100 and of 1,000,000 entries",
  async run({ share, app }) {
    await using world = await startWorld({ args: ["--app", app] });
    await world.kill();
    const database = join(world.state, "flybridge.db");
    const long = countOf(LONG, share, 2 * PAGE);
    const sessions = {
      short: writeSession(database, SHORT),
      page: writeSession(database, PAGE),
      long: writeSession(database, long),
    };
    await world.restart();
    const device = await world.pair();
    const openings = countOf(OPENINGS, share, 2);
    const follow = (session: SessionId) => async (times: number[]) => {
      for (let opening = 0; opening < openings; opening += 1) {
        times.push(await timed(() => device.call("session.follow", { session })));
        await device.call("session.unfollow", { session });
      }
    };
    const samples = await inTurns(countOf(ROUNDS, share), {
      short: follow(sessions.short),
      page: follow(sessions.page),
      long: follow(sessions.long),
    });
    device.close();
    const entries = long.toLocaleString("en");
    const at = (name: string): number => median(samples[name] ?? []);
    const measured: Measured[] = [
      {
        what: `first page of ${entries} entries on a device`,
        value: at("long"),
        unit: "ms",
        reference: { what: `of ${PAGE.toLocaleString("en")} entries`, value: at("page") },
        limit: { ratio: 1.3 },
      },
      {
        what: `first page of ${entries} entries on a device`,
        value: at("long"),
        unit: "ms",
        reference: { what: `of ${SHORT} entries, half a page`, value: at("short") },
      },
    ];

    await using browser = await launchChromium();
    const host = device.keys.host as HostId;
    const drawn: { short: number[]; long: number[] } = { short: [], long: [] };
    for (let round = 0; round < countOf(PAGES, share); round += 1) {
      for (const which of round % 2 === 0 ? (["short", "long"] as const) : (["long", "short"] as const))
        drawn[which].push(await drawnIn(await pairPage(browser, world), host, sessions[which]));
    }
    // The best of a few: each is one opening in a fresh browser, where whatever else runs only ever adds.
    const reference = { what: `of ${SHORT} entries`, value: percentile(drawn.short, 0) };
    measured.push({
      what: `${entries} entries, tap to rows in the page`,
      value: percentile(drawn.long, 0),
      unit: "ms",
      reference,
      limit: { ratio: 1.5 },
    });
    return measured;
  },
};

/** Milliseconds from the tap on a session in the list to its newest words in the page, for a device that never saw it. */
async function drawnIn(page: Page, host: HostId, session: SessionId): Promise<number> {
  const row = `a[href$="/session/${host}/${session}"]`;
  await page.locator(row).first().waitFor();
  const took = await page.evaluate(
    (selector) =>
      new Promise<number>((resolve) => {
        const from = performance.now();
        new MutationObserver((_changes, observer) => {
          if (!document.querySelector(".transcript .words")?.textContent?.includes("height at hour")) return;
          observer.disconnect();
          resolve(performance.now() - from);
        }).observe(document, { subtree: true, childList: true, characterData: true });
        document.querySelector<HTMLElement>(selector)?.click();
      }),
    row,
  );
  await page.context().close();
  return took;
}
