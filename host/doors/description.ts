/**
 * An offer as the host gives it to its library: written anew from the few things that are read out of what the device
 * sent, so that no parser in C++ sees a device's own text, and no name that a device chose is looked up.
 */
import { BlockList, isIP } from "node:net";
import { RECORD_BYTES } from "@flybridge/protocol/relay.ts";

/** Candidates that are tried, best first as the device lists them; each is asked a few times over UDP. */
const MAX_CANDIDATES = 16;
/** Characters of a name and a password of ICE: at least RFC 8839 §5.4's, at most what browsers come nowhere near. */
const UFRAG = /^[\w+/-]{4,32}$/u;
const PWD = /^[\w+/-]{22,128}$/u;
const FINGERPRINT = /^sha-256 (?:[\dA-Fa-f]{2}:){31}[\dA-Fa-f]{2}$/u;
const MID = /^[\w-]{1,16}$/u;
const CANDIDATE =
  /^(?<foundation>[\w+/]{1,32}) 1 udp (?<priority>\d{1,10}) (?<address>\S+) (?<port>\d{1,5}) typ (?<type>host|srflx|prflx|relay)(?: |$)/iu;
const SECTION = "m=application ";
const PROTOCOL = " UDP/DTLS/SCTP webrtc-datachannel";
/** What an offer that says nothing of it means, in bytes (RFC 8841 §6.1). */
const UNSAID_BYTES = 65_536;
/** Those are not sent to: this machine itself, nobody, and many at once. */
const NOBODY = new BlockList();
for (const [net, prefix] of [
  ["0.0.0.0", 8],
  ["127.0.0.0", 8],
  ["224.0.0.0", 3],
] as const)
  NOBODY.addSubnet(net, prefix, "ipv4");
for (const [net, prefix] of [
  ["::", 127],
  ["ff00::", 8],
] as const)
  NOBODY.addSubnet(net, prefix, "ipv6");

/** Undefined when it is no offer of one data channel that a record fits through. */
export function offerFrom(text: string): string | undefined {
  const lines = text.split(/\r?\n/u);
  const sections = lines.filter((line) => line.startsWith("m="));
  const [section] = sections;
  if (sections.length !== 1 || !section?.startsWith(SECTION) || !section.endsWith(PROTOCOL)) return undefined;
  const [ufrag, pwd] = [valueOf(lines, "ice-ufrag", UFRAG), valueOf(lines, "ice-pwd", PWD)];
  const [fingerprint, mid] = [valueOf(lines, "fingerprint", FINGERPRINT), valueOf(lines, "mid", MID)];
  const messageBytes = Number(valueOf(lines, "max-message-size", /^\d{1,10}$/u) ?? UNSAID_BYTES);
  if (ufrag === undefined || pwd === undefined || fingerprint === undefined || mid === undefined) return undefined;
  // 0 is any size.
  if (messageBytes !== 0 && messageBytes < RECORD_BYTES) return undefined;
  const candidates = lines.flatMap((line) => candidateIn(line) ?? []).slice(0, MAX_CANDIDATES);
  return [
    "v=0",
    "o=- 1 1 IN IP4 127.0.0.1",
    "s=-",
    "t=0 0",
    `a=group:BUNDLE ${mid}`,
    `${SECTION}9${PROTOCOL}`,
    "c=IN IP4 0.0.0.0",
    ...candidates,
    `a=ice-ufrag:${ufrag}`,
    `a=ice-pwd:${pwd}`,
    `a=fingerprint:${fingerprint}`,
    "a=setup:actpass",
    `a=mid:${mid}`,
    "a=sctp-port:5000",
    `a=max-message-size:${messageBytes}`,
    "",
  ].join("\r\n");
}

function valueOf(lines: readonly string[], name: string, form: RegExp): string | undefined {
  const begin = `a=${name}:`;
  const value = lines.find((line) => line.startsWith(begin))?.slice(begin.length);
  return value !== undefined && form.test(value) ? value : undefined;
}

/** A browser that has not been allowed to see its own addresses gives names that only its own network knows; then it is we who are found. */
function candidateIn(line: string): string | undefined {
  const begin = "a=candidate:";
  if (!line.startsWith(begin)) return undefined;
  const { foundation, priority, address = "", port, type } = CANDIDATE.exec(line.slice(begin.length))?.groups ?? {};
  const family = isIP(address);
  // A zone is a name of the other machine's own.
  if (family === 0 || address.includes("%")) return undefined;
  if (NOBODY.check(address, family === 4 ? "ipv4" : "ipv6")) return undefined;
  if (Number(port) < 1 || Number(port) > 65_535) return undefined;
  return `${begin}${foundation} 1 udp ${priority} ${address} ${port} typ ${type}`;
}
