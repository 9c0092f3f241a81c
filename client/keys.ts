/** The secrets of a device: its own keys, and what it shares with hosts and relays. Kept apart from everything readable. */
import type { SigningKey } from "@flybridge/crypto/identity.ts";
import type { AgreementKey } from "@flybridge/crypto/suite.ts";
import type { DeviceId, HostId } from "@flybridge/protocol/ids.ts";
import { toBase64Url } from "@flybridge/protocol/base64.ts";

/** Characters of a name under which something is kept. */
export const MAX_KEPT_NAME_CHARS = 300;

/**
 * Contract (run by `keysContract` for every implementation): `device` and `proof` are made at first use and are the same
 * ever after; two first uses at once give one key. A promise that resolves means that what was kept is there for the
 * next process. Everything rejects with `StoreError`.
 */
export interface Keys extends KeptTexts {
  /** DS: what hosts know this device by. */
  device(): Promise<AgreementKey>;
  /** DA: what relays know it by. It says nothing of the other one. */
  proof(): Promise<SigningKey>;
  /** The continuity secrets shared with a host, in the order in which to try them; none when it is not paired. */
  secrets(host: HostId): Promise<Uint8Array[]>;
  /** Replaces them all. */
  keep(host: HostId, secrets: readonly Uint8Array[]): Promise<void>;
  forget(host: HostId): Promise<void>;
  /**
   * Runs `work` while no other process or window of this device runs any for the same host, or the same other thing: each
   * connection replaces the secret, so two that come back at once with the same one would look like two copies of the
   * device.
   */
  alone<T>(what: HostId | `relay ${string}`, work: () => Promise<T>, signal: AbortSignal): Promise<T>;
}

/** Small secrets of other kinds, which lie as safely: a ticket, a session, what opens an account. */
export interface KeptTexts {
  /** `name` is any text, at most `MAX_KEPT_NAME_CHARS`. */
  kept(name: string): Promise<string | undefined>;
  /** Undefined removes. All there or not at all; what is kept under one name is so in the order of the calls. */
  keepText(name: string, text: string | undefined): Promise<void>;
}

/** As the host derives it: SHA-256 of the public key. */
export async function deviceIdOf(key: AgreementKey): Promise<DeviceId> {
  const hash = await crypto.subtle.digest("SHA-256", key.publicKey as Uint8Array<ArrayBuffer>);
  return toBase64Url(new Uint8Array(hash)) as DeviceId;
}
