/**
 * The suite for Node, over node:crypto: the host's and the shells': X25519 is some fifteen times faster there, which is what a handshake costs, and
 * ChaCha20-Poly1305 three times, once the key is prepared: preparing it is four fifths of sealing a small record, so it
 * is done once per key. Both suites give the same bytes, which `suite-node.test.ts` shows. It is the one file of this
 * package that knows Node.
 */
import {
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  diffieHellman,
  generateKeyPairSync,
  randomBytes,
  type KeyObject,
} from "node:crypto";
import { checkedAgreement, isZero, requireKeyLength } from "./agreement.ts";
import { KEY_BYTES, SealError, TAG_BYTES, type AgreementKey, type Suite } from "./suite.ts";

const CIPHER = "chacha20-poly1305";
/** Records have no associated data, and to say so to Node costs a quarter of sealing a small one. */
const OPTIONS = { authTagLength: TAG_BYTES };
/** RFC 8410: what stands before the 32 bytes in the DER form of a private and of a public X25519 key. */
const PRIVATE_DER = Buffer.from("302e020100300506032b656e04220420", "hex");
const PUBLIC_DER = Buffer.from("302a300506032b656e032100", "hex");

export function nodeSuite(): Suite {
  return {
    generateKey: () => agreementKey(generateKeyPairSync("x25519").privateKey),
    seal,
    open,
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

/** What node:crypto prepared for a key, for as long as the key's array lives. */
const prepared = new WeakMap<Uint8Array, KeyObject>();

function preparedFrom(key: Uint8Array): KeyObject {
  let object = prepared.get(key);
  if (!object) {
    object = createSecretKey(key);
    prepared.set(key, object);
  }
  return object;
}

function seal(key: Uint8Array, nonce: Uint8Array, associated: Uint8Array, plaintext: Uint8Array): Uint8Array {
  const cipher = createCipheriv(CIPHER, preparedFrom(key), nonce, OPTIONS);
  if (associated.length > 0) cipher.setAAD(associated, { plaintextLength: plaintext.length });
  const sealed = new Uint8Array(plaintext.length + TAG_BYTES);
  sealed.set(cipher.update(plaintext));
  cipher.final();
  sealed.set(cipher.getAuthTag(), plaintext.length);
  return sealed;
}

function open(key: Uint8Array, nonce: Uint8Array, associated: Uint8Array, sealed: Uint8Array): Uint8Array {
  const length = sealed.length - TAG_BYTES;
  if (length < 0) throw new SealError("broken", "A sealed message is cut.");
  const decipher = createDecipheriv(CIPHER, preparedFrom(key), nonce, OPTIONS);
  if (associated.length > 0) decipher.setAAD(associated, { plaintextLength: length });
  decipher.setAuthTag(sealed.subarray(length));
  // An array of its own already, and large ones are dear to copy.
  const { buffer, byteOffset, byteLength } = decipher.update(sealed.subarray(0, length));
  try {
    // Until here nothing is verified: the plaintext leaves this function only after `final`.
    decipher.final();
  } catch (cause) {
    throw new SealError("broken", "A sealed message did not verify.", { cause });
  }
  return new Uint8Array(buffer, byteOffset, byteLength);
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
