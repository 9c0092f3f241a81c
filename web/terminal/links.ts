/** Addresses in what a program prints. Only http and https; nothing is opened without its whole target being shown. */
import type { IBufferLine, ILink, Terminal } from "@xterm/xterm";

/** Rows of one wrapped line that are looked at around a place. */
const MAX_ROWS = 20;
/** Characters of an address. */
const MAX_CHARS = 2_000;

const PAIRS = [
  ["(", ")"],
  ["[", "]"],
  ["{", "}"],
] as const;

const ADDRESS = /https?:\/\/[^\s<>"'`\p{Cc}]{1,2000}/gu;

/** The address as it will be opened, or undefined when it is none of the web's. */
export function targetOf(text: string): string | undefined {
  if (text.length > MAX_CHARS || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  return url.protocol === "https:" || url.protocol === "http:" ? url.href : undefined;
}

/** Without the punctuation of the sentence around it. */
export function addressesIn(line: string): { at: number; text: string }[] {
  return [...line.matchAll(ADDRESS)].flatMap((match) => {
    let text = match[0].replace(/[.,;:!?]+$/u, "");
    for (const [open, close] of PAIRS)
      for (let more = count(text, close) - count(text, open); more > 0 && text.endsWith(close); more--)
        text = text.slice(0, -1);
    return targetOf(text) === undefined ? [] : [{ at: match.index, text }];
  });
}

/** For `terminal.registerLinkProvider`. */
export function addressProvider(
  terminal: Terminal,
  activate: (target: string) => void,
): { provideLinks(y: number, found: (links: ILink[] | undefined) => void): void } {
  return {
    provideLinks(y, found) {
      const buffer = terminal.buffer.active;
      let first = y - 1;
      while (first > 0 && y - first < MAX_ROWS && buffer.getLine(first)?.isWrapped) first--;
      // Where each character of the joined text is on the screen: wide ones and joined ones make the two differ.
      const places: { x: number; y: number }[] = [];
      let text = "";
      for (let row = first; row < first + MAX_ROWS; row++) {
        const line = buffer.getLine(row);
        if (!line || (row > first && !line.isWrapped)) break;
        text += cellsOf(line, terminal.cols, row, places);
      }
      const links = addressesIn(text).flatMap(({ at, text: address }): ILink[] => {
        const [start, end] = [places[at], places[at + address.length - 1]];
        const target = targetOf(address);
        if (!start || !end || target === undefined) return [];
        return [
          {
            text: address,
            range: { start: { x: start.x + 1, y: start.y + 1 }, end: { x: end.x + 1, y: end.y + 1 } },
            activate: () => {
              activate(target);
            },
          },
        ];
      });
      found(links.length === 0 ? undefined : links);
    },
  };
}

function cellsOf(line: IBufferLine, cols: number, y: number, places: { x: number; y: number }[]): string {
  let text = "";
  for (let x = 0; x < cols; x++) {
    const cell = line.getCell(x);
    if (!cell || cell.getWidth() === 0) continue;
    const chars = cell.getChars() || " ";
    for (let at = 0; at < chars.length; at++) places.push({ x, y });
    text += chars;
  }
  return text;
}

function count(text: string, char: string): number {
  return text.split(char).length - 1;
}
