/** Runs test files, a process each: a line for a file when it is done, and all it said when it failed. */

import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Report } from "./reporter.ts";

/** One file, with its agents and browsers; a file that needs longer hangs. */
const FILE_LIMIT_MS = 5 * 60 * 1000;
/** Failed files that are run once more, alone; where more failed, it is not for want of processors. */
const MOST_AGAIN = 20;
/** What a failed file printed is shown from its end; the beginning is the part that went well. */
const SHOWN_OUTPUT_CHARS = 16 * 1024;

const REPORTER = join(import.meta.dirname, "reporter.ts");

export interface TestRun {
  readonly root: string;
  /** Paths from `root`. */
  readonly files: readonly string[];
  /** Files at once. */
  readonly concurrency: number;
  /** Processors with nothing to do, measured over a moment: while there is one, a further file runs. */
  readonly idle?: () => Promise<number>;
  readonly signal: AbortSignal;
  readonly print: (line: string) => void;
  readonly fileLimitMs?: number;
}

export interface TestResult {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** By file, the full names of the tests that passed. */
  readonly passing: Readonly<Record<string, readonly string[]>>;
  /** Files that failed beside others and passed alone: faults of timing, in the test or in what it tests. */
  readonly unsteady: readonly string[];
  /** By file. */
  readonly seconds: Readonly<Record<string, number>>;
}

interface FileRun {
  readonly reports: readonly Report[];
  /** What is wrong with the file as a whole. */
  readonly fault: string | undefined;
  readonly output: string;
  readonly seconds: number;
}

/**
 * A failure of the file itself (it crashed, hung, or has no test) counts as one failed test. Files that failed while
 * others ran beside them are run once more, alone, and that is said: real agents and browsers share few processors here,
 * and a fault of the code fails both times.
 */
export async function runTests(run: TestRun): Promise<TestResult> {
  const waiting = [...run.files];
  const ended = new Map<string, Ended>();
  const runNext = async (file: string): Promise<void> => {
    const done = await runFile(run, file);
    ended.set(file, tell(run.print, file, done));
  };
  const work = async (): Promise<void> => {
    for (let file = waiting.shift(); file !== undefined && !run.signal.aborted; file = waiting.shift())
      await runNext(file);
  };
  /** Many files wait more than they work. */
  const workWhereIdle = async (): Promise<void> => {
    while (run.idle && waiting.length > 0 && !run.signal.aborted) {
      const file = (await run.idle()) >= 1 ? waiting.shift() : undefined;
      if (file !== undefined && !run.signal.aborted) await runNext(file);
    }
  };
  await Promise.all([...Array.from({ length: run.concurrency }, work), workWhereIdle()]);

  const failed = [...ended].flatMap(([file, { counts }]) => (counts.failed > 0 ? [file] : []));
  const again = run.concurrency > 1 && failed.length <= MOST_AGAIN ? failed : [];
  for (const file of again) {
    if (run.signal.aborted) break;
    run.print(`again  ${file}`);
    await runNext(file);
  }
  const all = [...ended.values()];
  const sum = (end: keyof Ended["counts"]): number => all.reduce((total, { counts }) => total + counts[end], 0);
  return {
    passed: sum("passed"),
    failed: sum("failed"),
    skipped: sum("skipped"),
    passing: Object.fromEntries([...ended].map(([file, { names }]) => [file, names])),
    unsteady: again.filter((file) => ended.get(file)?.counts.failed === 0),
    seconds: Object.fromEntries([...ended].map(([file, { seconds }]) => [file, seconds])),
  };
}

/** What a file's last run came to. */
interface Ended {
  readonly counts: Pick<TestResult, "passed" | "failed" | "skipped">;
  /** Of the tests that passed. */
  readonly names: readonly string[];
  readonly seconds: number;
}

async function runFile(run: TestRun, file: string): Promise<FileRun> {
  const folder = mkdtempSync(join(tmpdir(), "flybridge-test-"));
  const destination = join(folder, "reports");
  const start = performance.now();
  const flags = [`--test-reporter=${REPORTER}`, `--test-reporter-destination=${destination}`];
  try {
    // A group of its own, so that what the file started ends with it.
    const child = spawn(process.execPath, [...flags, join(run.root, file)], {
      cwd: run.root,
      detached: process.platform !== "win32",
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    const take = (chunk: Buffer): void => {
      output = (output + chunk.toString()).slice(-SHOWN_OUTPUT_CHARS);
    };
    child.stdout.on("data", take);
    child.stderr.on("data", take);

    let stopped: string | undefined;
    const stop = (reason: string): void => {
      stopped ??= reason;
      killGroup(child.pid);
    };
    const limitMs = run.fileLimitMs ?? FILE_LIMIT_MS;
    const limit = setTimeout(() => stop(`did not end within ${limitMs / 1000} s`), limitMs);
    const abort = (): void => stop("was stopped");
    run.signal.addEventListener("abort", abort);

    const code = await new Promise<number | null>((resolve, reject) => {
      child.once("error", reject);
      child.once("exit", resolve);
    });
    clearTimeout(limit);
    run.signal.removeEventListener("abort", abort);
    killGroup(child.pid);

    const reports = readReports(destination);
    const fault = stopped === undefined ? faultOf(code, reports) : `${stopped}${lastIn(reports)}`;
    return { reports, fault, output, seconds: (performance.now() - start) / 1000 };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Where a file was when it was stopped: the innermost test or suite that had begun and not ended. */
function lastIn(reports: readonly Report[]): string {
  const ended = new Set(reports.flatMap(({ name, end }) => (end === "begun" ? [] : [name])));
  const last = reports.findLast(({ name, end }) => end === "begun" && !ended.has(name));
  return last ? `, in: ${last.name}` : "";
}

function faultOf(code: number | null, reports: readonly Report[]): string | undefined {
  if (code !== 0 && !reports.some(({ end }) => end === "failed")) return `ended with ${code ?? "a signal"}`;
  if (reports.every(({ end }) => end === "begun" || end === "left")) return "has no test";
  return undefined;
}

/** A file that was killed may have left half a line. */
function readReports(path: string): Report[] {
  let text = "";
  try {
    text = readFileSync(path, "utf8");
  } catch {
    return [];
  }
  const whole = text.slice(0, text.lastIndexOf("\n") + 1).split("\n");
  return whole.filter((line) => line !== "").map((line) => JSON.parse(line) as Report);
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(process.platform === "win32" ? pid : -pid, "SIGKILL");
  } catch {
    // Nobody of the group is left: the usual end.
  }
}

function tell(print: TestRun["print"], file: string, done: FileRun): Ended {
  const of = (end: Report["end"]): Report[] => done.reports.filter((report) => report.end === end);
  const counts = {
    passed: of("passed").length,
    failed: of("failed").length + (done.fault === undefined ? 0 : 1),
    skipped: of("skipped").length,
  };
  const ended = { counts, names: of("passed").map(({ name }) => name), seconds: done.seconds };
  const said = Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([end, count]) => `${count} ${end}`)
    .join(", ");
  const failed = counts.failed > 0;
  print(`${failed ? "FAILED" : "ok    "} ${file}  ${said}  ${done.seconds.toFixed(1)} s`);
  if (!failed) return ended;
  for (const { name, failure = "" } of of("failed")) {
    print(`\n  ✗ ${name}\n${indent(failure)}`);
  }
  if (done.fault !== undefined) print(`\n  ✗ the file ${done.fault}`);
  if (done.output.trim() !== "") print(`\n  it printed:\n${indent(done.output.trimEnd())}`);
  print("");
  return ended;
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, "    ");
}
