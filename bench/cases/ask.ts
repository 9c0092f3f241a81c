/** An ask, one round: the agent raises it, a card is on the page; a tap, and the agent reads the answer. */
import { startWorld } from "@flybridge/testing/world.ts";
import { startBare } from "../bare/bare.ts";
import { skewMs } from "../clock.ts";
import { followDemo, turn } from "../device.ts";
import { type Bench, countOf } from "../figure.ts";
import { launchChromium, openBarePage, openSession, ordered, pairPage, tapCards, type Taps } from "../phone.ts";
import { inTurns, median } from "../sample.ts";

const ASKS = 12;
const ROUNDS = 3;
/** As for a token: what an agent wants to know is no less urgent. */
const SEEN_MS = 50;

export const ask: Bench = {
  name: "ask",
  about: "ask raised → card in the page; tap → answer read by the agent",
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
    const taps = await tapCards(page, skew);
    const bareTaps = await tapCards(barePage, skew);
    const asks = countOf(ASKS, share, 2);
    const answered: number[] = [];
    const bareAnswered: number[] = [];
    const samples = await inTurns(countOf(ROUNDS, share), {
      async seen(delays) {
        await page.bringToFront();
        const raised: [string, number][] = [];
        const read: number[] = [];
        await turn(device, session, `probe ${asks}`, (message) => {
          if (message.t !== "entries") return;
          for (const { fact } of message.entries) {
            if (fact.kind === "ask.opened" && fact.ask.kind === "approval")
              raised.push([fact.ask.ask, Number(fact.ask.evidence.purpose?.split(" ").at(-1))]);
            else if (fact.kind === "item.completed" && fact.item.kind === "tool")
              read.push(...fact.item.body.trim().split("\n").map(Number));
          }
        });
        answered.splice(0, Infinity, ...paired(raised, read, await taps(), delays));
      },
      answered: (delays) => void delays.push(...answered),
      async bareSeen(delays) {
        await barePage.bringToFront();
        const lines = await barePage.evaluate(ordered, `probe ${asks}`);
        const raised = lines.flatMap((line) => (line.startsWith("ask ") ? [line.split(" ")] : []));
        const read = lines.flatMap((line) => (line.startsWith("read ") ? [Number(line.split(" ")[1])] : []));
        bareAnswered.splice(
          0,
          Infinity,
          ...paired(
            raised.map(([, id = "", at]) => [id, Number(at)]),
            read,
            await bareTaps(),
            delays,
          ),
        );
      },
      bareAnswered: (delays) => void delays.push(...bareAnswered),
    });
    device.close();
    const at = (name: string): number => median(samples[name] ?? []);
    const reference = (name: string) => ({ what: "a bare page, ws and pipe", value: at(name) });
    return [
      {
        what: "ask raised → card in the page, p50",
        value: at("seen"),
        unit: "ms",
        reference: reference("bareSeen"),
        limit: { value: SEEN_MS },
      },
      {
        what: "tap → answer read by the agent, p50",
        value: at("answered"),
        unit: "ms",
        reference: reference("bareAnswered"),
        limit: { value: SEEN_MS },
      },
    ];
  },
};

/** Adds how late each card was seen, and gives how late each answer was read; asks and answers alternate. */
function paired(raised: readonly [string, number][], read: readonly number[], taps: Taps, seen: number[]): number[] {
  return raised.flatMap(([id, at], place) => {
    const tap = taps[id];
    const answer = read[place];
    if (!tap || answer === undefined) return [];
    seen.push(tap.seen - at);
    return [answer - tap.tapped];
  });
}
