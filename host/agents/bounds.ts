/** What agents say, kept within the protocol's limits; what is cut says so. */
import { MAX_FOREIGN_ID_CHARS } from "@flybridge/protocol/ids.ts";
import { MAX_ANSWER_CHARS, MAX_BODY_CHARS, MAX_LABEL_CHARS, MAX_PATH_CHARS } from "@flybridge/protocol/limits.ts";
import { shortened } from "@flybridge/protocol/text.ts";

/** Characters of a raw line that a notice keeps: enough to report it, not enough to fill a journal. */
const RAW_CHARS = 4_000;
/** Characters kept free for the remark on what was cut. */
const REMARK_CHARS = 80;

/** Whole where it fits; otherwise its beginning and how much is missing. */
export function kept(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const room = beforePair(text, limit - REMARK_CHARS);
  return `${text.slice(0, room)}\n… ${text.length - room} more characters were not kept.`;
}

/** How much of `piece` a body of `length` characters has room for while it grows, so that `kept` of all starts with it. */
export function room(length: number, piece: string): string {
  const free = MAX_BODY_CHARS - REMARK_CHARS - length;
  return piece.length <= free ? piece : piece.slice(0, beforePair(piece, Math.max(0, free)));
}

export function labelOf(text: string): string {
  return shortened(text, MAX_LABEL_CHARS);
}

export function pathOf(text: string): string {
  return shortened(text, MAX_PATH_CHARS);
}

export function wordsOf(text: string): string {
  return kept(text, MAX_ANSWER_CHARS);
}

export function rawOf(line: string): string {
  return kept(line, RAW_CHARS);
}

/** An agent's own id, as long as ours may be; empty is none. */
export function foreignIdOf(text: string | undefined): string | undefined {
  return text === undefined || text === "" ? undefined : text.slice(0, MAX_FOREIGN_ID_CHARS);
}

/** `at`, or one less where that would split a surrogate pair. */
function beforePair(text: string, at: number): number {
  return /[\ud800-\udbff]/u.test(text.charAt(at - 1)) ? at - 1 : at;
}
