/** What agents keep of their conversations on this machine, with the sessions that hold them. */
import type { Conversation } from "@flybridge/protocol/conversation.ts";
import { CallError } from "@flybridge/protocol/error.ts";
import type { AgentName, SessionId } from "@flybridge/protocol/ids.ts";
import { MAX_CONVERSATIONS, MAX_PREVIEW_TURNS } from "@flybridge/protocol/limits.ts";
import type { Agent, Recall } from "../agents/agent.ts";
import type { ScreenAgent } from "../agents/screen-agent.ts";
import type { SessionShelf } from "../core/ports.ts";
import type { Queries } from "../doors/desk.ts";

/** How many of an agent's are looked through for those that are wanted. */
const MAX_SEARCHED = 1_000;

export function conversationQueries(around: {
  readonly agents: Iterable<Agent | ScreenAgent>;
  readonly env: Readonly<Record<string, string>>;
  readonly shelf: SessionShelf;
  /** Conversations that are open in processes of others now. */
  readonly open: () => Iterable<{ readonly agent: AgentName; readonly conversation: string }>;
}): Pick<Queries, "conversation.list" | "conversation.read"> {
  const { env } = around;
  const recalls = new Map<AgentName, Recall>();
  for (const agent of around.agents) if (!("speaks" in agent) && agent.recall) recalls.set(agent.name, agent.recall);

  /** Of several sessions, the one that was last at work. */
  const sessions = (): ReadonlyMap<string, SessionId> => {
    const held = new Map<string, SessionId>();
    for (const { state, mark } of around.shelf.list().sort((a, b) => a.state.updated - b.state.updated)) {
      const of = recalls.get(state.agent)?.of(parsed(mark.memory));
      const conversation = of ?? (state.from?.fork === false ? state.from.conversation : undefined);
      if (conversation !== undefined) held.set(`${state.agent} ${conversation}`, state.session);
    }
    return held;
  };

  return {
    "conversation.list": async ({ agent, workspace, text }) => {
      const wanted = [...recalls].filter(([name]) => agent === undefined || name === agent);
      const isNarrow = workspace !== undefined || text !== undefined;
      const limit = isNarrow ? MAX_SEARCHED : MAX_CONVERSATIONS;
      const lists = await Promise.all(wanted.map(([, recall]) => recall.list(env, limit)));
      const open = new Set([...around.open()].map((one) => `${one.agent} ${one.conversation}`));
      const held = sessions();
      const conversations = lists
        .flat()
        .filter((one) => matches(one, workspace, text))
        .sort((a, b) => b.updated - a.updated)
        .slice(0, MAX_CONVERSATIONS)
        .map((one) => {
          const key = `${one.agent} ${one.conversation}`;
          const session = held.get(key);
          return { ...one, ...(session === undefined ? {} : { session }), ...(open.has(key) ? { open: true } : {}) };
        });
      return { conversations };
    },
    "conversation.read": async ({ agent, conversation }) => {
      const said = await recalls.get(agent)?.read(env, conversation, MAX_PREVIEW_TURNS);
      if (!said) throw new CallError("not_found", "The agent has no such conversation on this machine.");
      return { said: [...said] };
    },
  };
}

function matches(one: Conversation, workspace: string | undefined, text: string | undefined): boolean {
  if (workspace !== undefined && one.workspace !== workspace) return false;
  const sought = text?.trim().toLowerCase() ?? "";
  return sought === "" || `${one.title}\n${one.workspace}`.toLowerCase().includes(sought);
}

function parsed(memory: string): unknown {
  try {
    return JSON.parse(memory) as unknown;
  } catch {
    return undefined;
  }
}
