/** Grants as words: what `--allow` understands, and what a grant that is there lets its device do. */
import { type Grant, type SessionGrant, type Verb, WATCHING } from "@flybridge/protocol/grant.ts";
import type { SessionId } from "@flybridge/protocol/ids.ts";
import type { Summary } from "@flybridge/protocol/session.ts";
import { shortened, visibleLine } from "@flybridge/protocol/text.ts";
import { usage } from "./fault.ts";
import { moment } from "./time.ts";

const TITLE_CHARS = 40;

export const SHARES: Readonly<Record<string, readonly Verb[]>> = {
  watch: WATCHING,
  answer: ["answer"],
  prompt: ["prompt"],
  type: ["input"],
  files: ["files"],
  share: ["share"],
};
export const SHARED_BY_DEFAULT = ["watch", "answer"] as const;

/** As they are said; what is not here goes without saying. */
const WORDS: Readonly<Partial<Record<Verb, string>>> = {
  read: "watch",
  answer: "answer",
  prompt: "give prompts",
  input: "type in the terminal",
  files: "find files",
  git: "use git",
  share: "pass it on",
};

/** Of words that may stand alone or with commas between them. Throws a usage fault that names those there are. */
export function verbsFrom(typed: readonly string[]): Verb[] {
  const words = typed.flatMap((one) => one.split(",")).map((word) => word.trim());
  const verbs = ["watch", ...words].flatMap((word) => {
    const share = Object.hasOwn(SHARES, word) ? SHARES[word] : undefined;
    if (!share)
      throw usage(`--allow ${visibleLine(word)} is nothing to allow. There is: ${Object.keys(SHARES).join(", ")}.`);
    return share;
  });
  return [...new Set(verbs)];
}

/** "watch and answer", "watch, answer and give prompts". */
export function verbsText(verbs: readonly Verb[]): string {
  const words = Object.entries(WORDS).flatMap(([verb, word]) => (verbs.includes(verb as Verb) ? [word] : []));
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}

export type TitleOf = (session: SessionId) => string;

export function titlesOf(sessions: readonly Pick<Summary, "session" | "title">[]): TitleOf {
  const titles = new Map(sessions.map(({ session, title }) => [session, title]));
  return (session) => shortened(visibleLine(titles.get(session) ?? session), TITLE_CHARS);
}

/** `everything`, or `watch and answer "Fix the test" until 13:10`. */
export function grantText(grant: Grant, titleOf: TitleOf, now: number): string {
  return grant.kind === "owner" ? "everything" : shareText(grant, titleOf(grant.session), now);
}

function shareText({ verbs, until }: SessionGrant, title: string, now: number): string {
  return `${verbsText(verbs)} "${title}" until ${moment(until, now)}`;
}
