/** A shell of its own: the real command, in a home that nobody else uses, against the real host that it starts there. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const MAIN = join(import.meta.dirname, "..", "cli", "main.ts");

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** The lines of stdout, each parsed. */
  readonly json: readonly Record<string, unknown>[];
}

/** A command that goes on. */
export interface Running {
  readonly child: ChildProcessWithoutNullStreams;
  /** The first line of stdout, from here on, that fits. Rejects with everything said when the command ends without one. */
  line(fits: (line: string) => boolean): Promise<string>;
  readonly ended: Promise<Outcome>;
}

export interface Shell extends AsyncDisposable {
  /** The state folder: with a space in its name, as on a Mac. */
  readonly home: string;
  /** Runs a command to its end. */
  run(
    words: readonly string[],
    options?: { readonly stdin?: string; readonly env?: NodeJS.ProcessEnv },
  ): Promise<Outcome>;
  start(words: readonly string[], env?: NodeJS.ProcessEnv): Running;
}

export function openShell(): Shell {
  const folder = mkdtempSync(join(tmpdir(), "flybridge-shell-"));
  const home = join(folder, "fly bridge");
  const started = new Set<ChildProcessWithoutNullStreams>();

  const start = (words: readonly string[], extra: NodeJS.ProcessEnv = {}): Running => {
    // The agents that the person runs meanwhile are not this test's.
    const agents = { CLAUDE_CONFIG_DIR: join(folder, ".claude"), CODEX_HOME: join(folder, ".codex") };
    const env = { ...process.env, ...agents, FLYBRIDGE_HOME: home, CI: "1", ...extra };
    const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", MAIN, ...words], {
      env,
      cwd: folder,
    });
    started.add(child);
    const stdout: string[] = [];
    const stderr: string[] = [];
    let asked:
      | { from: number; fits(line: string): boolean; resolve(line: string): void; reject(error: Error): void }
      | undefined;
    const look = (): void => {
      if (!asked) return;
      const at = stdout.findIndex((line, place) => place >= (asked?.from ?? 0) && asked?.fits(line));
      if (at < 0) return;
      from = at + 1;
      asked.resolve(stdout[at] ?? "");
      asked = undefined;
    };
    let from = 0;
    createInterface(child.stdout).on("line", (line) => {
      stdout.push(line);
      look();
    });
    child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk.toString()));
    const ended = new Promise<Outcome>((resolve) => {
      child.once("close", (code) => {
        started.delete(child);
        asked?.reject(new Error(`It ended (${code}) without that line:\n${stdout.join("\n")}\n${stderr.join("")}`));
        const text = stdout.map((line) => `${line}\n`).join("");
        resolve({
          code,
          stdout: text,
          stderr: stderr.join(""),
          json: stdout.map(parsed).filter((json) => json !== undefined),
        });
      });
    });
    return {
      child,
      ended,
      line: (fits) =>
        new Promise((resolve, reject) => {
          asked = { from, fits, resolve, reject };
          look();
        }),
    };
  };

  return {
    home,
    start,
    run(words, { stdin = "", env } = {}) {
      const { child, ended } = start(words, env);
      child.stdin.end(stdin);
      return ended;
    },
    async [Symbol.asyncDispose]() {
      for (const child of started) child.kill("SIGKILL");
      if (existsSync(join(home, "cli.json"))) await this.run(["down", "--all"]);
      if (existsSync(home)) chmodSync(home, 0o700);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The process of the host that has the home, as it noted itself. */
export function hostPid(home: string): number {
  return Number(readFileSync(join(home, "host.pid"), "utf8").trim());
}

function parsed(line: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}
