/** What a handshake has said and agreed so far: the running hash and the chaining key (Noise rev 34 §5.2). */
import { hkdf } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { concatBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import { CipherState } from "./cipher.ts";
import { KEY_BYTES, TAG_BYTES, type Suite } from "./suite.ts";

export class SymmetricState {
  readonly #suite: Suite;
  #hash: Uint8Array;
  #chain: Uint8Array;
  /** Until a key is mixed, messages go in the clear and are only hashed. */
  #cipher: CipherState | undefined;

  constructor(suite: Suite, protocol: string) {
    const name = utf8ToBytes(protocol);
    this.#suite = suite;
    this.#hash = name.length <= KEY_BYTES ? concatBytes(name, new Uint8Array(KEY_BYTES - name.length)) : sha256(name);
    this.#chain = this.#hash;
  }

  /** Bytes that `sealAndHash` adds now. */
  get overhead(): number {
    return this.#cipher === undefined ? 0 : TAG_BYTES;
  }

  mixHash(data: Uint8Array): void {
    this.#hash = sha256(concatBytes(this.#hash, data));
  }

  mixKey(material: Uint8Array): void {
    const [chain, key] = derive(this.#chain, material, 2);
    this.#chain = chain;
    this.#cipher = new CipherState(this.#suite, key);
  }

  mixKeyAndHash(material: Uint8Array): void {
    const [chain, hash, key] = derive(this.#chain, material, 3);
    this.#chain = chain;
    this.mixHash(hash);
    this.#cipher = new CipherState(this.#suite, key);
  }

  sealAndHash(plaintext: Uint8Array): Uint8Array {
    const sealed = this.#cipher === undefined ? plaintext : this.#cipher.seal(this.#hash, plaintext);
    this.mixHash(sealed);
    return sealed;
  }

  openAndHash(sealed: Uint8Array): Uint8Array {
    const plaintext = this.#cipher === undefined ? sealed : this.#cipher.open(this.#hash, sealed);
    this.mixHash(sealed);
    return plaintext;
  }

  /**
   * `exported` is not in the Noise paper: HKDF(ck, label || h). Both it and the transport keys come from HMACs under
   * `ck` of different inputs (Noise's own is the empty one), so none of them says anything about the others.
   */
  split(label: string): { first: Uint8Array; second: Uint8Array; hash: Uint8Array; exported: Uint8Array } {
    const [first, second] = derive(this.#chain, new Uint8Array(0), 2);
    const [exported] = derive(this.#chain, concatBytes(utf8ToBytes(label), this.#hash), 1);
    return { first, second, hash: this.#hash, exported };
  }
}

type Outputs = { 1: [Uint8Array]; 2: [Uint8Array, Uint8Array]; 3: [Uint8Array, Uint8Array, Uint8Array] };

/** Noise §4.3's HKDF is RFC 5869's with the chaining key as salt and no info, cut into keys. */
function derive<N extends 1 | 2 | 3>(chain: Uint8Array, material: Uint8Array, count: N): Outputs[N] {
  const bytes = hkdf(sha256, material, chain, undefined, count * KEY_BYTES);
  return Array.from({ length: count }, (_, at) => bytes.slice(at * KEY_BYTES, (at + 1) * KEY_BYTES)) as Outputs[N];
}
