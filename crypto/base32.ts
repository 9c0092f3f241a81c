/**
 * Bytes that people read aloud and type: Crockford base32 in lower case, without i, l, o or u, where "O" or "l" typed for
 * "0" or "1" mean the same, and with a check digit after every few characters.
 */

const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";
/** Characters of something typed that are still read; separators included. */
const MAX_TYPED_CHARS = 256;

/** Five bits to a character; what is missing to the last one is zeros. */
export function base32(bytes: Uint8Array): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  return chunks(bits, 5)
    .map((five) => ALPHABET.charAt(Number.parseInt(five.padEnd(5, "0"), 2)))
    .join("");
}

/** Undefined when `text` is not what `base32` makes of so many bytes. */
export function fromBase32(text: string, bytes: number): Uint8Array | undefined {
  const bits = [...text].map((char) => ALPHABET.indexOf(char).toString(2).padStart(5, "0")).join("");
  const read = Uint8Array.from(chunks(bits, 8).slice(0, bytes), (eight) => Number.parseInt(eight, 2));
  return base32(read) === text && read.length === bytes ? read : undefined;
}

/** A check digit after every `size` characters, of which the text has a multiple. */
export function withCheckDigits(text: string, size: number): string {
  return chunks(text, size)
    .map((chunk) => chunk + checkDigit(chunk))
    .join("");
}

/** The text without them, from what someone typed, pasted or scanned; undefined when one of them is not right. */
export function typedWithCheckDigits(typed: string, size: number): string | undefined {
  if (typed.length > MAX_TYPED_CHARS) return undefined;
  const text = typed.toLowerCase().replaceAll(/[\s-]/g, "").replaceAll("o", "0").replaceAll(/[il]/g, "1");
  if ([...text].some((char) => !ALPHABET.includes(char))) return undefined;
  const checked = chunks(text, size + 1);
  if (checked.some((chunk) => chunk.length <= size || checkDigit(chunk.slice(0, -1)) !== chunk.at(-1)))
    return undefined;
  return checked.map((chunk) => chunk.slice(0, -1)).join("");
}

export function chunks(text: string, size: number): string[] {
  return Array.from({ length: Math.ceil(text.length / size) }, (_, at) => text.slice(at * size, (at + 1) * size));
}

/**
 * Luhn's sum in base 32 (every second value doubled, its two base-32 digits added): finds every wrong character, and
 * every swap of neighbours but that of the first and the last of the alphabet.
 */
function checkDigit(chunk: string): string {
  let sum = 0;
  for (const [at, char] of [...chunk].entries()) {
    const value = ALPHABET.indexOf(char) * (at % 2 === 0 ? 2 : 1);
    sum += Math.floor(value / 32) + (value % 32);
  }
  return ALPHABET.charAt((32 - (sum % 32)) % 32);
}
