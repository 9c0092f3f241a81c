/** The name people know an agent by; its folder's name until the host has told. */
import type { AgentName } from "@flybridge/protocol/ids.ts";
import { visibleLine } from "@flybridge/protocol/text.ts";
import type { HostHere } from "../deck.ts";

export function agentTitle(host: HostHere, agent: AgentName): string {
  return visibleLine(host.view.agents.find((one) => one.agent === agent)?.title ?? agent);
}
