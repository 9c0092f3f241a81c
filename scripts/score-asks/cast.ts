/** The screen at the end of a recording (asciicast v2), through the emulator of the host. */

import type { Screen } from "../../host/agents/terminal/screen.ts";
import { Emulator } from "../../host/live/terminal/emulator.ts";

const MAX_SIDE_CELLS = 1_000;

/** What `look` makes of the screen, which is good only while it looks. Throws, saying which line, when it is no recording. */
export function atEndOfCast<Result>(text: string, look: (screen: Screen) => Result): Result {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  const [head = "", ...events] = lines;
  using emulator = new Emulator(sizeOf(head), { answer: () => {}, signal: () => {} });
  for (const [place, line] of events.entries()) {
    const event = parsed(line, place + 2);
    if (!Array.isArray(event)) throw new Error(`Line ${place + 2} is no event.`);
    const [, kind, data] = event as unknown[];
    if (typeof data !== "string") continue;
    if (kind === "o") emulator.write(Buffer.from(data));
    if (kind === "r") {
      const [cols, rows] = data.split("x").map(Number);
      emulator.resize({ cols: side(cols), rows: side(rows) });
    }
  }
  return look(emulator.screen());
}

function sizeOf(line: string): { cols: number; rows: number } {
  const head = parsed(line, 1);
  const { version, width, height } = (typeof head === "object" && head !== null ? head : {}) as Record<string, unknown>;
  if (version !== 2 || typeof width !== "number" || typeof height !== "number")
    throw new Error("Line 1 is no head of an asciicast v2.");
  return { cols: side(width), rows: side(height) };
}

function side(cells: number | undefined): number {
  return Math.min(MAX_SIDE_CELLS, Math.max(1, Math.floor(cells ?? 1) || 1));
}

function parsed(line: string, place: number): unknown {
  try {
    return JSON.parse(line);
  } catch {
    throw new Error(`Line ${place} is no JSON.`);
  }
}
