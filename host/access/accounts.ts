/**
 * Accounts whose devices this host lets in without an offer, because its owner said so here. A device of one shows two
 * things: a secret that only the account's devices can make, and the account key's signature over its own key. A relay
 * has neither.
 */
import { isEndorsedPairing } from "@flybridge/crypto/proof.ts";
import type { DeviceId } from "@flybridge/protocol/ids.ts";
import { fromBase64Url, toBase64Url } from "@flybridge/protocol/base64.ts";

import { deviceIdOf } from "./devices.ts";

const SIGNATURE_BYTES = 64;

export interface TrustedAccount {
  /** Public key, 32 bytes. */
  readonly key: Uint8Array;
  /** What takes the place of an offer's id and secret. */
  readonly offer: Uint8Array;
  readonly secret: Uint8Array;
}

export interface Accounts {
  /** The secret of the account that goes by this offer. */
  secretOf(offer: Uint8Array): Uint8Array | undefined;
  has(offer: Uint8Array): boolean;
  /** Whether that account stands behind this device, and the owner did not revoke it here. */
  admits(offer: Uint8Array, deviceKey: Uint8Array, endorsement: string | undefined): boolean;
  /** It was paired anew. */
  readmit(device: DeviceId): void;
}

export function makeAccounts(around: {
  readonly host: string;
  trusted(): readonly TrustedAccount[];
  /** Who was revoked here is not let in again by its account. */
  isBarred(device: DeviceId): boolean;
  readmit(device: DeviceId): void;
}): Accounts {
  const find = (offer: Uint8Array): TrustedAccount | undefined => {
    const id = toBase64Url(offer);
    return around.trusted().find((account) => toBase64Url(account.offer) === id);
  };
  return {
    secretOf: (offer) => find(offer)?.secret,
    readmit: (device) => around.readmit(device),
    has: (offer) => find(offer) !== undefined,
    admits(offer, deviceKey, endorsement) {
      const account = find(offer);
      const signature = endorsement === undefined ? undefined : fromBase64Url(endorsement, SIGNATURE_BYTES);
      return (
        !around.isBarred(deviceIdOf(deviceKey)) &&
        account !== undefined &&
        signature !== undefined &&
        isEndorsedPairing(account.key, signature, deviceKey, around.host)
      );
    },
  };
}
