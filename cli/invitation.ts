/** An offer to pair, as it is shown: QR, link, connection string, what it allows, and how long it lives. */
import type { Device } from "@flybridge/protocol/device.ts";
import { isLoopback } from "@flybridge/protocol/loopback.ts";
import { type OfferMade, parseConnection } from "@flybridge/protocol/offer.ts";
import { deviceText } from "./device.ts";
import { plainLine, terminalQr } from "./qr.ts";
import type { Style } from "./terminal.ts";
import { SECOND_MS, span } from "./time.ts";

const INDENT = "  ";
/** For a command that does not wait for the device, and so cannot ask. */
export const DIGITS_HINT = "If the device then shows six digits, type them with flybridge confirm.";

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
    cautionText(offer, now),
    ...(isHereOnly(offer)
      ? [
          style.dim(
            "This host listens on this machine only. For a phone: flybridge up --bind 0.0.0.0, --origin https://… behind a proxy of yours, or from anywhere by a relay: flybridge remote add https://…",
          ),
        ]
      : []),
  ];
}

export function cautionText({ expires }: OfferMade, now: number): string {
  return `It pairs one device, once, in the next ${span(Math.ceil((expires - now) / SECOND_MS) * SECOND_MS)}. Whoever has it can pair: treat it like a password.`;
}

export function pairedText(device: Device): string {
  return `Paired: ${deviceText(device)}.`;
}

function isHereOnly({ connection }: OfferMade): boolean {
  const { addresses, relay } = parseConnection(connection);
  return relay === undefined && addresses.every(({ host }) => isLoopback(host));
}
