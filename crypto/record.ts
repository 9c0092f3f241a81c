/**
 * Records: what both sides send once a handshake is done, one Noise transport message each (Noise §5.2, §7.3).
 *
 * Nothing here is retried. A record that does not verify means that somebody is in between or that the two sides
 * have lost step, and both are mended only by a new handshake: the opener forgets its key and stays shut.
 */
import { CipherState, MAX_MESSAGE_BYTES } from "./cipher.ts";
import { SealError, TAG_BYTES, type Suite } from "./suite.ts";

/** Bytes of one record on the wire, tag included. */
export const MAX_RECORD_BYTES = MAX_MESSAGE_BYTES;
/** Bytes of plaintext that one record holds. */
export const MAX_PLAINTEXT_BYTES = MAX_RECORD_BYTES - TAG_BYTES;
/** Records per direction under one key; then both sides take the key one step on, without a word (Noise §11.3). */
export const REKEY_RECORDS = 4096;

const NOTHING = new Uint8Array(0);

export class Sealer {
  readonly #cipher: CipherState;

  constructor(suite: Suite, key: Uint8Array) {
    this.#cipher = new CipherState(suite, key);
  }

  /** Every result must be sent, in the order made. Throws "broken" for too long a plaintext, with nothing used up. */
  seal(plaintext: Uint8Array): Uint8Array {
    if (plaintext.length > MAX_PLAINTEXT_BYTES) {
      throw new SealError(
        "broken",
        `A record holds ${MAX_PLAINTEXT_BYTES} bytes; send ${plaintext.length} in several.`,
      );
    }
    const record = this.#cipher.seal(NOTHING, plaintext);
    stepKey(this.#cipher);
    return record;
  }
}

export class Opener {
  readonly #cipher: CipherState;
  #spent = false;

  constructor(suite: Suite, key: Uint8Array) {
    this.#cipher = new CipherState(suite, key);
  }

  /** Takes records in the order they were sealed. Throws "broken" once, and "spent" ever after. */
  open(record: Uint8Array): Uint8Array {
    if (this.#spent) throw new SealError("spent", "A record failed before; close this connection and connect again.");
    try {
      if (record.length > MAX_RECORD_BYTES || record.length < TAG_BYTES) {
        throw new SealError("broken", "A record is cut or too long.");
      }
      const plaintext = this.#cipher.open(NOTHING, record);
      stepKey(this.#cipher);
      return plaintext;
    } catch (error) {
      this.#spent = true;
      this.#cipher.destroy();
      throw error;
    }
  }
}

function stepKey(cipher: CipherState): void {
  if (cipher.count % REKEY_RECORDS === 0) cipher.rekey();
}
