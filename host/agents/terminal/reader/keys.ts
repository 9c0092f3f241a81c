/** The keys that a prompt lists with its question: `[Y/n]`, `(yes/no/[fingerprint])`, `[y,n,q,a,d,e,?]`, `(Y)es/(N)o`. */
import type { Option } from "./shape.ts";
import { ASKS_WHETHER, isNo, isYes } from "./words.ts";

/** Characters half typed behind the keys. */
const MAX_TYPED_CHARS = 30;
const MAX_LETTERS = 20;

export interface Bracket {
  readonly question: string;
  readonly options: readonly Option[];
  readonly typed: string;
}

const BRACKET = /[[(<{]((?:[^[\](){}<>]|\[[^\][]{1,24}\]){1,80})[\])>}]/gu;
/** What may stand between the choices and the cursor: a default, a remark, the sign that it waits. */
const REST = /^(?:\s*(?:[:?>›»‣…!.]+|\([^()]{0,60}\)|\[[^[\]]{0,40}\]|<[^<>]{0,20}>|(?:true|false)(?=$)))*\s*/iu;

export function bracketOf(text: string): Bracket | undefined {
  if (/^(?:usage:|-{1,2}\w)/iu.test(text)) return undefined;
  for (const found of [...text.matchAll(BRACKET)].slice(-6).toReversed()) {
    const rest = text.slice(found.index + found[0].length);
    const tail = REST.exec(rest)?.[0] ?? "";
    const typed = rest.slice(tail.length).trim();
    if (typed.length > MAX_TYPED_CHARS || /\s/u.test(typed) || (typed !== "" && !/^[\w?*!./:-]+$/u.test(typed)))
      continue;
    // `foo [y/n]bar` is one word, and `[y/n] --flag` a synopsis.
    if (typed !== "" && (tail === "" || typed.startsWith("-"))) continue;
    const before = text.slice(0, found.index);
    const options = alternatives(found[1] ?? "", before, tail);
    if (options) return { question: before.trim(), options, typed };
  }
  return undefined;
}

function alternatives(inside: string, before: string, tail: string): readonly Option[] | undefined {
  const said = inside.trim();
  // A default alone: `(yes)`, `[no]`, `<y>`.
  if ((isYes(said) || isNo(said)) && /^(?:yes|no|y|n|true|false)$/iu.test(said)) {
    if (before.trim() === "" || (/^\s*$/u.test(tail) && !/[?:]\s*$/u.test(before) && !ASKS_WHETHER.test(before)))
      return undefined;
    return said.length > 2 ? yesNo(["yes", "no"]) : yesNo(["y", "n"]);
  }
  const tokens = compactOf(said) ?? tokensOf(said);
  if (!tokens || tokens.length < 2 || tokens.length > 24) return undefined;
  const bare = tokens.map((token) =>
    token
      .replace(/^[[('"`*]+|[\])'"`*]+$/gu, "")
      .replace(/\s*[-=(].*$/u, "")
      .trim(),
  );
  if (bare.some((token) => token === "" || token.length > 24)) return undefined;
  const yesAt = bare.findIndex(isYes);
  const noAt = bare.findIndex(isNo);
  if (yesAt !== -1 && noAt !== -1) {
    if (bare.length === 2) return yesNo([lower(bare[yesAt] ?? "y"), lower(bare[noAt] ?? "n")]);
    return keyOptions(bare);
  }
  const short = bare.every((token) => token.length === 1 || /^\\?.$/u.test(token));
  if (short && bare.length >= 2 && !bare.every((token) => /^\d$/u.test(token))) return keyOptions(bare);
  const fallback = /[[(]([^\][()]{1,24})[\])]/u.exec(tail)?.[1]?.trim();
  if (
    fallback !== undefined &&
    bare.length > 1 &&
    bare.includes(fallback) &&
    bare.every((token) => /^[\w.-]+$/u.test(token))
  )
    return keyOptions(bare);
  // `[Paul/Jessica/Duncan]`: words to choose from; `/etc/x` and `a, b` are not.
  if (!/^[\w-]+(?:\/[\w-]+)+$/u.test(said) && !/^[\w-]+(?:\|[\w-]+)+$/u.test(said)) return undefined;
  if (bare.every((token) => /^\d+$/u.test(token)) && bare.length < 3) return undefined;
  if (!/^\s*(?:[:?>]|\()/u.test(tail) && !/[?:]\s*$/u.test(before)) return undefined;
  // Two words with a slash may as well be a path that stands for the default.
  if (
    bare.length === 2 &&
    /\b(?:name|path|repo\w*|url|file|folder|dir\w*|branch|image|remote|location|address|package)\b/iu.test(before)
  )
    return undefined;
  return keyOptions(bare);
}

/** A capital marks the default; what is typed is small. A word in capitals is meant so. */
function lower(key: string): string {
  return key.length === 1 || /^.\p{Ll}/u.test(key) ? key.toLowerCase() : key;
}

/** `[Ynaqdhm]`, `(ynH)`, `(Yaxh)`: letters side by side, the default as a capital, often `h` or `?` for help. */
function compactOf(said: string): readonly string[] | undefined {
  if (!/^[A-Za-z0-9?]{2,13}$/u.test(said) || new Set(said.toLowerCase()).size < said.length) return undefined;
  const small = /^(?=.*y)(?=.*n)[a-z?]{2,6}$/u.test(said);
  if (small && !/^(?:any|many|only|yarn|sync|lynx|sunny|penny|nanny|tiny|deny)$/u.test(said)) return [...said];
  const listed =
    /^[Yy][Nn][\w?]*$/u.test(said) || (/[hH?]$/u.test(said) && /^[^A-Z]*[A-Z][^A-Z]*$/u.test(said) && said.length > 2);
  if (!listed) return undefined;
  const capitals = said.match(/\p{Lu}/gu)?.length ?? 0;
  return capitals === 1 ? [...said.toLowerCase()] : [...said];
}

function tokensOf(said: string): readonly string[] | undefined {
  if ((said.match(/,/gu)?.length ?? 0) > 1) return said.split(/\s*,\s*(?:or )?/u);
  if (/[/|]/u.test(said)) return said.split(/\s*[/|]\s*/u);
  if (said.includes(",")) return said.split(/\s*,\s*(?:or )?/u);
  if (/ or /iu.test(said)) return said.split(/ or /iu);
  return undefined;
}

function keyOptions(tokens: readonly string[]): readonly Option[] {
  const seen = new Set<string>();
  const options: Option[] = [];
  for (const key of tokens) {
    if (seen.has(key)) continue;
    seen.add(key);
    const free = /^fingerprint$/iu.test(key) ? { free: true as const } : {};
    options.push({ label: wordOf(key), key, ...free });
  }
  return options;
}

export function yesNo([yes, no]: readonly [string, string]): readonly Option[] {
  return [
    { label: "Yes", key: yes },
    { label: "No", key: no },
  ];
}

function wordOf(key: string): string {
  if (/^y$|^yes$/iu.test(key)) return "Yes";
  if (/^n$|^no$/iu.test(key)) return "No";
  return key;
}

const MNEMONIC =
  /([\p{L}']*)[[(](\p{L}|\?|\d)[\])]((?:[\p{L}\p{N}'-]| (?=[\p{L}\p{N}'-]+(?![[(])[\s,/|:;?.)]|[\p{L}\p{N}'-]+$))*)/gu;

/** `(Y)es/(N)o`, `[O]pen Read-Only, (E)dit anyway`, `accept (t)emporarily`, `[Y] Yes  [A] Yes to All`. */
export function mnemonics(text: string): Bracket | undefined {
  const columns = [...text.matchAll(/()\[(\w|\?)\] (\p{Lu}[\p{L} ]{0,30}?)(?=\s{2,}|\s*\(|:|$)/gu)];
  const spaced =
    columns.length >= 2
      ? columns
      : [...text.matchAll(MNEMONIC)].filter(([, before = "", , after = ""]) => before !== "" || after !== "");
  if (spaced.length < 2 || spaced.length > 24) return undefined;
  const last = spaced.at(-1);
  const first = spaced[0];
  if (!last || !first) return undefined;
  const rest = text.slice(last.index + last[0].length);
  const tail = /^(?:[^:?>\]]{0,40})(?:[:?>\])]|\s*[[(][^\])]{0,60}[\])])+\s*/u.exec(rest)?.[0];
  if (tail === undefined) return undefined;
  const typed = rest.slice(tail.length).trim();
  if (typed.length > MAX_LETTERS) return undefined;
  // Entries stand beside one another; a bracket far from the others is another remark.
  for (const [place, one] of spaced.entries()) {
    const before = spaced[place - 1];
    if (before && one.index - before.index - before[0].length > 60) return undefined;
  }
  const options = spaced.map(([, before = "", key = "", after = ""]) => ({
    label: `${before}${key}${after}`.trim(),
    key,
  }));
  if (new Set(options.map(({ key }) => key)).size < options.length) return undefined;
  return { question: text.slice(0, first.index).trim() || text, options, typed };
}

/** `yes or no`, `Type 'yes' to continue`, `Y/N?`, without brackets. */
export function spelledOut(text: string): readonly Option[] | undefined {
  const bare = /(?:^|\s)(y(?:es)?)\s?(?:\/|\||,| or )\s?(no?)\s*(?:[?:>.\])]|$)\s*\S{0,12}$/iu.exec(text);
  if (bare) return yesNo([bare[1] ?? "y", bare[2] ?? "n"]);
  if (!/[:?>]\s*$/u.test(text)) return undefined;
  if (/\b(?:y\|Y|Y\|y|'y'|"y"|`y`) (?:for|to)\b/u.test(text)) return yesNo(["y", "n"]);
  const typed = /(?:type|enter|answer|say|write)\b.{0,20}?(?<!\w)['"`“‘]?(?<!\w)(yes|y)\b['"`”’]?(.{0,60})/iu.exec(
    text,
  );
  if (typed && !/\w@/u.test(text)) {
    const capitals = /capital|upper/iu.test(typed[2] ?? "");
    const yes = capitals ? (typed[1] ?? "yes").toUpperCase() : (typed[1] ?? "yes");
    return yesNo([yes, yes.length > 1 ? (capitals ? "NO" : "no") : "n"]);
  }
  return undefined;
}

/** The place of the option that is a no. */
export function noOf(options: readonly Option[]): { readonly no?: number } {
  const no = options.findIndex(({ label, key }) => isNo(label) || (key !== undefined && isNo(key)));
  return no === -1 ? {} : { no };
}
