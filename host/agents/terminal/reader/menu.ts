/** Menus with a highlight that is moved: arrows, radio buttons, boxes to tick, one below the other. */
import { type Block, blockOf, MAX_MENU_ROWS, ownWordsAt } from "./block.ts";
import { standingOut } from "./highlight.ts";
import { answers, isHint, trailingHint } from "./hints.ts";
import { isOwnWords, type Item, itemOf, KEYS_BEHIND, optionAt, placesOf } from "./item.ts";
import { listAbove } from "./list.ts";
import { LIVE } from "./prompt.ts";
import { type Asked, questionAbove, trailingOf } from "./question.ts";
import { isShellPrompt } from "./resting.ts";
import type { View } from "./rows.ts";
import type { Found, Option } from "./shape.ts";
import { isNo, isYes, saysNo, saysYes } from "./words.ts";

/** Rows from the last upwards in which a highlight is looked for, and how many are tried. */
const MAX_SEARCH_ROWS = 70;
const MAX_TRIES = 6;

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
