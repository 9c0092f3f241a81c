/**
 * Meeting a host: pairing with it, and coming back to it, at whichever of its addresses answers. All of the seal that a
 * device needs is behind this file, so an app loads it when it has somebody to meet.
 */
import { confirmationDigits } from "@flybridge/crypto/confirmation.ts";
import { type SigningKey, signingKey } from "@flybridge/crypto/identity.ts";
import { offerKeySeed } from "@flybridge/crypto/proof.ts";
import { type AgreementKey, SealError } from "@flybridge/crypto/suite.ts";
import { type Connection, fromBase64Url, HOST_KEY_BYTES } from "@flybridge/protocol/offer.ts";
import { REFUSALS } from "@flybridge/protocol/relay/refusals.ts";
import type { JoinBy, Welcome } from "@flybridge/protocol/relay/words.ts";
import type { Link } from "@flybridge/transport/link.ts";
import type { SecurePipe } from "@flybridge/transport/pipe.ts";
import { openAt, RelayRefused } from "@flybridge/transport/relay.ts";
import { HandshakeError, OtherCertificate, OtherHost, type Route } from "@flybridge/transport/secure.ts";
import { type Connected, pairOver, reconnectOver } from "@flybridge/transport/secure/device.ts";
import { PairingError, type PairingFault } from "./bridge.ts";
import { NotConnected } from "./not-connected.ts";
import type { Platform, Reach } from "./platform.ts";
import type { KnownHost } from "./replica.ts";
import { keepWay, waysKept } from "./kept-ways.ts";
import { StoreError } from "./store.ts";
import { firstWay, type Turn } from "./ways.ts";

export { HANDSHAKE_MS } from "@flybridge/protocol/relay.ts";

const NOTHING = new Uint8Array(0);
/** Milliseconds in which what the next connection needs is stored, or another window does not wait for it. */
const STORED_MS = 10_000;

/** How to get to a host. */
type Way =
  | { readonly kind: "address"; readonly address: string }
  /** One that is open. */
  | { readonly kind: "link"; readonly link: Link }
  | { readonly kind: "relay"; readonly origin: string; readonly rendezvous: string; readonly by: JoinBy };

/** A pipe to the host, found by one of the ways. */
export interface Found {
  readonly pipe: SecurePipe;
  /** The relay between, where there is one. */
  readonly relay: string | undefined;
  /**
   * What the next connection needs is stored. Until then, or until the pipe has ended, no other window of this device
   * comes back: it would come with what was used.
   */
  stored(): void;
}

/**
 * Tries all ways at once, or only the link that is given, and over each the secrets that the host may hold. Rejects with
 * `NotConnected`.
 */
export function comeBack(
  platform: Platform,
  known: KnownHost,
  paceMs: number,
  signal: AbortSignal,
  over?: Link,
): Promise<Found> {
  return new Promise((resolve, reject) => {
    const work = async (): Promise<void> => {
      const { pipe, relay, settled } = await comeBackAlone(platform, known, paceMs, signal, over);
      const stored = Promise.withResolvers<void>();
      const stopTimer = platform.clock.setTimer(STORED_MS, stored.resolve);
      resolve({ pipe, relay, stored: stored.resolve });
      await settled;
      await stored.promise;
      stopTimer();
    };
    platform.keys.alone(known.host, work, signal).catch(reject);
  });
}

interface Back {
  readonly pipe: SecurePipe;
  readonly relay: string | undefined;
  /** The secret for the next connection is. Never rejects. */
  readonly settled: Promise<unknown>;
}

async function comeBackAlone(
  platform: Platform,
  known: KnownHost,
  paceMs: number,
  signal: AbortSignal,
  over: Link | undefined,
): Promise<Back> {
  const { keys, clock } = platform;
  const { host, addresses } = known;
  const [reach, deviceKey, secrets, relayWays] = await Promise.all([
    platform.reach(),
    keys.device(),
    keys.secrets(host),
    waysKept(keys, host),
  ]);
  if (secrets.length === 0)
    throw new NotConnected("This device lost what it shared with the host. Pair again.", "revoked");
  const ways: Way[] = over
    ? [{ kind: "link", link: over }]
    : [
        ...addresses.map((address): Way => ({ kind: "address", address })),
        ...relayWays.map(({ origin, rendezvous, ticket }): Way => ({
          kind: "relay",
          origin,
          rendezvous,
          by: { kind: "ticket", ticket },
        })),
      ];
  const attempt = async (way: Way, turn: Turn): Promise<Back> => {
    let fault: unknown;
    for (const continuity of secrets) {
      // A host that does not know one secret may know the next; only one that knows none has revoked this device.
      if (fault !== undefined && notConnectedFrom(fault, known).refusal !== "revoked") break;
      try {
        return await reconnect(platform, reach, known, { way, deviceKey, continuity, paceMs, turn });
      } catch (error) {
        if (error instanceof StoreError) throw error;
        fault = way.kind === "relay" && isGoneHost(error) ? hostGone(error) : error;
      }
    }
    throw fault;
  };
  const outcome = await firstWay(ways, attempt, { clock, signal });
  if ("result" in outcome) return outcome.result;
  if (signal.aborted) throw new NotConnected("Connecting was cancelled.");
  for (const error of outcome.faults) if (error instanceof StoreError) throw error;
  const faults = outcome.faults.map((error) => notConnectedFrom(error, known));
  throw (
    faults.find((fault) => fault.refusal === "revoked" || fault.refusal === "too_new") ??
    faults.find((fault) => fault.isSoon) ??
    faults.find((fault) => fault.refusal === undefined) ??
    faults[0] ??
    new NotConnected("No address of this host is known. Pair again.")
  );
}

/** Rejects with `PairingError`: of what each way said, what is most worth telling. */
export async function pairAnywhere(
  platform: Platform,
  connection: Connection,
  deviceKey: AgreementKey,
  payload: Uint8Array,
  /** The host waits until a person has typed these digits there. */
  confirming: (digits: string) => void,
): Promise<Paired> {
  const { relay, rendezvous, secret } = connection;
  const ways: Way[] = [
    ...platform.addressesOf(connection).map((address): Way => ({ kind: "address", address })),
    ...(relay === undefined || rendezvous === undefined
      ? []
      : [{ kind: "relay", origin: relay, rendezvous, by: { kind: "offer" } } satisfies Way]),
  ];
  const proof = (): SigningKey => signingKey(offerKeySeed(secret));
  return pairBy(platform, ways, connection, proof, deviceKey, payload, confirming);
}

/** A host of the same account as this device, by the relay where that is. Rejects with `PairingError`. */
export function pairOfAccount(
  platform: Platform,
  at: Invited & { readonly origin: string; readonly rendezvous: string; readonly session: string },
  deviceKey: AgreementKey,
  payload: Uint8Array,
): Promise<Paired> {
  const { origin, rendezvous, session } = at;
  const way: Way = { kind: "relay", origin, rendezvous, by: { kind: "session", session } };
  return pairBy(
    platform,
    [way],
    at,
    () => platform.keys.proof(),
    deviceKey,
    payload,
    () => {},
  );
}

type Invited = Pick<Connection, "hostKey" | "offer" | "secret">;

interface Paired {
  readonly connected: Connected;
  /** Undefined when it was by a relay. */
  readonly address: string | undefined;
}

async function pairBy(
  platform: Platform,
  ways: readonly Way[],
  { hostKey, offer, secret }: Invited,
  proof: () => SigningKey | Promise<SigningKey>,
  deviceKey: AgreementKey,
  payload: Uint8Array,
  confirming: (digits: string) => void,
): Promise<Paired> {
  const reach = await platform.reach();
  const { suite, inflate, deflate } = reach;
  const attempt = async (way: Way, { claim, signal }: Turn): Promise<Paired> => {
    const { link, route } = await linkBy(way, reach, proof, signal);
    const connected = await pairOver(link, {
      suite,
      clock: platform.clock,
      deviceKey,
      payload,
      hostKey,
      offer,
      secret,
      claim,
      signal,
      confirming: (hash) => confirming(confirmationDigits(hash)),
      ...(route ? { route } : {}),
      ...(inflate ? { inflate } : {}),
      ...(deflate ? { deflate } : {}),
    });
    return { connected, address: way.kind === "address" ? way.address : undefined };
  };
  const outcome = await firstWay(ways, attempt, { clock: platform.clock });
  if ("result" in outcome) return outcome.result;
  // Another host at one address refuses what is meant for the one at the next.
  const faults = outcome.faults.map(pairingErrorFrom);
  const order: readonly PairingFault[] = ["refused", "too_new", "wrong_host", "unreachable"];
  faults.sort((one, other) => order.indexOf(one.fault) - order.indexOf(other.fault));
  throw (
    faults[0] ??
    new PairingError("unreachable", "The connection string names no address that can be reached from here.")
  );
}

/** A link to the host, maybe by a relay, which is shown `proof`. */
async function linkBy(
  way: Way,
  { dial, relay }: Reach,
  proof: () => SigningKey | Promise<SigningKey>,
  signal: AbortSignal,
): Promise<{ readonly link: Link; readonly route?: Route; readonly welcome?: Welcome }> {
  if (way.kind === "link") return { link: way.link };
  if (way.kind === "address") return { link: dial(way.address) };
  const { origin, rendezvous, by } = way;
  const opening = { t: "join", rendezvous, by } as const;
  const { link, welcome } = await openAt(relay(origin), { origin, key: await proof(), opening, signal });
  return { link, welcome, route: { kind: "relay", origin, rendezvous } };
}

const OFFER_REFUSED =
  "The host refused: the link was used before, has expired, or is damaged. Show a new one on the host.";

function pairingErrorFrom(error: unknown): PairingError {
  if (error instanceof RelayRefused)
    // It knows which offers its hosts have open, and the host would say no more.
    return error.code === "no_offer"
      ? new PairingError("refused", OFFER_REFUSED)
      : new PairingError("unreachable", REFUSALS[error.code]);
  if (!(error instanceof HandshakeError))
    return new PairingError("unreachable", error instanceof Error ? error.message : String(error));
  switch (error.fault) {
    case "refused":
      return new PairingError("refused", OFFER_REFUSED);
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
  reach: Reach,
  { host, hostKey, certificate }: KnownHost,
  attempt: { way: Way; deviceKey: AgreementKey; continuity: Uint8Array; paceMs: number; turn: Turn },
): Promise<Back> {
  const { suite, inflate, deflate } = reach;
  const { way, turn, ...rest } = attempt;
  const { claim, signal } = turn;
  const { link, route, welcome } = await linkBy(way, reach, () => keys.proof(), signal);
  const connected = await reconnectOver(link, {
    ...rest,
    claim,
    signal,
    ...(route ? { route } : {}),
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
  const { ticket } = welcome ?? {};
  if (way.kind === "relay" && ticket !== undefined) await keepWay(keys, host, { ...way, ticket }).catch(() => {});
  const settled = connected.confirmed
    .then((confirmed) => (confirmed ? keys.keep(host, [connected.continuity]) : undefined))
    // Both stay then; the first is tried first.
    .catch(() => {});
  return { pipe: connected.pipe, relay: way.kind === "relay" ? way.origin : undefined, settled };
}

function otherCertificate(error: HandshakeError, { certificate }: KnownHost): NotConnected {
  if (!(error instanceof OtherCertificate)) return new NotConnected(error.message, "wrong_certificate");
  const { message, fingerprint: shown } = error;
  return new NotConnected(`${message} It was ${certificate} and is ${shown}.`, "wrong_certificate", { shown });
}

/** The relay had joined us, and ended that: the host's place there was taken by its next connection, or is empty. */
function isGoneHost(error: unknown): error is HandshakeError {
  return (
    error instanceof HandshakeError &&
    (error.fault === "cut" || (error.fault === "refused" && !(error.cause instanceof SealError)))
  );
}

function hostGone(error: HandshakeError): NotConnected {
  return new NotConnected(error.message, undefined, {}, true);
}

function notConnectedFrom(error: unknown, known: KnownHost): NotConnected {
  if (error instanceof NotConnected) return error;
  // The relay is there, and its word for the host is a better reason than that of an address that leads nowhere from here.
  if (error instanceof RelayRefused)
    return new NotConnected(REFUSALS[error.code], undefined, {}, error.code === "host_away");
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
