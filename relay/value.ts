/** The values of variables: what a text has to be to be one, and a sentence about one that is not. */
import { BlockList, isIP, isIPv6 } from "node:net";
import { resolve } from "node:path";
import { type IceServer, iceServerFrom, MAX_ICE_SERVERS } from "@flybridge/protocol/direct.ts";
import { isLoopback } from "@flybridge/protocol/loopback.ts";
import { OriginError, relayOriginFrom } from "@flybridge/protocol/relay/origin.ts";
import { RELAY_PORT } from "@flybridge/protocol/relay/words.ts";

/** Characters of what nobody may guess. */
export const MIN_SECRET_CHARS = 32;
/** Characters of a value that are shown when it is wrong. */
const SHOWN_CHARS = 80;
/** Of one list. */
const MAX_LISTED = 32;
/** Bits of a network that must be given: wider is not a place where one's proxies stand. fc00::/7 is all private ones. */
const MIN_PREFIX_BITS = { ipv4: 8, ipv6: 7 } as const;
const MAX_PORT = 65_535;

export interface Listen {
  /** An IP address or `localhost`. */
  readonly address: string;
  /** 0 is any free one. */
  readonly port: number;
}

/** Of a value; the message goes on after the variable's name. */
export class Wrong extends Error {}

export function parseOrigin(value: string): string {
  try {
    return relayOriginFrom(value);
  } catch (error) {
    if (!(error instanceof OriginError)) throw error;
    throw new Wrong(`is not right. ${error.message}`);
  }
}

export function parseListen(value: string): Listen {
  const [, bracketed, plain, digits = ""] = /^(?:\[([^\]]*)\]|([^:]*)):(\d{1,5})$/u.exec(value) ?? [];
  const address = bracketed ?? plain ?? "";
  const isAddress = bracketed === undefined ? isIP(address) === 4 || address === "localhost" : isIPv6(bracketed);
  if (!isAddress || Number(digits) > MAX_PORT)
    throw new Wrong(`is ${shown(value)}: it has to be an address and a port, 127.0.0.1:${RELAY_PORT} or [::]:443.`);
  return { address: bracketed === undefined ? address : shortIPv6(bracketed), port: Number(digits) };
}

export function parsePath(value: string): string {
  return resolve(value);
}

export function parseNetworks(value: string): BlockList {
  const networks = new BlockList();
  for (const one of listed(value)) {
    const [, address = "", digits] = /^([^/]*)(?:\/(\d{1,3}))?$/u.exec(one) ?? [];
    const family = isIP(address) === 4 ? "ipv4" : "ipv6";
    if (isIP(address) === 0 || address.includes("%"))
      throw new Wrong(`names ${shown(one)}: it has to be an address or a network, 10.0.0.2 or 10.0.0.0/24.`);
    if (digits === undefined) networks.addAddress(address, family);
    else {
      const [least, most] = [MIN_PREFIX_BITS[family], family === "ipv4" ? 32 : 128];
      if (Number(digits) < least || Number(digits) > most)
        throw new Wrong(`names ${shown(one)}: the number after the slash has to be from ${least} to ${most}.`);
      networks.addSubnet(address, Number(digits), family);
    }
  }
  return networks;
}

export function parseDatabase(value: string): string {
  if (!/^postgres(?:ql)?:$/u.test(URL.parse(value)?.protocol ?? ""))
    throw new Wrong("has to be an address like postgres://user:password@host:5432/database.");
  return value;
}

/** `nats:` is plaintext until the server says otherwise, so beyond this machine it has to be `tls:`. */
export function parseNats(value: string): readonly string[] {
  return listed(value).map((one) => {
    const url = URL.parse(one);
    if (url === null || !/^(?:nats|tls):$/u.test(url.protocol) || url.hostname === "")
      throw new Wrong("has to be addresses like tls://host:4222, with commas between them.");
    if (url.protocol === "nats:" && !isLoopback(hostOf(url)))
      throw new Wrong("begins with nats: for a server that is not this machine: there it has to be tls:.");
    return one;
  });
}

export function parseSecret(value: string): string {
  if (value.length < MIN_SECRET_CHARS)
    throw new Wrong(
      `is too short: it has to have at least ${MIN_SECRET_CHARS} characters. Make one with: openssl rand -base64 48`,
    );
  return value;
}

export function parseIceServers(value: string): readonly IceServer[] {
  const servers = listed(value).map((one) => {
    const server = iceServerFrom(one);
    if (server) return server;
    throw new Wrong(
      "has to be servers like stun:stun.example:3478 or turn:user:password@turn.example:3478?transport=udp, with commas between them.",
    );
  });
  if (servers.length > MAX_ICE_SERVERS) throw new Wrong(`names more than ${MAX_ICE_SERVERS}.`);
  return servers;
}

export function oneOf<const T extends string>(choices: readonly T[]): (value: string) => T {
  return (value) => {
    const found = choices.find((choice) => choice === value);
    if (found !== undefined) return found;
    throw new Wrong(`is ${shown(value)}: it has to be one of ${choices.join(", ")}.`);
  };
}

/** Without brackets and port. */
export function hostOf(url: string | URL): string {
  return new URL(url).hostname.replace(/^\[|\]$/gu, "");
}

export function shown(value: string): string {
  return JSON.stringify(value.length > SHOWN_CHARS ? `${value.slice(0, SHOWN_CHARS)}…` : value);
}

function listed(value: string): string[] {
  const items = value
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");
  if (items.length === 0) throw new Wrong("names nothing.");
  if (items.length > MAX_LISTED) throw new Wrong(`names more than ${MAX_LISTED}.`);
  return items;
}

/** `0:0:0:0:0:0:0:1` is loopback as much as `::1` is. One with a zone stays as it is. */
function shortIPv6(address: string): string {
  const url = URL.parse(`http://[${address}]`);
  return url === null ? address : url.hostname.slice(1, -1);
}
