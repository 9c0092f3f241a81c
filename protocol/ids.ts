/** The names of things: branded strings, so that a session's id cannot be passed where an ask's is wanted. */
import * as v from "valibot";

/** Characters of an id that an agent or an adapter chose (a tool call's, an ask's, a turn's). */
export const MAX_FOREIGN_ID_CHARS = 200;

const uuid7 = v.pipe(v.string(), v.regex(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/));
const foreign = v.pipe(v.string(), v.minLength(1), v.maxLength(MAX_FOREIGN_ID_CHARS));

/** Chosen by the device for each thing it wants done (RFC 9562 §5.7); a repeat gets the first answer again. */
export const IntentId = v.pipe(uuid7, v.brand("IntentId"));
export type IntentId = v.InferOutput<typeof IntentId>;

/** The id of the intent that created the session, so that creating twice makes one. */
export const SessionId = v.pipe(uuid7, v.brand("SessionId"));
export type SessionId = v.InferOutput<typeof SessionId>;

/** The id of the intent that gave the prompt. */
export const PromptId = v.pipe(uuid7, v.brand("PromptId"));
export type PromptId = v.InferOutput<typeof PromptId>;

/** Base64url of the SHA-256 of the device's X25519 public key, 43 characters. */
export const DeviceId = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{43}$/), v.brand("DeviceId"));
export type DeviceId = v.InferOutput<typeof DeviceId>;

/** As `crypto/identity` derives it from the host's keys, without its groups. */
export const HostId = v.pipe(v.string(), v.regex(/^[a-z0-9]{20,80}$/), v.brand("HostId"));
export type HostId = v.InferOutput<typeof HostId>;

export const TurnId = v.pipe(foreign, v.brand("TurnId"));
export type TurnId = v.InferOutput<typeof TurnId>;

export const ItemId = v.pipe(foreign, v.brand("ItemId"));
export type ItemId = v.InferOutput<typeof ItemId>;

export const AskId = v.pipe(foreign, v.brand("AskId"));
export type AskId = v.InferOutput<typeof AskId>;

/** The name of an agent's folder: `claude`, `demo`. */
export const AgentName = v.pipe(v.string(), v.regex(/^[a-z][a-z0-9-]{0,31}$/), v.brand("AgentName"));
export type AgentName = v.InferOutput<typeof AgentName>;

/** Where an entry stands in its session's journal: contiguous from 1. */
export const Seq = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

/** Milliseconds since 1970 by the host's clock. */
export const Time = v.pipe(v.number(), v.safeInteger());

/** A UUIDv7 from the clock (milliseconds) and ten random bytes. Both come in as arguments: this folder has neither. */
export function uuid7From(now: number, random: Uint8Array): IntentId {
  if (random.length < 10) throw new RangeError("uuid7From needs ten random bytes");
  if (!(now >= 0)) throw new RangeError("uuid7From needs milliseconds since 1970");
  const time = Math.trunc(now).toString(16).padStart(12, "0").slice(-12);
  const hex = Array.from(random.subarray(0, 10), (byte) => byte.toString(16).padStart(2, "0")).join("");
  const variant = ((Number.parseInt(hex.slice(4, 5), 16) & 0x3) | 0x8).toString(16);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${hex.slice(0, 3)}-${variant}${hex.slice(5, 8)}-${hex.slice(8, 20)}` as IntentId;
}
