/** The seal and the sockets of a browser, in a file of their own: the page draws what it knows before it loads them. */
import { nobleSuite } from "@flybridge/crypto/noble.ts";
import { relaySocketOf } from "@flybridge/protocol/relay/origin.ts";
import { RELAY_FRAME_BYTES } from "@flybridge/protocol/relay/words.ts";
import { LINK_PATH, RECORD_BYTES } from "@flybridge/protocol/relay.ts";
import { webInflate } from "@flybridge/transport/inflate-web.ts";
import { webSocketLink } from "@flybridge/transport/websocket.ts";
import type { Reach } from "./platform.ts";

export function webReach(random: (bytes: number) => Uint8Array): Reach {
  return {
    suite: nobleSuite(random),
    inflate: webInflate,
    dial: (address) => webSocketLink(new WebSocket(address + LINK_PATH), { maxFrameBytes: RECORD_BYTES }),
    relay: (origin) => webSocketLink(new WebSocket(relaySocketOf(origin)), { maxFrameBytes: RELAY_FRAME_BYTES }),
  };
}
