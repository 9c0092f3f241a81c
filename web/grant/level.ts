/** How much of a session is shared, as a person chooses it. */
import { type Verb, WATCHING } from "@flybridge/protocol/grant.ts";
import { GRANT_MS } from "@flybridge/protocol/limits.ts";
import { t } from "../words.ts";

export interface Level {
  readonly verbs: readonly Verb[];
  readonly label: string;
  readonly detail: string;
}

/** From little to much. A guest passes on no more than it has. */
export function levelsOf(isTerminal: boolean, mayGive: (verb: Verb) => boolean): readonly Level[] {
  const watch: Level = {
    verbs: WATCHING,
    label: t("Watch"),
    detail: isTerminal
      ? t("Sees the screen, and what was on it.")
      : t("Sees all that was said and done, and goes on seeing."),
  };
  const answer: Level = {
    verbs: [...watch.verbs, "answer"],
    label: t("Watch and answer"),
    detail: t("Also answers what is asked: allows once or denies, never for longer."),
  };
  const most: Level = isTerminal
    ? {
        verbs: [...answer.verbs, "input"],
        label: t("Watch, answer and type"),
        detail: t("Whoever can type can run anything you can."),
      }
    : {
        verbs: [...answer.verbs, "prompt"],
        label: t("Watch, answer and send prompts"),
        detail: t("Also says what the agent should do, and stops a turn."),
      };
  return [watch, answer, most].filter(({ verbs }) => verbs.every(mayGive));
}

const HOUR_MS = 3_600_000;

export const LIVES: readonly { readonly ms: number; readonly label: () => string }[] = [
  { ms: HOUR_MS, label: () => t("1 hour") },
  { ms: GRANT_MS, label: () => t("8 hours") },
  { ms: 24 * HOUR_MS, label: () => t("1 day") },
  { ms: 7 * 24 * HOUR_MS, label: () => t("7 days") },
];
export const USUAL_LIFE_MS = GRANT_MS;
