/** The line where an answer is typed, and what stands above it. */
import { isHint } from "./hints.ts";
import { isShellPrompt } from "./resting.ts";
import type { Row, View } from "./rows.ts";
import { isEnter } from "./words.ts";

/** Rows of what leads up to a yes or no. */
const MAX_CONTEXT_ROWS = 12;

/** What prompts of the inquirer kind begin with. */
export const LIVE = /^(?:\?|\[\?\]|❔|❓|◆|»|✋)\s+(?=\S)/u;

export interface Prompt {
  /** Place of its first and last row. */
  readonly top: number;
  readonly end: number;
  readonly text: string;
  /** It begins with the mark of a prompt library. */
  readonly live: boolean;
  /** The cursor stands on a later row: what is written ended with a newline. */
  readonly left: boolean;
}

/** The last row that is written, or that of the cursor, with what of it wrapped above. */
export function promptOf(view: View): Prompt | undefined {
  let end = view.rows.length - 1;
  let row = view.rows[end];
  // Legends and remarks stand below a prompt that a library draws.
  while (row && (row.blank || (isHint(row.said) && !isEnter(row.said))) && end > 0) {
    end -= 1;
    row = view.rows[end];
  }
  if (!row || row.blank) return undefined;
  const hinted = end < view.rows.length - 1 && view.rows.slice(end + 1).some((one) => !one.blank);
  if (hinted && !LIVE.test(row.said) && view.screen.cursor.row !== row.at) return undefined;
  let top = end;
  let text = row.text;
  while (top > 0 && end - top < 4) {
    const above: Row | undefined = view.rows[top - 1];
    if (!above || above.blank) break;
    const wrapped =
      view.rows[top]?.wrapped === true || (above.raw.length >= view.edge && !/([-=_*~.#])\1{2}$/u.test(above.raw));
    // A remark in brackets belongs to the question on the row above it.
    const remark =
      top === end &&
      /^\s*(?:\([^()]{1,80}\)\s*(?:\[[^\]]{1,40}\]\s*)?[:?>]?|\[[^[\]]{1,80}\]\s*[:>]{1,3})$/u.test(text);
    if (!wrapped && !(remark && !isShellPrompt(above.said) && !LIVE.test(above.said))) break;
    text = wrapped ? above.text + text.trimStart() : `${above.text} ${text.trimStart()}`;
    top -= 1;
  }
  // Some libraries draw the cursor, and their mark for what is valid while it is typed.
  const drawn = /[█▌▋]$/u.test(text);
  const said = text
    .replace(/[█▌▋]$/u, "")
    .replace(drawn ? /^\s*[✔✓✗✘]\s/u : /^(?!)/u, "? ")
    .trim();
  const live = LIVE.test(said);
  return { top, end, text: said.replace(LIVE, ""), live, left: view.screen.cursor.row > row.at };
}

/** The paragraph above, as the question that a bare mark answers. */
export function aboveOf(view: View, place: number): string {
  const out: string[] = [];
  let blanks = 0;
  for (let at = place - 1; at >= 0 && out.length < 3; at--) {
    const row = view.rows[at];
    if (!row || row.rule) break;
    if (row.blank) {
      blanks += 1;
      if (out.length > 0 || blanks > 2) break;
      continue;
    }
    if (isShellPrompt(row.said) || (isHint(row.said) && !isEnter(row.said))) break;
    out.unshift(row.said.replace(LIVE, ""));
  }
  return out.join("\n");
}

/** What stands before a yes or no and is needed to decide: the paragraph it ends, and one before that. */
export function contextOf(view: View, place: number): string {
  const out: string[] = [];
  let blanks = 0;
  for (let at = place - 1; at >= 0 && out.length < MAX_CONTEXT_ROWS; at--) {
    const row = view.rows[at];
    if (!row || isShellPrompt(row.said) || /^[✔✓]\s|^\? .*\s\S+$/u.test(row.said)) break;
    if (row.blank) {
      blanks += 1;
      if (blanks > 1) break;
      continue;
    }
    out.unshift(row.text);
  }
  return out.join("\n").trim();
}
