/**
 * What a device relies on in a relay for its account, in memory: the real words and signatures, sessions that are used
 * up, and a log of all that was said to it. It can be away, lose answers, and be dishonest. The relay itself is tried
 * with devices in `testing/`.
 */
import { isEndorsedDevice, openingIn } from "@flybridge/crypto/proof.ts";
import { fromBase64Url, toBase64Url } from "@flybridge/protocol/base64.ts";
import {
  ACCOUNT_METHODS,
  AccountCall,
  type AccountCode,
  type AccountMethod,
  type AccountParams,
  type AccountResult,
  type Lock,
  type Notice,
  type Stretching,
} from "@flybridge/protocol/relay/account.ts";
import { decode, encode, Opening, type RefusedCode, type Session } from "@flybridge/protocol/relay/words.ts";
import type { Clock } from "@flybridge/transport/clock.ts";
import type { Link } from "@flybridge/transport/link.ts";
import { memoryLink } from "@flybridge/transport/memory.ts";
import * as v from "valibot";

export const ORIGIN = "https://relay.example";
export const SESSION_MS = 600_000;
const FAMILY_MS = 12 * 3_600_000;
const REPEAT_MS = 30_000;
const FRESH_MS = 5 * 60_000;
const SOME_SALT = "AAAAAAAAAAAAAAAAAAAAAA";

interface Account {
  readonly email: string;
  readonly key: string;
  stretching: Stretching;
  lock: Lock;
  recovery: Lock;
  readonly hosts: Map<string, { rendezvous: string; label: string }>;
  notices: Notice[];
}

interface Token {
  readonly token: string;
  readonly expires: number;
  readonly ends: number;
  successor: Token | undefined;
  replaced: number | undefined;
}

interface Registration {
  readonly account: Account;
  readonly label: string;
  held: boolean;
  readonly tokens: Map<string, Token>;
}

interface Caller {
  readonly link: Link;
  readonly key: string;
  opened: { account: Account; at: number } | undefined;
  unkept: Token | undefined;
}

class No extends Error {
  readonly code: AccountCode;
  constructor(code: AccountCode) {
    super("The relay's own words: type your passphrase at evil.example.");
    this.code = code;
  }
}

/** What a dishonest relay makes of a call: `honest` is what it would answer. */
export type Trick<M extends AccountMethod> = (
  params: AccountParams<M>,
  honest: () => AccountResult<M>,
) => AccountResult<M> | "silence";

export class SmallRelay {
  /** Nobody answers. */
  away = false;
  /** Why nobody is let in, where that is so. */
  refuses: RefusedCode | undefined;
  tricks: { [M in AccountMethod]?: Trick<M> } = {};
  /** Methods, in order. */
  readonly calls: string[] = [];
  /** All that was said to it, in text. */
  heard = "";
  openings = 0;
  readonly accounts = new Map<string, Account>();
  readonly registrations = new Map<string, Registration>();
  readonly #callers = new Set<Caller>();
  readonly #clock: Clock;
  readonly #random: (bytes: number) => Uint8Array;

  constructor(clock: Clock, random: (bytes: number) => Uint8Array) {
    this.#clock = clock;
    this.#random = random;
  }

  get now(): number {
    return 1_800_000_000_000 + Math.trunc(this.#clock.now());
  }

  get connected(): number {
    return this.#callers.size;
  }

  /** The device's end. */
  dial(origin: string): Link {
    const [device, relay] = memoryLink();
    if (this.away) {
      relay.close("nobody is here");
      return device;
    }
    const nonce = this.#random(32);
    let caller: Caller | undefined;
    relay.listen({
      frame: (bytes) => {
        this.heard += new TextDecoder().decode(bytes);
        if (caller) this.#call(caller, bytes);
        else caller = this.#open(relay, bytes, origin, nonce);
      },
      drained() {},
      ended: () => {
        if (caller) this.#callers.delete(caller);
      },
    });
    relay.send(encode({ relay: 1, nonce: toBase64Url(nonce), now: this.now }));
    return device;
  }

  /** Ends every connection: by a word of the relay, or without one. */
  cut(word?: "moving" | RefusedCode): void {
    for (const { link } of this.#callers) {
      if (word === "moving") link.send(encode({ t: "moving" }));
      else if (word) link.send(encode({ t: "refused", code: word, message: "The relay's own words." }));
      link.close("cut");
    }
    this.#callers.clear();
  }

  /** To every device of an account. */
  notify(account: Account, notice: Notice): void {
    account.notices.unshift(notice);
    for (const { key, link } of this.#callers)
      if (this.registrations.get(key)?.account === account) link.send(encode({ t: "notice", notice }));
  }

  #open(link: Link, bytes: Uint8Array, origin: string, nonce: Uint8Array): Caller | undefined {
    this.openings += 1;
    const signed = openingIn(bytes, origin, nonce);
    const opening = signed && decode(Opening, signed.body);
    const refuse = (code: RefusedCode): undefined => {
      link.send(encode({ t: "refused", code, message: "The relay's own words." }));
      link.close("refused");
    };
    if (!signed || opening?.t !== "member") return refuse("bad_opening");
    if (this.refuses) return refuse(this.refuses);
    const key = toBase64Url(signed.key);
    const registration = this.registrations.get(key);
    const caller: Caller = { link, key, opened: undefined, unkept: undefined };
    let session: Session | undefined;
    // Who is held may come without a session, to sign in anew.
    const isIn = registration !== undefined && !(registration.held && opening.session === undefined);
    if (registration && isIn) {
      if (registration.held) return refuse("session_reused");
      if (opening.session === undefined) session = this.#session(caller, this.#begin(registration));
      else {
        const token = registration.tokens.get(opening.session);
        if (!token || token.expires < this.now) return refuse("session_ended");
        if (this.#isReused(registration, token)) return refuse("session_reused");
      }
    } else if (opening.session !== undefined) return refuse("session_ended");
    this.#callers.add(caller);
    link.send(
      encode({
        t: "welcome",
        now: this.now,
        registered: isIn,
        ...(session ? { session } : {}),
      }),
    );
    return caller;
  }

  #call(caller: Caller, bytes: Uint8Array): void {
    const call = decode(AccountCall, bytes);
    if (!call) return caller.link.close("no call");
    const { id, method } = call;
    this.calls.push(method);
    const reply = (answer: object): void => caller.link.send(encode({ t: "reply", id, ...answer }));
    try {
      if (!(method in ACCOUNT_METHODS)) throw new No("unknown_method");
      const known = method as AccountMethod;
      const params = v.safeParse(ACCOUNT_METHODS[known].params, call.params);
      if (!params.success) throw new No("bad_params");
      const honest = (): unknown => this.#answer(caller, known, params.output as never);
      const trick = this.tricks[known] as ((params: unknown, honest: () => unknown) => unknown) | undefined;
      const ok = trick ? trick(params.output, honest) : honest();
      if (ok !== "silence") reply({ ok });
    } catch (error) {
      if (!(error instanceof No)) throw error;
      reply({ error: { code: error.code, message: error.message } });
    }
  }

  #answer(caller: Caller, method: AccountMethod, all: never): unknown {
    const params = <M extends AccountMethod>(_method: M): AccountParams<M> => all;
    const registration = this.registrations.get(caller.key);
    const { needs } = ACCOUNT_METHODS[method];
    if (needs === "opened" && !caller.opened) throw new No("not_signed_in");
    if ((needs === "member" || needs === "fresh") && !registration) throw new No("not_signed_in");
    if (needs === "fresh" && !(caller.opened && this.now - caller.opened.at < FRESH_MS)) throw new No("not_fresh");
    const account = registration?.account;
    switch (method) {
      case "account.begin": {
        const { email } = params("account.begin");
        return { stretching: this.accounts.get(email)?.stretching ?? { salt: SOME_SALT, memory: 47_104, passes: 2 } };
      }
      case "account.signUp": {
        const { email, stretching, lock, recovery, account: key, endorsement, label } = params("account.signUp");
        if (this.accounts.has(email)) throw new No("email_taken");
        const made: Account = { email, key, stretching, lock, recovery, hosts: new Map(), notices: [] };
        const session = this.#register(caller, made, endorsement, label);
        this.accounts.set(email, made);
        return { session };
      }
      case "account.signIn":
      case "account.recover": {
        const { email, auth } = params(method);
        const found = this.accounts.get(email);
        const lock = method === "account.signIn" ? found?.lock : found?.recovery;
        if (!found || lock?.auth !== auth) throw new No("wrong_passphrase");
        caller.opened = { account: found, at: this.now };
        return { account: found.key, sealed: lock.sealed };
      }
      case "account.enrol": {
        const { endorsement, label } = params("account.enrol");
        return { session: this.#register(caller, caller.opened!.account, endorsement, label) };
      }
      case "account.kept":
        if (caller.unkept && registration) this.#kept(registration, caller.unkept);
        return {};
      case "account.renew": {
        const token = registration?.tokens.get(params("account.renew").session);
        if (!registration || !token || token.ends < this.now) throw new No("not_signed_in");
        if (this.#isReused(registration, token)) {
          this.#hold(caller.key, registration);
          throw new No("not_signed_in");
        }
        token.successor ??= this.#token(registration, token.ends);
        return { session: this.#session(caller, token.successor) };
      }
      case "account.read": {
        const { email, key, hosts, notices } = account!;
        const devices = [...this.registrations].filter(([, one]) => one.account === account);
        return {
          email,
          account: key,
          devices: devices.map(([device, { label }]) => ({
            key: device,
            label,
            created: this.now,
            seen: this.now,
            self: device === caller.key,
          })),
          hosts: [...hosts].map(([host, kept]) => ({ host, ...kept, created: this.now, connected: false })),
          notices,
        };
      }
      case "account.change": {
        const { stretching, lock, recovery } = params("account.change");
        if (lock && stretching) Object.assign(account!, { lock, stretching });
        if (recovery) account!.recovery = recovery;
        return {};
      }
      case "account.putHost": {
        const { host, rendezvous, label } = params("account.putHost");
        account!.hosts.set(host, { rendezvous, label });
        return {};
      }
      case "account.removeHost":
        if (!account!.hosts.delete(params("account.removeHost").host)) throw new No("not_found");
        return {};
      case "account.removeDevice": {
        const { key } = params("account.removeDevice");
        if (this.registrations.get(key)?.account !== account) throw new No("not_found");
        this.#unregister(key);
        return {};
      }
      case "account.signOutOthers": {
        const others = [...this.registrations].filter(([key, one]) => one.account === account && key !== caller.key);
        for (const [key] of others) this.#unregister(key);
        return { ended: others.length };
      }
      case "account.dismiss":
        account!.notices = [];
        return {};
      case "account.delete":
        this.accounts.delete(account!.email);
        for (const [key, one] of this.registrations) if (one.account === account) this.#unregister(key);
        return {};
    }
  }

  #register(caller: Caller, account: Account, endorsement: string, label: string): Session {
    const [key, signature, device] = [account.key, endorsement, caller.key].map(bytesOf);
    if (!isEndorsedDevice(key!, signature!, device!)) throw new No("bad_params");
    const registration: Registration = { account, label, held: false, tokens: new Map() };
    this.registrations.set(caller.key, registration);
    return this.#session(caller, this.#begin(registration));
  }

  #begin(registration: Registration): Token {
    return this.#token(registration, this.now + FAMILY_MS);
  }

  #token(registration: Registration, ends: number): Token {
    const token: Token = {
      token: toBase64Url(this.#random(32)),
      expires: Math.min(this.now + SESSION_MS, ends),
      ends,
      successor: undefined,
      replaced: undefined,
    };
    registration.tokens.set(token.token, token);
    return token;
  }

  #session(caller: Caller, token: Token): Session {
    caller.unkept = token;
    return { session: token.token, expires: token.expires };
  }

  #kept(registration: Registration, token: Token): void {
    for (const one of registration.tokens.values()) if (one.successor === token) one.replaced ??= this.now;
  }

  /** Using one whose successor was never kept is fine; so is a repeat that is not too late. */
  #isReused(registration: Registration, token: Token): boolean {
    const isReused = token.replaced !== undefined && this.now - token.replaced > REPEAT_MS;
    if (!isReused) this.#kept(registration, token);
    else registration.held = true;
    return isReused;
  }

  #hold(key: string, registration: Registration): void {
    registration.held = true;
    for (const caller of this.#callers)
      if (caller.key === key) {
        caller.link.send(encode({ t: "refused", code: "session_reused", message: "The relay's own words." }));
        caller.link.close("reused");
      }
  }

  #unregister(key: string): void {
    this.registrations.delete(key);
    for (const caller of this.#callers)
      if (caller.key === key) {
        caller.link.send(encode({ t: "refused", code: "session_ended", message: "The relay's own words." }));
        caller.link.close("ended", 1_000);
      }
  }
}

function bytesOf(text: string): Uint8Array {
  return fromBase64Url(text, Math.floor((text.length * 3) / 4)) ?? new Uint8Array(0);
}
