/**
 * Standing rules. Those that hold for one session are in memory and end with the host; the others are in `rules.json`,
 * which a person can read and edit while no host runs. A file that cannot be understood allows nothing.
 */
import { existsSync, lstatSync, renameSync } from "node:fs";
import { CallError } from "@flybridge/protocol/error.ts";
import { MAX_RULES } from "@flybridge/protocol/limits.ts";
import { Rule, type RuleId } from "@flybridge/protocol/rule.ts";
import { shortened } from "@flybridge/protocol/text.ts";
import * as v from "valibot";
import { type NewRule, type RuleShelf, StorageError } from "../core/ports.ts";
import { readPrivate, writePrivate } from "./files.ts";

const VERSION = 1;
/** Bytes of the file; a thousand rules with long requests have less. */
const MAX_FILE_BYTES = 8 * 1024 * 1024;
/** Characters of the request that a rule shows. What it allows is the fingerprint. */
const REQUEST_CHARS = 1_000;
/** How often a rule was used is written at the latest after this, in milliseconds. */
const COUNT_MS = 5_000;
/** Files that were set aside and are still there; then the newest stays where it is. */
const MAX_ASIDE = 100;
const ID_BYTES = 8;

const Stored = v.pipe(
  v.object({ version: v.literal(VERSION), rules: v.pipe(v.array(Rule), v.maxLength(MAX_RULES)) }),
  v.check(({ rules }) => rules.every(({ session }) => session === undefined), "A rule of one session is not kept."),
  v.check(({ rules }) => new Set(rules.map(({ rule }) => rule)).size === rules.length, "Two rules have one id."),
);

export interface RuleFile extends RuleShelf, Disposable {
  /** What was wrong with the file at the start, what it means and how to mend it. */
  readonly problem: string | undefined;
}

export function openRules(around: {
  readonly path: string;
  now(): number;
  random(bytes: number): Uint8Array;
  after(milliseconds: number, work: () => void): Disposable;
}): RuleFile {
  const { path, now, random, after } = around;
  const found = rulesIn(path);
  let always: readonly Rule[] = found.rules;
  let ofSessions: readonly Rule[] = [];
  let counting: Disposable | undefined;

  const store = (rules: readonly Rule[]): void => {
    if (found.blocked !== undefined) throw new StorageError("broken", found.blocked);
    counting?.[Symbol.dispose]();
    counting = undefined;
    try {
      writePrivate(path, `${JSON.stringify({ version: VERSION, rules }, null, 2)}\n`);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === "ENOSPC" || code === "EDQUOT")
        throw new StorageError("full", `The disk is full: ${path} could not be written. Free some space.`, {
          cause: error,
        });
      throw new StorageError("broken", `${path} could not be written: ${message}.`, { cause: error });
    }
  };
  /** A count is not worth a fault: what it lacks after a crash or on a full disk is a number. */
  const storeCounts = (): void => {
    try {
      store(always);
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
    }
  };

  return {
    problem: found.problem,
    list: () => [...always, ...ofSessions].sort((a, b) => b.made - a.made),
    use(fingerprint, session) {
      const mine = (rule: Rule): boolean => rule.fingerprint === fingerprint;
      const rule = ofSessions.find((one) => mine(one) && one.session === session) ?? always.find(mine);
      if (!rule) return undefined;
      const used: Rule = { ...rule, used: rule.used + 1, last: now() };
      const renewed = (one: Rule): Rule => (one.rule === rule.rule ? used : one);
      if (rule.session === undefined) {
        always = always.map(renewed);
        counting ??= after(COUNT_MS, storeCounts);
      } else ofSessions = ofSessions.map(renewed);
      return used;
    },
    make(given) {
      const before = [...always, ...ofSessions].find(
        (one) => one.fingerprint === given.fingerprint && one.session === given.session,
      );
      if (before) return before;
      if (always.length + ofSessions.length >= MAX_RULES)
        throw new CallError("too_many", `This host has ${MAX_RULES} rules. Revoke some first.`);
      const rule = ruleOf(given, random, now());
      if (rule.session === undefined) {
        store([...always, rule]);
        always = [...always, rule];
      } else ofSessions = [...ofSessions, rule];
      return rule;
    },
    revoke(rule) {
      const others = (one: Rule): boolean => one.rule !== rule;
      ofSessions = ofSessions.filter(others);
      if (always.every(others)) return;
      const rest = always.filter(others);
      // Ended at once even where that cannot be stored: who revokes must not go on being answered for.
      always = rest;
      store(rest);
    },
    [Symbol.dispose]() {
      if (counting) storeCounts();
    },
  };
}

function ruleOf(given: NewRule, random: (bytes: number) => Uint8Array, made: number): Rule {
  const id = Buffer.from(random(ID_BYTES)).toString("hex") as RuleId;
  return { rule: id, ...given, request: shortened(given.request, REQUEST_CHARS), made, used: 0 };
}

interface Found {
  readonly rules: readonly Rule[];
  readonly problem?: string;
  /** Why nothing can be written: what is there could not be moved away. */
  readonly blocked?: string;
}

function rulesIn(path: string): Found {
  let text: string | undefined;
  try {
    if ((lstatSync(path, { throwIfNoEntry: false })?.size ?? 0) > MAX_FILE_BYTES)
      return aside(path, `it is larger than ${MAX_FILE_BYTES / 1024 / 1024} MB`);
    text = readPrivate(path);
  } catch (error) {
    const blocked = `${path} cannot be read: ${(error as Error).message} No rule applies, and none can be made.`;
    return { rules: [], problem: blocked, blocked };
  }
  if (text === undefined) return { rules: [] };
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    return aside(path, `it is not JSON (${(error as Error).message})`);
  }
  const version = (json as { version?: unknown } | null)?.version;
  if (typeof version === "number" && version > VERSION)
    return aside(path, `a newer Flybridge wrote it (version ${version}, this one knows ${VERSION})`);
  const parsed = v.safeParse(Stored, json);
  if (parsed.success) return { rules: parsed.output.rules };
  const [issue] = parsed.issues;
  return aside(path, `${v.getDotPath(issue) ?? "the file"}: ${issue.message}`);
}

/** Out of the way, for the person to mend. */
function aside(path: string, why: string): Found {
  const places = Array.from({ length: MAX_ASIDE }, (_, place) => `${path}.aside-${place + 1}`);
  const place = places.find((one) => !existsSync(one));
  try {
    if (place === undefined) throw new Error(`there are ${MAX_ASIDE} files beside it already`);
    renameSync(path, place);
  } catch (error) {
    const blocked = `${path} cannot be used: ${why}. It could not be moved away either: ${(error as Error).message}. No rule applies, and none can be made.`;
    return { rules: [], problem: blocked, blocked };
  }
  return {
    rules: [],
    problem: `${path} could not be used: ${why}. No rule applies; it is now ${place}. Mend it and move it back while no host runs, or make the rules anew.`,
  };
}
