/** What a device keeps of its sign-in at a relay, among its secrets: one record, so that no half of it is ever there. */
import { Bytes32, Session } from "@flybridge/protocol/relay/words.ts";
import * as v from "valibot";
import type { Keys, KeptTexts } from "../keys.ts";
import { accountName } from "./account-name.ts";

const KeptAccount = v.variant("kind", [
  v.object({
    kind: v.literal("in"),
    email: v.string(),
    /** The account's own, from which its keys come. */
    secret: Bytes32,
    /** Absent where the last one ended: this device's key alone gives another. */
    session: v.optional(Session),
  }),
  /** Until a person signs in again, or says that they have seen it. */
  v.object({
    kind: v.literal("ended"),
    email: v.string(),
    reason: v.picklist(["session_reused", "signed_out"]),
  }),
]);
export type KeptAccount = v.InferOutput<typeof KeptAccount>;

/** Undefined when this device is not signed in there and was not. */
export async function keptAccount(keys: KeptTexts, origin: string): Promise<KeptAccount | undefined> {
  const text = await keys.kept(accountName(origin));
  if (text === undefined) return undefined;
  try {
    const result = v.safeParse(KeptAccount, JSON.parse(text));
    return result.success ? result.output : undefined;
  } catch {
    return undefined;
  }
}

/** Undefined forgets it. */
export function keepAccount(keys: KeptTexts, origin: string, account: KeptAccount | undefined): Promise<void> {
  return keys.keepText(accountName(origin), account && JSON.stringify(account));
}

/** `work` with what is kept, while no other window of this device touches it. */
export function aloneWithAccount<T>(
  keys: Keys,
  origin: string,
  work: (kept: KeptAccount | undefined) => Promise<T>,
  signal = new AbortController().signal,
): Promise<T> {
  return keys.alone(`relay ${origin}`, async () => work(await keptAccount(keys, origin)), signal);
}
