/**
 * Looks at a terminal's screen and says whether the program there asks the person something, what, and how it is
 * answered. It reads the grammar of prompts rather than their texts: what is the last thing written, and does it wait.
 */
import type { ApprovalAsk, Question, QuestionAsk } from "@flybridge/protocol/ask.ts";
import { MAX_OPTIONS } from "@flybridge/protocol/limits.ts";
import { labelOf, wordsOf } from "../../bounds.ts";
import type { Screen } from "../screen.ts";
import { agentOf, approvalOf } from "./agents.ts";
import { boxAsk } from "./box.ts";
import { buttonsAsk } from "./buttons.ts";
import { editorAsk } from "./editor.ts";
import { fieldAsk } from "./field.ts";
import { lineAsk } from "./line.ts";
import { menuAsk } from "./menu.ts";
import { isAtRest } from "./resting.ts";
import { viewOf, type View } from "./rows.ts";
import type { Found, Shape } from "./shape.ts";

export interface Context {
  /** The program's own word on its state, when it gives one (OSC 7501, title). */
  readonly state?: "idle" | "working" | "blocked" | undefined;
  /** Milliseconds since the screen last changed. */
  readonly quietMs: number;
  /** Whether the terminal echoes what is typed, where known; false at a password prompt. */
  readonly echo?: boolean | undefined;
}

export type AskBody = Omit<ApprovalAsk, "ask" | "item"> | Omit<QuestionAsk, "ask" | "item">;

export interface Reading {
  /** Equal while it is the same ask, whatever is highlighted or half-typed; differs when the question or options do. */
  readonly key: string;
  readonly ask: AskBody;
  /** How it is answered. Plain JSON. */
  readonly shape: Shape;
}

/** From so many options on a menu is likely to scroll: what is visible of it changes while it stays the same ask. */
const SCROLLING = 7;
/** The one question of an ask read off a screen. */
export const QUESTION = "q";

/** What is asked, or undefined. Never throws. */
export function read(screen: Screen, context: Context): Reading | undefined {
  // Its own word is better than its screen.
  if (context.state === "working") return undefined;
  const view = viewOf(screen);
  const found = foundIn(view);
  return found && readingOf(view, found, context);
}

function foundIn(view: View): Found | undefined {
  const last = view.rows.at(-1);
  if (!last) return undefined;
  const editor = editorAsk(view);
  if (editor) return editor;
  const bottom = view.rows.findLast((row) => !row.blank);
  if (!bottom || isAtRest(view, bottom)) return undefined;
  return boxAsk(view) ?? menuAsk(view) ?? buttonsAsk(view) ?? fieldAsk(view) ?? lineAsk(view);
}

function readingOf(view: View, found: Found, context: Context): Reading {
  const agent = agentOf(view, found);
  const approval = approvalOf(view, found, agent);
  const hidden =
    context.echo === false &&
    found.shape.asks === "text" &&
    found.shape.by === "line" &&
    /\b(?:code|key|pin|credential|token|answer|phrase)\b/iu.test(found.question);
  const { typed: _typed, ...untyped } = found.shape;
  const shape: Shape = {
    ...(hidden || found.shape.asks === "secret" ? untyped : found.shape),
    ...(hidden ? { asks: "secret" as const } : {}),
    ...(agent === undefined ? {} : { agent, ...(found.shape.no === undefined ? { no: "escape" as const } : {}) }),
  };
  const labels = shape.options.filter(({ free }) => !free).map(({ label }) => nameOf(label));
  const scrolls =
    shape.by === "menu" && labels.length >= SCROLLING && shape.options.every(({ key }) => key === undefined);
  if (approval) {
    const { evidence } = approval;
    const ask: AskBody = { kind: "approval", evidence, choices: [...approval.choices] };
    return { key: keyOf(["approval", approval.question, evidence.command ?? evidence.input, ...labels]), ask, shape };
  }
  const ask: AskBody = { kind: "question", questions: [questionOf(found, shape)] };
  return { key: keyOf([shape.asks, found.question, ...(scrolls ? [] : labels)]), ask, shape };
}

function questionOf(found: Found, shape: Shape): Question {
  const text = [found.context ?? "", found.question].filter((one) => one !== "").join("\n");
  return {
    question: QUESTION,
    header: labelOf(found.title ?? HEADERS[shape.asks]),
    text: wordsOf(text === "" ? HEADERS[shape.asks] : text),
    options: optionsOf(shape),
    many: shape.many === true,
    secret: shape.asks === "secret",
  };
}

const HEADERS = { choice: "Choice", confirm: "Confirm", text: "Question", secret: "Secret" } as const;

/** The options that are answers, each under a label of its own. */
function optionsOf(shape: Shape): Question["options"] {
  return pickable(shape)
    .slice(0, MAX_OPTIONS)
    .map(({ label, detail }) => ({ label, ...(detail === undefined ? {} : { detail: wordsOf(detail) }) }));
}

/** A label without the remark in brackets that some programs show only while it is highlighted. */
export function nameOf(label: string): string {
  return label.replace(/\s+\([^()]*\)$/u, "");
}

/** The options that a person may pick, with their places on the screen; labels are told apart. */
export function pickable(
  shape: Shape,
): { readonly label: string; readonly detail?: string | undefined; readonly place: number }[] {
  const seen = new Map<string, number>();
  return shape.options.flatMap((option, place) => {
    if (option.free || option.submit) return [];
    const base = labelOf(option.label);
    const times = (seen.get(base) ?? 0) + 1;
    seen.set(base, times);
    return [{ label: times === 1 ? base : `${base} (${times})`, detail: option.detail, place }];
  });
}

/** FNV-1a over the parts, twice with different seeds: enough to tell one ask from the next. */
function keyOf(parts: readonly string[]): string {
  const text = parts.join("\u0000").replace(/\s+/gu, " ");
  return `${hash(text, 0x811c9dc5)}${hash(text, 0x01000193)}`;
}

function hash(text: string, seed: number): string {
  let value = seed;
  for (let at = 0; at < text.length; at++) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193) >>> 0;
  return value.toString(16).padStart(8, "0");
}
