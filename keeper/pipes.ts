/**
 * A program behind three plain pipes, leading a session of its own.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Writable } from "node:stream";
import { Failure, type Program, type ProgramEvents } from "./program.ts";
import type { SpawnOrder } from "./wire.ts";

/** Throws Failure. */
export async function startPipes(path: string, order: SpawnOrder, events: ProgramEvents): Promise<Program> {
  const [argv0, ...args] = order.argv;
  const child = spawn(path, args, { argv0, cwd: order.cwd, env: order.env, detached: true, stdio: "pipe" });
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
