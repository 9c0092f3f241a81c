/** A link over a data channel of a browser's, and the offer that opens one. */
import { LOW_WATER_BYTES, type Link } from "./link.ts";
import { type Channel, type ChannelOffer, DataChannelLink } from "./data-channel.ts";

const LABEL = "flybridge";
/** "disconnected" may mend itself, but by then whoever waits has waited for seconds, and there are other ways. */
const GONE: ReadonlySet<RTCPeerConnectionState> = new Set(["disconnected", "failed", "closed"]);
/** What a description that says nothing of it stands for, in bytes (RFC 8841 §6.1). */
const UNSAID_BYTES = 65_536;

export interface OfferOptions {
  readonly ice: readonly RTCIceServer[];
  /** A larger frame ends the link as a violation. */
  readonly maxFrameBytes: number;
  /** Milliseconds in which candidates are gathered: what comes later is not in the offer. */
  readonly gatheringMs: number;
  /** Milliseconds from the answer to the open channel. */
  readonly openingMs: number;
  /** Of a browser when absent. */
  readonly makePeer?: (configuration: RTCConfiguration) => RTCPeerConnection;
}

/** Rejects when this browser makes no such offer: WebRTC is switched off, or a server's address is none. */
export async function offerChannel(options: OfferOptions): Promise<ChannelOffer> {
  const makePeer = options.makePeer ?? ((configuration) => new RTCPeerConnection(configuration));
  const peer = makePeer({ iceServers: [...options.ice] });
  const channel = peer.createDataChannel(LABEL);
  // Before it is open, so that nothing is missed that comes with its opening.
  const link = webChannelLink(peer, channel, options.maxFrameBytes);
  let isTaken = false;
  const drop = (): void => {
    if (!isTaken) peer.close();
  };
  try {
    const gathered = within(options.gatheringMs, (done) => {
      peer.addEventListener("icegatheringstatechange", () => {
        if (peer.iceGatheringState === "complete") done();
      });
    });
    await peer.setLocalDescription(await peer.createOffer());
    await gathered;
    return {
      sdp: peer.localDescription?.sdp ?? "",
      async answered(sdp, signal) {
        await peer.setRemoteDescription({ type: "answer", sdp });
        await opened(peer, channel, options.openingMs, signal);
        if ((peer.sctp?.maxMessageSize ?? UNSAID_BYTES) < options.maxFrameBytes)
          throw new Error("The other side takes no messages of a record's size.");
        isTaken = true;
        return link;
      },
      [Symbol.dispose]: drop,
    };
  } catch (error) {
    drop();
    throw error;
  }
}

/** Takes over a channel, with its peer, which ends with it. */
function webChannelLink(peer: RTCPeerConnection, channel: RTCDataChannel, maxFrameBytes: number): Link {
  const end: Channel = {
    get buffered() {
      return channel.bufferedAmount;
    },
    send(message) {
      // Two overloads, which a union fits neither of.
      channel.send(message as string);
    },
    tear() {
      peer.close();
    },
  };
  const link = new DataChannelLink(end, maxFrameBytes);
  channel.binaryType = "arraybuffer";
  channel.bufferedAmountLowThreshold = LOW_WATER_BYTES;
  channel.addEventListener("bufferedamountlow", () => link.low());
  channel.addEventListener("error", () => link.broke("the channel failed"));
  channel.addEventListener("close", () => link.broke("the channel was closed"));
  peer.addEventListener("connectionstatechange", () => {
    if (GONE.has(peer.connectionState)) link.broke(`the peer is ${peer.connectionState}`);
  });
  channel.addEventListener("message", ({ data }: MessageEvent<unknown>) => {
    link.message(data instanceof ArrayBuffer ? new Uint8Array(data) : String(data));
  });
  return link;
}

async function opened(
  peer: RTCPeerConnection,
  channel: RTCDataChannel,
  openingMs: number,
  signal: AbortSignal,
): Promise<void> {
  await within(openingMs, (done) => {
    channel.addEventListener("open", done);
    channel.addEventListener("close", done);
    peer.addEventListener("connectionstatechange", () => {
      if (peer.connectionState === "failed" || peer.connectionState === "closed") done();
    });
    signal.addEventListener("abort", done);
    if (channel.readyState === "open" || signal.aborted) done();
  });
  if (channel.readyState !== "open" || signal.aborted) throw new Error("The direct way did not open.");
}

/** Resolves when `begin` says so, or after so long. */
function within(milliseconds: number, begin: (done: () => void) => void): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    begin(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
