/** What agents say by the titles of their windows: whether they work, wait or rest, with a sign before the words. */

export interface Told {
  /** Without the sign. */
  readonly title: string;
  readonly state?: "idle" | "working" | "blocked" | "done" | "error";
  readonly app?: string;
}

/** Signs by which each is known, measured with the real programs. */
const SIGNS: readonly (readonly [RegExp, NonNullable<Told["state"]>, app?: string])[] = [
  // It shows the first also while it asks, so that says nothing.
  [/^✳ (?=.*Claude)/u, "idle", "claude-code"],
  [/^[◐◓◑◒] /u, "working", "claude-code"],
  [/^\[ ?[!.] ?\] Action Required(?: \| )?/u, "blocked", "codex"],
  [/^✋ +(?=Action Required)/u, "blocked", "gemini"],
  [/^◇ +(?=Ready)/u, "idle", "gemini"],
  [/^✦ +(?=Working)/u, "working", "gemini"],
  [/^[\u2800-\u28ff] ?/u, "working"],
];

export function toldBy(title: string): Told {
  for (const [sign, state, app] of SIGNS)
    if (sign.test(title))
      return { title: title.replace(sign, "").trim() || title, state, ...(app === undefined ? {} : { app }) };
  return { title };
}
