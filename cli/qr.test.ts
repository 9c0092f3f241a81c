import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { formatConnection, formatLink } from "@flybridge/protocol/offer.ts";
import decodeQR from "qr/decode.js";
import { plainLine, terminalQr } from "./qr.ts";

const SCALE = 4;

/** What a camera sees of the lines: `ink` is drawn dark or light, the rest is the other. */
function photographed(
  lines: readonly string[],
  inkIsDark: boolean,
): { width: number; height: number; data: Uint8Array } {
  const plain = lines.map((line) => plainLine(line));
  const columns = plain[0]?.length ?? 0;
  const width = columns * SCALE;
  const height = plain.length * 2 * SCALE;
  const data = new Uint8Array(width * height * 4);
  for (let y = 0; y < height; y++) {
    const row = Math.floor(y / SCALE);
    for (let x = 0; x < width; x++) {
      const character = plain[row >> 1]?.[Math.floor(x / SCALE)] ?? " ";
      const inked = character === "█" || character === (row % 2 === 0 ? "▀" : "▄");
      data.fill(inked === inkIsDark ? 0 : 255, (y * width + x) * 4, (y * width + x) * 4 + 3);
      data[(y * width + x) * 4 + 3] = 255;
    }
  }
  return { width, height, data };
}

const connection = {
  addresses: [{ host: "studio.tail1234.ts.net", port: 443 }] as const,
  offer: new Uint8Array(8).fill(7),
  secret: Uint8Array.from({ length: 32 }, (_, at) => at * 7),
  hostKey: Uint8Array.from({ length: 32 }, (_, at) => 255 - at),
  name: "Work laptop",
};

describe("a QR in a terminal", () => {
  const link = formatLink("https://studio.tail1234.ts.net", connection);

  it("decodes back to the link, on a terminal of any colours", () => {
    assert.equal(decodeQR(photographed(terminalQr(link, true), true)), link);
  });

  it("decodes back to the link without escape sequences, on a dark terminal", () => {
    const lines = terminalQr(link, false);
    assert.ok(lines.every((line) => /^[█▀▄ ]+$/u.test(line)));
    assert.equal(decodeQR(photographed(lines, false)), link);
  });

  it("fits 80 columns and is as wide in each line", () => {
    for (const text of [link, formatConnection(connection), "x".repeat(271)]) {
      const widths = new Set(terminalQr(text, false).map((line) => line.length));
      assert.equal(widths.size, 1);
      assert.ok(Math.max(...widths) <= 80, `${[...widths].join()} columns for ${text.length} characters`);
    }
  });
});
