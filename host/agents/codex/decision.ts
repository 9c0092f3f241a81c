/** Codex's decisions as choices: each as it states it, with the rule it proposes spelled out. */
import type { Choice } from "@flybridge/protocol/ask.ts";
import { labelOf, wordsOf } from "../bounds.ts";
import { isObject, objectAt, textAt, textsAt, type Json } from "../json.ts";

/** What is offered where Codex does not say. */
const USUAL: readonly unknown[] = ["accept", "acceptForSession"];
/** Ways to say no have a place of their own: a person denies, or interrupts. */
const REFUSALS: ReadonlySet<unknown> = new Set(["decline", "cancel"]);

/** The ways to say yes, in Codex's order. Never empty. */
export function decisionsOf(params: Json): readonly unknown[] {
  const named = params["availableDecisions"];
  if (Array.isArray(named)) {
    const offered = named.filter((one) => !REFUSALS.has(one));
    return offered.length > 0 ? offered : ["accept"];
  }
  const rule = params["proposedExecpolicyAmendment"];
  return [
    ...USUAL,
    ...(Array.isArray(rule) ? [{ acceptWithExecpolicyAmendment: { execpolicy_amendment: rule } }] : []),
  ];
}

export function choicesOf(decisions: readonly unknown[], forSession: string): Choice[] {
  return decisions.map((decision, place) => ({ choice: keyOf(place), ...choiceOf(decision, forSession) }));
}

export function decisionFor(decisions: readonly unknown[], choice: string): unknown {
  return decisions.find((_, place) => keyOf(place) === choice);
}

function keyOf(place: number): string {
  return `decision-${place}`;
}

function choiceOf(decision: unknown, forSession: string): Omit<Choice, "choice"> {
  if (decision === "accept") return { label: "Allow once", scope: "once" };
  if (decision === "acceptForSession") {
    return { label: "Allow in this session", detail: wordsOf(forSession), scope: "session" };
  }
  if (isObject(decision)) {
    const rule = objectAt(decision, "acceptWithExecpolicyAmendment");
    if (rule) {
      const prefix = textsAt(rule, "execpolicy_amendment").map(shellWord).join(" ");
      return {
        label: labelOf(`Allow, and commands that start with \`${prefix}\` from now on`),
        detail: wordsOf(
          `Whatever starts with \`${prefix}\` runs without asking, outside the sandbox too, in every session. Stored in rules/default.rules of Codex's folder.`,
        ),
        scope: "always",
      };
    }
    const network = objectAt(objectAt(decision, "applyNetworkPolicyAmendment"), "network_policy_amendment");
    if (network) {
      const host = textAt(network, "host") ?? "this host";
      const allows = textAt(network, "action") === "allow";
      return {
        label: labelOf(allows ? `Allow, and ${host} from now on` : `Refuse, and ${host} from now on`),
        detail: wordsOf(
          `Commands ${allows ? "may" : "may not"} reach ${host}, without asking. Stored in Codex's rules.`,
        ),
        scope: "always",
      };
    }
  }
  return {
    label: labelOf(typeof decision === "string" ? decision : "Allow, as Codex proposes"),
    detail: wordsOf(`Exactly this: ${JSON.stringify(decision)}.`),
    scope: "always",
  };
}

/** A word as a person would type it. */
function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/u.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
