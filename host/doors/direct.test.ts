import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { networkInterfaces } from "node:os";
import { after, describe, it } from "node:test";
import { CallError } from "@flybridge/protocol/error.ts";
import type { DeviceId } from "@flybridge/protocol/ids.ts";
import { RECORD_BYTES } from "@flybridge/protocol/relay.ts";
import { Way } from "@flybridge/protocol/way.ts";
import type { Link } from "@flybridge/transport/link.ts";
import { Ear } from "@flybridge/transport/link.contract.ts";
import { askChannel, offerOf } from "@flybridge/testing/channel.ts";
import type { DataChannel, PeerConnection } from "node-datachannel";
import type { Caller } from "./desk.ts";
import { offerFrom } from "./description.ts";
import { type DirectDoor, openDirect } from "./direct.ts";

const network = Object.values(networkInterfaces()).some((addresses) => addresses?.some(({ internal }) => !internal));
const peers: PeerConnection[] = [];
after(() => peers.forEach((peer) => peer.close()));

/** As a browser makes one, with its addresses. Nobody is behind it. */
const OFFER: readonly string[] = [
  "v=0",
  "o=- 1456548851561520770 2 IN IP4 127.0.0.1",
  "s=-",
  "t=0 0",
  "a=group:BUNDLE 0",
  "a=extmap-allow-mixed",
  "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
  "c=IN IP4 0.0.0.0",
  "a=candidate:1 1 udp 2113937151 192.0.2.7 54358 typ host generation 0 network-cost 999",
  "a=candidate:2 1 UDP 2113942271 2001:db8::7 50270 typ srflx raddr 0.0.0.0 rport 0",
  "a=ice-ufrag:pESL",
  "a=ice-pwd:7im5KyXDh3uHZygvWpn+MQvY",
  `a=fingerprint:sha-256 ${Array.from({ length: 32 }, () => "A7").join(":")}`,
  "a=setup:actpass",
  "a=mid:0",
  "a=sctp-port:5000",
  "a=max-message-size:262144",
  "",
];
const callerOf = (name: string, ended = new AbortController().signal): Caller => ({
  device: name.padEnd(43, "d") as DeviceId,
  grant: { kind: "owner" },
  ended,
});

interface Door extends DirectDoor {
  /** Resolves with the links that came in, once there are so many. */
  entered(count: number): Promise<Link[]>;
  readonly said: string[];
}

function doorOf(more: Partial<Parameters<typeof openDirect>[0]> = {}): Door {
  const links: Link[] = [];
  const said: string[] = [];
  let look = (): void => {};
  const door = openDirect({
    ice: () => [],
    isWanted: true,
    enter(link) {
      links.push(link);
      look();
      return true;
    },
    log: (message) => void said.push(message),
    ...more,
  });
  return {
    ...door,
    said,
    entered: (count) =>
      new Promise((resolve) => {
        look = () => {
          if (links.length >= count) resolve(links);
        };
        look();
      }),
  };
}

/** A device's side: an offer, and the channel once it is open. */
async function device(): Promise<{ peer: PeerConnection; channel: DataChannel; offer: string; opened: Promise<true> }> {
  const asked = askChannel();
  const { peer, channel, gathered, opened } = asked;
  peers.push(peer);
  await gathered;
  const offer = offerOf(asked);
  return { peer, channel, opened, offer };
}

/** What a fault is, where there is one. */
async function faultOf(answer: Promise<string>): Promise<string> {
  return answer.then(
    () => "fine",
    (error: unknown) => {
      assert.ok(error instanceof CallError, String(error));
      return error.code;
    },
  );
}

describe("an offer that a device sends", () => {
  const having = (...more: string[]): string => [...OFFER.slice(0, -1), ...more, ""].join("\r\n");
  const but = (from: RegExp, to: string): string => having().replace(from, to);
  const tried = (sdp: string): string[] =>
    (offerFrom(sdp) ?? "").split("\r\n").filter((line) => line.startsWith("a=candidate:"));

  it("is written anew, with what is needed of it and nothing else", () => {
    assert.equal(
      offerFrom(having("a=evil:yes", "a=rtcp-mux")),
      [
        "v=0",
        "o=- 1 1 IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        "a=group:BUNDLE 0",
        "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
        "c=IN IP4 0.0.0.0",
        "a=candidate:1 1 udp 2113937151 192.0.2.7 54358 typ host",
        "a=candidate:2 1 udp 2113942271 2001:db8::7 50270 typ srflx",
        ...OFFER.slice(10),
      ].join("\r\n"),
    );
  });

  it("is asked at addresses alone: no name is looked up, and neither the machine itself nor many at once are asked", () => {
    for (const address of [
      "912688cf-d3c3-446e-b70e-3d2c40742835.local",
      "evil.example",
      "127.0.0.1",
      "0.0.0.0",
      "0177.0.0.1",
      "224.0.0.251",
      "255.255.255.255",
      "::1",
      "0:0:0:0:0:0:0:1",
      "::",
      "::ffff:127.0.0.1",
      "::ffff:7f00:1",
      "ff02::fb",
      "fe80::1%eth0",
    ])
      assert.equal(tried(having(`a=candidate:3 1 udp 1 ${address} 9 typ host`)).length, 2, address);
    for (const line of [
      "3 1 tcp 1 192.0.2.8 9 typ host",
      "3 2 udp 1 192.0.2.8 9 typ host",
      "3 1 udp 1 192.0.2.8 0 typ host",
    ])
      assert.equal(tried(having(`a=candidate:${line}`)).length, 2, line);
    const many = Array.from({ length: 200 }, (_, at) => `a=candidate:3 1 udp 1 198.51.100.${at + 1} 9 typ host`);
    assert.equal(tried(having(...many)).length, 16);
  });

  it("is none when something is missing, malformed, or too small for a record", () => {
    for (const sdp of [
      "",
      "v=0",
      "hello\0\r\nm=",
      having("m=audio 9 UDP/TLS/RTP/SAVPF 111"),
      but(/m=application/u, "m=video"),
      but(/a=ice-ufrag:.*/u, ""),
      but(/pESL/u, "p".repeat(300)),
      but(/pESL/u, "p:r"),
      but(/a=ice-pwd:.*/u, "a=ice-pwd:short"),
      but(/sha-256/u, "sha-1"),
      but(/A7:/u, ""),
      but(/a=mid:0/u, "a=mid:0 0"),
      but(/262144/u, "1024"),
      but(/262144/u, "65534"),
    ])
      assert.equal(offerFrom(sdp), undefined, sdp);
    assert.notEqual(offerFrom(but(/262144/u, "65535")), undefined);
    assert.notEqual(offerFrom(but(/262144/u, "0")), undefined);
    assert.notEqual(offerFrom(but(/a=max-message-size:.*\r\n/u, "")), undefined);
  });
});

describe("the direct door", { skip: network ? false : "no network but loopback here", timeout: 60_000 }, () => {
  it("answers whole, and what opens is a link at the gate, of frames as large as a record", async () => {
    using door = doorOf();
    const { peer, channel, opened, offer } = await device();
    const answer = await door.open(offer, callerOf("one"));
    assert.match(answer, /^a=candidate:/mu);
    peer.setRemoteDescription(answer, "answer");
    await opened;
    const [link] = await door.entered(1);
    assert.ok(link);
    const ear = new Ear(link);
    const frame = new Uint8Array(randomBytes(RECORD_BYTES));
    channel.sendMessageBinary(frame);
    await ear.until(({ frames }) => frames.length === 1);
    assert.deepEqual(ear.frames[0], frame);
    assert.ok(channel.maxMessageSize() >= RECORD_BYTES);
    channel.sendMessageBinary(new Uint8Array(RECORD_BYTES + 1));
    await ear.until(({ ends }) => ends.length === 1);
    assert.equal(ear.ends[0]?.kind, "violation");
  });

  it("ends a peer that opens a second channel", async () => {
    using door = doorOf();
    const { peer, opened, offer } = await device();
    peer.setRemoteDescription(await door.open(offer, callerOf("one")), "answer");
    await opened;
    const [link] = await door.entered(1);
    assert.ok(link);
    const ear = new Ear(link);
    peer.createDataChannel("another");
    await ear.until(({ ends }) => ends.length === 1);
    assert.equal(ear.ends[0]?.kind, "cut");
  });

  it("refuses what is no offer, and what its library cannot take", async () => {
    using door = doorOf();
    assert.equal(await faultOf(door.open("v=0\r\n", callerOf("one"))), "bad_params");
    const impossible = OFFER.join("\n").replace("2113937151", "9999999999");
    assert.equal(await faultOf(door.open(impossible, callerOf("one"))), "bad_params");
    // Neither of them takes room.
    for (let count = 0; count < 40; count++) await faultOf(door.open(impossible, callerOf("one")));
    assert.equal(await faultOf(door.open(OFFER.join("\n"), callerOf("one"))), "fine");
  });

  it("opens a few at once, of one device and in all, and has room again when they are given up", async () => {
    using door = doorOf();
    const offer = OFFER.join("\r\n");
    const devices = Array.from({ length: 5 }, () => new AbortController());
    const open = (at: number): Promise<string> =>
      faultOf(door.open(offer, callerOf(`device ${at}`, devices[at]?.signal)));
    const of = (at: number, count: number): Promise<string[]> =>
      Promise.all(Array.from({ length: count }, () => open(at)));
    assert.deepEqual(await of(0, 6), ["fine", "fine", "fine", "fine", "too_many", "too_many"]);
    for (const at of [1, 2, 3]) assert.deepEqual(await of(at, 4), ["fine", "fine", "fine", "fine"]);
    assert.deepEqual(await of(4, 1), ["too_many"]);
    devices[2]?.abort();
    assert.deepEqual(await of(4, 1), ["fine"]);
    assert.deepEqual(await faultOf(door.open(offer, callerOf("gone", AbortSignal.abort()))), "wrong_state");
  });

  it("gives up what does not open in time", async (context) => {
    const offer = OFFER.join("\r\n");
    using door = doorOf();
    context.mock.timers.enable({ apis: ["setTimeout"] });
    const answers = await Promise.all([1, 2, 3, 4].map(() => faultOf(door.open(offer, callerOf("one")))));
    assert.deepEqual(answers, ["fine", "fine", "fine", "fine"]);
    assert.equal(await faultOf(door.open(offer, callerOf("one"))), "too_many");
    context.mock.timers.tick(12_000);
    assert.equal(await faultOf(door.open(offer, callerOf("one"))), "fine");
  });

  it("tells of itself who came roundabout, until it finds that it cannot be, and then says so once", async () => {
    let loads = 0;
    const ice = [{ urls: "stun:192.0.2.1:3478" }];
    using door = doorOf({
      ice: () => ice,
      load() {
        loads += 1;
        return Promise.reject(new Error("Cannot find package"));
      },
    });
    const told = (): Way[] => Way.options.filter((way) => door.told(way));
    assert.deepEqual(told(), ["proxy", "relay"]);
    assert.deepEqual(door.told("relay"), { ice });
    assert.equal(loads, 0);
    const offer = OFFER.join("\r\n");
    for (let count = 0; count < 3; count++) assert.equal(await faultOf(door.open(offer, callerOf("one"))), "not_found");
    assert.deepEqual([loads, door.said.length, told().length], [1, 1, 0]);
    using unwanted = doorOf({ isWanted: false });
    assert.equal(await faultOf(unwanted.open(offer, callerOf("one"))), "not_found");
    assert.equal(unwanted.told("relay"), undefined);
  });
});
