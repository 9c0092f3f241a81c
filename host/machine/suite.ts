/**
 * The host's suite, over node:crypto: X25519 is some fifteen times faster there, which is what a handshake costs.
 *
 * ChaCha20-Poly1305 is shared by size: setting up a node:crypto cipher costs more than noble needs for a whole small
 * record. Both give the same bytes, which `suite.test.ts` shows.
 */
import {
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  randomBytes,
  type KeyObject,
} from "node:crypto";
import { checkedAgreement, isZero, requireKeyLength } from "@flybridge/crypto/agreement.ts";
import { nobleOpen, nobleSeal } from "@flybridge/crypto/noble.ts";
import { KEY_BYTES, SealError, TAG_BYTES, type AgreementKey, type Suite } from "@flybridge/crypto/suite.ts";

/** Bytes of plaintext from which node:crypto is faster: 18 us against 19 at 2 KiB, 51 against 115 at 16 KiB. */
export const NATIVE_BYTES = 2048;

const CIPHER = "chacha20-poly1305";
/** RFC 8410: what stands before the 32 bytes in the DER form of a private and of a public X25519 key. */
const PRIVATE_DER = Buffer.from("302e020100300506032b656e04220420", "hex");
const PUBLIC_DER = Buffer.from("302a300506032b656e032100", "hex");

export function nodeSuite(): Suite {
  return {
    generateKey: () => agreementKey(generateKeyPairSync("x25519").privateKey),
    seal: (key, nonce, associated, plaintext) =>
      plaintext.length < NATIVE_BYTES
        ? nobleSeal(key, nonce, associated, plaintext)
        : nativeSeal(key, nonce, associated, plaintext),
    open: (key, nonce, associated, sealed) =>
      sealed.length - TAG_BYTES < NATIVE_BYTES
        ? nobleOpen(key, nonce, associated, sealed)
        : nativeOpen(key, nonce, associated, sealed),
    random: (bytes) => new Uint8Array(randomBytes(bytes)),
  };
}

/** From 32 private bytes, as the host keeps them on disk. */
export function nodeKey(secret32: Uint8Array): AgreementKey {
  requireKeyLength(secret32, "A private key");
  if (isZero(secret32))
    throw new SealError("weak_key", "A private key of zeros is an unfilled buffer; make a new one.");
  return agreementKey(createPrivateKey({ key: Buffer.concat([PRIVATE_DER, secret32]), format: "der", type: "pkcs8" }));
}

/** Exported for its tests, which run it at every size; so is `nativeOpen`. */
export function nativeSeal(
  key: Uint8Array,
  nonce: Uint8Array,
  associated: Uint8Array,
  plaintext: Uint8Array,
): Uint8Array {
  const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(associated, { plaintextLength: plaintext.length });
  const sealed = new Uint8Array(plaintext.length + TAG_BYTES);
  sealed.set(cipher.update(plaintext));
  cipher.final();
  sealed.set(cipher.getAuthTag(), plaintext.length);
  return sealed;
}

export function nativeOpen(key: Uint8Array, nonce: Uint8Array, associated: Uint8Array, sealed: Uint8Array): Uint8Array {
  const length = sealed.length - TAG_BYTES;
  if (length < 0) throw new SealError("broken", "A sealed message is cut.");
  const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(associated, { plaintextLength: length });
  decipher.setAuthTag(sealed.subarray(length));
  const plaintext = new Uint8Array(decipher.update(sealed.subarray(0, length)));
  try {
    // Until here nothing is verified: the plaintext leaves this function only after `final`.
    decipher.final();
  } catch (cause) {
    throw new SealError("broken", "A sealed message did not verify.", { cause });
  }
  return plaintext;
}

function agreementKey(privateKey: KeyObject): AgreementKey {
  const der = createPublicKey(privateKey).export({ format: "der", type: "spki" });
  return {
    publicKey: new Uint8Array(der.subarray(-KEY_BYTES)),
    agree: checkedAgreement((theirs) => {
      const publicKey = createPublicKey({ key: Buffer.concat([PUBLIC_DER, theirs]), format: "der", type: "spki" });
      return new Uint8Array(diffieHellman({ privateKey, publicKey }));
    }),
  };
}
