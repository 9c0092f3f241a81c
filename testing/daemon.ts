/** A server program that a test starts, ends, kills and starts again, as often as it likes; it ends with the test. */
import { type ChildProcess, spawn, type SpawnOptions } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";

/** Milliseconds until it is ready, on a busy machine. */
const START_MS = 60_000;
/** Milliseconds for an orderly end; then it is killed. */
const END_MS = 20_000;
/** Lines that are kept of what it said, for the error. */
const MAX_LINES = 40;

export interface Daemon extends AsyncDisposable {
  /** Of its process; 0 while it does not run. */
  readonly pid: number;
  /** Resolves with the line that said that it is ready. Rejects with what it said instead. */
  start(): Promise<RegExpExecArray>;
  /** Resolves when it has ended by itself, in order. */
  stop(): Promise<void>;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
}

export function daemon(options: {
  /** Asked for at each start. */
  readonly command: () => readonly [program: string, ...words: string[]];
  readonly spawn?: Pick<SpawnOptions, "uid" | "gid" | "cwd">;
  /** Of a line on its error output. */
  readonly ready: RegExp;
  /** Asks it to end. */
  readonly end: NodeJS.Signals;
  /** After it has ended for good. */
  readonly dispose?: () => void;
}): Daemon {
  let child: ChildProcess | undefined;
  /** Resolves with `child`'s end. */
  let ended: Promise<unknown> = Promise.resolve();
  const killNow = (): void => void child?.kill("SIGKILL");
  const clear = (): void => {
    killNow();
    options.dispose?.();
  };
  // Of a test that ends without a word.
  process.once("exit", clear);

  const stop = async (): Promise<void> => {
    const late = setTimeout(killNow, END_MS);
    child?.kill(options.end);
    await ended;
    clearTimeout(late);
  };
  return {
    get pid() {
      return child?.pid ?? 0;
    },
    async start() {
      if (child) throw new Error("It runs already.");
      const [program, ...words] = options.command();
      const started = spawn(program, words, {
        ...options.spawn,
        env: { PATH: process.env["PATH"] ?? "/usr/bin:/bin", LANG: "C.UTF-8" },
        stdio: ["ignore", "ignore", "pipe"],
      });
      child = started;
      // When its own processes are gone too: they hold its error output.
      ended = once(started, "close").then(
        () => (child = undefined),
        () => (child = undefined),
      );
      return await said(started, options.ready, ended);
    },
    stop,
    async kill() {
      killNow();
      await ended;
    },
    async [Symbol.asyncDispose]() {
      await stop();
      process.off("exit", clear);
      clear();
    },
  };
}

async function said(child: ChildProcess, ready: RegExp, ended: Promise<unknown>): Promise<RegExpExecArray> {
  const lines: string[] = [];
  const late = setTimeout(() => child.kill("SIGKILL"), START_MS);
  try {
    return await new Promise((resolve, reject) => {
      child.once("error", reject);
      // Read to its end, however long it runs, so that it never waits for a reader.
      createInterface(child.stderr as Readable).on("line", (line) => {
        if (lines.push(line) > MAX_LINES) lines.shift();
        const found = ready.exec(line);
        if (found) resolve(found);
      });
      void ended.then(() => reject(new Error(`${child.spawnfile} ended before it was ready:\n${lines.join("\n")}`)));
    });
  } finally {
    clearTimeout(late);
  }
}
