/**
 * Claude's own record of a conversation: one file of JSON lines, which may be large, half written, or not Claude's at
 * all. Only its beginning or its end is read.
 */
import { type FileHandle, open, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Env } from "../program.ts";
import { configFolder } from "./install.ts";

/** Folders of projects that are looked into: people have hundreds. */
const MAX_FOLDERS = 5_000;
/** A conversation is named by a file: what could lead elsewhere is none. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$/u;

/**
 * `none`: the id is free. `stored`: it can be resumed. `broken`: a process died before it stored its first prompt;
 * Claude then neither resumes the id nor lets it be used again.
 */
export type Transcript = "none" | "stored" | "broken";

export interface TranscriptFile {
  readonly conversation: string;
  readonly path: string;
  /** When it was last written to, in milliseconds. */
  readonly updated: number;
  readonly size: number;
}

export async function transcriptOf(env: Env, conversation: string): Promise<Transcript> {
  if (!NAME.test(conversation)) return "none";
  const found = await Promise.all((await pathsOf(env, conversation)).map(inspect));
  return found.find((one) => one === "stored") ?? found.find((one) => one === "broken") ?? "none";
}

/** The newest file of that name, for a copy of a project may hold an old one. */
export async function findTranscript(env: Env, conversation: string): Promise<TranscriptFile | undefined> {
  if (!NAME.test(conversation)) return undefined;
  const files = await Promise.all((await pathsOf(env, conversation)).map(transcriptAt));
  return files.filter((file) => file !== undefined).sort((a, b) => b.updated - a.updated)[0];
}

/** All there are, newest first. Sub-agents have folders of their own beside them, which are not looked into. */
export async function listTranscripts(env: Env): Promise<readonly TranscriptFile[]> {
  const files: TranscriptFile[] = [];
  for (const folder of await foldersOf(env)) {
    const names = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith(".jsonl"));
    const found = await Promise.all(names.map((name) => transcriptAt(join(folder, name))));
    files.push(...found.filter((file) => file !== undefined));
  }
  return files.sort((a, b) => b.updated - a.updated);
}

/** Whole lines, and the offset at which the next one begins. */
export interface Piece {
  readonly lines: readonly string[];
  readonly next: number;
}

/** Whole lines of the first `bytes`. */
export async function headOf(path: string, bytes: number): Promise<readonly string[]> {
  return (await linesFrom(path, 0, bytes)).lines;
}

/** Whole lines of the last `bytes`, of a file of `size`. */
export async function tailOf(path: string, size: number, bytes: number): Promise<Piece> {
  const from = Math.max(0, size - bytes);
  const { lines, next } = await linesFrom(path, from, size - from);
  // Unless it begins with the file, the first line is the end of one.
  return { lines: from === 0 ? lines : lines.slice(1), next };
}

/** Whole lines from `from` on, of at most `bytes`; none where the file cannot be read. */
export async function linesFrom(path: string, from: number, bytes: number): Promise<Piece> {
  const file = await open(path).catch(() => undefined);
  if (!file) return { lines: [], next: from };
  try {
    const { lines, end, read } = await piece(file, from, bytes);
    if (end > 0) return { lines, next: from + end };
    // A line longer than what is read at once is passed over.
    return { lines: [], next: read === bytes ? from + bytes : from };
  } catch {
    return { lines: [], next: from };
  } finally {
    await file.close();
  }
}

/** They lie in one folder per workspace, under a name that Claude makes from its path: all are looked into. */
async function pathsOf(env: Env, conversation: string): Promise<string[]> {
  return (await foldersOf(env)).map((folder) => join(folder, `${conversation}.jsonl`));
}

async function foldersOf(env: Env): Promise<string[]> {
  const projects = join(configFolder(env), "projects");
  const folders = await readdir(projects).catch(() => []);
  return folders.slice(0, MAX_FOLDERS).map((folder) => join(projects, folder));
}

/** Undefined for what is not a transcript, by its name, or is empty. */
export async function transcriptAt(path: string): Promise<TranscriptFile | undefined> {
  const conversation = /([^/\\]+)\.jsonl$/u.exec(path)?.[1] ?? "";
  if (!NAME.test(conversation)) return undefined;
  const found = await stat(path).catch(() => undefined);
  if (!found?.isFile() || found.size === 0) return undefined;
  return { conversation, path, updated: Math.round(found.mtimeMs), size: found.size };
}

/** The first prompt stands near the beginning, so a long file is not read. */
async function inspect(path: string): Promise<Transcript> {
  const file = await open(path).catch(() => undefined);
  if (!file) return "none";
  try {
    for await (const line of file.readLines({ autoClose: false })) {
      if (/"type":"(?:user|assistant)"/u.test(line)) return "stored";
    }
    return "broken";
  } catch {
    return "none";
  } finally {
    await file.close();
  }
}

/** What follows the last newline is still being written. */
async function piece(
  file: FileHandle,
  from: number,
  bytes: number,
): Promise<{ lines: string[]; end: number; read: number }> {
  const buffer = Buffer.allocUnsafe(bytes);
  let read = 0;
  while (read < bytes) {
    const { bytesRead } = await file.read(buffer, read, bytes - read, from + read);
    if (bytesRead === 0) break;
    read += bytesRead;
  }
  const end = buffer.subarray(0, read).lastIndexOf(0x0a) + 1;
  const text = buffer.toString("utf8", 0, end);
  return { lines: text === "" ? [] : text.slice(0, -1).split("\n"), end, read };
}
