/**
 * Whether a passphrase will do, as far as can be said without a list of all that were ever lost: what everybody would try
 * first is refused, and of the rest it is told roughly how good it is.
 */

export const MIN_PASSPHRASE_CHARS = 10;
/** More is no passphrase any more. */
const MAX_PASSPHRASE_CHARS = 1_000;
/** Characters that differ from each other, at least, and that are left when the e-mail is taken out. */
const MIN_DIFFERENT = 5;
const MIN_BESIDE_EMAIL = 8;
/** Characters of a part of an e-mail that somebody's passphrase does not have by chance. */
const TELLING_CHARS = 4;
/** Characters, without those that only go on as the ones before: from so many it is fair, and good. */
const FAIR_CHARS = 14;
const GOOD_CHARS = 20;

/** What is refused also with digits and signs before and after, and in any case. */
const NOTORIOUS = [
  "password",
  "passwort",
  "motdepasse",
  "passphrase",
  "mypassphrase",
  "secret",
  "topsecret",
  "letmein",
  "letmeinplease",
  "iloveyou",
  "welcome",
  "changeme",
  "trustno",
  "administrator",
  "admin",
  "football",
  "baseball",
  "sunshine",
  "princess",
  "superman",
  "starwars",
  "flybridge",
  "correcthorsebatterystaple",
] as const;
/** Runs along which fingers go by themselves. */
const ROWS = [
  "abcdefghijklmnopqrstuvwxyz",
  "01234567890",
  "qwertyuiop",
  "qwertzuiop",
  "azertyuiop",
  "asdfghjkl",
  "zxcvbnm",
  "yxcvbnm",
  "1qaz2wsx3edc4rfv5tgb6yhn",
];

export type Weakness = "too_short" | "too_long" | "repeated" | "email" | "notorious";

export interface Strength {
  /** Why it will not do. */
  readonly weakness?: Weakness;
  readonly level: "weak" | "fair" | "good";
  /** For the person who types it. */
  readonly message: string;
}

const MESSAGES: Record<Weakness | "weak" | "fair" | "good", string> = {
  too_short: `At least ${MIN_PASSPHRASE_CHARS} characters. A few words that have nothing to do with each other are easy to keep in mind.`,
  too_long: `At most ${MAX_PASSPHRASE_CHARS} characters.`,
  repeated:
    "This is one thing over and over, or a row of keys. Take a few words that have nothing to do with each other.",
  email: "This is little more than the e-mail. Take a few words that have nothing to do with it.",
  notorious: "This is among the first that anybody tries. Take a few words that have nothing to do with each other.",
  weak: "This will do. A word or two more make it much harder to guess.",
  fair: "Fair. Another word makes it good.",
  good: "Good.",
};

export function strengthOf(passphrase: string, email: string): Strength {
  const text = passphrase.normalize("NFKC");
  const weakness = weaknessOf(text, email.trim().toLowerCase());
  if (weakness) return { weakness, level: "weak", message: MESSAGES[weakness] };
  const length = freshChars(text.toLowerCase()) + (kindsOf(text) > 2 ? 2 : 0);
  const level = length >= GOOD_CHARS ? "good" : length >= FAIR_CHARS ? "fair" : "weak";
  return { level, message: MESSAGES[level] };
}

function weaknessOf(text: string, email: string): Weakness | undefined {
  const chars = [...text];
  if (chars.length < MIN_PASSPHRASE_CHARS) return "too_short";
  if (chars.length > MAX_PASSPHRASE_CHARS) return "too_long";
  const lower = text.toLowerCase();
  const bare = lower.replaceAll(/[^\p{L}]/gu, "");
  if (NOTORIOUS.some((one) => one === bare)) return "notorious";
  // What is left without the parts of the e-mail, longest first.
  const parts = [email, ...email.split("@"), ...email.split(/[@.+_-]/u)].filter((part) => part.length >= TELLING_CHARS);
  const beside = parts.reduce((rest, part) => rest.replaceAll(part, ""), lower);
  if (beside.length < lower.length && [...beside].length < MIN_BESIDE_EMAIL) return "email";
  if (new Set(lower).size < MIN_DIFFERENT || freshChars(lower) < MIN_DIFFERENT) return "repeated";
  return unrepeated(lower) !== lower && freshChars(lower) < MIN_PASSPHRASE_CHARS ? "repeated" : undefined;
}

/** Characters that do not merely go on: not as the one before, nor along a row of keys, nor as what came just before again. */
function freshChars(text: string): number {
  const chars = [...unrepeated(text)];
  return chars.filter((char, at) => at === 0 || !goesOn(chars[at - 1] ?? "", char)).length;
}

function goesOn(before: string, char: string): boolean {
  if (before === char) return true;
  return ROWS.some((row) => row.includes(before + char) || row.includes(char + before));
}

/** `abcabcab` is `abc`. */
function unrepeated(text: string): string {
  for (let size = 1; size <= text.length / 2; size += 1) {
    const unit = text.slice(0, size);
    if (unit.repeat(Math.ceil(text.length / size)).startsWith(text)) return unit;
  }
  return text;
}

/** Small letters, capitals, digits, the rest. */
function kindsOf(text: string): number {
  return [/\p{Ll}/u, /\p{Lu}/u, /\p{N}/u, /[^\p{L}\p{N}]/u].filter((kind) => kind.test(text)).length;
}
