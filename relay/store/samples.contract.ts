/** What records are made of in tests. */
import { createHash } from "node:crypto";
import type { Account, StoredLock } from "./accounts.ts";
import type { Queries } from "./database.ts";
import { accountsIn } from "./accounts.ts";
import { type Registration, registrationsIn } from "./registrations.ts";

export const HOUR_MS = 3_600_000;
export const NOW = 1_800_000_000_000;

/** 43 characters, the same for the same name. */
export function keyOf(name: string): string {
  return createHash("sha256").update(name).digest("base64url");
}

export function lockOf(name: string): StoredLock {
  return { salt: keyOf(`${name} salt`).slice(0, 22), hash: keyOf(`${name} hash`), sealed: `${name}-sealed` };
}

export function accountNamed(name: string): Account {
  return {
    key: keyOf(name),
    email: `${name}@mail.example`,
    stretching: { salt: keyOf(name).slice(0, 22), memory: 47_104, passes: 2 },
    passphrase: lockOf(`${name} passphrase`),
    recovery: lockOf(`${name} recovery`),
    created: NOW,
  };
}

export function deviceNamed(name: string, account?: string): Registration {
  return {
    key: keyOf(name),
    kind: "device",
    ...(account === undefined ? {} : { account: keyOf(account), label: `${name}-label` }),
    created: NOW,
    seen: NOW,
    held: false,
  };
}

export function hostNamed(name: string, account?: string): Registration {
  return {
    ...deviceNamed(name, account),
    kind: "host",
    host: `${name}${"0".repeat(56)}`.slice(0, 56),
    rendezvous: keyOf(`${name} rendezvous`).slice(0, 16),
  };
}

export async function fill(queries: Queries, accounts: readonly string[], registrations: readonly Registration[]) {
  for (const name of accounts) await accountsIn(queries).add(accountNamed(name));
  for (const one of registrations) await registrationsIn(queries).put(one);
}
