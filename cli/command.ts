/** A command: its words and flags, what it does, and its help. Words that do not fit are refused, never guessed at. */
import { parseArgs } from "node:util";
import { usage } from "./fault.ts";
import type { Terminal } from "./terminal.ts";

interface Flag {
  /** `optional` may stand alone or with a value: `--allow`, `--allow session`. It is "" when it stands alone. */
  readonly type: "boolean" | "string" | "optional";
  readonly multiple?: true;
  readonly short?: string;
  /** The value's name in the help. */
  readonly value?: string;
  readonly about: string;
}
export type Flags = Readonly<Record<string, Flag>>;

type ValueOf<F extends Flag> = F extends { type: "boolean" }
  ? boolean
  : F extends { multiple: true }
    ? string[]
    : string;
export type Given<F extends Flags> = { readonly [K in keyof F]?: ValueOf<F[K]> };

interface Word {
  readonly name: string;
  readonly about: string;
  readonly required?: true;
}

export interface Command<F extends Flags = Flags> {
  readonly name: string;
  /** One sentence. */
  readonly about: string;
  readonly words?: readonly Word[];
  /** What may be given after `--` in place of the words, and is not ours to understand. */
  readonly rest?: Word;
  readonly flags: F;
  readonly examples: readonly (readonly [line: string, about: string])[];
  /** `rest` is what stood after `--`; undefined where there was none. */
  run(words: readonly string[], flags: Given<F>, terminal: Terminal, rest?: readonly string[]): Promise<number | void>;
}

/** Every command has these. */
const COMMON = {
  json: { type: "boolean", about: "print results as JSON lines, for scripts" },
  help: { type: "boolean", short: "h", about: "show this" },
} as const satisfies Flags;

/** Only for its types: what `run` is given is what `flags` says. */
export function command<const F extends Flags>(definition: Command<F>): Command<F> {
  return definition;
}

export interface Parsed {
  readonly words: readonly string[];
  readonly rest: readonly string[] | undefined;
  /** As `Given` of the command's own flags, by what `parseArgs` was told of them. */
  readonly flags: Readonly<Record<string, unknown>>;
  readonly json: boolean;
  readonly help: boolean;
}

/** Throws a usage fault for an unknown flag, a missing value, a missing word or one too many. */
export function parse(
  definition: Pick<Command, "name" | "words" | "rest" | "flags">,
  typed: readonly string[],
): Parsed {
  const cut = definition.rest ? typed.indexOf("--") : -1;
  const rest = cut < 0 ? undefined : typed.slice(cut + 1);
  const all: Flags = { ...definition.flags, ...COMMON };
  const options = Object.fromEntries(
    Object.entries(all).map(([name, { type, multiple = false, short }]) => [
      name,
      { type: type === "boolean" ? ("boolean" as const) : ("string" as const), multiple, ...(short && { short }) },
    ]),
  );
  const { values, positionals } = parsed(definition.name, withValues(all, rest ? typed.slice(0, cut) : typed), options);
  const { json = false, help = false, ...flags } = values;
  if (help !== true && rest === undefined) checkWords(definition, positionals);
  if (help !== true && rest !== undefined) checkRest(definition, positionals, rest);
  return { words: positionals, rest, flags, json: json === true, help: help === true };
}

export function helpOf(definition: Command): string {
  const { name, about, words = [], rest, flags, examples } = definition;
  const line = words.map((word) => (word.required ? word.name : `[${word.name}]`)).join(" ");
  const rows = Object.entries({ ...flags, ...COMMON } satisfies Flags).map(
    ([flag, row]) => [shown(flag, row), row.about] as const,
  );
  return [
    about,
    "",
    `Usage: flybridge ${[name, line].filter(Boolean).join(" ")} [flags]`,
    ...(rest ? [`       flybridge ${name} [flags] -- ${rest.name}`] : []),
    ...(words.length > 0
      ? ["", ...columns([...words, ...(rest ? [rest] : [])].map((word) => [word.name, word.about] as const))]
      : []),
    "",
    "Flags:",
    ...columns(rows),
    "",
    "Examples:",
    ...columns(examples),
  ].join("\n");
}

export function columns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}   ${right}`.trimEnd());
}

function shown(name: string, { type, value = "VALUE", short, multiple }: Flag): string {
  const given = type === "boolean" ? "" : type === "optional" ? ` [${value}]` : ` ${value}`;
  return `${short ? `-${short}, ` : ""}--${name}${given}${multiple ? " …" : ""}`;
}

/** `--allow session` as `--allow=session` and a lone `--allow` as `--allow=`, for `parseArgs` knows no optional values. */
function withValues(flags: Flags, typed: readonly string[]): string[] {
  const result: string[] = [];
  for (let at = 0; at < typed.length; at++) {
    const word = typed[at] ?? "";
    if (word === "--") return [...result, ...typed.slice(at)];
    const isOptional = word.startsWith("--") && flags[word.slice(2)]?.type === "optional";
    const next = typed[at + 1];
    if (isOptional && next !== undefined && !next.startsWith("-")) {
      result.push(`${word}=${next}`);
      at++;
    } else result.push(isOptional ? `${word}=` : word);
  }
  return result;
}

function parsed(name: string, args: string[], options: NonNullable<Parameters<typeof parseArgs>[0]>["options"] & {}) {
  try {
    return parseArgs({ args, options, allowPositionals: true, strict: true });
  } catch (error) {
    throw usage(
      `${error instanceof Error ? error.message : String(error)}. See flybridge ${name} --help.`.replace("..", "."),
    );
  }
}

function checkRest({ name, rest }: Pick<Command, "name" | "rest">, words: readonly string[], given: readonly string[]) {
  if (words.length > 0)
    throw usage(`Give "${words[0]}" or what comes after --, not both. See flybridge ${name} --help.`);
  if (given.length === 0) throw usage(`${rest?.name} is missing: ${rest?.about}. See flybridge ${name} --help.`);
}

function checkWords({ name, words = [] }: Pick<Command, "name" | "words">, given: readonly string[]): void {
  const missing = words.find((word, at) => word.required && given[at] === undefined);
  if (missing) throw usage(`${missing.name} is missing: ${missing.about}. See flybridge ${name} --help.`);
  const extra = given[words.length];
  if (extra !== undefined)
    throw usage(
      `"${extra}" is one word too many. Put a text of several words in quotes. See flybridge ${name} --help.`,
    );
}
