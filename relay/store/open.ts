/** The store that a relay's environment names, and the secret that belongs to it. */
import { randomBytes } from "node:crypto";
import { chmodSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Config } from "../config.ts";
import type { Database } from "./database.ts";
import { openSqlite } from "./sqlite.ts";

const PRIVATE_FOLDER = 0o700;
const PRIVATE_FILE = 0o600;
const SECRET_BYTES = 48;
/** Milliseconds for an answer: less than whoever asks a node how it is waits for it. */
const WELL_MS = 1_000;

export interface RelayStore extends AsyncDisposable {
  readonly database: Database;
  readonly secret: string;
  /** Whether it answers, within a second. */
  isWell(): Promise<boolean>;
}

/** Rejects with an error that says how to mend it. */
export async function openRelayStore({ store, secret }: Pick<Config, "store" | "secret">): Promise<RelayStore> {
  if (store.kind === "embedded") {
    mkdirSync(store.folder, { recursive: true, mode: PRIVATE_FOLDER });
    chmodSync(store.folder, PRIVATE_FOLDER);
  }
  const own = secret ?? (store.kind === "embedded" ? secretIn(join(store.folder, "secret")) : undefined);
  if (own === undefined) throw new Error("FLYBRIDGE_RELAY_SECRET is missing: it is needed with DATABASE_URL.");
  // Of the two only one is loaded: the other's driver would be a tenth of a small relay.
  const database =
    store.kind === "embedded"
      ? await openSqlite(join(store.folder, "relay.db"))
      : await (await import("./postgres.ts")).openPostgres(store.url);
  return {
    database,
    secret: own,
    isWell: () =>
      Promise.race([
        database.query("SELECT 1 AS one").then(
          () => true,
          () => false,
        ),
        delay(WELL_MS, false, { ref: false }),
      ]),
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}

/** Made once; of two that start at once both have the first one's. */
function secretIn(path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  const fresh = `${path}.${process.pid}.new`;
  writeFileSync(fresh, `${randomBytes(SECRET_BYTES).toString("base64url")}\n`, { mode: PRIVATE_FILE, flush: true });
  try {
    linkSync(fresh, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    rmSync(fresh, { force: true });
  }
  return readFileSync(path, "utf8").trim();
}
