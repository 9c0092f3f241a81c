/** An invitation to a relay, made beside it: over its store, whether it runs now or not. */
import type { Config } from "./config.ts";
import { type Invited, invitationsIn } from "./store/invitations.ts";
import { openRelayStore } from "./store/open.ts";

/** The code. It can be used once, until it expires. */
export async function invite(
  config: Pick<Config, "store" | "secret">,
  whom: Invited | "either",
  expires: number,
): Promise<string> {
  await using store = await openRelayStore(config);
  return await invitationsIn(store.database).make(whom, expires);
}
