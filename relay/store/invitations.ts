/** Invitations: words that a person was given to register a host or an account, once. Of each only a hash is kept. */
import { createHash, randomBytes } from "node:crypto";
import type { Queries } from "./database.ts";

/** Crockford's base 32, as in host ids: nothing in it looks like anything else. Each character is 5 bits of chance. */
const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";
const CODE_CHARS = 16;
const GROUP_CHARS = 4;

/** What it lets its holder register. */
export type Invited = "host" | "account";

export interface Invitations {
  /** The code, `abcd-efgh-jkmn-pqrs`: it is not to be had again. */
  make(whom: Invited | "either", expires: number): Promise<string>;
  /** Uses it up: true for one caller only, however many come at once. False when it is none, used, late, or for something else. */
  take(code: string, whom: Invited, now: number): Promise<boolean>;
  sweep(now: number): Promise<void>;
}

export function invitationsIn(queries: Queries): Invitations {
  return {
    async make(whom, expires) {
      const code = codeFrom(randomBytes(CODE_CHARS));
      await queries.query("INSERT INTO invitation (hash, whom, expires) VALUES (?, ?, ?)", hashOf(code), whom, expires);
      return code;
    },
    async take(code, whom, now) {
      const taken = await queries.query(
        "DELETE FROM invitation WHERE hash = ? AND expires > ? AND (whom = ? OR whom = 'either') RETURNING hash",
        hashOf(code),
        now,
        whom,
      );
      return taken.length > 0;
    },
    async sweep(now) {
      await queries.query("DELETE FROM invitation WHERE expires <= ?", now);
    },
  };
}

function codeFrom(bytes: Uint8Array): string {
  const characters = Array.from(bytes, (byte) => ALPHABET.charAt(byte & 31)).join("");
  return characters.replaceAll(new RegExp(`.{${GROUP_CHARS}}(?=.)`, "gu"), "$&-");
}

/** Of the code as it was typed: case, spaces and dashes do not matter, and "O" or "l" for "0" or "1" mean the same. */
function hashOf(code: string): string {
  const plain = code.toLowerCase().replaceAll(/[\s-]/gu, "").replaceAll("o", "0").replaceAll(/[il]/gu, "1");
  return createHash("sha256").update(plain).digest("base64url");
}
