/** Options side by side: `● Yes / ○ No`, `No / Yes`, `Allow once   Allow always   Reject`, `[ OK ]  [ Cancel ]`. */
import { standingOut, type Place } from "./highlight.ts";
import { answers, beforeHint, isHint } from "./hints.ts";
import { LIVE } from "./prompt.ts";
import type { Row, View } from "./rows.ts";
import type { Found, Option } from "./shape.ts";
import { isNo, isYes, saysNo, saysYes } from "./words.ts";

const MAX_BUTTONS = 8;
const MAX_BUTTON_CHARS = 40;
/** Blank rows between buttons and their question. */
const MAX_GAP = 3;
/** In a frame they may stand at its foot. */
const MAX_FRAMED_GAP = 30;

interface Button {
  readonly label: string;
  readonly col: number;
  readonly on: boolean | undefined;
}

export function buttonsAsk(view: View): Found | undefined {
  let hint = "";
  let can = false;
  for (let at = view.rows.length - 1; at >= 0; at--) {
    const row = view.rows[at];
    if (!row) return undefined;
    if (row.blank) continue;
    if (isHint(row.said)) {
      hint = `${row.said} ${hint}`;
      can ||= answers(row.said);
      continue;
    }
    return rowAsk(view, row, at, hint, can);
  }
  return undefined;
}

function rowAsk(view: View, row: Row, at: number, hint: string, hinted: boolean): Found | undefined {
  const cut = beforeHint(row.text);
  const can = hinted || (cut.hint !== "" && cut.hint.split(" · ").some(answers));
  const toggle = /^(.{1,200}?)\s*[›»‣]\s+(\S.{0,60}?)\s+\/\s+(\S.{0,60})$/u.exec(row.said);
  if (toggle && LIVE.test(row.said)) {
    const labels = [toggle[2] ?? "", toggle[3] ?? ""];
    const base = row.text.lastIndexOf(labels[0] ?? "", row.text.lastIndexOf(labels[1] ?? "") - 1);
    const buttons = labels.map((label, place) => ({
      label,
      col: place === 0 ? base : row.text.lastIndexOf(label),
      on: undefined,
    }));
    return found(view, row, at, (toggle[1] ?? "").replace(LIVE, ""), at, buttons);
  }
  const buttons = radios(cut.text) ?? boxed(cut.text) ?? spaced(cut.text);
  if (!buttons || buttons.length < 2 || buttons.length > MAX_BUTTONS) return undefined;
  const radio = buttons.some(({ on }) => on !== undefined);
  const asked = questionOf(view, at);
  const both = buttons.some(({ label }) => saysYes(label)) && buttons.some(({ label }) => saysNo(label));
  const ends = /[?？:：]$/u.test(asked.question);
  if (asked.question === "") return undefined;
  if (
    !(radio && (asked.live || ends)) &&
    !(both && (ends || can || asked.live || row.indent >= 8)) &&
    !(can && cut.hint !== "" && both)
  ) {
    if (!(can && (ends || asked.live))) return undefined;
  }
  return found(view, row, at, asked.question, asked.top, buttons);
}

function found(view: View, row: Row, at: number, question: string, top: number, buttons: readonly Button[]): Found {
  const options: Option[] = buttons.map(({ label }) => ({
    label,
    ...(isYes(label) ? { key: "y" } : isNo(label) ? { key: "n" } : {}),
  }));
  const on = buttons.findIndex((button) => button.on === true);
  const places: Place[] = buttons.map(({ col }) => ({ row, col }));
  const ground = { row, col: Math.max(0, (buttons[0]?.col ?? 1) - 3) };
  const at0 = on === -1 ? standingOut(places, ground) : on;
  const no = options.findIndex(({ label }) => saysNo(label));
  const confirm = options.length === 2 && options.some(({ label }) => saysYes(label)) && no !== -1;
  return {
    question,
    top,
    end: at,
    shape: {
      asks: confirm ? "confirm" : "choice",
      by: "menu",
      across: true,
      options,
      ...(at0 === undefined ? {} : { at: at0 }),
      ...(no === -1 ? {} : { no }),
    },
  };
}

function radios(text: string): Button[] | undefined {
  const found = [
    ...text.matchAll(
      /(?:(●|◉|⦿|\([•*x]\)|\[[xX*•]\])|(○|◯|\( \)|\[ \])) ?(\S(?:[^●○◉◯/]| \/(?! ))*?)(?=\s*(?:\/|\s{2,}|[●○◉◯]|\([ •*x]\)|$))/gu,
    ),
  ];
  if (found.length < 2 || text.trim().length === 0 || !/^[●○◉◯([⦿]/u.test(text.trim())) return undefined;
  return found.map((one) => ({
    label: (one[3] ?? "").trim(),
    col: one.index + one[0].lastIndexOf(one[3] ?? ""),
    on: one[1] !== undefined,
  }));
}

function boxed(text: string): Button[] | undefined {
  const found = [
    ...text.matchAll(
      /(?:\[\s*([\p{L}][^[\]<>]{0,30}?)\s*\]|<\s*([\p{L}][^<>[\]]{0,30}?)\s*>|\(\s{1,3}([\p{L}][^()]{0,30}?)\s{1,3}\))/gu,
    ),
  ];
  if (found.length < 2) return undefined;
  if (text.replace(/(?:\[[^\]]*\]|<[^>]*>|\([^)]*\))/gu, "").trim() !== "") return undefined;
  return found.map((one) => ({ label: (one[1] ?? one[2] ?? one[3] ?? "").trim(), col: one.index + 1, on: undefined }));
}

function spaced(text: string): Button[] | undefined {
  const pieces = [...text.matchAll(/\S+(?: \S+)*/gu)];
  if (pieces.length < 2 || pieces.length > MAX_BUTTONS) return undefined;
  if (
    pieces.some(
      ([words]) => words.length > MAX_BUTTON_CHARS || !/^[\p{L}✓✔✗✘×❯›▸>]/u.test(words) || /[:;=|]$/u.test(words),
    )
  )
    return undefined;
  return pieces.map((one) => ({
    label: one[0].replace(/^[❯›▸>✓✔✗✘×]\s*/u, ""),
    col: one.index,
    on: /^[❯›▸>]\s/u.test(one[0]) ? true : undefined,
  }));
}

function questionOf(
  view: View,
  place: number,
): { readonly question: string; readonly live: boolean; readonly top: number } {
  const out: string[] = [];
  let blanks = 0;
  let top = place;
  let live = false;
  for (let at = place - 1; at >= 0 && out.length < 6; at--) {
    const row = view.rows[at];
    if (!row) break;
    if (row.rule) {
      if (row.title !== "" && out.length === 0) return { question: row.title, live: true, top: at };
      break;
    }
    if (row.blank) {
      blanks += 1;
      if (out.length > 0 || blanks > (view.rows[place]?.framed === true ? MAX_FRAMED_GAP : MAX_GAP)) break;
      continue;
    }
    out.unshift(row.said);
    top = at;
    if (LIVE.test(row.said) || row.said.startsWith("△ ")) {
      live = true;
      break;
    }
  }
  return { question: out.join("\n").replace(LIVE, ""), live, top };
}
