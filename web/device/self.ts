/** What this device is, as far as its browser tells. */
import type { DeviceKind } from "@flybridge/protocol/device.ts";

export interface Self {
  /** A first name; it can be changed when pairing and later. */
  readonly name: string;
  readonly kind: DeviceKind;
}

export function thisDevice(): Self {
  return selfFrom(navigator.userAgent, screen);
}

function selfFrom(agent: string, { width, height }: { width: number; height: number }): Self {
  const browser = /Firefox/.test(agent)
    ? "Firefox"
    : /Edg\//.test(agent)
      ? "Edge"
      : /Chrom/.test(agent)
        ? "Chrome"
        : "Safari";
  if (/iPhone/.test(agent)) return { name: "iPhone", kind: "phone" };
  if (/iPad/.test(agent)) return { name: "iPad", kind: "tablet" };
  if (/Android/.test(agent))
    return Math.min(width, height) < 600
      ? { name: "Android phone", kind: "phone" }
      : { name: "Android tablet", kind: "tablet" };
  const system = /Mac/.test(agent) ? "Mac" : /Windows/.test(agent) ? "Windows" : "Linux";
  return { name: `${browser} on ${system}`, kind: "desktop" };
}
