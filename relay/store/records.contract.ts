/** Every record of a relay, run on either store. */
import { accountsContract } from "./accounts.contract.ts";
import { invitationsContract } from "./invitations.contract.ts";
import { noticesContract } from "./notices.contract.ts";
import { registrationsContract } from "./registrations.contract.ts";
import { sessionsContract } from "./sessions.contract.ts";
import type { Open } from "./stores.contract.ts";

export function recordsContract(open: Open): void {
  registrationsContract(open);
  sessionsContract(open);
  accountsContract(open);
  invitationsContract(open);
  noticesContract(open);
}
