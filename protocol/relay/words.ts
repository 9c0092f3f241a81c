/**
 * What a host or a device says to a relay, and hears from it. None of it is about what they say to each other: that is
 * sealed, and goes through circuits.
 *
 *   open    relay -> peer    RelayHello      at once
 *           peer  -> relay   Opening         signed, with a key of the peer's
 *           relay -> peer    Welcome, or Refused and the end
 *           then, on a host's socket       frames of circuits (`circuit.ts`), and Control among them
 *                 on a joined device's     nothing but the frames of its one circuit
 *                 on a member's            calls about its account (`account.ts`)
 *
 * Each is one binary frame of JSON. The signature is over the relay's origin as the peer dialled it and over a nonce of
 * this one socket: what one relay was told is worth nothing at another, nor here a second time.
 */
import * as v from "valibot";
import { IceServer, MAX_ICE_SERVERS } from "../direct.ts";
import { HostId } from "../ids.ts";
import { RECORD_BYTES } from "../relay.ts";
import { Bytes32, Invitation, RefusedCode, Rendezvous, Signature, Ticket } from "./shapes.ts";

/** Where a relay takes sockets. */
export const RELAY_PATH = "/relay";
export const RELAY_PORT = 7684;
/** The version of these words. */
const RELAY_VERSION = 1;
/** Bytes of what precedes a circuit's frame on a host's socket. */
export const CIRCUIT_HEADER_BYTES = 5;
/** Bytes of one frame on any socket: `maxPayload`. */
export const RELAY_FRAME_BYTES = RECORD_BYTES + CIRCUIT_HEADER_BYTES;
/** Bytes of one frame before a peer is known. */
export const OPENING_BYTES = 4_096;
/** Milliseconds from a socket's opening to its peer's `Opening`. */
export const OPENING_MS = 10_000;
/** Milliseconds between pings, in both directions, and without a word after which a socket counts as dead. */
export const RELAY_PING_MS = 15_000;
export const RELAY_DEAD_MS = 45_000;

/** Apart, for the page's first screen needs no more of these words than them. */
export { Bytes32, Invitation, RefusedCode, Rendezvous, Signature, Ticket };
export const RENDEZVOUS_BYTES = 12;
/** Milliseconds since 1970 by the relay's clock, which peers measure theirs against. */
const RelayTime = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

/** A host's word that a device may join it at one relay. */
export const TicketBody = v.object({
  relay: v.string(),
  host: HostId,
  rendezvous: Rendezvous,
  /** DA. */
  device: Bytes32,
  until: RelayTime,
  id: v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{16}$/u)),
});
export type TicketBody = v.InferOutput<typeof TicketBody>;

export const RelayHello = v.object({
  relay: v.literal(RELAY_VERSION),
  nonce: Bytes32,
  now: RelayTime,
});
export type RelayHello = v.InferOutput<typeof RelayHello>;

/** What lets a device open a circuit. */
export const JoinBy = v.variant("kind", [
  /** The host signed that this key may. */
  v.object({ kind: v.literal("ticket"), ticket: Ticket }),
  /** The key is made of the secret of an offer that is open (`crypto/proof.ts`). */
  v.object({ kind: v.literal("offer") }),
  /** The key is registered under the account that the host is under. */
  v.object({ kind: v.literal("session"), session: v.optional(Bytes32) }),
]);
export type JoinBy = v.InferOutput<typeof JoinBy>;

export const Opening = v.variant("t", [
  /** A host takes its place. The key is its identity key HI, `hs` its static one: the two make its id. */
  v.object({
    t: v.literal("host"),
    hs: Bytes32,
    rendezvous: Rendezvous,
    /** The session it has; without one it signs in by its key. */
    session: v.optional(Bytes32),
    invitation: v.optional(Invitation),
    /** A person said to sign in again after this host's session was ended because it had been used elsewhere. */
    anew: v.optional(v.boolean()),
  }),
  /** A device wants a circuit to a host. */
  v.object({
    t: v.literal("join"),
    rendezvous: Rendezvous,
    by: JoinBy,
  }),
  /** A device speaks of its account, or of making one. */
  v.object({ t: v.literal("member"), session: v.optional(Bytes32) }),
]);
export type Opening = v.InferOutput<typeof Opening>;

export const Registration = v.picklist(["open", "invitation", "closed"]);
export type Registration = v.InferOutput<typeof Registration>;

/** A token, once: whoever gets it says `kept` when it is stored, and only then is the one before replaced. */
export const Session = v.object({
  session: Bytes32,
  /** When it has to be renewed by. */
  expires: RelayTime,
});
export type Session = v.InferOutput<typeof Session>;

export const Welcome = v.object({
  t: v.literal("welcome"),
  now: RelayTime,
  /** To a host and a registered member. */
  session: v.optional(Session),
  /** To a device that joined with a ticket that was too old: the host's new one. */
  ticket: v.optional(Ticket),
  /** To a host: whether this relay serves the web app under its origin. */
  app: v.optional(v.boolean()),
  /** To a host: servers that help its devices find a direct way (`direct.ts`). */
  ice: v.optional(v.pipe(v.array(IceServer), v.maxLength(MAX_ICE_SERVERS))),
  /** To a member: whether its key is registered, and who may be. */
  registered: v.optional(v.boolean()),
  registration: v.optional(Registration),
});
export type Welcome = v.InferOutput<typeof Welcome>;

export const REFUSED_CODES: readonly RefusedCode[] = RefusedCode.options;

export const Refused = v.object({
  t: v.literal("refused"),
  code: RefusedCode,
  /** For a person; says how to mend it. */
  message: v.string(),
  /** After so many milliseconds it may be tried again. */
  after: v.optional(v.number()),
});
export type Refused = v.InferOutput<typeof Refused>;

export const Answer = v.variant("t", [Welcome, Refused]);
export type Answer = v.InferOutput<typeof Answer>;

/** From a relay to a host, in control frames. */
export const ToHost = v.variant("t", [
  v.object({ t: v.literal("session"), ...Session.entries }),
  /** A device of that key came with a ticket that is too old. May it come in? Answered with `renewed`. */
  v.object({ t: v.literal("renew"), ask: v.pipe(v.number(), v.safeInteger()), key: Bytes32 }),
  /** One ticket was on two live sockets at once: there are two copies of that device. */
  v.object({ t: v.literal("doubled"), key: Bytes32 }),
  /** This relay is about to end: connect again, which leads to another node or waits for the next start. */
  v.object({ t: v.literal("moving") }),
]);
export type ToHost = v.InferOutput<typeof ToHost>;

/** From a host to a relay, in control frames. */
export const FromHost = v.variant("t", [
  /** The newest session is stored. */
  v.object({ t: v.literal("kept") }),
  /** Time for the next one. */
  v.object({ t: v.literal("renew"), session: Bytes32 }),
  /** Whoever holds the key may join until then (the relay's clock). */
  v.object({ t: v.literal("offer"), key: Bytes32, until: RelayTime }),
  v.object({ t: v.literal("withdraw"), key: Bytes32 }),
  v.object({ t: v.literal("renewed"), ask: v.pipe(v.number(), v.safeInteger()), ticket: v.optional(Ticket) }),
  /** No ticket of this key counts any more, and its circuits end. */
  v.object({ t: v.literal("revoke"), key: Bytes32 }),
  /** Its tickets count again: it was paired anew. */
  v.object({ t: v.literal("readmit"), key: Bytes32 }),
  /** The account whose devices may ask for this host, by its key's signature (`crypto/proof.ts`); without one, none. */
  v.object({
    t: v.literal("account"),
    account: v.optional(v.object({ key: Bytes32, endorsement: Signature })),
  }),
]);
export type FromHost = v.InferOutput<typeof FromHost>;

/** Who opens a circuit: the payload of an `open` frame to the host. */
export const Caller = v.object({
  by: v.picklist(["ticket", "offer", "session"]),
  key: Bytes32,
});
export type Caller = v.InferOutput<typeof Caller>;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

export function encode(message: object): Uint8Array {
  return encoder.encode(JSON.stringify(message));
}

/** Undefined when it is not JSON of that schema. */
export function decode<Schema extends v.GenericSchema>(
  schema: Schema,
  bytes: Uint8Array,
): v.InferOutput<Schema> | undefined {
  try {
    const result = v.safeParse(schema, JSON.parse(decoder.decode(bytes)));
    return result.success ? result.output : undefined;
  } catch {
    return undefined;
  }
}
