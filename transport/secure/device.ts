/** The device's side of a handshake: it pairs, or comes back. */
import { continuityTag, CONTINUITY_TAG_BYTES, nextContinuity } from "@flybridge/crypto/continuity.ts";
import { beginPairing } from "@flybridge/crypto/pairing.ts";
import { beginReconnect } from "@flybridge/crypto/reconnect.ts";
import type { AgreementKey } from "@flybridge/crypto/suite.ts";
import { CONFIRM_MS } from "@flybridge/protocol/limits.ts";
import {
  commonVersion,
  decodeHostHello,
  encodeDeviceHello,
  EXPORTER_FEATURE,
  HANDSHAKE_MS,
  HANDSHAKE_PAYLOAD_BYTES,
  type HostHello,
  type Purpose,
} from "@flybridge/protocol/relay.ts";
import { OLDEST_VERSION, VERSION } from "@flybridge/protocol/version.ts";
import type { Inbox } from "../inbox.ts";
import type { Link, Tls } from "../link.ts";
import { BEAT_VISIBLE_MS } from "../pace.ts";
import type { SecurePipe } from "../pipe.ts";
import {
  type Common,
  DEFLATE_FEATURE,
  handshake,
  HandshakeError,
  isReady,
  OtherCertificate,
  OtherHost,
  pipeOver,
  prologueFor,
  type Route,
  WAITS_FOR_PERSON,
} from "../secure.ts";

/** Bytes of a payload of a device's message 1, which also names the continuity secret, or of any other message. */
export const MAX_PAYLOAD_BYTES = HANDSHAKE_PAYLOAD_BYTES - CONTINUITY_TAG_BYTES;

interface DeviceCommon extends Common {
  /** Said in the handshake, sealed, at most `MAX_PAYLOAD_BYTES`. */
  readonly payload: Uint8Array;
  /** HS.pub, 32 bytes. */
  readonly hostKey: Uint8Array;
  readonly deviceKey: AgreementKey;
  readonly features?: readonly string[];
  /** Fingerprint of the key that the host's own TLS door showed when this device paired. */
  readonly pinned?: string | undefined;
  /** Milliseconds between pings; visible pace when absent. */
  readonly paceMs?: number;
  /**
   * The host has proved itself; going on changes what it knows of this device. False leaves it there: of several ways
   * that are tried at once, another was quicker.
   */
  claim?(): boolean;
}

export interface PairOptions extends DeviceCommon {
  /** When it is known already; the connection string does not hold it. */
  readonly hostId?: string;
  readonly offer: Uint8Array;
  readonly secret: Uint8Array;
  /** The host waits for a person to type what `confirmationDigits` makes of this hash. */
  readonly confirming?: (hash: Uint8Array) => void;
}

export interface ReconnectOptions extends DeviceCommon {
  readonly hostId: string;
  /** The secret that both sides kept last, 32 bytes. */
  readonly continuity: Uint8Array;
  /**
   * Stores the next secret durably, beside the present one, before the host is told that it is there. The present one
   * may be forgotten once `confirmed` says true: until then the host may know only that one.
   */
  keep(next: Uint8Array): void | Promise<void>;
}

export interface Connected {
  readonly pipe: SecurePipe;
  readonly hello: HostHello;
  readonly version: number;
  /** Fingerprint of the key at the other end of the TLS that the handshake is bound to. */
  readonly certificate?: string;
  readonly continuity: Uint8Array;
}

export interface Reconnected extends Connected {
  /** True when the host has taken the next secret, false when the pipe ended before it said so. Never rejects. */
  readonly confirmed: Promise<boolean>;
}

/**
 * Device's side of pairing. Resolves when the host has taken the device. Rejects with `HandshakeError`; the link is
 * closed then.
 */
export function pairOver(link: Link, options: PairOptions): Promise<Connected> {
  return handshake(link, options, "device", async (inbox, allow) => {
    const met = await meet(link, inbox, options, "pair", options.hostId);
    const begun = await beginPairing({ ...options, prologue: met.prologue });
    link.send(met.deviceHello);
    link.send(begun.message1);
    const answer = await inbox.next();
    // Only who holds HS could write this answer, so a failure is somebody else, and nothing has used the secret yet.
    const finished = await begun.finish(answer, options.payload).catch((cause: unknown) => {
      throw new HandshakeError("wrong_host", "message 2 does not verify", cause);
    });
    requireClaim(options);
    const { channel, payload } = finished;
    if (payload[0] === WAITS_FOR_PERSON) {
      allow(CONFIRM_MS + HANDSHAKE_MS);
      options.confirming?.(channel.hash);
    }
    link.send(finished.message3);
    const { pipe, ready } = pipeOver(
      link,
      channel,
      { ...options, waits: true },
      options.paceMs ?? BEAT_VISIBLE_MS,
      options.deflate,
    );
    inbox.handOver(pipe);
    await isReady(ready, inbox, "violation");
    pipe.announce();
    return { pipe, ...told(met), continuity: channel.continuity };
  });
}

/**
 * Device's side of reconnecting: one round trip after the link is open. Resolves when the host has proven itself and
 * the next secret is kept. Rejects with `HandshakeError`; the link is closed then.
 */
export function reconnectOver(link: Link, options: ReconnectOptions): Promise<Reconnected> {
  return handshake(link, options, "device", async (inbox) => {
    const met = await meet(link, inbox, options, "reconnect", options.hostId);
    const payload = joined(continuityTag(options.continuity), options.payload);
    const begun = await beginReconnect({ ...options, payload, prologue: met.prologue });
    link.send(met.deviceHello);
    link.send(begun.message1);
    const answer = await inbox.next();
    // The host answers a device that it does not know with chance, so a failure here may be either's.
    const { channel } = await begun.finish(answer).catch((cause: unknown) => {
      throw new HandshakeError("refused", "message 2 does not verify", cause);
    });
    requireClaim(options);
    const continuity = nextContinuity(options.continuity, channel.hash);
    await options.keep(continuity);
    const { pipe, ready } = pipeOver(link, channel, options, options.paceMs ?? BEAT_VISIBLE_MS, options.deflate);
    pipe.announce();
    inbox.handOver(pipe);
    return {
      pipe,
      ...told(met),
      continuity,
      confirmed: ready.then((end) => !end),
    };
  });
}

function requireClaim({ claim }: DeviceCommon): void {
  if (claim && !claim()) throw new HandshakeError("aborted", "another way was quicker");
}

interface Met {
  readonly hello: HostHello;
  readonly version: number;
  readonly deviceHello: Uint8Array;
  readonly prologue: Uint8Array;
  /** Of the host's own door, to which the handshake is bound. */
  readonly tls: Tls | undefined;
}

/** Hears the host's hello and makes ours; sends nothing yet. */
async function meet(
  link: Link,
  inbox: Inbox,
  options: DeviceCommon,
  purpose: Purpose,
  hostId: string | undefined,
): Promise<Met> {
  if (options.payload.length > MAX_PAYLOAD_BYTES)
    throw new RangeError(`A handshake carries ${MAX_PAYLOAD_BYTES} bytes; send the rest through the pipe.`);
  const hostHello = await inbox.next();
  const hello = decodeHostHello(hostHello);
  if (!hello) throw new HandshakeError("not_a_host", "not a host's hello");
  if (hostId !== undefined && hello.host !== hostId) throw new OtherHost(hello.host);
  const version = commonVersion(options.versions ?? [OLDEST_VERSION, VERSION], hello.versions);
  if (version === undefined) throw new HandshakeError("version", `host speaks ${hello.versions.join(" to ")}`);
  // Where the host does not offer it, TLS ends at a proxy of its owner's, whose certificate is not the host's.
  const tls = hello.features?.includes(EXPORTER_FEATURE) ? link.tls : undefined;
  if (tls && options.pinned !== undefined && tls.fingerprint !== options.pinned)
    throw new OtherCertificate(tls.fingerprint);
  const features = [
    ...(options.features ?? []),
    ...(options.inflate ? [DEFLATE_FEATURE] : []),
    ...(tls ? [EXPORTER_FEATURE] : []),
  ];
  const deviceHello = encodeDeviceHello({ v: version, purpose, features });
  const route: Route | undefined = tls ? { kind: "direct", exporter: tls.exporter } : options.route;
  const prologue = prologueFor(route, version, purpose, hello.host, hostHello, deviceHello);
  return { hello, version, deviceHello, prologue, tls };
}

/** What the caller learns of it. */
function told({ hello, version, tls }: Met): Pick<Connected, "hello" | "version" | "certificate"> {
  return { hello, version, ...(tls ? { certificate: tls.fingerprint } : {}) };
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const whole = new Uint8Array(first.length + second.length);
  whole.set(first);
  whole.set(second, first.length);
  return whole;
}
