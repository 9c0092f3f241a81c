/**
 * Why a relay refuses, in words for whom it refuses. It sends them along, for those that do not know its codes; our hosts,
 * apps and shell say their own copy of these words by the code, so that nobody who runs a relay writes on their screens.
 */
import type { RefusedCode } from "./shapes.ts";

export const REFUSALS: Record<RefusedCode, string> = {
  bad_opening:
    "The relay did not understand who came, or knows itself by another address. Compare the address, and update the older of the two.",
  not_registered:
    "This relay lets in whom it knows: a device signs in, and a host needs an invitation from whoever runs it, given with flybridge remote add.",
  closed: "This relay takes nobody new. Ask whoever runs it.",
  session_reused:
    "This sign-in was used from somewhere else; it was ended. Sign in again, and see who else has its keys.",
  session_ended: "This sign-in has ended. Sign in again.",
  bad_ticket: "The relay does not let this device to that host. Connect to it directly once, or pair again.",
  ticket_doubled: "What lets this device in was used from somewhere else; both were cut off. Connect directly once.",
  no_offer: "This link was used before, has expired, or was withdrawn. Show a new one on the host.",
  host_away: "That host is not connected to this relay. See that it runs and is online.",
  too_many: "Too much is going on at this relay. Try again in a while.",
  unavailable: "The relay cannot look up what it needs now. Try again in a moment.",
};
