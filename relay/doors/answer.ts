/** What a peer is told once it has said what it wants: that it is welcome, or why not. */
import { encode, type RefusedCode, type Welcome } from "@flybridge/protocol/relay/words.ts";
import type { PeerSocket } from "./socket.ts";

/** Milliseconds after which a relay that cannot look something up may be asked again. */
const UNAVAILABLE_MS = 2_000;

const MESSAGES: Record<RefusedCode, string> = {
  bad_opening: "This relay did not understand, or the signature is not of the key that was named. Update both sides.",
  not_registered:
    "This relay lets in whom it knows: get an invitation from whoever runs it, and give it with flybridge remote add.",
  closed: "This relay takes nobody new. Ask whoever runs it.",
  session_reused:
    "This sign-in was used from somewhere else; it was ended. Sign in again, and see who else has this key.",
  session_ended: "This sign-in has ended. Sign in again.",
  bad_ticket: "The host does not let this device in by the relay. Connect to it directly once, or pair again.",
  ticket_doubled: "What lets this device in was used from somewhere else; both were cut off. Connect directly once.",
  no_offer: "This link was used before, has expired, or was withdrawn. Show a new one on the host.",
  host_away: "The host is not connected to this relay. See that it runs and is online.",
  too_many: "Too much is going on at this relay. Try again in a while.",
  unavailable: "The relay cannot look up what it needs now. Try again in a moment.",
};

export function welcome(socket: PeerSocket, what: Omit<Welcome, "t">): void {
  socket.send(encode({ t: "welcome", ...what } satisfies Welcome));
}

export function refuse(socket: PeerSocket, code: RefusedCode): void {
  const after = code === "unavailable" || code === "too_many" ? { after: UNAVAILABLE_MS } : {};
  socket.send(encode({ t: "refused", code, message: MESSAGES[code], ...after }));
  socket.close(code);
}
