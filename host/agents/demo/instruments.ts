/** Scenes for those who measure and test: as much as is wanted, or each piece with the time it was said. */
import type { Stage } from "./stage.ts";

/** Most pieces of one flood, and most ticks: a prompt must not run for hours. */
const MAX_FLOOD = 1_000_000;
/** Pieces of one item in a flood: no item holds more than a body may. */
const FLOOD_PIECES = 20_000;
const TICK_MS = 50;

/** `flood 100000`: so many short pieces of text, as fast as they are read. */
export async function flood(stage: Stage): Promise<void> {
  const wanted = Math.min(MAX_FLOOD, Math.max(1, Number.parseInt(stage.rest, 10) || 1_000));
  for (let from = 0; from < wanted; from += FLOOD_PIECES) {
    await stage.pour(pieces(from, Math.min(wanted, from + FLOOD_PIECES)));
  }
}

function* pieces(from: number, to: number): Generator<string> {
  for (let place = from + 1; place <= to; place += 1) yield place % 12 === 0 ? `${place}\n` : `${place} `;
}

/** `tick 200 20`: 200 pieces, one each 20 ms, each the time it was said, for measuring how late it is seen. */
export async function tick(stage: Stage): Promise<void> {
  const [count = 100, every = TICK_MS] = stage.rest.split(/\s+/u).map((part) => Number.parseInt(part, 10) || undefined);
  const running = await stage.call({ name: "Tick", kind: "other", object: `${count} times, each ${every} ms` });
  const from = performance.now();
  for (let place = 1; place <= Math.min(count, MAX_FLOOD); place += 1) {
    const due = from + place * every - performance.now();
    // The instrument keeps its own time: a pace would falsify it.
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, due)));
    await running.print(`${performance.timeOrigin + performance.now()}\n`);
  }
  await running.end();
}
