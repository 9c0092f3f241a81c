/** Keys that may use this relay: of hosts and of devices. Nothing is kept of them but keys, times, and names that are sealed. */
import type { Queries, Value } from "./database.ts";

/** Milliseconds without a sign of it after which a registration is gone. */
export const IDLE_MS = 90 * 24 * 3_600_000;
/** Milliseconds between two notes that it was seen: often enough for `IDLE_MS`, and seldom a write. */
export const TOUCH_MS = 3_600_000;

export interface Registration {
  /** HI of a host, DA of a device. */
  readonly key: string;
  readonly kind: "host" | "device";
  readonly account?: string;
  /** A host's id. */
  readonly host?: string;
  /** By which devices name a host. */
  readonly rendezvous?: string;
  /** Its name for its account, sealed. */
  readonly label?: string;
  /** A keyed hash of where it came from last. */
  readonly place?: string;
  readonly created: number;
  readonly seen: number;
  /** One of its sessions was used from elsewhere: a person has to sign it in anew. */
  readonly held: boolean;
}

export interface Registrations {
  byKey(key: string): Promise<Registration | undefined>;
  byRendezvous(rendezvous: string): Promise<Registration | undefined>;
  /** Oldest first. */
  byAccount(account: string): Promise<Registration[]>;
  /** The same as `byKey`; until the transaction ends nobody else changes it or its sessions. */
  lock(key: string): Promise<Registration | undefined>;
  /**
   * New, or in place of what there was of that key, but for `created`, `held` and `place`. False when its rendezvous is another
   * key's; `StoreError("conflict")` when it becomes that at the same moment, or when there is no such account.
   */
  put(registration: Omit<Registration, "held" | "place">): Promise<boolean>;
  /** Which account a host is under. What it was called there is forgotten. False when there is no such host or account. */
  setAccount(key: string, account: string | undefined): Promise<boolean>;
  /** What an account calls a host of its own. False when it has none of that id and rendezvous. */
  setLabel(account: string, host: string, rendezvous: string, label: string): Promise<boolean>;
  setPlace(key: string, place: string): Promise<void>;
  setHeld(key: string, held: boolean): Promise<void>;
  /** It was seen; written at most once in `TOUCH_MS`. */
  touch(key: string, now: number): Promise<void>;
  /** With its sessions. False when there was none. */
  remove(key: string): Promise<boolean>;
  /** Removes what was idle for `IDLE_MS`; the keys. */
  sweep(now: number): Promise<string[]>;
}

const COLUMNS = "key, kind, account, host, rendezvous, label, place, created, seen, held";

export function registrationsIn(queries: Queries): Registrations {
  const find = async (where: string, ...params: Value[]): Promise<Registration[]> =>
    (await queries.query<Row>(`SELECT ${COLUMNS} FROM registration WHERE ${where}`, ...params)).map(registrationOf);
  const has = async (sql: string, ...params: Value[]): Promise<boolean> =>
    (await queries.query(sql, ...params)).length > 0;

  return {
    byKey: async (key) => (await find("key = ?", key))[0],
    byRendezvous: async (rendezvous) => (await find("rendezvous = ?", rendezvous))[0],
    byAccount: (account) => find("account = ? ORDER BY created, key", account),
    async lock(key) {
      const [row] = await queries.query<Row>(
        `UPDATE registration SET seen = seen WHERE key = ? RETURNING ${COLUMNS}`,
        key,
      );
      return row && registrationOf(row);
    },
    async put({ key, kind, account = null, host = null, rendezvous = null, label = null, created, seen }) {
      // Asked first, for a refusal within a transaction would be the end of it.
      if (await has("SELECT key FROM registration WHERE rendezvous = ? AND key <> ?", rendezvous, key)) return false;
      await queries.query(
        `INSERT INTO registration (key, kind, account, host, rendezvous, label, created, seen, held)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0)
         ON CONFLICT (key) DO UPDATE SET kind = excluded.kind, account = excluded.account, host = excluded.host,
           rendezvous = excluded.rendezvous, label = excluded.label, seen = excluded.seen`,
        key,
        kind,
        account,
        host,
        rendezvous,
        label,
        created,
        seen,
      );
      return true;
    },
    setAccount: (key, account) =>
      account === undefined
        ? has("UPDATE registration SET account = NULL, label = NULL WHERE key = ? AND kind = 'host' RETURNING key", key)
        : has(
            `UPDATE registration SET label = CASE WHEN account = ? THEN label ELSE NULL END, account = ?
             WHERE key = ? AND kind = 'host' AND EXISTS (SELECT 1 FROM account WHERE account.key = ?) RETURNING key`,
            account,
            account,
            key,
            account,
          ),
    setLabel: (account, host, rendezvous, label) =>
      has(
        `UPDATE registration SET label = ?
         WHERE account = ? AND host = ? AND rendezvous = ? AND kind = 'host' RETURNING key`,
        label,
        account,
        host,
        rendezvous,
      ),
    async setPlace(key, place) {
      await queries.query("UPDATE registration SET place = ? WHERE key = ?", place, key);
    },
    async setHeld(key, held) {
      await queries.query("UPDATE registration SET held = ? WHERE key = ?", held ? 1 : 0, key);
    },
    async touch(key, now) {
      await queries.query("UPDATE registration SET seen = ? WHERE key = ? AND seen <= ?", now, key, now - TOUCH_MS);
    },
    remove: (key) => has("DELETE FROM registration WHERE key = ? RETURNING key", key),
    async sweep(now) {
      const gone = await queries.query<{ key: string }>(
        "DELETE FROM registration WHERE seen <= ? RETURNING key",
        now - IDLE_MS,
      );
      return gone.map(({ key }) => key);
    },
  };
}

interface Row {
  readonly key: string;
  readonly kind: "host" | "device";
  readonly account: string | null;
  readonly host: string | null;
  readonly rendezvous: string | null;
  readonly label: string | null;
  readonly place: string | null;
  readonly created: number;
  readonly seen: number;
  readonly held: number;
}

function registrationOf({
  key,
  kind,
  account,
  host,
  rendezvous,
  label,
  place,
  created,
  seen,
  held,
}: Row): Registration {
  return {
    key,
    kind,
    ...(account === null ? {} : { account }),
    ...(host === null ? {} : { host }),
    ...(rendezvous === null ? {} : { rendezvous }),
    ...(label === null ? {} : { label }),
    ...(place === null ? {} : { place }),
    created,
    seen,
    held: held === 1,
  };
}
