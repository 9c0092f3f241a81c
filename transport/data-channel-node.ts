/** A link over a data channel of libdatachannel: `node-datachannel`, which is not on every machine. */
import { LOW_WATER_BYTES, type Link } from "./link.ts";
import { type Channel, DataChannelLink } from "./data-channel.ts";

/** What a link uses of its `DataChannel`. */
export interface NodeChannel {
  isOpen(): boolean;
  bufferedAmount(): number;
  maxMessageSize(): number;
  sendMessage(text: string): boolean;
  sendMessageBinary(frame: Uint8Array): boolean;
  setBufferedAmountLowThreshold(bytes: number): void;
  onBufferedAmountLow(call: () => void): void;
  onClosed(call: () => void): void;
  onError(call: (error: string) => void): void;
  onMessage(call: (message: string | Buffer | ArrayBuffer) => void): void;
}

/** And of its `PeerConnection`. */
export interface NodePeer {
  close(): void;
  onStateChange(call: (state: string) => void): void;
}

/** Peers that are gone, or that nobody has heard for so long that they are as good as gone. */
const GONE: ReadonlySet<string> = new Set(["disconnected", "failed", "closed"]);

/**
 * Takes over a channel that is open, with its peer, which ends with it. `gone` is called once the peer is closed.
 */
export function nodeChannelLink(
  peer: NodePeer,
  channel: NodeChannel,
  options: { readonly maxFrameBytes: number; readonly gone?: () => void },
): Link {
  let torn = false;
  const end: Channel = {
    get buffered() {
      return channel.bufferedAmount();
    },
    send(message) {
      if (typeof message === "string") channel.sendMessage(message);
      else channel.sendMessageBinary(message);
    },
    tear() {
      if (torn) return;
      torn = true;
      peer.close();
      options.gone?.();
    },
  };
  const link = new DataChannelLink(end, options.maxFrameBytes);
  channel.setBufferedAmountLowThreshold(LOW_WATER_BYTES);
  channel.onBufferedAmountLow(() => link.low());
  channel.onError((error) => link.broke(error));
  channel.onClosed(() => link.broke("the channel was closed"));
  peer.onStateChange((state) => {
    if (GONE.has(state)) link.broke(`the peer is ${state}`);
  });
  channel.onMessage((message) => link.message(dataOf(message)));
  if (!channel.isOpen()) link.broke("the channel is not open");
  return link;
}

/** Not the Buffer itself: its `slice` is a view, which whoever means to copy does not expect. */
function dataOf(message: string | Buffer | ArrayBuffer): Uint8Array | string {
  if (typeof message === "string") return message;
  if (message instanceof ArrayBuffer) return new Uint8Array(message);
  return new Uint8Array(message.buffer, message.byteOffset, message.length);
}
