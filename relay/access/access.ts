/** Who may use this relay: the rules over its store, and the sockets that end with what they stood on. */
import { hostIdOf } from "@flybridge/crypto/identity.ts";
import { fromBase64Url } from "@flybridge/protocol/base64.ts";
import type { Notice, ToMember } from "@flybridge/protocol/relay/account.ts";
import { encode, type RefusedCode } from "@flybridge/protocol/relay/words.ts";
import type { Config } from "../config.ts";
import type { Access, AdmittedHost, AdmittedMember, Held, HostOpening, MemberOpening } from "../doors/admission.ts";
import { StoreError } from "../store/database.ts";
import { invitationsIn } from "../store/invitations.ts";
import type { RelayStore } from "../store/open.ts";
import { registrationsIn } from "../store/registrations.ts";
import { makeAccounts, type MemberCaller } from "./accounts.ts";
import { setHostAccount } from "./host-account.ts";
import { type Given, makeSessions, type Renewed } from "./sessions.ts";

/** How long an invitation lasts unless it is said, in milliseconds. */
export const INVITATION_MS = 7 * 24 * 3_600_000;
/** Milliseconds between two removals of what is idle. */
const SWEEP_MS = 3_600_000;
const KEY_BYTES = 32;

export interface OpenAccess extends Access, Disposable {
  /** For the first host, where nobody is registered yet and an invitation is needed. */
  readonly invitation: string | undefined;
  /** Ends the sockets of these keys at this node. */
  end(keys: readonly string[], code: RefusedCode): void;
}

/** A socket that hears of what concerns its account. */
interface Member {
  account: string | undefined;
  readonly send: (frame: Uint8Array) => void;
}

export async function openAccess(around: {
  readonly store: RelayStore;
  readonly config: Pick<Config, "registration">;
  /** Whether a host is at this relay now. */
  connected(rendezvous: string): boolean | Promise<boolean>;
  /** At the other nodes too. */
  ended(keys: readonly string[], code: RefusedCode): void;
  now(): number;
  log(message: string, detail: Record<string, unknown>): void;
}): Promise<OpenAccess> {
  const { store, config, now } = around;
  const { database, secret } = store;
  const { registration } = config;
  const holders = new Map<string, Set<Held>>();
  const members = new Set<Member>();
  const told = (account: string, notice: Notice): void => {
    for (const member of members)
      if (member.account === account) member.send(encode({ t: "notice", notice } satisfies ToMember));
  };
  const sessions = makeSessions({ database, secret, now, told });
  const accounts = makeAccounts({
    database,
    sessions,
    secret,
    registration,
    now,
    connected: ({ rendezvous }) => rendezvous !== undefined && around.connected(rendezvous),
    ended: (keys) => endEverywhere(keys, "session_ended"),
    told,
    failed: (error) => around.log("a call about an account failed", { error: String(error) }),
  });

  const hold = (held: Held): Disposable => {
    const set = holders.get(held.key) ?? new Set();
    holders.set(held.key, set.add(held));
    return {
      [Symbol.dispose]() {
        set.delete(held);
        if (set.size === 0) holders.delete(held.key);
      },
    };
  };
  const end = (keys: readonly string[], code: RefusedCode): void => {
    for (const key of keys) for (const held of holders.get(key) ?? []) held.close(code);
  };
  const endEverywhere = (keys: readonly string[], code: RefusedCode): void => {
    end(keys, code);
    around.ended(keys, code);
  };

  /** Makes it known, where it may be; undefined when it is. */
  const register = (opening: HostOpening, key: string, host: string): Promise<RefusedCode | undefined> =>
    database.transaction(async (tx) => {
      const registrations = registrationsIn(tx);
      const before = await registrations.lock(key);
      if (before?.kind === "device") return "bad_opening";
      const isSame = before?.rendezvous === opening.rendezvous;
      if (before && isSame && !before.held) return undefined;
      const isAsking = !before || before.held;
      if (before?.held && !opening.anew) return "session_reused";
      if (isAsking) {
        if (registration === "closed") return before ? "session_reused" : "closed";
        const { invitation } = opening;
        const isInvited =
          registration === "open" ||
          (invitation !== undefined && (await invitationsIn(tx).take(invitation, "host", now())));
        if (!isInvited) return before ? "session_reused" : "not_registered";
      }
      const at = now();
      const fresh = { key, kind: "host", host, rendezvous: opening.rendezvous, created: at, seen: at } as const;
      const isTaken = !(await registrations.put(
        before ? { ...before, rendezvous: opening.rendezvous, seen: at } : fresh,
      ));
      if (isTaken) throw new StoreError("conflict", "The rendezvous is another host's.");
      if (before?.held) await registrations.setHeld(key, false);
      return undefined;
    });

  /** A session of a key that has just proved itself, from the one it has or from none. */
  const signIn = async (key: string, session: string | undefined, from: string): Promise<Given | RefusedCode> => {
    const renewed: Renewed | undefined = session === undefined ? undefined : await sessions.renew(session, key, from);
    if (renewed?.kind === "given") return renewed;
    if (renewed?.kind === "reused") {
      endEverywhere([renewed.key], "session_reused");
      return "session_reused";
    }
    if (renewed?.kind === "held") return "session_reused";
    const begun = await sessions.begin(key, from);
    if (begun.kind === "given") return begun;
    return begun.kind === "held" ? "session_reused" : "not_registered";
  };

  /** True when what somebody shows who is not let in is another key's session, or a used one: its holder has lost it. */
  const isStolen = async (session: string | undefined, key: string, from: string): Promise<boolean> => {
    const used = session === undefined ? undefined : await sessions.use(session, key, from);
    if (used?.kind === "reused") endEverywhere([used.key], "session_reused");
    return used?.kind === "reused";
  };

  const hostOf = async (opening: HostOpening, held: Held, from: string): Promise<AdmittedHost | RefusedCode> => {
    const { key } = held;
    const [hs, hi] = [fromBase64Url(opening.hs, KEY_BYTES), fromBase64Url(key, KEY_BYTES)];
    if (!hs || !hi) return "bad_opening";
    const host = hostIdOf(hs, hi);
    const refused = await register(opening, key, host).catch((error: unknown) => {
      if (error instanceof StoreError && error.fault === "conflict") return "bad_opening" as const;
      throw error;
    });
    if (refused !== undefined) {
      await isStolen(opening.session, key, from);
      return refused;
    }
    const given = await signIn(key, opening.session, from);
    if (typeof given === "string") return given;
    const account = (await registrationsIn(database).byKey(key))?.account;
    const holding = hold(held);
    let { holding: newest } = given;

    const renew = async (session: string): Promise<void> => {
      const next = await signIn(key, session, from);
      if (typeof next === "string") return held.close(next);
      newest = next.holding;
      held.tell({ t: "session", ...next.session });
    };
    return {
      host,
      account,
      session: given.session,
      async control(message) {
        switch (message.t) {
          case "kept":
            return sessions.kept(newest);
          case "renew":
            return renew(message.session);
          case "account":
            return setHostAccount(database, key, message.account).then((next) =>
              next === undefined ? {} : { account: next },
            );
        }
      },
      gone: () => holding[Symbol.dispose](),
    };
  };

  const memberOf = async (
    { session }: MemberOpening,
    held: Held,
    send: (frame: Uint8Array) => void,
    from: string,
  ): Promise<AdmittedMember | RefusedCode> => {
    const { key } = held;
    const known = await registrationsIn(database).byKey(key);
    if (known?.kind === "host") {
      await isStolen(session, key, from);
      return "bad_opening";
    }
    const isIn = known?.account !== undefined && !known.held;
    if (!isIn && session !== undefined)
      return known?.held || (await isStolen(session, key, from)) ? "session_reused" : "session_ended";
    const given = isIn ? await signIn(key, session, from) : undefined;
    if (typeof given === "string") return given;
    const caller: MemberCaller = { key, from, holding: given?.holding };
    const member: Member = { account: isIn ? known.account : undefined, send };
    members.add(member);
    const holding = hold(held);
    return {
      registered: isIn,
      ...(given ? { session: given.session } : {}),
      async call(frame) {
        const answer = await accounts.callOf(frame, caller);
        // Once it is registered it hears of what concerns its account.
        if (caller.holding && caller.opened) member.account = caller.opened.account;
        return answer;
      },
      gone() {
        members.delete(member);
        holding[Symbol.dispose]();
      },
    };
  };

  const sweep = (): void => {
    Promise.all([
      registrationsIn(database).sweep(now()),
      sessions.sweep(),
      accounts.sweep(),
      invitationsIn(database).sweep(now()),
    ])
      .then(([keys]) => endEverywhere(keys, "not_registered"))
      .catch((error: unknown) => around.log("what is idle could not be removed", { error: String(error) }));
  };
  const sweeping = setInterval(sweep, SWEEP_MS);
  sweeping.unref();

  return {
    registration,
    invitation: registration === "invitation" ? await firstInvitation(store, now()) : undefined,
    end,
    host: hostOf,
    async accountOf(key, session, from) {
      if (session === undefined) return "not_registered";
      const used = await sessions.use(session, key, from);
      if (used.kind === "reused") endEverywhere([used.key], "session_reused");
      if (used.kind === "reused" || used.kind === "held") return "session_reused";
      if (used.kind === "ended") return "session_ended";
      const known = await registrationsIn(database).byKey(key);
      return known?.kind === "device" && known.account !== undefined ? { account: known.account } : "not_registered";
    },
    member: memberOf,
    [Symbol.dispose]: () => clearInterval(sweeping),
  };
}

/** Where nobody is registered, somebody has to be able to begin. */
async function firstInvitation({ database }: RelayStore, at: number): Promise<string | undefined> {
  const [somebody] = await database.query("SELECT key FROM registration LIMIT 1");
  return somebody ? undefined : invitationsIn(database).make("either", at + INVITATION_MS);
}
