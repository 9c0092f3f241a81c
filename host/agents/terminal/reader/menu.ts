/** Menus with a highlight that is moved: arrows, radio buttons, boxes to tick, one below the other. */
import { isDimAt, standingOut, type Place } from "./highlight.ts";
import { answers, isHint, trailingHint } from "./hints.ts";
import { keyedOf, listAbove, splitLabel } from "./list.ts";
import { LIVE } from "./line.ts";
import { isInterpreter, isShellPrompt } from "./resting.ts";
import type { Row, View } from "./rows.ts";
import type { Found, Option } from "./shape.ts";
import { isNo, isYes, saysNo, saysYes } from "./words.ts";

/** Rows from the last upwards in which a highlight is looked for, rows of one menu, and how many are tried. */
const MAX_SEARCH_ROWS = 70;
const MAX_MENU_ROWS = 90;
const MAX_TRIES = 6;
const MAX_TRAILING_ROWS = 4;
const MAX_QUESTION_ROWS = 8;
const MAX_LABEL_WIDTH = 160;

const POINTER =
  /^(\s*)(?:(❯|›|»|▸|▶|►|➤|➜|→|⇒|‣|⏵|👉|☞|➔|➡️?|⮕|⦿)(\s*)(?=\S)|(>{1,2}|\*|-{1,2}>|=>|•)(\s+(?=\S)|(?=[[(◯◉○●☐☑◻◼])))/u;
const RADIO = /^(?:(●|◉|⦿|🔘|\([•*xXo●]\)|<[•*x]>)|(○|◯|⊚|◌|\( {1,2}\)|\(\)|< >))(?=\s|$)\s*/u;
const CHECK = /^(?:(☑|☒|◼|■|▣|✅|✔|✓|⬢|🗹|\[[xX*✔✓•●■+]\])|(☐|◻|□|▢|⬡|⬜|◽|\[ \]|\[_\]|\[\]))(?=\s|$)️?\s*/u;

const KEYS_BEHIND =
  /(?:\s+\((?:[a-z0-9]|esc|enter|tab|space|(?:shift|ctrl|alt)\+\w+)(?: or (?:[a-z0-9]|esc|enter|tab))?\))+$/iu;

interface Item {
  readonly at: number;
  readonly indent: number;
  readonly pointer: string;
  readonly glyph: "radio" | "check" | undefined;
  readonly on: boolean;
  readonly key: string | undefined;
  /** Column of what follows the pointer. */
  readonly start: number;
  /** Column of the label. */
  readonly body: number;
  readonly label: string;
}

interface Block {
  readonly items: readonly { readonly item: Item; readonly more: readonly string[] }[];
  readonly top: number;
  readonly end: number;
}

function itemOf(row: Row, at: number): Item {
  const pointed = POINTER.exec(row.text);
  const pointer = pointed?.[2] ?? pointed?.[4] ?? "";
  let col = pointed ? pointed[0].length : row.indent;
  let rest = row.text.slice(col);
  let glyph: Item["glyph"];
  let on = false;
  const start = col;
  const take = (): void => {
    // gum draws what may be ticked with a bullet, once its pointer stands before it.
    const bullet = pointer !== "" && pointer !== "•" ? /^• (?=\S)/u.exec(rest) : null;
    if (bullet && glyph === undefined) {
      glyph = "check";
      col += bullet[0].length;
      rest = rest.slice(bullet[0].length);
      return;
    }
    const radio = RADIO.exec(rest);
    const check = radio ? null : CHECK.exec(rest);
    const found = radio ?? check;
    if (!found || glyph !== undefined) return;
    glyph = radio ? "radio" : "check";
    // enquirer draws the same tick for both, and only dims it.
    on = found[1] !== undefined && !(/^[✔✓]/u.test(found[0]) && isDimAt(row, col));
    col += found[0].length;
    rest = rest.slice(found[0].length);
  };
  take();
  const keyed = keyedOf(rest);
  let key: string | undefined;
  if (keyed && keyed.col === 0) {
    key = keyed.key;
    col += keyed.labelCol;
    rest = rest.slice(keyed.labelCol);
    take();
  }
  return { at, indent: row.indent, pointer, glyph, on, key, start, body: col, label: rest.trim() };
}

export function menuAsk(view: View): Found | undefined {
  return pointed(view) ?? questionFirst(view) ?? hinted(view);
}

/** A highlighted row, and its siblings around it. */
function pointed(view: View): Found | undefined {
  return pointedBy(view, (pointer) => !WEAK.test(pointer)) ?? pointedBy(view, (pointer) => WEAK.test(pointer));
}

/** These also begin lines that are no options. */
const WEAK = /^[•*-]/u;

function pointedBy(view: View, wanted: (pointer: string) => boolean): Found | undefined {
  let tries = 0;
  const last = view.rows.length - 1;
  for (let at = last; at >= 0 && last - at < MAX_SEARCH_ROWS && tries < MAX_TRIES; at--) {
    const row = view.rows[at];
    if (!row || row.blank) continue;
    if (isShellPrompt(row.said) && !/^[❯➜»›>]/u.test(row.said)) return undefined;
    const item = itemOf(row, at);
    const radio = item.glyph === "radio" && item.on && item.pointer === "";
    if ((item.pointer === "" && !radio) || !wanted(item.pointer)) continue;
    tries += 1;
    const block = blockOf(view, item);
    const found = block && menuOf(view, block);
    if (found) return found;
  }
  return undefined;
}

function blockOf(view: View, marked: Item): Block | undefined {
  const like = isSubmit(marked) ? (keyedAbove(view, marked.at) ?? marked) : marked;
  const around = [view.rows[marked.at - 1], view.rows[marked.at + 1]].map((row) =>
    row && !row.blank ? itemOf(row, 0) : undefined,
  );
  // `● 1. Once` with `  2. Always` below: the radio is the pointer there.
  const alone = marked.glyph === "radio" && marked.pointer === "" && !around.some((one) => one?.glyph === "radio");
  const glyphs = like.glyph !== undefined && !alone;
  const start = alone ? marked.body - keyWidth(marked) : like.start;
  const isSibling = (item: Item): boolean => {
    if (item.pointer === "•" && marked.pointer !== "•") return glyphs && Math.abs(item.indent - start) <= 1;
    if (item.pointer !== "") return false;
    if (like.key !== undefined) return (item.key !== undefined && Math.abs(item.start - start) <= 2) || isSubmit(item);
    if (glyphs)
      return item.glyph === like.glyph && item.start >= Math.min(start, marked.indent) && item.start - start <= 6;
    return item.indent === start && item.glyph === undefined;
  };
  const items: { item: Item; more: string[] }[] = [{ item: marked, more: [] }];
  let end = marked.at;
  let blanks = 0;
  let ruled = false;
  for (let at = marked.at + 1; at < view.rows.length && at - marked.at < MAX_MENU_ROWS; at++) {
    const row = view.rows[at];
    if (!row) break;
    if (row.blank) {
      blanks += row.rule ? 0 : 1;
      ruled ||= row.rule;
      if (blanks > (like.key === undefined ? 1 : 2)) break;
      continue;
    }
    if (isHint(row.said)) break;
    const item = itemOf(row, at);
    if (isSibling(item) && !(like.key === undefined && blanks > 0 && !ruled && !glyphs)) {
      items.push({ item, more: [] });
    } else if (
      blanks === 0 &&
      (row.indent > start || isWrapped(view, at)) &&
      !(item.pointer !== "" && item.key !== undefined)
    ) {
      items.at(-1)?.more.push(row.text);
    } else break;
    blanks = 0;
    ruled = false;
    end = at;
  }
  let top = marked.at;
  blanks = 0;
  let more: string[] = [];
  for (let at = marked.at - 1; at >= 0 && marked.at - at < MAX_MENU_ROWS; at--) {
    const row = view.rows[at];
    if (!row) break;
    if (row.blank) {
      if (row.rule && (row.title !== "" || /^\s*[┌╭┏╔▄▔]/u.test(row.raw))) break;
      blanks += row.rule ? 0 : 1;
      if (blanks > (like.key === undefined ? 0 : 1)) break;
      continue;
    }
    const item = itemOf(row, at);
    if (isWrapped(view, at) && row.indent < start && blanks === 0) {
      more.unshift(row.text);
      continue;
    }
    if (isSibling(item) && !(like.key !== undefined && Number(item.key) >= Number(items[0]?.item.key))) {
      items.unshift({ item, more });
      more = [];
      top = at;
    } else if (row.indent > start && blanks === 0 && (like.key !== undefined || glyphs) && more.length < 4) {
      more.unshift(row.text);
      continue;
    } else break;
    blanks = 0;
  }
  return { items, top, end };
}

/** Picking it opens a field. */
function isOwnWords(name: string): boolean {
  return /^(?:type (?:something|your|here|a )|tell \w+ what|other(?:\s*[.…(:]|$)|something else|enter (?:your own|manually|a custom)|custom(?:\s*[.…(:]|$)|write my own)/iu.test(
    name,
  );
}

/** The row that sends what is ticked has no key of its own. */
function isSubmit(item: Item): boolean {
  return (
    item.key === undefined && item.glyph === undefined && /^(?:submit|next|done|continue|finish)$/iu.test(item.label)
  );
}

/** An entry of the list that such a row closes. */
function keyedAbove(view: View, below: number): Item | undefined {
  for (let at = below - 1; at >= 0 && below - at < 4; at--) {
    const row = view.rows[at];
    const item = row && !row.blank ? itemOf(row, at) : undefined;
    if (item?.key !== undefined) return item;
  }
  return undefined;
}

/** A row that only goes on where the one above met the edge. */
function isWrapped(view: View, at: number): boolean {
  const row = view.rows[at];
  const above = view.rows[at - 1];
  return (
    row !== undefined &&
    above !== undefined &&
    !above.blank &&
    !row.framed &&
    (row.wrapped || above.raw.length >= view.edge - 1)
  );
}

/** `1. ` and what else stands before a label. */
function keyWidth(item: Item): number {
  return item.key === undefined ? 0 : item.key.length + 2;
}

function menuOf(view: View, block: Block): Found | undefined {
  const { items } = block;
  const first = items[0]?.item;
  if (!first || items.some(({ item }) => item.label.length > 400)) return undefined;
  // One row that ends with a colon is a field and its name.
  if (items.length === 1 && /[:：]$/u.test(first.label)) return undefined;
  const trailing = trailingOf(view, block.end);
  if (!trailing) return undefined;
  const asked = questionAbove(view, block.top, items);
  // Keys named behind the options are a legend too.
  const legend = items.filter(({ item }) => KEYS_BEHIND.test(item.label)).length >= 2;
  const hinted = trailing.answers || asked.hint !== "" || legend;
  const pointers = items.filter(({ item }) => item.pointer !== "");
  const glyphs = items.filter(({ item }) => item.glyph !== undefined);
  const checks =
    glyphs.some(({ item }) => item.glyph === "check") ||
    (glyphs.length > 0 && /space|toggle/iu.test(trailing.hint + asked.hint)) ||
    (glyphs.length > 0 && pointers.length > 0 && glyphs.filter(({ item }) => item.on).length !== 1);
  const numbered =
    items.length >= 2 && items.every(({ item }) => item.key !== undefined) && /^[1aA]$/u.test(first.key ?? "");
  const question =
    /[?？:：]\s*(?:\([^)]{0,60}\)|\[[^\]]{0,60}\])?\s*[›»‣…]?$/mu.test(`${asked.question}\n${asked.title}`) ||
    /^(?:please )?(?:choose|select|pick|which)\b/imu.test(asked.question) ||
    (items.some(({ item }) => saysYes(item.label)) && items.some(({ item }) => saysNo(item.label))) ||
    asked.live;
  const strong = /^[❯›▸▶►➤»◉●⦿👉☞→➜‣]/u.test(pointers[0]?.item.pointer ?? (glyphs.length > 0 ? "●" : ""));
  if (items.length < 2 && !(hinted && asked.question !== "" && (question || trailing.answers))) return undefined;
  // A quote, a branch and a bullet begin as menus do: more must speak for them.
  const enough = hinted
    ? asked.question !== "" || strong || numbered || (trailing.answers && items.length > 1)
    : question &&
      (strong ||
        asked.live ||
        numbered ||
        (trailing.bare && items.length >= 2 && items.every(({ item }) => item.label.length < 80)));
  if (!enough || asked.noise) return undefined;
  if (!hinted && !trailing.bare && !numbered) return undefined;
  if (!asked.live && !hinted && items.every(({ item }) => /^(?:press|hit|use)\b/iu.test(item.label))) return undefined;
  const own = ownWordsAt(items);
  const options = items.map(({ item, more }, place): Option => {
    const option = optionAt(view, item, more, checks);
    return place === own ? { ...option, free: true } : option;
  });
  const marked = items.findIndex(({ item }) => item.pointer !== "");
  const radio = items.findIndex(({ item }) => item.glyph === "radio" && item.on);
  const at =
    marked !== -1
      ? marked
      : !checks && radio !== -1
        ? radio
        : standingOut(
            placesOf(
              view,
              items.map(({ item }) => item),
            ),
          );
  return found(view, asked, options, at, checks, block.top, view.rows.length - 1);
}

function optionAt(view: View, item: Item, more: readonly string[], checks: boolean): Option {
  // What did not fit goes on in the next row; what did is said of it in the next row.
  let label = item.label;
  const details: string[] = [];
  let width = item.body + label.length;
  for (const text of more) {
    const said = text.trim();
    const word = said.split(" ", 1)[0] ?? "";
    if (details.length === 0 && width + word.length + 1 >= Math.min(edgeOf(view, item.at), view.cols) - 1)
      label = `${label} ${said}`;
    else details.push(said);
    width = text.length;
  }
  const split = splitLabel(label);
  const dash = details.length === 0 && split.detail === "" ? /^(.{2,60}?) [-–—] (.{2,})$/u.exec(split.label) : null;
  const name = trimKeys(dash && !/[\d)\]]$/u.test(dash[1] ?? "") ? (dash[1] ?? "") : split.label);
  const detail = [dash && name === trimKeys(dash[1] ?? "") ? (dash[2] ?? "") : "", split.detail, ...details]
    .filter((one) => one !== "")
    .join(" ");
  const free = isOwnWords(name);
  const submit = checks && isSubmit(item);
  return {
    label: name.slice(0, MAX_LABEL_WIDTH * 4),
    ...(detail === "" ? {} : { detail }),
    ...(item.key === undefined ? {} : { key: item.key }),
    ...(checks && (item.glyph !== undefined || item.pointer === "•") ? { checked: item.on } : {}),
    ...(free ? { free: true as const } : {}),
    ...(submit ? { submit: true as const } : {}),
  };
}

/** Claude's field for one's own words shows them in place of its name once there are any; it stands last, above a rule. */
function ownWordsAt(items: Block["items"]): number {
  const chat = items.findLastIndex(({ item }) => /^chat about this/iu.test(item.label));
  if (chat < 1) return -1;
  const own = items.findLastIndex(({ item }, place) => place < chat && item.key !== undefined);
  return own === items.findLastIndex(({ item }, place) => place < chat && !isSubmit(item)) ? own : -1;
}

/** The column up to which words are wrapped where this row stands: a frame's inside, or the screen's. */
function edgeOf(view: View, at: number): number {
  const raw = view.rows[at]?.raw ?? "";
  const side = /\s*[│┃║|]\s*$/u.exec(raw);
  return side && view.rows[at]?.framed === true
    ? side.index + (side[0].length > 2 ? side[0].length - 2 : 0)
    : view.cols;
}

/** `(y)`, `(esc)`, `(shift+tab)` behind a label say which key takes it. */
function trimKeys(label: string): string {
  return label.replace(KEYS_BEHIND, "").trim();
}

interface Trailing {
  /** A legend says how to answer. */
  readonly answers: boolean;
  readonly hint: string;
  /** Nothing but the legend and rules stands below. */
  readonly bare: boolean;
}

/** What stands below a menu, or undefined when the program has gone on. */
function trailingOf(view: View, end: number): Trailing | undefined {
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

interface Asked {
  readonly question: string;
  readonly title: string;
  readonly hint: string;
  /** It begins with the mark of a prompt library, or stands in a frame's title. */
  readonly live: boolean;
  readonly noise: boolean;
  readonly top: number;
}

function questionAbove(view: View, top: number, items: Block["items"]): Asked {
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

/** `? Pick one`, `◆ Pick one`, and any other mark where the end of the row shows that it waits. */
const HEAD = /^(?:\?|\[\?\]|◆)\s+\S|^[^\p{L}\p{N}\s]{1,3}\s+\S.*[?:]\s*(?:\([^)]*\)\s*)?[…›‣»]$/u;

/** The live question of a prompt library, and whatever stands below it: menus that show their highlight by colour alone. */
function questionFirst(view: View): Found | undefined {
  let place = view.rows.length - 1;
  for (; place >= 0; place--) {
    const row = view.rows[place];
    if (!row) return undefined;
    if (view.rows.length - place > MAX_MENU_ROWS) return undefined;
    if (row.blank) continue;
    if (isShellPrompt(row.said) && !/^[❯➜»›>]/u.test(row.said)) return undefined;
    if (HEAD.test(row.said)) break;
  }
  const head = view.rows[place];
  if (!head) return undefined;
  const said = head.said.replace(LIVE, "").replace(/^[^\p{L}\p{N}\s([]{1,3}\s+/u, "");
  const hintAt = trailingHint(said);
  const open = hintAt !== undefined || /[›»‣…?:]\s*$/u.test(said) || head.said.startsWith("◆");
  let hint = hintAt ?? "";
  let can = hintAt !== undefined;
  const body: Item[] = [];
  let instructions = false;
  for (let at = place + 1; at < view.rows.length; at++) {
    const row = view.rows[at];
    if (!row || row.blank) {
      if (row?.rule !== true) instructions = false;
      continue;
    }
    if (isHint(row.said)) {
      hint = `${hint} ${row.said}`.trim();
      can ||= answers(row.said);
      continue;
    }
    if (/^instructions:$/iu.test(row.said)) {
      instructions = true;
      continue;
    }
    const item = itemOf(row, at);
    if (instructions && item.glyph === undefined) continue;
    if (/^(?:search|filter)\s*[:>]/iu.test(row.said)) continue;
    body.push(item);
  }
  const glyphed = body.filter((item) => item.glyph !== undefined);
  const least = Math.min(...body.map((item) => item.start));
  const items = glyphed.length > 0 ? glyphed : body.filter((item) => item.start === least);
  if (items.length < 2 || items.length > MAX_MENU_ROWS) return undefined;
  if (body.length - items.length > Math.max(3, items.length)) return undefined;
  if (
    !can &&
    items.every((item) => /^(?:[⊙⦾◯○]\s+)?[\p{L}\p{N} _-]{1,40} ?: ?/u.test(item.label)) &&
    items.every((item) => item.key === undefined)
  ) {
    // A form: a name and a field in each row.
    return {
      question: said.replace(/[:\s]+$/u, ""),
      top: place,
      end: view.rows.length - 1,
      shape: { asks: "text", by: "field", options: [] },
    };
  }
  const listed = items.every((item) => item.key !== undefined);
  if (
    glyphed.length === 0 &&
    !(
      (open || listed) &&
      items.every(({ label }) => label !== "" && label.length <= (can ? 120 : 70) && (can || !/[.!]$/u.test(label)))
    )
  )
    return undefined;
  if (glyphed.length === 0 && !can && !/[›»‣…]\s*$/u.test(said) && !/:\s*$/u.test(said)) {
    // `? Pick one` with a list of keys below is a raw list; without keys it may be anything.
    if (!items.every((item) => item.key !== undefined)) return undefined;
  }
  const checks =
    glyphed.some((item) => item.glyph === "check") ||
    (glyphed.length > 0 && (glyphed.filter((item) => item.on).length !== 1 || /space|toggle/iu.test(hint)));
  const question = (hintAt === undefined ? said : said.replace(hintAt, "")).replace(/\s*[›»‣…]\s*$/u, "").trim();
  const options = items.map((item) => optionAt(view, item, [], checks));
  const radio = checks ? -1 : items.findIndex((item) => item.glyph === "radio" && item.on);
  const at = radio === -1 ? standingOut(placesOf(view, items)) : radio;
  const asked: Asked = { question, title: "", hint, live: true, noise: false, top: place };
  if (items.every((item) => item.key !== undefined) && glyphed.length === 0) {
    return {
      question,
      top: place,
      end: view.rows.length - 1,
      shape: { asks: "choice", by: "keys", options, ...(at === undefined ? {} : { at }) },
    };
  }
  return found(view, asked, options, at, checks, place, view.rows.length - 1);
}

/** A list with keys above a legend that says how to pick; the highlight is drawn by colour. */
function hinted(view: View): Found | undefined {
  let at = view.rows.length - 1;
  let can = false;
  for (; at >= 0; at--) {
    const row = view.rows[at];
    if (!row || row.blank) continue;
    if (!isHint(row.said)) break;
    can ||= answers(row.said);
  }
  if (!can) return undefined;
  const list = listAbove(view, at + 1, false);
  if (!list || list.between > 0) return undefined;
  const items = view.rows
    .slice(list.top, list.end + 1)
    .flatMap((row, place) => (row.blank ? [] : [itemOf(row, list.top + place)]));
  const keyed = items.filter((item) => item.key !== undefined);
  const asked = questionAbove(
    view,
    list.top,
    keyed.map((item) => ({ item, more: [] })),
  );
  if (asked.question === "" || keyed.length !== list.options.length) return undefined;
  const options = list.options.map((option): Option => (isOwnWords(option.label) ? { ...option, free: true } : option));
  return found(view, asked, options, standingOut(placesOf(view, keyed)), false, list.top, view.rows.length - 1);
}

function placesOf(view: View, items: readonly Item[]): Place[] {
  return items.flatMap((item) => {
    const row = view.rows[item.at];
    return row ? [{ row, col: item.body }] : [];
  });
}

function found(
  view: View,
  asked: Asked,
  options: readonly Option[],
  at: number | undefined,
  many: boolean,
  top: number,
  end: number,
): Found {
  const no = options.findIndex(({ label }) => saysNo(label));
  const confirm = options.length === 2 && options.every(({ label }) => isYes(label) || isNo(label));
  return {
    question: asked.question,
    ...(asked.title === "" ? {} : { title: asked.title }),
    top: Math.min(asked.top, top),
    end: Math.min(end, view.rows.length - 1),
    shape: {
      asks: confirm ? "confirm" : "choice",
      by: "menu",
      options,
      ...(at === undefined ? {} : { at }),
      ...(many ? { many: true as const } : {}),
      ...(no === -1 ? {} : { no }),
    },
  };
}
