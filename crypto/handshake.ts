/**
 * The Noise handshake, rev 34, for `25519_ChaChaPoly_SHA256` and any pattern: bytes in, bytes out.
 *
 * Patterns are data; `pairing.ts` and `reconnect.ts` hold the only two this product speaks and give them types.
 * A handshake goes forward or dies: each step works once, and after any failure nothing works. A step is spent from
 * the moment it is called, not when its agreement resolves, so two calls at once cannot both take it.
 */
import { concatBytes } from "@noble/hashes/utils.js";
import { isZero, requireKeyLength } from "./agreement.ts";
import { MAX_MESSAGE_BYTES } from "./cipher.ts";
import { KEY_BYTES, SealError, type AgreementKey, type Suite } from "./suite.ts";
import { SymmetricState } from "./symmetric.ts";

export type Role = "initiator" | "responder";
/** Noise §5.3. In a pair of letters the first is the initiator's key and the second the responder's. */
export type Token = "e" | "s" | "ee" | "es" | "se" | "ss" | "psk";

export interface Pattern {
  /** As in the protocol's name: `XKpsk3`. It is hashed first, so two patterns never agree by accident. */
  readonly name: string;
  /** Pre-messages: whose static key the other side knows beforehand, in this order. */
  readonly known: readonly Role[];
  /** The initiator writes the first, then in turns. */
  readonly messages: readonly (readonly Token[])[];
}

export interface HandshakeInput {
  readonly suite: Suite;
  readonly pattern: Pattern;
  readonly role: Role;
  /** What both sides must agree on beforehand; a difference makes the first sealed byte fail. */
  readonly prologue: Uint8Array;
  readonly localStatic?: AgreementKey;
  readonly remoteStatic?: Uint8Array;
}

/** What a finished handshake leaves. Every array but `hash` is a secret of 32 bytes. */
export interface Split {
  readonly sealKey: Uint8Array;
  readonly openKey: Uint8Array;
  readonly hash: Uint8Array;
  readonly exported: Uint8Array;
}

export class Handshake {
  readonly #suite: Suite;
  readonly #pattern: Pattern;
  readonly #role: Role;
  readonly #symmetric: SymmetricState;
  /** In the order of the pattern's psk tokens; each is taken once. */
  readonly #psks: Uint8Array[] = [];
  /** Noise §9.2: where a psk takes part, ephemerals are mixed into the key too, so that no two keys are the same. */
  readonly #mixEphemerals: boolean;
  readonly #s: AgreementKey | undefined;
  #e: AgreementKey | undefined;
  #rs: Uint8Array | undefined;
  #re: Uint8Array | undefined;
  /** Index of the next message, or "spent": a step is under way, one failed, or `split` was called. */
  #next: number | "spent" = 0;

  constructor(input: HandshakeInput) {
    this.#suite = input.suite;
    this.#pattern = input.pattern;
    this.#role = input.role;
    this.#mixEphemerals = input.pattern.messages.some((tokens) => tokens.includes("psk"));
    this.#s = input.localStatic;
    this.#rs = input.remoteStatic?.slice();
    if (this.#rs !== undefined) requireKeyLength(this.#rs, "The other side's public key");
    this.#symmetric = new SymmetricState(input.suite, `Noise_${input.pattern.name}_25519_ChaChaPoly_SHA256`);
    this.#symmetric.mixHash(input.prologue);
    for (const owner of input.pattern.known) {
      this.#symmetric.mixHash(owner === input.role ? known(this.#s).publicKey : known(this.#rs));
    }
  }

  /** 32 bytes, before the message that mixes it; a responder may first read the message that says which one. */
  providePsk(psk: Uint8Array): void {
    requireKeyLength(psk, "A pre-shared key");
    if (isZero(psk)) throw new SealError("weak_key", "A pre-shared key of zeros is an unfilled buffer; pair again.");
    this.#psks.push(psk.slice());
  }

  /** The other side's static key: known beforehand, or once the message that carries it was read. */
  get remoteStatic(): Uint8Array {
    return known(this.#rs).slice();
  }

  /** Writes the next message. Throws "spent" out of turn, "weak_key" when a key of the other side is useless. */
  async write(payload: Uint8Array): Promise<Uint8Array> {
    const [tokens, done] = this.#take("writes");
    const body = payload.slice();
    const parts: Uint8Array[] = [];
    for (const token of tokens) {
      if (token === "e") {
        this.#e = await this.#suite.generateKey();
        parts.push(this.#e.publicKey);
        this.#mixEphemeral(this.#e.publicKey);
      } else if (token === "s") {
        parts.push(this.#symmetric.sealAndHash(known(this.#s).publicKey));
      } else {
        await this.#mix(token);
      }
    }
    const message = concatBytes(...parts, this.#symmetric.sealAndHash(body));
    if (message.length > MAX_MESSAGE_BYTES) throw new SealError("broken", "A handshake message is too long.");
    done();
    return message;
  }

  /** Reads the next message, gives its payload. Throws "broken" when it does not verify, and as `write` does. */
  async read(message: Uint8Array): Promise<Uint8Array> {
    const [tokens, done] = this.#take("reads");
    if (message.length > MAX_MESSAGE_BYTES) throw new SealError("broken", "A handshake message is too long.");
    let rest = message.slice();
    const cut = (bytes: number): Uint8Array => {
      if (rest.length < bytes) throw new SealError("broken", "A handshake message is cut.");
      const part = rest.slice(0, bytes);
      rest = rest.subarray(bytes);
      return part;
    };
    for (const token of tokens) {
      if (token === "e") {
        this.#re = cut(KEY_BYTES);
        this.#mixEphemeral(this.#re);
      } else if (token === "s") {
        this.#rs = this.#symmetric.openAndHash(cut(KEY_BYTES + this.#symmetric.overhead));
      } else {
        await this.#mix(token);
      }
    }
    const payload = this.#symmetric.openAndHash(rest);
    done();
    return payload;
  }

  /** After the last message, once: the transport keys, the handshake hash, and a secret for another use by `label`. */
  split(label: string): Split {
    if (this.#next !== this.#pattern.messages.length) throw spent();
    this.#next = "spent";
    const { first, second, hash, exported } = this.#symmetric.split(label);
    return this.#role === "initiator"
      ? { sealKey: first, openKey: second, hash, exported }
      : { sealKey: second, openKey: first, hash, exported };
  }

  /** The next message's tokens, if it is this side's turn; `done` frees the step after it. */
  #take(action: "writes" | "reads"): readonly [tokens: readonly Token[], done: () => void] {
    const index = this.#next;
    if (index === "spent") throw spent();
    const tokens = this.#pattern.messages[index];
    const writer: Role = index % 2 === 0 ? "initiator" : "responder";
    if (tokens === undefined || (writer === this.#role) !== (action === "writes")) throw spent();
    this.#next = "spent";
    return [tokens, () => (this.#next = index + 1)];
  }

  #mixEphemeral(publicKey: Uint8Array): void {
    this.#symmetric.mixHash(publicKey);
    if (this.#mixEphemerals) this.#symmetric.mixKey(publicKey);
  }

  async #mix(token: Exclude<Token, "e" | "s">): Promise<void> {
    if (token === "psk") return this.#symmetric.mixKeyAndHash(known(this.#psks.shift()));
    const [mine, theirs] = this.#role === "initiator" ? [token[0], token[1]] : [token[1], token[0]];
    const key = known(mine === "e" ? this.#e : this.#s);
    this.#symmetric.mixKey(await key.agree(known(theirs === "e" ? this.#re : this.#rs)));
  }
}

/** A pattern asks for a key nobody gave: a fault of the code that built the handshake, never of the other side. */
function known<T>(key: T | undefined): T {
  if (key === undefined) throw new SealError("weak_key", "The handshake needs a key it was not given.");
  return key;
}

function spent(): SealError {
  return new SealError("spent", "This handshake step is over; begin a new handshake.");
}
