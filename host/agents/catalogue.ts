/** The agents this host knows. A new one is its folder and its line here. */
import type { AgentName } from "@flybridge/protocol/ids.ts";
import type { Agent } from "./agent.ts";
import { claude } from "./claude/claude.ts";
import { demo } from "./demo/demo.ts";

export const AGENTS: readonly Agent[] = [claude, demo];

export function agentOf(name: AgentName): Agent | undefined {
  return AGENTS.find((agent) => agent.name === name);
}
