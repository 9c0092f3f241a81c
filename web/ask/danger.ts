/**
 * Marks the parts of a command that a person should not overlook. It reads shell roughly and on purpose too eagerly: a
 * mark is a reason to look, never a judgement, and its absence promises nothing.
 */
import { t } from "../words.ts";

export type Danger = "removes" | "writes" | "network" | "outside" | "rights" | "runs";

export interface Piece {
  readonly text: string;
  readonly danger?: Danger;
}

/** Characters of a command that are searched; what is longer is shown unmarked after that. */
const MAX_SEARCHED_CHARS = 20_000;

const RULES: readonly [Danger, RegExp][] = [
  [
    "removes",
    /(?<![\w./~-])(?:rm|rmdir|shred|unlink|truncate|mkfs\S*|dd)\b(?:\s+-{1,2}[\w-]+)*|\bgit\s+(?:clean|reset\s+--hard|checkout\s+(?:--\s+)?\.)|\bfind\b[^|;&\n]*-delete\b|--force\b|\bdrop\s+(?:table|database)\b/giu,
  ],
  ["rights", /(?<![\w./~-])(?:sudo|su|doas|chmod|chown|setfacl)\b/gu],
  [
    "runs",
    /\|\s*(?:sudo\s+)?(?:ba|z|da|fi)?sh\b|\beval\b|\bbase64\s+(?:-d|--decode)\b|\bcrontab\b|\b(?:kill|pkill|killall|shutdown|reboot)\b/gu,
  ],
  [
    "network",
    /(?<![\w./~-])(?:curl|wget|ssh|scp|sftp|rsync|nc|ncat|telnet|ftp)\b|\bgit\s+push\b|\b(?:npm|pnpm|yarn|cargo)\s+publish\b|https?:\/\/[^\s'"]+/gu,
  ],
  ["writes", /(?:^|[^<>&\d-])(?:&|\d)?>{1,2}(?!&)\s*[^\s;|&]+|\btee\b/gu],
];

/** Cuts a command into pieces; `workspace` is what paths are measured against. */
export function piecesOf(command: string, workspace: string): Piece[] {
  const searched = command.slice(0, MAX_SEARCHED_CHARS);
  const marks: { from: number; to: number; danger: Danger }[] = [];
  const mark = (danger: Danger, from: number, to: number): void => {
    if (marks.every((one) => to <= one.from || from >= one.to)) marks.push({ danger, from, to });
  };
  for (const [danger, pattern] of RULES)
    for (const match of searched.matchAll(pattern)) {
      const lead = danger === "writes" ? match[0].search(/[&\d]?>|tee/u) : 0;
      if (/>\s*\/dev\/null$/u.test(match[0])) continue;
      mark(danger, match.index + lead, match.index + match[0].length);
    }
  for (const match of searched.matchAll(/(?<![\w:/.])(?:~|\/|(?:\.\.\/)+)[^\s'";|&<>()]*/gu))
    if (isOutside(match[0], workspace)) mark("outside", match.index, match.index + match[0].length);
  marks.sort((a, b) => a.from - b.from);

  const pieces: Piece[] = [];
  let at = 0;
  for (const { from, to, danger } of marks) {
    if (from > at) pieces.push({ text: command.slice(at, from) });
    pieces.push({ text: command.slice(from, to), danger });
    at = to;
  }
  if (at < command.length) pieces.push({ text: command.slice(at) });
  return pieces;
}

export function dangersIn(pieces: readonly Piece[]): Danger[] {
  return [...new Set(pieces.flatMap((piece) => piece.danger ?? []))];
}

export function dangerWords(danger: Danger): string {
  switch (danger) {
    case "removes":
      return t("removes or overwrites");
    case "writes":
      return t("writes a file");
    case "network":
      return t("uses the network");
    case "outside":
      return t("outside the workspace");
    case "rights":
      return t("changes rights");
    case "runs":
      return t("runs or ends programs");
  }
}

export function isOutside(path: string, workspace: string): boolean {
  if (path === "/" || path.startsWith("~") || path.split("/").includes("..")) return true;
  if (!path.startsWith("/") || path === "/dev/null") return false;
  return path !== workspace && !path.startsWith(`${workspace.replace(/\/$/u, "")}/`);
}
