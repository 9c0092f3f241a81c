import assert from "node:assert/strict";
import { networkInterfaces } from "node:os";
import { describe, it } from "node:test";

import { type DataChannel, PeerConnection } from "node-datachannel";
import { RTCPeerConnection as Polyfill } from "node-datachannel/polyfill";

import { nodeChannelLink } from "./data-channel-node.ts";
import { offerChannel } from "./data-channel-web.ts";
import type { ChannelOffer } from "./data-channel.ts";
import { Ear, linkContract, type LinkPair } from "./link.contract.ts";
import type { Link } from "./link.ts";

const MAX = 65_535;
const OFFERING = { ice: [], maxFrameBytes: MAX, gatheringMs: 2_000, openingMs: 10_000 };
/** Neither side offers a loopback address to the other. */
const network = Object.values(networkInterfaces()).some((addresses) => addresses?.some(({ internal }) => !internal));

interface Joined {
  readonly peers: readonly [PeerConnection, PeerConnection];
  readonly channels: readonly [DataChannel, DataChannel];
}

/** Two peers of libdatachannel, with an open channel between them. */
async function joined(): Promise<Joined> {
  const [a, b] = [new PeerConnection("a", { iceServers: [] }), new PeerConnection("b", { iceServers: [] })];
  const offered = gathered(a);
  const channel = a.createDataChannel("link");
  const opened = new Promise<void>((resolve) => channel.onOpen(resolve));
  const other = new Promise<DataChannel>((resolve) => b.onDataChannel(resolve));
  // The library lets go of what it has told of its end, and of nothing else: it would keep the process.
  for (const one of [a, b]) one.onStateChange(() => {});
  await offered;
  a.setRemoteDescription(await answerOf(b, a.localDescription()?.sdp ?? ""), "answer");
  await opened;
  const channels = [channel, await other] as const;
  for (const one of channels) one.onClosed(() => {});
  return { peers: [a, b], channels };
}

async function answerOf(peer: PeerConnection, offer: string): Promise<string> {
  const answered = gathered(peer);
  // Nobody is to ask for the other at its addresses before it has read the answer: it would fall over.
  peer.setRemoteDescription(offer.replaceAll(/^a=candidate:.*\r\n/gmu, ""), "offer");
  await answered;
  return peer.localDescription()?.sdp ?? "";
}

function gathered(peer: PeerConnection): Promise<void> {
  return new Promise((resolve) =>
    peer.onGatheringStateChange((state) => {
      if (state === "complete") resolve();
    }),
  );
}

async function nodePair(): Promise<LinkPair> {
  const { peers, channels } = await joined();
  const options = { maxFrameBytes: MAX };
  return {
    ends: [nodeChannelLink(peers[0], channels[0], options), nodeChannelLink(peers[1], channels[1], options)],
    maxFrameBytes: MAX,
    dispose: () => peers.forEach((peer) => peer.close()),
  };
}

/** A browser's code over node-datachannel's own imitation of a browser, with the host's side. */
async function mixedPair(): Promise<{ web: Link; node: Link; dispose(): void }> {
  const host = new PeerConnection("host", { iceServers: [] });
  host.onStateChange(() => {});
  const met = new Promise<Link>((resolve) =>
    host.onDataChannel((channel) => {
      resolve(nodeChannelLink(host, channel, { maxFrameBytes: MAX }));
    }),
  );
  const makePeer = (configuration: RTCConfiguration): RTCPeerConnection =>
    new Polyfill(configuration as never) as unknown as RTCPeerConnection;
  const offer = await offerChannel({ ...OFFERING, makePeer });
  const web = await offer.answered(await answerOf(host, offer.sdp), AbortSignal.timeout(10_000));
  return {
    web,
    node: await met,
    dispose() {
      web.close("the test is over", 0);
      host.close();
    },
  };
}

/** A browser's peer that finds nothing and hears nobody. */
class SilentPeer extends EventTarget {
  readonly iceGatheringState = "gathering";
  connectionState = "new";
  localDescription: { readonly sdp: string } | undefined;
  closed = false;

  createDataChannel(): EventTarget {
    return Object.assign(new EventTarget(), { readyState: "connecting" });
  }
  createOffer(): Promise<{ readonly sdp: string }> {
    return Promise.resolve({ sdp: "an offer" });
  }
  setLocalDescription(description: { readonly sdp: string }): Promise<void> {
    this.localDescription = description;
    return Promise.resolve();
  }
  setRemoteDescription({ sdp }: { readonly sdp: string }): Promise<void> {
    return sdp === "an answer" ? Promise.resolve() : Promise.reject(new Error("no answer"));
  }
  close(): void {
    this.closed = true;
  }
}

describe("an offer of a browser", () => {
  const silent = async (): Promise<{ peer: SilentPeer; offer: ChannelOffer }> => {
    const peer = new SilentPeer();
    const makePeer = (): RTCPeerConnection => peer as unknown as RTCPeerConnection;
    return { peer, offer: await offerChannel({ ...OFFERING, gatheringMs: 20, openingMs: 20, makePeer }) };
  };

  it("goes out with what was found in time", async () => {
    const { offer } = await silent();
    assert.equal(offer.sdp, "an offer");
  });

  it("ends with its peer when nobody answers, when what is answered is none, and when nothing opens", async () => {
    for (const answer of [undefined, "nonsense", "an answer"]) {
      const { peer, offer } = await silent();
      if (answer !== undefined) await assert.rejects(offer.answered(answer, new AbortController().signal));
      assert.equal(peer.closed, false);
      offer[Symbol.dispose]();
      assert.equal(peer.closed, true, answer);
    }
  });

  it("gives up when it is told to", async () => {
    const peer = new SilentPeer();
    const makePeer = (): RTCPeerConnection => peer as unknown as RTCPeerConnection;
    const offer = await offerChannel({ ...OFFERING, gatheringMs: 0, makePeer });
    const stop = new AbortController();
    const answered = offer.answered("an answer", stop.signal);
    stop.abort();
    await assert.rejects(answered, /did not open/u);
    peer.connectionState = "failed";
    const failed = offer.answered("an answer", new AbortController().signal);
    await Promise.resolve();
    peer.dispatchEvent(new Event("connectionstatechange"));
    await assert.rejects(failed, /did not open/u);
  });
});

describe("data channels", { skip: network ? false : "no network but loopback here" }, () => {
  linkContract("data channel of libdatachannel", nodePair);
  for (const first of ["web", "node"] as const)
    linkContract(`data channel, the code of a browser at one end, seen from ${first}`, async () => {
      const { web, node, dispose } = await mixedPair();
      return { ends: first === "web" ? [web, node] : [node, web], maxFrameBytes: MAX, dispose };
    });

  it("ends at text: a short one is the other side's last word, a long one a violation", async () => {
    for (const [text, kind] of [
      ["closed", "closed"],
      ["x".repeat(124), "violation"],
    ] as const) {
      const { peers, channels } = await joined();
      const ear = new Ear(nodeChannelLink(peers[1], channels[1], { maxFrameBytes: MAX }));
      channels[0].sendMessage(text);
      channels[0].sendMessageBinary(new Uint8Array(1));
      await ear.until(({ ends }) => ends.length === 1);
      assert.deepEqual([ear.ends[0]?.kind, ear.frames.length], [kind, 0]);
      peers[0].close();
    }
  });

  it("ends as a cut at both ends when one peer is gone, and says so once", async () => {
    const { peers, channels } = await joined();
    const gone: string[] = [];
    const ears = [0, 1].map(
      (at) =>
        new Ear(
          nodeChannelLink(peers[at as 0], channels[at as 0], { maxFrameBytes: MAX, gone: () => gone.push(`${at}`) }),
        ),
    );
    peers[0].close();
    for (const ear of ears) await ear.until(({ ends }) => ends.length === 1);
    assert.deepEqual(
      ears.map(({ ends }) => ends.map(({ kind }) => kind)),
      [["cut"], ["cut"]],
    );
    assert.deepEqual(gone.sort(), ["0", "1"]);
  });

  it("delivers all that was sent before it was closed", async () => {
    const { peers, channels } = await joined();
    const link = nodeChannelLink(peers[0], channels[0], { maxFrameBytes: MAX });
    const ear = new Ear(nodeChannelLink(peers[1], channels[1], { maxFrameBytes: MAX }));
    for (let count = 0; count < 40; count++) link.send(new Uint8Array(MAX));
    link.close("done");
    await ear.until(({ ends }) => ends.length === 1);
    assert.equal(ear.frames.length, 40);
    assert.deepEqual(ear.ends, [{ kind: "closed", detail: "done" }]);
  });

  it("is torn after so long where the other side does not take its last word", async () => {
    const { peers, channels } = await joined();
    let gone = (): void => {};
    const torn = new Promise<void>((resolve) => (gone = resolve));
    const link = nodeChannelLink(peers[0], channels[0], { maxFrameBytes: MAX, gone });
    channels[1].onMessage(() => {});
    link.close("done");
    link.close("at once", 20);
    const before = performance.now();
    await torn;
    assert.ok(performance.now() - before < 1_000);
    peers[1].close();
  });
});
