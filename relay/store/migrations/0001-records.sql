-- What is known of people: an e-mail, keys, times. Names are sealed by the account's devices. Secrets are hashes.

CREATE TABLE account (
  -- Its public key, which vouches for its devices.
  key TEXT PRIMARY KEY,
  -- In lower case.
  email TEXT NOT NULL UNIQUE,
  -- How the passphrase is stretched.
  salt TEXT NOT NULL,
  memory INTEGER NOT NULL,
  passes INTEGER NOT NULL,
  -- Two locks: SHA-256 of a salt and what proves that one has it, and the account's secret under it.
  passphrase_salt TEXT NOT NULL,
  passphrase_hash TEXT NOT NULL,
  passphrase_sealed TEXT NOT NULL,
  recovery_salt TEXT NOT NULL,
  recovery_hash TEXT NOT NULL,
  recovery_sealed TEXT NOT NULL,
  created BIGINT NOT NULL
);

CREATE TABLE registration (
  -- HI of a host, DA of a device.
  key TEXT PRIMARY KEY,
  kind TEXT NOT NULL CHECK (kind IN ('host', 'device')),
  account TEXT REFERENCES account (key) ON DELETE CASCADE,
  -- A host's id and its name for devices.
  host TEXT,
  rendezvous TEXT UNIQUE,
  -- Sealed.
  label TEXT,
  -- A keyed hash of where it came from last: only whether it is another place can be told by it.
  place TEXT,
  created BIGINT NOT NULL,
  seen BIGINT NOT NULL,
  -- 1: its sessions were ended because one was used elsewhere, and a person has to sign it in anew.
  held INTEGER NOT NULL
);
CREATE INDEX registration_account ON registration (account);
CREATE INDEX registration_seen ON registration (seen);

-- The sessions that came of one sign-in. Those from `kept` to `given` count; those before are replaced.
CREATE TABLE family (
  id TEXT PRIMARY KEY,
  key TEXT NOT NULL REFERENCES registration (key) ON DELETE CASCADE,
  began BIGINT NOT NULL,
  given INTEGER NOT NULL,
  kept INTEGER NOT NULL
);
CREATE INDEX family_key ON family (key);
CREATE INDEX family_began ON family (began);

CREATE TABLE token (
  -- SHA-256 of it.
  hash TEXT PRIMARY KEY,
  family TEXT NOT NULL REFERENCES family (id) ON DELETE CASCADE,
  number INTEGER NOT NULL,
  expires BIGINT NOT NULL,
  replaced BIGINT,
  UNIQUE (family, number)
);

CREATE TABLE invitation (
  -- SHA-256 of the code.
  hash TEXT PRIMARY KEY,
  whom TEXT NOT NULL CHECK (whom IN ('host', 'account', 'either')),
  expires BIGINT NOT NULL
);

CREATE TABLE notice (
  id TEXT PRIMARY KEY,
  account TEXT NOT NULL REFERENCES account (key) ON DELETE CASCADE,
  at BIGINT NOT NULL,
  kind TEXT NOT NULL,
  key TEXT,
  -- The first half of an address at most.
  network TEXT
);
CREATE INDEX notice_account ON notice (account, at);

-- Tries to open an account, whether there is one or not.
CREATE TABLE attempt (
  -- A keyed hash of the e-mail and of what is tried.
  name TEXT PRIMARY KEY,
  failures INTEGER NOT NULL,
  until BIGINT NOT NULL,
  at BIGINT NOT NULL
);
CREATE INDEX attempt_at ON attempt (at);
