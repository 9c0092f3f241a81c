/** A device as a line says it, and what hangs on it. */
import type { Device } from "@flybridge/protocol/device.ts";
import type { DeviceId } from "@flybridge/protocol/ids.ts";
import type { Pairing } from "@flybridge/protocol/pairing.ts";
import { visibleLine } from "@flybridge/protocol/text.ts";
import type { Way } from "@flybridge/protocol/way.ts";

const WAYS: Readonly<Record<Way, string>> = {
  local: "by this machine's socket",
  loopback: "on this machine",
  proxy: "by a proxy",
  tls: "over TLS",
  relay: "by a relay",
  direct: "directly",
};

/** "Ada's phone (phone)". What a device calls itself is its own word. */
export function deviceText({ name, kind }: Pick<Device | Pairing, "name" | "kind">): string {
  return `${visibleLine(name)} (${kind})`;
}

export function wayText(way: Way): string {
  return WAYS[way];
}

/** Those whose grants end with this one's: what it passed on, and what they did. */
export function heirsOf(devices: readonly Device[], id: DeviceId): Device[] {
  const all = new Set([id]);
  for (const one of all)
    for (const { device, grant } of devices) if (grant.kind === "session" && grant.by === one) all.add(device);
  return devices.filter(({ device }) => device !== id && all.has(device));
}
