/**
 * The rules of session tokens. A sign-in begins a family of them; each is renewed by a successor, which replaces it only once
 * its holder says that it is kept: a crash between the answer and the store is no alarm, for the one before still counts, and
 * renewing it again gives the same successor. A token that was replaced and comes again means that there are two holders:
 * the key's sessions end, and a person has to sign it in anew.
 *
 *   number    1 .. kept-1     kept .. given     given+1
 *             replaced        each counts       the next successor
 *
 * The same key may be late by `GRACE_MS` with one that was replaced, where it was before, and gets what replaced it. A token is derived from the
 * relay's secret, its family and its number, so that only hashes are stored and every node derives the same. What this does
 * not find: a second holder of the key itself, who never says `kept` and renews before the first does, or who signs in by the
 * key alone; each sees that a host or device came from elsewhere, if it did.
 */
import { randomBytes } from "node:crypto";
import type { Notice } from "@flybridge/protocol/relay/account.ts";
import type { Session } from "@flybridge/protocol/relay/words.ts";
import type { Database, Queries } from "../store/database.ts";
import { noticesIn } from "../store/notices.ts";
import { type Registration, registrationsIn, TOUCH_MS } from "../store/registrations.ts";
import { type Family, sessionsIn, type Token } from "../store/sessions.ts";
import { coarseNetwork } from "./address.ts";
import { deriving, hashOf } from "./secret.ts";

/** Milliseconds that a token counts, and that all of one sign-in do. */
export const SESSION_MS = 10 * 60_000;
export const FAMILY_MS = 12 * 3_600_000;
/** Milliseconds in which the same key may still use one that was replaced: its request crossed with another's. */
export const GRACE_MS = 30_000;
/** Sign-ins of one key at once; the oldest ends. */
const MAX_FAMILIES = 8;
/** Tokens of one family: one every 20 seconds. */
const MAX_NUMBER = 2_160;
const FAMILY_BYTES = 16;
const PLACE_CHARS = 16;

/** Of which token a peer says that it has stored it: the newest that it was given, or came with. */
export interface Holding {
  readonly family: string;
  readonly number: number;
}

export interface Given {
  readonly kind: "given";
  readonly session: Session;
  readonly holding: Holding;
}

export type Begun =
  | Given
  | { readonly kind: "unregistered" }
  /** A person has to sign this key in anew. */
  | { readonly kind: "held" };

export type Renewed =
  | Given
  /** Too old, or known no more: the key signs in again. */
  | { readonly kind: "ended" }
  | { readonly kind: "held" }
  /** All sockets of that key are to be closed, which is not always the key that came. */
  | { readonly kind: "reused"; readonly key: string };

/** `given` where the token was replaced a moment ago. */
export type Used = Renewed | { readonly kind: "good"; readonly holding: Holding };

/** `key` has been proved by the socket that asks; `from` is its address. All throw `StoreError`. */
export interface Sessions {
  begin(key: string, from: string): Promise<Begun>;
  use(session: string, key: string, from: string): Promise<Used>;
  renew(session: string, key: string, from: string): Promise<Renewed>;
  /** It is stored where it is used. Saying it again, or late, changes nothing. */
  kept(holding: Holding): Promise<void>;
  /** Forgets what is older than a family gets. */
  sweep(): Promise<void>;
}

export interface SessionsAround {
  readonly database: Database;
  readonly secret: string;
  now(): number;
  /** What the people of an account should see, when it has happened. */
  told(account: string, notice: Notice): void;
}

export function makeSessions(around: SessionsAround): Sessions {
  const { database, now } = around;
  const derive = deriving(around.secret);
  const tokenOf = (family: string, number: number): string =>
    derive("session", family, String(number)).toString("base64url");
  const placeOf = (key: string, network: string): string =>
    derive("place", key, network).toString("base64url").slice(0, PLACE_CHARS);

  const give = async (tx: Queries, family: Family, number: number, at: number): Promise<Given> => {
    const session = tokenOf(family.id, number);
    const expires = Math.min(at + SESSION_MS, family.began + FAMILY_MS);
    await sessionsIn(tx).give(family.id, number, hashOf(session), expires);
    return { kind: "given", session: { session, expires }, holding: { family: family.id, number } };
  };

  /** The one that replaced it; not given for longer than it was. */
  const replacementOf = async (tx: Queries, { family }: Token, at: number): Promise<Given | undefined> => {
    const session = tokenOf(family.id, family.kept);
    // Another secret derives others.
    const token = await sessionsIn(tx).byHash(hashOf(session));
    if (!token || token.expires <= at) return undefined;
    const holding = { family: family.id, number: family.kept };
    return { kind: "given", session: { session, expires: token.expires }, holding };
  };

  /** Than where it came from last, as far as both are known. */
  const isElsewhere = ({ key, place }: Registration, from: string): boolean => {
    const network = coarseNetwork(from);
    return network !== undefined && place !== undefined && place !== placeOf(key, network);
  };

  /** That it was seen, and where; a notice when that is elsewhere than the last time. */
  const see = async (tx: Queries, { key, account, place, seen }: Registration, from: string, at: number) => {
    const registrations = registrationsIn(tx);
    if (seen <= at - TOUCH_MS) await registrations.touch(key, at);
    const network = coarseNetwork(from);
    if (network === undefined || place === placeOf(key, network)) return undefined;
    await registrations.setPlace(key, placeOf(key, network));
    const notice: Notice = { at, kind: "moved", key, from: network };
    if (place === undefined || account === undefined || !(await noticesIn(tx).addOnce(account, notice)))
      return undefined;
    return { account, notice };
  };

  const reused = async (tx: Queries, { key, account }: Registration, from: string, at: number) => {
    await sessionsIn(tx).endAll(key);
    await registrationsIn(tx).setHeld(key, true);
    const network = coarseNetwork(from);
    const notice: Notice = { at, kind: "session_reused", key, ...(network === undefined ? {} : { from: network }) };
    if (account === undefined) return undefined;
    await noticesIn(tx).add(account, notice);
    return { account, notice };
  };

  /** Whoever changes a key's sessions holds its registration, so that one look decides. */
  const decided = async <T extends Begun | Used>(
    work: (tx: Queries, at: number) => Promise<{ readonly outcome: T; readonly said?: Said | undefined }>,
  ): Promise<T> => {
    const at = now();
    const { outcome, said } = await database.transaction((tx) => work(tx, at));
    if (said) around.told(said.account, said.notice);
    return outcome;
  };

  const present = (session: string, key: string, from: string, isRenewal: boolean): Promise<Used> =>
    decided<Used>(async (tx, at) => {
      const sessions = sessionsIn(tx);
      const hash = hashOf(session);
      const known = await sessions.byHash(hash);
      const owner = await registrationsIn(tx).lock(known?.family.key ?? key);
      // Again: until the lock, somebody else may have changed it.
      const token = known && (await sessions.byHash(hash));
      if (!owner || !token) return { outcome: { kind: owner?.key === key && owner.held ? "held" : "ended" } };
      const { family, number } = token;
      switch (standingOf(token, key, at)) {
        case "over":
          return { outcome: { kind: "ended" } };
        case "reused":
          return { outcome: { kind: "reused", key: owner.key }, said: await reused(tx, owner, from, at) };
        case "replaced": {
          // Two requests of one holder cross where it is, and not where it never was.
          if (isElsewhere(owner, from))
            return { outcome: { kind: "reused", key: owner.key }, said: await reused(tx, owner, from, at) };
          const outcome = (await replacementOf(tx, token, at)) ?? { kind: "ended" };
          return { outcome, said: await see(tx, owner, from, at) };
        }
        case "good": {
          if (isRenewal && number >= MAX_NUMBER) return { outcome: { kind: "ended" } };
          const outcome: Used = isRenewal
            ? await give(tx, family, number + 1, at)
            : { kind: "good", holding: { family: family.id, number } };
          return { outcome, said: await see(tx, owner, from, at) };
        }
      }
    });

  return {
    begin: (key, from) =>
      decided<Begun>(async (tx, at) => {
        const owner = await registrationsIn(tx).lock(key);
        if (!owner) return { outcome: { kind: "unregistered" } };
        if (owner.held) return { outcome: { kind: "held" } };
        const sessions = sessionsIn(tx);
        const families = await sessions.familiesOf(key);
        for (const { id } of families.slice(0, Math.max(0, families.length + 1 - MAX_FAMILIES))) await sessions.end(id);
        const family = { id: randomBytes(FAMILY_BYTES).toString("base64url"), key, began: at };
        const session = tokenOf(family.id, 1);
        await sessions.begin(family, hashOf(session), at + SESSION_MS);
        return {
          outcome: {
            kind: "given",
            session: { session, expires: at + SESSION_MS },
            holding: { family: family.id, number: 1 },
          },
          said: await see(tx, owner, from, at),
        };
      }),
    async use(session, key, from) {
      // Most often nothing changes by it, and then nothing is locked for it.
      const at = now();
      const token = await sessionsIn(database).byHash(hashOf(session));
      if (token && standingOf(token, key, at) === "good") {
        const owner = await registrationsIn(database).byKey(key);
        const network = coarseNetwork(from);
        const isSamePlace = network === undefined || owner?.place === placeOf(key, network);
        if (owner && isSamePlace && owner.seen > at - TOUCH_MS)
          return { kind: "good", holding: { family: token.family.id, number: token.number } };
      }
      return present(session, key, from, false);
    },
    renew: (session, key, from) => present(session, key, from, true) as Promise<Renewed>,
    async kept({ family: id, number }) {
      await database.transaction(async (tx) => {
        const family = await sessionsIn(tx).family(id);
        if (family && (await registrationsIn(tx).lock(family.key))) await sessionsIn(tx).keep(id, number, now());
      });
    },
    sweep: () => sessionsIn(database).sweep(now() - FAMILY_MS),
  };
}

interface Said {
  readonly account: string;
  readonly notice: Notice;
}

/** `reused`: in the hands of two. */
function standingOf(
  { family, replaced, expires }: Token,
  key: string,
  at: number,
): "over" | "reused" | "replaced" | "good" {
  if (at >= family.began + FAMILY_MS) return "over";
  if (family.key !== key) return "reused";
  if (replaced !== undefined) return at - replaced <= GRACE_MS ? "replaced" : "reused";
  return at >= expires ? "over" : "good";
}
