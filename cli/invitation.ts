/** An offer to pair, as it is shown: QR, link, connection string, and how long it lives. */
import type { Device } from "@flybridge/protocol/device.ts";
import type { DeviceId } from "@flybridge/protocol/ids.ts";
import { type OfferMade, parseConnection } from "@flybridge/protocol/offer.ts";
import { visibleLine } from "@flybridge/protocol/text.ts";
import { ask, type LocalHost } from "./local.ts";
import { plainLine, terminalQr } from "./qr.ts";
import type { Style } from "./terminal.ts";
import { SECOND_MS, span } from "./time.ts";
import { until } from "./watch.ts";

const INDENT = "  ";

export function invitationLines(
  offer: OfferMade,
  { now, columns, style }: { now: number; columns: number; style: Style },
): string[] {
  const qr = terminalQr(offer.link, style.coloured);
  const width = plainLine(qr[0] ?? "").length;
  return [
    "Scan with the phone's camera, or open the link on the device to pair:",
    "",
    // A code that wraps cannot be scanned; the link does the same.
    ...(width + INDENT.length <= columns ? [...qr.map((line) => INDENT + line), ""] : []),
    `${INDENT}${style.link(offer.link)}`,
    "",
    "Connection string (paste into Flybridge on another device):",
    `${INDENT}${offer.connection}`,
    "",
    `It pairs one device, once, in the next ${span(Math.ceil((offer.expires - now) / SECOND_MS) * SECOND_MS)}. Whoever has it can pair: treat it like a password.`,
    ...(isLoopback(offer)
      ? [
          style.dim(
            "This host listens on this machine only. For a phone, name the https origin that leads here: flybridge up --origin https://…",
          ),
        ]
      : []),
  ];
}

export function pairedText(device: Device): string {
  return `Paired: ${visibleLine(device.name)} (${device.kind}).`;
}

/** Devices there are, to tell a new one by. */
export async function devicesNow(host: LocalHost): Promise<ReadonlySet<DeviceId>> {
  const { devices } = await ask(host, host.replica.call("device.list", {}));
  return new Set(devices.map(({ device }) => device));
}

/** Resolves with the first device that was not there before. */
export function nextDevice(host: LocalHost, before: ReadonlySet<DeviceId>, signal?: AbortSignal): Promise<Device> {
  const fresh = until(
    host.replica.view,
    ({ devices }) => Object.values(devices).find(({ device }) => !before.has(device)),
    signal,
  );
  return Promise.race([fresh, host.lost]);
}

function isLoopback({ connection }: OfferMade): boolean {
  return parseConnection(connection).addresses.every(
    ({ host }) => host === "localhost" || host === "::1" || /^127(?:\.\d{1,3}){3}$/u.test(host),
  );
}
