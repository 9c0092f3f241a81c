/**
 * The door for hooks: a unix socket, 0600 in a folder 0700, on which a program that an agent runs says what the agent
 * asks, and waits. It opens nothing else: no device, no session, no journal.
 *
 *   hook  {"v":1,"hook":"32 hex","agent":"claude","session":"…"?,"began":ms,"again":bool,"event":{…}}\n
 *   host  {"print":"…"}\n    what the program is to print      {"print":""}\n    nothing: it is no longer asked
 *
 * A connection that ends without a line is a host that ended: the hook comes again, under the same name.
 */
import { chmodSync, rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { AgentName } from "@flybridge/protocol/ids.ts";
import * as v from "valibot";

const OWNER_ONLY = 0o600;
/** Bytes of what a hook says: a tool may write a whole file. */
const MAX_LINE_BYTES = 8 * 1024 * 1024;
/** Hooks that wait at once. */
const MAX_HOOKS = 64;
/** How long a hook may take to say all, in milliseconds. */
const SAY_MS = 10_000;

const Line = v.object({
  v: v.literal(1),
  hook: v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/u)),
  agent: AgentName,
  /** The session in whose terminal the agent runs, by its environment. */
  session: v.optional(v.pipe(v.string(), v.maxLength(64))),
  /** When the hook was started, in milliseconds since 1970. */
  began: v.number(),
  /** It was here before, and the host ended. */
  again: v.boolean(),
  event: v.unknown(),
});
export type HookLine = v.InferOutput<typeof Line>;

/** A program that waits. */
export interface WaitingHook {
  readonly line: HookLine;
  /** Lets it go: it prints this, or nothing. */
  release(print: string): void;
  /** Called once, when it is gone by itself, or at once where it is already. */
  ended(work: () => void): void;
}

/** The state folder is locked by this process, so a socket that lies there is a dead host's. */
export async function openHookDoor(options: {
  readonly path: string;
  readonly enter: (hook: WaitingHook) => void;
}): Promise<AsyncDisposable> {
  rmSync(options.path, { force: true });
  const open = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    if (open.size >= MAX_HOOKS) return refuse(socket);
    open.add(socket);
    socket.once("close", () => open.delete(socket));
    listen(socket, options.enter);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.path, resolve);
  });
  chmodSync(options.path, OWNER_ONLY);
  return {
    async [Symbol.asyncDispose]() {
      for (const socket of open) {
        // Not gone by themselves: they come again to the next host.
        socket.removeAllListeners("close");
        socket.destroy();
      }
      await new Promise((resolve) => server.close(resolve));
      rmSync(options.path, { force: true });
    },
  };
}

function listen(socket: Socket, enter: (hook: WaitingHook) => void): void {
  const chunks: Buffer[] = [];
  let size = 0;
  let isRead = false;
  let isReleased = false;
  socket.on("error", () => socket.destroy());
  socket.setTimeout(SAY_MS, () => socket.destroy());
  socket.on("end", () => {
    if (!isReleased) socket.destroy();
  });
  socket.on("data", (bytes: Buffer) => {
    // One line, and then it waits.
    if (isRead) return;
    size += bytes.length;
    if (size > MAX_LINE_BYTES) return refuse(socket);
    chunks.push(bytes);
    if (!bytes.includes(0x0a)) return;
    isRead = true;
    socket.setTimeout(0);
    const line = parsed(Buffer.concat(chunks).toString("utf8"));
    if (!line) return refuse(socket);
    enter({
      line,
      release(print) {
        isReleased = true;
        socket.end(`${JSON.stringify({ print })}\n`);
      },
      ended(work) {
        const tell = (): void => {
          if (!isReleased) work();
        };
        if (socket.closed) tell();
        else socket.once("close", tell);
      },
    });
  });
}

/** It has nothing to print, and need not come again. */
function refuse(socket: Socket): void {
  socket.on("error", () => socket.destroy());
  socket.end(`${JSON.stringify({ print: "" })}\n`, () => socket.destroy());
}

function parsed(text: string): HookLine | undefined {
  try {
    const found = v.safeParse(Line, JSON.parse(text.slice(0, text.indexOf("\n"))));
    return found.success ? found.output : undefined;
  } catch {
    return undefined;
  }
}
