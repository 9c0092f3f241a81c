/** The keys of a device that was made for us: somebody else wrote its secret down, and keeps what it shares with hosts. */
import { nodeKey } from "@flybridge/crypto/suite-node.ts";
import type { Keys } from "./keys.ts";

/** `secret` is an X25519 private key, 32 bytes; `kept` holds the rest of the contract of `Keys`. */
export function givenKeys(secret: Uint8Array, kept: Omit<Keys, "device">): Keys {
  const key = nodeKey(secret);
  return { ...kept, device: () => Promise.resolve(key) };
}
