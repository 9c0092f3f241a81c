/** Whether a terminal shows what is typed into it: a program that asks for a secret has that turned off. */
import { execFile } from "node:child_process";
import { readlink } from "node:fs/promises";
import { promisify } from "node:util";

const run = promisify(execFile);
/** Milliseconds that `stty` or `ps` may take. */
const PATIENCE_MS = 1_000;

/**
 * False where the terminal of a process takes whole lines and shows none of them, as for a password. True where it shows
 * them; undefined where the program takes single keys and shows what it likes, and where it cannot be told. Never rejects.
 */
export async function echoes(pid: number): Promise<boolean | undefined> {
  try {
    const isLinux = process.platform === "linux";
    const path = isLinux ? await readlink(`/proc/${pid}/fd/0`) : await terminalOf(pid);
    if (!/^\/dev\/(?:pts\/\d+|tty\w+)$/u.test(path)) return undefined;
    const { stdout } = await run("stty", [isLinux ? "-F" : "-f", path, "-a"], { timeout: PATIENCE_MS });
    const words = new Set(stdout.split(/[\s;]+/u));
    if (words.has("-icanon")) return undefined;
    return words.has("echo") ? true : words.has("-echo") ? false : undefined;
  } catch {
    return undefined;
  }
}

async function terminalOf(pid: number): Promise<string> {
  const { stdout } = await run("ps", ["-o", "tty=", "-p", String(pid)], { timeout: PATIENCE_MS });
  return `/dev/${stdout.trim()}`;
}
