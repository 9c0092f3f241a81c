/**
 * Which relay: its origin, `https://relay.example` or `https://relay.example:7684`, in one written form, because it is
 * what both sides sign. Plain `http` only on the machine itself.
 */
import { isLoopback } from "../loopback.ts";
import { RELAY_PATH } from "./words.ts";

/** Characters of a name (RFC 1035 §2.3.4). */
const MAX_NAME_CHARS = 253;
/** Characters that are read at all, white space around included. */
const MAX_TYPED_CHARS = 1_024;
const PARTS = /^(https?):\/\/(\[[0-9a-f:.]+\]|[^/?#@:[\]]+)(?::([^/?#@]*))?\/?$/u;
const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/u;
const IPV4 = /^(?:0|[1-9]\d{0,2})(?:\.(?:0|[1-9]\d{0,2})){3}$/u;

export type OriginFault = "empty" | "wrong_scheme" | "plaintext" | "more_than_origin" | "bad_name" | "bad_port";

/** A person named a relay by what is no origin of one; `message` is for that person. */
export class OriginError extends Error {
  override readonly name = "OriginError";
  readonly fault: OriginFault;
  constructor(fault: OriginFault) {
    super(MESSAGES[fault]);
    this.fault = fault;
  }
}

const MESSAGES: Record<OriginFault, string> = {
  empty: "There is no relay here. Write its address, like https://relay.example.",
  wrong_scheme: "A relay's address starts with https://, like https://relay.example.",
  plaintext:
    "This relay's address is not encrypted, and nobody is spoken to like that beyond this machine. Use https://.",
  more_than_origin: "This is more than a relay's address. Write only https://, its name and maybe a port.",
  bad_name: "The name in the relay's address is none that can be reached. Copy the address again, whole.",
  bad_port: "The port in the relay's address is not a number from 1 to 65535. Copy the address again, whole.",
};

/** The one written form: lower case, no path, no port that the scheme implies. Throws `OriginError`. */
export function relayOriginFrom(text: string): string {
  const typed = text.trim().toLowerCase();
  if (typed === "") throw new OriginError("empty");
  if (!/^https?:\/\//u.test(typed)) throw new OriginError("wrong_scheme");
  if (text.length > MAX_TYPED_CHARS) throw new OriginError("bad_name");
  const [, scheme = "", written, portText] = PARTS.exec(typed) ?? [];
  if (written === undefined)
    throw new OriginError(/^https?:\/\/[^/?#@]+[/?#@]/u.test(typed) ? "more_than_origin" : "bad_name");
  const isBracketed = written.startsWith("[");
  const host = isBracketed ? written.slice(1, -1) : written;
  if (!(isBracketed ? isIpv6(host) : isName(host))) throw new OriginError("bad_name");
  const port = portOf(portText, scheme);
  if (scheme === "http" && !isLoopback(host)) throw new OriginError("plaintext");
  return `${scheme}://${written}${port}`;
}

/** Where its sockets are taken: `wss://relay.example/relay`. Throws `OriginError` for what is no origin. */
export function relaySocketOf(origin: string): string {
  return `${relayOriginFrom(origin).replace(/^http/u, "ws")}${RELAY_PATH}`;
}

/** `:PORT`, or nothing when the scheme implies it. */
function portOf(text: string | undefined, scheme: string): string {
  if (text === undefined) return "";
  const port = /^\d{1,5}$/u.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65_535) throw new OriginError("bad_port");
  return port === (scheme === "https" ? 443 : 80) ? "" : `:${port}`;
}

/** Of a machine, or an IPv4 address. */
function isName(host: string): boolean {
  const labels = host.split(".");
  if (host.length > MAX_NAME_CHARS || !labels.every((label) => LABEL.test(label))) return false;
  // What ends in a number is an IPv4 address, or nothing that a URL could hold.
  if (!/^(?:\d+|0x[0-9a-f]*)$/u.test(labels.at(-1) ?? "")) return true;
  return IPV4.test(host) && labels.every((label) => Number(label) <= 255);
}

/** RFC 4291 §2.2, without the form that ends in an IPv4 address. */
function isIpv6(host: string): boolean {
  const halves = host.split("::");
  const groups = halves.flatMap((half) => (half === "" ? [] : half.split(":")));
  if (!groups.every((group) => /^[0-9a-f]{1,4}$/u.test(group))) return false;
  return halves.length === 2 ? groups.length < 8 : halves.length === 1 && groups.length === 8;
}
