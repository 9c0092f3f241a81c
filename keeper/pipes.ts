/**
 * A program behind three plain pipes, leading a session of its own.
 */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readdirSync, readlinkSync } from "node:fs";
import type { Writable } from "node:stream";
import { Failure, type Program, type ProgramEvents } from "./program.ts";
import type { SpawnOrder } from "./wire.ts";

/** Throws Failure. */
export async function startPipes(path: string, order: SpawnOrder, events: ProgramEvents): Promise<Program> {
  const [argv0, ...args] = order.argv;
  const child = spawnApart(path, args, { argv0, cwd: order.cwd, env: order.env });
  child.stdout.on("data", (bytes: Buffer) => events.output(bytes));
  child.stdout.once("close", () => events.ended());
  child.stderr.on("data", (bytes: Buffer) => events.errors(bytes));
  child.once("exit", (code, signal) => events.exited({ code, signal }));
  // A program that closes its stdin is its own affair: whoever writes next is told.
  child.stdin.on("error", () => {});
  try {
    await once(child, "spawn");
  } catch (error) {
    throw new Failure("spawn_failed", `${argv0} could not be started: ${(error as NodeJS.ErrnoException).code}`);
  }
  child.on("error", () => {});

  return {
    pid: child.pid ?? 0,
    flow(on) {
      if (on) child.stdout.resume();
      else child.stdout.pause();
    },
    write: (bytes) => settled((done) => child.stdin.write(bytes, done), child.stdin),
    endInput: () => settled((done) => child.stdin.end(done), child.stdin),
    resize() {
      throw new Failure("not_a_terminal", "this child has pipes, which have no size");
    },
    [Symbol.dispose]() {
      child.stdin.destroy();
      child.stdout.destroy();
      child.stderr.destroy();
    },
  };
}

/**
 * The PTY library leaves its masters open across exec, and whoever holds a master can type into that terminal. Node
 * cannot close a descriptor in a child, but it can put another one in its place.
 */
function spawnApart(
  path: string,
  args: readonly string[],
  options: { readonly argv0: string; readonly cwd: string; readonly env: Readonly<Record<string, string>> },
): ChildProcessWithoutNullStreams {
  const masters = terminalMasters();
  const nothing = openSync("/dev/null", "r+");
  try {
    const stdio: ("pipe" | "ignore" | number)[] = ["pipe", "pipe", "pipe"];
    for (let fd = stdio.length; fd <= Math.max(...masters); fd++) stdio.push(masters.includes(fd) ? nothing : "ignore");
    return spawn(path, args, { ...options, detached: true, stdio }) as ChildProcessWithoutNullStreams;
  } finally {
    closeSync(nothing);
  }
}

/** Only Linux tells, and only there is it needed: elsewhere the library starts programs through one that closes them. */
function terminalMasters(): readonly number[] {
  if (process.platform !== "linux") return [];
  return readdirSync("/proc/self/fd")
    .map(Number)
    .filter((fd) => isTerminalMaster(fd));
}

function isTerminalMaster(fd: number): boolean {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`).endsWith("/ptmx");
  } catch {
    // The descriptor that read the folder.
    return false;
  }
}

/** A stream's callback as a promise. Destroying a stream may drop its callbacks, so its close settles it as well. */
function settled(act: (done: (error?: Error | null) => void) => void, stream: Writable): Promise<void> {
  return new Promise((resolve, reject) => {
    const closed = (): void => reject(new Error("closed"));
    if (stream.destroyed) return closed();
    stream.once("close", closed);
    act((error) => {
      stream.off("close", closed);
      if (error) reject(error);
      else resolve();
    });
  });
}
