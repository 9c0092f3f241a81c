/** OSC 52: what a program wants in the clipboard, waiting for a tap. What it wants out of the clipboard, it never gets. */

/** Characters of one copy; a program that wants more is not copying words. */
const MAX_COPY_CHARS = 1024 * 1024;

/** The text of `OSC 52 ; where ; base64`, or undefined for a query, a clearing, or what is no text. */
export function copyFrom(data: string): string | undefined {
  const at = data.indexOf(";");
  if (at < 0) return undefined;
  const encoded = data.slice(at + 1).replaceAll(/\s/gu, "");
  if (encoded === "" || encoded.length > Math.ceil(MAX_COPY_CHARS / 3) * 4) return undefined;
  if (!/^[A-Za-z0-9+/]+={0,2}$/u.test(encoded)) return undefined;
  try {
    const bytes = Uint8Array.from(atob(encoded), (char) => char.charCodeAt(0));
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return text === "" ? undefined : text;
  } catch {
    return undefined;
  }
}
