/**
 * Meeting a host: pairing with it, and coming back to it, at whichever of its addresses answers. All of the seal that a
 * device needs is behind this file, so an app loads it when it has somebody to meet.
 */
import { confirmationDigits } from "@flybridge/crypto/confirmation.ts";
import { type AgreementKey, SealError } from "@flybridge/crypto/suite.ts";
import { type Connection, fromBase64Url, HOST_KEY_BYTES } from "@flybridge/protocol/offer.ts";
import type { SecurePipe } from "@flybridge/transport/pipe.ts";
import {
  type Connected,
  HandshakeError,
  OtherCertificate,
  OtherHost,
  pairOver,
  reconnectOver,
} from "@flybridge/transport/secure.ts";
import { PairingError, type PairingFault } from "./bridge.ts";
import { NotConnected } from "./not-connected.ts";
import type { Platform, Reach } from "./platform.ts";
import type { KnownHost } from "./replica.ts";
import { StoreError } from "./store.ts";

const NOTHING = new Uint8Array(0);

/** A pipe, and when the secret for the next one is settled. */
interface Back {
  readonly pipe: SecurePipe;
  /** Never rejects. */
  readonly settled: Promise<unknown>;
}

/** Tries each address in turn, and at each one the secrets that the host may hold. Rejects with `NotConnected`. */
export function comeBack(
  platform: Platform,
  known: KnownHost,
  paceMs: number,
  signal: AbortSignal,
): Promise<SecurePipe> {
  return new Promise((resolve, reject) => {
    const work = async (): Promise<void> => {
      const { pipe, settled } = await comeBackAlone(platform, known, paceMs, signal);
      resolve(pipe);
      // Until then another window would come with a secret that may be the one before.
      await settled;
    };
    platform.keys.alone(known.host, work, signal).catch(reject);
  });
}

async function comeBackAlone(platform: Platform, known: KnownHost, paceMs: number, signal: AbortSignal): Promise<Back> {
  const { keys } = platform;
  const { host, addresses } = known;
  const [reach, deviceKey, secrets] = await Promise.all([platform.reach(), keys.device(), keys.secrets(host)]);
  if (secrets.length === 0)
    throw new NotConnected("This device lost what it shared with the host. Pair again.", "revoked");
  const faults: NotConnected[] = [];
  for (const address of addresses) {
    let fault: NotConnected | undefined;
    for (const continuity of secrets) {
      // A host that does not know one secret may know the next; only one that knows none has revoked this device.
      if (fault && fault.refusal !== "revoked") break;
      try {
        return await reconnect(platform, reach, known, { address, deviceKey, continuity, paceMs, signal });
      } catch (error) {
        if (signal.aborted || error instanceof StoreError) throw error;
        fault = notConnectedFrom(error, known);
      }
    }
    if (fault) faults.push(fault);
  }
  throw (
    faults.find((fault) => fault.refusal === "revoked" || fault.refusal === "too_new") ??
    faults.find((fault) => fault.refusal === undefined) ??
    faults[0] ??
    new NotConnected("No address of this host is known. Pair again.")
  );
}

/** Rejects with `PairingError`: of what each address said, what is most worth telling. */
export async function pairAnywhere(
  platform: Platform,
  connection: Connection,
  deviceKey: AgreementKey,
  payload: Uint8Array,
  /** The host waits until a person has typed these digits there. */
  confirming: (digits: string) => void,
): Promise<{ connected: Connected; address: string }> {
  const { suite, inflate, deflate, dial } = await platform.reach();
  /** By address; what is most worth telling is told. */
  const faults: PairingError[] = [];
  for (const address of platform.addressesOf(connection)) {
    try {
      const connected = await pairOver(dial(address), {
        suite,
        clock: platform.clock,
        deviceKey,
        payload,
        hostKey: connection.hostKey,
        offer: connection.offer,
        secret: connection.secret,
        confirming: (hash) => confirming(confirmationDigits(hash)),
        ...(inflate ? { inflate } : {}),
        ...(deflate ? { deflate } : {}),
      });
      return { connected, address };
    } catch (error) {
      // Another host at one address refuses what is meant for the one at the next.
      faults.push(pairingErrorFrom(error));
    }
  }
  const order: readonly PairingFault[] = ["refused", "too_new", "wrong_host", "unreachable"];
  faults.sort((a, b) => order.indexOf(a.fault) - order.indexOf(b.fault));
  throw (
    faults[0] ??
    new PairingError("unreachable", "The connection string names no address that can be reached from here.")
  );
}

function pairingErrorFrom(error: unknown): PairingError {
  if (!(error instanceof HandshakeError))
    return new PairingError("unreachable", error instanceof Error ? error.message : String(error));
  switch (error.fault) {
    case "refused":
      return new PairingError(
        "refused",
        "The host refused: the link was used before, has expired, or is damaged. Show a new one on the host.",
      );
    case "wrong_host":
      return new PairingError("wrong_host", error.message);
    case "version":
      // There is no version before ours, so whoever shares none with us is newer.
      return new PairingError("too_new", error.message);
    case "not_a_host":
    // Nothing is pinned before a device has paired.
    case "wrong_certificate":
    case "timeout":
    case "cut":
    case "violation":
    case "aborted":
      return new PairingError("unreachable", error.message);
  }
}

async function reconnect(
  { keys, clock }: Platform,
  { suite, inflate, deflate, dial }: Reach,
  { host, hostKey, certificate }: KnownHost,
  attempt: { address: string; deviceKey: AgreementKey; continuity: Uint8Array; paceMs: number; signal: AbortSignal },
): Promise<Back> {
  const { address, ...rest } = attempt;
  const connected = await reconnectOver(dial(address), {
    ...rest,
    suite,
    clock,
    hostId: host,
    pinned: certificate,
    hostKey: fromBase64Url(hostKey, HOST_KEY_BYTES) ?? NOTHING,
    payload: NOTHING,
    ...(inflate ? { inflate } : {}),
    ...(deflate ? { deflate } : {}),
    // Until the host has the next one it may know only this one, and it just showed that it does.
    keep: (next) => keys.keep(host, [next, attempt.continuity]),
  });
  const settled = connected.confirmed
    .then((confirmed) => (confirmed ? keys.keep(host, [connected.continuity]) : undefined))
    // Both stay then; the first is tried first.
    .catch(() => {});
  return { pipe: connected.pipe, settled };
}

function otherCertificate(error: HandshakeError, { certificate }: KnownHost): NotConnected {
  if (!(error instanceof OtherCertificate)) return new NotConnected(error.message, "wrong_certificate");
  const { message, fingerprint: shown } = error;
  return new NotConnected(`${message} It was ${certificate} and is ${shown}.`, "wrong_certificate", { shown });
}

function notConnectedFrom(error: unknown, known: KnownHost): NotConnected {
  if (!(error instanceof HandshakeError))
    return new NotConnected(error instanceof Error ? error.message : String(error));
  switch (error.fault) {
    case "refused":
      // The host answered, and not with this secret. A link that only closes is a host that stops or is full.
      return error.cause instanceof SealError
        ? new NotConnected("The host no longer knows this device. Pair again.", "revoked")
        : new NotConnected("The host closed the connection before it was ready. It may be stopping or busy.");
    case "wrong_host":
      return new NotConnected(error.message, "wrong_host", error instanceof OtherHost ? { found: error.host } : {});
    case "wrong_certificate":
      return otherCertificate(error, known);
    case "version":
      // There is no version before ours, so whoever shares none with us is newer.
      return new NotConnected(error.message, "too_new");
    case "not_a_host":
    case "timeout":
    case "cut":
    case "violation":
    case "aborted":
      return new NotConnected(error.message);
  }
}
