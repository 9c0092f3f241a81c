/** Standing rules: what is answered without asking, and its end. */
import type { RuleShelf } from "../core/ports.ts";
import type { Intents, Queries } from "../doors/desk.ts";

export function ruleQueries(rules: RuleShelf): Pick<Queries, "rule.list"> {
  return { "rule.list": () => ({ rules: [...rules.list()] }) };
}

export function ruleIntents(rules: RuleShelf): Pick<Intents, "rule.revoke"> {
  return {
    "rule.revoke": ({ rule }) => {
      rules.revoke(rule);
      return {};
    },
  };
}
