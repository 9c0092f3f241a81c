/** A grant is what one device may do here: everything, or a few verbs on one session, until a time. */
import * as v from "valibot";
import { SessionId, Time } from "./ids.ts";

export const Verb = v.picklist(["read", "prompt", "answer", "input", "detach", "notify", "files", "git"]);
export type Verb = v.InferOutput<typeof Verb>;

export const Grant = v.variant("kind", [
  v.object({ kind: v.literal("owner") }),
  v.object({ kind: v.literal("session"), session: SessionId, verbs: v.array(Verb), until: Time }),
]);
export type Grant = v.InferOutput<typeof Grant>;
