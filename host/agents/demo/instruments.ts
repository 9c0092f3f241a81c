/** Scenes for those who measure and test: as much as is wanted, or each piece with the time it was said. */
import type { Stage } from "./stage.ts";

/** Most pieces of one flood, and most ticks: a prompt must not run for hours. */
const MAX_FLOOD = 1_000_000;
/** Pieces of one item in a flood: no item holds more than a body may. */
const FLOOD_PIECES = 20_000;
const TICK_MS = 50;
/** Pieces of one spoken paragraph. */
const PARAGRAPH_PIECES = 20;

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
  const { count, every } = rhythmOf(stage);
  const running = await stage.call({ name: "Tick", kind: "other", object: `${count} times, each ${every} ms` });
  for await (const time of times(count, every)) await running.print(`${time}\n`);
  await running.end();
}

/** `speak 200 20`: the same as words, in paragraphs, as a model's answer comes. */
export function speak(stage: Stage): Promise<void> {
  const { count, every } = rhythmOf(stage);
  return stage.pour(paragraphs(times(count, every)));
}

async function* paragraphs(pieces: AsyncIterable<string>): AsyncGenerator<string> {
  let place = 0;
  for await (const piece of pieces) {
    place += 1;
    yield `${piece}${place % PARAGRAPH_PIECES === 0 ? "\n\n" : " "}`;
  }
}

/** `probe 20`: 20 approvals, one after the other. Each says when it was raised; what is printed, when its answer came. */
export async function probe(stage: Stage): Promise<void> {
  const { count } = rhythmOf(stage);
  const running = await stage.call({ name: "Probe", kind: "other", object: `${count} times` });
  for (let place = 1; place <= count; place += 1) {
    const evidence = { tool: "Probe", kind: "other" as const, purpose: `Raised at ${time()}`, edits: [], input: "{}" };
    const choices = [{ choice: "once", label: "Allow once", scope: "once" as const }];
    await stage.approval({ evidence, choices }, running.item);
    await running.print(`${time()}\n`);
  }
  await running.end();
}

function rhythmOf(stage: Stage): { readonly count: number; readonly every: number } {
  const [count = 100, every = TICK_MS] = stage.rest.split(/\s+/u).map((part) => Number.parseInt(part, 10) || undefined);
  return { count: Math.min(count, MAX_FLOOD), every };
}

async function* times(count: number, every: number): AsyncGenerator<string> {
  const from = performance.now();
  for (let place = 1; place <= count; place += 1) {
    const due = from + place * every - performance.now();
    // The instrument keeps its own time: a pace would falsify it.
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, due)));
    yield time();
  }
}

/** Milliseconds since 1970, three places after the point. */
function time(): string {
  return (performance.timeOrigin + performance.now()).toFixed(3);
}
