/**
 * The outer conversation: all that a relay, or any network, may see before the seal closes.
 *
 *   open    host   -> device   HostHello     at once, before it is asked
 *           device -> host     DeviceHello
 *                              handshake message 1, in the same flight
 *           host   -> device   handshake message 2
 *           device -> host     handshake message 3 (pairing only)
 *           both               records
 *
 * Each line is one binary frame. Both hellos go byte for byte into the handshake's prologue, so whoever edits one ends
 * the handshake. Deliberately absent: names of hosts, devices or people, and anything a stranger should not learn.
 */
import * as v from "valibot";

import { HostId } from "./ids.ts";

/** Where a host takes links, on each of its doors. */
export const LINK_PATH = "/link";
/** The outer conversation's own version; a peer that speaks another one cannot be understood at all. */
const OUTER_VERSION = 1;
/** Bytes of one frame before the peer is authenticated: hellos, handshake messages, the first record. */
export const PRE_AUTH_FRAME_BYTES = 1024;
/** Bytes of a payload that fits any handshake message: two keys and two tags go with it (Noise rev 34 §7.5). */
export const HANDSHAKE_PAYLOAD_BYTES = PRE_AUTH_FRAME_BYTES - 2 * 32 - 2 * 16;
/** Milliseconds from the opening of a link to the peer's first record that verifies. */
export const HANDSHAKE_MS = 10_000;
/** Bytes of one record, tag included (Noise rev 34 §3): the `maxPayload` of every WebSocket. */
export const RECORD_BYTES = 65_535;
/** Feature names in one hello, and characters of each. */
const MAX_FEATURES = 16;
const MAX_FEATURE_CHARS = 32;
/** Versions are small integers; a larger number is a broken peer. */
const MAX_VERSION = 65_535;

/** In both hellos: the handshake is bound to the TLS under the link (RFC 9266). The host offers, the device takes it. */
export const EXPORTER_FEATURE = "exporter";

const Version = v.pipe(v.number(), v.safeInteger(), v.minValue(1), v.maxValue(MAX_VERSION));

const Features = v.pipe(
  v.array(v.pipe(v.string(), v.regex(/^[a-z0-9.-]+$/u), v.maxLength(MAX_FEATURE_CHARS))),
  v.maxLength(MAX_FEATURES),
);

/** Fields that only newer peers know are ignored: the bytes are what the prologue keeps honest, not the fields. */
export const HostHello = v.pipe(
  v.object({
    flybridge: v.literal(OUTER_VERSION),
    /** Oldest and newest version of the inner conversation that the host speaks. */
    versions: v.tuple([Version, Version]),
    host: HostId,
    features: v.optional(Features),
  }),
  v.check(({ versions: [oldest, newest] }) => oldest <= newest),
);
export type HostHello = v.InferOutput<typeof HostHello>;

export const Purpose = v.picklist(["pair", "reconnect"]);
export type Purpose = v.InferOutput<typeof Purpose>;

export const DeviceHello = v.object({
  v: Version,
  purpose: Purpose,
  features: Features,
});
export type DeviceHello = v.InferOutput<typeof DeviceHello>;

export function encodeHostHello(hello: HostHello): Uint8Array {
  return asciiOf(JSON.stringify(v.parse(HostHello, hello)));
}

export function encodeDeviceHello(hello: DeviceHello): Uint8Array {
  return asciiOf(JSON.stringify(v.parse(DeviceHello, hello)));
}

/** Undefined when the frame is not a hello of this outer version: whoever sent it is not, or not yet, understood. */
export function decodeHostHello(frame: Uint8Array): HostHello | undefined {
  return decode(HostHello, frame);
}

export function decodeDeviceHello(frame: Uint8Array): DeviceHello | undefined {
  return decode(DeviceHello, frame);
}

/** The newest version both speak; undefined when there is none. */
export function commonVersion(ours: readonly [number, number], theirs: readonly [number, number]): number | undefined {
  const newest = Math.min(ours[1], theirs[1]);
  return newest >= Math.max(ours[0], theirs[0]) ? newest : undefined;
}

function decode<Schema extends v.GenericSchema>(schema: Schema, frame: Uint8Array): v.InferOutput<Schema> | undefined {
  if (frame.length > PRE_AUTH_FRAME_BYTES) return undefined;
  let text = "";
  for (const byte of frame) {
    // Every value in a hello is ASCII, so a byte above it is not ours, and UTF-8 has no second spelling here.
    if (byte > 0x7f) return undefined;
    text += String.fromCharCode(byte);
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return undefined;
  }
  const result = v.safeParse(schema, json);
  return result.success ? result.output : undefined;
}

function asciiOf(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
