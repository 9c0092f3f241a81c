/** What a `.gitignore` leaves out, for showing files: gitignore(5) without what needs git itself. */

/** Patterns of one file, and characters of one; what is more is passed over. */
const MAX_PATTERNS = 500;
const MAX_PATTERN_CHARS = 500;

/** One step of a pattern. `any` is all but `/`; `deep` is anything; `folders` is nothing, or whole folders. */
type Part =
  | { readonly kind: "char"; readonly char: string }
  | { readonly kind: "set"; readonly chars: string; readonly negated: boolean }
  | { readonly kind: "one" | "any" | "deep" | "folders" };

interface Pattern {
  /** What it is held against: the path from its file's folder on where it has a slash, else the name alone. */
  readonly anchored: boolean;
  readonly matches: (text: string) => boolean;
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
  const name = bare.slice(bare.lastIndexOf("/") + 1);
  let ignored = false;
  for (const { base, patterns } of ignores) {
    const inside = bare.slice(base.length);
    for (const { anchored, matches, negated, onlyFolders } of patterns)
      if (negated === ignored && (isFolder || !onlyFolders) && matches(anchored ? inside : name)) ignored = !negated;
  }
  return ignored;
}

function patternFrom(line: string): Pattern | undefined {
  const trimmed = line.replace(/(?<![\\ \t])[ \t]+$/u, "");
  if (trimmed === "" || trimmed.startsWith("#") || trimmed.length > MAX_PATTERN_CHARS) return undefined;
  const negated = trimmed.startsWith("!");
  const whole = negated ? trimmed.slice(1) : trimmed;
  const onlyFolders = whole.endsWith("/");
  const body = onlyFolders ? whole.slice(0, -1) : whole;
  const bound = body.startsWith("/") ? body.slice(1) : body;
  const parts = partsOf(bound);
  if (!parts || parts.length === 0) return undefined;
  // A slash at the beginning or in the middle binds it to the folder of its file.
  return { anchored: body.includes("/"), matches: matcherOf(parts), negated, onlyFolders };
}

/** Undefined for what we do not read: a set without an end. */
function partsOf(pattern: string): Part[] | undefined {
  const parts: Part[] = [];
  for (let at = 0; at < pattern.length; at++) {
    const rest = pattern.slice(at);
    const char = pattern.charAt(at);
    if (rest.startsWith("**/")) {
      parts.push({ kind: "folders" });
      at += 2;
    } else if (rest.startsWith("**")) {
      parts.push({ kind: "deep" });
      at += 1;
    } else if (char === "*") parts.push({ kind: "any" });
    else if (char === "?") parts.push({ kind: "one" });
    else if (char === "[") {
      const [all, not, chars] = /^\[(!?)([^\][/]+)\]/u.exec(rest) ?? [];
      if (all === undefined || chars === undefined) return undefined;
      parts.push({ kind: "set", chars, negated: not === "!" });
      at += all.length - 1;
    } else if (char === "\\" && at + 1 < pattern.length) {
      at += 1;
      parts.push({ kind: "char", char: pattern.charAt(at) });
    } else parts.push({ kind: "char", char });
  }
  return parts;
}

function matcherOf(parts: readonly Part[]): (text: string) => boolean {
  if (parts.every((part) => part.kind === "char")) {
    const word = parts.map((part) => part.char).join("");
    return (text) => text === word;
  }
  return (text) => fits(parts, text);
}

/**
 * All ways at once, in length of text times parts: a repository may bring any pattern, and one that is tried by going
 * back can take for ever.
 */
function fits(parts: readonly Part[], text: string): boolean {
  let here = new Uint8Array(parts.length + 1);
  let next = new Uint8Array(parts.length + 1);
  enter(parts, here, 0);
  for (let at = 0; at < text.length; at++) {
    const char = text.charAt(at);
    next.fill(0);
    for (let part = 0; part < parts.length; part++) {
      if (here[part] !== 1) continue;
      const now = parts[part] as Part;
      if (now.kind === "any" ? char !== "/" : now.kind === "deep") enter(parts, next, part);
      else if (now.kind === "folders") {
        // Inside of a folder's name it stays; with the slash the rest may begin.
        next[part] = 1;
        if (char === "/") enter(parts, next, part + 1);
      } else if (takes(now, char)) enter(parts, next, part + 1);
    }
    [here, next] = [next, here];
  }
  return here[parts.length] === 1;
}

/** What takes nothing may be passed at once. A state that is there has been passed on from already. */
function enter(parts: readonly Part[], states: Uint8Array, part: number): void {
  for (let at = part; states[at] !== 1; at++) {
    states[at] = 1;
    const kind = parts[at]?.kind;
    if (kind !== "any" && kind !== "deep" && kind !== "folders") return;
  }
}

function takes(part: Part, char: string): boolean {
  if (part.kind === "char") return part.char === char;
  if (part.kind === "one") return char !== "/";
  if (part.kind !== "set" || char === "/") return false;
  const { chars, negated } = part;
  let found = false;
  for (let at = 0; at < chars.length && !found; at++) {
    const first = chars.charAt(at);
    const isRange = chars.charAt(at + 1) === "-" && at + 2 < chars.length;
    found = isRange ? first <= char && char <= chars.charAt(at + 2) : first === char;
    if (isRange) at += 2;
  }
  return found !== negated;
}
