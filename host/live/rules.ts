/** Standing rules as a session uses them: which asks offer to make one, and what exactly one allows. */
import { createHash } from "node:crypto";
import type { ApprovalAsk, Ask, Settlement } from "@flybridge/protocol/ask.ts";
import type { Fact } from "@flybridge/protocol/entry.ts";
import type { DeviceId } from "@flybridge/protocol/ids.ts";
import { MAX_INPUT_CHARS, MAX_OPTIONS } from "@flybridge/protocol/limits.ts";
import { RULE_OFFERS } from "@flybridge/protocol/rule.ts";
import type { SessionState } from "@flybridge/protocol/session.ts";
import type { NewRule, RuleShelf } from "../core/ports.ts";

/** An ask as it is journaled: an approval that a rule could answer offers to make one. */
export function withRuleChoices(ask: Ask): Ask {
  if (!isRuled(ask)) return ask;
  return { ...ask, choices: [...ask.choices, ...RULE_OFFERS] };
}

/** Asks with the choice to make a rule of the answer; those that a rule answers are settled at once. */
export function ruled(facts: readonly Fact[], state: SessionState, rules: RuleShelf): Fact[] {
  return facts.flatMap((fact): Fact[] => {
    if (fact.kind !== "ask.opened" || !isRuled(fact.ask)) return [fact];
    const opened: Fact = { ...fact, ask: withRuleChoices(fact.ask) };
    const { ask, choices } = fact.ask;
    const rule = rules.use(fingerprintOf(state, fact.ask), state.session);
    const once = choices.find(({ scope }) => scope === "once");
    if (rule === undefined || once === undefined) return [opened];
    const settlement: Settlement = {
      kind: "ruled",
      answer: { kind: "allow", choice: once.choice },
      rule: rule.rule,
      by: rule.by,
    };
    return [opened, { kind: "ask.settled", ask, settlement }];
  });
}

/** The rule that an answer makes. */
export function ruleFrom(state: SessionState, ask: ApprovalAsk, scope: "session" | "always", by: DeviceId): NewRule {
  const { tool, server, command, path, url, input } = ask.evidence;
  return {
    fingerprint: fingerprintOf(state, ask),
    ...(scope === "session" ? { session: state.session } : {}),
    agent: state.agent,
    tool,
    ...(server === undefined ? {} : { server }),
    request: command ?? path ?? url ?? input,
    workspace: state.workspace,
    ...(state.mode === undefined ? {} : { mode: state.mode }),
    by,
  };
}

/**
 * SHA-256, in hex, over the request in its canonical form: whatever differs by one byte is another request. The form is
 * a JSON array of strings, so that no name can run into the next; what is absent is not the empty string.
 */
export function fingerprintOf(state: SessionState, { evidence }: ApprovalAsk): string {
  const { tool, server, input, directory, command } = evidence;
  const request = JSON.stringify([
    state.agent,
    server ?? null,
    tool,
    command ?? null,
    directory ?? null,
    input,
    state.workspace,
    state.mode ?? null,
  ]);
  return createHash("sha256").update(request).digest("hex");
}

/** Only what is told over the agent's own protocol, whole, by a tool that has a name, and that can be allowed once. */
export function isRuled(ask: Ask): ask is ApprovalAsk {
  return (
    ask.kind === "approval" &&
    ask.source === undefined &&
    ask.elsewhere === undefined &&
    ask.evidence.tool.trim() !== "" &&
    // What was cut cannot be told apart from its like.
    ask.evidence.input.length < MAX_INPUT_CHARS / 2 &&
    ask.choices.length + RULE_OFFERS.length <= MAX_OPTIONS &&
    ask.choices.some(({ scope }) => scope === "once")
  );
}
