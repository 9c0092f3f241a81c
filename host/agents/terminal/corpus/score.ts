/** Holds what the reader says of a screen against what a person said of it. */
import { read } from "../reader/reader.ts";
import type { AskKind, Option, Shape } from "../reader/shape.ts";
import type { Screen } from "../screen.ts";

/** What `NAME.json` says: no ask, or its kind and, where they matter, its options in order. */
export interface Expected {
  readonly ask: { readonly kind: AskKind; readonly options?: readonly string[] } | null;
}

export interface Verdict {
  readonly outcome: "hit" | "quiet" | "missed" | "false alarm" | "wrong";
  /** In words, when it is not right. */
  readonly said: string;
}

/** Milliseconds of rest that stand for "nothing moves". */
const RESTED_MS = 10_000;

export function judge(screen: Screen, expected: Expected): Verdict {
  const reading = read(screen, { quietMs: RESTED_MS });
  const { ask } = expected;
  if (!ask) {
    return reading
      ? { outcome: "false alarm", said: `read as ${describe(reading.shape)}` }
      : { outcome: "quiet", said: "" };
  }
  if (!reading) return { outcome: "missed", said: `is ${ask.kind}, and nothing was read` };
  const { shape } = reading;
  if (!isKind(shape, ask.kind)) return { outcome: "wrong", said: `is ${ask.kind}, read as ${describe(shape)}` };
  if (ask.options && !areOptions(shape, ask.options))
    return { outcome: "wrong", said: `has ${ask.options.join(" | ")}, read as ${describe(shape)}` };
  return { outcome: "hit", said: "" };
}

/** Undefined, with no guess, when it is not of the form that a label has. */
export function expectedOf(text: string): Expected | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null || !("ask" in value)) return undefined;
    const { ask } = value;
    if (ask === null) return { ask: null };
    if (typeof ask !== "object" || ask === undefined) return undefined;
    const { kind, options } = ask as { kind?: unknown; options?: unknown };
    if (kind !== "choice" && kind !== "confirm" && kind !== "text" && kind !== "secret") return undefined;
    if (options === undefined) return { ask: { kind } };
    return Array.isArray(options) && options.every((one) => typeof one === "string")
      ? { ask: { kind, options } }
      : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Two answers, yes and no, are a confirmation however they are drawn, and a choice of two as well. A prompt with yes, no
 * and further keys is both too: the options tell.
 */
function isKind(shape: Shape, kind: AskKind): boolean {
  if (shape.asks === kind) return true;
  if (kind === "choice") return shape.asks === "confirm" && shape.options.length > 0;
  return kind === "confirm" && shape.asks === "choice" && has(shape, /^(?:y|yes)\b/iu) && has(shape, /^(?:n|no)\b/iu);
}

function has(shape: Shape, word: RegExp): boolean {
  return shape.options.some(({ label, key }) => word.test(label) || (key !== undefined && word.test(key)));
}

/** Each expected option, in order; those that open a field or send the form may be left out of what is expected. */
function areOptions(shape: Shape, expected: readonly string[]): boolean {
  if (expected.length === 0) return true;
  const answers = shape.options.filter(({ free, submit }) => !free && !submit);
  return same(shape.options, expected) || same(answers, expected);
}

function same(options: readonly Option[], expected: readonly string[]): boolean {
  return (
    options.length === expected.length &&
    options.every((option, place) => names(option).has(plain(expected[place] ?? "")))
  );
}

/** An option is named by its label, its key, or both, with or without what is said of it. */
function names({ label, key, detail }: Option): Set<string> {
  const words = [label, ...(detail === undefined ? [] : [`${label} ${detail}`])];
  const keyed = key === undefined || key === "" ? [] : [key, ...words.map((one) => `${key} ${one}`)];
  return new Set([...words, ...keyed].map(plain));
}

/** Without numbers, marks, keys in brackets and remarks: what is left tells one option from another. */
function plain(words: string): string {
  const bare = words
    .toLowerCase()
    .replace(/\s*\((?:recommended|default|current|[a-z0-9]|esc|enter|tab|(?:shift|ctrl|alt)\+\w+)\)/gu, "")
    .replace(/[^\p{L}\p{N}?]+/gu, " ")
    .trim();
  return bare === "" ? words.trim() : (ALIKE[bare] ?? bare);
}

const ALIKE: Readonly<Record<string, string>> = { y: "yes", n: "no" };

function describe(shape: Shape): string {
  return [shape.asks, ...(shape.options.length > 0 ? [shape.options.map(({ label }) => label).join(" | ")] : [])].join(
    ": ",
  );
}
