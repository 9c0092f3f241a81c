/** The inner conversation: what a host and its devices say to each other under the seal, as JSON. */
import * as v from "valibot";

import { Direct } from "./direct.ts";
import { Delta, Entry, entryFrom } from "./entry.ts";
import { CallFault } from "./error.ts";
import { FeedEntry } from "./feed.ts";
import { Grant } from "./grant.ts";
import { DeviceId, HostId, IntentId, SessionId, Time } from "./ids.ts";
import { MAX_LABEL_CHARS } from "./limits.ts";

/** Number of a call on one connection, chosen by the device; the reply carries it back. */
const CallNumber = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

export const DeviceMessage = v.variant("t", [
  v.object({
    t: v.literal("call"),
    call: CallNumber,
    method: v.pipe(v.string(), v.maxLength(80)),
    params: v.unknown(),
    /** With an intent only. */
    intent: v.optional(IntentId),
  }),
]);
export type DeviceMessage = v.InferOutput<typeof DeviceMessage>;

export const HostMessage = v.variant("t", [
  /** First, once: who this is and what the device may do here. */
  v.object({
    t: v.literal("welcome"),
    host: HostId,
    name: v.pipe(v.string(), v.maxLength(MAX_LABEL_CHARS)),
    version: v.string(),
    device: DeviceId,
    grant: Grant,
    now: Time,
    features: v.array(v.string()),
    /** There is a direct way to this host, and this connection is not it. */
    direct: v.optional(Direct),
  }),
  v.object({ t: v.literal("reply"), call: CallNumber, ok: v.unknown() }),
  v.object({ t: v.literal("fault"), call: CallNumber, error: CallFault }),
  /** Contiguous, in order, after what `session.follow` answered. */
  v.object({ t: v.literal("entries"), session: SessionId, entries: v.array(Entry) }),
  v.object({ t: v.literal("delta"), session: SessionId, delta: Delta }),
  v.object({ t: v.literal("feed"), facts: v.array(FeedEntry) }),
  /** The host no longer sends this session's entries: it was removed, or the grant ended. */
  v.object({ t: v.literal("unfollowed"), session: SessionId, reason: v.string() }),
]);
export type HostMessage = v.InferOutput<typeof HostMessage>;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

export function encodeMessage(message: DeviceMessage | HostMessage): Uint8Array {
  return encoder.encode(JSON.stringify(message));
}

/** Throws when the bytes are not UTF-8 JSON of the schema: the peer is broken or hostile, and the pipe is closed. */
export function decodeDeviceMessage(bytes: Uint8Array): DeviceMessage {
  return v.parse(DeviceMessage, JSON.parse(decoder.decode(bytes)));
}

/** As above. A message kind that only a newer host knows gives undefined. */
export function decodeHostMessage(bytes: Uint8Array): HostMessage | undefined {
  const json: unknown = JSON.parse(decoder.decode(bytes));
  const kind = (json as { t?: unknown } | null)?.t;
  if (kind === "entries") {
    const { entries, ...head } = json as { entries?: unknown };
    return { ...v.parse(EntriesHead, head), entries: v.parse(v.array(v.unknown()), entries).map(entryFrom) };
  }
  return HOST_KINDS.has(kind) ? v.parse(HostMessage, json) : undefined;
}

const EntriesHead = v.object({ t: v.literal("entries"), session: SessionId });

const HOST_KINDS: ReadonlySet<unknown> = new Set(HostMessage.options.map((option) => option.entries.t.literal));
