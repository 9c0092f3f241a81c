/**
 * A program behind a pseudo-terminal.
 *
 * It stands on the native half of the PTY library and leaves out its JavaScript half, which destroys a terminal
 * 200 ms after its program's exit even when reading is paused (output would be lost), stops the whole process while a
 * program does not read what is written to it, and sets PWD and TERM as it likes.
 *
 * Known gap: on Linux a program on a terminal inherits the masters of the terminals opened before it, because the
 * library forks by itself and sets no close-on-exec. Programs behind pipes are spared (`pipes.ts`).
 */
import { writeSync } from "node:fs";
import { createRequire } from "node:module";
import { constants } from "node:os";
import { setImmediate as nextTurn, setTimeout as wait } from "node:timers/promises";
import { ReadStream } from "node:tty";
import { Failure, type Program, type ProgramEvents } from "./program.ts";
import type { SpawnOrder } from "./wire.ts";

/** One write to a terminal; it holds little more. */
const WRITE_BYTES = 4 * 1024;
/** Ctrl-D: a terminal's input does not end, it is told that it does. */
const END_OF_TRANSMISSION = Buffer.from([4]);

/** How often to look whether a program that had enough reads again. */
const RETRY_MS = 5;

interface NativePty {
  fork(
    file: string,
    args: readonly string[],
    env: readonly string[],
    cwd: string,
    cols: number,
    rows: number,
    uid: number,
    gid: number,
    utf8: boolean,
    helperPath: string,
    exited: (code: number, signal: number) => void,
  ): { readonly fd: number; readonly pid: number };
  resize(fd: number, cols: number, rows: number): void;
}

/** Leaves the user and group of the child as they are. */
const SAME_ID = -1;

let loaded: { readonly native: NativePty; readonly helperPath: string } | undefined;

/** Throws Failure. */
export function startTerminal(path: string, order: SpawnOrder, events: ProgramEvents): Program {
  const { cols, rows } = order.terminal ?? { cols: 80, rows: 24 };
  const { native, helperPath } = (loaded ??= load());
  const env = Object.entries(order.env).map(([name, value]) => `${name}=${value}`);
  const exited = (code: number, signal: number): void => {
    events.exited(signal === 0 ? { code, signal: null } : { code: null, signal: signalName(signal) });
  };
  const args = order.argv.slice(1);
  const { fd, pid } = native.fork(path, args, env, order.cwd, cols, rows, SAME_ID, SAME_ID, true, helperPath, exited);
  const stream = new ReadStream(fd);
  stream.on("data", (bytes: Buffer) => events.output(bytes));
  // Linux says EIO where others say end of file: the last program on the terminal is gone.
  stream.on("error", () => {});
  stream.once("close", () => events.ended());

  // Not through the stream: it would wait for a program that does not read inside the write, and all others with it.
  const write = async (bytes: Uint8Array): Promise<void> => {
    for (let at = 0; at < bytes.byteLength;) {
      // The stream owns the descriptor; once it is destroyed the number may be another file's.
      if (stream.destroyed) throw new Error("closed");
      const written = writeSome(fd, bytes.subarray(at, at + WRITE_BYTES));
      at += written;
      if (written === 0) await wait(RETRY_MS);
      // An echo must be read between writes, or both sides end up waiting for each other.
      else if (at < bytes.byteLength) await nextTurn();
    }
  };
  return {
    pid,
    flow(on) {
      if (on) stream.resume();
      else stream.pause();
    },
    write,
    endInput: () => write(END_OF_TRANSMISSION),
    resize(newCols, newRows) {
      if (!stream.destroyed) native.resize(fd, newCols, newRows);
    },
    [Symbol.dispose]() {
      stream.destroy();
    },
  };
}

/** How much the terminal took, which is none while the program does not read. The descriptor does not block. */
function writeSome(fd: number, bytes: Uint8Array): number {
  try {
    return writeSync(fd, bytes);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EAGAIN") return 0;
    throw error;
  }
}

/** On first use, so that a keeper without terminals does not pay for the library. */
function load(): { readonly native: NativePty; readonly helperPath: string } {
  const require = createRequire(import.meta.url);
  try {
    const { requireBinary } = require("@lydell/node-pty/requireBinary.js") as {
      readonly requireBinary: (name: string) => NativePty;
    };
    const helper = `@lydell/node-pty-${process.platform}-${process.arch}/spawn-helper`;
    return {
      native: requireBinary("pty.node"),
      helperPath: process.platform === "darwin" ? require.resolve(helper) : "",
    };
  } catch {
    throw new Failure(
      "spawn_failed",
      `terminals do not work here: no PTY library for ${process.platform} ${process.arch}`,
    );
  }
}

function signalName(number: number): string {
  return Object.entries(constants.signals).find(([, value]) => value === number)?.[0] ?? `SIG${number}`;
}
