/** What a phone sees by a relay, as it happens: sessions and their states, lines as they are written, questions. */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { SessionId } from "@flybridge/protocol/ids.ts";
import type { Browser, Page } from "playwright-core";
import { type BareDevice, newIntent } from "./bare.ts";
import { launchChromium, openPage, PHONE } from "./browser.ts";
import { type RunningRelay, startRelay, untilRelayed } from "./relay.ts";
import { joinAt, offerBy, RelayedDevice } from "./relayed.ts";
import { startWorld, type World } from "./world.ts";

const WAIT_MS = 30_000;
/** From what happens on the host to the phone's screen, in milliseconds. */
const SOON_MS = 1_000;
const LINES = 30;
const GAP_MS = 100;

describe("a phone by a relay", { timeout: 180_000 }, () => {
  const held = new AsyncDisposableStack();
  let relay: RunningRelay;
  let world: World;
  let shell: BareDevice;
  let browser: Browser;
  let phone: Page;
  let host: string;
  let faults: string[];

  before(async () => {
    relay = held.use(await startRelay());
    world = held.use(await startWorld({ args: ["--relay", relay.origin, "--confirm", "never"], env: { PS1: "$ " } }));
    mkdirSync(join(world.home, "project"));
    shell = await world.shell();
    held.defer(() => shell.close());
    await untilRelayed(shell);
    ({ host } = await shell.call("host.read", {}));
    browser = await launchChromium();
    held.defer(() => browser.close());
    const context = await browser.newContext(PHONE);
    context.setDefaultTimeout(WAIT_MS);
    ({ page: phone, faults } = await openPage(context, relay.origin));
    const { link } = await shell.call("offer.make", {}, newIntent());
    assert.ok(link.startsWith(relay.origin), link);
    await phone.goto(link);
    await phone.getByRole("button", { name: "Pair", exact: true }).tap();
    await phone.waitForURL(/\/sessions$/u);
  });
  after(() => held.disposeAsync());

  const run = async (command: string[]): Promise<SessionId> =>
    (
      await shell.call(
        "session.create",
        { agent: "terminal" as never, workspace: join(world.home, "project"), command },
        newIntent(),
      )
    ).session;

  it("[D13] answers 200 times, each well under a tenth of a second", async () => {
    const device = await RelayedDevice.pair(await offerBy(shell), "stopwatch");
    const times: number[] = [];
    for (let at = 0; at < 200; at++) {
      const since = performance.now();
      await device.device.call("session.list", {});
      times.push(performance.now() - since);
    }
    device.device.close();
    times.sort((one, another) => one - another);
    const [p50 = 0, p95 = 0] = [times[100], times[190]];
    console.log(`by a relay: p50 ${p50.toFixed(1)} ms, p95 ${p95.toFixed(1)} ms`);
    assert.ok(p95 < 100, `${p95} ms`);
  });

  it("[D10] [D22] [D23] [D24] shows a job in the list at once, with its state and last activity, and opens it by a tap", async () => {
    await phone.goto(`${relay.origin}/sessions`);
    await phone.getByRole("heading", { name: "Sessions" }).waitFor();
    const done = join(world.home, "done");
    await run(["bash", "-c", `echo casting off; while [ ! -e ${done} ]; do sleep 0.05; done; exit 3`]);
    const row = phone
      .getByRole("link", { name: /project/u })
      .filter({ hasText: "Terminal" })
      .first();
    await row.filter({ hasText: /At rest|Running/u }).waitFor({ timeout: SOON_MS });
    assert.match(await row.innerText(), /just now|\d+ s/u, "when something happened last");
    writeFileSync(done, "");
    await row.filter({ hasText: /failed|code 3|exit/iu }).waitFor({ timeout: SOON_MS });
    await row.tap();
    await phone.waitForURL(/\/session\//u);
    await phone.locator(".xterm-rows").filter({ hasText: "casting off" }).waitFor();
  });

  it("[D11] [D14] [D25] shows each line when it is written, and not several at once", async () => {
    const lines = `for i in $(seq 1 ${LINES}); do echo line $i; sleep ${GAP_MS / 1_000}; done; sleep 60`;
    const session = await run(["bash", "-c", `sleep 1.5; ${lines}`]);
    await phone.goto(`${relay.origin}/session/${host}/${session}`);
    await phone.locator(".term-area[data-live=true]").waitFor();
    const seen = await phone.evaluate(
      ({ last }) =>
        new Promise<number[]>((resolve) => {
          const at: number[] = [];
          const look = (): void => {
            const text = document.querySelector(".xterm-rows")?.textContent ?? "";
            const count = Math.max(0, ...[...text.matchAll(/line (\d+)/gu)].map(([, number]) => Number(number)));
            while (at.length < count) at.push(performance.now());
            if (count >= last) resolve(at);
            else requestAnimationFrame(look);
          };
          look();
        }),
      { last: LINES },
    );
    const gaps = seen.slice(1).map((at, index) => at - (seen[index] ?? 0));
    const together = gaps.filter((gap) => gap < GAP_MS / 4).length;
    assert.ok(
      together <= LINES / 5,
      `${together} of ${gaps.length} came with another: ${gaps.map(Math.round).join(" ")}`,
    );
    await shell.call("session.stop", { session }, newIntent());
  });

  it("[D12] shows what a program asks as a card, and takes the answer to it", async () => {
    const answered = join(world.home, "answered");
    const session = await run(["bash", "-c", `read -p "Drop the anchor? [y/N] " answer; echo "$answer" > ${answered}`]);
    await phone.goto(`${relay.origin}/session/${host}/${session}`);
    const card = phone.getByRole("region", { name: "What needs you" });
    await card.getByText("Drop the anchor?").first().waitFor();
    await card.getByText("Yes", { exact: true }).tap();
    await card.getByRole("button", { name: "Answer", exact: true }).tap();
    for (;;) {
      try {
        if (readFileSync(answered, "utf8").trim() === "y") break;
      } catch {
        // It is written once the program has the answer.
      }
      await shell.call("session.list", {});
    }
  });

  it("[D18] can be installed from the relay: a manifest, icons and a service worker, and no word against the policy", async () => {
    await phone.goto(`${relay.origin}/sessions`);
    const installable = await phone.evaluate(async () => {
      const link = document.querySelector<HTMLLinkElement>('link[rel="manifest"]');
      const manifest = (await (await fetch(link?.href ?? "")).json()) as { display: string; icons: unknown[] };
      const worker = await navigator.serviceWorker.ready;
      return { display: manifest.display, icons: manifest.icons.length, worker: worker.active?.scriptURL ?? "" };
    });
    assert.equal(installable.display, "standalone");
    assert.ok(installable.icons > 0);
    assert.ok(installable.worker.startsWith(relay.origin));
    assert.deepEqual(
      faults.filter((fault) => fault.startsWith("policy:")),
      [],
    );
  });
});

describe("a small relay", () => {
  it("[D53] is ready within a second, and stays small with 200 devices at it", async () => {
    const since = performance.now();
    await using relay = await startRelay();
    const ready = performance.now() - since;
    const rss = (): number =>
      Number(/VmRSS:\s+(\d+)/u.exec(readFileSync(`/proc/${relay.pid}/status`, "utf8"))?.[1]) / 1_024;
    const idle = rss();
    await using world = await startWorld({ args: ["--relay", relay.origin, "--confirm", "never"] });
    const shell = await world.shell();
    await untilRelayed(shell);
    const device = await RelayedDevice.pair(await offerBy(shell), "many");
    const joined = [];
    for (let at = 0; at < 200; at++) {
      // Each by a ticket of its own; what the host thinks of who says nothing then is not asked here.
      const way = await device.takeWay();
      joined.push(await joinAt(way, { kind: "ticket", ticket: way.ticket }, device.proof));
    }
    const full = rss();
    console.log(`ready in ${Math.round(ready)} ms; ${idle.toFixed(0)} MB, with 200 joined ${full.toFixed(0)} MB`);
    assert.ok(full < 200, `${full} MB`);
    for (const { link } of joined) link.close("done");
    device.device.close();
    shell.close();
  });
});
