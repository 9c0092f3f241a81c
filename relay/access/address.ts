/** Addresses of peers, as coarse as each use of them needs. */
import { isIPv4, isIPv6 } from "node:net";

const GROUPS = 8;

/** Its first half, `192.0.0.0/16` or `2001:db8::/32`: enough for a person to see that it is elsewhere. Undefined when it is none. */
export function coarseNetwork(address: string): string | undefined {
  const { v4, v6 } = parsed(address);
  if (v4) return `${v4[0]}.${v4[1]}.0.0/16`;
  return v6 && `${v6[0]}:${v6[1]}::/32`;
}

/** What one customer of a provider has: an address, or 64 bits of one. Whatever is no address is one and the same. */
export function customerNetwork(address: string): string {
  const { v4, v6 } = parsed(address);
  return v4?.join(".") ?? v6?.slice(0, 4).join(":") ?? "unknown";
}

function parsed(address: string): { readonly v4?: readonly string[]; readonly v6?: readonly string[] } {
  const [bare = ""] = address.split("%");
  if (isIPv4(bare)) return { v4: bare.split(".") };
  if (!isIPv6(bare)) return {};
  const groups = groupsOf(bare);
  // An IPv4 peer of a socket that listens on both (RFC 4291 §2.5.5.2).
  const isMapped = groups.slice(0, 5).every((group) => group === "0") && groups[5] === "ffff";
  if (!isMapped) return { v6: groups };
  const bytes = groups.slice(6).flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 255]);
  return { v4: bytes.map(String) };
}

/** Eight, in lower case and without leading zeros. */
function groupsOf(address: string): string[] {
  const plain = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const [head = "", tail] = plain.split("::");
  const before = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? 0 : GROUPS - before.length - after.length;
  return [...before, ...Array.from({ length: zeros }, () => "0"), ...after];
}
