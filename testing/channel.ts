/** A data channel as a device that is a program asks for it: libdatachannel's, before anybody has answered. */
import { type DataChannel, PeerConnection, type RtcConfig } from "node-datachannel";

export interface AskedChannel {
  readonly peer: PeerConnection;
  readonly channel: DataChannel;
  /** All candidates were looked for: the local description is whole. */
  readonly gathered: Promise<void>;
  readonly opened: Promise<true>;
}

export function askChannel(config: RtcConfig = { iceServers: [] }): AskedChannel {
  const peer = new PeerConnection("device", config);
  // The library lets go of what it has told of its end, and of nothing else: it would keep the process.
  peer.onStateChange(() => {});
  const gathered = new Promise<void>((resolve) =>
    peer.onGatheringStateChange((state) => {
      if (state === "complete") resolve();
    }),
  );
  const channel = peer.createDataChannel("link");
  channel.onClosed(() => {});
  const opened = new Promise<true>((resolve) => channel.onOpen(() => resolve(true)));
  return { peer, channel, gathered, opened };
}

/** Without its own candidates: nobody is to ask for it at its addresses before it has read the answer, and it would fall over. */
export function offerOf({ peer }: AskedChannel): string {
  return peer.localDescription()?.sdp.replaceAll(/^a=candidate:.*\r\n/gmu, "") ?? "";
}
