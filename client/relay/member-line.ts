/**
 * Keeps a signed-in device connected to its relay: opens with what is kept, renews the session before it ends, comes back
 * when it is cut, and says so where no repetition mends it.
 *
 * A session is used up by renewing it, and one that was is an alarm when it is used again. So whoever touches it (of all
 * windows of this device) is alone with it, looks first at what is kept, and keeps the next one before it says so.
 */
import { RelayRefused } from "@flybridge/transport/relay.ts";
import { dial, type Dial } from "@flybridge/transport/dial.ts";
import type { Notice } from "@flybridge/protocol/relay/account.ts";
import { REFUSALS } from "@flybridge/protocol/relay/refusals.ts";
import type { Session } from "@flybridge/protocol/relay/words.ts";
import type { Platform } from "../platform.ts";
import { AccountError, accountErrorFrom, ENDED } from "./account-error.ts";
import { aloneWithAccount, keepAccount, type KeptAccount, keptAccount } from "./kept-account.ts";
import { CallRefused, type Member, type MemberEnd, openMember } from "./member.ts";

/** Of a session's life, how much passes before it is renewed. */
const RENEW_AFTER = 0.7;
/** Milliseconds before a renewal at the earliest: after the one before, or after one that failed. */
const RENEW_LEAST_MS = 5_000;

export type LineState =
  | { readonly kind: "connecting" }
  | { readonly kind: "live" }
  /** `reason` is for a person; `retryAt` milliseconds since 1970, where it is tried again by itself. */
  | { readonly kind: "away"; readonly reason: string; readonly retryAt?: number };

export interface LineEvents {
  state(state: LineState): void;
  /** Connected, or maybe not any more: a call finds out. */
  up(member: Member): void;
  notice(notice: Notice): void;
  /** For good: what is kept says why, or says nothing any more. */
  out(kept: Extract<KeptAccount, { kind: "ended" }> | undefined): void;
}

export class MemberLine {
  readonly #platform: Platform;
  readonly #origin: string;
  readonly #events: LineEvents;
  #dial: Dial | undefined;
  #member: Member | undefined;
  #reason = "";
  /** Who waits for the outcome of the attempt that runs. */
  #waiting: { ok(member: Member): void; failed(error: unknown): void }[] = [];

  constructor(platform: Platform, origin: string, events: LineEvents) {
    this.#platform = platform;
    this.#origin = origin;
    this.#events = events;
  }

  /** Does nothing when it has begun. */
  start(): void {
    if (this.#dial) return;
    const { clock, random } = this.#platform;
    const begun = dial({
      clock,
      chance: () => (random(1)[0] ?? 0) / 256,
      attempt: (up, signal) => this.#attempt(up, signal),
      waiting: (ms) => {
        const retryAt = this.#platform.now() + Math.round(ms);
        this.#events.state({ kind: "away", reason: this.#reason, retryAt });
      },
    });
    this.#dial = begun;
    void begun.done.then(() => {
      if (this.#dial === begun) this.#dial = undefined;
    });
  }

  /** The network, the page or the person came back: tries again now, or finds out whether it is still connected. */
  wake(): void {
    if (this.#member) this.#events.up(this.#member);
    else this.#dial?.wake();
  }

  stop(): void {
    const begun = this.#dial;
    this.#dial = undefined;
    begun?.stop();
    this.#member?.close();
    this.#fail(new AccountError("away", "This device closed the connection."));
  }

  /** What calls go over; connects for it. Rejects with `AccountError`, or `StoreError`. */
  ready(): Promise<Member> {
    if (this.#member?.isOpen) return Promise.resolve(this.#member);
    return new Promise((ok, failed) => {
      this.#waiting.push({ ok, failed });
      if (this.#dial) this.#dial.wake();
      else this.start();
    });
  }

  async #attempt(up: () => void, signal: AbortSignal): Promise<"again" | "stop"> {
    this.#events.state({ kind: "connecting" });
    let member: Member;
    try {
      const { keys } = this.#platform;
      const entered = await aloneWithAccount(keys, this.#origin, (kept) => this.#enter(kept, signal), signal);
      if ("out" in entered) {
        this.#fail(outError(entered.out));
        this.#events.out(entered.out);
        return "stop";
      }
      ({ member } = entered);
    } catch (error) {
      if (signal.aborted) return "stop";
      const told = accountErrorFrom(error);
      this.#reason = told instanceof Error ? told.message : String(told);
      this.#fail(told);
      return "again";
    }
    this.#member = member;
    const stopRenewing = this.#renewing(member, signal);
    up();
    this.#events.state({ kind: "live" });
    this.#events.up(member);
    for (const one of this.#waiting.splice(0)) one.ok(member);
    const end = await member.ended;
    stopRenewing();
    this.#member = undefined;
    this.#reason = reasonOf(end);
    return signal.aborted ? "stop" : "again";
  }

  async #enter(
    kept: KeptAccount | undefined,
    signal: AbortSignal,
  ): Promise<{ member: Member } | { out: Extract<KeptAccount, { kind: "ended" }> | undefined }> {
    const { keys, clock } = this.#platform;
    if (kept?.kind !== "in") return { out: kept };
    const [reach, key] = await Promise.all([this.#platform.reach(), keys.proof()]);
    const open = (session?: string): Promise<Member> =>
      openMember(reach, {
        origin: this.#origin,
        key,
        session,
        clock,
        signal,
        notice: (notice) => this.#events.notice(notice),
      });
    const gone = async (reason: "session_reused" | "signed_out") => {
      const out = { kind: "ended", email: kept.email, reason } as const;
      await keepAccount(keys, this.#origin, out);
      return { out };
    };
    try {
      // One that is too old is no alarm, and the key alone gets another.
      const member = await open(kept.session?.session).catch((error: unknown) => {
        if (error instanceof RelayRefused && error.code === "session_ended" && kept.session) return open();
        throw error;
      });
      const { registered, session } = member.welcome;
      if (registered === false) {
        member.close();
        return await gone("signed_out");
      }
      await this.#keep(member, kept, session);
      return { member };
    } catch (error) {
      if (!(error instanceof RelayRefused)) throw error;
      if (error.code === "session_reused") return gone("session_reused");
      if (error.code === "session_ended" || error.code === "not_registered") return gone("signed_out");
      throw error;
    }
  }

  async #keep(member: Member, kept: Extract<KeptAccount, { kind: "in" }>, session: Session | undefined): Promise<void> {
    if (!session) return;
    try {
      await keepAccount(this.#platform.keys, this.#origin, { ...kept, session });
      await member.call("account.kept", {});
    } catch (error) {
      member.close();
      throw error;
    }
  }

  /** Renews while the member is connected; the answer ends it. */
  #renewing(member: Member, signal: AbortSignal): () => void {
    const { keys, clock, now } = this.#platform;
    /** Milliseconds by which the relay's clock is before ours. */
    const ahead = member.welcome.now - now();
    let stopTimer = (): void => {};
    const after = (session: Session | undefined): void => {
      if (!session || !member.isOpen) return;
      const left = session.expires - (now() + ahead);
      stopTimer = clock.setTimer(Math.max(RENEW_LEAST_MS, left * RENEW_AFTER), () => void renew(session));
    };
    const renew = async (known: Session): Promise<void> => {
      try {
        const next = await aloneWithAccount(keys, this.#origin, (kept) => this.#next(member, kept, known), signal);
        if (next) after(next);
        else member.close();
      } catch (error) {
        if (!member.isOpen || signal.aborted) return;
        // It counts until it ends; a relay that wants no more of it says why when we come again.
        if (error instanceof CallRefused && error.code !== "unavailable") member.close();
        else after({ ...known, expires: now() + ahead });
      }
    };
    void keptAccount(this.#platform.keys, this.#origin).then(
      (kept) => after(kept?.kind === "in" ? kept.session : undefined),
      () => after(member.welcome.session),
    );
    return () => stopTimer();
  }

  /** The session that follows the one that is known; undefined where this device is not signed in any more. */
  async #next(member: Member, kept: KeptAccount | undefined, known: Session): Promise<Session | undefined> {
    if (kept?.kind !== "in") return undefined;
    // Another window was first.
    if (kept.session && kept.session.session !== known.session) return kept.session;
    const { session } = await member.call("account.renew", { session: known.session });
    await this.#keep(member, kept, session);
    return session;
  }

  #fail(error: unknown): void {
    for (const one of this.#waiting.splice(0)) one.failed(error);
  }
}

/** In words for whoever asked for something. */
function outError(kept: Extract<KeptAccount, { kind: "ended" }> | undefined): AccountError {
  return new AccountError("not_signed_in", kept ? ENDED[kept.reason] : "This device is not signed in there. Sign in.");
}

function reasonOf(end: MemberEnd): string {
  switch (end.kind) {
    case "refused":
      return REFUSALS[end.code];
    case "moving":
      return "The relay is starting again.";
    case "cut":
      return end.reason;
    case "closed":
      return "This device closed the connection.";
  }
}
