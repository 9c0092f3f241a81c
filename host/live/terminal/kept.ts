/** What is stored of a terminal with the offset in its output: what the agent remembers, and the screen at that offset. */
import { Size } from "@flybridge/protocol/size.ts";
import * as v from "valibot";
import type { AgentMark } from "../../core/ports.ts";
import type { Drawn } from "./drawing.ts";

/** Of a terminal whose first size nobody gave. */
export const USUAL_SIZE: Size = { cols: 80, rows: 24 };

const Screen = v.object({
  size: Size,
  text: v.string(),
  /** Base64. */
  unfinished: v.string(),
  /** Offset of the screen, of the terminal's output: of all its programs, one after the other. */
  offset: v.number(),
  answers: v.number(),
  signals: v.number(),
});

const Kept = v.object({
  agent: v.unknown(),
  /** Signals of the program that the agent was told of: at least those before the screen. */
  heard: v.number(),
  /** The terminal's offset at which the present program's output begins. */
  base: v.number(),
  screen: Screen,
  /** Sizes it had since, from which offset on. */
  sizes: v.array(v.tuple([v.number(), v.number(), v.number()])),
});

export interface KeptTerminal {
  readonly agent: unknown;
  readonly heard: number;
  readonly base: number;
  readonly drawn: Drawn;
  readonly sizes: readonly (readonly [offset: number, cols: number, rows: number])[];
}

export const BLANK: Drawn = {
  offset: 0,
  snapshot: { size: USUAL_SIZE, text: "", unfinished: Buffer.alloc(0) },
  answers: 0,
  signals: 0,
};

/** The screen, the largest part of it, as it is stored: made once, and stored again with what changes beside it. */
export function screenJson({ offset, snapshot, answers, signals }: Drawn): string {
  const { size, text, unfinished } = snapshot;
  return JSON.stringify({ size, text, unfinished: unfinished.toString("base64"), offset, answers, signals });
}

export function keptJson(rest: Omit<KeptTerminal, "drawn">, screen: string): string {
  const { agent, heard, base, sizes } = rest;
  return `{"agent":${JSON.stringify(agent ?? null)},"heard":${heard},"base":${base},"sizes":${JSON.stringify(sizes)},"screen":${screen}}`;
}

/** Of one that was never started, or whose memory is of another kind: a blank screen. */
export function keptFrom({ memory }: AgentMark): KeptTerminal {
  const parsed = v.safeParse(Kept, JSON.parse(memory));
  if (!parsed.success) return { agent: undefined, heard: 0, base: 0, drawn: BLANK, sizes: [] };
  const { agent, heard, base, screen, sizes } = parsed.output;
  const { size, text, unfinished, ...counts } = screen;
  const snapshot = { size, text, unfinished: Buffer.from(unfinished, "base64") };
  return { agent, heard, base, sizes, drawn: { ...counts, snapshot } };
}
