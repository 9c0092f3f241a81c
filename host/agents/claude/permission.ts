/**
 * Claude's suggestions for not being asked again, each as a choice of its own: sent back together they would also
 * switch the mode, so a person takes one of them or none.
 */
import type { Choice } from "@flybridge/protocol/ask.ts";
import { labelOf, wordsOf } from "../bounds.ts";
import { listAt, textAt, textsAt, type Json } from "../json.ts";

const ONCE: Choice = { choice: "once", label: "Allow once", scope: "once" };

/** What a suggestion's place means to a person. */
const PLACES: Record<string, { readonly where: string; readonly stored: string }> = {
  session: { where: "in this session", stored: "Forgotten when this session's process ends." },
  cliArg: { where: "in this session", stored: "Forgotten when this session's process ends." },
  localSettings: {
    where: "in this project",
    stored: "Stored for you alone in .claude/settings.local.json of this project.",
  },
  projectSettings: {
    where: "in this project",
    stored: "Stored for everyone who has this project, in .claude/settings.json.",
  },
  userSettings: { where: "in all projects", stored: "Stored for all your projects in ~/.claude/settings.json." },
};

const MODES: Record<string, string> = {
  acceptEdits: "Allow, and stop asking for edits",
  auto: "Allow, and let Claude decide what needs asking",
  plan: "Allow, and switch to planning",
  default: "Allow, and ask for each edit",
  dontAsk: "Allow, and refuse instead of asking from now on",
  bypassPermissions: "Allow, and never ask again for anything",
};

/** Suggestions keep their place in the list: `suggestionOf` finds them again by it. */
export function choicesOf(suggestions: readonly Json[]): Choice[] {
  return [ONCE, ...suggestions.map(choiceOf)];
}

export function suggestionOf(suggestions: readonly Json[], choice: string): Json | undefined {
  const place = /^suggestion-(\d+)$/u.exec(choice)?.[1];
  return place === undefined ? undefined : suggestions[Number(place)];
}

function choiceOf(suggestion: Json, place: number): Choice {
  const destination = textAt(suggestion, "destination") ?? "session";
  const { where, stored } = PLACES[destination] ?? { where: `in ${destination}`, stored: `Stored in ${destination}.` };
  const scope = where === "in this session" ? "session" : "always";
  const choice = (label: string, what: string): Choice => ({
    choice: `suggestion-${place}`,
    label: labelOf(label),
    detail: wordsOf(`${what} ${stored}`),
    scope,
  });
  switch (textAt(suggestion, "type")) {
    case "addRules": {
      const rules = listAt(suggestion, "rules").map(ruleOf);
      const behavior = textAt(suggestion, "behavior") ?? "allow";
      const listed = rules.map((rule) => `\`${rule}\``).join(", ");
      if (behavior !== "allow")
        return choice(`Allow, and from now on ${behavior} ${listed} ${where}`, `Adds to "${behavior}": ${listed}.`);
      return choice(`Allow ${listed} ${where}`, `Whatever matches ${listed} is no longer asked for.`);
    }
    case "setMode": {
      const mode = textAt(suggestion, "mode") ?? "";
      return choice(
        `${MODES[mode] ?? `Allow, and switch to the mode "${mode}"`} ${where}`,
        `Switches the permission mode to "${mode}".`,
      );
    }
    case "addDirectories": {
      const folders = textsAt(suggestion, "directories").join(", ");
      return choice(
        `Allow, and work in ${folders} too, ${where}`,
        `Claude may then use files in ${folders} as it does those of the workspace.`,
      );
    }
    default:
      return choice(`Allow, and change the permissions ${where}`, `Exactly this: ${JSON.stringify(suggestion)}.`);
  }
}

/** As Claude writes a rule: `Bash(npm test *)`, `WebFetch`. */
function ruleOf(rule: Json): string {
  const name = textAt(rule, "toolName") ?? "";
  const content = textAt(rule, "ruleContent");
  return content === undefined ? name : `${name}(${content})`;
}
