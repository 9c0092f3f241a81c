/** The seal and the sockets of a browser, in a file of their own: the page draws what it knows before it loads them. */
import { nobleSuite } from "@flybridge/crypto/noble.ts";
import { GATHERING_MS, type IceServer, OPENING_MS } from "@flybridge/protocol/direct.ts";
import { relaySocketOf } from "@flybridge/protocol/relay/origin.ts";
import { RELAY_FRAME_BYTES } from "@flybridge/protocol/relay/words.ts";
import { LINK_PATH, RECORD_BYTES } from "@flybridge/protocol/relay.ts";
import type { ChannelOffer } from "@flybridge/transport/data-channel.ts";
import { webInflate } from "@flybridge/transport/inflate-web.ts";
import { webSocketLink } from "@flybridge/transport/websocket.ts";
import type { Reach } from "./platform.ts";

export function webReach(random: (bytes: number) => Uint8Array): Reach {
  return {
    suite: nobleSuite(random),
    inflate: webInflate,
    dial: (address) => webSocketLink(new WebSocket(address + LINK_PATH), { maxFrameBytes: RECORD_BYTES }),
    relay: (origin) => webSocketLink(new WebSocket(relaySocketOf(origin)), { maxFrameBytes: RELAY_FRAME_BYTES }),
    ...("RTCPeerConnection" in globalThis ? { direct } : {}),
  };
}

/** Loaded when a host has such a way, which most connections do not need. */
async function direct(ice: readonly IceServer[]): Promise<ChannelOffer> {
  const { offerChannel } = await import("@flybridge/transport/data-channel-web.ts");
  // The schema's optional fields may be undefined, a browser's may not.
  const servers = ice.map(({ urls, username = "", credential = "" }) => ({ urls, username, credential }));
  return offerChannel({
    ice: servers,
    maxFrameBytes: RECORD_BYTES,
    gatheringMs: GATHERING_MS,
    openingMs: OPENING_MS,
  });
}
