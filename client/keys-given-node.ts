/** The keys of a device that was made for us: somebody else wrote its secret down, and keeps what it shares with hosts. */
import { hkdfSync } from "node:crypto";
import { signingKey } from "@flybridge/crypto/identity.ts";
import { nodeKey } from "@flybridge/crypto/suite-node.ts";
import { KEY_BYTES } from "@flybridge/crypto/suite.ts";
import type { Keys } from "./keys.ts";

const PROOF_LABEL = "flybridge device proof";

/** `secret` is an X25519 private key, 32 bytes; `kept` holds the rest of the contract of `Keys`. */
export function givenKeys(secret: Uint8Array, kept: Omit<Keys, "device" | "proof">): Keys {
  const device = nodeKey(secret);
  const proof = signingKey(new Uint8Array(hkdfSync("sha256", secret, "", PROOF_LABEL, KEY_BYTES)));
  return { ...kept, device: () => Promise.resolve(device), proof: () => Promise.resolve(proof) };
}
