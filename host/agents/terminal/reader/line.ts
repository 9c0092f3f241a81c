/** Prompts of one line: a question and the place behind it where the answer is typed. */
import { isHint } from "./hints.ts";
import { bracketOf, mnemonics, spelledOut, yesNo } from "./keys.ts";
import { listAbove, type KeyedList } from "./list.ts";
import { isInterpreter, isShellPrompt, isWatched } from "./resting.ts";
import type { Row, View } from "./rows.ts";
import type { Found, Option } from "./shape.ts";
import { ASKS_WHAT, ASKS_WHETHER, isNo, isSecret, isYes, secretPart, TELLS } from "./words.ts";

/** Characters of a prompt, of what is half typed behind one, and rows of what leads up to a yes or no. */
const MAX_PROMPT_CHARS = 500;
const MAX_TYPED_CHARS = 60;
const MAX_CONTEXT_ROWS = 12;

/** Lines of logs, diffs and builds that carry what another program said. */
const QUOTED =
  /^(?:=>|#(?!\?)|\||@@|[-+](?=\s*\p{L})|\d{4}-\d\d-\d\d|\[?\d{1,2}:\d\d(?::\d\d)?\]?\s|(?:not )?ok \d+ |<\w+>|INFO\b|DEBUG\b|WARN\b)/u;

/** What prompts of the inquirer kind begin with. */
export const LIVE = /^(?:\?|\[\?\]|❔|❓|◆|»|✋)\s+(?=\S)/u;

interface Prompt {
  /** Place of its first and last row. */
  readonly top: number;
  readonly end: number;
  readonly text: string;
  /** It begins with the mark of a prompt library. */
  readonly live: boolean;
  /** The cursor stands on a later row: what is written ended with a newline. */
  readonly left: boolean;
}

export function lineAsk(view: View): Found | undefined {
  const prompt = promptOf(view);
  if (!prompt) return undefined;
  const { text } = prompt;
  if (text === "" || text.length > MAX_PROMPT_CHARS) return undefined;
  if (
    QUOTED.test(text) ||
    (isShellPrompt(text) && text.length > 1) ||
    /^(?:usage|error|fatal|traceback|panic)\b/iu.test(text)
  )
    return undefined;
  return (
    keyed(view, prompt) ??
    secret(prompt) ??
    enter(view, prompt) ??
    chooser(view, prompt) ??
    mark(view, prompt) ??
    placeholder(view, prompt) ??
    named(view, prompt) ??
    (isInterpreter(text) ? undefined : words(view, prompt))
  );
}

/** The last row that is written, or that of the cursor, with what of it wrapped above. */
function promptOf(view: View): Prompt | undefined {
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

/** y/n in all spellings, and other keys that a prompt lists. */
function keyed(view: View, prompt: Prompt): Found | undefined {
  const bracket = bracketOf(prompt.text);
  if (bracket) {
    // The keys in brackets are those of a list above: what they mean is written there.
    const list = bracket.options.length > 2 ? listAbove(view, prompt.top, true) : undefined;
    const keys = new Set(list?.options.map(({ key }) => key));
    if (list && bracket.options.every(({ key }) => keys.has(key))) return undefined;
    return keysFound(view, prompt, bracket.question, bracket.options, bracket.typed);
  }
  const letters = mnemonics(prompt.text);
  if (letters)
    return keysFound(view, prompt, letters.question || aboveOf(view, prompt.top), letters.options, letters.typed);
  const spelled = spelledOut(prompt.text) ?? toldAbove(view, prompt);
  if (spelled) return keysFound(view, prompt, prompt.text, spelled, "");
  return undefined;
}

function keysFound(view: View, prompt: Prompt, question: string, options: readonly Option[], typed: string): Found {
  const plain = options.length <= 2 && options.some(({ label }) => isYes(label));
  const shown = question.trim() === "" ? aboveOf(view, prompt.top) : question.trim();
  return {
    question: shown,
    context: contextOf(view, prompt.top),
    top: prompt.top,
    end: prompt.end,
    shape: {
      asks: plain ? "confirm" : "choice",
      by: "keys",
      options,
      ...(typed === "" ? {} : { typed }),
      ...noOf(options),
    },
  };
}

function noOf(options: readonly Option[]): { readonly no?: number } {
  const no = options.findIndex(({ label, key }) => isNo(label) || (key !== undefined && isNo(key)));
  return no === -1 ? {} : { no };
}

/** `Only 'yes' will be accepted`, and on a later row `Enter a value:`. */
function toldAbove(view: View, prompt: Prompt): readonly Option[] | undefined {
  if (!/^(?:enter|type|your|please|answer|response|confirm|value|continue)\b.{0,40}[:?>]$/iu.test(prompt.text))
    return undefined;
  const above = view.rows
    .slice(Math.max(0, prompt.top - 5), prompt.top)
    .map((row) => row.said)
    .join("\n");
  const told = /(?:only|type|enter|answer|say)\s+['"`“‘](yes|y)['"`”’]/iu.exec(above)?.[1];
  return told === undefined ? undefined : yesNo([told, told.length > 1 ? "no" : "n"]);
}

function secret(prompt: Prompt): Found | undefined {
  const { text } = prompt;
  const hidden =
    /\s*[[(](?:input|hidden|typing|masked|text)[^\])]{0,40}(?:hidden|masked|shown|visible|echo\w*|input)[\])]\s*$|\s*\((?:hidden|no echo|will (?:not be shown|be hidden))\)\s*:?\s*$/iu.exec(
      text,
    );
  const masked = /\s[*•●▪■∗＊]+_?$/u.exec(text);
  const label = text.slice(0, Math.min(hidden?.index ?? text.length, masked?.index ?? text.length)).trimEnd();
  const named = isSecret(label);
  const waits =
    /[:?>：›»‣…]\s*(?:\([^()]{0,60}\)\s*:?\s*|\[[^[\]]{0,40}\]\s*:?\s*)?$/u.test(label) ||
    /\([^()]{0,60}\)\s*$/u.test(label);
  const strong = hidden !== null || (prompt.live && (named || masked !== null)) || (masked !== null && named);
  if (!strong && !(named && (waits || /\b(?:below|here|now|and press (?:enter|return))[.:]?$/iu.test(label))))
    return undefined;
  if (isNoise(label) || (!prompt.live && !waits && hidden === null && !TELLS.test(label))) return undefined;
  if (!strong && !TELLS.test(label) && label.split(/\s+/u).length > 14) return undefined;
  return {
    question: untyped(label),
    top: prompt.top,
    end: prompt.end,
    shape: { asks: "secret", by: "line", options: [] },
  };
}

/** Without what may be the secret itself, where the terminal shows it. */
function untyped(label: string): string {
  if (/[:?>：›»‣…)\]]$/u.test(label)) return label;
  const marked = /^(.*[:?>：›»‣])\s/u.exec(label)?.[1];
  return marked !== undefined && secretPart(marked) !== undefined ? marked : (secretPart(label) ?? label);
}

const ENTER =
  /(?:\b(?:press|hit|push|tap|strike|click|appuyez sur|dr[uü]cken sie|presione|pulse|premi|pressione|нажмите|naciśnij)\b\W{0,3}(?:the |on |la |die |le |tecla |touche |klawisz )*[<[("'‘“`]*(?:enter|return|entr[eé]e|eingabetaste|intro|invio|ввод|any (?:key|button)|une touche|eine (?:beliebige )?taste|cualquier tecla|qualsiasi tasto|qualquer tecla|любую клавишу|dowolny|space ?bar|space|⏎|↵|a key)|^[<[(]?(?:press )?(?:enter|return|any key)[>\])]?(?: to \w+.{0,60})?[.:…]*$|按(?:任意键|回车)|エンター|请按)/iu;

function isEnter(said: string): boolean {
  return ENTER.test(said);
}

function enter(view: View, prompt: Prompt): Found | undefined {
  const { text } = prompt;
  if (!ENTER.test(text) || text.length > 240) return undefined;
  if (
    /\(press return\)|or type command|type selection|enter a |or (?:type|enter) (?:a |the )?(?:number|name|path|selection)|\+ enter\b|default(?:\)|:)?\s*$/iu.test(
      text,
    )
  )
    return undefined;
  if (/^(?:[›>•*·-]|\d+[.)])\s/u.test(text) || isWatched(text.replace(ENTER, " "))) return undefined;
  if (
    /^enter to \w+\s{2,}/iu.test(text) ||
    (/^(?:enter|return) to\b/iu.test(text) && /\b(?:esc|ctrl|tab)\b/iu.test(text))
  )
    return undefined;
  // A key among several of a legend steers a program; it does not ask.
  if (
    /^(?:\S+ ){0,6}(?:press|hit)\b/iu.test(text) === false &&
    !/(?:press|hit|appuyez|dr[uü]cken|presione|pulse|нажмите|按|enter|return)/iu.test(text)
  )
    return undefined;
  return {
    question: text,
    context: contextOf(view, prompt.top),
    top: prompt.top,
    end: prompt.end,
    shape: { asks: "confirm", by: "enter", options: [{ label: "Continue", key: "" }] },
  };
}

const CHOOSES =
  /\b(?:choice|choose|select|selection|option|number|numeric|pick|answer|which|action|command|what now|update|menu|index|item|enter (?:a |the |your )?(?:number|choice|option|selection|letter|value)|\d+\s*(?:[-–/]|to|\.\.)\s*\d+)\b|#\?|^(?:wahl|auswahl|choix|elecci[oó]n|opci[oó]n|scelta|escolha|выбор|wybór)\b|\[(?:\d+[-–/,]?)+\]|\(\d+\s?[-–/]\s?\d+\)|选择|選択/iu;
const WAITS = /^(.*[:?>#$›»⟩\])])\s*(\S{0,12})$/u;

/** A list above, and a line that takes one of its keys. */
function chooser(view: View, prompt: Prompt): Found | undefined {
  const wide = WAITS.exec(prompt.text);
  if (!wide) return undefined;
  const [, label = "", typed = ""] = wide;
  if (label === "" || (typed !== "" && !(/^[\w,.-]{1,6}$/u.test(typed) && CHOOSES.test(label)))) return undefined;
  const list = listAbove(view, prompt.top, CHOOSES.test(label));
  const chooses =
    CHOOSES.test(label) ||
    (list !== undefined &&
      CHOOSES.test(aboveOf(view, list.top)) &&
      /[>:?]$/u.test(label) &&
      label.split(/\s+/u).length <= 2);
  if (!list || !fits(list, label, chooses)) return undefined;
  const near = aboveOf(view, list.top);
  const bare = /^[>:?#›»\s]*$/u.test(label);
  const question = bare ? near || label : near === "" ? label : `${near}\n${label}`;
  const many =
    /\b(?:(?:items?|options?|numbers?|choices?|locales?)\b.{0,40}(?:separated|comma|space)|select (?:all|one or more)|multiple)/iu.test(
      `${near} ${label}`,
    );
  return {
    question,
    top: Math.min(list.top, prompt.top),
    end: prompt.end,
    shape: {
      asks: "choice",
      by: "keys",
      options: list.options,
      ...(many ? { many: true as const } : {}),
      ...(typed === "" ? {} : { typed }),
      ...noOf(list.options),
    },
  };
}

function fits(list: KeyedList, label: string, chooses: boolean): boolean {
  if (isShellPrompt(label)) return false;
  const words = label.split(/\s+/u).filter((word) => /[\p{L}\p{N}]/u.test(word)).length;
  const prose =
    list.options.filter((option) => option.label.length > 90 || /[.;]$/u.test(option.label)).length * 2 >
    list.options.length;
  if (chooses) return list.between <= 3;
  // Without a word that says so, it must stand just below, and say little.
  return (
    list.between === 0 &&
    words <= 3 &&
    !prose &&
    !/\b(?:name|e-?mail|address|password|version|path|url|title|description|comment|message|port|host|user)\b/iu.test(
      label,
    )
  );
}

/** A bare mark below a question: `What is your name?` and on the next row `>`. */
function mark(view: View, prompt: Prompt): Found | undefined {
  const found = /^(?:\[[^[\]]{1,80}\]\s*)?(?:>{1,3}|:|›|»|\$|={1,2}>|->|-->|\?|❯|→|⟩|➜|▸|>>>)\s*(.{0,60})$/u.exec(
    prompt.text,
  );
  if (!found || /^(?:\$|➜)/u.test(prompt.text)) return undefined;
  const typed = (found[1] ?? "").trim();
  const question = aboveOf(view, prompt.top);
  if (question === "" || isInterpreter(question.split("\n").at(-1) ?? "") || isShellPrompt(question)) return undefined;
  const last = question.split("\n").at(-1) ?? question;
  const gap = view.rows
    .slice(0, prompt.top)
    .toReversed()
    .findIndex((row) => !row.blank);
  const rule = view.rows[prompt.top - 1]?.rule === true;
  if (gap > 1 || rule) return undefined;
  const asked = { ...prompt, text: /[:?>\])]$/u.test(last) ? last : `${last}:` };
  const pressed = /^(?:\W*please\W{1,2})?(?:press|hit)\b/iu.test(last);
  const keys = keyed(view, asked) ?? (pressed ? enter(view, asked) : undefined);
  if (keys) return { ...keys, top: prompt.top - gap - 1, shape: { ...keys.shape, ...(typed === "" ? {} : { typed }) } };
  if (prompt.text.startsWith("❯") || (typed !== "" && !/^[\w .@/-]+$/u.test(typed))) return undefined;
  const told = /\b(?:specify|enter|type|choose)\b.{0,60}\bbelow[.:]?$/iu.test(last) && typed === "";
  if (told)
    return {
      question: last,
      top: prompt.top - gap - 1,
      end: prompt.end,
      shape: { asks: "text", by: "line", options: [] },
    };
  // `==>` goes before each row of what some tools ask, and alone before the answer.
  const arrow = /^={1,2}>$/u.exec(prompt.text)?.[0];
  if (arrow !== undefined && question.includes(`${arrow} `)) {
    return {
      question: question.replaceAll(`${arrow} `, ""),
      top: prompt.top - gap - 1,
      end: prompt.end,
      shape: { asks: "text", by: "line", options: [] },
    };
  }
  if (isNoise(last) || !/[?:：？]\s*(?:[([][^\])]{0,60}[\])]\s*:?)?$/u.test(last)) return undefined;
  if (!asksForWords(last, false) && !ASKS_WHETHER.test(last)) return undefined;
  const hidden = isSecret(last);
  return {
    question: last,
    top: prompt.top - gap - 1,
    end: prompt.end,
    shape: hidden
      ? { asks: "secret", by: "line", options: [] }
      : { asks: "text", by: "line", options: [], ...(typed === "" ? {} : { typed }) },
  };
}

/** `name>` right below what tells to enter it. */
function named(view: View, prompt: Prompt): Found | undefined {
  const above = view.rows[prompt.top - 1]?.said ?? "";
  if (!/^[\w.-]{1,40}>$/u.test(prompt.text) || !/^(?:please )?(?:enter|type|choose|select)\b/iu.test(above))
    return undefined;
  const shape = isSecret(above)
    ? ({ asks: "secret", by: "line", options: [] } as const)
    : ({ asks: "text", by: "line", options: [] } as const);
  return { question: above, top: prompt.top - 1, end: prompt.end, shape };
}

/** A question, and below it the path that is taken when nothing is typed: `dir  ./nebulous-neutron`. */
function placeholder(view: View, prompt: Prompt): Found | undefined {
  if (!/^(?:\w{1,8}\s+)?\.\/[\w-]+$/u.test(prompt.text)) return undefined;
  const above = view.rows[prompt.top - 1]?.said.replace(/^\w{1,8}\s{2,}/u, "") ?? "";
  if (!/[?？]$/u.test(above) || !ASKS_WHAT.test(above)) return undefined;
  return { question: above, top: prompt.top - 1, end: prompt.end, shape: { asks: "text", by: "line", options: [] } };
}

/** `Name: `, `What is your name? `, `package name: (x) `: words are asked for. */
function words(view: View, prompt: Prompt): Found | undefined {
  const { text, live } = prompt;
  const parts = partsOf(text, live);
  if (!parts) return undefined;
  const { label, typed, fallback } = parts;
  if (isNoise(label)) return undefined;
  const question = label.replace(/\s+$/u, "");
  const mark = /[?？]\s*$/u.test(label.replace(/[›»‣…]\s*$/u, ""));
  const confirm =
    mark &&
    !ASKS_WHAT.test(question) &&
    (ASKS_WHETHER.test(question) || /^(?:rm|mv|cp|ln|unlink|rmdir|install|shred|tar|unzip|gzip): /u.test(question));
  if (confirm && typed.length <= 4 && fallback === "" && !prompt.left) {
    return {
      question,
      context: contextOf(view, prompt.top),
      top: prompt.top,
      end: prompt.end,
      shape: { asks: "confirm", by: "keys", options: yesNo(["y", "n"]), ...(typed === "" ? {} : { typed }), no: 1 },
    };
  }
  const hidden = live ? secretPart(text) : undefined;
  if (hidden !== undefined)
    return { question: hidden, top: prompt.top, end: prompt.end, shape: { asks: "secret", by: "line", options: [] } };
  if (!live && !asksForWords(label, prompt.left)) return undefined;
  if (typed !== "" && !live && !(strongly(label) && typed.length <= MAX_TYPED_CHARS)) return undefined;
  return {
    question: fallback === "" ? question : `${question} ${fallback}`,
    top: prompt.top,
    end: prompt.end,
    shape: { asks: "text", by: "line", options: [], ...(typed === "" ? {} : { typed }) },
  };
}

/** The question, the default it names, and what is typed behind it. */
function partsOf(
  text: string,
  live: boolean,
): { readonly label: string; readonly typed: string; readonly fallback: string } | undefined {
  // `package name: (x)`, `version: [1.0]`, `Name [x]:`, `Key is valid for? (0)`.
  const after = /^(.{0,300}?[:?：？])\s*([([][^()[\]]{0,80}[)\]])\s*[:>]?\s*(\S.{0,200})?$/u.exec(text);
  if (after) return { label: after[1] ?? "", fallback: after[2] ?? "", typed: after[3] ?? "" };
  const before = /^(.{0,300}?)\s*([([][^()[\]]{0,80}[)\]])\s*([:?>：？])\s*(\S.{0,200})?$/u.exec(text);
  if (before)
    return { label: `${before[1] ?? ""}${before[3] ?? ""}`, fallback: before[2] ?? "", typed: before[4] ?? "" };
  if (live) {
    const marked = /^(.{0,300}?)\s*[›»‣…]\s*(.{0,200})$/u.exec(text) ?? /^(.{0,300}?[?:])\s*(.{0,200})$/u.exec(text);
    if (marked) return { label: marked[1] ?? "", fallback: "", typed: marked[2] ?? "" };
    const fallback = /^(.{0,300}?)\s+(\([^()]{0,80}\))\s*(.{0,200})$/u.exec(text);
    if (fallback) return { label: fallback[1] ?? "", fallback: fallback[2] ?? "", typed: fallback[3] ?? "" };
    return { label: text, fallback: "", typed: "" };
  }
  const told = /^(.{1,300}?)\s*(\[[^[\]]{0,80}\])$/u.exec(text);
  if (told && /^(?:please )?(?:enter|type|input|provide|specify|which|what)\b/iu.test(text))
    return { label: `${told[1] ?? ""}:`, fallback: told[2] ?? "", typed: "" };
  const plain = /^(.{1,300}[:?：？>»›])$/u.exec(text);
  if (plain) return { label: plain[1] ?? "", fallback: "", typed: "" };
  const typed = /^(.{1,200}?[:?：？])\s+(\S.{0,100})$/u.exec(text);
  return typed ? { label: typed[1] ?? "", fallback: "", typed: typed[2] ?? "" } : undefined;
}

/** What logs, reports and prose end with, that looks like a label. */
const NOISE =
  /^(?:[[(]?\d{2,4}[-/.]\d{1,2}[-/.]\d{1,2}|\[?\d{2}:\d{2}|\d+(?:\.\d+)?\s?(?:%|ms|s\b|[kmg]i?b)|(?:error|err|warn(?:ing)?|info|debug|trace|fatal|notice|note|hint|tip|nb|ps|usage|options|commands|arguments|flags|examples?|output|result|results|summary|total|failures?|failed|passed|stdout|stderr|traceback|caused by|see(?: also)?|details?|changes|status|progress|elapsed|eta|stack|diff|source|response|request|log|logs|todo|done|success|ok)\b\s*(?:\([^)]*\)|\[[^\]]*\])?\s*[:?]|[[(](?:error|warn(?:ing)?|info|debug|trace|notice|ok|fail(?:ed)?|pass(?:ed)?)[\])]|[-*+•·–—#|/\\│┃⎿●○✓✔✗✘×✖☐☑☒⏺◇◐◑◒◓⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏▶►►»]|\/\/|@@|>>|=>|\.\.\.|\d+[.)]\s|at\s|in\s+file|file "|line \d+|hunk|commit [0-9a-f]{7}|diff |index |>\s|(?:[\w.-]+\/)*[\w.-]+\.\w+:\d+|(?:[\w.-]+\/)+[\w.-]+:\d*:?)/iu;
const LEADS =
  /\b(?:following|below|as follows|are|were|with|by|run|running|try|using|visit|see|at|is|was|the|a|an|of|and|or|because|e\.g|i\.e|example|examples|include|includes|including|like|than|that|this(?! correct)|these|those|mean|means|here|steps|you can|you should|you may)\s*[:?]$/iu;
const WORKS =
  /^(?:\S+\s)?(?:(?:re)?(?:load|build|compil|download|upload|install|extract|fetch|resolv|link|check|scan|generat|updat|process|wait|start|stopp|runn|test|copy|mov|remov|clean|sync|connect|listen|unpack|sett|prepar|read|writ|receiv|count|compress|cop|index|verify|creat|configur|search|analyz|optimiz|render|bundl|transform|serv|watch|collect|download|clon|pull|push)\w*ing)\b/iu;

function isNoise(label: string): boolean {
  return (
    NOISE.test(label) ||
    /\bdid you mean\b/iu.test(label) ||
    /:\/\/[^\s'"]*[:?]?$/u.test(label) ||
    /\s\|\s.*\s\|\s/u.test(label) ||
    /[{};]\s*$|[=]{2}|\)\s*=>|^\s*(?:if|for|while|def|class|else|elif|try|except|case|switch|function|return|import|from|const|let|var|select|insert)\b.*[:]$/u.test(
      label,
    )
  );
}

/** A label that asks for words; `left`: the cursor has gone to the next row, so that only plain words will do. */
function asksForWords(label: string, left: boolean): boolean {
  const text = label.trim();
  if (LEADS.test(text) && !/^(?:please )?(?:enter|type|input|what|who|where)\b/iu.test(text)) return false;
  if (strongly(text)) return true;
  if (left) return false;
  if (WORKS.test(text)) return false;
  const counted = text.split(/\s+/u).length;
  if (/[?？]$/u.test(text)) return counted <= 20;
  if (/[>»›]$/u.test(text)) return counted <= 6 && /^[\p{L}][\p{L}\p{N} ,'()/-]*[>»›]$/u.test(text) && counted >= 2;
  // A sentence that ends with a colon leads to something; a name with one waits for it.
  return (
    /^[\p{L}\p{N}'"“‘`([<*]/u.test(text) &&
    counted <= 6 &&
    !/[.;!]\s/u.test(text) &&
    !/\s(?:is|are|was|were|has|have|will|be|failed|found|completed|finished|installed|updated|created|changed|removed|added|started|stopped|skipped|detected)\b/iu.test(
      text,
    ) &&
    /\p{L}/u.test(text)
  );
}

function strongly(text: string): boolean {
  if (/[?？]\s*$/u.test(text) && ASKS_WHAT.test(text)) return true;
  if (/[:：]\s*$/u.test(text) && TELLS.test(text)) return true;
  return (
    /^(?:[\w'’.@:/-]+\s){0,4}(?:user ?names?|logins?|e-?mail(?: address)?|(?:full |real |first |last |your |package |project )?names?|username for .{1,100}|host ?name|domain|version|description|author|license|keywords|entry point|test command|git repository|city|country|organi[sz]ation(?:al)?.{0,40}|answer|reply|reason|comment|subject|to|cc|amount|age|date)\s*[:?]$/iu.test(
      text,
    ) && !isNoise(text)
  );
}

/** The paragraph above, as the question that a bare mark answers. */
function aboveOf(view: View, place: number): string {
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
