/** Kinds of devices and their ways in, as people see them. */
import type { DeviceKind } from "@flybridge/protocol/device.ts";
import type { Way } from "@flybridge/protocol/way.ts";
import type { IconName } from "../design/icon.tsx";
import { t } from "../words.ts";

export const KIND_ICONS: Record<DeviceKind, IconName> = {
  phone: "phone",
  tablet: "tablet",
  desktop: "desktop",
  cli: "terminal",
  host: "host",
};

export function kindWords(kind: DeviceKind): string {
  switch (kind) {
    case "phone":
      return t("Phone");
    case "tablet":
      return t("Tablet");
    case "desktop":
      return t("Desktop");
    case "cli":
      return t("Shell");
    case "host":
      return t("Host");
  }
}

export function wayWords(way: Way): string {
  switch (way) {
    case "local":
      return t("on the host itself");
    case "loopback":
      return t("a browser on the host");
    case "proxy":
      return t("through your own proxy");
    case "tls":
      return t("over the network");
    case "relay":
      return t("through the relay");
    case "direct":
      return t("directly");
  }
}
