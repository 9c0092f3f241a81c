/** Whose a process is: whether one of its ancestors is a given one, and in which session it says that it was started. */
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { platform } from "node:os";

/** Ancestors that are looked at: more is a loop. */
const MAX_DEPTH = 64;
const LIST_MS = 5_000;
/** Bytes of an environment that are looked through. */
const MAX_ENVIRONMENT_BYTES = 1024 * 1024;

/** Whether `pid` descends from `ancestor`; false where it cannot be known. */
export async function descendsFrom(pid: number, ancestor: number): Promise<boolean> {
  const parents = platform() === "linux" ? undefined : await parentsOf();
  let at: number | undefined = pid;
  for (let depth = 0; depth < MAX_DEPTH && at !== undefined && at > 1; depth++) {
    if (at === ancestor) return true;
    at = parents ? parents.get(at) : await parentOf(at);
  }
  return false;
}

/** A variable of the environment that the process was started with; undefined where the system does not tell. */
export async function startedWith(pid: number, name: string): Promise<string | undefined> {
  if (platform() !== "linux") return undefined;
  const bytes = await readFile(`/proc/${pid}/environ`).catch(() => undefined);
  const pairs = bytes?.toString("utf8", 0, Math.min(bytes.length, MAX_ENVIRONMENT_BYTES)).split("\0") ?? [];
  return pairs.find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1);
}

/** The fourth field of proc_pid_stat(5); the second may hold anything, up to the last bracket. */
async function parentOf(pid: number): Promise<number | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
  return Number.isSafeInteger(parent) && parent > 0 ? parent : undefined;
}

function parentsOf(): Promise<ReadonlyMap<number, number>> {
  return new Promise((resolve) => {
    execFile("ps", ["-axo", "pid=,ppid="], { timeout: LIST_MS }, (_error, output) => {
      const rows = output.split("\n").map((line) => /^\s*(\d+)\s+(\d+)/u.exec(line));
      resolve(new Map(rows.flatMap((row) => (row ? [[Number(row[1]), Number(row[2])] as const] : []))));
    });
  });
}
