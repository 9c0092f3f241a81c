/**
 * Claude's settings as text: JSON in which people also write comments and trailing commas. Our hook is put in and taken
 * out where it belongs, and every other byte stays. Nothing is guessed: what cannot be read throws, with where.
 */

/** Depth of nested values; real settings have fewer than ten. */
const MAX_DEPTH = 100;
const INDENT = "  ";
/** Characters of a line after a value that may be a comment on it. */
const MAX_COMMENT_CHARS = 2_000;

/** What is wrong with the text, in words for a person. */
export class Unreadable extends Error {
  override readonly name = "Unreadable";
}

interface Place {
  readonly from: number;
  readonly to: number;
}
interface Member extends Place {
  readonly key: string;
  readonly value: Value;
}
type Value =
  | (Place & { readonly kind: "object"; readonly members: readonly Member[] })
  | (Place & { readonly kind: "list"; readonly values: readonly Value[] })
  | (Place & { readonly kind: "plain"; readonly value: unknown });
type ObjectValue = Extract<Value, { kind: "object" }>;

/** Whether a hook of one event runs a command for which `isOurs` holds; `exactly` when it is the only one and as given. */
export function findHook(text: string, event: string, isOurs: (command: string) => boolean): readonly string[] {
  const list = listOf(text, event);
  return (list?.values ?? []).flatMap((value) => commandsIn(value)).filter(isOurs);
}

/** The text with `entry` added to the hooks of an event. */
export function withHook(text: string, event: string, entry: object): string {
  if (text.trim().replace(/^\uFEFF/u, "") === "")
    return `${JSON.stringify({ hooks: { [event]: [entry] } }, null, INDENT)}\n`;
  const root = rootOf(text);
  const hooks = memberOf(root, "hooks");
  if (!hooks) return withMember(text, root, "hooks", { [event]: [entry] });
  if (hooks.value.kind !== "object") throw wrong(text, hooks.value, '"hooks" is not an object');
  const list = memberOf(hooks.value, event);
  if (!list) return withMember(text, hooks.value, event, [entry]);
  if (list.value.kind !== "list") throw wrong(text, list.value, `"${event}" is not a list`);
  return inserted(text, list.value, JSON.stringify(entry, null, INDENT), list.value.values);
}

/** The text without the hooks of an event that run a command for which `isOurs` holds, and without what that leaves empty. */
export function withoutHook(text: string, event: string, isOurs: (command: string) => boolean): string {
  let left = text;
  for (;;) {
    const root = rootOf(left);
    const hooks = memberOf(root, "hooks");
    const list = hooks?.value.kind === "object" ? memberOf(hooks.value, event) : undefined;
    if (hooks?.value.kind !== "object" || list?.value.kind !== "list") return left;
    const mine = list.value.values.findIndex((value) => commandsIn(value).some(isOurs));
    const one = list.value.values[mine];
    if (one === undefined) return left;
    if (commandsIn(one).every(isOurs)) {
      if (list.value.values.length > 1) left = cut(left, list.value.values, mine);
      else if (hooks.value.members.length > 1) left = cut(left, hooks.value.members, hooks.value.members.indexOf(list));
      else left = cut(left, root.members, root.members.indexOf(hooks));
    } else {
      const inner = one.kind === "object" ? memberOf(one, "hooks") : undefined;
      if (inner?.value.kind !== "list") return left;
      left = cut(
        left,
        inner.value.values,
        inner.value.values.findIndex((value) => commandOf(value).some(isOurs)),
      );
    }
  }
}

function listOf(text: string, event: string): Extract<Value, { kind: "list" }> | undefined {
  if (text.trim().replace(/^\uFEFF/u, "") === "") return undefined;
  const hooks = memberOf(rootOf(text), "hooks");
  const list = hooks?.value.kind === "object" ? memberOf(hooks.value, event) : undefined;
  return list?.value.kind === "list" ? list.value : undefined;
}

/** The commands of one entry: `{"matcher": …, "hooks": [{"type": "command", "command": …}]}`. */
function commandsIn(entry: Value): string[] {
  const inner = entry.kind === "object" ? memberOf(entry, "hooks") : undefined;
  return inner?.value.kind === "list" ? inner.value.values.flatMap(commandOf) : [];
}

function commandOf(hook: Value): string[] {
  const command = hook.kind === "object" ? memberOf(hook, "command")?.value : undefined;
  return command?.kind === "plain" && typeof command.value === "string" ? [command.value] : [];
}

/** The last of that name wins, as for JSON.parse. */
function memberOf(object: ObjectValue, key: string): Member | undefined {
  return object.members.findLast((member) => member.key === key);
}

function withMember(text: string, object: ObjectValue, key: string, value: unknown): string {
  return inserted(text, object, `${JSON.stringify(key)}: ${JSON.stringify(value, null, INDENT)}`, object.members);
}

/** `piece` as the last in a bracket, on a line of its own with its neighbour's indent. */
function inserted(text: string, bracket: Place, piece: string, before: readonly Place[]): string {
  const last = before.at(-1);
  const end = text.includes("\r\n") ? "\r\n" : "\n";
  const around = lineIndent(text, bracket.from);
  const indent = (last && indentAt(text, last.from)) ?? `${around}${INDENT}`;
  const lines = `${end}${indent}${piece.split("\n").join(`${end}${indent}`)}`;
  if (!last) return `${text.slice(0, bracket.to - 1).trimEnd()}${lines}${end}${around}${text.slice(bracket.to - 1)}`;
  // A comma may stand already, and a comment in the same line stays with what it is about.
  const comma = commaAfter(text, last.to);
  const at = restOfLine(text, comma ?? last.to);
  return `${text.slice(0, last.to)}${comma === undefined ? "," : ""}${text.slice(last.to, at)}${lines}${text.slice(at)}`;
}

/** Past the comments that follow in the same line. */
function restOfLine(text: string, from: number): number {
  const rest =
    /^(?:[ \t]*(?:\/\/[^\r\n]*|\/\*[^\r\n]*?\*\/))*/u.exec(text.slice(from, from + MAX_COMMENT_CHARS))?.[0] ?? "";
  return from + rest.length;
}

/** The white space that a line begins with. */
function lineIndent(text: string, at: number): string {
  return /^[ \t]*/u.exec(text.slice(text.lastIndexOf("\n", at) + 1, at))?.[0] ?? "";
}

/** Without one of several, and without the comma that parted it from its neighbour. */
function cut(text: string, all: readonly Place[], at: number): string {
  const one = all[at];
  if (one === undefined) return text;
  const before = all[at - 1];
  const after = all[at + 1];
  if (before) return `${text.slice(0, before.to)}${text.slice(one.to)}`;
  if (after) return `${text.slice(0, one.from)}${text.slice(after.from)}`;
  const to = commaAfter(text, one.to) ?? one.to;
  return `${text.slice(0, one.from).trimEnd()}${text.slice(to).trimStart()}`;
}

/** Where a comma after `at` ends. */
function commaAfter(text: string, at: number): number | undefined {
  const next = skipped(text, at);
  return text[next] === "," ? next + 1 : undefined;
}

/** The white space before it, where nothing else stands before it in its line. */
function indentAt(text: string, at: number): string | undefined {
  const line = text.slice(text.lastIndexOf("\n", at - 1) + 1, at);
  return /^[ \t]*$/u.test(line) ? line : undefined;
}

// ── reading ────────────────────────────────────────────────────────────────────────────────────────────────────────

function rootOf(text: string): ObjectValue {
  const { value, at } = valueAt(text, skipped(text, text.startsWith("\uFEFF") ? 1 : 0), 0);
  const end = skipped(text, at);
  if (end < text.length) throw wrong(text, { from: end }, "something follows the settings");
  if (value.kind !== "object") throw wrong(text, value, "the settings are not an object");
  return value;
}

function valueAt(text: string, from: number, depth: number): { value: Value; at: number } {
  if (depth > MAX_DEPTH) throw wrong(text, { from }, "values are nested too deeply");
  const first = text[from];
  if (first === "{") return objectAt(text, from, depth);
  if (first === "[") return listAt(text, from, depth);
  const to = first === '"' ? stringEnd(text, from) : wordEnd(text, from);
  try {
    if (to > from)
      return { value: { kind: "plain", value: JSON.parse(text.slice(from, to)) as unknown, from, to }, at: to };
  } catch {
    // A word or an escape that is none.
  }
  throw wrong(text, { from }, from >= text.length ? "it ends too early" : "a value is missing or cut short");
}

/** After the closing quote, or the end of the text. */
function stringEnd(text: string, from: number): number {
  for (let at = from + 1; at < text.length; at++) {
    if (text[at] === "\\") at++;
    else if (text[at] === '"') return at + 1;
  }
  return text.length;
}

function wordEnd(text: string, from: number): number {
  let at = from;
  while (/[\w.+-]/u.test(text[at] ?? "")) at++;
  return at;
}

function objectAt(text: string, from: number, depth: number): { value: Value; at: number } {
  const members: Member[] = [];
  let at = skipped(text, from + 1);
  while (text[at] !== "}") {
    const name = valueAt(text, at, depth + 1);
    if (name.value.kind !== "plain" || typeof name.value.value !== "string")
      throw wrong(text, { from: at }, "a name is not in double quotes");
    const colon = skipped(text, name.at);
    if (text[colon] !== ":") throw wrong(text, { from: colon }, "a colon is missing");
    const inner = valueAt(text, skipped(text, colon + 1), depth + 1);
    members.push({ key: name.value.value, value: inner.value, from: at, to: inner.at });
    at = afterOne(text, inner.at, "}");
  }
  return { value: { kind: "object", members, from, to: at + 1 }, at: at + 1 };
}

function listAt(text: string, from: number, depth: number): { value: Value; at: number } {
  const values: Value[] = [];
  let at = skipped(text, from + 1);
  while (text[at] !== "]") {
    const inner = valueAt(text, at, depth + 1);
    values.push(inner.value);
    at = afterOne(text, inner.at, "]");
  }
  return { value: { kind: "list", values, from, to: at + 1 }, at: at + 1 };
}

function afterOne(text: string, at: number, close: string): number {
  const next = skipped(text, at);
  if (text[next] === ",") return skipped(text, next + 1);
  if (text[next] === close) return next;
  throw wrong(text, { from: next }, next >= text.length ? "it ends too early" : "a comma is missing");
}

/** Past white space and comments. */
function skipped(text: string, from: number): number {
  let at = from;
  for (;;) {
    while (/[ \t\r\n]/u.test(text[at] ?? "")) at++;
    if (text.startsWith("//", at)) {
      const end = text.indexOf("\n", at);
      at = end < 0 ? text.length : end;
    } else if (text.startsWith("/*", at)) {
      const end = text.indexOf("*/", at + 2);
      if (end < 0) throw wrong(text, { from: at }, "a comment does not end");
      at = end + 2;
    } else return at;
  }
}

function wrong(text: string, { from }: { readonly from: number }, what: string): Unreadable {
  const before = text.slice(0, from).split("\n");
  return new Unreadable(`line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}: ${what}`);
}
