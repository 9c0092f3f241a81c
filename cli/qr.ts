/** A QR code for a terminal: two modules per character, in half blocks. */
import encodeQR from "qr";

/** Modules of white around the code; the standard asks for four (ISO/IEC 18004 §9.1), scanners of today need two. */
const QUIET_MODULES = 2;

/**
 * Lines of equal width. With `colours`, black on white by escape sequence, which reads on any background; without, the
 * light modules are what is drawn, which reads on a dark one. Medium error correction: glare and a cracked lens.
 */
export function terminalQr(text: string, colours: boolean): string[] {
  const dark = encodeQR(text, "raw", { ecc: "medium", border: QUIET_MODULES });
  const lines: string[] = [];
  for (let y = 0; y < dark.length; y += 2) {
    const upper = dark[y] ?? [];
    // Below the last row of an odd height there is nothing: light, like the border.
    const lower = dark[y + 1] ?? [];
    const line = upper.map((isDark, x) => block(isDark, lower[x] ?? false, colours)).join("");
    lines.push(colours ? `${BLACK_ON_WHITE}${line}${RESET}` : line);
  }
  return lines;
}

const BLACK_ON_WHITE = "\u001b[38;5;16;48;5;231m";
const RESET = "\u001b[0m";

/** The line without its escape sequences. */
export function plainLine(line: string): string {
  return line.replace(BLACK_ON_WHITE, "").replace(RESET, "");
}

/** Ink is the dark modules where we set the colours, and the light ones where the terminal's are unknown. */
function block(upperDark: boolean, lowerDark: boolean, colours: boolean): string {
  const upper = upperDark === colours;
  const lower = lowerDark === colours;
  if (upper) return lower ? "█" : "▀";
  return lower ? "▄" : " ";
}
