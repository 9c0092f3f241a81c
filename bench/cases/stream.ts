/** How late a line of the agent is seen: on a device, and in the page of a real browser. */
import type { HostMessage } from "@flybridge/protocol/message.ts";
import { startWorld } from "@flybridge/testing/world.ts";
import { type Bare, startBare } from "../bare/bare.ts";
import { skewMs, wall } from "../clock.ts";
import { followDemo, turn } from "../device.ts";
import { type Bench, countOf, type Measured } from "../figure.ts";
import { launchChromium, openBarePage, openSession, ordered, pairPage, watchWords } from "../phone.ts";
import { inTurns, percentile } from "../sample.ts";

/** A model's pace: some 35 pieces of text a second. */
const EVERY_MS = 28;
const LINES = 120;
const ROUNDS = 3;

export const stream: Bench = {
  name: "stream",
  about: "agent line written → on the device → in the page",
  async run({ share, app }) {
    await using world = await startWorld({ args: ["--app", app] });
    await using bare = await startBare();
    await using browser = await launchChromium();
    const device = await world.pair();
    const session = await followDemo(device, world.home);
    const page = await pairPage(browser, world);
    await openSession(page, device.keys.host as never, session);
    const barePage = await openBarePage(browser, bare);

    const skew = skewMs();
    const inPage = await watchWords(page, skew);
    const inBarePage = await watchWords(barePage, skew);
    const lines = countOf(LINES, share, 5);
    const onDevice: number[] = [];
    const onBareDevice: number[] = [];
    const samples = await inTurns(countOf(ROUNDS, share), {
      async ours(delays) {
        await page.bringToFront();
        onDevice.splice(0);
        await turn(device, session, `speak ${lines} ${EVERY_MS}`, hears(onDevice));
        delays.push(...onDevice);
      },
      async oursInPage(delays) {
        delays.push(...(await inPage()));
      },
      async bare(delays) {
        await barePage.bringToFront();
        onBareDevice.splice(0);
        await Promise.all([
          bareTicks(bare, `tick ${lines} ${EVERY_MS}`, onBareDevice),
          barePage.evaluate(ordered, `tick ${lines} ${EVERY_MS}`),
        ]);
        delays.push(...onBareDevice);
      },
      async bareInPage(delays) {
        delays.push(...(await inBarePage()));
      },
    });
    const first = await inTurns(countOf(ROUNDS, share), {
      async ours(delays) {
        const fresh = await followDemo(device, world.home);
        await openSession(page, device.keys.host as never, fresh);
        const seen = await watchWords(page, skew);
        await turn(device, fresh, `speak 8 ${EVERY_MS}`);
        delays.push(...(await seen()).slice(0, 1));
      },
      async bare(delays) {
        await barePage.evaluate(ordered, `tick 8 ${EVERY_MS}`);
        delays.push(...(await inBarePage()).slice(0, 1));
      },
    });
    device.close();
    return [
      row(
        "agent line → on the device, p50",
        samples["ours"],
        samples["bare"],
        0.5,
        "a bare pipe and ws to a device",
        5,
      ),
      row("agent line → on the device, p99", samples["ours"], samples["bare"], 0.99, "a bare pipe and ws to a device"),
      row(
        "agent line → in the page, p50",
        samples["oursInPage"],
        samples["bareInPage"],
        0.5,
        "the same to a bare page",
        15,
      ),
      row(
        "agent line → in the page, p99",
        samples["oursInPage"],
        samples["bareInPage"],
        0.99,
        "the same to a bare page",
        50,
      ),
      row(
        "first words of a fresh session → in the page",
        first["ours"],
        first["bare"],
        0.5,
        "the same to a bare page",
        50,
      ),
    ];
  },
};

function row(
  what: string,
  ours: number[] = [],
  bare: number[] = [],
  share: number,
  reference: string,
  limit?: number,
): Measured {
  return {
    what,
    value: percentile(ours, share),
    unit: "ms",
    reference: { what: reference, value: percentile(bare, share) },
    ...(limit === undefined ? {} : { limit: { value: limit } }),
  };
}

/** Takes the times out of what a device is told, by deltas and by checkpoints. */
function hears(delays: number[]): (message: HostMessage, at: number) => void {
  let newest = 0;
  const take = (text: string, at: number): void => {
    for (const [found] of text.matchAll(/\d{13}\.\d{3}/gu)) {
      const said = Number(found);
      if (said <= newest) continue;
      newest = said;
      delays.push(at - said);
    }
  };
  return (message, at) => {
    if (message.t === "delta") take(message.delta.text, at);
    if (message.t !== "entries") return;
    for (const { fact } of message.entries) if (fact.kind === "item.grew") take(fact.text, at);
  };
}

async function bareTicks(bare: Bare, order: string, delays: number[]): Promise<void> {
  let end = (): void => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const socket = await bare.connect("/lines", (data) => {
    const at = wall();
    const [kind, said] = String(data).split(" ");
    if (kind === "grow") delays.push(at - Number(said));
    else if (kind === "end") end();
  });
  socket.send(order);
  await ended;
  socket.close();
}
