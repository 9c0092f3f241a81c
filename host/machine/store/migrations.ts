/** The shape of the database, step by step. A step that was released is never changed; what comes later is a new step. */

/** `user_version` of a database that has had every step. */
export const STEPS: readonly string[] = [
  `
  CREATE TABLE session (
    id      TEXT PRIMARY KEY,
    state   TEXT NOT NULL,
    launch  INTEGER NOT NULL,
    offset  INTEGER NOT NULL,
    acted   INTEGER NOT NULL,
    memory  TEXT NOT NULL,
    owed    TEXT
  ) STRICT;

  CREATE TABLE entry (
    session TEXT NOT NULL,
    seq     INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    item    TEXT,
    fact    TEXT NOT NULL,
    PRIMARY KEY (session, seq)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX entry_item ON entry (session, item, seq) WHERE item IS NOT NULL;

  CREATE TABLE intent (
    id      TEXT NOT NULL,
    by      TEXT NOT NULL,
    session TEXT NOT NULL,
    answer  TEXT NOT NULL,
    PRIMARY KEY (id, by)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE feed (
    about   TEXT PRIMARY KEY,
    seq     INTEGER NOT NULL UNIQUE,
    fact    TEXT NOT NULL
  ) STRICT;

  CREATE TABLE device (
    id      TEXT PRIMARY KEY,
    device  TEXT NOT NULL,
    secrets BLOB NOT NULL
  ) STRICT;

  CREATE TABLE audit (
    seq    INTEGER PRIMARY KEY AUTOINCREMENT,
    at     INTEGER NOT NULL,
    event  TEXT NOT NULL,
    device TEXT,
    detail TEXT NOT NULL
  ) STRICT;
  `,
  `
  CREATE TABLE attachment (
    session TEXT NOT NULL,
    hash    TEXT NOT NULL,
    PRIMARY KEY (session, hash)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  ALTER TABLE device RENAME COLUMN secrets TO current;
  UPDATE device SET current = substr(current, 1, 32);
  ALTER TABLE device ADD COLUMN pending BLOB;
  ALTER TABLE device ADD COLUMN retired BLOB NOT NULL DEFAULT x'';

  DROP TABLE audit;
  CREATE TABLE audit (
    seq    INTEGER PRIMARY KEY,
    at     INTEGER NOT NULL,
    event  TEXT NOT NULL,
    device TEXT,
    by     TEXT,
    detail TEXT NOT NULL,
    hash   TEXT NOT NULL
  ) STRICT;
  CREATE TABLE audit_head (
    one       INTEGER PRIMARY KEY CHECK (one = 1),
    seq       INTEGER NOT NULL,
    hash      TEXT NOT NULL,
    signature TEXT NOT NULL
  ) STRICT;
  `,
];
