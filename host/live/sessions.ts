/** The sessions of this host, by id. */
import { realpath, stat } from "node:fs/promises";
import { isAbsolute } from "node:path";
import type { Fact } from "@flybridge/protocol/entry.ts";
import { CallError } from "@flybridge/protocol/error.ts";
import type { FeedEntry } from "@flybridge/protocol/feed.ts";
import type { AgentName, DeviceId, IntentId, SessionId } from "@flybridge/protocol/ids.ts";
import { MAX_SESSIONS_LISTED } from "@flybridge/protocol/limits.ts";
import type { Params } from "@flybridge/protocol/methods.ts";
import type { Agent } from "../agents/agent.ts";
import type { ScreenAgent } from "../agents/screen-agent.ts";
import type { SessionIntent } from "../core/decide.ts";
import { LiveSession, type Surroundings } from "./session.ts";

export interface Sessions {
  get(session: SessionId): LiveSession;
  list(): LiveSession[];
  create(order: {
    intent: IntentId;
    by: DeviceId;
    params: Params<"session.create">;
  }): Promise<{ session: SessionId; seq: number }>;
  /** One that nobody asked for; undefined when it cannot be opened. */
  found(id: SessionId, opened: Fact & { kind: "session.opened" }): Promise<LiveSession | undefined>;
  intend(session: SessionId, intent: SessionIntent): Promise<{ seq: number }>;
  remove(session: SessionId): void;
  /**
   * Whether a child of the keeper's is a session's present process, or the next one: a crash may fall between the start
   * of a process and the entry that tells of it.
   */
  owns(child: string): boolean;
  /** At start, once the keeper answers. */
  recover(): void;
  /** The keeper is gone. */
  lost(): void;
}

type Shared = Omit<Surroundings, "agent">;

export function makeSessions(options: {
  readonly shared: Shared;
  readonly agents: ReadonlyMap<AgentName, Agent | ScreenAgent>;
  readonly published: (facts: readonly FeedEntry[]) => void;
}): Sessions {
  const { shared, agents } = options;
  const { journal, shelf } = shared;
  const live = new Map<SessionId, LiveSession>();
  /** Intents that are being stored: a repeat meanwhile gets the same promise. */
  const underway = new Map<string, Promise<unknown>>();

  const agentOf = (name: AgentName): Agent | ScreenAgent => {
    const agent = agents.get(name);
    if (!agent) throw new CallError("agent_unavailable", `This host knows no agent "${name}".`);
    return agent;
  };

  for (const stored of shelf.list()) {
    const agent = agents.get(stored.state.agent) ?? absent(stored.state.agent);
    live.set(stored.state.session, new LiveSession(stored, { ...shared, agent }));
  }

  /** Once per id and device: what was answered before is answered again. */
  const once = async <T>(id: IntentId, by: DeviceId, work: () => Promise<T>): Promise<T> => {
    const key = `${id} ${by}`;
    const before = journal.answered(id, by);
    if (before) return before.answer as T;
    const running = underway.get(key);
    if (running) return running as Promise<T>;
    const promise = work().finally(() => underway.delete(key));
    underway.set(key, promise);
    return promise;
  };

  const sessions: Sessions = {
    get(id) {
      const session = live.get(id);
      if (!session) throw new CallError("not_found", "There is no such session on this host.");
      return session;
    },
    list: () => [...live.values()].sort((a, b) => b.state.updated - a.state.updated).slice(0, MAX_SESSIONS_LISTED),
    create: ({ intent, by, params }) =>
      once(intent, by, async () => {
        const id = intent as string as SessionId;
        if (live.has(id)) throw new CallError("wrong_state", "A session with this id exists already.");
        if (live.size >= MAX_SESSIONS_LISTED)
          throw new CallError(
            "too_many",
            `This host has ${MAX_SESSIONS_LISTED} sessions. Remove some that have ended.`,
          );
        const agent = agentOf(params.agent);
        const workspace = await folderOf(params.workspace);
        const opened: Fact & { kind: "session.opened" } = {
          kind: "session.opened",
          agent: params.agent,
          workspace,
          ...(params.model === undefined ? {} : { model: params.model }),
          ...(params.mode === undefined ? {} : { mode: params.mode }),
          ...(params.command === undefined ? {} : { command: params.command }),
          ...(params.from === undefined ? {} : { from: params.from }),
          by,
        };
        const facts: [typeof opened, ...Fact[]] = [opened];
        if (params.prompt !== undefined)
          facts.push({
            kind: "prompt.accepted",
            prompt: id as string as never,
            text: params.prompt,
            ...(params.attachments?.length ? { attachments: params.attachments.map(shared.attachments.put) } : {}),
            delivery: "queue",
            by,
          });
        const session = await LiveSession.create({ ...shared, agent }, { id, by, intent, facts, size: params.size });
        live.set(id, session);
        return { session: id, seq: facts.length };
      }),
    async found(id, opened) {
      if (live.size >= MAX_SESSIONS_LISTED) return undefined;
      try {
        const session = await LiveSession.found({ ...shared, agent: agentOf(opened.agent) }, id, opened);
        live.set(id, session);
        return session;
      } catch (error) {
        shared.log("a session that was found could not be opened", { session: id, error: String(error) });
        return undefined;
      }
    },
    intend: (id, intent) =>
      once(intent.id, intent.by, async () => {
        const session = sessions.get(id);
        const uploads = intent.method === "session.prompt" ? intent.params.attachments : undefined;
        // Kept before the entry that names them is stored.
        return session.intend({ ...intent, attachments: uploads?.map(shared.attachments.put) });
      }),
    remove(id) {
      const session = sessions.get(id);
      if (session.state.status.kind !== "ended")
        throw new CallError("wrong_state", "The session is not ended. Stop it first.");
      // What was written and is not stored yet would otherwise be stored after the session is gone.
      shared.writer.flush();
      const gone = shelf.remove(id);
      live.delete(id);
      session.remove();
      options.published([gone]);
    },
    owns(child) {
      const dot = child.lastIndexOf(".");
      const session = live.get(child.slice(0, dot) as SessionId);
      return session !== undefined && Number(child.slice(dot + 1)) >= Number(session.childName.slice(dot + 1));
    },
    recover() {
      for (const session of live.values()) session.recover();
    },
    lost() {
      for (const session of live.values()) session.lost();
    },
  };
  return sessions;
}

/** The real path, so that what is shown is where it runs. */
async function folderOf(path: string): Promise<string> {
  if (!isAbsolute(path)) throw new CallError("bad_params", "A workspace is an absolute path.");
  try {
    const real = await realpath(path);
    if ((await stat(real)).isDirectory()) return real;
  } catch {
    throw new CallError("not_found", `There is no folder ${path} on this host.`);
  }
  throw new CallError("bad_params", `${path} is not a folder.`);
}

/** Stands for an agent whose folder is no longer part of this host, so that its old sessions can still be read. */
function absent(name: AgentName): Agent {
  const problem = { code: "not_installed" as const, message: `This host no longer knows the agent "${name}".` };
  return {
    name,
    look: () => Promise.resolve({ agent: name, title: name, models: [], modes: [], problem }),
    launch: () => Promise.reject(new CallError("agent_unavailable", problem.message)),
    hear: () => ({ drafts: [], writes: [] }),
    act: () => [],
    explain: () => undefined,
  };
}
