/** What a person types as a terminal's command, as the host is given it; and how large the terminal is at first. */
import type { Size } from "@flybridge/protocol/terminal.ts";
import { MAX_COLUMNS, MAX_ROWS } from "@flybridge/protocol/limits.ts";

/** Words with nothing in them that a shell would act on. */
const PLAIN = /^[\w@%+=:,./ -]*$/u;
/** Of a letter's height: what a monospaced letter takes, across and with its line. */
const WIDE = 0.6;
const HIGH = 1.3;
/** What stands around the screen on the page, in pixels. */
const AROUND = { width: 16, height: 180 };

/** Undefined for nothing: the person's own shell. What a shell must read, a shell reads. */
export function commandFrom(text: string): string[] | undefined {
  const line = text.trim();
  if (line === "") return undefined;
  return PLAIN.test(line) ? line.split(/\s+/u) : ["sh", "-c", line];
}

/** A guess, so that a program need not draw twice: the page then fits it. */
export function firstSize(width: number, height: number, pixels: number): Size {
  const within = (cells: number, most: number): number => Math.max(10, Math.min(most, Math.floor(cells)));
  return {
    cols: within((width - AROUND.width) / (pixels * WIDE), MAX_COLUMNS),
    rows: within((height - AROUND.height) / (pixels * HIGH), MAX_ROWS),
  };
}
