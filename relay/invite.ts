/**
 * An invitation to a relay, made beside it: over its store, whether it runs now or not. As a program, for a container that
 * has no other: `node relay/invite.ts [host|account|either]`.
 */
import { INVITATION_MS } from "./access/access.ts";
import { type Config, configFrom } from "./config.ts";
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

if (process.argv[1] === import.meta.filename) {
  const [whom = "either"] = process.argv.slice(2);
  try {
    if (whom !== "host" && whom !== "account" && whom !== "either")
      throw new Error(`${whom} is none of host, account and either.`);
    process.stdout.write(`${await invite(configFrom(process.env), whom, Date.now() + INVITATION_MS)}\n`);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
