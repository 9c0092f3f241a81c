/**
 * What the demo's process and its adapter say to each other, one JSON object per line. The process already speaks in
 * drafts and facts: it has no vendor whose words would need translating.
 */
import { Fact } from "@flybridge/protocol/entry.ts";
import { ItemId } from "@flybridge/protocol/ids.ts";
import * as v from "valibot";

/** What an agent may say; the rest of the facts is for devices and the host. */
const SAID = new Set<Fact["kind"]>([
  "agent.reported",
  "prompt.taken",
  "turn.began",
  "turn.ended",
  "item.began",
  "item.completed",
  "ask.opened",
  "ask.settled",
  "notice",
]);

export const Said = v.variant("kind", [
  v.object({
    kind: v.literal("fact"),
    fact: v.pipe(
      Fact,
      v.check((fact) => SAID.has(fact.kind) && (fact.kind !== "ask.settled" || fact.settlement.kind === "withdrawn")),
    ),
  }),
  v.object({ kind: v.literal("grow"), item: ItemId, text: v.pipe(v.string(), v.minLength(1)) }),
]);
export type Said = v.InferOutput<typeof Said>;

/** What it is told: facts that devices caused. */
export type Told = Extract<
  Fact,
  { kind: "prompt.accepted" | "prompt.withdrawn" | "interrupt.asked" | "session.configured" | "ask.settled" }
>;

/** How the process is started: as its arguments, in this order. */
export interface Start {
  /** Processes of this session before it, so that ids do not repeat. */
  readonly before: number;
  readonly model: string;
  readonly mode: string;
}

/** Sets how long the demo pauses, as a factor; 0 for tests. */
export const PACE = "FLYBRIDGE_DEMO_PACE";
