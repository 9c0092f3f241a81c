/** The secrets of a device: its own key, and what it shares with each host. Kept apart from everything readable. */
import type { AgreementKey } from "@flybridge/crypto/suite.ts";
import type { DeviceId, HostId } from "@flybridge/protocol/ids.ts";
import { toBase64Url } from "@flybridge/protocol/base64.ts";

/**
 * Contract: `device` is made at first use and is the same ever after; two first uses at once give one key. A promise
 * that resolves means that what was kept is there for the next process. Everything rejects with `StoreError`.
 */
export interface Keys {
  device(): Promise<AgreementKey>;
  /** The continuity secrets shared with a host, in the order in which to try them; none when it is not paired. */
  secrets(host: HostId): Promise<Uint8Array[]>;
  /** Replaces them all. */
  keep(host: HostId, secrets: readonly Uint8Array[]): Promise<void>;
  forget(host: HostId): Promise<void>;
  /**
   * Runs `work` while no other process or window of this device runs any for the same host: each connection replaces the
   * secret, so two that come back at once with the same one would look like two copies of the device.
   */
  alone<T>(host: HostId, work: () => Promise<T>, signal: AbortSignal): Promise<T>;
}

/** As the host derives it: SHA-256 of the public key. */
export async function deviceIdOf(key: AgreementKey): Promise<DeviceId> {
  const hash = await crypto.subtle.digest("SHA-256", key.publicKey as Uint8Array<ArrayBuffer>);
  return toBase64Url(new Uint8Array(hash)) as DeviceId;
}
