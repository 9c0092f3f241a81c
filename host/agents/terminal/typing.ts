/**
 * Answers an ask on a screen by typing, in a closed loop: type, let the screen come to rest, look, type on. Nothing is
 * typed unless the same ask still stands there, and it is done only when that ask has left the screen.
 */
import type { Answer, Reply } from "@flybridge/protocol/ask.ts";
import { placeOf } from "./reader/agents.ts";
import { nameOf, pickable, QUESTION, type Reading } from "./reader/reader.ts";
import type { Shape } from "./reader/shape.ts";
import type { Screen } from "./screen.ts";

/** Keys typed for one answer, and looks in a row at which nothing has moved. */
const MAX_STEPS = 80;
const MAX_WAITS = 8;
/** Looks after which a key that was not echoed is taken as one that wants Enter. */
const SILENT_LOOKS = 2;
/** Steps of a highlight that are typed one by one. */
const NEAR = 4;
/** Characters of a question by which its row is known again. */
const KNOWN_CHARS = 60;

const ENTER = "\r";
const ESCAPE = "\u001b";
const SPACE = " ";
const TAB = "\t";
const CLEAR = "\u0015";
const UP = "\u001b[A";
const DOWN = "\u001b[B";
const RIGHT = "\u001b[C";
const LEFT = "\u001b[D";
/** Where a program's arrow keys depend on a mode of the terminal. */
const NEXT = "\u000e";
const BEFORE = "\u0010";
const PASTE = ["\u001b[200~", "\u001b[201~"] as const;

/** What is to be typed. */
type Plan =
  /** At once, as one piece. */
  | { readonly kind: "whole"; readonly keys: string }
  /** A key, and Enter if the program still waits for it. */
  | { readonly kind: "key"; readonly keys: string }
  /** Words into a field, and Enter once they stand there. */
  | { readonly kind: "words"; readonly words: string; readonly at?: number }
  /** The highlight is moved to a place, and Enter. */
  | { readonly kind: "pick"; readonly at: number }
  /** Boxes are ticked until exactly these are, then it is sent. */
  | { readonly kind: "tick"; readonly wanted: readonly number[] }
  /** The focus is moved to a button, and Enter. */
  | { readonly kind: "press"; readonly button: number };

/** Plain JSON. */
export interface Typing {
  readonly key: string;
  readonly asks: Shape["asks"];
  /** The end of the question, to know its row by. */
  readonly row: string;
  readonly labels: readonly string[];
  readonly plan: Plan;
  /** How often that row stood on the screen before anything was typed. */
  seen: number | undefined;
  /** Where a burst of arrow keys should have brought the highlight. */
  aimed?: number | undefined;
  /** A burst did not: one key at a time. */
  single?: boolean;
  phase: "begin" | "moving" | "typed" | "last";
  steps: number;
  waits: number;
}

export type TypingStep = { readonly keys: string } | { readonly wait: true } | { readonly end: "done" | "lost" };

/** What to type for an answer, or why it cannot be typed, in words for a person. */
export function beginTyping(reading: Reading, answer: Answer): Typing | { readonly refusal: string } {
  const plan = planOf(reading, answer);
  if ("refusal" in plan) return plan;
  const text = reading.ask.kind === "question" ? (reading.ask.questions[0]?.text ?? "") : "";
  return {
    key: reading.key,
    asks: reading.shape.asks,
    row: (text.split("\n").at(-1) ?? "").trim().slice(-KNOWN_CHARS),
    labels: reading.shape.options.map(({ label }) => nameOf(label)),
    plan,
    seen: undefined,
    phase: "begin",
    steps: 0,
    waits: 0,
  };
}

type Refusal = { readonly refusal: string };

function planOf(reading: Reading, answer: Answer): Plan | Refusal {
  const { shape, ask } = reading;
  switch (answer.kind) {
    case "allow": {
      if (ask.kind !== "approval") return refused("This ask is no approval.");
      const place = placeOf(answer.choice);
      if (place === undefined || !ask.choices.some(({ choice }) => choice === answer.choice))
        return refused("The dialog does not offer this choice.");
      return pickPlan(shape, place);
    }
    case "deny":
      return denial(shape);
    case "replies": {
      if (ask.kind !== "question") return refused("This ask is no question.");
      const reply = answer.replies.find(({ question }) => question === QUESTION);
      return reply ? replyPlan(shape, reply) : refused("The question was given no answer.");
    }
    case "approve":
    case "revise":
      return refused("This ask is no plan.");
  }
}

function replyPlan(shape: Shape, reply: Reply): Plan | Refusal {
  if (reply.note !== undefined && reply.note !== "") return refused("This program takes no note beside an answer.");
  if (reply.picks.length === 0) {
    if (reply.text !== undefined) return wordsPlan(shape, reply.text);
    return shape.many ? { kind: "tick", wanted: [] } : refused("The question was given no answer.");
  }
  const places = reply.picks.map((pick) => pickable(shape).find(({ label }) => label === pick)?.place);
  if (places.some((place) => place === undefined)) return refused("The screen does not offer this option.");
  const known = places.filter((place) => place !== undefined);
  if (shape.many && shape.by !== "keys") return { kind: "tick", wanted: known };
  if (known.length > 1 && !shape.many) return refused("The program takes one option.");
  if (shape.by === "keys" && shape.many)
    return { kind: "whole", keys: `${known.map((place) => shape.options[place]?.key ?? "").join(" ")}${ENTER}` };
  return pickPlan(shape, known[0] ?? 0);
}

function pickPlan(shape: Shape, place: number): Plan | Refusal {
  const option = shape.options[place];
  if (!option) return refused("The screen does not offer this option.");
  switch (shape.by) {
    case "enter":
      return { kind: "whole", keys: ENTER };
    case "keys":
      return option.key === undefined
        ? refused("It cannot be told which key takes this option.")
        : { kind: "key", keys: option.key };
    case "menu":
      if (shape.at !== undefined) return { kind: "pick", at: place };
      if (option.key !== undefined) return { kind: "key", keys: option.key };
      return refused("It cannot be told which option is highlighted; answer in the terminal.");
    case "box": {
      const button = shape.buttons?.indexOf(option.label) ?? -1;
      if (button !== -1 && shape.options.length === shape.buttons?.length) return pressPlan(shape, button);
      if (shape.options.length === 1 && shape.buttons?.length === 1) return { kind: "whole", keys: ENTER };
      // A radio list needs its mark besides the highlight.
      if (shape.options.some(({ checked }) => checked !== undefined)) return { kind: "tick", wanted: [place] };
      return shape.at === undefined
        ? refused("It cannot be told which option is highlighted; answer in the terminal.")
        : { kind: "pick", at: place };
    }
    case "line":
    case "field":
      return refused("This prompt takes words.");
  }
}

function pressPlan(shape: Shape, button: number): Plan | Refusal {
  if (shape.buttons?.length === 1) return { kind: "whole", keys: ENTER };
  return shape.button === undefined
    ? refused("It cannot be told which button has the focus; answer in the terminal.")
    : { kind: "press", button };
}

function denial(shape: Shape): Plan | Refusal {
  if (typeof shape.no === "number") {
    const plan = pickPlan(shape, shape.no);
    if (!("refusal" in plan)) return plan;
  }
  if (shape.by === "box") {
    const button =
      shape.buttons?.findIndex((label) => /^(?:no|cancel|abort|nein|non|abbrechen|annuler|cancelar)$/iu.test(label)) ??
      -1;
    return button !== -1 && shape.button !== undefined ? pressPlan(shape, button) : { kind: "whole", keys: ESCAPE };
  }
  if (shape.no === "escape" || shape.agent !== undefined) return { kind: "whole", keys: ESCAPE };
  return refused("This prompt has no way to say no. Answer it, dismiss it, or go to the terminal.");
}

function wordsPlan(shape: Shape, text: string): Plan | Refusal {
  if (/[^\P{Cc}\n\t]/u.test(text)) return refused("The answer holds control characters.");
  const clear = shape.typed === undefined ? "" : CLEAR;
  switch (shape.by) {
    case "line":
      return text.includes("\n") ? oneLine() : { kind: "whole", keys: `${clear}${text}${ENTER}` };
    case "keys":
      if (text.includes("\n")) return oneLine();
      return text === "" ? { kind: "whole", keys: ENTER } : { kind: "whole", keys: `${clear}${text}${ENTER}` };
    case "field":
      return text.includes("\n") && shape.agent === undefined ? oneLine() : { kind: "words", words: text };
    case "box":
      if (shape.asks === "text" || shape.asks === "secret")
        return text.includes("\n") ? oneLine() : { kind: "words", words: text };
      return refused("This box takes one of its options.");
    case "menu": {
      const free = shape.options.findIndex((option) => option.free === true);
      if (free === -1 || shape.at === undefined) return refused("This menu takes one of its options.");
      return { kind: "words", words: text, at: free };
    }
    case "enter":
      return refused("This prompt takes only Enter.");
  }
}

function oneLine(): Refusal {
  return refused("This prompt takes one line: the rest would be an answer to what comes after it.");
}

function refused(refusal: string): Refusal {
  return { refusal };
}

/**
 * Given after each time the screen came to rest, and again after a while when nothing moves: the reading there is now.
 * Changes `typing`. Types only when the same ask is still there; `done` when that ask has left the screen after its last
 * key was typed; `lost` when another thing stands there before that, or nothing moves any more.
 */
export function stepTyping(typing: Typing, now: Reading | undefined, screen: Screen): TypingStep {
  const count = occurrences(typing, screen);
  typing.seen ??= count;
  const same = isSame(typing, now);
  if (typing.phase === "last") {
    // The same words once more, below: the first was answered, and a second one asks.
    return !same || count > typing.seen ? { end: "done" } : waited(typing);
  }
  if (!same && typing.phase === "typed" && typing.plan.kind === "key" && !standsTyped(typing, screen))
    return { end: "done" };
  if (!same && !(typing.phase === "typed" && standsTyped(typing, screen))) return { end: "lost" };
  if (typing.plan.kind === "key" && typing.phase === "typed" && count > typing.seen) return { end: "done" };
  if (typing.steps >= MAX_STEPS) return { end: "lost" };
  return planned(typing, now?.shape, screen);
}

function planned(typing: Typing, shape: Shape | undefined, screen: Screen): TypingStep {
  const { plan } = typing;
  switch (plan.kind) {
    case "whole":
      return typed(typing, plan.keys, "last");
    case "key": {
      if (typing.phase === "begin")
        return typed(typing, `${shape?.typed === undefined ? "" : CLEAR}${plan.keys}`, "typed");
      if (shape?.typed === plan.keys || standsTyped(typing, screen)) return typed(typing, ENTER, "last");
      // Not echoed: the program may have taken it and be at work, or wait for Enter.
      return typing.waits < SILENT_LOOKS ? waited(typing) : typed(typing, ENTER, "last");
    }
    case "words": {
      if (typing.phase === "typed") return typed(typing, ENTER, "last");
      if (plan.at !== undefined && shape?.at !== plan.at) return moved(typing, shape, plan.at);
      if (plan.words === "") return typed(typing, ENTER, "last");
      const words = plan.words.includes("\n") ? `${PASTE[0]}${plan.words}${PASTE[1]}` : plan.words;
      return typed(typing, `${shape?.typed === undefined ? "" : CLEAR}${words}`, "typed");
    }
    case "pick": {
      const at = nowAt(typing, shape, plan.at);
      return at !== -1 && shape?.at === at ? typed(typing, ENTER, "last") : moved(typing, shape, at);
    }
    case "press": {
      if (shape?.button === plan.button) return typed(typing, ENTER, "last");
      return shape?.button === undefined ? waited(typing) : typed(typing, TAB, "moving");
    }
    case "tick":
      return ticked(typing, shape, plan.wanted);
  }
}

function ticked(typing: Typing, shape: Shape | undefined, wanted: readonly number[]): TypingStep {
  if (!shape || shape.at === undefined) return waited(typing);
  const wrong = shape.options.findIndex(
    ({ checked }, place) =>
      checked !== undefined && checked !== wanted.includes(place) && (shape.many === true || wanted.includes(place)),
  );
  if (wrong !== -1) return shape.at === wrong ? typed(typing, SPACE, "moving") : moved(typing, shape, wrong);
  const submit = shape.options.findIndex((option) => option.submit === true);
  if (submit !== -1 && shape.at !== submit) return moved(typing, shape, submit);
  return typed(typing, ENTER, "last");
}

/** Where an option is now: a long menu scrolls while its highlight moves. */
function nowAt(typing: Typing, shape: Shape | undefined, place: number): number {
  const label = typing.labels[place];
  const is = (option: Shape["options"][number] | undefined): boolean =>
    option !== undefined && nameOf(option.label) === label;
  if (is(shape?.options[place])) return place;
  return shape?.options.findIndex(is) ?? -1;
}

/** Towards a place, by as many keys as it is away; the next look says how far they came. */
function moved(typing: Typing, shape: Shape | undefined, place: number): TypingStep {
  if (shape?.at === undefined || place === -1) return waited(typing);
  const away = place - shape.at;
  // Some programs take a burst of keys for a paste: one at a time, unless it is far and bursts have been taken.
  if (typing.aimed !== undefined && typing.aimed !== shape.at) typing.single = true;
  const burst = shape.agent === undefined && !typing.single && Math.abs(away) > NEAR;
  typing.aimed = burst ? place : undefined;
  const times = burst ? Math.abs(away) : 1;
  const back = shape.across ? LEFT : shape.control ? BEFORE : UP;
  const on = shape.across ? RIGHT : shape.control ? NEXT : DOWN;
  return typed(typing, (away < 0 ? back : on).repeat(times), "moving");
}

function typed(typing: Typing, keys: string, phase: Typing["phase"]): TypingStep {
  typing.phase = phase;
  typing.steps += 1;
  typing.waits = 0;
  return { keys };
}

function waited(typing: Typing): TypingStep {
  typing.waits += 1;
  return typing.waits > MAX_WAITS ? { end: "lost" } : { wait: true };
}

function isSame(typing: Typing, now: Reading | undefined): boolean {
  return now?.key === typing.key;
}

/** Whether the question's row still stands at the cursor, with what was typed behind it. */
function standsTyped(typing: Typing, screen: Screen): boolean {
  const { plan } = typing;
  const typedWords =
    plan.kind === "key" ? plan.keys : plan.kind === "words" ? (plan.words.split("\n").at(-1) ?? "") : "";
  const row = screen.lines[screen.cursor.row]?.text.trim() ?? "";
  if (typing.asks === "secret") return typing.row !== "" && row.includes(typing.row);
  return typedWords !== "" && typing.row !== "" && row.includes(typing.row) && row.endsWith(typedWords);
}

function occurrences(typing: Typing, screen: Screen): number {
  if (typing.row === "") return 0;
  return screen.lines.filter(({ text }) => text.includes(typing.row)).length;
}
