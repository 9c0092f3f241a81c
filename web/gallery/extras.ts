/** What goes with a prompt, rules, and asks that are noticed, secret or answered elsewhere: for the gallery. */
import type { Row, SessionView } from "@flybridge/client/view.ts";
import type { AgentCommand, AgentSetting } from "@flybridge/protocol/agent.ts";
import type { ApprovalAsk, QuestionAsk } from "@flybridge/protocol/ask.ts";
import type { AgentName, AskId, DeviceId } from "@flybridge/protocol/ids.ts";
import { RULE_OFFERS, type Rule, type RuleId } from "@flybridge/protocol/rule.ts";
import { APPROVAL, MCP_ASK, MINUTE, OTHER_DEVICE, prompt, SELF, sessionId, words } from "./data.ts";

const NOW = Date.now();
const SHOP = "/home/ada/work/harbour-shop";

/** 3 by 2 pixels, of the colours of a signal. */
export const PICTURE =
  "iVBORw0KGgoAAAANSUhEUgAAAAMAAAACCAIAAAASFvFNAAAAFElEQVR4nGNouDUBghgYGBiQKQBnlwZ5XkZSUAAAAABJRU5ErkJggg==";
const NOTES = btoa("# Notes\n\nThe total is wrong when the cart has bread in it.\n");

/** By hash. */
export const CONTENTS: Record<string, string> = { ["1".repeat(64)]: PICTURE, ["2".repeat(64)]: NOTES };

export const COMMANDS: AgentCommand[] = [
  { name: "compact", detail: "<instructions> · Summarize the conversation and go on from there" },
  { name: "code-review", detail: "Review the changes of this branch" },
  { name: "commit", detail: "Write a commit of what is staged" },
  { name: "context", detail: "What fills the context window" },
  { name: "init", detail: "Describe this project in CLAUDE.md" },
  { name: "review-pull-request-with-a-very-long-name", detail: "A long detail ".repeat(12) },
];

export const SETTINGS: AgentSetting[] = [
  {
    setting: "thought",
    label: "Thinking",
    detail: "How long it thinks before it answers",
    value: "medium",
    options: ["low", "medium", "high"].map((value) => ({ value, label: value })),
  },
];

export const PATHS = [
  "README.md",
  "docs/",
  "src/checkout/totals.ts",
  "src/checkout/totals.test.ts",
  "src/checkout/tax rounding.ts",
  `packages/${"a-folder-of-many-words/".repeat(8)}totals.ts`,
  "evil\u202Egpj.ts",
  "مشروع/مجموع.ts",
];

export const ATTACHED: Row[] = [
  prompt("The total on this screen is wrong. My notes are there too.", {
    attachments: [
      { name: "Screenshot 14.02.png", type: "image/png", size: 182_331, hash: "1".repeat(64) },
      { name: "notes.md", type: "text/markdown", size: 64, hash: "2".repeat(64) },
      {
        name: `a-report-${"with-a-very-long-name-".repeat(6)}.pdf`,
        type: "application/pdf",
        size: 2_400_000,
        hash: "3".repeat(64),
      },
    ],
  }),
  words("The screenshot shows gross and net swapped. I look at `totals.ts`."),
  {
    kind: "ask",
    key: "ruled",
    at: NOW - MINUTE,
    ask: { ...APPROVAL, ask: "ruled" as AskId },
    dismissed: false,
    settlement: {
      kind: "ruled",
      answer: { kind: "allow", choice: "once" },
      rule: "0123456789abcdef" as RuleId,
      by: OTHER_DEVICE,
    },
    settledAt: NOW - MINUTE,
  },
  {
    kind: "ask",
    key: "made a rule",
    at: NOW - MINUTE,
    ask: { ...APPROVAL, ask: "made" as AskId },
    dismissed: false,
    settlement: { kind: "answered", answer: { kind: "allow", choice: "once" }, by: SELF, rule: "always" },
    settledAt: NOW - MINUTE,
  },
];

export const RULED_ASK: ApprovalAsk = { ...APPROVAL, choices: [...APPROVAL.choices, ...RULE_OFFERS] };
export const RULED_MCP_ASK: ApprovalAsk = { ...MCP_ASK, choices: [...MCP_ASK.choices.slice(0, 1), ...RULE_OFFERS] };

export const SECRET: QuestionAsk = {
  ask: "ask-secret" as AskId,
  kind: "question",
  source: "screen",
  questions: [
    { question: "q1", header: "sudo", text: "[sudo] password for ada:", options: [], many: false, secret: true },
  ],
};
export const ON_SCREEN: QuestionAsk = {
  ask: "ask-screen" as AskId,
  kind: "question",
  source: "screen",
  questions: [
    {
      question: "q1",
      header: "apt",
      text: "Do you want to continue? [Y/n]",
      options: [{ label: "Yes" }, { label: "No" }],
      many: false,
      secret: false,
    },
  ],
};
export const ELSEWHERE: ApprovalAsk = {
  ...APPROVAL,
  ask: "ask-elsewhere" as AskId,
  source: "hook",
  elsewhere: 'Answer it where it was started: in the terminal pts/4 on studio, in tmux session "work".',
};

export const RULES: Rule[] = [
  {
    rule: "0123456789abcdef" as RuleId,
    fingerprint: "a".repeat(64),
    agent: "claude" as AgentName,
    tool: "Bash",
    request: "npm test -- --run src/checkout && npx c8 report --reporter=lcov > coverage/lcov.info",
    workspace: SHOP,
    mode: "default",
    by: OTHER_DEVICE,
    made: NOW - 3 * 24 * 60 * MINUTE,
    used: 14,
    last: NOW - 12 * MINUTE,
  },
  {
    rule: "1123456789abcdef" as RuleId,
    fingerprint: "b".repeat(64),
    session: sessionId(1),
    agent: "claude" as AgentName,
    tool: "mcp__git_hub__merge_pull_request",
    server: "git.hub",
    request: JSON.stringify({ owner: "harbour", repo: "shop", pull: 118, method: "squash" }, null, 2),
    workspace: `/home/ada/work/${"a-folder-of-many-words-".repeat(5)}`,
    by: SELF,
    made: NOW - 5 * MINUTE,
    used: 0,
  },
  {
    rule: "2123456789abcdef" as RuleId,
    fingerprint: "c".repeat(64),
    agent: "claude" as AgentName,
    tool: "Write\u202Eevil",
    request: `${SHOP}/src/${"very/".repeat(60)}deep.ts`,
    workspace: SHOP,
    by: "z".repeat(43) as DeviceId,
    made: NOW - 90 * 24 * 60 * MINUTE,
    used: 1,
    last: NOW - 2 * 24 * 60 * MINUTE,
  },
];

/** As a session's view has it: what the running agent offers. */
export function offering(view: SessionView): SessionView {
  if (view.state) Object.assign(view.state, { commands: COMMANDS, settings: SETTINGS });
  return view;
}
