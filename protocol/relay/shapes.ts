/** Shapes that both conversations have, that with a relay and that with a host. */
import * as v from "valibot";

const KEY = /^[A-Za-z0-9_-]{43}$/u;
/** 32 bytes as base64url: a key, a token, a nonce. */
export const Bytes32 = v.pipe(v.string(), v.regex(KEY));
/** 64 bytes as base64url. */
export const Signature = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{86}$/u));
/** By which devices name a host to a relay: 12 bytes of chance, chosen by the host for each relay. */
export const Rendezvous = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{16}$/u));
/** What lets a host or an account be registered where not everybody may: a word a person was given. */
export const Invitation = v.pipe(v.string(), v.minLength(1), v.maxLength(64));
/** `TicketBody` and the signature of the host over it, each in base64url, with a dot between. */
export const Ticket = v.pipe(v.string(), v.minLength(1), v.maxLength(1_024));

export const RefusedCode = v.picklist([
  /** What was said is not understood, or is not signed by the key it names. */
  "bad_opening",
  /** The key is not registered, and may not be: an invitation is missing, wrong or used. */
  "not_registered",
  /** This relay takes nobody new. */
  "closed",
  /** This sign-in was used from somewhere else, and was ended. A person has to sign in again. */
  "session_reused",
  "session_ended",
  /** The ticket is none of that host's, of another key or relay, or withdrawn. */
  "bad_ticket",
  /** The ticket was on another live socket: both were closed. */
  "ticket_doubled",
  /** No such offer is open. */
  "no_offer",
  /** The host is not connected to this relay, or not to this account. */
  "host_away",
  "too_many",
  /** The relay cannot look up what it needs now. */
  "unavailable",
]);
export type RefusedCode = v.InferOutput<typeof RefusedCode>;
