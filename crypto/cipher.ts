/**
 * One direction of one key: an AEAD whose nonce is a counter (Noise rev 34 §5.1, CipherState).
 *
 * The counter is never sent, so a message that is lost, doubled or out of its place does not verify.
 */
import { KEY_BYTES, SealError, type Suite } from "./suite.ts";

/** Bytes of the longest Noise message, handshake or transport, tags included (Noise §3). */
export const MAX_MESSAGE_BYTES = 65_535;

/** Messages under one cipher. Noise allows 2^64 - 2; here the counter must stay an exact number. */
const MAX_MESSAGES = Number.MAX_SAFE_INTEGER;
const NOTHING = new Uint8Array(0);

export class CipherState {
  readonly #suite: Suite;
  /** Own copy, replaced by `rekey`; an array that was used as a key is wiped, never filled with another. */
  #key: Uint8Array;
  #count = 0;

  constructor(suite: Suite, key: Uint8Array) {
    this.#suite = suite;
    this.#key = key.slice();
  }

  /** Messages sealed or opened so far, which is the nonce of the next one. */
  get count(): number {
    return this.#count;
  }

  seal(associated: Uint8Array, plaintext: Uint8Array): Uint8Array {
    const sealed = this.#suite.seal(this.#key, this.#nonce(), associated, plaintext);
    this.#count += 1;
    return sealed;
  }

  /** Throws `SealError("broken")` and does not advance; what a failure means is the caller's business. */
  open(associated: Uint8Array, sealed: Uint8Array): Uint8Array {
    const plaintext = this.#suite.open(this.#key, this.#nonce(), associated, sealed);
    this.#count += 1;
    return plaintext;
  }

  /** A one-way step of the key, so that a stolen one opens nothing older (Noise §4.2, §11.3). The counter goes on. */
  rekey(): void {
    const next = this.#suite.seal(this.#key, nonceOf(0xffff_ffff, 0xffff_ffff), NOTHING, new Uint8Array(KEY_BYTES));
    this.#key.fill(0);
    this.#key = next.slice(0, KEY_BYTES);
    next.fill(0);
  }

  /** Forgets the key, as far as JavaScript can promise that. The holder never calls again. */
  destroy(): void {
    this.#key.fill(0);
  }

  #nonce(): Uint8Array {
    if (this.#count >= MAX_MESSAGES) throw new SealError("spent", "This key has sealed all it may; connect again.");
    return nonceOf(Math.floor(this.#count / 2 ** 32), this.#count >>> 0);
  }
}

/** 32 bits of zeros, then the counter in 64 bits, little-endian (Noise §12.3). */
function nonceOf(high: number, low: number): Uint8Array {
  const nonce = new Uint8Array(12);
  const view = new DataView(nonce.buffer);
  view.setUint32(4, low, true);
  view.setUint32(8, high, true);
  return nonce;
}
