import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ApprovalAsk } from "@flybridge/protocol/ask.ts";
import { opened } from "@flybridge/protocol/fold.ts";
import type { AgentName, AskId, DeviceId, SessionId } from "@flybridge/protocol/ids.ts";
import { MAX_INPUT_CHARS } from "@flybridge/protocol/limits.ts";
import { fingerprintOf, isRuled, ruleFrom, withRuleChoices } from "./rules.ts";

const BY = "d".repeat(43) as DeviceId;
const state = opened("01980000-0000-7000-8000-0000000000aa" as SessionId, 1, {
  kind: "session.opened",
  agent: "claude" as AgentName,
  workspace: "/home/ada/app",
  mode: "default",
  by: BY,
});
const ask: ApprovalAsk = {
  kind: "approval",
  ask: "a" as AskId,
  evidence: { tool: "deploy", kind: "other", server: "git", edits: [], input: '{"env":"prod"}' },
  choices: [{ choice: "once", label: "Allow once", scope: "once" }],
};
const withEvidence = (evidence: Partial<ApprovalAsk["evidence"]>): ApprovalAsk => ({
  ...ask,
  evidence: { ...ask.evidence, ...evidence },
});

describe("the fingerprint of a request", () => {
  it("[E48] differs with one changed byte of server, tool or input, and no name runs into the next", () => {
    const others = [
      withEvidence({ input: '{"env":"prod" }' }),
      withEvidence({ tool: "deploy2" }),
      withEvidence({ server: "git.hub" }),
      withEvidence({ server: "git-hub" }),
      withEvidence({ server: "gitdeploy", tool: "" }),
      withEvidence({ server: undefined, tool: "gitdeploy" } as never),
      withEvidence({ command: "" }),
      withEvidence({ directory: "/tmp" }),
    ].map((one) => fingerprintOf(state, one));
    assert.equal(new Set([...others, fingerprintOf(state, ask)]).size, others.length + 1);
  });

  it("differs by agent, workspace and mode, and by nothing that is only shown", () => {
    const first = fingerprintOf(state, ask);
    assert.notEqual(fingerprintOf({ ...state, agent: "codex" as AgentName }, ask), first);
    assert.notEqual(fingerprintOf({ ...state, workspace: "/home/ada/app2" }, ask), first);
    assert.notEqual(fingerprintOf({ ...state, mode: "plan" }, ask), first);
    const shown = { ...withEvidence({ purpose: "Ship it", reason: "new" }), from: "helper", ask: "b" as AskId };
    assert.equal(fingerprintOf({ ...state, title: "Another" }, shown), first);
  });
});

describe("the choice to make a rule", () => {
  it("is offered beside the agent's own", () => {
    const ruled = withRuleChoices(ask);
    assert.ok(ruled.kind === "approval");
    assert.deepEqual(
      ruled.choices.map(({ scope }) => scope),
      ["once", "session", "always"],
    );
  });

  it("[E48] is not offered for what has no tool, was cut, came by a lesser source, or cannot be allowed once", () => {
    const never = [
      withEvidence({ tool: " " }),
      withEvidence({ input: "x".repeat(MAX_INPUT_CHARS) }),
      { ...ask, source: "screen" as const },
      { ...ask, elsewhere: "There." },
      { ...ask, choices: [{ choice: "always", label: "Always", scope: "always" as const }] },
    ];
    for (const one of never) {
      assert.equal(isRuled(one), false);
      assert.equal(withRuleChoices(one), one);
    }
  });

  it("makes a rule that says what it allows, for a session or for all", () => {
    const rule = ruleFrom(state, ask, "always", BY);
    assert.deepEqual(rule, {
      fingerprint: fingerprintOf(state, ask),
      agent: "claude",
      tool: "deploy",
      server: "git",
      request: '{"env":"prod"}',
      workspace: "/home/ada/app",
      mode: "default",
      by: BY,
    });
    assert.equal(ruleFrom(state, ask, "session", BY).session, state.session);
  });
});
