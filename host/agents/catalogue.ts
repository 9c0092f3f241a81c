/** The agents this host knows. A new one is its folder and its line here. */
import type { Agent } from "./agent.ts";
import type { ScreenAgent } from "./screen-agent.ts";
import { claude } from "./claude/claude.ts";
import { demo } from "./demo/demo.ts";

export const AGENTS: readonly (Agent | ScreenAgent)[] = [claude, demo];
