/** Finding the one thing that a few characters of its id mean. */
import { visibleLine } from "@flybridge/protocol/text.ts";
import { Fault } from "./fault.ts";

/** Characters of an id that lists show, unless more are needed to tell two apart. */
const SHORT_CHARS = 8;
const MAX_CANDIDATES_SHOWN = 10;
/** The command that lists them. */
const WHERE = {
  session: "ls",
  device: "devices",
  ask: "show",
  rule: "rules",
  conversation: "history",
  "waiting device": "confirm",
} as const;

/**
 * The thing whose id or whole title is `typed`, or whose id begins or ends with it. Ids of sessions begin with the time, so those of one minute
 * begin alike: lists show their ends. Throws `not_found`, or `ambiguous` with the candidates.
 */
export function oneOf<T>(
  things: readonly T[],
  typed: string,
  noun: keyof typeof WHERE,
  idOf: (thing: T) => string,
  titleOf: (thing: T) => string,
): T {
  const exact = things.find((thing) => idOf(thing) === typed);
  if (exact) return exact;
  const named = things.filter((thing) => titleOf(thing) === typed);
  const fits = (id: string): boolean => typed !== "" && (id.startsWith(typed) || id.endsWith(typed));
  const found = named.length > 0 ? named : things.filter((thing) => fits(idOf(thing)));
  const [only] = found;
  if (only && found.length === 1) return only;
  if (found.length === 0)
    throw new Fault("not_found", `There is no ${noun} ${visibleLine(typed)}. See flybridge ${WHERE[noun]}.`);
  const lines = found.slice(0, MAX_CANDIDATES_SHOWN).map((thing) => `  ${idOf(thing)}  ${visibleLine(titleOf(thing))}`);
  const more = found.length > lines.length ? [`  … and ${found.length - lines.length} more`] : [];
  throw new Fault(
    "ambiguous",
    [`"${visibleLine(typed)}" fits ${found.length} ${noun}s. Give more of the id:`, ...lines, ...more].join("\n"),
  );
}

/** The ends of the ids, long enough to be told apart. */
export function shortEnds(ids: readonly string[]): Map<string, string> {
  return shortened(ids, (id, length) => id.slice(-length));
}

/** The beginnings of the ids, long enough to be told apart. */
export function shortBeginnings(ids: readonly string[]): Map<string, string> {
  return shortened(ids, (id, length) => id.slice(0, length));
}

function shortened(ids: readonly string[], cut: (id: string, length: number) => string): Map<string, string> {
  const longest = Math.max(SHORT_CHARS, ...ids.map((id) => id.length));
  for (let length = SHORT_CHARS; length < longest; length++) {
    const cuts = new Set(ids.map((id) => cut(id, length)));
    if (cuts.size === new Set(ids).size) return new Map(ids.map((id) => [id, cut(id, length)]));
  }
  return new Map(ids.map((id) => [id, id]));
}
