/**
 * Text from agents, repositories and devices, made safe to look at. It is never changed where it is stored or acted
 * on: only where it is shown, so that what a person approves is what runs.
 */

/**
 * What has no glyph of its own, or turns the direction of its neighbours: controls, bidirectional controls (Unicode TR
 * 9), and every code point that a font may leave out (TR 44, Default_Ignorable: zero-width marks, fillers, variation
 * selectors, tag characters, which can carry whole hidden sentences).
 */
const INVISIBLE = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\p{Default_Ignorable_Code_Point}\ufff9-\ufffb]/gu;

/**
 * Each control, bidi and zero-width character as `⟨U+202E⟩`; tab and newline stay. What makes one picture of several
 * emoji, or a picture of a character, stays too.
 */
export function visible(text: string): string {
  return text.replace(INVISIBLE, (mark, at: number) => {
    if (mark === "\t" || mark === "\n") return mark;
    const before = text.slice(Math.max(0, at - 4), at);
    if (mark === "\u200d" && PICTURE_ENDS.test(before) && PICTURE_BEGINS.test(text.slice(at + 1, at + 3))) return mark;
    if ((mark === "\ufe0e" || mark === "\ufe0f") && EMOJI_ENDS.test(before)) return mark;
    return `⟨U+${mark.codePointAt(0)?.toString(16).toUpperCase().padStart(4, "0")}⟩`;
  });
}

const PICTURE_ENDS = /[\p{Extended_Pictographic}\p{Emoji_Modifier}]\ufe0f?$/u;
const PICTURE_BEGINS = /^\p{Extended_Pictographic}/u;
const EMOJI_ENDS = /\p{Emoji}$/u;

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
