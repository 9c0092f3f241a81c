/**
 * An offer is a one-time invitation to pair, as a connection string, a link or a QR:
 *
 *   flybridge://HOST[:7683]/OFFER.SECRET.HOSTKEY[?h=HOST:PORT…&r=RELAY&rt=RENDEZVOUS&n=NAME]
 *   https://APP/pair#flybridge://…        in the fragment, which no browser sends to a server
 *   https://APP/join#flybridge://…        the same, where what is offered is one session
 *
 * OFFER is 8 bytes, SECRET 32 random bytes, HOSTKEY the host's X25519 public key, each in base64url without padding.
 * Whoever holds the string may pair once: it is handled like a password.
 */
import { fromBase64Url, toBase64Url } from "./base64.ts";
import { isLoopback } from "./loopback.ts";

export { fromBase64Url, toBase64Url };
export type { OfferMade } from "./offer-made.ts";

export const DEFAULT_PORT = 7683;
export const OFFER_BYTES = 8;
export const SECRET_BYTES = 32;
export const HOST_KEY_BYTES = 32;
/** Characters of a connection string: what still fits a QR code of version 10 at level L. */
export const MAX_CONNECTION_CHARS = 271;
/** Characters of a link: what still fits one at level M, which a phone reads at arm's length and with a thumb on it. */
export const MAX_LINK_CHARS = 213;
/** Characters that are read at all: a link around the string, and strings longer than a QR code holds. */
export const MAX_PASTED_CHARS = 4 * MAX_CONNECTION_CHARS;
/** Addresses of one connection that are tried; further ones are passed over, so that no string makes a device a scanner. */
export const MAX_ADDRESSES = 8;
const SCHEME = "flybridge://";
const LINK = /^(https?):\/\/([^/#]*)\/(?:[^#]*\/)?(pair|join)\/?#(.*)$/iu;

export interface Address {
  /** A name, an IPv4 address, or an IPv6 address without brackets. */
  readonly host: string;
  readonly port: number;
}

export interface Connection {
  /** First the address in the string itself, then those of `h=`. */
  readonly addresses: readonly [Address, ...Address[]];
  readonly offer: Uint8Array;
  readonly secret: Uint8Array;
  readonly hostKey: Uint8Array;
  readonly relay?: string;
  readonly rendezvous?: string;
  readonly name?: string;
}

export type ConnectionFault =
  | "empty"
  | "wrong_scheme"
  | "plaintext"
  | "no_host"
  | "bad_port"
  | "no_token"
  | "bad_token"
  | "too_long";

/** A person pasted or scanned something that is not a connection string; `message` is for that person. */
export class ConnectionError extends Error {
  override readonly name = "ConnectionError";
  readonly fault: ConnectionFault;
  constructor(fault: ConnectionFault) {
    super(MESSAGES[fault]);
    this.fault = fault;
  }
}

const MESSAGES: Record<ConnectionFault, string> = {
  empty: "There is nothing here. Paste the whole line that starts with flybridge://.",
  wrong_scheme: "This is not a Flybridge connection string: it must start with flybridge://.",
  plaintext:
    "This link leads to a page that anybody on the way could change: it starts with http://. Show a new one on the host.",
  no_host: "The connection string has no address after flybridge://. Copy it again, whole.",
  bad_port: "The port in the connection string is not a number from 1 to 65535. Copy it again, whole.",
  no_token: "The connection string has no pairing token. Copy it again, whole, up to its last character.",
  bad_token: "The pairing token is damaged or cut short. Copy it again, whole, or show a new one on the host.",
  too_long: "This is too long to be a connection string. Copy only the line that starts with flybridge://.",
};

/** Takes a connection string or a link that carries one. Throws `ConnectionError`. */
export function parseConnection(text: string): Connection {
  if (text.length > 2 * MAX_PASTED_CHARS) throw new ConnectionError("too_long");
  // A terminal that wrapped the line puts newlines into what is copied; nothing in a string has white space of its own.
  const joined = text.replaceAll(/\s+/gu, "");
  if (joined === "") throw new ConnectionError("empty");
  if (joined.length > MAX_PASTED_CHARS) throw new ConnectionError("too_long");
  const string = fromLink(joined);
  if (!string.toLowerCase().startsWith(SCHEME)) throw new ConnectionError("wrong_scheme");
  const rest = string.slice(SCHEME.length);
  const [beforeQuery, query = ""] = splitOnce(rest, "?");
  const [authority, token] = splitOnce(beforeQuery, "/");
  const first = addressFrom(decoded(authority, "no_host"));
  if (token === undefined || token === "") throw new ConnectionError("no_token");
  const [offer, secret, hostKey, ...more] = token.split(".");
  if (more.length > 0) throw new ConnectionError("bad_token");
  const parameters = parametersOf(query);
  const relay = parameters.get("r")?.[0];
  const rendezvous = parameters.get("rt")?.[0];
  const name = parameters.get("n")?.[0];
  return {
    addresses: [first, ...(parameters.get("h") ?? []).slice(0, MAX_ADDRESSES - 1).map(addressFrom)],
    offer: bytesFrom(offer, OFFER_BYTES),
    secret: bytesFrom(secret, SECRET_BYTES),
    hostKey: bytesFrom(hostKey, HOST_KEY_BYTES),
    ...(relay === undefined ? {} : { relay }),
    ...(rendezvous === undefined ? {} : { rendezvous }),
    ...(name === undefined ? {} : { name }),
  };
}

export function formatConnection(connection: Connection): string {
  const [first, ...more] = connection.addresses;
  const token = [connection.offer, connection.secret, connection.hostKey].map(toBase64Url).join(".");
  const parameters: string[] = more.map((address) => `h=${encodeURIComponent(formatAddress(address))}`);
  if (connection.relay !== undefined) parameters.push(`r=${encodeURIComponent(connection.relay)}`);
  if (connection.rendezvous !== undefined) parameters.push(`rt=${encodeURIComponent(connection.rendezvous)}`);
  if (connection.name !== undefined) parameters.push(`n=${encodeURIComponent(connection.name)}`);
  return `${SCHEME}${formatAddress(first)}/${token}${parameters.length > 0 ? `?${parameters.join("&")}` : ""}`;
}

/** What the page that a link opens speaks of. It is a word and no more: what the offer gives, only the host knows. */
export type LinkPurpose = "pair" | "join";

/**
 * The link that a phone's own camera opens: the app at `origin`, with the string in the fragment. Where the code would be
 * too fine, it goes without the further addresses, for its page is at the first, and then without the name.
 */
export function formatLink(origin: string, connection: Connection, purpose: LinkPurpose = "pair"): string {
  const link = (of: Connection): string => `${origin}/${purpose}#${formatConnection(of)}`;
  const shorter: Connection = { ...connection, addresses: [connection.addresses[0]] };
  const { name: _, ...shortest } = shorter;
  return [connection, shorter].map(link).find((one) => one.length <= MAX_LINK_CHARS) ?? link(shortest);
}

export function purposeOf(text: string): LinkPurpose {
  return LINK.exec(text.trim())?.[3]?.toLowerCase() === "join" ? "join" : "pair";
}

export function formatAddress(address: Address): string {
  const host = address.host.includes(":") ? `[${address.host}]` : address.host;
  return address.port === DEFAULT_PORT ? host : `${host}:${address.port}`;
}

function bytesFrom(text: string | undefined, length: number): Uint8Array {
  if (text === undefined || text === "") throw new ConnectionError("no_token");
  const bytes = fromBase64Url(text, length);
  if (bytes === undefined) throw new ConnectionError("bad_token");
  return bytes;
}

function fromLink(text: string): string {
  const [, scheme = "", host = "", , hash] = LINK.exec(text) ?? [];
  if (hash === undefined) return text;
  if (scheme.toLowerCase() === "http" && !isLoopback(addressFrom(host).host)) throw new ConnectionError("plaintext");
  return hash.toLowerCase().startsWith(SCHEME) ? hash : decoded(hash);
}

function addressFrom(text: string): Address {
  const bracketed = /^\[([0-9a-fA-F:.]+)\](?::([^:]*))?$/u.exec(text);
  // Letters of every script, for names that are not ASCII; nothing that a URL would read as something else.
  const plain = /^([\p{L}\p{M}\p{N}._-]+)(?::([^:]*))?$/u.exec(text);
  const host = bracketed?.[1] ?? plain?.[1];
  if (host === undefined) throw new ConnectionError("no_host");
  const portText = bracketed ? bracketed[2] : plain?.[2];
  if (portText === undefined) return { host, port: DEFAULT_PORT };
  const port = /^\d{1,5}$/u.test(portText) ? Number(portText) : 0;
  if (port < 1 || port > 65_535) throw new ConnectionError("bad_port");
  return { host, port };
}

function parametersOf(query: string): Map<string, string[]> {
  const parameters = new Map<string, string[]>();
  for (const pair of query.split("&")) {
    const [name, value = ""] = splitOnce(pair, "=");
    if (name !== "") parameters.set(name, [...(parameters.get(name) ?? []), decoded(value)]);
  }
  return parameters;
}

function decoded(text: string, fault: ConnectionFault = "bad_token"): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new ConnectionError(fault);
  }
}

function splitOnce(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}
