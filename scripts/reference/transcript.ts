/**
 * One pairing and one reconnect, frame by frame, as PROTOCOL.md shows them: run by the real code with keys and chance
 * that are the same each time, so that whoever writes another device can compare byte for byte.
 */

import { hostIdOf, signingKey } from "../../crypto/identity.ts";
import { nobleKey, nobleSuite } from "../../crypto/noble.ts";
import type { Suite } from "../../crypto/suite.ts";
import { encodeMessage } from "../../protocol/message.ts";
import type { Link } from "../../transport/link.ts";
import { memoryLink } from "../../transport/memory.ts";
import type { PipeEnd, SecurePipe } from "../../transport/pipe.ts";
import { type Connected, pairOver, reconnectOver } from "../../transport/secure/device.ts";
import { type AcceptOptions, acceptOver } from "../../transport/secure/host.ts";
import { Streams } from "../../transport/streams.ts";

/** Bytes of a frame that are shown. */
const SHOWN_BYTES = 16;

const filled = (byte: number, length = 32) => new Uint8Array(length).fill(byte);
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

const HOST = nobleKey(filled(0x11));
const DEVICE = nobleKey(filled(0x22));
const HOST_ID = hostIdOf(HOST.publicKey, signingKey(filled(0x33)).publicKey);
const OFFER = filled(0x88, 8);
const SECRET = filled(0x99);
const NOTHING = new Uint8Array(0);

interface Sent {
  readonly from: "host" | "device";
  readonly frame: Uint8Array;
  /** What was sealed last before it was sent: the plaintext, where the frame is a record. */
  readonly plaintext: Uint8Array;
}

/** A wire between a device and a host that are given, with everything that was sent over it. */
async function recorded(
  speak: (device: Link, suites: { device: Suite; host: Suite }) => Promise<void>,
): Promise<Sent[]> {
  const sent: Sent[] = [];
  const sealed = { device: NOTHING, host: NOTHING };
  const suiteOf = (side: "device" | "host", ephemeral: number): Suite => {
    const suite = nobleSuite((bytes) => filled(ephemeral, bytes));
    return {
      ...suite,
      seal(key, nonce, associated, plaintext) {
        sealed[side] = plaintext.slice();
        return suite.seal(key, nonce, associated, plaintext);
      },
    };
  };
  const [device, host] = memoryLink({
    tamper(frame, end) {
      const from = end === 0 ? "device" : "host";
      sent.push({ from, frame: frame.slice(), plaintext: sealed[from] });
      return [frame];
    },
  });
  const suites = { device: suiteOf("device", 0x44), host: suiteOf("host", 0x55) };
  const served = serve(host, suites.host);
  await speak(device, suites);
  await served;
  return sent;
}

/** The least host there can be: it takes the one device, says welcome, answers one call, and hears the goodbye. */
async function serve(link: Link, suite: Suite): Promise<void> {
  const options: AcceptOptions = {
    suite,
    hostKey: HOST,
    hostId: HOST_ID,
    confirms: () => false,
    secretOf: () => SECRET,
    consume: () => true,
    continuityOf: () => filled(0x66),
    advance: () => true,
  };
  const { pipe } = await acceptOver(link, options);
  await new Promise<void>((resolve) => {
    pipe.listen({
      message: () => void pipe.send(Streams.calls, encodeMessage({ t: "reply", call: 0, ok: { sessions: [] } })),
      drained: () => {},
      ended: () => resolve(),
    });
  });
}

/** Calls once, and says goodbye when the answer is there. */
async function callOnce(pipe: SecurePipe): Promise<PipeEnd> {
  return new Promise((resolve) => {
    pipe.listen({ message: () => pipe.close("done"), drained: () => {}, ended: resolve });
    pipe.send(Streams.calls, encodeMessage({ t: "call", call: 0, method: "session.list", params: {} }));
  });
}

async function pairing(): Promise<Sent[]> {
  return recorded(async (link, { device }) => {
    const { pipe }: Connected = await pairOver(link, {
      suite: device,
      deviceKey: DEVICE,
      hostKey: HOST.publicKey,
      offer: OFFER,
      secret: SECRET,
      payload: json({ name: "A phone", kind: "phone" }),
    });
    await callOnce(pipe);
  });
}

async function reconnect(): Promise<Sent[]> {
  return recorded(async (link, { device }) => {
    const { pipe } = await reconnectOver(link, {
      suite: device,
      deviceKey: DEVICE,
      hostKey: HOST.publicKey,
      hostId: HOST_ID,
      continuity: filled(0x66),
      payload: NOTHING,
      keep: () => {},
    });
    await callOnce(pipe);
  });
}

const PAIRING = [
  "hello",
  "hello",
  "message 1: e, then the offer's id and its tag",
  "message 2: e, then the tag of nothing",
  "message 3: DS.pub and its tag, then the introduction and its tag",
];
const RECONNECT = [
  "hello",
  "hello",
  "message 1: e, DS.pub and its tag, then the continuity tag and its tag",
  "message 2: e, then the tag of nothing",
];

function table(sent: readonly Sent[], handshake: readonly string[]): string {
  const rows = sent.map(({ from, frame, plaintext }, at) => {
    const what = handshake[at] ?? `record: ${frameOf(plaintext)}`;
    const shown = what === "hello" ? new TextDecoder().decode(frame) : hex(frame.subarray(0, SHOWN_BYTES)) + "…";
    return `| ${at + 1} | ${from} | ${what} | ${frame.length} | \`${shown}\` |`;
  });
  return ["| | from | what | bytes | begins with |", "|---|---|---|---|---|", ...rows].join("\n");
}

/** The plaintext's length and first frame, in words. */
function frameOf(plaintext: Uint8Array): string {
  const [, , stream = 0, flags = 0] = plaintext;
  const view = new DataView(plaintext.buffer, plaintext.byteOffset);
  const length = view.getUint16(4);
  const data = plaintext.subarray(6, 6 + length);
  const words = stream === 0 ? CONTROLS[data[0] ?? 0] : `\`${new TextDecoder().decode(data)}\``;
  return `\`${hex(plaintext.subarray(0, 6))}\` = ${view.getUint16(0)} bytes of frames; stream ${stream}, flags ${flags}, ${length} bytes: ${words}`;
}

const CONTROLS: Readonly<Record<number, string>> = { 1: "ready", 2: "credit", 3: "ping", 4: "pong", 5: "bye" };

const [paired, returned] = [await pairing(), await reconnect()];

/** Markdown, as it stands in PROTOCOL.md. */
export function transcript(): string {
  const given: [string, Uint8Array][] = [
    ["HS, the host's private key", filled(0x11)],
    ["HS.pub", HOST.publicKey],
    ["DS, the device's private key", filled(0x22)],
    ["DS.pub", DEVICE.publicKey],
    ["the device's ephemeral private key", filled(0x44)],
    ["the host's ephemeral private key", filled(0x55)],
    ["the offer's id", OFFER],
    ["the offer's secret", SECRET],
    ["the continuity secret of the reconnect", filled(0x66)],
  ];
  return [
    "| given | |",
    "|---|---|",
    ...given.map(([name, bytes]) => `| ${name} | \`${hex(bytes)}\` |`),
    "",
    "**Pairing**, then one call, its reply, and a goodbye:",
    "",
    table(paired, PAIRING),
    "",
    "**Reconnecting**, and the same:",
    "",
    table(returned, RECONNECT),
  ].join("\n");
}
