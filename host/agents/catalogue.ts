/** The agents this host knows. A new one is its folder and its line here; one that speaks ACP, a line in `acp/known.ts`. */
import { acpAgent } from "./acp/acp.ts";
import { ownAgents } from "./acp/config.ts";
import { KNOWN } from "./acp/known.ts";
import type { Agent } from "./agent.ts";
import type { ScreenAgent } from "./screen-agent.ts";
import { claude } from "./claude/claude.ts";
import { codex } from "./codex/codex.ts";
import { demo } from "./demo/demo.ts";
import { terminal } from "./terminal/terminal.ts";

export const AGENTS: readonly (Agent | ScreenAgent)[] = [claude, codex, demo, terminal, ...KNOWN.map(acpAgent)];

/** With those that the person added in the state folder. */
export function agentsIn(folder: string): readonly (Agent | ScreenAgent)[] {
  return [...AGENTS, ...ownAgents(folder, new Set<string>(AGENTS.map((agent) => agent.name)))];
}
