/**
 * What a session is, as the fold of its entries. Host and devices fold with this same function, so that what a list
 * says and what the page says cannot differ. `apply` gives a new state and leaves the old one as it was.
 */
import type { Entry, FactOf, Usage } from "./entry.ts";
import type { ItemId, SessionId } from "./ids.ts";
import type { Item } from "./item.ts";
import { MAX_LABEL_CHARS, MAX_OPEN_ASKS, PREVIEW_CHARS } from "./limits.ts";
import type { SessionState, Status, Summary } from "./session.ts";
import { shortened, visibleLine } from "./text.ts";

/** The agent whose sessions are terminals. */
export const TERMINAL = "terminal";

const NO_USAGE: Usage = { input: 0, output: 0, cached: 0 };

/** The state after the first entry. */
export function opened(session: SessionId, at: number, fact: FactOf<"session.opened">): SessionState {
  return {
    session,
    agent: fact.agent,
    workspace: fact.workspace,
    title: titled(fact.workspace.split(/[/\\]/u).findLast((part) => part !== "") ?? fact.workspace),
    named: false,
    status: { kind: "starting", since: at },
    asks: [],
    opened: at,
    updated: at,
    last: 1,
    ...(fact.model === undefined ? {} : { model: fact.model }),
    ...(fact.mode === undefined ? {} : { mode: fact.mode }),
    ...(fact.command === undefined ? {} : { command: fact.command }),
    ...(fact.from === undefined ? {} : { from: fact.from }),
    ...(fact.agent === TERMINAL ? { terminal: true } : {}),
    ...(fact.outside === undefined ? {} : { outside: fact.outside }),
    prompts: [],
    items: [],
    usage: NO_USAGE,
    stopping: false,
  };
}

/** Throws when `entry` is not the next one: a gap here is a fault of whoever sent it. */
export function apply(state: SessionState, entry: Entry): SessionState {
  if (entry.seq !== state.last + 1) throw new RangeError(`entry ${entry.seq} cannot follow ${state.last}`);
  const next = { ...changed(state, entry), last: entry.seq, updated: entry.at };
  return { ...next, status: statusOf(next, state.status, entry.at) };
}

/** Whether the summary a list shows differs; deltas of `last` and `updated` alone do not count. */
export function sameSummary(a: SessionState, b: SessionState): boolean {
  return (
    a.status === b.status &&
    a.asks === b.asks &&
    a.title === b.title &&
    a.turn === b.turn &&
    a.preview === b.preview &&
    a.outside === b.outside
  );
}

export function summaryOf(state: SessionState): Summary {
  const { session, agent, workspace, title, status, asks, opened: at, updated, last, turn, preview } = state;
  const { terminal, outside } = state;
  return {
    session,
    agent,
    workspace,
    title,
    status,
    ...(terminal === undefined ? {} : { terminal }),
    ...(outside === undefined ? {} : { outside }),
    asks: asks.slice(0, MAX_OPEN_ASKS),
    opened: at,
    updated,
    last,
    ...(turn === undefined ? {} : { turn }),
    ...(preview === undefined ? {} : { preview }),
  };
}

/** "Bash · npm test": what a running item is doing, for the status. */
export function doingOf(item: Item): string | undefined {
  if (item.kind === "tool") return shortened(visibleLine(`${item.tool.name} · ${item.tool.object}`), PREVIEW_CHARS);
  return undefined;
}

function changed(state: SessionState, entry: Entry): SessionState {
  const { fact } = entry;
  switch (fact.kind) {
    case "session.opened":
      throw new RangeError("a session is opened once");
    case "prompt.accepted": {
      const { prompt, delivery, by } = fact;
      const preview = shortened(visibleLine(fact.text.slice(0, PREVIEW_CHARS * 2)), PREVIEW_CHARS);
      const first = state.preview === undefined && !state.named && state.turn === undefined && !state.running;
      return {
        ...state,
        ...(first && state.prompts.length === 0 ? { title: titleFrom(fact.text) || state.title } : {}),
        prompts: [...state.prompts, { prompt, seq: entry.seq, preview, delivery, by, at: entry.at }],
      };
    }
    case "prompt.withdrawn":
    case "prompt.taken":
      return { ...state, prompts: state.prompts.filter((one) => one.prompt !== fact.prompt) };
    case "interrupt.asked":
      return state;
    case "session.configured":
      return configured(state, fact, fact.title !== undefined);
    case "agent.reported":
      return configured(state, state.named ? { ...fact, title: undefined } : fact, false);
    case "session.stopped":
      return { ...state, stopping: true };
    case "session.resumed": {
      const { version: _, outside: __, ...rest } = state;
      return { ...rest, stopping: false, status: { kind: "starting", since: entry.at } };
    }
    case "ask.dismissed":
      return {
        ...state,
        asks: state.asks.map((one) => (one.ask.ask === fact.ask ? { ...one, dismissed: true } : one)),
      };
    case "agent.started": {
      const { version: _, ...rest } = state;
      // A terminal takes keys at once; an agent says when it is ready.
      return { ...rest, pid: fact.pid, status: { kind: state.terminal ? "idle" : "starting", since: entry.at } };
    }
    case "agent.ended": {
      const { pid: _, running: __, ...rest } = state;
      const detail = fact.detail === undefined ? {} : { detail: shortened(fact.detail, PREVIEW_CHARS * 4) };
      const status: Status = { kind: "ended", since: entry.at, cause: fact.cause, ...detail };
      return { ...rest, items: [], asks: [], stopping: false, status };
    }
    case "turn.began":
      return { ...state, running: { turn: fact.turn, at: entry.at } };
    case "turn.ended": {
      const { running: _, ...rest } = state;
      const detail = fact.detail === undefined ? {} : { detail: shortened(fact.detail, PREVIEW_CHARS) };
      return {
        ...rest,
        usage: fact.usage ? total(state.usage, fact.usage) : state.usage,
        turn: { seq: entry.seq, at: entry.at, outcome: fact.outcome, ...detail },
      };
    }
    case "item.began": {
      const doing = doingOf(fact.item);
      const open = { item: fact.item.item, began: entry.seq, length: fact.item.body.length };
      return {
        ...state,
        items: [...without(state, fact.item.item), doing === undefined ? open : { ...open, doing }],
      };
    }
    case "item.grew":
      return {
        ...state,
        items: state.items.map((one) =>
          one.item === fact.item ? { ...one, length: fact.offset + fact.text.length } : one,
        ),
      };
    case "item.completed": {
      const spoke = fact.item.kind === "words" && fact.item.parent === undefined && fact.item.body.trim() !== "";
      const preview = spoke
        ? {
            preview: shortened(visibleLine(fact.item.body.slice(0, PREVIEW_CHARS * 2)), PREVIEW_CHARS),
          }
        : {};
      return { ...state, ...preview, items: without(state, fact.item.item) };
    }
    case "ask.opened": {
      const open = { ask: fact.ask, at: entry.at, seq: entry.seq, dismissed: false };
      return { ...state, asks: [...state.asks.filter((one) => one.ask.ask !== fact.ask.ask), open] };
    }
    case "ask.settled":
      return { ...state, asks: state.asks.filter((one) => one.ask.ask !== fact.ask) };
    case "notice":
      return state;
  }
}

/** Evidence in this order: no process, an open ask, an open turn; otherwise at rest once the agent has reported. */
function statusOf(state: SessionState, before: Status, at: number): Status {
  if (state.status.kind === "ended" && state.pid === undefined) return state.status;
  if (state.asks.length > 0)
    return before.kind === "waiting" ? before : { kind: "waiting", since: state.asks[0]?.at ?? at };
  if (state.running) {
    const doing = state.items.findLast((one) => one.doing !== undefined)?.doing;
    if (before.kind === "running" && before.doing === doing) return before;
    const since = doing === undefined ? state.running.at : at;
    return { kind: "running", since, ...(doing === undefined ? {} : { doing }) };
  }
  if (state.status.kind === "starting" && state.version === undefined) return state.status;
  return before.kind === "idle" ? before : { kind: "idle", since: at };
}

function configured(
  state: SessionState,
  fact: Partial<Omit<FactOf<"agent.reported">, "kind">> & Partial<Pick<FactOf<"session.configured">, "setting">>,
  named: boolean,
): SessionState {
  const { setting } = fact;
  const settings = fact.settings ?? state.settings;
  return {
    ...state,
    ...(fact.models === undefined ? {} : { models: fact.models }),
    ...(fact.modes === undefined ? {} : { modes: fact.modes }),
    ...(fact.commands === undefined ? {} : { commands: fact.commands }),
    ...(settings === undefined
      ? {}
      : {
          settings: settings.map((one) =>
            setting !== undefined && one.setting === setting.setting ? { ...one, value: setting.value } : one,
          ),
        }),
    ...(fact.model === undefined ? {} : { model: fact.model }),
    ...(fact.mode === undefined ? {} : { mode: fact.mode }),
    ...(fact.version === undefined ? {} : { version: fact.version }),
    ...(fact.title === undefined || fact.title.trim() === "" ? {} : { title: titled(fact.title) }),
    named: state.named || named,
  };
}

function without(state: SessionState, item: ItemId): SessionState["items"] {
  return state.items.filter((one) => one.item !== item);
}

/** Marks that are made visible grow, and a title must still fit what carries it. */
function titled(text: string): string {
  return shortened(visibleLine(text), MAX_LABEL_CHARS);
}

function titleFrom(prompt: string): string {
  return shortened(visibleLine(prompt.slice(0, PREVIEW_CHARS * 2)), 80);
}

function total(before: Usage, turn: Usage): Usage {
  const dollars = (before.dollars ?? 0) + (turn.dollars ?? 0);
  const context = turn.context ?? before.context;
  return {
    input: before.input + turn.input,
    output: before.output + turn.output,
    cached: before.cached + turn.cached,
    ...(before.dollars === undefined && turn.dollars === undefined ? {} : { dollars }),
    ...(context === undefined ? {} : { context }),
  };
}
