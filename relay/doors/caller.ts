/** Who speaks to this relay: the address of a peer, or of whom the proxies that this relay was told of speak for. */
import type { IncomingHttpHeaders } from "node:http";
import { isIP, isIPv4 } from "node:net";
import { isLoopback } from "@flybridge/protocol/loopback.ts";

/**
 * Undefined when it may not be spoken to: it came in the clear, and not from where that is allowed. What a header says
 * counts as far as proxies that are trusted wrote it: each writes on the right whom it heard, and what stands left of the
 * first one that is not trusted, that one may have made up.
 */
export function callerOf(
  request: { readonly address: string; readonly headers: IncomingHttpHeaders },
  relay: { readonly isTls: boolean; isTrusted(address: string): boolean },
): string | undefined {
  const peer = plainAddress(request.address);
  if (!relay.isTrusted(peer)) return relay.isTls || isLoopback(peer) ? peer : undefined;
  const [protocol] = listed(request.headers["x-forwarded-proto"]);
  if (!relay.isTls && protocol !== undefined && !/^(?:https|wss)$/u.test(protocol)) return undefined;
  let caller = peer;
  for (const text of listed(request.headers["x-forwarded-for"])) {
    const address = addressIn(text);
    if (address === undefined) break;
    caller = address;
    if (!relay.isTrusted(address)) break;
  }
  return caller;
}

/** An IPv4 peer of a socket that listens on both has an address of IPv6 (RFC 4291 §2.5.5.2). */
export function plainAddress(address: string): string {
  return address.replace(/^::ffff:(?=[\d.]+$)/iu, "");
}

/** From the right. */
function listed(header: string | string[] | undefined): string[] {
  const text = Array.isArray(header) ? header.join(",") : (header ?? "");
  return text
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "")
    .toReversed();
}

/** Some write a port behind it. Undefined when it is none. */
function addressIn(text: string): string | undefined {
  const [, bracketed, dotted] = /^(?:\[([^\]]*)\](?::\d+)?|([\d.]+):\d+)$/u.exec(text) ?? [];
  const address = plainAddress(bracketed ?? dotted ?? text);
  return isIP(address) === 0 || (dotted !== undefined && !isIPv4(dotted)) ? undefined : address.toLowerCase();
}
