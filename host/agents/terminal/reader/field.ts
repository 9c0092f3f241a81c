/** Fields that a program draws around what is typed: clack's `◆`, gum's `> placeholder`, a text area above its legend. */
import { isDimAt } from "./highlight.ts";
import { isHint } from "./hints.ts";
import { isShellPrompt } from "./resting.ts";
import type { Row, View } from "./rows.ts";
import type { Found } from "./shape.ts";
import { isSecret, TELLS } from "./words.ts";

const MAX_SEARCH_ROWS = 30;
const MASKED = /^[*•●▪■∗]+[_█▌]?$/u;
/** Legends that send a field on; a composer's legend says `send`. */
const SENDS =
  /\b(?:enter|return|⏎|ctrl\+d|esc|tab)\b.{0,12}\b(?:submit|next|confirm|continue|done|finish|complete|accept|save)\b|\b(?:submit|next|confirm|continue|accept)\b.{0,12}\b(?:enter|return|⏎)/iu;

export function fieldAsk(view: View): Found | undefined {
  return marked(view) ?? titled(view) ?? legended(view);
}

/** `◆  What is your name?` / `│  Anonymous` / `└`. */
function marked(view: View): Found | undefined {
  const last = view.rows.length - 1;
  for (let at = last; at >= 0 && last - at < MAX_SEARCH_ROWS; at--) {
    const row = view.rows[at];
    if (!row || row.blank) continue;
    if (isShellPrompt(row.said)) return undefined;
    if (!/^[◆▲]\s+\S/u.test(row.raw.trim())) continue;
    const below = view.rows.slice(at + 1);
    if (!below.some((one) => /^\s*[└╰]/u.test(one.raw)) && !below.some((one) => /^\s*│/u.test(one.raw)))
      return undefined;
    const body = below.filter((one) => !one.blank && !isHint(one.said) && !/^\s*[└╰]/u.test(one.raw));
    if (body.length > 3) return undefined;
    const question = row.said.replace(/^[◆▲]\s+/u, "");
    return fieldOf(question, body[0], at, last);
  }
  return undefined;
}

/** A frame that carries its question as its title, with one row in it. */
function titled(view: View): Found | undefined {
  const rows = view.rows.flatMap((row, at) => (row.blank && !row.rule ? [] : [{ row, at }])).slice(-4);
  const bottom = rows.findLastIndex(({ row }) => row.rule && /^\s*[└╰┗╚]/u.test(row.raw));
  const top = rows[bottom - 2];
  const field = rows[bottom - 1];
  if (bottom < 2 || !top || !field || !top.row.rule || top.row.title === "" || field.row.rule) return undefined;
  if (rows.length - 1 - bottom > 1 || !/[?？:：]$/u.test(top.row.title)) return undefined;
  return fieldOf(
    top.row.title,
    /^(?:e\.g\.|type|enter)/iu.test(field.row.said) ? undefined : field.row,
    top.at,
    view.rows.length - 1,
  );
}

/** A line that takes words, above a legend that says which key sends them; or one with a placeholder that says so. */
function legended(view: View): Found | undefined {
  let at = view.rows.length - 1;
  let hint = "";
  for (; at >= 0; at--) {
    const row = view.rows[at];
    if (!row) return undefined;
    if (row.rule) return undefined;
    if (row.blank) continue;
    if (!isHint(row.said)) break;
    hint = `${row.said} ${hint}`;
  }
  const row = view.rows[at];
  if (!row) return undefined;
  const mark = /^(?:>|❯|›|▸|┃)\s+(\S.*)?$/u.exec(row.said) ?? (/^(?:>|❯|›)$/u.test(row.said) ? ["", ""] : null);
  const sends = SENDS.test(hint);
  if (!mark && !(sends && /^\s*[┃│]/u.test(row.raw))) return undefined;
  const words = (mark ? (mark[1] ?? "") : row.said).trim();
  const placeholder =
    TELLS.test(words) ||
    /^(?:your|what|type|e\.g\.)/iu.test(words) ||
    (words !== "" && isDimAt(row, row.raw.indexOf(words) + 1));
  const asked = questionOf(view, at);
  const composer = /\b(?:ask|message|anything|prompt|command|chat|plan|build|@\S|\/\w)\b|@/iu.test(words);
  if (composer || (asked === "" && !(placeholder && words !== ""))) return undefined;
  if (!sends && !(placeholder && words !== "" && /(?:\.{3}|…)$/u.test(words))) return undefined;
  return fieldOf(
    asked === "" ? words : asked,
    placeholder ? undefined : row,
    at,
    view.rows.length - 1,
    mark ? words : undefined,
  );
}

function questionOf(view: View, place: number): string {
  const out: string[] = [];
  for (let at = place - 1; at >= 0 && out.length < 3; at--) {
    const row = view.rows[at];
    if (!row || row.rule || isShellPrompt(row.said)) break;
    if (row.blank) {
      if (out.length > 0 || place - at > 2) break;
      continue;
    }
    out.unshift(row.said);
  }
  return out.join("\n");
}

function fieldOf(question: string, row: Row | undefined, top: number, end: number, words?: string): Found {
  const said = words ?? row?.said ?? "";
  const secret = MASKED.test(said) || isSecret(question);
  const dim = row ? isDimAt(row, row.raw.indexOf(said) + 1) : false;
  const typed = secret || dim || row === undefined || /^[_█▌]?$/u.test(said) ? "" : said.replace(/[_█▌]$/u, "");
  return {
    question,
    top,
    end,
    shape: { asks: secret ? "secret" : "text", by: "field", options: [], ...(typed === "" ? {} : { typed }) },
  };
}
