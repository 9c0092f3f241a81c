/**
 * The app-server that the person's own Codex runs in the background: its screen starts one, and each of its
 * conversations is open there. It speaks the same JSON in the frames of a WebSocket on a socket of the file system.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { WebSocket } from "ws";
import type { Outside, Stranger } from "../agent.ts";
import { labelOf, pathOf } from "../bounds.ts";
import { isObject, numberAt, objectAt, parsed, textAt, textsAt, type Json } from "../json.ts";
import type { Env } from "../program.ts";
import { codexHome } from "./install.ts";
import { INITIALIZE } from "./wire.ts";

/** Conversations of one server that are looked at. */
const MAX_THREADS = 64;
/** For all that is asked of it: a server that hangs must not hold up a list. */
const TIMEOUT_MS = 5_000;
const MAX_MESSAGE_BYTES = 32 * 1024 * 1024;

/** It may be a link: the socket's own path can be too long for one. */
export function controlSocket(env: Env): string {
  return join(codexHome(env), "app-server-control", "app-server-control.sock");
}

export const outside: Outside = { list: liveThreads };

/** The conversations that are open there now, those of sub-agents left out. Never rejects. */
export async function liveThreads(env: Env): Promise<readonly Stranger[]> {
  return (await asked(env, strangersAt)) ?? [];
}

/** Whether a conversation is open there. Never rejects. */
export async function isLoaded(env: Env, conversation: string): Promise<boolean> {
  return (await asked(env, async (call) => (await loadedAt(call)).includes(conversation))) ?? false;
}

type Call = (method: string, params: Json) => Promise<Json>;

async function strangersAt(call: Call): Promise<Stranger[]> {
  const loaded = (await loadedAt(call)).slice(0, MAX_THREADS);
  const read = await Promise.all(loaded.map((threadId) => call("thread/read", { threadId }).catch((): Json => ({}))));
  return read.flatMap((result) => strangerOf(objectAt(result, "thread")));
}

async function loadedAt(call: Call): Promise<readonly string[]> {
  return textsAt(await call("thread/loaded/list", {}), "data");
}

function strangerOf(thread: Json | undefined): Stranger[] {
  const conversation = textAt(thread, "id");
  const isPersons = !isObject(thread?.["source"]) || objectAt(thread, "source")?.["subAgent"] === undefined;
  if (conversation === undefined || thread?.["ephemeral"] === true || !isPersons) return [];
  if (textAt(thread, "parentThreadId") !== undefined) return [];
  const status = objectAt(thread, "status");
  const title = textAt(thread, "name") ?? textAt(thread, "preview");
  const version = textAt(thread, "cliVersion");
  const seconds = numberAt(thread, "recencyAt") ?? numberAt(thread, "updatedAt") ?? 0;
  return [
    {
      conversation,
      workspace: pathOf(textAt(thread, "cwd") ?? "/"),
      ...(title === undefined || title.trim() === "" ? {} : { title: labelOf(title) }),
      ...(version === undefined ? {} : { version: labelOf(version) }),
      state:
        textAt(status, "type") !== "active" ? "idle" : textsAt(status, "activeFlags").length > 0 ? "waiting" : "busy",
      since: Math.trunc(seconds * 1_000),
      joins: true,
    },
  ];
}

/** Undefined where there is no server, or none that answers in time. */
async function asked<Result>(env: Env, work: (call: Call) => Promise<Result>): Promise<Result | undefined> {
  const path = controlSocket(env);
  // Asked each second: a call that waits for a thread costs fifty times this.
  if (!existsSync(path)) return undefined;
  const socket = new WebSocket(`ws+unix://${path}:/`, {
    perMessageDeflate: false,
    maxPayload: MAX_MESSAGE_BYTES,
    handshakeTimeout: TIMEOUT_MS,
  });
  const open = new Map<string, (message: Json) => void>();
  let count = 0;
  socket.on("message", (data: Buffer) => {
    const message = parsed(data.toString());
    const id = textAt(message, "id");
    if (message && id !== undefined) open.get(id)?.(message);
  });
  const call: Call = (method, params) =>
    new Promise((resolve, reject) => {
      count += 1;
      const id = `look:${count}`;
      open.set(id, (message) => {
        open.delete(id);
        const result = objectAt(message, "result");
        if (result) resolve(result);
        else reject(new Error(textAt(objectAt(message, "error"), "message") ?? "it answered with nothing"));
      });
      socket.send(JSON.stringify({ id, method, params }));
    });
  try {
    return await new Promise<Result>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error("it did not answer in time")), TIMEOUT_MS);
      timer.unref();
      const ended = (): void => reject(new Error("the connection ended"));
      socket.on("close", ended).on("error", ended);
      socket.on("open", () => {
        call("initialize", INITIALIZE)
          .then(() => {
            socket.send(JSON.stringify({ method: "initialized" }));
            return work(call);
          })
          .then(resolve, reject)
          .finally(() => clearTimeout(timer));
      });
    });
  } catch {
    return undefined;
  } finally {
    socket.terminate();
  }
}
