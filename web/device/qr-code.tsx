/** A QR code as one path, always dark on light: readers want it so. */
import encodeQR from "qr";
import { createMemo } from "solid-js";
import { t } from "../words.ts";

/** Light modules around the code (ISO/IEC 18004 asks for four). */
const BORDER_MODULES = 4;

export function QrCode(props: { text: string }) {
  const rows = createMemo(() => encodeQR(props.text, "raw", { ecc: "medium", border: BORDER_MODULES }));
  const path = (): string =>
    rows()
      .flatMap((row, y) => row.map((dark, x) => (dark ? `M${x} ${y}h1v1h-1z` : "")))
      .join("");
  return (
    <svg
      class="qr"
      viewBox={`0 0 ${rows().length} ${rows().length}`}
      role="img"
      aria-label={t("QR code of the link")}
      shape-rendering="crispEdges"
    >
      <path class="qr-light" d={`M0 0h${rows().length}v${rows().length}H0z`} />
      <path class="qr-dark" d={path()} />
    </svg>
  );
}
