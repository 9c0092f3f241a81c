/**
 * Where the pipe and the seal meet: a handshake over a link, and what comes of it. Here is what both sides share;
 * `secure/device.ts` pairs or reconnects, `secure/host.ts` accepts. The frames and their order are in
 * `protocol/relay.ts`.
 */
import { prologueOf } from "@flybridge/crypto/prologue.ts";
import { SealError, type Suite } from "@flybridge/crypto/suite.ts";
import { HANDSHAKE_MS, type HostHello, PRE_AUTH_FRAME_BYTES, type Purpose } from "@flybridge/protocol/relay.ts";
import { type Clock, systemClock } from "./clock.ts";
import type { Deflate, Inflate } from "./deflate.ts";
import { Inbox, LinkEnded } from "./inbox.ts";
import type { Link } from "./link.ts";
import { GENERIC_END, type PipeBirth, type PipeEnd, type PipeOptions, SealedPipe, type Seal } from "./pipe.ts";

/** In a device's hello: it inflates. Every host of version 1 does. */
export const DEFLATE_FEATURE = "deflate";
/** What the host says in message 2 of pairing: whether a person has to let the device in. */
export const WAITS_FOR_NOBODY = 0;
export const WAITS_FOR_PERSON = 1;

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

/** What both sides are told. */
export interface Common {
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

export function prologueFor(
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
export function pipeOver(
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
export async function isReady(ready: Promise<PipeEnd | undefined>, inbox: Inbox, fault: HandshakeFault): Promise<void> {
  const end = await ready;
  if (!end) return;
  if (end.kind === "cut" && inbox.end) throw new LinkEnded(inbox.end);
  throw new HandshakeError(fault, end.kind === "bye" ? end.reason : end.detail);
}

/** From now on the handshake has so long. */
export type Allow = (milliseconds: number) => void;

/** Runs the steps within `HANDSHAKE_MS`, or what they allow themselves; whatever goes wrong closes the link and becomes one `HandshakeError`. */
export async function handshake<Result>(
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
