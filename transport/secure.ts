/**
 * Where the pipe and the seal meet: a handshake over a link, and what comes of it. The host's side accepts, the
 * device's side pairs or reconnects; the frames and their order are in `protocol/relay.ts`.
 *
 * A host refuses in one way only. An offer that is unknown, used, late or withdrawn, a wrong secret, a device that is
 * unknown or revoked, a message that does not verify: the same work, then the link ends with the same words. Why is
 * told to the host's own caller alone.
 */
import { continuityTag, CONTINUITY_TAG_BYTES, nextContinuity } from "@flybridge/crypto/continuity.ts";
import { answerPairing, beginPairing } from "@flybridge/crypto/pairing.ts";
import { prologueOf } from "@flybridge/crypto/prologue.ts";
import { answerReconnect, beginReconnect } from "@flybridge/crypto/reconnect.ts";
import { type AgreementKey, KEY_BYTES, SealError, type Suite } from "@flybridge/crypto/suite.ts";
import {
  commonVersion,
  decodeDeviceHello,
  decodeHostHello,
  type DeviceHello,
  encodeDeviceHello,
  encodeHostHello,
  EXPORTER_FEATURE,
  HANDSHAKE_MS,
  HANDSHAKE_PAYLOAD_BYTES,
  type HostHello,
  PRE_AUTH_FRAME_BYTES,
  type Purpose,
} from "@flybridge/protocol/relay.ts";
import { CONFIRM_MS } from "@flybridge/protocol/limits.ts";
import { OLDEST_VERSION, VERSION } from "@flybridge/protocol/version.ts";
import { type Clock, systemClock } from "./clock.ts";
import type { Deflate, Inflate } from "./deflate.ts";
import { BEAT_VISIBLE_MS } from "./pace.ts";
import { Inbox, LinkEnded } from "./inbox.ts";
import type { Link, Tls } from "./link.ts";
import {
  GENERIC_END,
  type PipeBirth,
  type PipeEnd,
  type PipeOptions,
  SealedPipe,
  type Seal,
  type SecurePipe,
} from "./pipe.ts";

/** In a device's hello: it inflates. Every host of version 1 does. */
const DEFLATE_FEATURE = "deflate";
/** What the host says in message 2 of pairing: whether a person has to let the device in. */
const WAITS_FOR_NOBODY = 0;
const WAITS_FOR_PERSON = 1;
/** Bytes of a payload of a device's message 1, which also names the continuity secret, or of any other message. */
export const MAX_PAYLOAD_BYTES = HANDSHAKE_PAYLOAD_BYTES - CONTINUITY_TAG_BYTES;

export type HandshakeFault =
  /** Another host than the one that is expected, or one that cannot prove that it is. Nothing was told to it. */
  | "wrong_host"
  /** The host's TLS door shows another key than `pinned`. Nothing was told to it. */
  | "wrong_certificate"
  /** What answers speaks no outer conversation that we know. */
  | "not_a_host"
  /** No common version, or only one below what this peer has spoken before. */
  | "version"
  /** The host does not want this device, this offer or this secret; it says no more than that. */
  | "refused"
  /** No answer in `HANDSHAKE_MS`. */
  | "timeout"
  /** The link broke. */
  | "cut"
  /** The other side broke the rules of links or frames. */
  | "violation"
  /** The caller's signal. */
  | "aborted";

/** A handshake that did not become a pipe; the link is closed. `detail` is for logs, `message` for people. */
export class HandshakeError extends Error {
  override readonly name = "HandshakeError";
  readonly fault: HandshakeFault;
  readonly detail: string;
  constructor(fault: HandshakeFault, detail: string, cause?: unknown) {
    super(MENDING[fault], { cause });
    this.fault = fault;
    this.detail = detail;
  }
}

/** A host answers that is not the one the device looks for. Nothing was sent to it. */
export class OtherHost extends HandshakeError {
  /** The id that it gives itself: nothing proves it yet. */
  readonly host: HostHello["host"];
  constructor(host: HostHello["host"]) {
    super("wrong_host", `host ${host}`);
    this.host = host;
  }
}

/** The host's own door shows another key than the one that is pinned. Nothing was sent to it. */
export class OtherCertificate extends HandshakeError {
  readonly fingerprint: string;
  constructor(fingerprint: string) {
    super("wrong_certificate", fingerprint);
    this.fingerprint = fingerprint;
  }
}

const MENDING: Record<HandshakeFault, string> = {
  wrong_host: "Another machine answers at this address. Check the address, or pair with a new link from the host.",
  wrong_certificate:
    "The certificate at this address has another key than when this device paired. Find out why, and pair again if it was you who changed it.",
  not_a_host:
    "What answers at this address is not a Flybridge host, or a much newer one. Check the address and update.",
  version: "This app and the host have no version in common. Update the older one.",
  refused: "The host refused. Show a new pairing link on the host and pair again.",
  timeout: "The host did not answer in time. Check that it is running and reachable, and try again.",
  cut: "The connection broke. Check the network and try again.",
  violation: "The connection was closed because what came over it is not the protocol. Try again on another network.",
  aborted: "Connecting was cancelled.",
};

/** How the two came together; both sides must see it alike, or the handshake fails. */
export type Route =
  /** `exporter`, host: of the TLS under the link (RFC 9266), for devices that bind to it. A device has its link's own. */
  | { readonly kind: "direct"; readonly exporter?: Uint8Array }
  | { readonly kind: "relay"; readonly origin: string; readonly rendezvous: string };

interface Common {
  readonly suite: Suite;
  /** Oldest and newest version to speak; a peer raises the oldest to what it has spoken with this host before. */
  readonly versions?: readonly [number, number];
  /** Direct without an exporter when absent. */
  readonly route?: Route;
  readonly deflate?: Deflate;
  readonly inflate?: Inflate;
  readonly clock?: Clock;
  readonly signal?: AbortSignal;
}

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

export interface AcceptOptions extends Common {
  readonly hostKey: AgreementKey;
  readonly hostId: string;
  /** The secret of an offer that is open now. */
  secretOf(offer: Uint8Array): Uint8Array | undefined;
  /** Whether a person has to let in who comes with this offer; of one that is not open, as of one that is. */
  confirms(offer: Uint8Array): boolean;
  /**
   * Message 3 verified. Uses the offer up, once and for good, before it returns; true once the device is written down.
   * Until a person has let it in where `confirms` said so, the link has `CONFIRM_MS` instead of `HANDSHAKE_MS`.
   */
  consume(offer: Uint8Array, candidate: Candidate): boolean | Promise<boolean>;
  /** The secret of a device that may come in, by its `continuityTag`. Message 1 is replayable: changes nothing. */
  continuityOf(deviceKey: Uint8Array, tag: Uint8Array): Uint8Array | undefined;
  /**
   * The device is there now and holds `used`. True stores `next` as its secret; false refuses it, for instance because
   * `used` was replaced before, which shows that two copies of the device exist. A word refuses it too, and is the
   * goodbye that it gets: it has proved who it is.
   */
  advance(deviceKey: Uint8Array, used: Uint8Array, next: Uint8Array): boolean | string;
}

/** Who used an offer. */
export interface Candidate {
  readonly deviceKey: Uint8Array;
  readonly payload: Uint8Array;
  readonly continuity: Uint8Array;
  /** Handshake hash, 32 bytes. */
  readonly hash: Uint8Array;
  /** Its link ended. */
  readonly gone: AbortSignal;
}

interface AcceptedCommon {
  readonly deviceKey: Uint8Array;
  readonly payload: Uint8Array;
  readonly hello: DeviceHello;
  readonly pipe: SecurePipe;
  /** The secret of the next reconnect; `consume` or `advance` has it already. */
  readonly continuity: Uint8Array;
}

export type Accepted =
  | ({ readonly kind: "paired"; readonly offer: Uint8Array } & AcceptedCommon)
  | ({ readonly kind: "returned" } & AcceptedCommon);

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

/**
 * Host's side. "paired" resolves when message 3 has verified and the offer is consumed, "returned" when the device's
 * first record has verified and its secret has advanced. Rejects with `HandshakeError`; the link is closed then, with
 * the same words for every fault.
 */
export function acceptOver(link: Link, options: AcceptOptions): Promise<Accepted> {
  return handshake(link, options, "host", async (inbox, allow) => {
    const [oldest, newest] = options.versions ?? [OLDEST_VERSION, VERSION];
    const hostHello = encodeHostHello({
      flybridge: 1,
      versions: [oldest, newest],
      host: options.hostId as HostHello["host"],
      ...(options.route?.kind === "direct" && options.route.exporter ? { features: [EXPORTER_FEATURE] } : {}),
    });
    link.send(hostHello);
    const deviceHello = await inbox.next();
    const hello = decodeDeviceHello(deviceHello);
    if (!hello) throw new HandshakeError("violation", "not a device's hello");
    if (hello.v < oldest || hello.v > newest) throw new HandshakeError("version", `version ${hello.v}`);
    const route = hello.features.includes(EXPORTER_FEATURE) ? options.route : unbound(options.route);
    const prologue = prologueFor(route, hello.v, hello.purpose, options.hostId, hostHello, deviceHello);
    const message1 = await inbox.next();
    const deflate = hello.features.includes(DEFLATE_FEATURE) ? options.deflate : undefined;
    return hello.purpose === "pair"
      ? acceptPairing(link, inbox, allow, options, hello, prologue, message1, deflate)
      : acceptReturn(link, inbox, options, hello, prologue, message1, deflate);
  });
}

async function acceptPairing(
  link: Link,
  inbox: Inbox,
  allow: Allow,
  options: AcceptOptions,
  hello: DeviceHello,
  prologue: Uint8Array,
  message1: Uint8Array,
  deflate: Deflate | undefined,
): Promise<Accepted> {
  const asked = await answerPairing({ ...options, prologue }, message1);
  const { offer } = asked;
  // For no offer, chance: message 3 then fails after the same work as with a wrong secret.
  const secret = options.secretOf(offer) ?? options.suite.random(KEY_BYTES);
  const waits = options.confirms(offer);
  const replied = await asked.reply(secret, new Uint8Array([waits ? WAITS_FOR_PERSON : WAITS_FOR_NOBODY]));
  link.send(replied.message2);
  const { deviceKey, payload, channel } = await replied.finish(await inbox.next());
  const { continuity, hash } = channel;
  if (waits) allow(CONFIRM_MS + HANDSHAKE_MS);
  const isIn = await options.consume(offer, { deviceKey, payload, continuity, hash, gone: inbox.gone });
  if (!isIn) throw new HandshakeError("refused", "the offer was not consumed");
  const { pipe } = pipeOver(link, channel, options, undefined, deflate);
  pipe.announce();
  inbox.handOver(pipe);
  return { kind: "paired", offer, deviceKey, payload, hello, pipe, continuity };
}

async function acceptReturn(
  link: Link,
  inbox: Inbox,
  options: AcceptOptions,
  hello: DeviceHello,
  prologue: Uint8Array,
  message1: Uint8Array,
  deflate: Deflate | undefined,
): Promise<Accepted> {
  const asked = await answerReconnect({ ...options, prologue }, message1);
  const { deviceKey } = asked;
  if (asked.payload.length < CONTINUITY_TAG_BYTES) throw new HandshakeError("violation", "no continuity tag");
  const tag = asked.payload.subarray(0, CONTINUITY_TAG_BYTES);
  // For no such device, chance: it finds that message 2 does not verify, and its first record never will.
  const used = options.continuityOf(deviceKey, tag) ?? options.suite.random(KEY_BYTES);
  const { message2, channel } = await asked.reply(used, new Uint8Array(0));
  const continuity = nextContinuity(used, channel.hash);
  const advance = () => options.advance(deviceKey, used, continuity);
  const { pipe, ready } = pipeOver(link, channel, options, undefined, deflate, advance);
  link.send(message2);
  inbox.handOver(pipe);
  await isReady(ready, inbox, "refused");
  return { kind: "returned", deviceKey, payload: asked.payload.subarray(tag.length), hello, pipe, continuity };
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

/** For a device that cannot look into its TLS. */
function unbound(route: Route | undefined): Route | undefined {
  return route?.kind === "direct" ? { kind: "direct" } : route;
}

function prologueFor(
  route: Route = { kind: "direct" },
  version: number,
  purpose: Purpose,
  hostId: string,
  hostHello: Uint8Array,
  deviceHello: Uint8Array,
): Uint8Array {
  const isRelay = route.kind === "relay";
  return prologueOf({
    version,
    purpose,
    transport: route.kind,
    hostId,
    relayOrigin: isRelay ? route.origin : "",
    rendezvous: isRelay ? route.rendezvous : "",
    hostHello,
    deviceHello,
    exporter: (isRelay ? undefined : route.exporter) ?? new Uint8Array(0),
  });
}

/** The pipe, and how it ended before its other side was ready: undefined when that became ready. */
function pipeOver(
  link: Link,
  seal: Seal,
  options: Common & Pick<PipeOptions, "waits">,
  paceMs: number | undefined,
  deflate: Deflate | undefined,
  /** Host, on a return: runs at the first record; our own first record follows it. */
  advance?: () => boolean | string,
): { pipe: SealedPipe; ready: Promise<PipeEnd | undefined> } {
  let settle: (end?: PipeEnd) => void;
  const ready = new Promise<PipeEnd | undefined>((resolve) => {
    settle = resolve;
  });
  const birth: PipeBirth = {
    ready() {
      if (advance) {
        const verdict = advance();
        if (verdict === false) return false;
        pipe.announce();
        if (typeof verdict === "string") {
          pipe.close(verdict);
          return false;
        }
      }
      settle();
      return true;
    },
    ended(end) {
      settle(end);
    },
  };
  const { clock = systemClock, inflate, waits } = options;
  const firstRecordBytes = PRE_AUTH_FRAME_BYTES;
  const pipe = new SealedPipe(link, seal, birth, { clock, deflate, inflate, paceMs, firstRecordBytes, waits });
  return { pipe, ready };
}

/** `fault`: what it is when their first record did not verify, or was not accepted here. */
async function isReady(ready: Promise<PipeEnd | undefined>, inbox: Inbox, fault: HandshakeFault): Promise<void> {
  const end = await ready;
  if (!end) return;
  if (end.kind === "cut" && inbox.end) throw new LinkEnded(inbox.end);
  throw new HandshakeError(fault, end.kind === "bye" ? end.reason : end.detail);
}

/** From now on the handshake has so long. */
type Allow = (milliseconds: number) => void;

/** Runs the steps within `HANDSHAKE_MS`, or what they allow themselves; whatever goes wrong closes the link and becomes one `HandshakeError`. */
async function handshake<Result>(
  link: Link,
  options: Common,
  side: "device" | "host",
  steps: (inbox: Inbox, allow: Allow) => Promise<Result>,
): Promise<Result> {
  const inbox = new Inbox(link, PRE_AUTH_FRAME_BYTES);
  const { clock = systemClock, signal } = options;
  let stopped: HandshakeError | undefined;
  const end = (fault: HandshakeFault, detail: string) => {
    stopped ??= new HandshakeError(fault, detail);
    link.close(GENERIC_END);
    inbox.fail({ kind: "cut", detail });
  };
  let stopTimer = (): void => {};
  const allow: Allow = (milliseconds) => {
    stopTimer();
    stopTimer = clock.setTimer(milliseconds, () => {
      end("timeout", `after ${milliseconds} ms`);
    });
  };
  allow(HANDSHAKE_MS);
  const abort = () => {
    end("aborted", "by the caller's signal");
  };
  signal?.addEventListener("abort", abort);
  if (signal?.aborted) abort();
  try {
    const result = await steps(inbox, allow);
    if (stopped) throw stopped;
    return result;
  } catch (error) {
    link.close(GENERIC_END);
    throw stopped ?? handshakeErrorOf(error, side, inbox);
  } finally {
    stopTimer();
    signal?.removeEventListener("abort", abort);
  }
}

/** Faults of our own code and of the caller's pass as they are. */
function handshakeErrorOf(error: unknown, side: "device" | "host", inbox: Inbox): unknown {
  if (error instanceof SealError) return new HandshakeError("refused", error.message, error);
  if (!(error instanceof LinkEnded)) return error;
  const { kind, detail } = error.end;
  // To a device that a host has spoken to, its closing is an answer; before, and to a host, it is a link gone.
  const isAnswer = kind === "closed" && side === "device" && inbox.heard > 0;
  return new HandshakeError(isAnswer ? "refused" : kind === "closed" ? "cut" : kind, detail);
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const whole = new Uint8Array(first.length + second.length);
  whole.set(first);
  whole.set(second, first.length);
  return whole;
}
