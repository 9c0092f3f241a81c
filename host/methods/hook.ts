/** The agents' own settings, in which this host's hook may stand. */
import { CallError } from "@flybridge/protocol/error.ts";
import type { AgentName } from "@flybridge/protocol/ids.ts";
import type { Agent, Hooks } from "../agents/agent.ts";
import type { ScreenAgent } from "../agents/screen-agent.ts";
import type { Intents, Queries } from "../doors/desk.ts";

interface Around {
  readonly agents: Iterable<Agent | ScreenAgent>;
  readonly env: Readonly<Record<string, string>>;
  /** What the agents run. */
  readonly program: string;
  /** Writes it. */
  readonly write: () => void;
}

export function hookQueries({ agents, env, program }: Around): Pick<Queries, "hook.list"> {
  return {
    "hook.list": async () => {
      const ports = [...agents].flatMap((agent) => ("speaks" in agent || !agent.hooks ? [] : [agent.hooks]));
      return { hooks: await Promise.all(ports.map((port) => port.inspect(env, program))) };
    },
  };
}

export function hookIntents({ agents, env, program, write }: Around): Pick<Intents, "hook.install" | "hook.remove"> {
  const portOf = (name: AgentName): Hooks => {
    for (const agent of agents) if (agent.name === name && !("speaks" in agent) && agent.hooks) return agent.hooks;
    throw new CallError("not_found", `"${name}" has no settings in which a hook could stand.`);
  };
  return {
    "hook.install": ({ agent }) => {
      const port = portOf(agent);
      // It is there before anything runs it.
      write();
      return port.install(env, program);
    },
    "hook.remove": ({ agent }) => portOf(agent).remove(env, program),
  };
}
