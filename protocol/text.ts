/**
 * Text from agents, repositories and devices, made safe to look at. It is never changed where it is stored or acted
 * on: only where it is shown, so that what a person approves is what runs.
 */

// Bidirectional controls (Unicode TR 9), zero-width and other invisible marks that can make text read as what it is not.
const INVISIBLE =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]/gu;

/** Each control, bidi and zero-width character as `⟨U+202E⟩`; tab and newline stay. Zero-width joiners inside emoji stay too. */
export function visible(text: string): string {
  return text.replace(INVISIBLE, (mark, at: number) => {
    if (mark === "\u200d" && isPictographBefore(text, at)) return mark;
    return `⟨U+${mark.codePointAt(0)?.toString(16).toUpperCase().padStart(4, "0")}⟩`;
  });
}

/** `visible`, on one line: for titles, names and list rows. */
export function visibleLine(text: string): string {
  return visible(text.replaceAll(/\s+/gu, " ").trim());
}

/** At most `limit` characters, never half a surrogate pair, with an ellipsis when cut. */
export function shortened(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const cut = text.slice(0, Math.max(0, limit - 1));
  return `${/[\ud800-\udbff]$/u.test(cut) ? cut.slice(0, -1) : cut}…`;
}

function isPictographBefore(text: string, at: number): boolean {
  return /[\p{Extended_Pictographic}\ufe0f\u{1f3fb}-\u{1f3ff}]$/u.test(
    text.slice(Math.max(0, at - 4), at),
  );
}
