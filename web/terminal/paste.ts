/** What is pasted, made fit to be typed: as a terminal sends it, without anything that would act on its own. */

/** Lines, or characters, from which a paste is shown before it is typed. */
const ASK_LINES = 2;
const ASK_CHARS = 5_000;

export interface Paste {
  /** What is typed. */
  readonly typed: string;
  /** The same, to be looked at. */
  readonly text: string;
  readonly lines: number;
  /** Each line would be run as it arrives, or it is long: the person sees it first. */
  readonly ask: boolean;
  /** Control characters that were left out. */
  readonly dropped: number;
}

export function pasteFrom(text: string, bracketed: boolean): Paste {
  const lined = text.replaceAll(/\r\n?/gu, "\n");
  // Escape above all: a paste that ends the brackets itself would type what follows as if by hand.
  const clean = lined.replaceAll(/\p{Cc}/gu, (mark) => (mark === "\t" || mark === "\n" ? mark : ""));
  const lines = clean.replace(/\n$/u, "").split("\n").length;
  const typed = clean.replaceAll("\n", "\r");
  return {
    typed: bracketed ? `\u001b[200~${typed}\u001b[201~` : typed,
    text: clean,
    lines,
    ask: (!bracketed && (lines >= ASK_LINES || clean.includes("\n"))) || clean.length > ASK_CHARS,
    dropped: lined.length - clean.length,
  };
}
