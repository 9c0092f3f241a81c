/** How this device stands to its account at a relay: signed in, out, or ended; what it keeps of that, and what it shows. */
import { ACCOUNT_SECRET_BYTES } from "@flybridge/crypto/account.ts";
import { fromBase64Url, toBase64Url } from "@flybridge/protocol/base64.ts";
import { MAX_NOTICES, type Notice } from "@flybridge/protocol/relay/account.ts";
import type { Session } from "@flybridge/protocol/relay/words.ts";
import type { Cell } from "../cell.ts";
import type { Keys } from "../keys.ts";
import type { Platform } from "../platform.ts";
import { AccountError, ENDED } from "./account-error.ts";
import { aloneWithAccount, keepAccount, type KeptAccount, keptAccount } from "./kept-account.ts";
import type { LineState } from "./member-line.ts";

export type AccountState =
  | { readonly kind: "out" }
  /** `line` is absent while nobody asked for a connection. */
  | { readonly kind: "in"; readonly email: string; readonly line?: LineState }
  /** Until the person signs in again or out; `message` is for them. */
  | {
      readonly kind: "ended";
      readonly email: string;
      readonly reason: "session_reused" | "signed_out";
      readonly message: string;
    };

export interface AccountView {
  state: AccountState;
  /** Newest first; known while connected. */
  notices: readonly Notice[];
}

/** What a device has that is signed in. */
export interface Own {
  readonly email: string;
  /** The account's, from which its keys come. */
  readonly secret: Uint8Array;
  readonly session: Session | undefined;
}

/** `changed` is called after each change of the view. Rejects with `StoreError`. */
export async function standingAt(platform: Platform, origin: string, changed: () => void): Promise<Standing> {
  return new Standing(platform, origin, stateOf(await keptAccount(platform.keys, origin)), changed);
}

export class Standing {
  readonly origin: string;
  readonly view: Cell<AccountView>;
  readonly #keys: Keys;
  readonly #changed: () => void;

  constructor(platform: Platform, origin: string, state: AccountState, changed: () => void) {
    this.origin = origin;
    this.view = platform.makeCell<AccountView>({ state, notices: [] });
    this.#keys = platform.keys;
    this.#changed = changed;
  }

  get state(): AccountState {
    return this.view.value.state;
  }

  /** Rejects with `AccountError` where this device is not signed in. */
  async own(): Promise<Own> {
    return ownIn(await keptAccount(this.#keys, this.origin));
  }

  /** The same while no other window of this device renews the session, or uses it. */
  alone<T>(work: (own: Own) => Promise<T>): Promise<T> {
    return aloneWithAccount(this.#keys, this.origin, (kept) => work(ownIn(kept)));
  }

  /** From here on it is signed in, also after a crash. */
  async enter(email: string, secret: Uint8Array, session: Session): Promise<void> {
    await this.#keep({ kind: "in", email, secret: toBase64Url(secret), session });
    this.#show({ kind: "in", email });
  }

  async forget(): Promise<void> {
    await this.#keep(undefined);
    this.#change((view) => {
      view.state = { kind: "out" };
      view.notices = [];
    });
  }

  /** How its connection fares. */
  line(line: LineState): void {
    const { state } = this;
    if (state.kind === "in") this.#show({ ...state, line });
  }

  /** It was ended, as it is kept. */
  out(kept: KeptAccount | undefined): void {
    this.#show(stateOf(kept));
  }

  notices(notices: readonly Notice[]): void {
    this.#change((view) => {
      view.notices = notices.slice(0, MAX_NOTICES);
    });
  }

  #keep(account: KeptAccount | undefined): Promise<void> {
    return aloneWithAccount(this.#keys, this.origin, () => keepAccount(this.#keys, this.origin, account));
  }

  #show(state: AccountState): void {
    this.#change((view) => {
      view.state = state;
    });
  }

  #change(mutate: (view: AccountView) => void): void {
    this.view.change(mutate);
    this.#changed();
  }
}

function stateOf(kept: KeptAccount | undefined): AccountState {
  if (!kept) return { kind: "out" };
  if (kept.kind === "in") return { kind: "in", email: kept.email };
  return { ...kept, message: ENDED[kept.reason] };
}

function ownIn(kept: KeptAccount | undefined): Own {
  const secret = kept?.kind === "in" ? fromBase64Url(kept.secret, ACCOUNT_SECRET_BYTES) : undefined;
  if (kept?.kind !== "in" || !secret)
    throw new AccountError("not_signed_in", "This device is not signed in there. Sign in.");
  return { email: kept.email, secret, session: kept.session };
}
