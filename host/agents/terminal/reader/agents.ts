/** The dialogs of known coding agents: whose they are, what is to be allowed, and for how long each yes holds. */
import type { Choice, Evidence } from "@flybridge/protocol/ask.ts";
import type { Edit } from "@flybridge/protocol/item.ts";
import { MAX_DIFF_CHARS, MAX_INPUT_CHARS } from "@flybridge/protocol/limits.ts";
import { kept, labelOf, pathOf, wordsOf } from "../../bounds.ts";
import type { Row, View } from "./rows.ts";
import type { AgentName, Found, Option } from "./shape.ts";
import { saysNo, saysYes } from "./words.ts";

/** Rows above a question that may belong to its dialog. */
const MAX_DIALOG_ROWS = 100;
/** Columns at the sides of a dialog that its words leave free. */
const WRAP_MARGIN = 3;

export interface Approval {
  readonly evidence: Evidence;
  readonly choices: readonly Choice[];
  readonly question: string;
}

/** Whose dialog it is, told by its wording alone: any program may draw a menu. */
export function agentOf(view: View, found: Found): AgentName | undefined {
  const rows = view.rows.slice(found.top, view.rows.length);
  const below = rows.map((row) => row.said).join("\n");
  const labels = found.shape.options.map(({ label }) => label).join("\n");
  const all = `${below}\n${labels}\n${found.question}`;
  if (
    /Esc to (?:cancel|exit)/u.test(below) &&
    /Tab to amend|Enter to (?:select|confirm)|\bClaude\b|shift\+tab/iu.test(all)
  )
    return "claude";
  if (/ctrl\+g to edit|Chat about this|Tell Claude|Ready to submit your answers|Submit answers/u.test(all))
    return "claude";
  if (
    /tell Codex|Press enter to (?:confirm|continue)|enter to submit answer|esc to interrupt/iu.test(all) &&
    /›/u.test(rows.map((row) => row.raw).join(""))
  )
    return "codex";
  if (
    /Permission required|△/u.test(
      `${all}\n${dialog(view, found)
        .map((row) => row.said)
        .join("\n")}`,
    ) &&
    found.shape.across === true
  )
    return "opencode";
  if (
    /Allow execution|Apply this change|suggest changes \(esc\)|No, suggest changes|Allow (?:once|for this session)/u.test(
      all,
    ) &&
    rows.some((row) => row.framed)
  )
    return "gemini";
  return undefined;
}

/** The approval that a dialog asks for; undefined when it is a question. */
export function approvalOf(view: View, found: Found, agent: AgentName | undefined): Approval | undefined {
  const { options, at: _at, many } = found.shape;
  if (many || options.length < 2 || found.shape.by !== "menu") return undefined;
  const yes = options.filter(({ label }) => saysYes(label));
  const no = options.filter(({ label }) => saysNo(label));
  if (yes.length === 0 || no.length === 0 || yes.length + no.length < options.length - 1) return undefined;
  const around = dialog(view, found);
  // Codex asks first and says about what below.
  const first = agent === "codex" ? around.findLastIndex((row) => ASKS.test(row.said)) : -1;
  const rows = first === -1 ? around : around.slice(first);
  const question = [...rows.map((row) => row.said), ...found.question.split("\n")].findLast((said) => ASKS.test(said));
  const scoped = options.some(({ label }) => SCOPED.test(label));
  if (question === undefined && !(agent === "opencode" && scoped)) return undefined;
  if (agent === undefined && !scoped) return undefined;
  return {
    question: question ?? "Permission required",
    evidence: evidenceOf(view, found, rows, question ?? "Permission required", agent),
    choices: choicesOf(options),
  };
}

const ASKS =
  /^(?:\W{0,3})(?:do you want to|would you like to (?:run|make|grant|allow|apply|send|proceed with)|allow\b.{0,200}\?$|apply this change|permission required|(?:run|execute|approve|accept|apply|permit|confirm)\b.{0,120}\?$|.{0,60}wants? to\b)/iu;
const SCOPED =
  /don['’]?t ask again|always|once|(?:this|the|current|running) session|all edits|auto[- ]?(?:mode|approve|accept)|accept edits|tell \w+ what|suggest changes|these files|this (?:command|tool|project|folder)/iu;

/** Each yes as the agent words it, with how long it says that it holds. */
export function choicesOf(options: readonly Option[]): Choice[] {
  return options.flatMap((option, place) => {
    if (!saysYes(option.label)) return [];
    const choice: Choice = {
      choice: `option-${place}`,
      label: labelOf(option.label),
      ...(option.detail === undefined ? {} : { detail: wordsOf(option.detail) }),
      scope: scopeOf(option.label),
    };
    return [choice];
  });
}

/** The place among the options of one of `choicesOf`. */
export function placeOf(choice: string): number | undefined {
  const place = /^option-(\d{1,3})$/u.exec(choice)?.[1];
  return place === undefined ? undefined : Number(place);
}

function scopeOf(label: string): Choice["scope"] {
  if (/\bsession\b|auto[- ]?mode|accept edits|all edits|these files|allow all|auto-accept/iu.test(label))
    return "session";
  if (
    /don['’]?t ask again|always|all future|from this project|whenever|every time|permanently|commands that start with/iu.test(
      label,
    )
  )
    return "always";
  return "once";
}

/** The rows of the dialog above and around its question. */
function dialog(view: View, found: Found): readonly Row[] {
  const rows: Row[] = [];
  for (let at = found.top; at >= 0 && found.top - at < MAX_DIALOG_ROWS; at--) {
    const row = view.rows[at];
    if (!row) break;
    const bare = row.raw.trim();
    // A frame's top, or the rule an agent draws above what it asks; dotted rules are inside.
    if (
      row.rule &&
      (/^[╭┌┏]/u.test(bare) ? !/^[│┃]\s*[╭┌┏]/u.test(bare) && !/^[│┃]/u.test(bare) : /^[─━▔]{8,}/u.test(bare)) &&
      at < found.top
    )
      break;
    if (at < found.top && /^[•›❯●⏺✻]\s/u.test(row.raw)) break;
    if (at < found.top && row.blank && !row.framed && view.rows[found.top]?.framed === true && !row.rule) break;
    rows.unshift(row);
  }
  const first = found.shape.options[0]?.label.split(" ").slice(0, 3).join(" ") ?? "";
  for (let at = found.top + 1; at <= found.end && at < view.rows.length; at++) {
    const row = view.rows[at];
    if (!row || (first !== "" && row.said.includes(first))) break;
    rows.push(row);
  }
  return rows;
}

function evidenceOf(
  view: View,
  found: Found,
  rows: readonly Row[],
  question: string,
  agent: AgentName | undefined,
): Evidence {
  const said = rows.filter((row) => !row.blank);
  const head = (said[0]?.said ?? "").replace(/^(?:\?|△|✋|⚠)\s*/u, "");
  const about = said.findIndex((row) => /Permission required/u.test(row.said));
  const sub = said[about + 1]?.said.replace(/^[#→←↳⚙✱%]\s*/u, "");
  const title = agent === "opencode" && about !== -1 ? (sub ?? head) : (head.split(/\s{2,}/u)[0] ?? head);
  const payload = payloadOf(rows);
  const command = commandOf(view, rows, payload, title, question);
  const path = pathIn(said, question, title);
  const kind = command !== undefined ? "command" : kindOf(`${title} ${question}`);
  const edits =
    kind === "edit" && path !== undefined
      ? editsOf(path, payload.length > 0 ? payload : said.map((row) => row.text))
      : [];
  const reason = said.map((row) => /^Reason:\s*(.+)$/u.exec(row.said)?.[1]).find((one) => one !== undefined);
  const purpose = agent === "claude" && kind === "command" ? purposeOf(said, title, command, question) : undefined;
  const url = /\bhttps?:\/\/\S+/u.exec(payload.join("\n") + said.map((row) => row.said).join("\n"))?.[0];
  const input = said.map((row) => row.text.trimEnd()).join("\n");
  return {
    tool: labelOf(toolOf(title, question, kind)),
    kind,
    ...(purpose === undefined ? {} : { purpose: wordsOf(purpose) }),
    ...(command === undefined ? {} : { command: kept(command, MAX_INPUT_CHARS) }),
    ...(path === undefined || kind === "command" ? {} : { path: pathOf(path) }),
    ...(url === undefined || kind !== "fetch" ? {} : { url: kept(url, MAX_INPUT_CHARS) }),
    edits,
    ...(reason === undefined ? {} : { reason: wordsOf(reason) }),
    // The agent shows no JSON: what it shows is what it gave.
    input: JSON.stringify({ shown: kept(input, MAX_INPUT_CHARS / 4) }),
  };
}

/** What stands between dotted rules, or in a frame of its own. */
function payloadOf(rows: readonly Row[]): string[] {
  const edges = rows.flatMap((row, at) => (row.rule && /[╌┄┈]{4,}|^\s*[│┃]\s*[╭╰┌└]/u.test(row.raw) ? [at] : []));
  const [start] = edges;
  const end = edges.at(-1);
  if (start === undefined || end === undefined || end <= start) return [];
  return rows
    .slice(start + 1, end)
    .filter((row) => !row.rule)
    .map((row) => row.text);
}

function commandOf(
  view: View,
  rows: readonly Row[],
  payload: readonly string[],
  title: string,
  question: string,
): string | undefined {
  const dollar = rows.findIndex((row) => /^\$ \S/u.test(row.said));
  if (dollar !== -1) {
    const lines: string[] = [];
    for (const row of rows.slice(dollar)) {
      if (row.blank || (lines.length > 0 && /^(?:Allow|Would|Do you)\b/u.test(row.said))) break;
      lines.push(row.said);
    }
    return unwrapped(lines, view.cols - (rows[dollar]?.indent ?? 0))
      .join("\n")
      .slice(2);
  }
  if (!/\b(?:bash|shell|command|terminal|exec\w*|powershell)\b/iu.test(`${title} ${question}`)) return undefined;
  if (payload.length > 0) {
    const indent = indentOf(payload);
    const lines = payload.map((line) => line.slice(indent).trimEnd());
    return unwrapped(lines, view.cols - indent)
      .join("\n")
      .trim();
  }
  // Without rules a command is set in by more than its title.
  const indented = rows.filter((row) => !row.blank && row.indent >= 3 && row.said !== title && !ASKS.test(row.said));
  return indented[0]?.said;
}

/** A line that the next word would not have fitted on, in the room to the edge, goes on with it. */
function unwrapped(lines: readonly string[], room: number): string[] {
  const out: string[] = [];
  let width = 0;
  for (const line of lines) {
    const word = line.trimStart().split(" ", 1)[0] ?? "";
    const last = out.at(-1);
    // Some break a word after its hyphen.
    const between = last !== undefined && /\w-$/u.test(last) ? "" : " ";
    if (last !== undefined && width >= room / 2 && width + between.length + word.length > room - WRAP_MARGIN)
      out[out.length - 1] = `${last}${between}${line.trimStart()}`;
    else out.push(line);
    width = line.length;
  }
  return out;
}

/** Columns that all of the lines leave free before them. */
function indentOf(lines: readonly string[]): number {
  const written = lines.filter((line) => line.trim() !== "");
  return written.length === 0 ? 0 : Math.min(...written.map((line) => line.length - line.trimStart().length));
}

function purposeOf(
  said: readonly Row[],
  title: string,
  command: string | undefined,
  question: string,
): string | undefined {
  const rows = said.filter(
    (row) =>
      row.said !== title &&
      row.said !== question &&
      !row.said.startsWith("Tip:") &&
      // On a narrow screen its tip goes on in further rows, as bold as the first.
      !row.spans.every(({ bold, text }) => bold === true || text.trim() === "") &&
      !(command ?? "").includes(row.said) &&
      !ASKS.test(row.said),
  );
  return rows.find((row) => row.indent <= 3 && /\p{L}/u.test(row.said))?.said;
}

function pathIn(said: readonly Row[], question: string, title: string): string | undefined {
  const destination = said
    .map((row) => /^(?:Destination|Path|File):\s*(\S.*)$/u.exec(row.said)?.[1])
    .find((one) => one !== undefined);
  if (destination !== undefined) return destination;
  const edited = /^(?:Edit|Write|Read|Create|Update|Patch|Delete)\s+(\S+)$/u.exec(title)?.[1];
  if (edited !== undefined && /[./]/u.test(edited)) return edited;
  const line = said.find(
    (row) =>
      row.said !== title &&
      /^[~./\w-][^\s:]*\.?[\w/-]+$/u.test(row.said) &&
      /[./]/u.test(row.said) &&
      !/^\d+\s/u.test(row.said),
  );
  const named = /\b(?:create|edit to|write|overwrite|edit|read|delete|to)\s+([~./\w-]+\.\w+|[~./][\w./-]+)\s*\?/iu.exec(
    question,
  )?.[1];
  return line?.said ?? named;
}

function kindOf(words: string): Evidence["kind"] {
  if (/\b(?:edit|write|create|update|overwrite|delete|patch|change|notebook)\w*\b/iu.test(words)) return "edit";
  if (/\b(?:fetch|web|url|http|browse|search the web)/iu.test(words)) return "fetch";
  if (/\b(?:read|view|open|list)\b/iu.test(words)) return "read";
  if (/\b(?:search|grep|glob|find)\b/iu.test(words)) return "search";
  if (/\b(?:bash|shell|command|exec\w*|terminal)\b/iu.test(words)) return "command";
  return "other";
}

function toolOf(title: string, question: string, kind: Evidence["kind"]): string {
  if (/^bash command$/iu.test(title)) return "Bash";
  const named = /\[([\w.-]+)\]|"([\w.-]+)"/u.exec(question);
  if (title !== "" && title !== question && title.length <= 60 && !ASKS.test(title)) return title;
  return (
    named?.[1] ??
    named?.[2] ??
    {
      command: "Shell",
      edit: "Edit",
      read: "Read",
      fetch: "Fetch",
      search: "Search",
      agent: "Agent",
      list: "List",
      other: "Tool",
    }[kind]
  );
}

/** The numbered lines of a change as an agent draws them, as a unified diff of one hunk. */
function editsOf(path: string, lines: readonly string[]): Edit[] {
  const drawn = lines.flatMap((line) => {
    const found = /^\s*(\d{1,6})(?: ([+-])|\s)(.*)$/u.exec(line);
    return found ? [{ at: Number(found[1]), sign: found[2] ?? " ", words: found[3] ?? "" }] : [];
  });
  if (drawn.length === 0) return [];
  const signed = drawn.some(({ sign }) => sign !== " ");
  const marked = drawn.map((one) => ({ ...one, sign: signed ? one.sign : "+" }));
  const added = marked.filter(({ sign }) => sign === "+").length;
  const removed = marked.filter(({ sign }) => sign === "-").length;
  const first = marked[0]?.at ?? 1;
  const same = marked.length - added - removed;
  const head = `@@ -${same + removed === 0 ? 0 : first},${same + removed} +${first},${same + added} @@`;
  const diff = [head, ...marked.map(({ sign, words }) => `${sign}${words}`)].join("\n");
  return [{ path: pathOf(path), diff: kept(diff, MAX_DIFF_CHARS), added, removed }];
}
