/**
 * Accounts whose devices this host lets in without an offer, because its owner said so here. A device of one shows two
 * things: a secret that only the account's devices can make, and the account key's signature over its own key. A relay
 * has neither.
 */
import { pairingOfferOf } from "@flybridge/crypto/account.ts";
import { isEndorsedPairing } from "@flybridge/crypto/proof.ts";
import { fromBase64Url, toBase64Url } from "@flybridge/protocol/base64.ts";
import type { DeviceId, HostId } from "@flybridge/protocol/ids.ts";
import type { RelayShelf } from "../core/ports.ts";
import { deviceIdOf } from "./devices.ts";

const KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;

interface TrustedAccount {
  /** Public key, 32 bytes. */
  readonly key: Uint8Array;
  /** What takes the place of an offer's secret, 32 bytes. */
  readonly secret: Uint8Array;
}

export interface Accounts {
  /** The secret of the account that goes by this offer. */
  secretOf(offer: Uint8Array): Uint8Array | undefined;
  has(offer: Uint8Array): boolean;
  /** Whether that account stands behind this device, and the owner did not revoke it here. */
  admits(offer: Uint8Array, deviceKey: Uint8Array, endorsement: string | undefined): boolean;
  /** Their owner revoked them: no account brings them back, until they are paired anew. */
  bar(devices: readonly DeviceId[]): void;
  readmit(device: DeviceId): void;
}

export function makeAccounts(host: HostId, shelf: RelayShelf): Accounts {
  const find = (offer: Uint8Array): TrustedAccount | undefined => {
    const id = toBase64Url(offer);
    for (const { account } of shelf.list()) {
      const key = account && fromBase64Url(account.key, KEY_BYTES);
      const secret = account && fromBase64Url(account.pairing, KEY_BYTES);
      if (key && secret && toBase64Url(pairingOfferOf(key, host)) === id) return { key, secret };
    }
    return undefined;
  };
  return {
    secretOf: (offer) => find(offer)?.secret,
    has: (offer) => find(offer) !== undefined,
    admits(offer, deviceKey, endorsement) {
      const account = find(offer);
      const signature = endorsement === undefined ? undefined : fromBase64Url(endorsement, SIGNATURE_BYTES);
      return (
        !shelf.isBarred(deviceIdOf(deviceKey)) &&
        account !== undefined &&
        signature !== undefined &&
        isEndorsedPairing(account.key, signature, deviceKey, host)
      );
    },
    bar: (devices) => shelf.bar(devices),
    readmit: (device) => shelf.readmit(device),
  };
}
