/**
 * A device's connection to a relay as one of its members: it has shown that it holds its key, and makes calls about its
 * account. What a host is told goes another way (`circuit.ts`), and never over this one.
 */
import type { SigningKey } from "@flybridge/crypto/identity.ts";
import {
  ACCOUNT_METHODS,
  type AccountCode,
  type AccountMethod,
  type AccountParams,
  type AccountResult,
  type Notice,
  ToMember,
} from "@flybridge/protocol/relay/account.ts";
import { decode, encode, Refused, type RefusedCode, type Welcome } from "@flybridge/protocol/relay/words.ts";
import type { Clock } from "@flybridge/transport/clock.ts";
import type { Link, LinkEnd } from "@flybridge/transport/link.ts";
import { openAt, RelayAway } from "@flybridge/transport/relay.ts";
import * as v from "valibot";
import type { Reach } from "../platform.ts";

/** Milliseconds in which a relay answers a call. */
const CALL_MS = 15_000;

/** The relay did not do what it was asked. `message` is its own, for a person. */
export class CallRefused extends Error {
  override readonly name = "CallRefused";
  readonly code: AccountCode;
  /** Milliseconds after which it may be tried again, where the relay said so. */
  readonly after: number | undefined;
  constructor(code: AccountCode, message: string, after?: number) {
    super(message);
    this.code = code;
    this.after = after;
  }
}

export type MemberEnd =
  /** By the relay, for good: its code for it. */
  | { readonly kind: "refused"; readonly code: RefusedCode }
  /** The relay is about to end, or a part of it: connecting again leads on. */
  | { readonly kind: "moving" }
  /** `reason` is for a person. */
  | { readonly kind: "cut"; readonly reason: string }
  /** By `close`. */
  | { readonly kind: "closed" };

export interface MemberOptions {
  /** As `relayOriginFrom` writes it. */
  readonly origin: string;
  /** DA. */
  readonly key: SigningKey;
  readonly session?: string | undefined;
  readonly clock: Clock;
  readonly signal?: AbortSignal;
  notice?(notice: Notice): void;
}

interface Open {
  readonly method: AccountMethod;
  ok(result: never): void;
  failed(error: CallRefused | RelayAway): void;
  stopTimer(): void;
}

/** Rejects with `RelayRefused` or `RelayAway` of `transport/relay.ts`. */
export async function openMember(reach: Pick<Reach, "relay">, options: MemberOptions): Promise<Member> {
  const { origin, key, session, clock, signal } = options;
  const { link, welcome } = await openAt(reach.relay(origin), {
    origin,
    key,
    clock,
    opening: { t: "member", ...(session === undefined ? {} : { session }) },
    ...(signal ? { signal } : {}),
  });
  return new Member(link, welcome, options);
}

export class Member {
  readonly welcome: Welcome;
  /** Fulfils once, and never rejects. */
  readonly ended: Promise<MemberEnd>;
  readonly #link: Link;
  readonly #options: MemberOptions;
  readonly #open = new Map<number, Open>();
  #number = 0;
  #end: MemberEnd | undefined;
  #tellEnd: (end: MemberEnd) => void = () => {};

  constructor(link: Link, welcome: Welcome, options: MemberOptions) {
    this.welcome = welcome;
    this.#link = link;
    this.#options = options;
    this.ended = new Promise((resolve) => {
      this.#tellEnd = resolve;
    });
    link.listen({
      frame: (bytes) => this.#frame(bytes),
      drained() {},
      ended: (end) => this.#finish({ kind: "cut", reason: sentenceOf(end, options.origin) }),
    });
  }

  get isOpen(): boolean {
    return this.#end === undefined;
  }

  /** Rejects with `CallRefused`, or with `RelayAway` when no answer came: then it may have been done or not. */
  call<M extends AccountMethod>(method: M, params: AccountParams<M>): Promise<AccountResult<M>> {
    if (this.#end) return Promise.reject(this.#away(this.#end));
    const id = this.#number++;
    return new Promise((ok, failed) => {
      const stopTimer = this.#options.clock.setTimer(CALL_MS, () =>
        this.#finish({ kind: "cut", reason: `The relay at ${this.#options.origin} does not answer.` }),
      );
      this.#open.set(id, { method, ok, failed, stopTimer });
      this.#link.send(encode({ t: "call", id, method, params }));
    });
  }

  close(): void {
    this.#finish({ kind: "closed" });
  }

  #frame(bytes: Uint8Array): void {
    if (this.#end) return;
    const refused = decode(Refused, bytes);
    if (refused) return this.#finish({ kind: "refused", code: refused.code });
    const message = decode(ToMember, bytes);
    // A newer relay may say what this device does not know.
    if (!message) return;
    if (message.t === "moving") this.#finish({ kind: "moving" });
    else if (message.t === "notice") this.#options.notice?.(message.notice);
    else this.#answer(message);
  }

  #answer({ id, ok, error }: Extract<ToMember, { t: "reply" }>): void {
    const open = this.#open.get(id);
    if (!open) return;
    this.#open.delete(id);
    open.stopTimer();
    if (error) return open.failed(new CallRefused(error.code, error.message, error.after));
    const result = v.safeParse(ACCOUNT_METHODS[open.method].result, ok);
    if (result.success) open.ok(result.output as never);
    else
      open.failed(
        new CallRefused("unavailable", "The relay answered in words that this app does not know. Update it."),
      );
  }

  #finish(end: MemberEnd): void {
    if (this.#end) return;
    this.#end = end;
    this.#link.close("closed");
    const open = [...this.#open.values()];
    this.#open.clear();
    for (const one of open) {
      one.stopTimer();
      one.failed(this.#away(end));
    }
    this.#tellEnd(end);
  }

  #away(end: MemberEnd): RelayAway {
    return new RelayAway(end.kind === "cut" ? end.reason : `The connection to ${this.#options.origin} has ended.`);
  }
}

function sentenceOf({ kind }: LinkEnd, origin: string): string {
  if (kind === "violation") return `What ${origin} said is not understood. Update both sides.`;
  // Why it did is the relay's own to word, and no word of it goes on a screen.
  return kind === "closed" ? `The relay at ${origin} closed the connection.` : `The connection to ${origin} was cut.`;
}
