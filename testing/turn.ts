/** A TURN server of a test's own (coturn), at an address and a port that it is given, that may be killed at any time. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { daemon } from "./daemon.ts";

/** What a server is asked with. */
export interface TurnUser {
  readonly name: string;
  readonly password: string;
}

export interface Turn extends AsyncDisposable {
  /** 0 while it does not run. */
  readonly pid: number;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  /** At the same address. */
  start(): Promise<void>;
}

/**
 * Throws, with a sentence, where there is none. `under`: words before its own, to start it in a network of its own.
 */
export async function startTurn(options: {
  readonly address: string;
  readonly port: number;
  readonly user: TurnUser;
  readonly under?: readonly string[];
}): Promise<Turn> {
  const program = findProgram();
  const folder = mkdtempSync(join(tmpdir(), "flybridge-turn-"));
  const file = join(folder, "turnserver.conf");
  writeFileSync(file, settings(folder, options), { mode: 0o600 });
  // Its log goes to a file or to its output; a program that is waited for says on its error output that it is ready.
  const words = ["sh", "-c", 'exec "$@" >&2', "sh", program, "-c", file];
  const [first = "", ...rest] = [...(options.under ?? []), ...words];
  const server = daemon({
    command: () => [first, ...rest],
    spawn: { cwd: folder },
    ready: /Total General servers/u,
    end: "SIGTERM",
    dispose: () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }),
  });
  const start = async (): Promise<void> => void (await server.start());
  try {
    await start();
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
  return {
    get pid() {
      return server.pid;
    },
    start,
    kill: () => server.kill(),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** As docs/relay.md has it, but for the address, and with all that it writes in its own folder. */
function settings(folder: string, options: { address: string; port: number; user: TurnUser }): string {
  const { address, port, user } = options;
  return `listening-ip=${address}
relay-ip=${address}
listening-port=${port}
realm=turn.example
lt-cred-mech
user=${user.name}:${user.password}
no-tls
no-dtls
no-cli
no-multicast-peers
userdb=${join(folder, "users")}
pidfile=${join(folder, "pid")}
log-file=stdout
simple-log
`;
}

function findProgram(): string {
  const found = (process.env["PATH"] ?? "")
    .split(delimiter)
    .map((folder) => join(folder, "turnserver"))
    .find((path) => existsSync(path));
  if (found === undefined) throw new Error("No TURN server was found. `npm test` brings it on Debian: coturn.");
  return found;
}
