/**
 * A bridge without a host: canned hosts and sessions in memory behind the real interfaces, so that every screen can be
 * looked at and tried in every state. Intents are kept in a list; what comes of them is acted out in small.
 */
import type { Bridge } from "@flybridge/client/bridge.ts";
import type { Cell } from "@flybridge/client/cell.ts";
import type { HostView, Intended, KnownHost, OpenSession, Replica } from "@flybridge/client/replica.ts";
import type { Row, SessionView } from "@flybridge/client/view.ts";
import type { Ask, Settlement } from "@flybridge/protocol/ask.ts";
import type { Device } from "@flybridge/protocol/device.ts";
import { CallError } from "@flybridge/protocol/error.ts";
import type { HostId, IntentId, ItemId, SessionId } from "@flybridge/protocol/ids.ts";
import type { IntentMethod, Params, QueryMethod, Result } from "@flybridge/protocol/methods.ts";
import type { HostRelay } from "@flybridge/protocol/relays.ts";
import type { Rule } from "@flybridge/protocol/rule.ts";
import type { SessionState, Summary } from "@flybridge/protocol/session.ts";
import { summaryOf } from "@flybridge/protocol/fold.ts";
import { storeCell } from "../store-cell.ts";
import { accessActs, accessAnswer } from "./access.ts";
import { ACCOUNTS, type CannedAccount, cannedAccount } from "./account.ts";
import { AGENTS, FOLDERS, OTHER_DEVICE, PAIRED } from "./data.ts";
import { CONVERSATIONS, HOOKS, SAID } from "./earlier.ts";
import { CONTENTS, PATHS, RULES } from "./extras.ts";
import { type CannedRelays, cannedRelays, RELAY } from "./remote.ts";
import { type CannedTerminal, type CannedTerminals, cannedTerminals } from "./terminal.ts";

/** How long the pretended host takes to accept, in milliseconds. */
const ACCEPT_MS = 120;

export interface Scene {
  hosts: { known: KnownHost; view: Partial<HostView>; sessions: SessionView[] }[];
  read?: boolean;
  /** Older pages that `older()` gives, per session. */
  older?: Record<SessionId, Row[][]>;
  rules?: Rule[];
  terminals?: Record<SessionId, CannedTerminal>;
  relays?: HostRelay[];
  account?: CannedAccount;
}

export interface World {
  readonly bridge: Bridge;
  readonly intents: { method: IntentMethod; params: unknown }[];
  readonly terminals: CannedTerminals;
  readonly relays: CannedRelays;
  /** `accept` is the default; `hold` never answers; otherwise every intent is refused with this message. */
  behave(how: "accept" | "hold" | { refuse: string }): void;
  session(session?: SessionId): Cell<SessionView>;
  host(): Cell<HostView>;
  /** As if another device had answered. */
  settleElsewhere(session: SessionId, ask: string): void;
  /** Appends to the open words of a session, or opens new ones. */
  stream(text: string, session?: SessionId): void;
  append(rows: Row[], session?: SessionId): void;
}

declare global {
  interface Window {
    gallery?: { world: World; path(): string };
  }
}

export function makeWorld(scene: Scene): World {
  const hosts = storeCell<{ list: KnownHost[]; read: boolean }>({
    list: scene.hosts.map((host) => host.known),
    read: scene.read ?? true,
  });
  const intents: World["intents"] = [];
  const terminals = cannedTerminals(scene.terminals ?? {});
  const relays = cannedRelays(scene.relays ?? []);
  const accounts = storeCell<{ at: string[]; read: boolean }>({ at: [], read: false });
  const account = cannedAccount(scene.account ?? ACCOUNTS.out, (isHere) =>
    accounts.change((now) => {
      now.at = isHere ? [RELAY] : [];
    }),
  );
  let how: Parameters<World["behave"]>[0] = "accept";
  let count = 0;
  const views = new Map<SessionId, Cell<SessionView>>();
  let rules = scene.rules ?? RULES;
  const replicas = new Map<HostId, { replica: Replica; view: Cell<HostView> }>();

  const changeSession = (
    view: Cell<HostView>,
    session: SessionId,
    mutate: (state: SessionState, whole: SessionView) => void,
  ): void => {
    views.get(session)?.change((whole) => {
      if (whole.state) mutate(whole.state, whole);
    });
    const state = views.get(session)?.value.state;
    if (state) view.change((host) => (host.sessions[session] = structuredClone(summaryOf(plain(state)))));
  };
  const settle = (view: Cell<HostView>, session: SessionId, ask: string, settlement: Settlement): void =>
    changeSession(view, session, (state, whole) => {
      state.asks = state.asks.filter((one) => one.ask.ask !== ask);
      if (state.asks.length === 0) state.status = { kind: "running", since: Date.now() };
      const row = whole.rows.find((one) => one.kind === "ask" && one.ask.ask === ask);
      if (row?.kind === "ask") Object.assign(row, { settlement, settledAt: Date.now() });
    });

  for (const { known, view: given, sessions } of scene.hosts) {
    for (const session of sessions) views.set(session.session, storeCell(session));
    const summaries: Record<SessionId, Summary> = { ...given.sessions };
    for (const session of sessions) if (session.state) summaries[session.session] = summaryOf(session.state);
    const view = storeCell<HostView>({
      known,
      grant: { kind: "owner" },
      connection: { kind: "live", since: Date.now(), roundTrip: 12 },
      version: "0.1.0",
      devices: PAIRED,
      pairings: {},
      agents: AGENTS,
      read: true,
      seen: {},
      ...given,
      sessions: summaries,
    });

    const acts: { [M in IntentMethod]?: (params: Params<M>) => unknown } = {
      "ask.answer": ({ session, ask, answer }) =>
        settle(view, session, ask, { kind: "answered", answer, by: known.device }),
      "ask.dismiss": ({ session, ask }) =>
        changeSession(view, session, (state) =>
          state.asks.forEach((one) => one.ask.ask === ask && (one.dismissed = true)),
        ),
      "rule.revoke": ({ rule }) => {
        rules = rules.filter((each) => each.rule !== rule);
        return {};
      },
      "session.prompt": ({ session, text, delivery, attachments }) => {
        const key = `sent ${++count}`;
        const attached = attachments?.map((one, place) => {
          const hash = String(count * 100 + place).padStart(64, "e");
          CONTENTS[hash] = one.data;
          return { name: one.name, type: one.type, size: Math.floor((one.data.length * 3) / 4), hash };
        });
        changeSession(view, session, (state, whole) => {
          if (state.running)
            state.prompts.push({
              prompt: key as never,
              seq: state.last,
              preview: text,
              delivery,
              by: known.device,
              at: Date.now(),
            });
          whole.rows.push({
            kind: "prompt",
            key,
            at: Date.now(),
            prompt: key as never,
            text,
            delivery,
            state: state.running ? "accepted" : "done",
            by: known.device,
            ...(attached ? { attachments: attached } : {}),
          });
        });
      },
      "session.withdraw": ({ session, prompt }) =>
        changeSession(view, session, (state, whole) => {
          state.prompts = state.prompts.filter((one) => one.prompt !== prompt);
          const row = whole.rows.find((one) => one.kind === "prompt" && one.prompt === prompt);
          if (row?.kind === "prompt") row.state = "withdrawn";
        }),
      "hook.install": () => ({ ...HOOKS[0], state: "installed" }),
      "session.create": () => ({ session: sessions[0]?.session, seq: 1 }),
      "session.configure": ({ session, model, mode, title, setting }) =>
        changeSession(view, session, (state) => {
          Object.assign(state, model && { model }, mode && { mode }, title && { title });
          const changed = state.settings?.find((one) => one.setting === setting?.setting);
          if (changed && setting) changed.value = setting.value;
        }),
      "session.stop": ({ session }) =>
        changeSession(
          view,
          session,
          (state) => (state.status = { kind: "ended", since: Date.now(), cause: "stopped" }),
        ),
      "session.resume": ({ session }) =>
        changeSession(view, session, (state) => {
          delete state.outside;
          state.status = { kind: "idle", since: Date.now() };
        }),
      "device.rename": ({ device, name }) =>
        view.change((host) => Object.assign(host.devices[device] as Device, { name })),
      "device.revoke": ({ device }) => view.change((host) => delete host.devices[device]),
      ...accessActs(known, view),
      ...relays.acts,
    };

    const replica: Replica = {
      view,
      call: async (method, params) => (await answer(method, params)) as never,
      intend<M extends IntentMethod>(method: M, params: Params<M>): Intended<M> {
        intents.push({ method, params: structuredClone(params) });
        const settled = new Promise<Result<M>>((resolve, reject) => {
          if (how === "hold" || view.value.connection.kind !== "live") {
            if (method === "session.prompt") hold(params as Params<"session.prompt">);
            return;
          }
          const refusal = typeof how === "object" ? how.refuse : undefined;
          setTimeout(() => {
            if (refusal !== undefined) reject(new CallError("wrong_state", refusal));
            else
              try {
                resolve((acts[method] as ((given: Params<M>) => unknown) | undefined)?.(params) as Result<M>);
              } catch (fault) {
                reject(fault as Error);
              }
          }, ACCEPT_MS);
        });
        return { intent: `intent ${intents.length}` as IntentId, settled };
      },
      open(session): OpenSession {
        const cell =
          views.get(session) ??
          storeCell<SessionView>({
            session,
            rows: [],
            outgoing: [],
            answering: {},
            from: 1,
            loadingOlder: false,
            live: false,
            gone: "It was removed on the host, or this device may not see it.",
          });
        return {
          view: cell,
          async older() {
            const page = scene.older?.[session]?.pop();
            if (!page) return;
            cell.change((whole) => (whole.loadingOlder = true));
            await new Promise((resolve) => setTimeout(resolve, ACCEPT_MS));
            cell.change((whole) => {
              whole.rows.unshift(...page);
              whole.from = scene.older?.[session]?.length === 0 ? 1 : Math.max(2, whole.from - page.length);
              whole.loadingOlder = false;
            });
          },
          close() {},
        };
      },
      hearFrames: (listener) => terminals.hearFrames(listener),
      dismiss: (intent) =>
        views.forEach((cell) =>
          cell.change((whole) => (whole.outgoing = whole.outgoing.filter((one) => (one.prompt as string) !== intent))),
        ),
      notice(event) {
        if (event.kind === "looked") view.change((host) => (host.seen[event.session] = event.seq));
      },
    };
    const hold = ({ session, text, delivery, attachments }: Params<"session.prompt">): void =>
      views.get(session)?.change((whole) => {
        whole.outgoing.push({
          kind: "prompt",
          key: `out ${++count}`,
          at: Date.now(),
          prompt: `out ${count}` as never,
          text,
          delivery,
          state: "saved",
          by: known.device,
          ...(attachments ? { uploads: attachments } : {}),
        });
      });
    replicas.set(known.host, { replica, view });
  }

  const firstHost = () => [...replicas.values()][0] as { replica: Replica; view: Cell<HostView> };
  const cellOf = (session?: SessionId): Cell<SessionView> => {
    const cell = session === undefined ? [...views.values()][0] : views.get(session);
    if (!cell) throw new RangeError("no such session");
    return cell;
  };
  return {
    bridge: {
      hosts,
      pair: async (connection, { confirming }) => {
        await new Promise((resolve) => setTimeout(resolve, ACCEPT_MS));
        if (connection.addresses[0].host === "waits.local") {
          confirming?.("048213");
          await new Promise(() => {});
        }
        if (connection.addresses[0].host === "used.local") {
          const { PairingError } = await import("@flybridge/client/bridge.ts");
          throw new PairingError(
            "refused",
            "The host refused the code: it was used already, has expired or was withdrawn. Show a new one on the host.",
          );
        }
        const [known] = scene.hosts.map((host) => host.known);
        if (known && hosts.value.list.length === 0) hosts.change((all) => all.list.push(known));
        return firstHost().replica;
      },
      replica: (host) => (replicas.get(host) ?? firstHost()).replica,
      accounts,
      findAccounts: async () =>
        accounts.change((now) => {
          now.at = account.account.view.value.state.kind === "out" ? [] : [RELAY];
          now.read = true;
        }),
      account: () => Promise.resolve(account),
      forget: async (host) => hosts.change((all) => (all.list = all.list.filter((one) => one.host !== host))),
      close() {},
    },
    intents,
    terminals,
    relays,
    behave: (now) => {
      how = now;
    },
    session: cellOf,
    host: () => firstHost().view,
    settleElsewhere: (session, ask) => {
      const { view } = firstHost();
      settle(view, session, ask, {
        kind: "answered",
        by: OTHER_DEVICE,
        answer: { kind: "deny", reason: "Not on this branch" },
      });
    },
    stream: (text, session) =>
      cellOf(session).change((whole) => {
        const last = whole.rows.at(-1);
        if (last?.kind === "item" && last.open && last.item.kind === "words") last.item.body += text;
        else
          whole.rows.push({
            kind: "item",
            key: `stream ${++count}`,
            at: Date.now(),
            open: true,
            item: { kind: "words", item: `stream ${count}` as ItemId, body: text, at: Date.now() },
          });
      }),
    append: (rows, session) => cellOf(session).change((whole) => void whole.rows.push(...rows)),
  };

  async function answer(method: QueryMethod, params: unknown): Promise<unknown> {
    await new Promise((resolve) => setTimeout(resolve, 30));
    if (method === "terminal.page") return terminals.page(params as Params<"terminal.page">);
    if (method === "rule.list") return { rules };
    if (method === "relay.list") return relays.list();
    if (method === "hook.list") return { hooks: HOOKS };
    if (method === "conversation.list") return { conversations: CONVERSATIONS };
    if (method === "conversation.read") return { said: SAID };
    if (method === "attachment.read") {
      const data = CONTENTS[(params as { hash: string }).hash];
      if (data === undefined) throw new CallError("not_found", "This is not kept any more.");
      return { data };
    }
    if (method === "session.find" || method === "workspace.find") {
      const { text } = params as { text: string };
      return { paths: PATHS.filter((path) => path.toLowerCase().includes(text.toLowerCase())) };
    }
    if (method === "workspace.list") return { folders: FOLDERS, home: "/home/ada" };
    if (method === "workspace.browse") {
      const { path } = params as { path: string };
      const children =
        path === "/home/ada"
          ? FOLDERS
          : path.split("/").length > 5
            ? []
            : ["apps", "docs", "packages", "tools"].map((name) => ({ path: `${path}/${name}`, name }));
      const parent = path.slice(0, path.lastIndexOf("/")) || "/";
      return { path, folders: children, ...(path === "/" ? {} : { parent }) };
    }
    return accessAnswer(method) ?? {};
  }
}

export function askRow(ask: Ask, at: number): Row {
  return { kind: "ask", key: `ask ${ask.ask}`, at, ask, dismissed: false };
}

/** Stores hand out proxies; a fold wants plain data. */
function plain<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}
