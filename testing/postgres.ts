/** A PostgreSQL of a test's own: a cluster in a temporary folder, behind a socket in it, that may be killed at any time. */
import { execFile, execFileSync } from "node:child_process";
import { chownSync, existsSync, globSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { daemon } from "./daemon.ts";

/** Where Debian has the servers, by version. */
export const POSTGRES_FOLDERS = ["/usr/lib/postgresql/*/bin"];

/** Who everybody is here, and the name of the first database. */
const USER = "relay";
const MAX_CONNECTIONS = 60;
/** What a server that was killed still holds: its processes see within milliseconds that it is gone. */
const STILL_HELD = /pre-existing shared memory block|lock file .* already exists/u;
const AGAIN_MS = 50;
const AGAIN_LIMIT_MS = 20_000;

export interface Postgres extends AsyncDisposable {
  /** Of a database that is there from the start. It stays the same when the server starts again. */
  readonly url: string;
  /** The URL of a further, empty database. */
  database(): Promise<string>;
  /** Rows of columns, all as text. For what a test wants to see behind the back of what it tests. */
  query(url: string, sql: string): Promise<string[][]>;
  /** In order: clients are cut off, all is written. */
  stop(): Promise<void>;
  /** SIGKILL, as in a crash: what it has acknowledged is there after the next start. */
  kill(): Promise<void>;
  /** On the same folder. */
  start(): Promise<void>;
}

/** Throws, with a sentence, where there is none. `initdb` and `postgres` as the user `postgres` when the test is root. */
export async function startPostgres(): Promise<Postgres> {
  const bin = binFolder();
  const folder = mkdtempSync(join(tmpdir(), "flybridge-postgres-"));
  const data = join(folder, "data");
  const who = process.getuid?.() === 0 ? idsOf("postgres") : undefined;
  if (who) chownSync(folder, who.uid, who.gid);
  const server = daemon({
    command: () => [join(bin, "postgres"), "-D", data, ...settings(folder)],
    spawn: { ...who, cwd: folder },
    ready: /database system is ready to accept connections/u,
    // "Fast": it does not wait for clients to leave.
    end: "SIGINT",
    dispose: () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }),
  });
  const url = (name: string): string => `postgres:///${name}?host=${encodeURIComponent(folder)}&user=${USER}`;
  const query = async (where: string, sql: string): Promise<string[][]> => {
    const words = ["--no-psqlrc", "-v", "ON_ERROR_STOP=1", "-AtF", "\u001f", "-d", where, "-c", sql];
    const { stdout } = await promisify(execFile)(join(bin, "psql"), words, { encoding: "utf8" });
    return stdout === ""
      ? []
      : stdout
          .trimEnd()
          .split("\n")
          .map((line) => line.split("\u001f"));
  };
  const start = async (): Promise<void> => {
    for (const began = performance.now(); ; await new Promise((resolve) => setTimeout(resolve, AGAIN_MS))) {
      try {
        return void (await server.start());
      } catch (error) {
        if (!STILL_HELD.test(String(error)) || performance.now() - began > AGAIN_LIMIT_MS) throw error;
      }
    }
  };
  let databases = 0;
  try {
    execFileSync(
      join(bin, "initdb"),
      ["-D", data, "-U", USER, "--auth=trust", "-E", "UTF8", "--no-locale", "--no-sync"],
      {
        ...who,
        cwd: folder,
        stdio: ["ignore", "ignore", "pipe"],
      },
    );
    await start();
    await query(url("postgres"), `CREATE DATABASE ${USER}`);
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
  return {
    url: url(USER),
    async database() {
      const name = `${USER}_${++databases}`;
      await query(url("postgres"), `CREATE DATABASE ${name}`);
      return url(name);
    },
    query,
    start,
    stop: () => server.stop(),
    kill: () => server.kill(),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** Quick, and safe against the end of its processes, though not of the machine. */
function settings(folder: string): string[] {
  const values = {
    listen_addresses: "",
    unix_socket_directories: folder,
    max_connections: MAX_CONNECTIONS,
    shared_buffers: "16MB",
    dynamic_shared_memory_type: "mmap",
    fsync: "off",
    full_page_writes: "off",
    // A test is over before it would begin.
    autovacuum: "off",
    log_destination: "stderr",
    logging_collector: "off",
  };
  return Object.entries(values).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
}

/** The newest. */
function binFolder(): string {
  const onPath = (process.env["PATH"] ?? "").split(delimiter);
  const packaged = POSTGRES_FOLDERS.flatMap((pattern) => globSync(pattern)).sort((one, other) =>
    other.localeCompare(one, "en", { numeric: true }),
  );
  const found = [...packaged, ...onPath].find((folder) => existsSync(join(folder, "initdb")));
  if (found === undefined) throw new Error("No PostgreSQL was found. `npm test` brings it on Debian: postgresql.");
  return found;
}

function idsOf(user: string): { readonly uid: number; readonly gid: number } {
  const [uid, gid] = ["-u", "-g"].map((flag) => Number(execFileSync("id", [flag, user], { encoding: "utf8" })));
  return { uid: uid ?? 0, gid: gid ?? 0 };
}
