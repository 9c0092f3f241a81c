/** The states that can be looked at, by name: a world and where in the app to stand. */
import type { HostView } from "@flybridge/client/replica.ts";
import type { SessionView } from "@flybridge/client/view.ts";
import type { Ask } from "@flybridge/protocol/ask.ts";
import type { Device } from "@flybridge/protocol/device.ts";
import type { GrantEnd, Verb } from "@flybridge/protocol/grant.ts";
import { sessionPath } from "../deck.ts";
import type { Served } from "../served.ts";
import {
  APPROVAL,
  DANGER,
  EDIT_ASK,
  HOST,
  HOSTILE,
  item,
  KNOWN,
  LONG_ASK,
  longRows,
  many,
  MCP_ASK,
  OTHER_DEVICE,
  PAIRED,
  PLAN,
  prompt,
  QUESTION,
  RICH,
  SELF,
  sessionId,
  stateOf,
  thought,
  todo,
  viewOf,
  waiting,
  words,
} from "./data.ts";
import { FULL_ID, GUEST_KNOWN, guestView, OTHER_HOST, overHost, SHARED, WAITING } from "./access.ts";
import { BY_RELAY, LIVE, REFUSED, RELAY, RELAYS, TRUSTED } from "./remote.ts";
import { ACCOUNTS, type CannedAccount } from "./account.ts";
import { COLOURS, SHELL, VIM } from "./screens.ts";
import type { CannedTerminal } from "./terminal.ts";
import { ATTACHED, ELSEWHERE, offering, ON_SCREEN, RULED_ASK, RULED_MCP_ASK, SECRET } from "./extras.ts";
import { askRow, type Scene } from "./world.ts";

interface Stand {
  scene: Scene;
  path: string;
  served?: Served;
}

const one = (sessions: SessionView[], view: Partial<HostView> = {}, more: Partial<Scene> = {}): Scene => ({
  hosts: [{ known: KNOWN, view, sessions }],
  ...more,
});
const seenAll = (sessions: SessionView[]): Pick<HostView, "seen"> => ({
  seen: Object.fromEntries(sessions.map((session) => [session.session, 1e6])),
});
const at = (n: number): string => sessionPath(HOST, sessionId(n));
const asking = (ask: Ask): SessionView => {
  const state = waiting(1, [ask]);
  return viewOf(state, [...RICH.slice(0, 12), askRow(ask, Date.now() - 180_000)]);
};
const inSession = (view: SessionView, host: Partial<HostView> = {}, more: Partial<Scene> = {}): Stand => {
  const others = many(12);
  return { scene: one([view, ...others], { ...seenAll(others), ...host }, more), path: at(1) };
};
/** Somebody shared one session with this device, and that is all it has. */
const asGuest = (verbs: Verb[], view: SessionView, until?: number, canned?: CannedTerminal): Stand => ({
  scene: {
    hosts: [{ known: GUEST_KNOWN, view: guestView(verbs, until), sessions: [view] }],
    ...(canned ? { terminals: { [sessionId(1)]: canned } } : {}),
  },
  path: at(1),
});
const overGuest = (reason: GrantEnd): Stand => ({
  scene: { hosts: [{ ...overHost(reason), sessions: [viewOf(stateOf(1), RICH)] }] },
  path: at(1),
});
const ACCOUNT_PATH = `/account?at=${encodeURIComponent(RELAY)}`;
/** A device without a host, whose page came from the relay. */
const atRelay = (account: CannedAccount, path = ACCOUNT_PATH): Stand => ({
  scene: { hosts: [], account },
  path,
  served: "relay",
});
const inAccount = (account: CannedAccount, path = ACCOUNT_PATH): Stand => ({
  scene: one(many(3), { ...seenAll(many(3)), ...BY_RELAY }, { relays: [LIVE], account }),
  path,
  served: "relay",
});
const NEXT_WEEK = Date.now() + 7 * 24 * 3_600_000;
const running = stateOf(1, {
  status: { kind: "running", since: Date.now() - 12_000, doing: "Bash · npm test" },
  running: { turn: "t1" as never, at: Date.now() - 60_000 },
});
const terminalView = (view: Partial<SessionView["state"] & object> = {}, rows: SessionView["rows"] = []): SessionView =>
  viewOf(
    stateOf(1, {
      agent: "terminal" as never,
      terminal: true,
      title: "zsh",
      status: { kind: "running", since: Date.now() - 40_000 },
      ...view,
    }),
    rows,
  );
const terminal = (
  canned: CannedTerminal,
  view: Partial<SessionView["state"] & object> = {},
  rows: SessionView["rows"] = [],
  host: Partial<HostView> = {},
): Stand => inSession(terminalView(view, rows), host, { terminals: { [sessionId(1)]: canned } });
const OFFLINE = {
  connection: {
    kind: "offline" as const,
    since: Date.now() - 26 * 60_000,
    reason: "The socket closed.",
    retryAt: Date.now() + 20_000,
  },
};
/** This is a desktop, and the same person's phone is here too. */
const BESIDE_PHONE: Partial<HostView> = {
  devices: {
    [SELF]: { ...(PAIRED[SELF] as Device), name: "Chrome on Linux", kind: "desktop" },
    [OTHER_DEVICE]: { ...(PAIRED[OTHER_DEVICE] as Device), name: "Ada's phone", kind: "phone" },
  },
};
const asks = (): SessionView[] => [
  asking(APPROVAL),
  viewOf(waiting(2, [QUESTION], { title: "Tax rounding", workspace: "/home/ada/work/tide-tables" }), [
    askRow(QUESTION, Date.now()),
  ]),
  viewOf(waiting(3, [PLAN], { title: "Reduced rates, planned" }), [askRow(PLAN, Date.now())]),
];

export const SCENES: Record<string, () => Stand> = {
  pair: () => ({ scene: { hosts: [] }, path: "/" }),
  "pair-again": () => ({ scene: one([]), path: "/pair" }),
  loading: () => ({
    scene: one([], { read: false, connection: { kind: "connecting", since: Date.now() - 3_000 } }),
    path: "/",
  }),
  "inbox-empty": () => ({ scene: one([]), path: "/" }),
  "inbox-calm": () => ({ scene: one(many(14), seenAll(many(14))), path: "/" }),
  "inbox-approval": () => ({ scene: one([asking(APPROVAL)]), path: "/" }),
  "inbox-danger": () => ({ scene: one([asking(DANGER)]), path: "/" }),
  "inbox-edit": () => ({ scene: one([asking(EDIT_ASK)]), path: "/" }),
  "inbox-mcp": () => ({ scene: one([asking(MCP_ASK)]), path: "/" }),
  "inbox-question": () => ({ scene: one([asking(QUESTION)]), path: "/" }),
  "inbox-plan": () => ({ scene: one([asking(PLAN)]), path: "/" }),
  "inbox-long": () => ({ scene: one([asking(LONG_ASK)]), path: "/" }),
  "inbox-asks": () => ({ scene: one([...asks(), ...many(9)]), path: "/" }),
  "inbox-many": () => ({ scene: one([...asks(), ...many(300)]), path: "/" }),
  "inbox-offline": () => ({ scene: one(asks(), OFFLINE), path: "/" }),
  "inbox-revoked": () => ({
    scene: one(many(3), { connection: { kind: "refused", since: Date.now(), reason: "revoked" } }),
    path: "/",
  }),
  "sessions-empty": () => ({ scene: one([]), path: "/sessions" }),
  sessions: () => ({ scene: one([...asks(), ...many(14)]), path: "/sessions" }),
  "sessions-beside-phone": () => ({ scene: one([...asks(), ...many(14)], BESIDE_PHONE), path: "/sessions" }),
  "sessions-many": () => ({ scene: one([...asks(), ...many(400)]), path: "/sessions" }),
  "session-rich": () => inSession(viewOf(stateOf(1), RICH)),
  "session-running": () =>
    inSession(
      viewOf(
        {
          ...running,
          prompts: [
            {
              prompt: "w1" as never,
              seq: 30,
              preview: "Then update the changelog, please",
              delivery: "queue",
              by: SELF,
              at: Date.now(),
            },
          ],
        },
        [
          ...RICH.slice(0, 11),
          thought("Let me think about whether the rounding", true),
          todo(["done", "done", "doing", "open", "open", "open"]),
          item(
            { object: "npm test -- --run src/checkout", body: "✓ totals (6)\n✓ invoice (3)\n… cart (1)", open: true },
            0.2,
          ),
          prompt("Then update the changelog, please", { prompt: "w1" as never, state: "accepted" }),
        ],
      ),
    ),
  "session-stream": () =>
    inSession(viewOf(running, [...RICH, prompt("And now explain it to me."), words("It is", 0, true)])),
  "session-approval": () => inSession(asking(APPROVAL)),
  "session-danger": () => inSession(asking(DANGER)),
  "session-edit": () => inSession(asking(EDIT_ASK)),
  "session-question": () => inSession(asking(QUESTION)),
  "session-plan": () => inSession(asking(PLAN)),
  "session-two-asks": () =>
    inSession(
      viewOf(waiting(1, [APPROVAL, QUESTION]), [...RICH, askRow(APPROVAL, Date.now()), askRow(QUESTION, Date.now())]),
    ),
  "session-fresh": () => inSession(viewOf(stateOf(1, { title: "harbour-shop" }), [])),
  "session-ended": () =>
    inSession(
      viewOf(
        stateOf(1, {
          status: { kind: "ended", since: Date.now() - 60_000, cause: "failed", detail: "Process ended, exit 1" },
        }),
        [
          ...RICH,
          {
            kind: "mark",
            key: "end",
            at: Date.now() - 60_000,
            fact: {
              kind: "agent.ended",
              cause: "failed",
              code: 1,
              signal: null,
              detail:
                "claude ended with exit 1: its login has expired. Run claude on studio, sign in, then resume this session here.",
            },
          },
        ],
      ),
    ),
  "session-failed-turn": () =>
    inSession(
      viewOf(stateOf(1), [
        ...RICH.slice(0, 4),
        {
          kind: "notice",
          key: "n1",
          at: Date.now(),
          level: "warning",
          text: "The agent sent something this version does not know. It is kept as it came.",
          raw: '{"type":"rate_limit_event"}',
        },
        {
          kind: "turn",
          key: "tf",
          at: Date.now(),
          outcome: "failed",
          detail: "The API answered 529 (overloaded). The prompt was not answered; send it again.",
        },
      ]),
    ),
  "session-offline": () =>
    inSession(
      viewOf(running, RICH, {
        live: false,
        staleSince: Date.now() - 26 * 60_000,
        outgoing: [prompt("Also check the invoice mail.", { state: "saved" })],
      }),
      OFFLINE,
    ),
  "session-hostile": () =>
    inSession(viewOf(stateOf(1, { title: "<img src=x onerror=window.pwned=1>\u202Eevil" }), HOSTILE)),
  "session-rtl": () =>
    inSession(
      viewOf(stateOf(1, { title: "تحديث صفحة الدفع لدعم اللغة العربية" }), [
        prompt("حدّث صفحة الدفع لتدعم الاتجاه من اليمين إلى اليسار، ثم شغّل الاختبارات."),
        words("سأبدأ بقراءة `checkout.tsx` ثم أعدّل الأنماط.\n\n1. اتجاه الصفحة\n2. الأرقام\n\nAnd one line in English."),
        item({ object: "grep -r 'margin-left' مشروع-الميناء/src" }),
      ]),
    ),
  "session-long": () => inSession(viewOf(stateOf(1), longRows(50_000))),
  "session-pages": () =>
    inSession(
      viewOf(stateOf(1), longRows(120), { from: 500 }),
      {},
      { older: { [sessionId(1)]: [longRows(200), longRows(200)] } },
    ),
  "session-gone": () => ({ scene: one(many(5), seenAll(many(5))), path: at(999) }),
  terminal: () => terminal({ screen: SHELL, echo: 5 }),
  "terminal-slow": () => terminal({ screen: SHELL, echo: 900 }),
  "terminal-colours": () => terminal({ screen: COLOURS }),
  "terminal-vim": () => terminal({ screen: VIM, size: { cols: 80, rows: 24 }, whose: "this" }),
  "terminal-other": () => terminal({ screen: VIM, size: { cols: 120, rows: 36 }, whose: "other" }),
  "terminal-ended": () =>
    terminal(
      { screen: `${SHELL}npm test\r\n\u001b[31m3 failing\u001b[m\r\n`, ended: true },
      { status: { kind: "ended", since: Date.now() - 60_000, cause: "failed", detail: "exit 1" } },
      [
        {
          kind: "mark",
          key: "end",
          at: Date.now() - 60_000,
          fact: { kind: "agent.ended", cause: "failed", code: 1, signal: null },
        },
      ],
    ),
  "terminal-connecting": () => terminal({ screen: SHELL, echo: 3_600_000 }),
  "terminal-offline": () => terminal({ screen: SHELL }, {}, [], OFFLINE),
  "terminal-gone": () => ({ ...terminal({ screen: "" }), scene: { ...terminal({ screen: "" }).scene, terminals: {} } }),
  "terminal-ask": () => {
    const asked = waiting(1, [QUESTION]);
    const { status, asks } = asked;
    return terminal({ screen: SHELL, echo: 5 }, { status, asks }, [askRow(QUESTION, Date.now() - 60_000)]);
  },
  "session-attached": () => inSession(offering(viewOf(stateOf(1), [...RICH.slice(0, 4), ...ATTACHED]))),
  "inbox-rule": () => ({ scene: one([asking(RULED_ASK)]), path: "/" }),
  "inbox-rule-mcp": () => ({ scene: one([asking(RULED_MCP_ASK)]), path: "/" }),
  "inbox-secret": () => ({ scene: one([asking(SECRET)]), path: "/" }),
  "inbox-screen": () => ({ scene: one([asking(ON_SCREEN)]), path: "/" }),
  "inbox-elsewhere": () => ({ scene: one([asking(ELSEWHERE)]), path: "/" }),
  "session-many-asks": () =>
    inSession(
      viewOf(waiting(1, [RULED_ASK, QUESTION, EDIT_ASK]), [
        ...RICH,
        askRow(RULED_ASK, Date.now()),
        askRow(QUESTION, Date.now()),
      ]),
    ),
  "session-outside": () =>
    inSession(
      viewOf(stateOf(1, { outside: true, status: { kind: "idle", since: Date.now() - 40_000 } }), RICH.slice(0, 9)),
    ),
  "session-outside-ended": () =>
    inSession(
      viewOf(
        stateOf(1, { outside: true, status: { kind: "ended", since: Date.now() - 40_000, cause: "exited" } }),
        RICH.slice(0, 9),
      ),
    ),
  rules: () => ({ scene: one(many(3), seenAll(many(3))), path: "/rules" }),
  "rules-none": () => ({ scene: one([], {}, { rules: [] }), path: "/rules" }),
  devices: () => ({ scene: one(many(3), seenAll(many(3))), path: "/devices" }),
  "devices-shared": () => ({ scene: one(many(3), { ...seenAll(many(3)), ...SHARED }), path: "/devices" }),
  audit: () => ({ scene: one(many(3), { ...seenAll(many(3)), ...SHARED }), path: "/audit" }),
  remote: () => ({ scene: one(many(3), seenAll(many(3)), { relays: RELAYS }), path: "/remote" }),
  "remote-none": () => ({ scene: one(many(3), seenAll(many(3))), path: "/remote" }),
  "remote-refused": () => ({ scene: one(many(3), seenAll(many(3)), { relays: REFUSED }), path: "/remote" }),
  "remote-by-relay": () => ({
    scene: one(many(3), { ...seenAll(many(3)), ...BY_RELAY }, { relays: [LIVE] }),
    path: "/remote",
    served: "relay",
  }),
  "remote-trust": () => inAccount(ACCOUNTS.fresh, "/remote"),
  "remote-trusted": () => ({
    scene: one(many(3), seenAll(many(3)), { relays: [TRUSTED], account: ACCOUNTS.full }),
    path: "/remote",
  }),
  "remote-other-account": () => ({
    scene: one(many(3), seenAll(many(3)), { relays: [TRUSTED] }),
    path: "/remote",
  }),
  "account-in": () => atRelay(ACCOUNTS.out),
  "account-invited": () => atRelay(ACCOUNTS.invited),
  "account-fresh": () => atRelay(ACCOUNTS.fresh, "/"),
  account: () => inAccount(ACCOUNTS.full),
  "account-away": () => inAccount(ACCOUNTS.away),
  "account-reused": () => inAccount(ACCOUNTS.reused),
  "account-signed-out": () => atRelay(ACCOUNTS.signedOut),
  "account-banner": () => inAccount(ACCOUNTS.reused, "/"),
  "devices-account": () => inAccount(ACCOUNTS.fresh, "/devices"),
  "account-none": () => ({ scene: one(many(3), seenAll(many(3))), path: "/account" }),
  "session-shared": () => inSession(viewOf(stateOf(1), RICH), SHARED),
  "terminal-shared": () => terminal({ screen: SHELL, echo: 5 }, {}, [], SHARED),
  pairing: () => ({
    scene: one(many(3), { ...seenAll(many(3)), pairings: { [WAITING.pairing]: WAITING } }),
    path: "/sessions",
  }),
  join: () => ({ scene: { hosts: [] }, path: "/join" }),
  "pair-by-relay": () => ({ scene: { hosts: [] }, path: "/pair", served: "relay" }),
  "guest-watching": () => asGuest(["read", "detach"], asking(APPROVAL)),
  "guest-answering": () => asGuest(["read", "answer", "detach"], asking(RULED_ASK)),
  "guest-prompting": () =>
    asGuest(["read", "answer", "prompt", "share", "detach"], viewOf(stateOf(1), RICH), NEXT_WEEK),
  "guest-terminal": () => asGuest(["read", "detach"], terminalView(), undefined, { screen: SHELL, echo: 5 }),
  "guest-terminal-typing": () =>
    asGuest(["read", "answer", "input", "detach"], terminalView(), undefined, { screen: SHELL, echo: 5 }),
  "guest-expired": () => overGuest("expired"),
  "guest-ended": () => overGuest("session_ended"),
  "guest-revoked": () => overGuest("revoked"),
  "guest-left": () => overGuest("detached"),
  "guest-suspended": () => overGuest("suspended"),
  "other-host": () => ({
    scene: { hosts: [{ known: { ...KNOWN, host: FULL_ID }, view: { connection: OTHER_HOST }, sessions: many(3) }] },
    path: "/",
  }),
  "devices-one": () => ({ scene: one([], { devices: { [SELF]: PAIRED[SELF] as Device } }), path: "/devices" }),
};
