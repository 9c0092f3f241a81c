/** Accounts: an e-mail, a public key, and two locks on a secret that this relay cannot open. Nothing else about a person. */
import type { Stretching } from "@flybridge/protocol/relay/account.ts";
import type { Queries, Value } from "./database.ts";

/** A lock as it is stored: what proves that one has it only as a hash. */
export interface StoredLock {
  readonly salt: string;
  /** SHA-256 of the salt and the proof. */
  readonly hash: string;
  /** The account's secret under it. */
  readonly sealed: string;
}

export interface Account {
  /** Its public key, by which it is named. */
  readonly key: string;
  /** In lower case. */
  readonly email: string;
  readonly stretching: Stretching;
  readonly passphrase: StoredLock;
  readonly recovery: StoredLock;
  readonly created: number;
}

export interface Accounts {
  byEmail(email: string): Promise<Account | undefined>;
  byKey(key: string): Promise<Account | undefined>;
  /** The same; nobody else who locks it does so until the transaction ends. */
  lock(key: string): Promise<Account | undefined>;
  /** False when the e-mail or the key is another account's. */
  add(account: Account): Promise<boolean>;
  setPassphrase(key: string, stretching: Stretching, lock: StoredLock): Promise<void>;
  setRecovery(key: string, lock: StoredLock): Promise<void>;
  /** With its devices and notices. Its hosts stay registered, under no account. */
  remove(key: string): Promise<void>;
}

const COLUMNS = `key, email, salt, memory, passes, passphrase_salt, passphrase_hash, passphrase_sealed, recovery_salt,
  recovery_hash, recovery_sealed, created`;

export function accountsIn(queries: Queries): Accounts {
  const one = async (sql: string, value: string): Promise<Account | undefined> => {
    const [row] = await queries.query<Row>(sql, value);
    return row && accountOf(row);
  };

  return {
    byEmail: (email) => one(`SELECT ${COLUMNS} FROM account WHERE email = ?`, email),
    byKey: (key) => one(`SELECT ${COLUMNS} FROM account WHERE key = ?`, key),
    lock: (key) => one(`UPDATE account SET created = created WHERE key = ? RETURNING ${COLUMNS}`, key),
    async add({ key, email, stretching, passphrase, recovery, created }) {
      const values: Value[] = [key, email, ...stretchingValues(stretching)];
      values.push(...lockValues(passphrase), ...lockValues(recovery), created);
      const added = await queries.query(
        `INSERT INTO account (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING key`,
        ...values,
      );
      return added.length > 0;
    },
    async setPassphrase(key, stretching, lock) {
      await queries.query(
        `UPDATE account SET salt = ?, memory = ?, passes = ?, passphrase_salt = ?, passphrase_hash = ?, passphrase_sealed = ?
         WHERE key = ?`,
        ...stretchingValues(stretching),
        ...lockValues(lock),
        key,
      );
    },
    async setRecovery(key, lock) {
      await queries.query(
        "UPDATE account SET recovery_salt = ?, recovery_hash = ?, recovery_sealed = ? WHERE key = ?",
        ...lockValues(lock),
        key,
      );
    },
    async remove(key) {
      await queries.query(
        "UPDATE registration SET account = NULL, label = NULL WHERE account = ? AND kind = 'host'",
        key,
      );
      await queries.query("DELETE FROM account WHERE key = ?", key);
    },
  };
}

interface Row extends Stretching {
  readonly key: string;
  readonly email: string;
  readonly passphrase_salt: string;
  readonly passphrase_hash: string;
  readonly passphrase_sealed: string;
  readonly recovery_salt: string;
  readonly recovery_hash: string;
  readonly recovery_sealed: string;
  readonly created: number;
}

function accountOf(row: Row): Account {
  const { key, email, salt, memory, passes, created } = row;
  return {
    key,
    email,
    stretching: { salt, memory, passes },
    passphrase: { salt: row.passphrase_salt, hash: row.passphrase_hash, sealed: row.passphrase_sealed },
    recovery: { salt: row.recovery_salt, hash: row.recovery_hash, sealed: row.recovery_sealed },
    created,
  };
}

function stretchingValues({ salt, memory, passes }: Stretching): Value[] {
  return [salt, memory, passes];
}

function lockValues({ salt, hash, sealed }: StoredLock): Value[] {
  return [salt, hash, sealed];
}
