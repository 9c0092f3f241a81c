/** A grant is what one device may do here: everything, or a few verbs on one session, until a time. */
import * as v from "valibot";
import { DeviceId, SessionId, Time } from "./ids.ts";

export const Verb = v.picklist([
  /** Metadata, entries, the screen of a terminal. */
  "read",
  "prompt",
  "answer",
  /** Keys of a terminal: whoever has it can run what the owner can. */
  "input",
  /** Giving the grant back. */
  "detach",
  "notify",
  "files",
  "git",
  /** Passing on what this grant allows, or less. */
  "share",
]);
export type Verb = v.InferOutput<typeof Verb>;

/** What is in every share: who cannot see what is asked cannot answer it, and whoever came may leave. */
export const WATCHING = ["read", "detach"] as const satisfies readonly Verb[];

export const SessionGrant = v.object({
  kind: v.literal("session"),
  session: SessionId,
  verbs: v.array(Verb),
  until: Time,
  /** The device that gave it: with that one's own grant it ends. */
  by: DeviceId,
});
export type SessionGrant = v.InferOutput<typeof SessionGrant>;

export const Grant = v.variant("kind", [v.object({ kind: v.literal("owner") }), SessionGrant]);
export type Grant = v.InferOutput<typeof Grant>;

/** How a grant ends; the goodbye of its connections says which. */
export const GrantEnd = v.picklist(["revoked", "expired", "session_ended", "suspended", "detached"]);
export type GrantEnd = v.InferOutput<typeof GrantEnd>;

/** Whether what `child` allows is allowed by `parent` too, no longer, and of the same session. */
export function isWithin(child: SessionGrant, parent: Grant): boolean {
  if (parent.kind === "owner") return true;
  return (
    child.session === parent.session &&
    child.until <= parent.until &&
    child.verbs.every((verb) => parent.verbs.includes(verb))
  );
}
