/** The direct way of a real host: who comes in by it, what it makes of those who only try, and what it tells of it. */
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { CallError } from "@flybridge/protocol/error.ts";
import type { AgentName } from "@flybridge/protocol/ids.ts";
import { LINK_PATH, RECORD_BYTES } from "@flybridge/protocol/relay.ts";
import { nodeChannelLink } from "@flybridge/transport/data-channel-node.ts";
import { Ear } from "@flybridge/transport/link.contract.ts";
import type { Link } from "@flybridge/transport/link.ts";
import { webSocketLink } from "@flybridge/transport/websocket.ts";
import type { DataChannel, PeerConnection, RtcConfig } from "node-datachannel";
import { WebSocket } from "ws";
import { BareDevice, newIntent } from "./bare.ts";
import { askChannel, offerOf } from "./channel.ts";
import { startWorld, type World } from "./world.ts";

const LIMIT = { timeout: 120_000 };
const DEMO = "demo" as AgentName;
/** Of a proxy of the owner's. */
const PROXY = "studio.example";
/** Neither side offers a loopback address to the other. */
const HERE = Object.values(networkInterfaces()).some((addresses) => addresses?.some(({ internal }) => !internal));
const SKIP = HERE ? false : "no network but loopback here";

/** With nobody behind it. */
const OFFER = [
  "v=0",
  "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
  "a=ice-ufrag:pESL",
  "a=ice-pwd:7im5KyXDh3uHZygvWpn+MQvY",
  `a=fingerprint:sha-256 ${Array.from({ length: 32 }, () => "A7").join(":")}`,
  "a=mid:0",
  "",
].join("\r\n");

interface Opened {
  readonly peer: PeerConnection;
  readonly channel: DataChannel;
}

/** A channel to the host, asked for by a device that is in. Rejects with `CallError`. */
async function openChannel(device: BareDevice, config: RtcConfig = { iceServers: [] }): Promise<Opened> {
  const asked = askChannel(config);
  const { peer, channel, gathered, opened } = asked;
  await gathered;
  const offer = offerOf(asked);
  const { sdp } = await device.call("direct.open", { sdp: offer });
  peer.setRemoteDescription(sdp, "answer");
  await opened;
  return { peer, channel };
}

async function linkDirectly(device: BareDevice): Promise<Link> {
  const { peer, channel } = await openChannel(device);
  return nodeChannelLink(peer, channel, { maxFrameBytes: RECORD_BYTES });
}

/** Pairs by the loopback door; under the name of a proxy of the owner's, as by that. */
async function pairAt(world: World, host = `127.0.0.1:${world.port}`): Promise<BareDevice> {
  const shell = await world.shell();
  const { connection } = await shell.call("offer.make", {}, newIntent());
  shell.close();
  const socket = new WebSocket(`ws://127.0.0.1:${world.port}${LINK_PATH}`, {
    headers: { host },
    maxPayload: RECORD_BYTES,
    perMessageDeflate: false,
  });
  return BareDevice.pair(connection, host, webSocketLink(socket, { maxFrameBytes: RECORD_BYTES }));
}

async function welcomeOf(device: BareDevice): Promise<{ readonly direct?: unknown }> {
  return device.until(() => device.messages.find((message) => message.t === "welcome"));
}

async function faultOf(answer: Promise<unknown>): Promise<string> {
  return answer.then(
    () => "fine",
    (error: unknown) => {
      assert.ok(error instanceof CallError, String(error));
      return error.code;
    },
  );
}

describe("the direct way", { ...LIMIT, skip: SKIP }, () => {
  let world: World;
  before(async () => {
    world = await startWorld();
  });
  after(() => world[Symbol.asyncDispose]());

  it("lets a device in by a handshake like any other's, with what is large in both directions", async () => {
    const device = await world.pair();
    const link = await linkDirectly(device);
    const before = device.keys.continuity;
    const direct = await BareDevice.reconnect(device.keys, link);
    device.close();
    assert.equal((await welcomeOf(direct)).direct, undefined, "it is there already");
    assert.notDeepEqual(direct.keys.continuity, before);
    const { session } = await direct.call("session.create", { agent: DEMO, workspace: world.home });
    await direct.call("session.follow", { session, from: 1 });
    const bytes = randomBytes(3 * 1024 * 1024);
    const data = bytes.toString("base64");
    const upload = { name: "large.bin", type: "application/octet-stream", data };
    await direct.call("session.prompt", { session, text: "tick 1", delivery: "queue", attachments: [upload] });
    const hash = createHash("sha256").update(bytes).digest("hex");
    const back = await direct.call("attachment.read", { session, hash: hash as never });
    assert.ok(back.data === data, "what was sent comes back");
    await direct.untilEntry(session, ({ fact }) => fact.kind === "turn.ended");
    const { devices } = await direct.call("device.list", {});
    assert.equal(devices.find(({ name }) => name === "a bare device")?.way, "direct");
    // It comes back by another way with the secret that this one gave it.
    direct.close();
    const again = await BareDevice.reconnect(direct.keys);
    again.close();
  });

  it("gives a guest no more than it has, and ends with its grant at once", async () => {
    const shell = await world.shell();
    const open = () => shell.call("session.create", { agent: DEMO, workspace: world.home });
    const [{ session }, other] = [await open(), await open()];
    const guest = await world.share(session, ["read", "detach"], "a guest");
    const direct = await BareDevice.reconnect(guest.keys, await linkDirectly(guest));
    guest.close();
    assert.equal(await faultOf(direct.call("session.list", {})), "forbidden");
    assert.equal(await faultOf(direct.call("session.follow", { session: other.session })), "forbidden");
    assert.equal(await faultOf(direct.call("session.follow", { session })), "fine");
    const { devices } = await shell.call("device.list", {});
    const device = devices.find(({ name }) => name === "a guest")?.device;
    assert.ok(device);
    const revoked = performance.now();
    await shell.call("device.revoke", { device });
    assert.deepEqual(await direct.ended, { kind: "bye", by: "them", reason: "revoked" });
    assert.ok(performance.now() - revoked < 1_000);
    shell.close();
  });

  it("refuses what is no offer, and more than a few at once, and goes on", async () => {
    const device = await world.pair();
    const open = (sdp: string): Promise<string> => faultOf(device.call("direct.open", { sdp }));
    for (const sdp of ["", "v=0", "\0".repeat(100), "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n".repeat(200)])
      assert.equal(await open(sdp), "bad_params", sdp.slice(0, 20));
    assert.equal(await open("v=0\r\n".repeat(4_000)), "bad_params", "20 KB");
    assert.equal(await faultOf(device.call("direct.open", { sdp: 7 as never })), "bad_params");
    const answers = await Promise.all(Array.from({ length: 60 }, () => open(OFFER)));
    assert.deepEqual(
      [answers.filter((one) => one === "fine").length, answers.filter((one) => one === "too_many").length],
      [4, 56],
    );
    // What a device began ends with it.
    device.close();
    await device.ended;
    const next = await BareDevice.reconnect(device.keys);
    assert.equal(await faultOf(next.call("direct.open", { sdp: OFFER })), "fine");
    next.close();
  });

  it("ends a channel over which comes what is no handshake, and nothing else", async () => {
    const device = await world.pair();
    for (const say of [
      (channel: DataChannel) => channel.sendMessage("closed"),
      (channel: DataChannel) => channel.sendMessage("x".repeat(10_000)),
      (channel: DataChannel) => channel.sendMessageBinary(new Uint8Array(randomBytes(200))),
      (channel: DataChannel) => channel.sendMessageBinary(new Uint8Array(2_000)),
      (channel: DataChannel) => channel.sendMessageBinary(new Uint8Array(RECORD_BYTES + 1)),
      (channel: DataChannel) => channel.sendMessageBinary(new Uint8Array(200_000)),
    ]) {
      const { peer, channel } = await openChannel(device);
      const ear = new Ear(nodeChannelLink(peer, channel, { maxFrameBytes: RECORD_BYTES }));
      // The host's hello comes unasked.
      await ear.until(({ frames }) => frames.length === 1);
      say(channel);
      await ear.until(({ ends }) => ends.length === 1);
      assert.equal(ear.frames.length, 1);
    }
    const direct = await BareDevice.reconnect(device.keys, await linkDirectly(device));
    assert.equal(await faultOf(direct.call("host.read", {})), "fine");
    direct.close();
    device.close();
    assert.equal(world.errors(), "");
  });
});

describe("what a host tells of its direct way", { ...LIMIT, skip: SKIP }, () => {
  let folder: string;
  let server: Socket;
  let asked = 0;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "flybridge-ice-"));
    server = createSocket("udp4");
    // A binding request (RFC 8489 §5) is answered with nothing: that it comes is what is to be seen.
    server.on("message", (bytes) => (asked += bytes.readUInt16BE(0) === 0x0001 ? 1 : 0));
    await once(server.bind(0, "127.0.0.1"), "listening");
  });
  after(() => {
    server.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it("is told to who came by a proxy, with its servers, which it asks itself; passwords come from a file", async () => {
    const stun = `stun:127.0.0.1:${server.address().port}`;
    const file = join(folder, "ice");
    writeFileSync(file, `# one\n\nturn:ada:s%3Aecret@turn.example:3478?transport=tcp\n`, { mode: 0o600 });
    await using world = await startWorld({
      args: ["--origin", `https://${PROXY}`, "--confirm", "never", "--ice", stun, "--ice", `@${file}`],
    });
    const near = await pairAt(world);
    assert.equal((await welcomeOf(near)).direct, undefined, "on the host's own machine there is nobody in between");
    const device = await pairAt(world, PROXY);
    assert.deepEqual((await welcomeOf(device)).direct, {
      ice: [{ urls: stun }, { urls: "turn:turn.example:3478?transport=tcp", username: "ada", credential: "s:ecret" }],
    });
    const direct = await BareDevice.reconnect(device.keys, await linkDirectly(device));
    assert.ok(asked > 0, "the host asked the server");
    assert.equal((await welcomeOf(direct)).direct, undefined);
    for (const one of [near, device, direct]) one.close();
  });

  it("is nothing where the owner wants none, and then there is none", async () => {
    await using world = await startWorld({
      args: ["--origin", `https://${PROXY}`, "--confirm", "never", "--no-direct"],
    });
    const device = await pairAt(world, PROXY);
    assert.equal((await welcomeOf(device)).direct, undefined);
    const sdp = "v=0\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n";
    assert.equal(await faultOf(device.call("direct.open", { sdp })), "bad_params");
    device.close();
  });
});
