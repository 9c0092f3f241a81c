/**
 * A replica is what this device knows of one host, kept right by the feed and by following the sessions that are open,
 * and readable while the host is away. Intents go up through a durable outbox; entries come down and are folded.
 *
 * Contract: nothing here throws for want of a connection; what cannot be known now is a state in a view. Calls reject
 * with `CallError` (the host's answer) or `Offline` (no answer: a query may be repeated, an intent is still kept).
 */
import type { AgentInfo } from "@flybridge/protocol/agent.ts";
import type { Device } from "@flybridge/protocol/device.ts";
import type { Grant, GrantEnd } from "@flybridge/protocol/grant.ts";
import type { DeviceId, HostId, IntentId, SessionId } from "@flybridge/protocol/ids.ts";
import type { IntentMethod, Params, QueryMethod, Result } from "@flybridge/protocol/methods.ts";
import type { Pairing, PairingId } from "@flybridge/protocol/pairing.ts";
import type { Summary } from "@flybridge/protocol/session.ts";
import type { Calls } from "./calls.ts";
import type { Cell } from "./cell.ts";
import type { SessionView } from "./view.ts";

/** What is kept of a host between launches, beside its keys. */
export interface KnownHost {
  readonly host: HostId;
  readonly name: string;
  /** Where to dial: `wss://…` or `ws://…` origins, or the path of a local socket; tried in order. */
  readonly addresses: readonly string[];
  /** The host's X25519 public key, base64url. */
  readonly hostKey: string;
  /** Fingerprint of the key of the host's own TLS door, where this device paired through it and can see it. */
  readonly certificate?: string;
  readonly device: DeviceId;
  readonly paired: number;
  /** The session that was shared with this device, where that is all it may see. */
  readonly only?: SessionId | undefined;
  /** How that grant ended: the host itself knows this device no more, and could not say it again. */
  readonly over?: { readonly reason: GrantEnd; readonly at: number } | undefined;
}

export type Connection =
  | { readonly kind: "connecting"; readonly since: number }
  /** `relay`: the origin of the one between, where there is one. */
  | { readonly kind: "live"; readonly since: number; readonly roundTrip?: number; readonly relay?: string }
  /** `retryAt`: when it will be tried again by itself. `reason` is for a person. */
  | { readonly kind: "offline"; readonly since: number; readonly reason: string; readonly retryAt?: number }
  /** Final until the person does something: the grant ended, or the host shows another key. */
  | {
      readonly kind: "refused";
      readonly since: number;
      readonly reason: GrantEnd | "wrong_host" | "wrong_certificate" | "too_new" | "too_old";
      /** With `wrong_host`: the id that whoever answers gives itself. */
      readonly found?: HostId;
      /** With `wrong_certificate`: the fingerprint of the key that was shown. */
      readonly shown?: string;
    };

export interface HostView {
  known: KnownHost;
  connection: Connection;
  grant?: Grant;
  version?: string;
  sessions: Record<SessionId, Summary>;
  devices: Record<DeviceId, Device>;
  /** Devices that wait for their digits to be typed at the host. */
  pairings: Record<PairingId, Pairing>;
  agents: AgentInfo[];
  /** Whether the feed has been read at least once, from the host or the cache: until then, lists are not "empty". */
  read: boolean;
  /** The last entry of each session that the person has looked at on this device. */
  seen: Record<SessionId, number>;
}

export interface Intended<M extends IntentMethod> {
  readonly intent: IntentId;
  /**
   * Resolves when the host has accepted it; rejects with `CallError` when it refuses. Waits as long as it takes, over
   * cuts and, unseen, over launches; only what is meant for this moment (`FLEETING` in outbox.ts: an offer, the end of a
   * host or of a grant) is not kept and rejects with `Offline`.
   */
  readonly settled: Promise<Result<M>>;
}

export interface OpenSession {
  readonly view: Cell<SessionView>;
  /** Loads the page before the oldest row; resolves when it is in the view. At the beginning it does nothing. */
  older(): Promise<void>;
  /** Stops following; the cache stays. */
  close(): void;
}

/** Whoever hears the frames of terminals: `terminal.ts`, which is loaded when there is one to draw. */
export interface FrameListener {
  /** A connection is there: now, or again. */
  up(calls: Pick<Calls, "send">): void;
  down(): void;
  /** Any terminal's frame, as it came. Throws for what is none; never rejects. */
  frame(bytes: Uint8Array): void | Promise<void>;
}

export interface Replica {
  readonly view: Cell<HostView>;
  call<M extends QueryMethod>(method: M, params: Params<M>): Promise<Result<M>>;
  /** `memory`: it holds a secret, so it is kept on this device only while the app runs. */
  intend<M extends IntentMethod>(method: M, params: Params<M>, where?: "store" | "memory"): Intended<M>;
  open(session: SessionId): OpenSession;
  /** The returned function ends it. */
  hearFrames(listener: FrameListener): () => void;
  /** Puts a refused prompt or answer away for good; its row disappears. */
  dismiss(intent: IntentId): void;
  /** Tells that the network or the page came back, that the page is (not) visible, or that the person looked at a session. */
  notice(
    event:
      | { kind: "awake" }
      | { kind: "visible"; visible: boolean }
      | { kind: "looked"; session: SessionId; seq: number }
      | { kind: "closing" },
  ): void;
}

/** No answer came: the connection ended, or there is none. */
export class Offline extends Error {
  override readonly name = "Offline";
}
