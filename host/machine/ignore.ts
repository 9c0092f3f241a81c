/** What a `.gitignore` leaves out, for showing files: gitignore(5) without what needs git itself. */

/** Patterns of one file; more are passed over. */
const MAX_PATTERNS = 1_000;
const MAX_PATTERN_CHARS = 500;
/** Wildcards of one pattern: matching takes time for each. */
const MAX_STARS = 12;

interface Pattern {
  readonly matches: RegExp;
  /** `!`: what an earlier one left out is in again. */
  readonly negated: boolean;
  readonly onlyFolders: boolean;
}

export interface Ignore {
  /** Where the file lies, with `/` at the end; "" for the root. */
  readonly base: string;
  readonly patterns: readonly Pattern[];
}

export function ignoreFrom(base: string, text: string): Ignore {
  const patterns = text
    .split(/\r?\n/u, MAX_PATTERNS)
    .map(patternFrom)
    .filter((pattern) => pattern !== undefined);
  return { base, patterns };
}

/** `path` from the root on; a folder's ends with `/`. What lies in a folder that is left out is never asked for. */
export function ignoredBy(ignores: readonly Ignore[], path: string): boolean {
  const isFolder = path.endsWith("/");
  const bare = isFolder ? path.slice(0, -1) : path;
  let ignored = false;
  for (const { base, patterns } of ignores) {
    const inside = bare.slice(base.length);
    for (const { matches, negated, onlyFolders } of patterns)
      if (negated === ignored && (isFolder || !onlyFolders) && matches.test(inside)) ignored = !negated;
  }
  return ignored;
}

function patternFrom(line: string): Pattern | undefined {
  const trimmed = line.replace(/(?<!\\)[ \t]+$/u, "");
  if (trimmed === "" || trimmed.startsWith("#") || trimmed.length > MAX_PATTERN_CHARS) return undefined;
  if ((trimmed.match(/[*?]/gu) ?? []).length > MAX_STARS) return undefined;
  const negated = trimmed.startsWith("!");
  const whole = negated ? trimmed.slice(1) : trimmed;
  const onlyFolders = whole.endsWith("/");
  const body = onlyFolders ? whole.slice(0, -1) : whole;
  // A slash at the beginning or in the middle binds it to the folder of its file.
  const anchored = body.includes("/");
  const source = sourceOf(body.startsWith("/") ? body.slice(1) : body);
  if (source === undefined) return undefined;
  return { matches: new RegExp(`^${anchored ? "" : "(?:.*/)?"}${source}$`, "u"), negated, onlyFolders };
}

/** Undefined for what we do not read, such as a character class that has no end. */
function sourceOf(pattern: string): string | undefined {
  let source = "";
  for (let at = 0; at < pattern.length; at++) {
    const rest = pattern.slice(at);
    const char = pattern.charAt(at);
    if (rest.startsWith("**/")) {
      source += "(?:.*/)?";
      at += 2;
    } else if (rest.startsWith("**")) {
      source += ".*";
      at += 1;
    } else if (char === "*") source += "[^/]*";
    else if (char === "?") source += "[^/]";
    else if (char === "[") {
      const set = /^\[(!?)([\w.\- ]+)\]/u.exec(rest);
      if (!set) return undefined;
      source += `[${set[1] === "!" ? "^" : ""}${(set[2] ?? "").replaceAll(/[\\\]^.]|(?<=^)-|-(?=$)/gu, String.raw`\$&`)}]`;
      at += set[0].length - 1;
    } else if (char === "\\" && at + 1 < pattern.length) {
      at += 1;
      source += escaped(pattern.charAt(at));
    } else source += escaped(char);
  }
  return isValid(source) ? source : undefined;
}

function escaped(char: string): string {
  return /[\\^$.*+?()[\]{}|/]/u.test(char) ? `\\${char}` : char;
}

function isValid(source: string): boolean {
  try {
    return new RegExp(source, "u") !== undefined;
  } catch {
    return false;
  }
}
