/** A NATS server of a test's own, on a port of loopback that it keeps, that may be killed at any time. */
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { daemon } from "./daemon.ts";

/** Where it may be that is not on everybody's PATH. */
export const NATS_FOLDERS = ["/usr/sbin", "/usr/local/bin"];

/** Any free one, in nats-server's words. */
const ANY_PORT = "-1";

export interface Nats extends AsyncDisposable {
  /** It stays the same when the server starts again. */
  readonly url: string;
  readonly port: number;
  /** 0 while it does not run. */
  readonly pid: number;
  /** In order. */
  stop(): Promise<void>;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  /** On the same port. */
  start(): Promise<void>;
}

/** Throws, with a sentence, where there is none. `words` are further ones on its command line. */
export async function startNats(words: readonly string[] = []): Promise<Nats> {
  const program = findProgram();
  let port = ANY_PORT;
  const server = daemon({
    command: () => [program, "-a", "127.0.0.1", "-p", port, ...words],
    // It listens by then, and tells where.
    ready: /Listening for client connections on 127\.0\.0\.1:(\d+)/u,
    end: "SIGTERM",
  });
  const start = async (): Promise<void> => {
    const [, told] = await server.start();
    port = told ?? port;
  };
  try {
    await start();
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
  return {
    url: `nats://127.0.0.1:${port}`,
    port: Number(port),
    get pid() {
      return server.pid;
    },
    start,
    stop: () => server.stop(),
    kill: () => server.kill(),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

function findProgram(): string {
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), ...NATS_FOLDERS];
  const found = folders.map((folder) => join(folder, "nats-server")).find((path) => existsSync(path));
  if (found === undefined) throw new Error("No NATS server was found. `npm test` brings it on Debian: nats-server.");
  return found;
}
