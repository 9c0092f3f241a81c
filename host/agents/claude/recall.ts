/** Claude's conversations on this machine, begun anywhere: their list, what was last said, and how one went on so far. */
import type { Conversation, Said } from "@flybridge/protocol/conversation.ts";
import type { Fact } from "@flybridge/protocol/entry.ts";
import type { AgentName } from "@flybridge/protocol/ids.ts";
import type { Recall } from "../agent.ts";
import { labelOf, pathOf } from "../bounds.ts";
import { isObject, parsed, textAt, type Json } from "../json.ts";
import type { Env } from "../program.ts";
import type { Memory } from "./memory.ts";
import { closeTools } from "./tool.ts";
import { factsOf, promptIn, saidIn } from "./transcript-line.ts";
import { findTranscript, headOf, listTranscripts, tailOf, type TranscriptFile } from "./transcript.ts";

const CLAUDE = "claude" as AgentName;

/** Bytes of a transcript's beginning and end that are looked at for its title: Claude's own lines reach 64 KB. */
const HEAD_BYTES = 64 * 1024;
const TAIL_BYTES = 128 * 1024;
/** Bytes of its end that are read for what was said; a second look goes further back where the first found little. */
const READ_BYTES = [2 * 1024 * 1024, 16 * 1024 * 1024] as const;
/** Transcripts looked at side by side. */
const AT_ONCE = 16;
/** Characters of a title. */
const TITLE_CHARS = 200;
/** Items of a conversation that a session begins with when it goes on with it: the newest. */
const MAX_ITEMS = 200;

/** Lines that name a conversation, the surest first. */
const TITLES = [
  ["custom-title", "customTitle"],
  ["ai-title", "aiTitle"],
  ["summary", "summary"],
] as const;

export const recall: Recall = {
  of: (memory) => (isObject(memory) ? textAt(memory, "conversation") : undefined),
  async list(env, limit) {
    try {
      return await list(env, limit);
    } catch {
      return [];
    }
  },
  async read(env, conversation, limit) {
    const file = await findTranscript(env, conversation);
    if (!file) return undefined;
    return (await newest(file, (lines) => lines.map(saidIn).filter((said) => said !== undefined), limit)).found;
  },
};

/** The newest of what happened in a conversation, as facts of a session; what was running then is closed. */
export async function past(env: Env, conversation: string, memory: Memory): Promise<readonly Fact[]> {
  const file = await findTranscript(env, conversation);
  if (!file) return [];
  const { facts } = await pastOf(file, memory);
  const left = closeTools(memory).flatMap((draft) => (draft.kind === "fact" ? [draft.fact] : []));
  return [...facts, ...left].slice(-MAX_ITEMS);
}

/** The same with the tools that still run left in `memory`, and the offset to read on from. */
export async function pastOf(
  file: TranscriptFile,
  memory: Memory,
): Promise<{ readonly facts: readonly Fact[]; readonly next: number }> {
  const { found, next } = await newest(file, (lines) => read(lines, memory, file.updated), MAX_ITEMS);
  return { facts: found, next };
}

/** Items by their ends alone: what each was like while it went on is past. */
function read(lines: readonly string[], memory: Memory, at: number): Fact[] {
  memory.tools = {};
  memory.steps = [];
  return lines.flatMap((line) => factsOf(memory, line, at)).filter((fact) => fact.kind === "item.completed");
}

/** `look` at the end of a file, further back where that gives fewer than `limit`; the last of what it gives. */
async function newest<T>(
  file: TranscriptFile,
  look: (lines: readonly string[]) => readonly T[],
  limit: number,
): Promise<{ readonly found: readonly T[]; readonly next: number }> {
  let found: readonly T[] = [];
  let next = 0;
  for (const bytes of READ_BYTES) {
    const tail = await tailOf(file.path, file.size, bytes);
    found = look(tail.lines);
    ({ next } = tail);
    if (found.length >= limit || bytes >= file.size) break;
  }
  return { found: found.slice(-limit), next };
}

async function list(env: Env, limit: number): Promise<readonly Conversation[]> {
  const files = await listTranscripts(env);
  const found: Conversation[] = [];
  for (let at = 0; at < files.length && found.length < limit; at += AT_ONCE) {
    const some = await Promise.all(files.slice(at, at + AT_ONCE).map(conversationIn));
    found.push(...some.filter((one) => one !== undefined));
  }
  return found.slice(0, limit);
}

/** Undefined for a file in which nobody said anything: it cannot be gone on with. */
export async function conversationIn(file: TranscriptFile): Promise<Conversation | undefined> {
  const head = await headOf(file.path, HEAD_BYTES);
  const tail = file.size > HEAD_BYTES ? (await tailOf(file.path, file.size, TAIL_BYTES)).lines : head;
  const title = titleIn(head, tail);
  const workspace = placeIn(tail, "newest") ?? placeIn(head, "oldest");
  if (title === undefined || workspace === undefined) return undefined;
  return {
    agent: CLAUDE,
    conversation: file.conversation,
    title: labelOf(title.slice(0, TITLE_CHARS)),
    workspace: pathOf(workspace),
    updated: file.updated,
  };
}

function titleIn(head: readonly string[], tail: readonly string[]): string | undefined {
  for (const [type, key] of TITLES) {
    const named = nonEmpty(textAt(lineOf(tail, type) ?? lineOf(head, type), key));
    if (named !== undefined) return named;
  }
  for (const line of head) {
    const prompt = promptIn(line);
    // A command is no title while there is something else.
    if (prompt !== "" && !prompt.startsWith("/")) return prompt;
  }
  const last = nonEmpty(textAt(lineOf(tail, "last-prompt"), "lastPrompt"));
  return last ?? nonEmpty(saidOf(tail)?.text) ?? nonEmpty(saidOf(head)?.text);
}

function saidOf(lines: readonly string[]): Said | undefined {
  for (const line of lines) {
    const said = saidIn(line);
    if (said) return said;
  }
  return undefined;
}

/** The newest line of a type. */
function lineOf(lines: readonly string[], type: string): Json | undefined {
  const mark = `"type":"${type}"`;
  for (let at = lines.length - 1; at >= 0; at--) {
    const line = lines[at] ?? "";
    if (!line.includes(mark)) continue;
    const value = parsed(line);
    if (value && textAt(value, "type") === type) return value;
  }
  return undefined;
}

/** The folder it worked in, which may have changed while it went on. */
function placeIn(lines: readonly string[], which: "newest" | "oldest"): string | undefined {
  const order = which === "newest" ? lines.toReversed() : lines;
  for (const line of order) {
    if (!line.includes('"cwd"')) continue;
    const place = nonEmpty(textAt(parsed(line), "cwd"));
    if (place !== undefined) return place;
  }
  return undefined;
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === undefined || text.trim() === "" ? undefined : text.trim();
}
