/** What an account has at its relay, read with the names that its devices sealed. */
import { accountKeys } from "@flybridge/crypto/account.ts";
import { toBase64Url } from "@flybridge/protocol/base64.ts";
import type { AccountResult, Notice } from "@flybridge/protocol/relay/account.ts";
import { dishonest } from "./account-error.ts";
import { deviceLabelIn, hostLabelIn, type Self } from "./labels.ts";

export interface AccountDevice {
  /** DA. */
  readonly key: string;
  /** Absent where the relay's list has what none of the account's devices sealed. */
  readonly name?: string;
  readonly kind?: Self["kind"];
  readonly created: number;
  readonly seen: number;
  readonly self: boolean;
}

export interface AccountHost {
  readonly host: string;
  readonly rendezvous: string;
  /** Both are absent where the relay's list has what none of the account's devices sealed. */
  readonly name?: string;
  /** HS, base64url. */
  readonly hostKey?: string;
  readonly created: number;
  readonly connected: boolean;
}

export interface AccountContents {
  readonly email: string;
  /** Its public key, by which hosts know it. */
  readonly account: string;
  readonly devices: readonly AccountDevice[];
  readonly hosts: readonly AccountHost[];
  readonly notices: readonly Notice[];
}

/** Throws `AccountError` for what is of another account than the one of that secret. */
export function contentsIn(secret: Uint8Array, told: AccountResult<"account.read">): AccountContents {
  const { key, labels } = accountKeys(secret);
  const { email, account, devices, hosts, notices } = told;
  if (account !== toBase64Url(key.publicKey)) throw dishonest();
  return {
    email,
    account,
    devices: devices.map(({ label, ...device }) => ({ ...device, ...deviceLabelIn(labels, device.key, label) })),
    hosts: hosts.map(({ label, ...host }) => ({ ...host, ...hostLabelIn(labels, host.host, label) })),
    notices,
  };
}
