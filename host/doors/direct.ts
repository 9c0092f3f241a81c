/**
 * The direct door: data channels that devices ask for over a connection they have. What opens is a link like any other,
 * and goes to the same gate. The library that makes them (`node-datachannel`) is loaded when the first is asked for, and
 * is not on every machine.
 */
import type { Direct, IceServer } from "@flybridge/protocol/direct.ts";
import { GATHERING_MS, MAX_ICE_SERVERS, OPENING_MS } from "@flybridge/protocol/direct.ts";
import { CallError } from "@flybridge/protocol/error.ts";
import type { DeviceId } from "@flybridge/protocol/ids.ts";
import { RECORD_BYTES } from "@flybridge/protocol/relay.ts";
import type { Way } from "@flybridge/protocol/way.ts";
import { nodeChannelLink } from "@flybridge/transport/data-channel-node.ts";
import type { Link } from "@flybridge/transport/link.ts";
import type { PeerConnection, RtcConfig } from "node-datachannel";
import type { Caller } from "./desk.ts";
import { offerFrom } from "./description.ts";

/** Peers that have no channel yet: of one device, whose windows may all ask at once, and in all. */
const MAX_OPENING_OF_ONE = 4;
const MAX_OPENING = 16;
/** Peers, with those that have one: of one device, and in all. */
const MAX_PEERS_OF_ONE = 16;
const MAX_PEERS = 256;
/** Ways on which somebody stands between the device and this machine: only there is another one worth its cost. */
const ROUNDABOUT: ReadonlySet<Way> = new Set<Way>(["relay", "proxy"]);
const TURN_OVER_UDP = /^turn:(?<hostname>.+?)(?::(?<port>\d+))?(?:\?transport=udp)?$/u;
const TURN_PORT = 3478;

/** What is used of the library. */
export interface Library {
  PeerConnection: new (name: string, config: RtcConfig) => PeerConnection;
}

export interface DirectDoor extends Disposable {
  /** What a device is told of it that came by this way; undefined where there is nothing to tell. */
  told(way: Way): Direct | undefined;
  /** Answers an offer. Rejects with `CallError`. */
  open(sdp: string, caller: Caller): Promise<string>;
}

interface Peer {
  readonly device: DeviceId;
  opening: boolean;
}

export function openDirect(around: {
  /** Asked anew each time: a relay may name some when it is reached. */
  ice(): readonly IceServer[];
  /** False: the person wants none. */
  readonly isWanted: boolean;
  /** Rejects where it is not here. */
  load?(): Promise<Library>;
  enter(link: Link): boolean;
  log(message: string, detail: Record<string, unknown>): void;
}): DirectDoor {
  const { enter, log, load = () => import("node-datachannel") } = around;
  const peers = new Map<Peer, () => void>();
  let isHere = around.isWanted;
  let loading: Promise<Library> | undefined;

  const library = async (): Promise<Library> => {
    if (!isHere) throw absent();
    try {
      return await (loading ??= load());
    } catch (error) {
      if (isHere) log("there is no direct way: node-datachannel is not here", { error: String(error) });
      isHere = false;
      throw absent();
    }
  };

  const requireRoom = (device: DeviceId): void => {
    const all = [...peers.keys()];
    const own = all.filter((peer) => peer.device === device);
    const opening = (some: readonly Peer[]): number => some.filter((peer) => peer.opening).length;
    if (
      all.length >= MAX_PEERS ||
      own.length >= MAX_PEERS_OF_ONE ||
      opening(all) >= MAX_OPENING ||
      opening(own) >= MAX_OPENING_OF_ONE
    )
      throw new CallError("too_many", "Too many direct ways are being opened or in use. Use this one.");
  };

  return {
    told: (way) => (isHere && ROUNDABOUT.has(way) ? { ice: around.ice().slice(0, MAX_ICE_SERVERS) } : undefined),
    async open(sdp, { device, ended }) {
      const offer = offerFrom(sdp);
      if (offer === undefined)
        throw new CallError("bad_params", "direct.open: this is not the offer of a data channel.");
      requireRoom(device);
      const peer: Peer = { device, opening: true };
      let close = (): void => void peers.delete(peer);
      // Of a door that is closed meanwhile, too.
      peers.set(peer, () => close());
      try {
        const { PeerConnection } = await library();
        if (ended.aborted || !peers.has(peer)) throw new CallError("wrong_state", "The connection has ended.");
        const iceServers = around
          .ice()
          .slice(0, MAX_ICE_SERVERS)
          .flatMap((server) => nativeServer(server) ?? []);
        const connection = new PeerConnection("host", { iceServers });
        // The library lets go of what it has told of its end, and of nothing else.
        connection.onStateChange(() => {});
        const late = setTimeout(() => close(), GATHERING_MS + OPENING_MS);
        const settled = (): void => {
          peer.opening = false;
          clearTimeout(late);
          ended.removeEventListener("abort", close);
        };
        close = () => {
          settled();
          if (peers.delete(peer)) connection.close();
        };
        ended.addEventListener("abort", close);
        connection.onDataChannel((channel) => {
          channel.onClosed(() => {});
          // A link is one channel; whoever opens another does not follow the conversation.
          if (!peer.opening) return close();
          settled();
          const gone = (): void => void peers.delete(peer);
          enter(nodeChannelLink(connection, channel, { maxFrameBytes: RECORD_BYTES, gone }));
        });
        return await answerOf(connection, offer);
      } catch (error) {
        close();
        if (error instanceof CallError) throw error;
        log("a direct way could not be opened", { error: String(error) });
        throw new CallError("bad_params", "direct.open: this offer cannot be answered.");
      }
    },
    [Symbol.dispose]() {
      for (const end of peers.values()) end();
    },
  };
}

function absent(): CallError {
  return new CallError("not_found", "This host has no direct way.");
}

/** Whole: with the candidates that were found in time. */
async function answerOf(connection: PeerConnection, offer: string): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    const late = setTimeout(resolve, GATHERING_MS);
    connection.onGatheringStateChange((state) => {
      if (state !== "complete") return;
      clearTimeout(late);
      resolve();
    });
    try {
      connection.setRemoteDescription(offer, "offer");
    } catch (error) {
      clearTimeout(late);
      reject(error instanceof Error ? error : new Error(String(error)));
    }
  });
  const answer = connection.localDescription();
  if (!answer) throw new Error("no answer");
  return answer.sdp;
}

/** The library's own ICE speaks STUN, and TURN over UDP; devices get the others as well. */
function nativeServer({ urls, username, credential }: IceServer): RtcConfig["iceServers"][number] | undefined {
  if (urls.startsWith("stun:")) return urls;
  const { hostname, port = TURN_PORT } = TURN_OVER_UDP.exec(urls)?.groups ?? {};
  if (hostname === undefined || username === undefined || credential === undefined) return undefined;
  return {
    hostname: hostname.replace(/^\[|\]$/gu, ""),
    port: Number(port),
    username,
    password: credential,
    relayType: "TurnUdp",
  };
}
