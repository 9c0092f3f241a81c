/** What a peer is told once it has said what it wants: that it is welcome, or why not. */
import { REFUSALS } from "@flybridge/protocol/relay/refusals.ts";
import { encode, type RefusedCode, type Welcome } from "@flybridge/protocol/relay/words.ts";
import type { PeerSocket } from "./socket.ts";

/** Milliseconds after which a relay that cannot look something up may be asked again. */
const UNAVAILABLE_MS = 2_000;

export function welcome(socket: PeerSocket, what: Omit<Welcome, "t">): void {
  socket.send(encode({ t: "welcome", ...what } satisfies Welcome));
}

export function refuse(socket: PeerSocket, code: RefusedCode): void {
  const after = code === "unavailable" || code === "too_many" ? { after: UNAVAILABLE_MS } : {};
  socket.send(encode({ t: "refused", code, message: REFUSALS[code], ...after }));
  socket.close(code);
}
