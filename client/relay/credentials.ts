/** What a device shows that has the account's secret: to the relay that it is the account's, and to hosts. */
import { accountKeys, pairingOfferOf, pairingSecretOf } from "@flybridge/crypto/account.ts";
import { endorseDevice, endorseHost, endorsePairing } from "@flybridge/crypto/proof.ts";
import { toBase64Url } from "@flybridge/protocol/base64.ts";
import type { AccountParams } from "@flybridge/protocol/relay/account.ts";
import { deviceLabel, type Self } from "./labels.ts";
import type { Random } from "./locks.ts";

/** What lets this device pair with a host that trusts the account, as an offer does with any. */
export interface AccountPairing {
  readonly origin: string;
  /** By which the relay joins the two. One that is used long after it was renewed is an alarm. */
  readonly session: string;
  readonly offer: Uint8Array;
  readonly secret: Uint8Array;
  /** For the introduction. */
  readonly endorsement: string;
}

/** What `account.trust` takes. */
export interface AccountTrust {
  readonly origin: string;
  readonly account: string;
  readonly pairing: string;
  readonly endorsement: string;
}

/** That the device of that key, DA, is of the account, and how it is called there. */
export async function enrolmentOf(
  secret: Uint8Array,
  device: Uint8Array,
  self: Self,
  random: Random,
): Promise<AccountParams<"account.enrol">> {
  const { key, labels } = accountKeys(secret);
  return {
    endorsement: toBase64Url(await endorseDevice(key, device)),
    label: deviceLabel(labels, toBase64Url(device), self, random),
  };
}

/** That a device of static key `ds` is of the account, for that host alone. */
export async function pairingOf(
  secret: Uint8Array,
  host: string,
  ds: Uint8Array,
): Promise<Pick<AccountPairing, "offer" | "secret" | "endorsement">> {
  const { key } = accountKeys(secret);
  return {
    offer: pairingOfferOf(key.publicKey, host),
    secret: pairingSecretOf(secret, host),
    endorsement: toBase64Url(await endorsePairing(key, ds, host)),
  };
}

/** What a host needs to trust the account. `identity` is its identity key HI. */
export async function trustOf(
  secret: Uint8Array,
  host: string,
  identity: Uint8Array,
  rendezvous: string,
): Promise<Omit<AccountTrust, "origin">> {
  const { key } = accountKeys(secret);
  return {
    account: toBase64Url(key.publicKey),
    pairing: toBase64Url(pairingSecretOf(secret, host)),
    endorsement: toBase64Url(await endorseHost(key, identity, rendezvous)),
  };
}
