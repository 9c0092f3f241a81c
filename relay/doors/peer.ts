/**
 * A socket from its opening on: the relay says a nonce, and the peer signs what it wants. What is refused costs a signature
 * to check and no look into the store.
 */
import { randomBytes } from "node:crypto";
import { openingIn } from "@flybridge/crypto/proof.ts";
import { verifyBytesNode } from "@flybridge/crypto/verify-node.ts";
import { toBase64Url } from "@flybridge/protocol/base64.ts";
import { decode, encode, Opening, OPENING_BYTES, OPENING_MS } from "@flybridge/protocol/relay/words.ts";
import type { Peers } from "./admission.ts";
import { refuse } from "./answer.ts";
import { joinDevice } from "./device.ts";
import { seatHost } from "./host.ts";
import { admitMember } from "./member.ts";
import type { PeerSocket } from "./socket.ts";

const NONCE_BYTES = 32;

/** Takes the socket over. `settled` once: it is a stranger no more, or gone. */
export function receive(socket: PeerSocket, from: string, peers: Peers, settled: () => void): void {
  const nonce = randomBytes(NONCE_BYTES);
  let isSettled = false;
  const settle = (): void => {
    if (isSettled) return;
    isSettled = true;
    clearTimeout(late);
    settled();
  };
  const late = setTimeout(() => socket.terminate(), OPENING_MS);
  let isOpened = false;
  socket.listen({
    frame(frame) {
      // Anything before the answer is out of turn, and so is a second opening.
      if (isOpened) return socket.terminate();
      isOpened = true;
      // From here on it is we who take our time.
      clearTimeout(late);
      void open(socket, frame, nonce, from, peers)
        .catch((error: unknown) => {
          peers.log("a peer could not be let in", { error: String(error) });
          refuse(socket, "unavailable");
        })
        .finally(settle);
    },
    closed: settle,
  });
  socket.send(encode({ relay: 1, nonce: toBase64Url(nonce), now: peers.now() }));
}

async function open(
  socket: PeerSocket,
  frame: Uint8Array,
  nonce: Uint8Array,
  from: string,
  peers: Peers,
): Promise<void> {
  const signed = frame.length <= OPENING_BYTES ? openingIn(frame, peers.origin(), nonce, verifyBytesNode) : undefined;
  const opening = signed && decode(Opening, signed.body);
  if (!signed || !opening) return refuse(socket, "bad_opening");
  const key = toBase64Url(signed.key);
  switch (opening.t) {
    case "host":
      return seatHost(socket, opening, key, from, peers);
    case "join":
      return joinDevice(socket, opening, key, from, peers);
    case "member":
      return admitMember(socket, opening, key, from, peers);
  }
}
