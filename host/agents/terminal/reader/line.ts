/** Prompts of one line: a question and the place behind it where the answer is typed. */
import { chooser } from "./chooser.ts";
import { enter } from "./enter.ts";
import { bracketOf, mnemonics, noOf, spelledOut, yesNo } from "./keys.ts";
import { asksForWords, isNoise, strongly } from "./label.ts";
import { listAbove } from "./list.ts";
import { aboveOf, contextOf, type Prompt, promptOf } from "./prompt.ts";
import { isInterpreter, isShellPrompt } from "./resting.ts";
import type { View } from "./rows.ts";
import { secret } from "./secret.ts";
import type { Found, Option } from "./shape.ts";
import { ASKS_WHAT, ASKS_WHETHER, isSecret, isYes, secretPart } from "./words.ts";

/** Characters of a prompt, and of what is half typed behind one. */
const MAX_PROMPT_CHARS = 500;
const MAX_TYPED_CHARS = 60;

/** Lines of logs, diffs and builds that carry what another program said. */
const QUOTED =
  /^(?:=>|#(?!\?)|\||@@|[-+](?=\s*\p{L})|\d{4}-\d\d-\d\d|\[?\d{1,2}:\d\d(?::\d\d)?\]?\s|(?:not )?ok \d+ |<\w+>|INFO\b|DEBUG\b|WARN\b)/u;

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
