/**
 * Claude's hook: a program that Claude runs beside a dialog of its own, whose answer closes that dialog. Here it is put
 * into the person's settings and taken out again, and what Claude tells it becomes an ask.
 */
import { constants } from "node:fs";
import { access, mkdir, open, readFile, realpath, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { AgentName, AskId } from "@flybridge/protocol/ids.ts";
import type { Hook } from "@flybridge/protocol/methods.ts";
import type { Hooks } from "../agent.ts";
import { isObject, objectAt, textAt } from "../json.ts";
import type { Env } from "../program.ts";
import { answerTo, openAsk } from "./ask.ts";
import { findHook, Unreadable, withHook, withoutHook } from "./hooks-text.ts";
import { configFolder } from "./install.ts";
import { freshMemory, type PendingAsk } from "./memory.ts";

/** In the environment of a Claude that this host drives over its pipe, where asks come over that pipe. */
export const DRIVEN = "FLYBRIDGE_DRIVEN";

const CLAUDE = "claude" as AgentName;
const EVENT = "PermissionRequest";
/** How long Claude lets the program wait for a person, in seconds: a day. */
const WAIT_SECONDS = 86_400;
const BACKUP = ".before-flybridge";
const PRIVATE = 0o600;

export const hooks: Hooks = {
  inspect,
  install: (env, program) =>
    changed(env, program, (text) =>
      findHook(text, EVENT, isFor(program)).length > 0 ? text : withHook(text, EVENT, entryFor(program)),
    ),
  remove,
  open(event, ask) {
    if (!isObject(event) || textAt(event, "hook_event_name") !== EVENT) return undefined;
    const conversation = textAt(event, "session_id");
    const workspace = textAt(event, "cwd");
    if (conversation === undefined || workspace === undefined) return undefined;
    const memory = freshMemory(conversation, workspace);
    const request = { ...event, input: objectAt(event, "tool_input") ?? {} };
    const opened = openAsk(memory, ask, request);
    return {
      conversation,
      workspace,
      ask: { ...opened.ask, ask: ask as AskId, source: "hook" },
      pending: opened.pending,
    };
  },
  print(pending, answer) {
    const decision = answerTo(pending as PendingAsk, answer);
    return decision && JSON.stringify({ hookSpecificOutput: { hookEventName: EVENT, decision } });
  },
};

async function inspect(env: Env, program: string): Promise<Hook> {
  const path = pathIn(env);
  try {
    const text = await textOf(path);
    const commands = text === undefined ? [] : findHook(text, EVENT, isFor(program));
    return { ...(await described(path)), state: commands.length > 0 ? "installed" : "absent" };
  } catch (error) {
    return { ...(await described(path)), state: "unreadable", problem: problemOf(path, error) };
  }
}

async function remove(env: Env, program: string): Promise<Hook> {
  const path = pathIn(env);
  const backup = await textOf(`${path}${BACKUP}`).catch(() => undefined);
  const text = await textOf(path).catch(() => undefined);
  // Where nothing else changed meanwhile, what was before is there again, to the byte.
  const was = restorable(backup, text, program);
  if (was === "nothing") {
    await rm(path);
    return inspect(env, program);
  }
  const result = await changed(env, program, (now) => was?.text ?? without(now, program));
  if (was && result.problem === undefined) await rm(`${path}${BACKUP}`, { force: true });
  return inspect(env, program).then((hook) => (result.problem === undefined ? hook : result));
}

function restorable(
  backup: string | undefined,
  text: string | undefined,
  program: string,
): { readonly text: string } | "nothing" | undefined {
  if (text === undefined) return undefined;
  const entry = entryFor(program);
  try {
    if (text === withHook("", EVENT, entry) && backup === undefined) return "nothing";
    if (backup !== undefined && withHook(backup, EVENT, entry) === text) return { text: backup };
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
  }
  return undefined;
}

/** Writes what `change` makes of the settings, whole or not at all, and keeps what was; nothing where nothing changes. */
async function changed(env: Env, program: string, change: (text: string) => string): Promise<Hook> {
  const path = pathIn(env);
  try {
    const before = await textOf(path);
    const after = change(before ?? "");
    if (after !== (before ?? "")) {
      // A link leads to where the person keeps the file, and stays a link.
      const target = before === undefined ? path : await realpath(path);
      const mode = before === undefined ? PRIVATE : (await stat(target)).mode & 0o777;
      if ((mode & 0o200) === 0) throw new Error("it is read-only: make it writable (chmod u+w), then try again");
      if (before === undefined) await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      else if (findHook(before, EVENT, isFor(program)).length === 0) await writeWhole(`${path}${BACKUP}`, before, mode);
      await writeWhole(target, after, mode);
    }
    return await inspect(env, program);
  } catch (error) {
    const now = await inspect(env, program);
    return { ...now, problem: problemOf(path, error) };
  }
}

function without(text: string, program: string): string {
  return text.trim() === "" ? text : withoutHook(text, EVENT, isFor(program));
}

/** A crash leaves the old file or the new one. */
async function writeWhole(path: string, text: string, mode: number): Promise<void> {
  const fresh = `${path}.${process.pid}.new`;
  await rm(fresh, { force: true });
  try {
    const file = await open(fresh, "wx", mode);
    try {
      await file.chmod(mode);
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(fresh, path);
  } catch (error) {
    await rm(fresh, { force: true });
    throw error;
  }
}

function entryFor(program: string): object {
  return { hooks: [{ type: "command", command: commandFor(program), timeout: WAIT_SECONDS }] };
}

/** Where the program is gone, Claude goes on as if there were no hook. */
function commandFor(program: string): string {
  const quoted = `'${program.replaceAll("'", String.raw`'\''`)}'`;
  return `[ ! -x ${quoted} ] || ${quoted} ${CLAUDE}`;
}

function isFor(program: string): (command: string) => boolean {
  return (command) => command === commandFor(program);
}

function pathIn(env: Env): string {
  return join(configFolder(env), "settings.json");
}

async function described(path: string): Promise<Pick<Hook, "agent" | "path" | "backup">> {
  const backup = `${path}${BACKUP}`;
  const kept = await access(backup, constants.F_OK).then(
    () => true,
    () => false,
  );
  return { agent: CLAUDE, path, ...(kept ? { backup } : {}) };
}

/** Undefined where there is no file. */
async function textOf(path: string): Promise<string | undefined> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Unreadable("it is not UTF-8 text");
  }
}

function problemOf(path: string, error: unknown): string {
  const why = error instanceof Error ? error.message : String(error);
  if (error instanceof Unreadable) return `${path} cannot be read (${why}). Mend it by hand; nothing was changed.`;
  return `${path} was not changed: ${why}.`;
}
