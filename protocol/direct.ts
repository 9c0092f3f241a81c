/**
 * The direct way's words: a WebRTC data channel between device and host, signalled inside the seal. One offer with every
 * candidate in it, one answer: who forwards the connection learns neither addresses nor that there is such a way.
 */
import * as v from "valibot";

/** Characters of an offer or an answer. A browser's, with a dozen addresses, has under 3,000. */
const MAX_SDP_CHARS = 16 * 1024;
/** Servers that help two networks find each other, and characters of each part of one. */
export const MAX_ICE_SERVERS = 8;
const MAX_ICE_CHARS = 512;
/** Milliseconds in which a side gathers its own addresses; what is found later is left out. */
export const GATHERING_MS = 2_000;
/** Milliseconds from an answer to the open channel; by then both sides give up. */
export const OPENING_MS = 10_000;

/** A session description (RFC 8866) of one data channel. */
export const Description = v.pipe(v.string(), v.minLength(1), v.maxLength(MAX_SDP_CHARS));

const part = v.pipe(v.string(), v.maxLength(MAX_ICE_CHARS));

/** As a browser takes it. */
export const IceServer = v.object({ urls: part, username: v.optional(part), credential: v.optional(part) });
export type IceServer = v.InferOutput<typeof IceServer>;

/** What a host tells of its direct way to a device that has somebody between itself and the host. */
export const Direct = v.object({ ice: v.pipe(v.array(IceServer), v.maxLength(MAX_ICE_SERVERS)) });
export type Direct = v.InferOutput<typeof Direct>;

const ICE_URL =
  /^(?<scheme>stuns?|turns?):(?:(?<username>[^:@?]+):(?<credential>[^:@?]+)@)?(?<host>\[[\dA-Fa-f:.]+\]|[\dA-Za-z][\dA-Za-z.-]*)(?<port>:\d{1,5})?(?<query>\?transport=(?:udp|tcp))?$/u;

/**
 * From `stun:host:port` or `turn:name:password@host:port?transport=udp`, name and password percent-encoded. Undefined
 * for what is neither, and for a `turn:` without a password or a `stun:` with one.
 */
export function iceServerFrom(text: string): IceServer | undefined {
  const { scheme, username, credential, host, port = "", query = "" } = ICE_URL.exec(text)?.groups ?? {};
  if (scheme === undefined || text.length > MAX_ICE_CHARS || Number(port.slice(1)) > 65_535) return undefined;
  const isTurn = scheme.startsWith("turn");
  if (isTurn !== (username !== undefined) || (!isTurn && query !== "")) return undefined;
  const urls = `${scheme}:${host}${port}${query}`;
  if (username === undefined || credential === undefined) return { urls };
  try {
    return { urls, username: decodeURIComponent(username), credential: decodeURIComponent(credential) };
  } catch {
    return undefined;
  }
}
