/** People with devices and hosts, who call a relay about their accounts, in tests. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { type HeldSigningKey, signingKey } from "@flybridge/crypto/identity.ts";
import { endorseDevice, endorseHost } from "@flybridge/crypto/proof.ts";
import { toBase64Url } from "@flybridge/protocol/base64.ts";
import type { HostId } from "@flybridge/protocol/ids.ts";
import {
  ACCOUNT_METHODS,
  type AccountCode,
  type AccountMethod,
  type AccountParams,
  AccountReply,
  type AccountResult,
  type Notice,
} from "@flybridge/protocol/relay/account.ts";
import { decode, encode, type Registration } from "@flybridge/protocol/relay/words.ts";
import * as v from "valibot";
import type { Database } from "../store/database.ts";
import { registrationsIn } from "../store/registrations.ts";
import { hostNamed, keyOf, NOW } from "../store/samples.contract.ts";
import type { Open } from "../store/stores.contract.ts";
import { type Accounts, type MemberCaller, makeAccounts } from "./accounts.ts";
import { setHostAccount } from "./host-account.ts";
import { makeSessions, type Sessions } from "./sessions.ts";

export const SECRET = "a secret of this relay that nobody can guess";
export const HOME = "192.0.2.7";
const TABLES = ["account", "registration", "family", "token", "invitation", "notice", "attempt"];

/** The same for the same name. */
export function signingKeyOf(name: string): HeldSigningKey {
  return signingKey(createHash("sha256").update(name).digest());
}

export function publicKeyOf(name: string): string {
  return toBase64Url(signingKeyOf(name).publicKey);
}

export function labelOf(name: string): string {
  return toBase64Url(new TextEncoder().encode(name));
}

export interface World extends AsyncDisposable {
  readonly database: Database;
  readonly accounts: Accounts;
  /** Another node over the same store. */
  readonly other: Accounts;
  readonly sessions: Sessions;
  /** Keys whose sockets were to be closed, as often as they were. */
  readonly ended: string[];
  readonly told: [string, Notice][];
  readonly failed: unknown[];
  /** Rendezvous of hosts that are there. */
  readonly connected: Set<string>;
  now: number;
  /** Everything that is stored, to compare. */
  stored(...tables: string[]): Promise<Record<string, object[]>>;
}

export async function openWorld(open: Open, registration: Registration = "open"): Promise<World> {
  const database = await open();
  const ended: string[] = [];
  const told: [string, Notice][] = [];
  const failed: unknown[] = [];
  const connected = new Set<string>();
  const now = (): number => world.now;
  const tell = (account: string, notice: Notice): void => void told.push([account, notice]);
  const node = () => {
    const sessions = makeSessions({ database, secret: SECRET, now, told: tell });
    const accounts = makeAccounts({
      database,
      sessions,
      secret: SECRET,
      registration,
      now,
      connected: ({ rendezvous = "" }) => Promise.resolve(connected.has(rendezvous)),
      ended: (keys) => void ended.push(...keys),
      told: tell,
      failed: (error) => void failed.push(error),
    });
    return { sessions, accounts };
  };
  const { sessions, accounts } = node();
  const world: World = {
    database,
    accounts,
    other: node().accounts,
    sessions,
    ended,
    told,
    failed,
    connected,
    now: NOW,
    async stored(...tables) {
      const rows: Record<string, object[]> = {};
      for (const table of tables.length > 0 ? tables : TABLES)
        rows[table] = await database.query(`SELECT * FROM ${table} ORDER BY 1`);
      return rows;
    },
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
  return world;
}

/** A device at a socket of its own. */
export function socketOf(device: string, from = HOME): MemberCaller {
  return { key: publicKeyOf(device), from };
}

let ids = 0;

/** Answered by what the method answers, or by a code. */
export async function ask<M extends AccountMethod>(
  node: Accounts,
  caller: MemberCaller,
  method: M,
  params: AccountParams<M>,
): Promise<{ readonly ok: AccountResult<M> } | { readonly code: AccountCode; readonly after: number | undefined }> {
  const id = ++ids;
  const reply = decode(AccountReply, await node.callOf(encode({ t: "call", id, method, params }), caller));
  assert.equal(reply?.id, id);
  if (reply.error) {
    assert.ok(reply.ok === undefined && /^[A-Z].*[.]$/u.test(reply.error.message), reply.error.message);
    return { code: reply.error.code, after: reply.error.after };
  }
  return { ok: v.parse(ACCOUNT_METHODS[method].result, reply.ok) as AccountResult<M> };
}

/** The answer, which is no error. */
export async function get<M extends AccountMethod>(
  node: Accounts,
  caller: MemberCaller,
  method: M,
  params: AccountParams<M>,
): Promise<AccountResult<M>> {
  const answer = await ask(node, caller, method, params);
  assert.ok("ok" in answer, JSON.stringify(answer));
  return answer.ok;
}

/** The code, for it is an error. */
export async function codeOf<M extends AccountMethod>(
  node: Accounts,
  caller: MemberCaller,
  method: M,
  params: AccountParams<M>,
): Promise<AccountCode | "ok"> {
  const answer = await ask(node, caller, method, params);
  return "code" in answer ? answer.code : "ok";
}

export function emailOf(person: string): string {
  return `${person}@mail.example`;
}

/** What a device makes of a passphrase, and of a recovery code. */
export function authOf(person: string, passphrase = "passphrase"): string {
  return keyOf(`${person} ${passphrase}`);
}

export function stretchingOf(person: string): { salt: string; memory: number; passes: number } {
  return { salt: `${keyOf(person).slice(0, 21)}A`, memory: 65_536, passes: 3 };
}

export async function endorsementOf(person: string, device: string): Promise<string> {
  return toBase64Url(await endorseDevice(signingKeyOf(person), signingKeyOf(device).publicKey));
}

export async function signUpOf(person: string, device: string): Promise<AccountParams<"account.signUp">> {
  return {
    email: emailOf(person),
    stretching: stretchingOf(person),
    lock: { auth: authOf(person), sealed: labelOf(`${person} by passphrase`) },
    recovery: { auth: authOf(person, "recovery"), sealed: labelOf(`${person} by recovery`) },
    account: publicKeyOf(person),
    endorsement: await endorsementOf(person, device),
    label: labelOf(device),
  };
}

/** A person makes an account on a device. */
export async function signUp(world: World, person: string, device: string): Promise<MemberCaller> {
  const caller = socketOf(device);
  await get(world.accounts, caller, "account.signUp", await signUpOf(person, device));
  return caller;
}

/** A person signs in on a device. */
export async function signIn(world: World, person: string, device: string, from?: string): Promise<MemberCaller> {
  const caller = socketOf(device, from);
  await get(world.accounts, caller, "account.signIn", { email: emailOf(person), auth: authOf(person) });
  await get(world.accounts, caller, "account.enrol", {
    endorsement: await endorsementOf(person, device),
    label: labelOf(device),
  });
  return caller;
}

/** A host that is registered by itself, and says that it is of that person's account. */
export async function addHost(
  world: World,
  host: string,
  person: string,
): Promise<{ host: HostId; rendezvous: string }> {
  const key = publicKeyOf(host);
  const { label: _, ...registration } = hostNamed(host);
  await registrationsIn(world.database).put({ ...registration, key });
  const endorsement = await endorseHost(signingKeyOf(person), signingKeyOf(host).publicKey, registration.rendezvous!);
  const said = { key: publicKeyOf(person), endorsement: toBase64Url(endorsement) };
  assert.equal(await setHostAccount(world.database, key, said), publicKeyOf(person));
  return { host: registration.host as HostId, rendezvous: registration.rendezvous! };
}
