/** What the gallery shows: hosts, devices, agents, asks and items of every kind, short and long, tame and hostile. */
import type { KnownHost } from "@flybridge/client/replica.ts";
import type { Row, SessionView } from "@flybridge/client/view.ts";
import type { AgentInfo } from "@flybridge/protocol/agent.ts";
import type { ApprovalAsk, Ask, PlanAsk, QuestionAsk } from "@flybridge/protocol/ask.ts";
import type { Device } from "@flybridge/protocol/device.ts";
import type { AgentName, AskId, DeviceId, HostId, ItemId, SessionId } from "@flybridge/protocol/ids.ts";
import type { Edit, ToolItem } from "@flybridge/protocol/item.ts";
import type { SessionState } from "@flybridge/protocol/session.ts";
import type { Folder } from "@flybridge/protocol/workspace.ts";

const NOW = Date.now();
export const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
export const SELF = "a".repeat(43) as DeviceId;
export const OTHER_DEVICE = "b".repeat(43) as DeviceId;
export const HOST = "studio7q4n2m8x5c1v9b3k6j0h" as HostId;
export const CLAUDE = "claude" as AgentName;
const SHOP = "/home/ada/work/harbour-shop";
const LONG_BRANCH = `feature/${"very-long-branch-name-that-nobody-would-type-but-somebody-did-".repeat(5)}`.slice(
  0,
  300,
);

export const KNOWN: KnownHost = {
  host: HOST,
  name: "studio",
  addresses: ["wss://studio.local:7683"],
  hostKey: "x".repeat(43),
  device: SELF,
  paired: NOW - 30 * 24 * HOUR,
};

export const PAIRED: Record<DeviceId, Device> = Object.fromEntries(
  (
    [
      [SELF, "Ada's phone", "phone", true, NOW],
      [OTHER_DEVICE, "Chrome on Linux", "desktop", true, NOW],
      ["c".repeat(43), "studio shell", "cli", false, NOW - 3 * HOUR],
      [
        "d".repeat(43),
        "iPad in the kitchen, with a name that goes on for rather longer than anybody needs it to",
        "tablet",
        false,
        NOW - 9 * 24 * HOUR,
      ],
    ] as const
  ).map(([device, name, kind, connected, seen]) => [
    device,
    {
      device: device as DeviceId,
      name,
      kind,
      connected,
      seen,
      grant: { kind: "owner" as const },
      paired: NOW - 30 * 24 * HOUR,
    },
  ]),
);

export const AGENTS: AgentInfo[] = [
  {
    agent: CLAUDE,
    title: "Claude Code",
    version: "2.1.4",
    remembers: true,
    models: [
      { value: "default", label: "Default" },
      { value: "opus", label: "Opus" },
      { value: "sonnet", label: "Sonnet" },
    ],
    modes: [
      { value: "default", label: "Ask before edits" },
      { value: "acceptEdits", label: "Edit without asking" },
      { value: "plan", label: "Plan first" },
    ],
    attaches: "files",
  },
  { agent: "demo" as AgentName, title: "Demo agent", version: "0.1.0", models: [], modes: [] },
  { agent: "terminal" as AgentName, title: "Terminal", models: [], modes: [], terminal: true },
  {
    agent: "codex" as AgentName,
    title: "Codex",
    models: [],
    modes: [],
    problem: {
      code: "not_signed_in",
      message: "Codex is installed but not signed in, so it cannot start. Run codex login on studio, then come back.",
    },
  },
];

export const FOLDERS: Folder[] = [
  { path: SHOP, name: "harbour-shop", branch: "checkout-totals" },
  { path: "/home/ada/work/tide-tables", name: "tide-tables", branch: LONG_BRANCH },
  { path: "/home/ada/notes", name: "notes" },
  { path: "/home/ada/work/مشروع-الميناء", name: "مشروع-الميناء", branch: "main" },
];

const DIFF: Edit = {
  path: "src/checkout/totals.ts",
  diff: `@@ -12,9 +12,14 @@ export function totalOf(cart: Cart): Money {
 export function totalOf(cart: Cart, rates: Rates): Money {
-  let sum = 0;
-  for (const line of cart.lines) sum += line.price * line.count;
-  return sum + sum * 0.19;
+  const net = cart.lines.reduce((sum, line) => sum + line.price * line.count, 0);
+  const tax = cart.lines.reduce((sum, line) => {
+    const rate = rates[line.category] ?? rates.standard;
+    return sum + Math.round(line.price * line.count * rate);
+  }, 0);
+  return { net, tax, gross: net + tax };
 }
 
 export function formatted(money: Money, locale: string): string {
`,
  added: 6,
  removed: 3,
};
const DIFF_TEST: Edit = {
  path: "src/checkout/totals.test.ts",
  diff: `@@ -1,4 +1,9 @@
 import { totalOf } from "./totals.ts";
+
+it("taxes food at the reduced rate", () => {
+  assert.deepEqual(totalOf(cartOf("bread", 2), RATES), { net: 500, tax: 35, gross: 535 });
+});
`,
  added: 5,
  removed: 0,
};

let count = 0;
const id = (): string => `i${++count}`;
export const sessionId = (n: number): SessionId =>
  `01900000-0000-7000-8000-${String(n).padStart(12, "0")}` as SessionId;
const ago = (minutes: number): number => NOW - minutes * MINUTE;

export const APPROVAL: ApprovalAsk = {
  ask: "ask-approval" as AskId,
  kind: "approval",
  evidence: {
    tool: "Bash",
    kind: "command",
    purpose: "Run the checkout tests and write the coverage report",
    command: "npm test -- --run src/checkout && npx c8 report --reporter=lcov > coverage/lcov.info",
    directory: SHOP,
    edits: [],
    input: JSON.stringify({
      command: "npm test -- --run src/checkout && npx c8 report --reporter=lcov > coverage/lcov.info",
      description: "Run the checkout tests",
    }),
  },
  choices: [
    { choice: "once", label: "Allow once", scope: "once" },
    {
      choice: "rule:0",
      label: "Allow npm test",
      detail: "Every command that begins with npm test, in this session.",
      scope: "session",
    },
    {
      choice: "always",
      label: "Always allow npm test",
      detail:
        "Every command that begins with npm test, in every session in harbour-shop. Kept in .claude/settings.local.json.",
      scope: "always",
    },
  ],
};
export const DANGER: ApprovalAsk = {
  ask: "ask-danger" as AskId,
  kind: "approval",
  evidence: {
    tool: "Bash",
    kind: "command",
    purpose: "Clean the build and fetch the new schema",
    command:
      "rm -rf dist ../shared-cache && curl -fsSL https://schemas.example.com/v4.json > src/schema.json && sudo systemctl restart harbour",
    directory: SHOP,
    edits: [],
    reason: "The command is not covered by a rule.",
    input: '{"command":"rm -rf dist …"}',
  },
  choices: [{ choice: "once", label: "Allow once", scope: "once" }],
};
export const EDIT_ASK: ApprovalAsk = {
  ask: "ask-edit" as AskId,
  kind: "approval",
  evidence: {
    tool: "Edit",
    kind: "edit",
    path: "src/checkout/totals.ts",
    edits: [DIFF, DIFF_TEST],
    input: '{"file_path":"src/checkout/totals.ts"}',
  },
  choices: [
    { choice: "once", label: "Allow once", scope: "once" },
    { choice: "session", label: "Allow all edits in this session", scope: "session" },
  ],
};
export const MCP_ASK: ApprovalAsk = {
  ask: "ask-mcp" as AskId,
  kind: "approval",
  from: "release-helper",
  evidence: {
    tool: "mcp__deploy__rollout",
    kind: "other",
    server: "deploy (https://deploy.example.com/mcp)",
    edits: [],
    input: '{"environment":"staging","revision":"7c2f19e","percent":10,"wait":true}',
  },
  choices: [{ choice: "once", label: "Allow once", scope: "once" }],
};
export const QUESTION: QuestionAsk = {
  ask: "ask-question" as AskId,
  kind: "question",
  questions: [
    {
      question: "q1",
      header: "Rounding",
      text: "Tax per line or once over the sum? They differ by a cent on about one order in forty.",
      options: [
        { label: "Per line", detail: "What the invoices have shown so far; matches the accounting export." },
        { label: "Over the sum", detail: "Simpler, and what most shops do." },
      ],
      many: false,
      secret: false,
    },
    {
      question: "q2",
      header: "Places to change",
      text: "Where should the new totals be used?",
      options: [
        { label: "Cart page" },
        { label: "Checkout" },
        { label: "Invoice PDF", detail: "Needs the template to be regenerated." },
        { label: "Admin list" },
      ],
      many: true,
      secret: false,
    },
  ],
};
export const PLAN: PlanAsk = {
  ask: "ask-plan" as AskId,
  kind: "plan",
  plan: `# Reduced tax rates in the checkout

1. **Rates table.** Add \`rates.ts\` with the categories *food*, *books* and *standard*, read from the config at start.
2. **Totals.** \`totalOf\` takes the rates and returns net, tax and gross; every caller gets the new shape.
3. **Migration.** Old carts have no category: treat them as *standard* and log it once.

| step | files | risk |
|---|---|---|
| rates | 2 | low |
| totals | 7 | medium: rounding |
| migration | 1 | low |

Tests first for the rounding; the invoice template stays as it is.`,
  choices: [
    { choice: "start", label: "Approve and start", scope: "once" },
    {
      choice: "ask",
      label: "Approve and ask for each edit",
      detail: "The agent starts, and asks before it changes a file.",
      scope: "once",
    },
  ],
};
export const LONG_ASK: ApprovalAsk = {
  ...APPROVAL,
  ask: "ask-long" as AskId,
  evidence: {
    ...APPROVAL.evidence,
    purpose: "‏هذا الأمر يدفع الفرع إلى المستودع البعيد ثم يفتح طلب دمج",
    command: `git push --force origin ${LONG_BRANCH} && echo "user\u202Etxt.exe" && ${Array.from({ length: 30 }, (_, at) => `node scripts/step-${at}.mjs --with "quoted argument ${at}"`).join(" && \\\n  ")}`,
    directory: `/home/ada/work/${"deeply/nested/folder/".repeat(9)}end`,
  },
};

export function item(
  item: Partial<ToolItem["tool"]> & { body?: string; parent?: string; id?: string; took?: number; open?: boolean },
  minutes = 5,
): Row {
  const { body = "", parent, id: own = id(), took = 420, open = false, ...tool } = item;
  return {
    kind: "item",
    key: own,
    at: ago(minutes),
    open,
    ...(open ? {} : { took }),
    item: {
      kind: "tool",
      item: own as ItemId,
      body,
      at: ago(minutes),
      ...(parent === undefined ? {} : { parent: parent as ItemId }),
      tool: {
        name: "Bash",
        kind: "command",
        object: "npm test",
        input: "{}",
        edits: [],
        state: open ? "running" : "done",
        ...tool,
      },
    },
  };
}
export function words(body: string, minutes = 5, open = false): Row {
  const own = id();
  return {
    kind: "item",
    key: own,
    at: ago(minutes),
    open,
    item: { kind: "words", item: own as ItemId, body, at: ago(minutes) },
  };
}
export function thought(body: string, open = false): Row {
  const own = id();
  return {
    kind: "item",
    key: own,
    at: ago(5),
    open,
    took: 4_200,
    item: { kind: "thought", item: own as ItemId, body, at: ago(5) },
  };
}
export function todo(states: readonly ("done" | "doing" | "open")[]): Row {
  const own = id();
  const texts = [
    "Read how totals are made today",
    "Write the rounding tests",
    "Rates table from the config",
    "totalOf returns net, tax and gross",
    "Callers: cart, checkout, invoice",
    "Run everything",
  ];
  return {
    kind: "item",
    key: own,
    at: ago(4),
    open: false,
    item: {
      kind: "todo",
      item: own as ItemId,
      body: "",
      at: ago(4),
      steps: texts.map((text, at) => ({ text, state: states[at] ?? "open" })),
    },
  };
}
export function prompt(
  text: string,
  over: Partial<Extract<Row, { kind: "prompt" }>> = {},
): Extract<Row, { kind: "prompt" }> {
  const own = id();
  return {
    kind: "prompt",
    key: own,
    at: ago(8),
    prompt: own as never,
    text,
    delivery: "queue",
    state: "done",
    by: SELF,
    ...over,
  };
}
export function turn(over: Partial<Extract<Row, { kind: "turn" }>> = {}): Row {
  return {
    kind: "turn",
    key: id(),
    at: ago(2),
    outcome: "completed",
    took: 192_000,
    usage: { input: 48_200, output: 3_140, cached: 41_000, dollars: 0.2134 },
    ...over,
  };
}

export const RICH: Row[] = [
  prompt(
    "The totals in the checkout ignore the reduced tax rate for food and books. Find where they are made, tell me what you would change, then do it with tests.",
  ),
  thought(
    "The user wants the reduced rate. First find every place where a total is computed; there may be more than one.",
  ),
  words("I'll look at how totals are made today before changing anything."),
  item({ name: "Grep", kind: "search", object: "totalOf\\(" }),
  item({ name: "Read", kind: "read", object: "src/checkout/totals.ts" }),
  item({ name: "Read", kind: "read", object: "src/checkout/cart.ts" }),
  item({ name: "Read", kind: "read", object: "src/invoice/template.ts" }),
  item({ name: "LS", kind: "list", object: "src/config" }),
  words(`There is one function, \`totalOf\`, and **seven callers**. It multiplies everything by one rate:

\`\`\`ts
// src/checkout/totals.ts
export function totalOf(cart: Cart): Money {
  let sum = 0;
  for (const line of cart.lines) sum += line.price * line.count;
  return sum + sum * 0.19; // one rate for everything
}
\`\`\`

What I'd change:

1. Give \`totalOf\` the rates and let it return net, tax and gross.
2. Round **per line**, as the invoices do. See [the accounting rules](https://accounting.example.org/rounding?country=de) for why.
3. Old carts have no category: treat them as *standard*.

> The invoice template already shows net and tax apart, so it needs no change.`),
  todo(["done", "done", "done", "doing", "open", "open"]),
  item({ name: "Edit", kind: "edit", object: "src/checkout/totals.ts", edits: [DIFF], took: 310 }),
  item({ name: "Write", kind: "edit", object: "src/checkout/totals.test.ts", edits: [DIFF_TEST], took: 280 }),
  item({
    name: "Bash",
    kind: "command",
    object: "npm test -- --run src/checkout",
    body: "✓ totals (6)\n✗ cart (1)\n  expected 535 to equal 534\n\nTests 1 failed | 6 passed",
    state: "failed",
    exit: 1,
    took: 8_412,
    input: '{"command":"npm test -- --run src/checkout"}',
  }),
  item({
    id: "agent-1",
    name: "Task",
    kind: "agent",
    object: "Check the cent in the cart test",
    took: 41_000,
    body: "The cart test expects rounding over the sum. It was written before invoices were per line.",
  }),
  item({ parent: "agent-1", name: "Read", kind: "read", object: "src/checkout/cart.test.ts" }),
  item({
    parent: "agent-1",
    name: "Bash",
    kind: "command",
    object: "git log -3 -- src/checkout/cart.test.ts",
    body: "7c2f19e Round per line on invoices",
  }),
  item({ name: "WebFetch", kind: "fetch", object: "https://accounting.example.org/rounding", took: 1_240 }),
  words(
    "The cart test expected rounding over the sum, which was true before `7c2f19e`. I've brought it up to date and everything passes.",
  ),
  turn(),
];

export const HOSTILE: Row[] = [
  prompt("<img src=x onerror=alert(1)> and \u202Eevil\u202C"),
  words(`<script>window.pwned = 1</script><img src="https://evil.example/x.png" onerror="window.pwned=1">
<svg onload="window.pwned=1"></svg><iframe src="javascript:window.pwned=1"></iframe>
![tracker](https://evil.example/pixel.png) [click](javascript:window.pwned=1) [data](data:text/html,<script>window.pwned=1</script>)
[https://github.com](https://evil.example/phish) <a href="https://evil.example" onclick="window.pwned=1">x</a> <style>body{display:none}</style>
<form action="https://evil.example"><input name=a></form> \u202Egnp.exe\u202C zero\u200Bwidth

\`\`\`html"><img src=x onerror=window.pwned=1>
<b onmouseover=window.pwned=1>
\`\`\`

| a | b |
|---|---|
| <img src=x onerror=window.pwned=1> | [x](vbscript:window.pwned=1) |`),
  item({
    name: "<img src=x onerror=window.pwned=1>",
    kind: "other",
    object: "\u202E<b>fdp.sh\u202C\u0007",
    body: "\u001b]52;c;cm0gLXJm\u0007<script>window.pwned=1</script>",
  }),
  item({
    name: "Edit",
    kind: "edit",
    object: '"><img src=x onerror=window.pwned=1>.ts',
    edits: [
      {
        path: '"><img src=x onerror=window.pwned=1>\u202E.ts',
        diff: "@@ -1 +1 @@\n-<script>window.pwned=1</script>\n+\u202E<img src=x onerror=window.pwned=1>\n",
        added: 1,
        removed: 1,
      },
    ],
  }),
  {
    kind: "notice",
    key: id(),
    at: NOW,
    level: "error",
    text: "<b onclick=window.pwned=1>bold</b>",
    raw: '{"type":"<script>"}',
  },
  turn({ outcome: "failed", detail: "<img src=x onerror=window.pwned=1> The API answered 529." }),
];

export function stateOf(n: number, over: Partial<SessionState> = {}): SessionState {
  return {
    session: sessionId(n),
    agent: CLAUDE,
    workspace: SHOP,
    title: "Reduced tax rates in the checkout",
    status: { kind: "idle", since: ago(2) },
    asks: [],
    opened: ago(90),
    updated: ago(2),
    last: 40,
    model: "opus",
    mode: "default",
    version: "2.1.4",
    pid: 4242,
    named: false,
    prompts: [],
    items: [],
    usage: {
      input: 148_200,
      output: 13_140,
      cached: 121_000,
      dollars: 1.4134,
      context: { used: 61_000, size: 200_000 },
    },
    stopping: false,
    preview: "The cart test expected rounding over the sum. I've brought it up to date and everything passes.",
    ...over,
  };
}
export function viewOf(state: SessionState, rows: Row[], over: Partial<SessionView> = {}): SessionView {
  return {
    session: state.session,
    state,
    rows,
    outgoing: [],
    answering: {},
    from: 1,
    loadingOlder: false,
    live: true,
    ...over,
  };
}
export function waiting(n: number, asks: Ask[], over: Partial<SessionState> = {}): SessionState {
  return stateOf(n, {
    status: { kind: "waiting", since: ago(3) },
    running: { turn: "t1" as never, at: ago(6) },
    asks: asks.map((ask, at) => ({ ask, at: ago(3 + at), seq: 30 + at, dismissed: false })),
    ...over,
  });
}

const TITLES = [
  "Flaky date test in the tide tables",
  "Move the image pipeline off sharp",
  "Why is the search slow on cold start",
  "Upgrade to the new router",
  "تحديث صفحة الدفع لدعم اللغة العربية",
  "Changelog for 2.4",
  "Find the leak in the worker pool",
  "Dark mode for the invoice mail",
  `Rebase ${LONG_BRANCH}`,
  "Port the cron jobs to jobs",
];
const SPACES = [
  SHOP,
  "/home/ada/work/tide-tables",
  "/home/ada/notes",
  "/home/ada/work/مشروع-الميناء",
  "/srv/build/agents/long-lived-workspace-with-a-name-that-is-too-long-for-a-phone",
];

export function many(total: number): SessionView[] {
  return Array.from({ length: total }, (_, at) => {
    const n = 100 + at;
    const status: SessionState["status"] =
      at === 0
        ? { kind: "running", since: NOW - 12_000, doing: "Bash · npm test -- --watch=false" }
        : at === 1
          ? { kind: "running", since: NOW - 3 * MINUTE }
          : at % 9 === 4
            ? { kind: "ended", since: ago(at * 11), cause: "failed", detail: "Process ended, exit 1" }
            : at % 7 === 3
              ? { kind: "ended", since: ago(at * 7), cause: "stopped" }
              : { kind: "idle", since: ago(at * 5) };
    const state = stateOf(n, {
      title: TITLES[at % TITLES.length] as string,
      workspace: SPACES[at % SPACES.length] as string,
      status,
      updated: ago(at * 5),
      agent: (at % 4 === 2 ? "demo" : "claude") as AgentName,
      turn: {
        seq: 38,
        at: ago(at * 5),
        outcome: at % 9 === 4 ? "failed" : "completed",
        ...(at % 9 === 4
          ? { detail: "The API answered 529 (overloaded) four times. The prompt was not answered; send it again." }
          : {}),
      },
    });
    return viewOf(state, RICH);
  });
}

/** Rows enough to scroll for a while. */
export function longRows(total: number): Row[] {
  return Array.from({ length: total }, (_, at) => {
    switch (at % 6) {
      case 0:
        return prompt(`Prompt ${at}: and then the next step, please.`);
      case 1:
        return words(
          `Answer ${at}. ${"It is done in *small* steps, each with a `test` of its own. ".repeat(1 + (at % 4))}`,
        );
      case 4:
        return item({ name: "Edit", kind: "edit", object: `src/file-${at}.ts`, edits: [DIFF] });
      case 5:
        return turn();
      default:
        return item({ object: `npm run step-${at}`, body: `line ${at}` });
    }
  });
}
