/**
 * Asks that agents raise through a hook: each becomes an ask of the session that shows its agent, and the hook waits
 * for whoever answers first, a device or the person at the agent's own screen.
 */
import type { Settlement } from "@flybridge/protocol/ask.ts";
import type { Entry } from "@flybridge/protocol/entry.ts";
import type { AgentName, AskId, SessionId } from "@flybridge/protocol/ids.ts";
import { MAX_OPEN_ASKS, PAGE_ENTRIES } from "@flybridge/protocol/limits.ts";
import type { Agent, HookAsk, Hooks } from "../agents/agent.ts";
import type { ScreenAgent } from "../agents/screen-agent.ts";
import type { LiveSession } from "../live/session.ts";
import type { Sessions } from "../live/sessions.ts";
import type { WaitingHook } from "./hook-door.ts";
import type { Elsewhere, OutsideSessions } from "./outside.ts";

/** How long a hook of before a restart of this host may take to come again, in milliseconds. */
const COMES_AGAIN_MS = 65_000;
/** Pages of a journal in which an answer is looked for that a hook missed. */
const PAGES_BACK = 5;
/** Names of asks that hooks raise begin so. */
const PREFIX = "hook.";

interface Waiting {
  readonly hook: WaitingHook;
  readonly port: Hooks;
  readonly opened: HookAsk;
  readonly session: LiveSession;
}

export interface HookDesk extends Disposable {
  /** A hook came in. */
  enter(hook: WaitingHook): void;
  /** What is asked at an agent's own screen no longer is: the ask is taken back. */
  looked(present: readonly Elsewhere[]): void;
  /** After a start of the host: hooks that waited come again, or their asks are taken back. */
  start(sessions: Sessions): void;
}

export function makeHookDesk(options: {
  readonly agents: Iterable<Agent | ScreenAgent>;
  readonly outside: Pick<OutsideSessions, "sessionOf">;
  readonly after: (milliseconds: number, work: () => void) => Disposable;
  readonly log: (message: string, detail: Record<string, unknown>) => void;
}): HookDesk {
  const ports = new Map<AgentName, Hooks>();
  for (const agent of options.agents) if (!("speaks" in agent) && agent.hooks) ports.set(agent.name, agent.hooks);
  const waiting = new Map<AskId, Waiting>();
  let sessions: Sessions | undefined;
  let grace: Disposable | undefined;
  let isOver = false;

  /** The session whose terminal it runs in, else the one that shows what runs elsewhere. */
  const sessionFor = async ({ line }: WaitingHook, { conversation }: HookAsk): Promise<LiveSession | undefined> => {
    const own = line.session === undefined ? undefined : sessionNamed(line.session);
    if (own?.state.terminal === true && own.state.status.kind !== "ended") return own;
    return options.outside.sessionOf(line.agent, conversation);
  };

  const sessionNamed = (id: string): LiveSession | undefined => {
    try {
      return sessions?.get(id as SessionId);
    } catch {
      return undefined;
    }
  };

  const enter = async (hook: WaitingHook): Promise<void> => {
    const port = ports.get(hook.line.agent);
    const ask = `${PREFIX}${hook.line.hook}` as AskId;
    const opened = port?.open(hook.line.event, ask);
    const session = opened && (await sessionFor(hook, opened));
    if (isOver) return;
    if (!port || !opened || !session) return hook.release("");
    const isOpen = session.state.asks.some((open) => open.ask.ask === ask);
    if (!isOpen && hook.line.again) {
      const settled = settlementIn(session, ask);
      if (settled) return hook.release(printed(port, opened, settled));
    }
    if (!isOpen && session.state.asks.length >= MAX_OPEN_ASKS) return hook.release("");
    const following = follow(session, ask);
    waiting.set(ask, { hook, port, opened, session });
    hook.ended(() => {
      following[Symbol.dispose]();
      // Taken over by the same hook, come again.
      if (isOver || waiting.get(ask)?.hook !== hook) return;
      waiting.delete(ask);
      withdraw(session, ask);
    });
    // It may have gone while its session was looked for.
    if (!isOpen && waiting.has(ask)) session.note([{ kind: "ask.opened", ask: opened.ask }]);
  };

  /** Until it is settled, whoever settles it. */
  const follow = (session: LiveSession, ask: AskId): Disposable => {
    const { follower } = session.follow(session.state.last + 1, {
      ready: () => true,
      entries(entries: readonly Entry[]) {
        for (const { fact } of entries) {
          if (fact.kind === "ask.settled" && fact.ask === ask) settle(ask, fact.settlement);
          // Whatever was open is void with it.
          if (fact.kind === "agent.ended") settle(ask, { kind: "void" });
        }
      },
      delta() {},
      gone: () => settle(ask, { kind: "void" }),
    });
    return { [Symbol.dispose]: () => session.unfollow(follower) };
  };

  const settle = (ask: AskId, settlement: Settlement): void => {
    const one = waiting.get(ask);
    if (!one) return;
    waiting.delete(ask);
    one.hook.release(printed(one.port, one.opened, settlement));
  };

  return {
    enter(hook) {
      enter(hook).catch((error: unknown) => {
        options.log("a hook could not be heard", { error: String(error) });
        hook.release("");
      });
    },
    looked(present) {
      for (const [ask, { hook, opened, session }] of waiting) {
        const found = present.find(
          ({ agent, stranger }) => agent === hook.line.agent && stranger.conversation === opened.conversation,
        )?.stranger;
        // Beside a dialog its process says that it waits; that it no longer does is newer than the hook.
        if (found && found.state !== "waiting" && found.since > hook.line.began) withdraw(session, ask);
      }
    },
    start(all) {
      sessions = all;
      grace = options.after(COMES_AGAIN_MS, () => {
        for (const session of all.list())
          for (const { ask } of session.state.asks)
            if (ask.source === "hook" && !waiting.has(ask.ask)) withdraw(session, ask.ask);
      });
    },
    [Symbol.dispose]() {
      isOver = true;
      grace?.[Symbol.dispose]();
    },
  };
}

function withdraw(session: LiveSession, ask: AskId): void {
  if (!session.state.asks.some((open) => open.ask.ask === ask)) return;
  session.note([{ kind: "ask.settled", ask, settlement: { kind: "withdrawn" } }]);
}

/** How an ask was settled while its hook was away. */
function settlementIn(session: LiveSession, ask: AskId): Settlement | undefined {
  let before = session.state.last + 1;
  for (let page = 0; page < PAGES_BACK && before > 1; page++) {
    const { entries } = session.page(before, PAGE_ENTRIES);
    for (const { fact } of entries) if (fact.kind === "ask.settled" && fact.ask === ask) return fact.settlement;
    before = entries[0]?.seq ?? 1;
  }
  return undefined;
}

function printed(port: Hooks, { pending }: HookAsk, settlement: Settlement): string {
  if (settlement.kind !== "answered" && settlement.kind !== "ruled") return "";
  return port.print(pending, settlement.answer) ?? "";
}
