/** The host as a process: started beside us or under us, heard until it says that it is ready, and followed to its end. */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, existsSync, fstatSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { visible } from "@flybridge/protocol/text.ts";
import * as v from "valibot";
import { Fault } from "./fault.ts";

/** Milliseconds until a host that has not said it is ready is given up: a cold disk, a migration of the journal. */
const START_MS = 60_000;
/** Lines of what a host said before it ended that are shown. */
const LAST_LINES = 12;
/** How a host ends that found another one on its state folder. */
const EXIT_TAKEN = 2;
const PRIVATE_FOLDER = 0o700;
const PRIVATE_FILE = 0o600;
/**
 * Running on type stripping is how we run, not news for the person. And a young generation of 2 MiB instead of 16 keeps
 * a host that met a flood from holding 100 MB more for the rest of its life.
 */
const NODE_FLAGS = ["--disable-warning=ExperimentalWarning", "--max-semi-space-size=2"];

const Tls = v.object({ address: v.string(), port: v.number(), fingerprint: v.string() });
const Ready = v.object({
  ready: v.literal(true),
  pid: v.number(),
  port: v.number(),
  tls: v.optional(Tls),
  socket: v.string(),
});

export interface Started {
  readonly pid: number;
  readonly port: number;
  /** The door beyond this machine, where there is one. */
  readonly tls: v.InferOutput<typeof Tls> | undefined;
  readonly child: ChildProcess;
}

/** Rejects with a `start_failed` fault, or `taken` when another host has the state folder; either carries the host's own words. */
export async function startHost(options: {
  readonly main: string;
  readonly args: readonly string[];
  /** Under us, speaking to our stderr; otherwise in a session of its own, speaking to its log. */
  readonly foreground: boolean;
  readonly log: string;
  readonly env: NodeJS.ProcessEnv;
}): Promise<Started> {
  const { main, args, foreground, log } = options;
  if (!existsSync(main))
    throw new Fault("start_failed", `${main} is missing: this installation is not whole. Install Flybridge again.`);
  const logFile = openLog(log);
  const logged = fstatSync(logFile).size;
  const env = await compiledFor(main, join(dirname(dirname(log)), "compiled"), options.env);
  const child = spawn(process.execPath, [...NODE_FLAGS, main, ...args], {
    cwd: homedir(),
    env,
    detached: !foreground,
    stdio: ["ignore", "pipe", foreground ? "inherit" : logFile],
  });
  closeSync(logFile);
  if (foreground) forwardSignals(child);
  try {
    const ready = await readyLine(child);
    if (!foreground) {
      child.stdout?.destroy();
      child.unref();
    } else child.stdout?.resume();
    return { pid: ready.pid, port: ready.port, tls: ready.tls, child };
  } catch (error) {
    child.kill();
    if (!(error instanceof Fault)) throw error;
    // In the foreground they are on the screen already.
    const said = foreground ? [] : lastLines(readFileSync(log).subarray(logged).toString());
    throw new Fault(error.code, [error.message, ...said.map((line) => `  ${line}`)].join("\n"), { cause: error });
  }
}

/**
 * Run from its sources, a host would hold the 25 MB of a TypeScript parser for as long as it lives. With a compile cache
 * that is filled, here by loading it once, it never loads the parser.
 */
async function compiledFor(main: string, cache: string, env: NodeJS.ProcessEnv): Promise<NodeJS.ProcessEnv> {
  const cached = { ...env, NODE_COMPILE_CACHE: cache };
  if (!main.endsWith(".ts") || existsSync(cache)) return cached;
  const loading = spawn(process.execPath, [...NODE_FLAGS, main, "--version"], { env: cached, stdio: "ignore" });
  // Whatever goes wrong here goes wrong again in a moment, where it is told.
  await new Promise((resolve) => loading.once("close", resolve).once("error", resolve));
  return cached;
}

/** Resolves with the exit code when the host ends. */
export function follow({ child }: Started): Promise<number> {
  if (child.exitCode !== null) return Promise.resolve(child.exitCode);
  return new Promise((resolve) => {
    child.once("exit", (code, signal) => {
      if (signal !== null)
        process.stderr.write(`The host was ended by ${signal}. Agents go on; flybridge up starts it again.\n`);
      resolve(code ?? 1);
    });
  });
}

/** From its very start: a signal that comes while it starts must not leave it behind. */
function forwardSignals(child: ChildProcess): void {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.on(signal, () => {
      // Ctrl-C in a terminal reaches the whole foreground group by itself.
      if (signal !== "SIGINT" || !process.stdin.isTTY) child.kill(signal);
    });
}

function openLog(path: string): number {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: PRIVATE_FOLDER });
    return openSync(path, "a", PRIVATE_FILE);
  } catch (error) {
    throw new Fault(
      "files",
      `${dirname(path)} cannot be written: ${(error as Error).message}. Check who owns it, or point FLYBRIDGE_HOME at a folder of your own.`,
    );
  }
}

function readyLine(child: ChildProcess): Promise<v.InferOutput<typeof Ready>> {
  return new Promise((resolve, reject) => {
    const failed = (what: string, code: "start_failed" | "taken" = "start_failed"): void => {
      clearTimeout(timer);
      reject(new Fault(code, what));
    };
    const timer = setTimeout(() => failed(`The host was not ready after ${START_MS / 1_000} s.`), START_MS);
    child.once("error", (error) => failed(`The host could not be started: ${error.message}.`));
    // `close` comes after the last of its words, `exit` may not.
    child.once("close", (code, signal) =>
      failed(`The host did not start (${signal ?? `exit ${code}`}).`, code === EXIT_TAKEN ? "taken" : "start_failed"),
    );
    if (!child.stdout) return failed("The host has no output.");
    createInterface(child.stdout).on("line", (line) => {
      const ready = readyFrom(line);
      if (!ready) return;
      clearTimeout(timer);
      resolve(ready);
    });
  });
}

function readyFrom(line: string): v.InferOutput<typeof Ready> | undefined {
  try {
    return v.parse(Ready, JSON.parse(line));
  } catch {
    return undefined;
  }
}

function lastLines(text: string): string[] {
  const lines = visible(text)
    .split("\n")
    .filter((line) => line.trim() !== "");
  return lines.slice(-LAST_LINES);
}
