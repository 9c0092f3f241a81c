/**
 * Claude Code where others run it: each of its processes keeps a file under `~/.claude/sessions` that says which
 * conversation is open in it and whether it waits for its person. The files are Claude's own and undocumented, so what
 * is not as expected is passed over; a process that was killed leaves its file behind.
 */
import { execFile } from "node:child_process";
import { existsSync, type FSWatcher, watch } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { platform } from "node:os";
import { join } from "node:path";
import type { Fact } from "@flybridge/protocol/entry.ts";
import type { Outside, Stranger } from "../agent.ts";
import { labelOf, pathOf } from "../bounds.ts";
import { isObject, numberAt, objectAt, parsed, textAt, type Json } from "../json.ts";
import type { Env } from "../program.ts";
import { openAsk } from "./ask.ts";
import { configFolder } from "./install.ts";
import { freshMemory, type Memory, resumedMemory } from "./memory.ts";
import { conversationIn, pastOf } from "./recall.ts";
import { factsOf } from "./transcript-line.ts";
import { findTranscript, linesFrom, transcriptAt, type TranscriptFile } from "./transcript.ts";

/** Processes that are looked at: more files than that are of dead ones. */
const MAX_FILES = 500;
/** Characters of such a file; real ones have some hundred. */
const MAX_FILE_CHARS = 64 * 1024;
/** Bytes of a transcript that are read at once while it grows. */
const MAX_READ_BYTES = 4 * 1024 * 1024;
/** How often a folder that cannot be watched is tried again, in milliseconds. */
const WATCH_AGAIN_MS = 5_000;
/** How long the list of processes may take, in milliseconds. */
const LIST_MS = 5_000;

/** What it keeps of a conversation that it reads: enough for `launch` to go on with it, and for `read` to. */
interface Mark {
  readonly conversation: string;
  /** The transcript, and where its next line begins; absent until there was one. */
  readonly path?: string | undefined;
  readonly offset?: number | undefined;
  /** It has told its title. */
  readonly titled: boolean;
  readonly count: number;
  readonly tools: Memory["tools"];
  readonly steps: Memory["steps"];
}

export const outside: Outside = {
  async list(env) {
    try {
      // Those that run for a program speak to it, and have no screen on which they could ask.
      return (await processesOf(env)).filter(({ isDriven }) => !isDriven);
    } catch {
      return [];
    }
  },
  watch: (env, changed) => watching(join(configFolder(env), "sessions"), changed),
  read: (env, conversation, mark) => readOn(env, conversation, markFrom(conversation, mark)),
  asks: ({ conversation, workspace }, tools, ask) => {
    // Tools ask one at a time, in the order in which they were called.
    const [tool] = tools;
    const memory = freshMemory(conversation, workspace);
    const request: Json = tool
      ? { tool_name: tool.tool.name, tool_use_id: tool.item, input: parsed(tool.tool.input) ?? {} }
      : { tool_name: "Claude Code" };
    return { ...openAsk(memory, ask, request).ask, source: "signal" };
  },
};

/** A process of Claude's, by its own word. */
type ClaudeProcess = Stranger & { readonly pid: number; readonly isDriven: boolean };

/** Those that are alive, at most one per conversation: the newest. */
export async function processesOf(env: Env): Promise<readonly ClaudeProcess[]> {
  const folder = join(configFolder(env), "sessions");
  // Asked each second, and for most it is not there.
  if (!existsSync(folder)) return [];
  const names = (await readdir(folder).catch(() => [])).filter((name) => /^\d{1,10}\.json$/u.test(name));
  const told = await Promise.all(names.slice(0, MAX_FILES).map((name) => processIn(join(folder, name))));
  const found = told.filter((one) => one !== undefined);
  const dead = await deadOf(found);
  const newest = new Map<string, ClaudeProcess>();
  for (const { process } of found) {
    const before = newest.get(process.conversation);
    if (!dead.has(process.pid) && (!before || before.since <= process.since)) newest.set(process.conversation, process);
  }
  return [...newest.values()];
}

interface Told {
  readonly process: ClaudeProcess;
  /** When the process began, as the system counts it: another process may have its pid by now. */
  readonly began?: string | undefined;
}

async function processIn(path: string): Promise<Told | undefined> {
  const text = await readFile(path, "utf8").catch(() => "");
  const told = text.length > MAX_FILE_CHARS ? undefined : parsed(text);
  const pid = numberAt(told, "pid");
  const conversation = textAt(told, "sessionId");
  const workspace = textAt(told, "cwd");
  if (!told || pid === undefined || !Number.isSafeInteger(pid) || pid < 2) return undefined;
  if (conversation === undefined || conversation === "" || conversation.length > 200) return undefined;
  if (workspace === undefined || workspace === "") return undefined;
  return {
    process: {
      pid,
      conversation,
      workspace: pathOf(workspace),
      isDriven: textAt(told, "entrypoint")?.startsWith("sdk") === true,
      version: textAt(told, "version"),
      // The name it gives itself says less than what was said in it.
      title: textAt(told, "nameSource") === "derived" ? undefined : titleOf(textAt(told, "name")),
      state: stateOf(textAt(told, "status")),
      since: numberAt(told, "statusUpdatedAt") ?? numberAt(told, "startedAt") ?? 0,
    },
    began: textAt(told, "procStart"),
  };
}

function titleOf(name: string | undefined): string | undefined {
  return name === undefined || name.trim() === "" ? undefined : labelOf(name);
}

function stateOf(status: string | undefined): Stranger["state"] {
  if (status === "busy") return "busy";
  return status === "waiting" ? "waiting" : "idle";
}

/** Pids under which no Claude runs any more. */
async function deadOf(found: readonly Told[]): Promise<ReadonlySet<number>> {
  const dead = new Set(found.filter(({ process: { pid } }) => !isAlive(pid)).map(({ process: { pid } }) => pid));
  const asked = found.filter(({ process: { pid } }) => !dead.has(pid));
  if (platform() === "linux") {
    await Promise.all(
      asked.map(async ({ process: { pid }, began }) => {
        const now = await beganAt(pid);
        if (now !== undefined && began !== undefined && /^\d+$/u.test(began) && now !== began) dead.add(pid);
      }),
    );
    return dead;
  }
  if (asked.length === 0 || platform() === "win32") return dead;
  const commands = await commandsOf(asked.map(({ process: { pid } }) => pid));
  for (const { process } of asked) {
    const command = commands?.get(process.pid);
    if (commands && (command === undefined || !/claude|node|bun/iu.test(command))) dead.add(process.pid);
  }
  return dead;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Ticks from the start of the system to that of the process (proc_pid_stat(5), field 22). */
async function beganAt(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  // The second field is a name that may hold anything, up to the last bracket.
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
}

function commandsOf(pids: readonly number[]): Promise<ReadonlyMap<number, string> | undefined> {
  return new Promise((resolve) => {
    execFile("ps", ["-o", "pid=,command=", "-p", pids.join(",")], { timeout: LIST_MS }, (error, output) => {
      // It exits with 1 where one of them is gone.
      if (error && output === "") return resolve(undefined);
      const rows = output.split("\n").map((line) => /^\s*(\d+)\s+(.*)$/u.exec(line));
      resolve(new Map(rows.flatMap((row) => (row ? [[Number(row[1]), row[2] ?? ""] as const] : []))));
    });
  });
}

/** Looks at a folder that may not be there yet, or may be made anew. */
function watching(folder: string, changed: () => void): Disposable {
  let watcher: FSWatcher | undefined;
  const begin = (): void => {
    if (watcher) return;
    try {
      const fresh = watch(folder, { persistent: false }, () => changed());
      // The folder is removed, or the system has too many watches: what asks now and then goes on.
      fresh.on("error", () => {
        fresh.close();
        if (watcher === fresh) watcher = undefined;
      });
      watcher = fresh;
    } catch {
      watcher = undefined;
    }
  };
  begin();
  const again = setInterval(begin, WATCH_AGAIN_MS);
  again.unref();
  return {
    [Symbol.dispose]() {
      clearInterval(again);
      watcher?.close();
    },
  };
}

async function readOn(
  env: Env,
  conversation: string,
  mark: Mark,
): Promise<{ readonly facts: readonly Fact[]; readonly mark: unknown }> {
  const known = mark.path === undefined ? undefined : await transcriptAt(mark.path);
  const file = known?.conversation === conversation ? known : await findTranscript(env, conversation);
  if (!file || mark.offset === file.size) return { facts: [], mark };
  const memory = memoryOf(mark);
  const { facts, next } =
    mark.offset === undefined || mark.offset > file.size
      ? await begin(file, memory)
      : await goOn(file, memory, mark.offset);
  const title = mark.titled || facts.length === 0 ? undefined : (await conversationIn(file))?.title;
  const titled: readonly Fact[] = title === undefined ? [] : [{ kind: "agent.reported", title }];
  const { count, tools, steps } = memory;
  const now: Mark = {
    conversation,
    path: file.path,
    offset: next,
    titled: mark.titled || title !== undefined,
    count,
    tools,
    steps,
  };
  return { facts: [...titled, ...facts], mark: now };
}

async function begin(file: TranscriptFile, memory: Memory): Promise<{ facts: readonly Fact[]; next: number }> {
  const { facts, next } = await pastOf(file, memory);
  const running = Object.values(memory.tools).map(({ item }): Fact => ({ kind: "item.began", item }));
  return { facts: [...facts, ...running], next };
}

async function goOn(
  file: TranscriptFile,
  memory: Memory,
  offset: number,
): Promise<{ facts: readonly Fact[]; next: number }> {
  const { lines, next } = await linesFrom(file.path, offset, MAX_READ_BYTES);
  return { facts: lines.flatMap((line) => factsOf(memory, line, file.updated)), next };
}

function memoryOf(mark: Mark): Memory {
  const { conversation, count, steps } = mark;
  const memory = resumedMemory(conversation, "", { conversation, count });
  return { ...memory, tools: structuredClone(mark.tools), steps: structuredClone(steps) };
}

function markFrom(conversation: string, stored: unknown): Mark {
  const { tools, steps } = freshMemory(conversation, "");
  const mark = isObject(stored) && textAt(stored, "conversation") === conversation ? stored : undefined;
  const had = mark?.["steps"];
  return {
    conversation,
    path: textAt(mark, "path"),
    offset: numberAt(mark, "offset"),
    titled: mark?.["titled"] === true,
    count: numberAt(mark, "count") ?? 0,
    tools: (objectAt(mark, "tools") as Memory["tools"] | undefined) ?? tools,
    steps: Array.isArray(had) ? (had as Memory["steps"]) : steps,
  };
}
