/**
 * The host's embedded store: one SQLite file in WAL mode, plain prepared statements. Everything is written by `append`
 * and a few small puts; everything is read by number. The heap holds no history.
 */
import { existsSync } from "node:fs";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import type { AuditHead, AuditRow } from "@flybridge/protocol/audit.ts";
import type { Entry, Fact } from "@flybridge/protocol/entry.ts";
import type { FeedEntry, FeedFact } from "@flybridge/protocol/feed.ts";
import type { DeviceId } from "@flybridge/protocol/ids.ts";
import type { SessionState } from "@flybridge/protocol/session.ts";
import {
  type AgentMark,
  type Append,
  type AuditShelf,
  type AttachmentNames,
  type DeviceShelf,
  type FeedShelf,
  type Journal,
  type SessionShelf,
  StorageError,
  type StoredDevice,
  type StoredSession,
} from "../../core/ports.ts";
import { privateFile } from "../files.ts";
import { STEPS } from "./migrations.ts";

/** How long a statement waits for another process that reads the file, in milliseconds. */
const BUSY_MS = 2_000;
/** Pages of the write-ahead log before it is moved into the file (4 KiB each). */
const CHECKPOINT_PAGES = 1_000;
/** Bytes of one continuity secret. */
const SECRET_BYTES = 32;

export interface Store {
  readonly journal: Journal;
  readonly sessions: SessionShelf;
  readonly feed: FeedShelf;
  readonly devices: DeviceShelf;
  readonly audit: AuditShelf;
  readonly attached: AttachmentNames;
  close(): void;
}

/**
 * Opens or makes the database, 0600. Throws `StorageError`: "newer" when a newer Flybridge wrote it, and then nothing of
 * it is changed; "broken" when it is none, or damaged.
 */
export function openStore(path: string): Store {
  const db = opened(path);
  const statements = statementsOf(db);

  const put = (fact: FeedFact): FeedEntry => {
    const about = aboutOf(fact);
    const { seq } = statements.nextFeed.get() as { seq: number };
    statements.putFeed.run(about, seq, JSON.stringify(fact));
    // Only once the newer number stands: the highest number ever given must not be given again.
    const replaced = replacedBy(fact);
    if (replaced !== undefined) statements.removeFeed.run(replaced);
    return { seq, fact };
  };

  const journal: Journal = {
    append(steps, flushed) {
      return guarded(() =>
        transaction(db, flushed, () => {
          const feed: FeedEntry[] = [];
          for (const step of steps) {
            for (const entry of step.entries) {
              statements.putEntry.run(
                step.session,
                entry.seq,
                entry.at,
                itemOf(entry.fact),
                JSON.stringify(entry.fact),
              );
              if (entry.fact.kind === "prompt.accepted")
                for (const { hash } of entry.fact.attachments ?? []) statements.putAttachment.run(step.session, hash);
            }
            if (step.mark) putSession(statements, step, step.mark);
            else if (statements.putState.run(JSON.stringify(step.state), step.session).changes === 0)
              throw new StorageError("broken", `There is no session ${step.session}: it was removed.`);
            if (step.intent)
              statements.putIntent.run(
                step.intent.id,
                step.intent.by,
                step.session,
                JSON.stringify(step.intent.answer),
              );
            if (step.feed) feed.push(put(step.feed));
          }
          return feed;
        }),
      );
    },
    read: (session, from, limit, chars) =>
      guarded(() => bounded(statements.read.iterate(session, from, limit) as Iterable<EntryRow>, chars)),
    readBack: (session, before, limit, chars) =>
      guarded(() =>
        bounded(statements.readBack.iterate(session, before, limit) as Iterable<EntryRow>, chars).reverse(),
      ),
    readItem: (session, item, before) =>
      guarded(() => (statements.readItem.all(session, item, before) as unknown as EntryRow[]).map(entryOf)),
    answered: (intent, by) =>
      guarded(() => {
        const row = statements.getIntent.get(intent, by) as { answer: string } | undefined;
        return row && { answer: JSON.parse(row.answer) as unknown };
      }),
  };

  const sessions: SessionShelf = {
    list: () => guarded(() => (statements.sessions.all() as unknown as SessionRow[]).map(sessionOf)),
    get: (session) =>
      guarded(() => {
        const row = statements.session.get(session) as unknown as SessionRow | undefined;
        return row && sessionOf(row);
      }),
    remove: (session) =>
      guarded(() =>
        transaction(db, true, () => {
          for (const statement of statements.removeSession) statement.run(session);
          return put({ kind: "session.gone", session });
        }),
      ),
  };

  const feed: FeedShelf = {
    after: (from) =>
      guarded(() =>
        (statements.feedAfter.all(from) as unknown as { seq: number; fact: string }[]).map(({ seq, fact }) => ({
          seq,
          fact: JSON.parse(fact) as FeedFact,
        })),
      ),
    last: () => guarded(() => (statements.nextFeed.get() as { seq: number }).seq - 1),
    put: (fact) => guarded(() => transaction(db, false, () => put(fact))),
  };

  const devices: DeviceShelf = {
    list: () =>
      guarded(() =>
        (statements.devices.all() as unknown as DeviceRow[]).map(({ device, current, pending, retired }) => ({
          device: JSON.parse(device) as StoredDevice["device"],
          secrets: {
            current,
            ...(pending === null ? {} : { pending }),
            retired: secretsFrom(retired),
          },
        })),
      ),
    put: ({ device, secrets: { current, pending = null, retired } }) =>
      guarded(() =>
        transaction(db, true, () => {
          statements.putDevice.run(device.device, JSON.stringify(device), current, pending, Buffer.concat(retired));
        }),
      ),
    remove: (gone) =>
      guarded(() =>
        transaction(db, true, () => {
          for (const device of gone) statements.removeDevice.run(device);
        }),
      ),
  };

  const audit: AuditShelf = {
    append: ({ seq, at, event, device = null, by = null, detail, hash }, head) =>
      guarded(() =>
        transaction(db, true, () => {
          statements.putAudit.run(seq, at, event, device, by, detail, hash);
          statements.putAuditHead.run(head.seq, head.hash, head.signature);
        }),
      ),
    head: () => guarded(() => statements.auditHead.get() as unknown as AuditHead | undefined),
    page: (before, limit) =>
      guarded(() =>
        (statements.auditPage.all(before ?? Number.MAX_SAFE_INTEGER, limit) as unknown as AuditRowStored[])
          .map(auditRowOf)
          .reverse(),
      ),
    *rows() {
      for (const row of statements.auditRows.iterate() as Iterable<unknown>) yield auditRowOf(row as AuditRowStored);
    },
  };

  const attached: AttachmentNames = {
    has: (session, hash) => guarded(() => statements.attachment.get(session, hash) !== undefined),
    all: () =>
      guarded(() => new Set((statements.attachments.all() as unknown as { hash: string }[]).map(({ hash }) => hash))),
  };

  return { journal, sessions, feed, devices, audit, attached, close: () => db.close() };
}

interface DeviceRow {
  readonly device: string;
  readonly current: Uint8Array;
  readonly pending: Uint8Array | null;
  readonly retired: Uint8Array;
}
type AuditRowStored = Omit<AuditRow, "device" | "by"> & {
  readonly device: DeviceId | null;
  readonly by: DeviceId | null;
};
interface EntryRow {
  readonly seq: number;
  readonly at: number;
  readonly fact: string;
}
type SessionRow = { readonly state: string; readonly owed: string | null } & Omit<AgentMark, "owed">;

const AUDIT_COLUMNS = "seq, at, event, device, by, detail, hash";

function opened(path: string): DatabaseSync {
  try {
    // Read-only first: a writer's mere coming and going would move the log of a newer database into its file.
    if (existsSync(path)) {
      using newest = new DatabaseSync(path, { readOnly: true, timeout: BUSY_MS });
      refuseNewer(newest, path);
    }
    privateFile(path);
    const db = new DatabaseSync(path, { timeout: BUSY_MS });
    try {
      prepare(db);
    } catch (error) {
      db.close();
      throw error;
    }
    return db;
  } catch (error) {
    const fault = storageError(error);
    if (fault.fault !== "broken") throw fault;
    throw new StorageError(
      "broken",
      `${path} cannot be opened: ${(error as Error).message}. Restore it from a backup; or move it away, and Flybridge begins a new one without sessions and devices.`,
      { cause: error },
    );
  }
}

function versionOf(db: DatabaseSync): number {
  return (db.prepare("PRAGMA user_version").get() as { user_version: number }).user_version;
}

function refuseNewer(db: DatabaseSync, path: string): void {
  const version = versionOf(db);
  if (version <= STEPS.length) return;
  throw new StorageError(
    "newer",
    `${path} was written by a newer Flybridge (schema ${version}, this one knows ${STEPS.length}). Nothing was changed. Update Flybridge, or point FLYBRIDGE_HOME at another folder.`,
  );
}

function prepare(db: DatabaseSync): void {
  db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES};`);
  const version = versionOf(db);
  if (version === STEPS.length) return;
  transaction(db, true, () => {
    for (const step of STEPS.slice(version)) db.exec(step);
    db.exec(`PRAGMA user_version = ${STEPS.length}`);
  });
}

function statementsOf(db: DatabaseSync) {
  return {
    putEntry: db.prepare("INSERT INTO entry (session, seq, at, item, fact) VALUES (?, ?, ?, ?, ?)"),
    putState: db.prepare("UPDATE session SET state = ? WHERE id = ?"),
    putSession: db.prepare(
      `INSERT INTO session (id, state, launch, offset, acted, memory, owed) VALUES (?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET state = excluded.state, launch = excluded.launch, offset = excluded.offset,
         acted = excluded.acted, memory = excluded.memory, owed = excluded.owed`,
    ),
    sessions: db.prepare("SELECT state, launch, offset, acted, memory, owed FROM session ORDER BY id DESC"),
    session: db.prepare("SELECT state, launch, offset, acted, memory, owed FROM session WHERE id = ?"),
    read: db.prepare("SELECT seq, at, fact FROM entry WHERE session = ? AND seq >= ? ORDER BY seq LIMIT ?"),
    readBack: db.prepare("SELECT seq, at, fact FROM entry WHERE session = ? AND seq < ? ORDER BY seq DESC LIMIT ?"),
    readItem: db.prepare("SELECT seq, at, fact FROM entry WHERE session = ? AND item = ? AND seq < ? ORDER BY seq"),
    putIntent: db.prepare("INSERT INTO intent (id, by, session, answer) VALUES (?, ?, ?, ?)"),
    getIntent: db.prepare("SELECT answer FROM intent WHERE id = ? AND by = ?"),
    nextFeed: db.prepare("SELECT coalesce(max(seq), 0) + 1 AS seq FROM feed"),
    putFeed: db.prepare(
      "INSERT INTO feed (about, seq, fact) VALUES (?, ?, ?) ON CONFLICT (about) DO UPDATE SET seq = excluded.seq, fact = excluded.fact",
    ),
    feedAfter: db.prepare("SELECT seq, fact FROM feed WHERE seq > ? ORDER BY seq"),
    removeFeed: db.prepare("DELETE FROM feed WHERE about = ?"),
    putAttachment: db.prepare("INSERT OR IGNORE INTO attachment (session, hash) VALUES (?, ?)"),
    attachment: db.prepare("SELECT 1 FROM attachment WHERE session = ? AND hash = ?"),
    attachments: db.prepare("SELECT DISTINCT hash FROM attachment"),
    removeSession: [
      "DELETE FROM entry WHERE session = ?",
      "DELETE FROM intent WHERE session = ?",
      "DELETE FROM attachment WHERE session = ?",
      "DELETE FROM session WHERE id = ?",
    ].map((sql) => db.prepare(sql)),
    devices: db.prepare("SELECT device, current, pending, retired FROM device"),
    putDevice: db.prepare(
      `INSERT INTO device (id, device, current, pending, retired) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET device = excluded.device, current = excluded.current, pending = excluded.pending,
         retired = excluded.retired`,
    ),
    removeDevice: db.prepare("DELETE FROM device WHERE id = ?"),
    putAudit: db.prepare("INSERT INTO audit (seq, at, event, device, by, detail, hash) VALUES (?, ?, ?, ?, ?, ?, ?)"),
    putAuditHead: db.prepare(
      `INSERT INTO audit_head (one, seq, hash, signature) VALUES (1, ?, ?, ?)
       ON CONFLICT (one) DO UPDATE SET seq = excluded.seq, hash = excluded.hash, signature = excluded.signature`,
    ),
    auditHead: db.prepare("SELECT seq, hash, signature FROM audit_head"),
    auditPage: db.prepare(`SELECT ${AUDIT_COLUMNS} FROM audit WHERE seq < ? ORDER BY seq DESC LIMIT ?`),
    auditRows: db.prepare(`SELECT ${AUDIT_COLUMNS} FROM audit ORDER BY seq`),
  } satisfies Record<string, StatementSync | StatementSync[]>;
}

function putSession(statements: ReturnType<typeof statementsOf>, step: Append, mark: AgentMark): void {
  statements.putSession.run(
    step.session,
    JSON.stringify(step.state),
    mark.launch,
    mark.offset,
    mark.acted,
    mark.memory,
    mark.owed ?? null,
  );
}

/** With `flushed`, what is committed survives a loss of power (SQLite, synchronous = FULL); without, a crash of the host. */
function transaction<T>(db: DatabaseSync, flushed: boolean, work: () => T): T {
  db.exec(flushed ? "PRAGMA synchronous = FULL; BEGIN IMMEDIATE" : "PRAGMA synchronous = NORMAL; BEGIN IMMEDIATE");
  try {
    const result = work();
    db.exec("COMMIT");
    return result;
  } catch (error) {
    if (db.isTransaction) db.exec("ROLLBACK");
    throw error;
  }
}

function bounded(rows: Iterable<EntryRow>, chars: number): Entry[] {
  const entries: Entry[] = [];
  let total = 0;
  for (const row of rows) {
    total += row.fact.length;
    if (total > chars && entries.length > 0) break;
    entries.push(entryOf(row));
  }
  return entries;
}

function entryOf({ seq, at, fact }: EntryRow): Entry {
  return { seq, at, fact: JSON.parse(fact) as Fact };
}

function auditRowOf({ device, by, ...row }: AuditRowStored): AuditRow {
  return { ...row, ...(device === null ? {} : { device }), ...(by === null ? {} : { by }) };
}

function secretsFrom(blob: Uint8Array): Uint8Array[] {
  return Array.from({ length: blob.length / SECRET_BYTES }, (_, at) =>
    blob.slice(at * SECRET_BYTES, (at + 1) * SECRET_BYTES),
  );
}

function sessionOf({ state, owed, ...mark }: SessionRow): StoredSession {
  return { state: JSON.parse(state) as SessionState, mark: owed === null ? mark : { ...mark, owed } };
}

function itemOf(fact: Fact): string | null {
  if (fact.kind === "item.began") return fact.item.item;
  return fact.kind === "item.grew" ? fact.item : null;
}

function aboutOf(fact: FeedFact): string {
  switch (fact.kind) {
    case "session":
      return `session ${fact.summary.session}`;
    case "session.gone":
      return `gone ${fact.session}`;
    case "device":
      return `device ${fact.device.device}`;
    case "device.gone":
      return `gone ${fact.device}`;
    case "pairing":
      return `pairing ${fact.pairing.pairing}`;
    case "pairing.gone":
      return `gone ${fact.pairing}`;
  }
}

/** A fact that something is gone takes the place of what was said of it. */
function replacedBy(fact: FeedFact): string | undefined {
  if (fact.kind === "session.gone") return `session ${fact.session}`;
  if (fact.kind === "pairing.gone") return `pairing ${fact.pairing}`;
  return fact.kind === "device.gone" ? `device ${fact.device}` : undefined;
}

function guarded<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw storageError(error);
  }
}

/** SQLite's errors by what a person can do about them (result codes, sqlite.org/rescode.html). */
function storageError(error: unknown): StorageError {
  if (error instanceof StorageError) return error;
  const code = (error as { errcode?: number }).errcode ?? 0;
  if (FULL_CODES.has(code & 0xff) || FULL_CODES.has(code))
    return new StorageError("full", "The disk is full: nothing can be stored. Free some space; it goes on by itself.", {
      cause: error,
    });
  const mend = DAMAGED_CODES.has(code & 0xff)
    ? " flybridge.db is damaged: restore it from a backup, or move it away and begin anew."
    : "";
  return new StorageError("broken", `The database cannot be used: ${(error as Error).message}.${mend}`, {
    cause: error,
  });
}

/** SQLITE_FULL, and SQLITE_IOERR_SHMSIZE: the log's index could not grow. */
const FULL_CODES: ReadonlySet<number> = new Set([13, 4874]);
/** SQLITE_CORRUPT and SQLITE_NOTADB. */
const DAMAGED_CODES: ReadonlySet<number> = new Set([11, 26]);
