/** What the system says of a process: the processor time it used, the memory it holds. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";

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

/** Megabytes (2^20) that a process holds in memory. */
export function rssMb(pid: number): number {
  const status = `/proc/${pid}/status`;
  const kilobytes = existsSync(status)
    ? /^VmRSS:\s+(\d+) kB$/mu.exec(readFileSync(status, "utf8"))?.[1]
    : execFileSync("ps", ["-o", "rss=", "-p", String(pid)], { encoding: "utf8" }).trim();
  return Number(kilobytes) / 1024;
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

function psMs(pid: number): number {
  const time = execFileSync("ps", ["-o", "time=", "-p", String(pid)], { encoding: "utf8" }).trim();
  return time.split(/[:-]/u).reduce((total, part) => total * 60 + Number(part), 0) * 1000;
}
