/** What stands around a menu: its question above, and below it the legend that says how to answer. */
import type { Block } from "./block.ts";
import { answers, isHint, trailingHint } from "./hints.ts";
import { LIVE } from "./prompt.ts";
import { isInterpreter, isShellPrompt } from "./resting.ts";
import type { View } from "./rows.ts";

/** Rows of text below a menu that is still asked, and rows of a question. */
const MAX_TRAILING_ROWS = 4;
const MAX_QUESTION_ROWS = 8;

export interface Asked {
  readonly question: string;
  readonly title: string;
  readonly hint: string;
  /** It begins with the mark of a prompt library, or stands in a frame's title. */
  readonly live: boolean;
  readonly noise: boolean;
  readonly top: number;
}

export function questionAbove(view: View, top: number, items: Block["items"]): Asked {
  const out: string[] = [];
  let hint = "";
  let live = false;
  let title = "";
  let blanks = 0;
  let at = top - 1;
  let first = top;
  for (; at >= 0 && out.length < MAX_QUESTION_ROWS; at--) {
    const row = view.rows[at];
    if (!row) break;
    if (row.rule) {
      if (row.title !== "") {
        title = row.title;
        if (out.length === 0) live = true;
      }
      if (out.length > 0 || row.title !== "") break;
      continue;
    }
    if (row.blank) {
      blanks += 1;
      if (out.length > 0 || blanks > 2) break;
      continue;
    }
    if (isShellPrompt(row.said)) break;
    if (isHint(row.said) && out.length === 0) {
      if (answers(row.said)) hint = `${row.said} ${hint}`.trim();
      continue;
    }
    if (/^(?:search|filter)\s*[:>]|^instructions:$/iu.test(row.said) && out.length === 0) continue;
    if (/^[>❯🔍]\s*(?:filter|search|type to)\b/iu.test(row.said) && out.length === 0) {
      live = true;
      title ||= row.said.replace(/^\W+/u, "");
      continue;
    }
    out.unshift(row.said);
    first = at;
    if (LIVE.test(row.said)) {
      live = true;
      break;
    }
  }
  let question = out.join("\n").replace(LIVE, "");
  const trailing = trailingHint(question);
  if (trailing !== undefined) {
    hint = `${hint} ${trailing}`.trim();
    question = question.replace(trailing, "");
  }
  question = question
    .replace(/\s*[›»‣…]\s*$/u, "")
    .replace(/[[(](?:instructions|press|use|type)[^\])]{0,200}[\])]\s*:?\s*$/iu, "")
    .trim();
  const noise =
    items.some(({ item }) => item.pointer === "*" || item.pointer === ">") &&
    /^(?:error|warning|traceback|on branch|branches|changes|commit|diff)/iu.test(question);
  return { question: question === "" ? title : question, title, hint, live, noise, top: first };
}

export interface Trailing {
  /** A legend says how to answer. */
  readonly answers: boolean;
  readonly hint: string;
  /** Nothing but the legend and rules stands below. */
  readonly bare: boolean;
}

/** What stands below a menu, or undefined when the program has gone on. */
export function trailingOf(view: View, end: number): Trailing | undefined {
  let texts = 0;
  let hint = "";
  let can = false;
  let framed = false;
  let lastHint = false;
  for (let at = end + 1; at < view.rows.length; at++) {
    const row = view.rows[at];
    if (!row) break;
    if (row.blank) {
      if (row.rule && /[╰└┗╚]/u.test(row.raw)) framed = true;
      continue;
    }
    lastHint = isHint(row.said);
    if (lastHint) {
      hint = `${hint} ${row.said}`.trim();
      can ||= answers(row.said);
      continue;
    }
    if (isShellPrompt(row.said) || isInterpreter(row.said) || LIVE.test(row.said)) return undefined;
    // A composer or another prompt is where the program is.
    if (/^(?:❯|›|>|»|\$)(?:\s|$)/u.test(row.said)) return undefined;
    texts += 1;
    if (texts > MAX_TRAILING_ROWS) return undefined;
  }
  if (texts > 0 && !(lastHint && can) && !framed && !can) return undefined;
  return { answers: can, hint, bare: texts === 0 };
}
