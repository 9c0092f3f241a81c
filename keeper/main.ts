/**
 * The keeper as a process: `node main.ts <socket> <spool folder>`. It prints nothing. When its stdout ends, either it
 * listens, or another keeper does, or stderr says why not. Without arguments it only loads, which warms a compile cache.
 */
import { chmodSync, closeSync, openSync, rmSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { once } from "node:events";
import { Keeper } from "./keeper.ts";

/** How long a keeper waits for another one that is just starting. */
const LOCK_TIMEOUT_MS = 5_000;
const STDOUT = 1;
const STDERR = 2;

const [socketPath, spoolFolder] = process.argv.slice(2);
if (socketPath !== undefined && spoolFolder !== undefined) await keep(socketPath, spoolFolder);

async function keep(socketPath: string, spoolFolder: string): Promise<void> {
  const umask = process.umask(0o077);
  // The socket file stays: whoever comes next sees that nobody answers, and only a starter may remove it.
  const keeper = new Keeper({ spoolFolder, umask, ended: () => process.exit(0) });
  const server = createServer((socket) => keeper.accept(socket));
  if (!(await listenAlone(server, socketPath))) process.exit(0);
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => void keeper.shutdown());
  process.on("SIGHUP", () => {});
  letGo(STDOUT);
  letGo(STDERR);
}

/**
 * False if somebody answers there already. A socket file does not go away with its process, and removing a dead one
 * races with others who do the same and then listen; so it is done under a lock that the kernel gives back when its
 * holder dies. Node has no flock, but SQLite has that lock.
 */
async function listenAlone(server: Server, socketPath: string): Promise<boolean> {
  const { DatabaseSync } = await import("node:sqlite");
  const lock = new DatabaseSync(`${socketPath}.lock`, { timeout: LOCK_TIMEOUT_MS });
  try {
    lock.exec("BEGIN EXCLUSIVE");
    if (await answers(socketPath)) return false;
    rmSync(socketPath, { force: true });
    server.listen(socketPath);
    await once(server, "listening");
    chmodSync(socketPath, 0o600);
    return true;
  } finally {
    lock.close();
  }
}

async function answers(socketPath: string): Promise<boolean> {
  const socket = connect(socketPath);
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** Whoever started us may go; its pipe is replaced by nothing, in place, so that the number is not given to a file. */
function letGo(descriptor: number): void {
  closeSync(descriptor);
  openSync("/dev/null", "w");
}
