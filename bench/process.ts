/** What the system says of a process: the processor time it used, the memory it holds. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { setTimeout } from "node:timers/promises";

const SETTLE_LOOK_MS = 250;
const SETTLED_LOOKS = 4;

/** Milliseconds on a processor so far, all threads. To the microsecond on Linux, to 10 ms elsewhere. */
export function cpuMs(pid: number): number {
  const tasks = `/proc/${pid}/task`;
  if (!existsSync(`${tasks}/${pid}/schedstat`)) return psMs(pid);
  let nanoseconds = 0;
  for (const task of readdirSync(tasks)) {
    try {
      nanoseconds += Number(readFileSync(`${tasks}/${task}/schedstat`, "utf8").split(" ")[0]);
    } catch {
      // The thread ended between the two looks.
    }
  }
  return nanoseconds / 1e6;
}

/** The same of all processes that work in that folder; undefined where the system does not tell. */
export function cpuMsIn(folder: string): number | undefined {
  if (!existsSync("/proc/self/cwd")) return undefined;
  const pids = readdirSync("/proc").filter((name) => /^\d+$/u.test(name) && cwdOf(name) === folder);
  return pids.length === 0 ? undefined : pids.reduce((sum, pid) => sum + cpuMs(Number(pid)), 0);
}

/** Megabytes (2^20) that a process holds in memory. */
export function rssMb(pid: number): number {
  const status = `/proc/${pid}/status`;
  const kilobytes = existsSync(status)
    ? /^VmRSS:\s+(\d+) kB$/mu.exec(readFileSync(status, "utf8"))?.[1]
    : execFileSync("ps", ["-o", "rss=", "-p", String(pid)], { encoding: "utf8" }).trim();
  return Number(kilobytes) / 1024;
}

/** The same, once it has not changed for a while. */
export async function settledMb(pid: number): Promise<number> {
  let last = rssMb(pid);
  for (let same = 0; same < SETTLED_LOOKS;) {
    await setTimeout(SETTLE_LOOK_MS);
    const now = rssMb(pid);
    same = Math.abs(now - last) < last / 200 ? same + 1 : 0;
    last = now;
  }
  return last;
}

/** A process that does nothing: what Node itself costs. */
export async function idleNode(): Promise<ChildProcess & { readonly pid: number } & AsyncDisposable> {
  const child = spawn(process.execPath, ["-e", "process.stdout.write('up'); setInterval(() => {}, 1e6)"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(child.stdout, "data");
  const end = async (): Promise<void> => {
    const exit = once(child, "exit");
    child.kill();
    await exit;
  };
  return Object.assign(child, { pid: child.pid ?? 0, [Symbol.asyncDispose]: end });
}

function cwdOf(pid: string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    // It ended, or is somebody else's.
    return undefined;
  }
}

function psMs(pid: number): number {
  const time = execFileSync("ps", ["-o", "time=", "-p", String(pid)], { encoding: "utf8" }).trim();
  return time.split(/[:-]/u).reduce((total, part) => total * 60 + Number(part), 0) * 1000;
}
