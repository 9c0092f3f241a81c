/**
 * Codex's own record of its conversations: `sessions/YYYY/MM/DD/rollout-TIME-ID.jsonl`, one object a line, appended.
 * They may be hundreds of megabytes, half written or broken, and their lines differ between versions: heads and tails
 * are read, and what is not understood is passed over.
 */
import { open, readdir, stat, type FileHandle } from "node:fs/promises";
import { join, sep } from "node:path";
import type { Conversation, Said } from "@flybridge/protocol/conversation.ts";
import type { AgentName } from "@flybridge/protocol/ids.ts";
import { PREVIEW_CHARS } from "@flybridge/protocol/limits.ts";
import { shortened, visibleLine } from "@flybridge/protocol/text.ts";
import type { Recall } from "../agent.ts";
import { pathOf, wordsOf } from "../bounds.ts";
import { isObject, numberAt, objectAt, parsed, textAt, type Json } from "../json.ts";
import type { Env } from "../program.ts";
import { codexHome } from "./install.ts";
import { promptIn, rowsIn, type Row } from "./row.ts";

/** Files looked at for one list. */
const MAX_FILES = 20_000;
/** Bytes of a file's beginning that are read for its folder and its first prompt, in two steps: most need the first. */
const HEAD_BYTES = [128 * 1024, 1024 * 1024] as const;
/** Bytes of a file's end that are read for what was said last. */
const TAIL_BYTES = 4 * 1024 * 1024;
/** Bytes of the file of names that are read: its end, as later names hold. */
const NAMES_BYTES = 1024 * 1024;
/** A copy's own file begins where it was made; how many originals are looked into for what came before. */
const MAX_ORIGINALS = 4;
/** Files that are read at the same time. */
const AT_ONCE = 16;

const CODEX = "codex" as AgentName;
const NAME = /^rollout-.*-(?<id>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.jsonl$/u;

interface Rollout {
  readonly path: string;
  readonly id: string;
}

export const recall: Recall = { list, read, of: (memory) => textAt(isObject(memory) ? memory : undefined, "thread") };

async function list(env: Env, limit: number): Promise<readonly Conversation[]> {
  const files = await rollouts(env);
  const dated = await inTurns(files, async (file) => {
    const found = await stat(file.path).catch(() => undefined);
    return found ? [{ ...file, updated: Math.trunc(found.mtimeMs) }] : [];
  });
  const names = await namesOf(env);
  const newest = dated.toSorted((a, b) => b.updated - a.updated);
  const conversations: Conversation[] = [];
  // Sub-agents and unused threads have files too, so more may have to be looked at than are wanted.
  for (let from = 0; from < newest.length && conversations.length < limit; from += AT_ONCE) {
    const some = newest.slice(from, from + AT_ONCE);
    const heads = await Promise.all(some.map(async (file) => ({ file, head: await headOf(file.path) })));
    for (const { file, head } of heads) {
      if (!head || conversations.length >= limit) continue;
      const title = names.get(file.id) ?? head.prompt;
      if (title === undefined) continue;
      conversations.push({
        agent: CODEX,
        conversation: file.id,
        title: shortened(visibleLine(title.slice(0, PREVIEW_CHARS * 2)), PREVIEW_CHARS),
        workspace: pathOf(head.workspace),
        updated: file.updated,
      });
    }
  }
  return conversations;
}

async function read(env: Env, conversation: string, limit: number): Promise<readonly Said[] | undefined> {
  const path = await rolloutOf(env, conversation);
  if (path === undefined) return undefined;
  const rows = await rowsOf(env, path);
  const said = rows.flatMap((row): Said[] => {
    if (row.kind !== "prompt" && row.kind !== "words") return [];
    return [{ who: row.kind === "prompt" ? "person" : "agent", text: wordsOf(row.body), at: row.at }];
  });
  return said.slice(-limit);
}

/** The file of a conversation, the newest where there are several. */
export async function rolloutOf(env: Env, conversation: string): Promise<string | undefined> {
  return (await rollouts(env)).findLast(({ id }) => id === conversation)?.path;
}

/** What its end holds, oldest first; of a copy, what came before it too. */
export async function rowsOf(env: Env, path: string): Promise<readonly Row[]> {
  let rows: readonly Row[] = [];
  let from: { path: string; end: number } | undefined = { path, end: Number.POSITIVE_INFINITY };
  let budget = TAIL_BYTES;
  for (let count = 0; count <= MAX_ORIGINALS && from && budget > 0; count += 1) {
    const part = await tailOf(from.path, from.end, budget);
    rows = [...rowsIn(part.lines), ...rows];
    budget -= part.bytes;
    from = part.whole ? await originalOf(env, part.lines[0]) : undefined;
  }
  return rows;
}

async function originalOf(env: Env, first: string | undefined): Promise<{ path: string; end: number } | undefined> {
  const meta = objectAt(parsed(first ?? ""), "payload");
  const base = objectAt(meta, "history_base");
  const id = textAt(base, "thread_id");
  const path = id === undefined ? undefined : await rolloutOf(env, id);
  return path === undefined ? undefined : { path, end: numberAt(base, "end_byte_offset") ?? Number.POSITIVE_INFINITY };
}

/** All files, by day and time. */
async function rollouts(env: Env): Promise<Rollout[]> {
  const found: Rollout[] = [];
  for (const folder of ["archived_sessions", "sessions"]) {
    const root = join(codexHome(env), folder);
    const names = await readdir(root, { recursive: true }).catch(() => []);
    for (const name of names.toSorted((a, b) => (a < b ? -1 : 1)).slice(-MAX_FILES)) {
      const id = NAME.exec(name.slice(name.lastIndexOf(sep) + 1))?.groups?.["id"];
      if (id !== undefined) found.push({ path: join(root, name), id });
    }
  }
  return found;
}

/** Names that people gave, by conversation. */
async function namesOf(env: Env): Promise<ReadonlyMap<string, string>> {
  const { lines } = await tailOf(join(codexHome(env), "session_index.jsonl"), Number.POSITIVE_INFINITY, NAMES_BYTES);
  const names = new Map<string, string>();
  for (const line of lines) {
    const entry = parsed(line);
    const id = textAt(entry, "id");
    const name = textAt(entry, "thread_name");
    if (id !== undefined && name !== undefined && name.trim() !== "") names.set(id, name);
  }
  return names;
}

/** Where it works and what it was first asked; undefined for what no person began, and for what cannot be read. */
async function headOf(path: string): Promise<{ workspace: string; prompt: string | undefined } | undefined> {
  for (const bytes of HEAD_BYTES) {
    const text = await part(path, 0, bytes);
    if (text === undefined) return undefined;
    const lines = text.split("\n");
    const meta = lines.map((line) => metaIn(line)).find((one) => one !== undefined);
    if (meta && isSubAgent(meta)) return undefined;
    const prompt = lines.map((line) => promptIn(line)).find((one) => one !== undefined);
    const isLast = bytes === HEAD_BYTES.at(-1) || text.length < bytes;
    if (meta && (prompt !== undefined || isLast)) {
      return { workspace: textAt(meta, "cwd") ?? "/", prompt: prompt ?? copiedPrompt(meta) };
    }
    if (isLast) return undefined;
  }
  return undefined;
}

/** A copy holds no prompt before its first own. */
function copiedPrompt(meta: Json): string | undefined {
  return textAt(meta, "forked_from_id") === undefined ? undefined : "A copy";
}

function metaIn(line: string): Json | undefined {
  if (!line.includes('"session_meta"')) return undefined;
  const found = parsed(line);
  return textAt(found, "type") === "session_meta" ? objectAt(found, "payload") : undefined;
}

function isSubAgent(meta: Json): boolean {
  return objectAt(meta, "source")?.["subagent"] !== undefined || textAt(meta, "source") === "subagent";
}

async function tailOf(
  path: string,
  end: number,
  bytes: number,
): Promise<{ readonly lines: string[]; readonly bytes: number; readonly whole: boolean }> {
  const size = await stat(path).then(
    (found) => Math.min(found.size, end),
    () => 0,
  );
  const start = Math.max(0, size - bytes);
  const text = (await part(path, start, size - start)) ?? "";
  const lines = text.split("\n");
  if (start > 0) lines.shift();
  return { lines, bytes: size - start, whole: start === 0 };
}

async function part(path: string, start: number, bytes: number): Promise<string | undefined> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, "r");
    const buffer = Buffer.alloc(Math.min(bytes, Math.max(0, (await file.stat()).size - start)));
    const { bytesRead } = await file.read(buffer, 0, buffer.length, start);
    return buffer.toString("utf8", 0, bytesRead);
  } catch {
    return undefined;
  } finally {
    await file?.close().catch(() => undefined);
  }
}

async function inTurns<From, To>(all: readonly From[], work: (one: From) => Promise<To[]>): Promise<To[]> {
  const done: To[] = [];
  for (let from = 0; from < all.length; from += AT_ONCE * 4) {
    done.push(...(await Promise.all(all.slice(from, from + AT_ONCE * 4).map(work))).flat());
  }
  return done;
}
