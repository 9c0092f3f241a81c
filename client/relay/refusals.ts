/** Why a relay refuses, in our words: whoever runs it does not get to write on this screen. */
import type { RefusedCode } from "@flybridge/protocol/relay/words.ts";

export const REFUSALS: Record<RefusedCode, string> = {
  bad_opening:
    "The relay did not understand this app, or knows itself by another address. Update the older of the two.",
  not_registered: "This device is not signed in at this relay. Sign in.",
  closed: "This relay takes nobody new. Ask whoever runs it.",
  session_reused: "This sign-in was used from somewhere else; it was ended.",
  session_ended: "This sign-in has ended. Sign in again.",
  bad_ticket: "The relay does not let this device to that host. Connect to it directly once.",
  ticket_doubled: "What lets this device in was used from somewhere else.",
  no_offer: "This invitation was used, has expired or was withdrawn. Make a new one.",
  host_away: "That host is not connected to this relay.",
  too_many: "Too much is going on at this relay. Try again in a while.",
  unavailable: "The relay cannot look up what it needs now. It is tried again.",
};
