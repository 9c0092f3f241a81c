/**
 * The host's end of the keeper: finds it by its socket, starts one if none answers, sends orders, hears reports.
 */
import { spawn as startProcess } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, lstatSync, mkdirSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  type ChildExit,
  type ChildState,
  decodeReport,
  encodeOrder,
  FAILURES,
  type FailureCode,
  FRAME_MAX_BYTES,
  FrameReader,
  type Order,
  type Report,
  type SpawnOrder,
  WIRE_VERSION,
  WireError,
} from "@flybridge/keeper/wire.ts";

export type { ChildExit, ChildState, SpawnOrder } from "@flybridge/keeper/wire.ts";

/** A socket's path must fit in `sun_path`: 104 bytes on macOS, 108 on Linux, with its end mark. */
const SOCKET_PATH_MAX_BYTES = 100;
const HELLO_TIMEOUT_MS = 5_000;
/** A keeper that says its last word and a new one that is not there yet may alternate; this often at most. */
const CONNECT_TRIES = 5;
/** Of what a keeper that did not start wrote on stderr. */
const STDERR_MAX_CHARS = 2_000;

/** What a host may tell a child that exists. Fire and forget: what came of it arrives as an event. */
export type ChildOrder = Extract<
  Order,
  { type: "input" | "endInput" | "read" | "ack" | "resize" | "signal" | "forget" }
>;

export interface KeeperPlace {
  /** In a folder of its own, 0700. */
  readonly socketPath: string;
  readonly spoolFolder: string;
}

/**
 * Contract of a connection to the keeper: it is whole until `lost` or `close`, and is not mended afterwards; connect
 * again and read `children`. The keeper and the children live on, whatever becomes of a connection.
 */
export interface Keeper extends Disposable {
  /** The keeper's process, and the children as they were at the hello; later news come as events. */
  readonly hello: {
    readonly pid: number;
    readonly startedAt: number;
    readonly children: ReadonlyMap<string, ChildState>;
  };
  /** Repeating a child's id answers the child there is, dead or alive. Rejects with KeeperError; never throws. */
  spawn(order: SpawnOrder): Promise<ChildState>;
  /**
   * Orders take effect in the order sent. Never throws but for a frame over the limit (an input above 32 MiB); after
   * the end it does nothing. Of a living child nothing is delivered before `read`.
   */
  send(order: ChildOrder): void;
  /** Ends all children and the keeper; resolves when it is gone, 4 s later at most if a child ignores SIGTERM. */
  shutdown(): Promise<void>;
  /** Leaves the keeper alone. No event follows. */
  [Symbol.dispose](): void;
}

/** What the keeper tells. Handlers are called in order, one at a time, and must not throw. */
export interface KeeperEvents {
  /** Contiguous from the offset of the last `read`. Answer with `ack`: at 1 MiB not taken the keeper waits. */
  output(child: string, offset: number, bytes: Uint8Array): void;
  /** stderr, best effort. */
  errors(child: string, offset: number, bytes: Uint8Array): void;
  /** Once when it dies, and again on each `read` of a dead child. Output goes on until `end` was delivered. */
  exit(child: string, exit: ChildExit & { readonly end: number; readonly errorsTail: Uint8Array }): void;
  /** `taken`: the keeper has it, and puts it in once; stop repeating it. Else a failure: it was not put in. */
  settled(child: string, id: string, outcome: "taken" | FailureCode): void;
  /** Last; not after `shutdown` or disposal. `replaced`: another host took over. `gone`: the keeper died, or the socket broke. */
  lost(reason: { readonly code: LostCode; readonly message: string }): void;
}

export type LostCode = "replaced" | "gone" | "wire_broken" | "spool_unreadable";

export type KeeperErrorCode =
  | FailureCode
  /** No keeper answers, and none was to be started. */
  | "not_running"
  | "start_failed"
  /** Something holds the socket and says nothing. */
  | "no_answer"
  /** A keeper of another version is running: end it with `flybridge down --all`. */
  | "wire_version"
  /** The folder of the socket belongs to somebody else, or is open to others. */
  | "folder_not_private"
  | "lost";

export class KeeperError extends Error {
  readonly code: KeeperErrorCode;
  constructor(code: KeeperErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** Where the keeper of a state folder is found. The same folder gives the same place. */
export function keeperPlace(stateFolder: string): KeeperPlace {
  const near = join(stateFolder, "keeper");
  const socketPath = join(near, "socket");
  if (Buffer.byteLength(socketPath) <= SOCKET_PATH_MAX_BYTES) return { socketPath, spoolFolder: near };
  const runtime = process.env["XDG_RUNTIME_DIR"];
  const shared = runtime ? join(runtime, "flybridge") : join(tmpdir(), `flybridge-${userInfo().uid}`);
  const name = createHash("sha256").update(stateFolder).digest("hex").slice(0, 16);
  return { socketPath: join(shared, name), spoolFolder: near };
}

/** Rejects with KeeperError. A keeper that was started here goes on when this process ends. */
export async function connectKeeper(options: {
  readonly place: KeeperPlace;
  readonly events: KeeperEvents;
  /** Start one, detached, if none answers. */
  readonly start: boolean;
}): Promise<Keeper> {
  const { place, events, start } = options;
  for (const folder of [dirname(place.socketPath), place.spoolFolder]) ensurePrivate(folder);
  let complaint = "";
  for (let tries = 0; tries < CONNECT_TRIES; tries++) {
    const socket = await dial(place.socketPath);
    const keeper = socket && (await greet(socket, events));
    if (keeper) return keeper;
    if (complaint !== "") break;
    if (!start) throw new KeeperError("not_running", "no keeper is running; `flybridge up` starts one");
    complaint = await startKeeper(place);
  }
  throw new KeeperError("start_failed", `the keeper did not start: ${complaint || "it ended again and again"}`);
}

/** Whoever can write to this folder could put their own socket there and be told every environment. */
function ensurePrivate(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const found = lstatSync(folder);
  const ours = found.isDirectory() && found.uid === userInfo().uid;
  if (ours && (found.mode & 0o077) === 0) return;
  const mend = ours ? `close it with: chmod 700 ${folder}` : "remove it, or set FLYBRIDGE_HOME to a folder of yours";
  throw new KeeperError(
    "folder_not_private",
    `${folder} is ${ours ? "open to others" : "not a folder of yours"}; ${mend}`,
  );
}

/** Null: nobody listens. */
async function dial(socketPath: string): Promise<Socket | null> {
  const socket = connect(socketPath);
  try {
    await once(socket, "connect");
    return socket;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ECONNREFUSED") return null;
    throw new KeeperError("not_running", `the keeper's socket ${socketPath} cannot be opened: ${code}`);
  }
}

/** Resolves when a keeper listens; to what went wrong, if none does. */
async function startKeeper({ socketPath, spoolFolder }: KeeperPlace): Promise<string> {
  const program = fileURLToPath(import.meta.resolve("@flybridge/keeper/main.ts"));
  const compiled = join(spoolFolder, "compiled");
  // Run from its sources, a keeper would hold the 18 MB of a TypeScript parser for as long as it lives. With a compile
  // cache only the first process needs that, so the first process is one that merely loads.
  if (program.endsWith(".ts") && !existsSync(compiled)) await runKeeper(program, [], compiled);
  return runKeeper(program, [socketPath, spoolFolder], compiled);
}

async function runKeeper(program: string, args: readonly string[], compiled: string): Promise<string> {
  const keeper = startProcess(process.execPath, [program, ...args], {
    cwd: "/",
    // Nothing of ours: the keeper outlives this host, and each child is given its whole environment.
    env: { NODE_COMPILE_CACHE: compiled },
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let complaint = "";
  keeper.stderr.setEncoding("utf8").on("data", (text: string) => {
    complaint = (complaint + text).slice(0, STDERR_MAX_CHARS);
  });
  keeper.stdout.resume();
  keeper.once("error", (error) => (complaint = error.message));
  // It ends both when it listens or leaves.
  await Promise.all([once(keeper.stdout, "close"), once(keeper.stderr, "close")]);
  keeper.unref();
  return complaint.trim();
}

/** Null: the keeper left before it said hello. Rejects with KeeperError. */
function greet(socket: Socket, events: KeeperEvents): Promise<Keeper | null> {
  return new Promise((resolve, reject) => {
    const refuse = (error: KeeperError): void => {
      reject(error);
      socket.destroy();
    };
    const timer = setTimeout(() => {
      refuse(new KeeperError("no_answer", "a keeper holds the socket but does not answer; end its process"));
    }, HELLO_TIMEOUT_MS);
    const connection = new KeeperConnection(socket, events, (report) => {
      clearTimeout(timer);
      if (report.type === "hello") resolve(connection);
      else refuse(new KeeperError("wire_version", `${report.message} (its process is ${report.pid})`));
    });
    // After a hello these change nothing: a promise settles once.
    socket.once("close", () => {
      clearTimeout(timer);
      resolve(null);
    });
    send(socket, { type: "hello", wire: WIRE_VERSION });
  });
}

type Greeting = Extract<Report, { type: "hello" | "refused" }>;

interface Waiting {
  resolve(state: ChildState): void;
  reject(error: KeeperError): void;
}

class KeeperConnection implements Keeper {
  hello: Keeper["hello"] = { pid: 0, startedAt: 0, children: new Map() };
  readonly #socket: Socket;
  readonly #events: KeeperEvents;
  readonly #greeted: (greeting: Greeting) => void;
  readonly #spawns = new Map<string, Waiting[]>();
  /** `leaving`: we asked the keeper to end, so that its going is no loss. */
  #state: "greeting" | "open" | "leaving" | "over" = "greeting";

  constructor(socket: Socket, events: KeeperEvents, greeted: (greeting: Greeting) => void) {
    this.#socket = socket;
    this.#events = events;
    this.#greeted = greeted;
    const reader = new FrameReader(FRAME_MAX_BYTES);
    socket.on("data", (chunk: Buffer) => {
      try {
        for (const frame of reader.push(chunk)) {
          if (this.#state === "over") return;
          const report = decodeReport(frame);
          // A report of a newer keeper is none that we asked for.
          if (report) this.#hear(report);
        }
      } catch (error) {
        if (!(error instanceof WireError)) throw error;
        this.#end("wire_broken", `what came from the keeper's socket is not its language: ${error.message}`);
      }
    });
    socket.on("error", () => {});
    socket.once("close", () => this.#end("gone", "the keeper is gone, and with it what it held"));
  }

  spawn(order: SpawnOrder): Promise<ChildState> {
    return new Promise((resolve, reject) => {
      if (this.#state !== "open") return reject(new KeeperError("lost", "the connection to the keeper is over"));
      const waiting = this.#spawns.get(order.child) ?? [];
      this.#spawns.set(order.child, [...waiting, { resolve, reject }]);
      send(this.#socket, { type: "spawn", ...order });
    });
  }

  send(order: ChildOrder): void {
    if (this.#state === "open") send(this.#socket, order);
  }

  async shutdown(): Promise<void> {
    if (this.#state !== "open") return;
    const closed = once(this.#socket, "close");
    this.#state = "leaving";
    send(this.#socket, { type: "shutdown" });
    await closed;
  }

  [Symbol.dispose](): void {
    this.#state = "over";
    this.#abandonSpawns();
    this.#socket.destroy();
  }

  #hear(report: Report): void {
    const events = this.#events;
    switch (report.type) {
      case "hello": {
        const { pid, startedAt } = report;
        this.hello = { pid, startedAt, children: new Map(report.children.map((state) => [state.child, state])) };
        this.#state = "open";
        return this.#greeted(report);
      }
      case "refused":
        return this.#greeted(report);
      case "spawned":
        return this.#nextSpawn(report.state.child)?.resolve(report.state);
      case "failed":
        return this.#hearFailure(report);
      case "output":
        return events.output(report.child, report.offset, report.bytes);
      case "errors":
        return events.errors(report.child, report.offset, report.bytes);
      case "taken":
        return events.settled(report.child, report.id, "taken");
      case "exit": {
        const { child, code, signal, end, bytes: errorsTail } = report;
        return events.exit(child, { code, signal, end, errorsTail });
      }
      case "replaced":
        return this.#end("replaced", "another host of this state folder took over the keeper");
      case "unsupported":
        return this.#end("wire_broken", `the keeper is too old for order ${report.code}`);
      default:
        report satisfies never;
    }
  }

  /** Of the other orders a failure says only what the state or the exit of the child says too. */
  #hearFailure({ order, child, id, code, message }: Extract<Report, { type: "failed" }>): void {
    const failure = FAILURES.find((known) => known === code) ?? "spawn_failed";
    if (order === "spawn") this.#nextSpawn(child)?.reject(new KeeperError(failure, message));
    else if (id !== null) this.#events.settled(child, id, failure);
    else if (failure === "spool_unreadable") this.#end(failure, message);
  }

  /** Answers come in the order of the orders, child by child. */
  #nextSpawn(child: string): Waiting | undefined {
    const [first, ...others] = this.#spawns.get(child) ?? [];
    if (others.length > 0) this.#spawns.set(child, others);
    else this.#spawns.delete(child);
    return first;
  }

  #end(code: LostCode, message: string): void {
    if (this.#state === "over") return;
    const wasOpen = this.#state === "open";
    this[Symbol.dispose]();
    if (wasOpen) this.#events.lost({ code, message });
  }

  #abandonSpawns(): void {
    for (const waiting of [...this.#spawns.values()].flat()) {
      waiting.reject(new KeeperError("lost", "the connection to the keeper ended before it answered; ask again"));
    }
    this.#spawns.clear();
  }
}

function send(socket: Socket, order: Order): void {
  for (const part of encodeOrder(order)) socket.write(part);
}
