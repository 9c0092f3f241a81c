/** The addresses under which devices find a door of this machine. */
import { isIPv6 } from "node:net";
import { networkInterfaces, type NetworkInterfaceInfo } from "node:os";
import { MAX_ADDRESSES } from "@flybridge/protocol/offer.ts";

type Interfaces = NodeJS.Dict<NetworkInterfaceInfo[]>;

/** Of containers and virtual machines: whoever is outside of this machine cannot reach them. */
const INSIDE = /^(?:docker|br-|veth|virbr|vmnet|cni|flannel|podman)/u;
/** Where a phone most likely is, first: a home's network, an office's, Tailscale's (RFC 1918, RFC 6598), any other, IPv6. */
const RANKS: readonly RegExp[] = [
  /^192\.168\./u,
  /^(?:10|172\.(?:1[6-9]|2\d|3[01]))\./u,
  /^100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7])\./u,
  /^[\d.]+$/u,
  /:/u,
];

/** What a door bound to an address is reached by, best first; for a wildcard, each address of this machine. */
export function addressesOf(bound: string, interfaces: Interfaces = networkInterfaces()): readonly string[] {
  if (bound !== "0.0.0.0" && bound !== "::") return [bound];
  const found = Object.entries(interfaces)
    .flatMap(([name, list = []]) => list.map((one) => ({ ...one, inside: INSIDE.test(name) })))
    // A link-local one is an address only together with an interface's name, which is the caller's.
    .filter(({ internal, family, scopeid }) => !internal && (family === "IPv4" || (bound === "::" && !scopeid)))
    .toSorted((one, other) => Number(one.inside) - Number(other.inside) || rankOf(one.address) - rankOf(other.address))
    .map(({ address }) => address);
  return [...new Set(found)].slice(0, MAX_ADDRESSES);
}

/** Whether a door bound to an address takes in 127.0.0.1. */
export function takesInLoopback(bound: string): boolean {
  return bound === "0.0.0.0" || bound === "::" || bound === "127.0.0.1";
}

/** As it stands in a URL. */
export function inUrl(host: string): string {
  return isIPv6(host) ? `[${host}]` : host;
}

function rankOf(address: string): number {
  return RANKS.findIndex((pattern) => pattern.test(address));
}
