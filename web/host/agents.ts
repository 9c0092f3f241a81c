/** The name people know an agent by; its folder's name until the host has told, which it tells no guest. */
import type { AgentName } from "@flybridge/protocol/ids.ts";
import { visibleLine } from "@flybridge/protocol/text.ts";
import type { HostHere } from "../deck.ts";

export function agentTitle(host: HostHere, agent: AgentName): string {
  const title = host.view.agents.find((one) => one.agent === agent)?.title;
  return visibleLine(title ?? `${agent.slice(0, 1).toUpperCase()}${agent.slice(1)}`);
}
