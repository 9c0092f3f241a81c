/** The agents of this host: each is one folder and one line here. */
import type { Agent } from "./agent.ts";
import { claude } from "./claude/claude.ts";

export const AGENTS: readonly Agent[] = [claude];
