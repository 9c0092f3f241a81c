/** What becomes of a session when its agent's process is gone: everything that was open is closed, and it says why. */
import type { Fact } from "@flybridge/protocol/entry.ts";
import type { Item } from "@flybridge/protocol/item.ts";
import type { SessionState } from "@flybridge/protocol/session.ts";
import type { Ended } from "../agents/agent.ts";

/** Of a process that nobody saw end. */
export const UNSEEN: Ended = { code: null, signal: null, errors: "" };

/** `open`: the items that are, with their text. `detail`: why it ended, in words for a person. */
export function ending(state: SessionState, open: readonly Item[], ended: Ended, detail: string | undefined): Fact[] {
  const stopped = state.stopping;
  const cause = stopped ? "stopped" : ended.code === 0 ? "exited" : "failed";
  const facts: Fact[] = [];
  for (const item of open)
    facts.push({
      kind: "item.completed",
      item: item.kind === "tool" ? { ...item, tool: { ...item.tool, state: "failed" } } : item,
    });
  for (const { ask } of state.asks) facts.push({ kind: "ask.settled", ask: ask.ask, settlement: { kind: "void" } });
  if (state.running)
    facts.push({ kind: "turn.ended", turn: state.running.turn, outcome: stopped ? "interrupted" : "failed" });
  facts.push({
    kind: "agent.ended",
    cause,
    code: ended.code,
    signal: ended.signal,
    ...(detail === undefined ? {} : { detail }),
  });
  return facts;
}
