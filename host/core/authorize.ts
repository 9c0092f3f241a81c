/** The one place that says who may do what. Default deny: no row, no call; no match, no call. */
import { CallError } from "@flybridge/protocol/error.ts";
import type { Grant, Verb } from "@flybridge/protocol/grant.ts";
import type { SessionId } from "@flybridge/protocol/ids.ts";
import { METHODS, type Method } from "@flybridge/protocol/methods.ts";

/** Throws `CallError("forbidden")`, the same for what is not there and for what is not this grant's. */
export function authorize(grant: Grant, method: Method, params: { readonly session?: unknown }, now: number): void {
  const { verb } = METHODS[method];
  if (grant.kind === "owner") return;
  if (verb === "any" ? now < grant.until : verb !== "owner" && may(grant, params.session, verb, now)) return;
  throw new CallError("forbidden", "This device may not do that here. Ask the owner of the host for access.");
}

/** Whether entries of a session may go to a device: checked for every batch that leaves. */
export function mayRead(grant: Grant, session: SessionId, now: number): boolean {
  return grant.kind === "owner" || may(grant, session, "read", now);
}

function may(grant: Extract<Grant, { kind: "session" }>, session: unknown, verb: Verb, now: number): boolean {
  return grant.session === session && grant.verbs.includes(verb) && now < grant.until;
}
