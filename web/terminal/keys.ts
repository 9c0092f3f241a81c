/** The keys that a phone's keyboard does not have, as a program reads them. */

export interface Held {
  readonly ctrl: boolean;
  readonly alt: boolean;
}

export type Arrow = "up" | "down" | "left" | "right";

const ARROWS: Record<Arrow, string> = { up: "A", down: "B", right: "C", left: "D" };

/** `application`: the program has asked for application cursor keys (DECCKM). */
export function arrowKey(arrow: Arrow, { ctrl, alt }: Held, application: boolean): string {
  const letter = ARROWS[arrow];
  const held = 1 + (alt ? 2 : 0) + (ctrl ? 4 : 0);
  if (held > 1) return `\u001b[1;${held}${letter}`;
  return application ? `\u001bO${letter}` : `\u001b[${letter}`;
}

/** One typed character with Ctrl or Alt held; whatever Ctrl makes nothing of stays as it is. */
export function heldKey(text: string, { ctrl, alt }: Held): string {
  const key = ctrl ? withCtrl(text) : text;
  return alt ? `\u001b${key}` : key;
}

function withCtrl(text: string): string {
  const code = text.toUpperCase().charCodeAt(0);
  if (text.length !== 1) return text;
  if (code >= 0x40 && code <= 0x5f) return String.fromCharCode(code & 0x1f);
  if (text === " ") return "\u0000";
  if (text === "?") return "\u007f";
  // As xterm has the digits: Ctrl 3 to 7 are ESC, FS, GS, RS and US.
  if (text >= "3" && text <= "7") return String.fromCharCode(text.charCodeAt(0) - 0x33 + 0x1b);
  if (text === "2") return "\u0000";
  if (text === "8") return "\u007f";
  return text;
}
