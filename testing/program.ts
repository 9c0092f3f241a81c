/** A host or a relay as a process, which says in one line of JSON that it is ready, and may be ended in any way. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

/** As `flybridge` gives what it starts one: half of a start is compiling. */
const compiled = process.env["NODE_COMPILE_CACHE"];
const COMPILED = compiled === undefined ? {} : { NODE_COMPILE_CACHE: compiled };

export interface Program<Ready> {
  readonly ready: Ready;
  readonly process: ChildProcess;
  readonly isRunning: boolean;
  /** Resolves when it is gone. */
  end(signal: "SIGKILL" | "SIGTERM"): Promise<void>;
}

/** `words` are what Node is given; those of `under` stand before it, to start it elsewhere. Rejects with what it wrote when it ends first. */
export async function startProgram<Ready>(
  words: readonly string[],
  options: {
    readonly under?: readonly string[] | undefined;
    readonly env: Readonly<Record<string, string>>;
    /** What it writes to its error output. */
    wrote(text: string): void;
  },
): Promise<Program<Ready>> {
  const [program = "", ...rest] = [...(options.under ?? []), process.execPath, ...words];
  const child = spawn(program, rest, {
    env: { PATH: process.env["PATH"] ?? "", ...COMPILED, ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let errors = "";
  child.stderr.on("data", (bytes: Buffer) => {
    errors += bytes.toString();
    options.wrote(bytes.toString());
  });
  const ready = await Promise.race([
    once(createInterface(child.stdout), "line").then(([line]) => JSON.parse(String(line)) as Ready),
    once(child, "exit").then(() => {
      throw new Error(`it did not start: ${errors}`);
    }),
  ]);
  const isRunning = (): boolean => child.exitCode === null && child.signalCode === null;
  return {
    ready,
    process: child,
    get isRunning() {
      return isRunning();
    },
    async end(signal) {
      if (!isRunning()) return;
      const exit = once(child, "exit");
      child.kill(signal);
      await exit;
    },
  };
}
