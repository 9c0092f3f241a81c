/**
 * What runs elsewhere on this machine: agents that a person started in a terminal of their own. They are looked at when
 * they say that something changed, and now and then; each conversation that is open in one is a session here.
 */
import { randomBytes } from "node:crypto";
import type { Fact } from "@flybridge/protocol/entry.ts";
import { type AgentName, type SessionId, uuid7From } from "@flybridge/protocol/ids.ts";
import type { Agent, Outside as OutsidePort, Stranger } from "../agents/agent.ts";
import type { ScreenAgent } from "../agents/screen-agent.ts";
import type { Journal, SessionShelf } from "../core/ports.ts";
import type { LiveSession, Surroundings } from "../live/session.ts";
import type { Sessions } from "../live/sessions.ts";
import { descendsFrom, startedWith } from "./ancestry.ts";
import { OutsideRun } from "./outside-run.ts";

/** How often everything is looked at, whatever says that nothing changed. */
const LOOK_MS = 1_000;
/** How often all are looked at for one that asks. */
const LOOKS_FOR_ONE = 3;
/** How long a look waits for one agent's answer. */
const LIST_MS = 1_000;
/** Between two looks, however often something changes. */
const PAUSE_MS = 50;

/** In the environment of what runs in a terminal of this host: the session whose terminal it is. */
export const SESSION_VARIABLE = "FLYBRIDGE_SESSION";

/** What an agent's port said last, and the question that it has not answered yet. */
interface Listing {
  told: readonly Stranger[];
  pending: Promise<void> | undefined;
}

/** A process elsewhere, with its agent. */
export interface Elsewhere {
  readonly agent: AgentName;
  readonly stranger: Stranger;
  /** It runs in a terminal of this host. */
  readonly isOurs: boolean;
}

export interface OutsideSessions extends AsyncDisposable {
  /** For `Surroundings`. */
  readonly run: NonNullable<Surroundings["outside"]>;
  /** Begins to look. Before the sessions are there, nothing is opened. */
  start(sessions: Sessions): void;
  /** All that were there at the last look. */
  readonly present: readonly Elsewhere[];
  /** Looks now; resolves when that is done. */
  look(): Promise<void>;
  /** The session that shows a conversation which is open elsewhere, opened where there is none. */
  sessionOf(agent: AgentName, conversation: string): Promise<LiveSession | undefined>;
}

export function makeOutside(options: {
  readonly agents: Iterable<Agent | ScreenAgent>;
  readonly env: Readonly<Record<string, string>>;
  readonly journal: Journal;
  readonly shelf: SessionShelf;
  /** The keeper's process: what descends from it is this host's own. */
  readonly keeper: () => number;
  /** Where what an agent asks there can be answered. */
  readonly elsewhere: (agent: AgentName) => Promise<string>;
  readonly now: () => number;
  readonly log: (message: string, detail: Record<string, unknown>) => void;
  /** Called after each look. */
  readonly looked: (present: readonly Elsewhere[]) => void;
}): OutsideSessions {
  const { env, now, log } = options;
  const ports = new Map<AgentName, Agent & { readonly outside: OutsidePort }>();
  for (const agent of options.agents)
    if (!("speaks" in agent) && agent.outside)
      ports.set(agent.name, agent as Agent & { readonly outside: OutsidePort });
  const runs = new Map<SessionId, OutsideRun>();
  const lists = new Map<AgentName, Listing>();
  /** Fresh ones with nothing in them, by conversation: since when they are at rest. */
  const empty = new Map<string, number>();
  /** Of processes: whether they are this host's, which does not change. */
  const ours = new Map<number, boolean>();
  const watches: Disposable[] = [];
  let sessions: Sessions | undefined;
  let present: readonly Elsewhere[] = [];
  let timer: NodeJS.Timeout | undefined;
  let due = Number.POSITIVE_INFINITY;
  let looking: Promise<void> | undefined;
  let isAgain = false;
  let isOver = false;

  const again = (milliseconds: number): void => {
    const at = now() + milliseconds;
    if (isOver || at >= due) return;
    due = at;
    clearTimeout(timer);
    timer = setTimeout(() => {
      due = Number.POSITIVE_INFINITY;
      void look();
    }, milliseconds);
    timer.unref();
  };

  const run: OutsideSessions["run"] = (ledger, mark, grown) => {
    const { session, agent } = ledger.stored;
    const made = new OutsideRun({
      ledger,
      mark,
      grown,
      // An agent that this host no longer knows is not seen any more.
      outside: ports.get(agent)?.outside ?? { list: () => Promise.resolve([]) },
      env,
      journal: options.journal,
      now,
      again,
      elsewhere: () => options.elsewhere(agent),
      log,
      over: () => {
        if (runs.get(session) === made) runs.delete(session);
      },
    });
    runs.set(session, made);
    return made;
  };

  const isOurs = async ({ pid }: Stranger): Promise<boolean> => {
    if (pid === undefined) return false;
    const known = ours.get(pid);
    if (known !== undefined) return known;
    const session = await startedWith(pid, SESSION_VARIABLE);
    const alive = session !== undefined && isRunning(session as SessionId);
    const found = alive || (await descendsFrom(pid, options.keeper()));
    ours.set(pid, found);
    return found;
  };

  const isRunning = (session: SessionId): boolean => {
    const status = sessions?.list().find(({ id }) => id === session)?.state.status;
    return status !== undefined && status.kind !== "ended";
  };

  const runOf = (agent: AgentName, conversation: string): OutsideRun | undefined => {
    const found = [...runs.values()].filter((one) => one.agent === agent && one.conversation === conversation);
    return found.find((one) => one.isAlive) ?? found.at(-1);
  };

  /** A fresh one in which nobody said anything yet is nothing to show, and could not be gone on with. */
  const isWorthIt = async ({ outside }: { outside: OutsidePort }, stranger: Stranger): Promise<boolean> => {
    const { conversation, since, state } = stranger;
    if (state !== "idle") return true;
    if (empty.get(conversation) === since) return false;
    const { facts = [] } = (await outside.read?.(env, conversation, null)) ?? {};
    if (facts.length === 0) empty.set(conversation, since);
    return facts.length > 0;
  };

  const open = async (agent: AgentName, stranger: Stranger, isShown: boolean): Promise<LiveSession | undefined> => {
    const { conversation, workspace, joins } = stranger;
    const opened: Fact & { kind: "session.opened" } = {
      kind: "session.opened",
      agent,
      workspace,
      from: { conversation, fork: false },
      ...(isShown || joins !== true ? { outside: true } : {}),
    };
    const id = uuid7From(now(), randomBytes(10)) as string as SessionId;
    return await sessions?.found(id, opened);
  };

  const holderOf = (agent: AgentName, conversation: string): LiveSession | undefined => {
    const recall = ports.get(agent)?.recall;
    return sessions?.list().find(({ id, state }) => {
      if (state.agent !== agent) return false;
      if (state.from?.conversation === conversation && !state.from.fork) return true;
      const memory = recall && options.shelf.get(id)?.mark.memory;
      return memory !== undefined && recall?.of(JSON.parse(memory) as unknown) === conversation;
    });
  };

  /** One that the agent can take part in is a session of this host's like any other, once there is something to it. */
  const join = async ({ name }: Agent, stranger: Stranger): Promise<void> => {
    if (stranger.state === "idle") return;
    const held = holderOf(name, stranger.conversation);
    if (!held) await open(name, stranger, false);
    else if (held.state.status.kind === "ended" && stranger.state === "waiting") held.restart();
  };

  const show = async (agent: Agent & { readonly outside: OutsidePort }, stranger: Stranger): Promise<void> => {
    if (!runOf(agent.name, stranger.conversation)) {
      if (!(await isWorthIt(agent, stranger))) return;
      await open(agent.name, stranger, true);
    }
    await runOf(agent.name, stranger.conversation)?.seen(stranger);
  };

  /** One that does not answer holds up no other: until it does, what it said last is so. */
  const listOf = async (agent: AgentName): Promise<readonly Stranger[]> => {
    const before = lists.get(agent);
    const one: Listing = before?.pending ? before : { told: before?.told ?? [], pending: undefined };
    lists.set(agent, one);
    one.pending ??= ports
      .get(agent)
      ?.outside.list(env)
      .then((told) => {
        one.told = told;
        one.pending = undefined;
      });
    let late: NodeJS.Timeout | undefined;
    await Promise.race([one.pending, new Promise<void>((resolve) => (late = setTimeout(resolve, LIST_MS)))]);
    clearTimeout(late);
    return one.told;
  };

  const lookOnce = async (): Promise<void> => {
    const listed: Elsewhere[] = [];
    const told = await Promise.all([...ports.keys()].map(async (agent) => [agent, await listOf(agent)] as const));
    for (const [agent, strangers] of told)
      for (const stranger of strangers) listed.push({ agent, stranger, isOurs: await isOurs(stranger) });
    if (isOver) return;
    present = listed;
    for (const { agent: name, stranger, isOurs: mine } of listed) {
      const agent = ports.get(name);
      if (isOver) return;
      if (mine || !agent) continue;
      await (stranger.joins === true ? join(agent, stranger) : show(agent, stranger));
    }
    const there = new Set(listed.filter((one) => !one.isOurs).map(({ stranger }) => stranger.conversation));
    for (const one of runs.values()) if (!there.has(one.conversation)) one.gone();
    const pids = new Set(listed.map(({ stranger }) => stranger.pid));
    for (const pid of ours.keys()) if (!pids.has(pid)) ours.delete(pid);
    for (const conversation of empty.keys()) if (!there.has(conversation)) empty.delete(conversation);
    options.looked(present);
  };

  const look = async (): Promise<void> => {
    if (looking) {
      isAgain = true;
      return looking;
    }
    looking = lookOnce().catch((error: unknown) =>
      log("what runs elsewhere could not be seen", { error: String(error) }),
    );
    await looking;
    looking = undefined;
    again(isAgain ? PAUSE_MS : LOOK_MS);
    isAgain = false;
  };

  return {
    run,
    start(all) {
      sessions = all;
      for (const { outside } of ports.values()) {
        const watch = outside.watch?.(env, () => again(PAUSE_MS));
        if (watch) watches.push(watch);
      }
      again(0);
    },
    get present() {
      return present;
    },
    look,
    async sessionOf(agent, conversation) {
      // One look may have begun before its process said that it is there.
      for (let looks = 0; looks < LOOKS_FOR_ONE && !runOf(agent, conversation)?.isAlive; looks++) await look();
      const run = runOf(agent, conversation);
      return run && sessions?.get(run.session);
    },
    async [Symbol.asyncDispose]() {
      isOver = true;
      clearTimeout(timer);
      for (const watch of watches) watch[Symbol.dispose]();
      // What it writes is stored by what is taken down after it.
      await looking;
    },
  };
}
