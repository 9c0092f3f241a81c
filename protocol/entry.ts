/**
 * An entry is one numbered fact in a session's journal. A session is the fold of its entries and nothing else; what is
 * not journaled (the text of an item between two checkpoints) travels as `Delta` and is never the only copy for long.
 */
import * as v from "valibot";
import { Command, Offered } from "./agent.ts";
import { Ask, Settlement } from "./ask.ts";
import { Attachments } from "./attachment.ts";
import { Continued } from "./conversation.ts";
import { AgentName, AskId, DeviceId, ItemId, PromptId, Seq, Time, TurnId } from "./ids.ts";
import { Item } from "./item.ts";
import { MAX_ANSWER_CHARS, MAX_BODY_CHARS, MAX_LABEL_CHARS, MAX_PATH_CHARS, MAX_PROMPT_CHARS } from "./limits.ts";

const label = v.pipe(v.string(), v.maxLength(MAX_LABEL_CHARS));
const words = v.pipe(v.string(), v.maxLength(MAX_ANSWER_CHARS));

/** Tokens and money of a turn or a session, as far as the agent tells. Money in US dollars. */
export const Usage = v.object({
  input: v.number(),
  output: v.number(),
  cached: v.number(),
  dollars: v.optional(v.number()),
  /** Tokens in the context window now, and how many it holds. */
  context: v.optional(v.object({ used: v.number(), size: v.number() })),
});
export type Usage = v.InferOutput<typeof Usage>;

/** `queue`: after the running turn. `steer`: into the running turn, as soon as the agent can take it. */
export const Delivery = v.picklist(["queue", "steer"]);
export type Delivery = v.InferOutput<typeof Delivery>;

const settings = { model: v.optional(label), mode: v.optional(label) };

export const Fact = v.variant("kind", [
  // What devices intend. Each is the only entry its intent causes, unless it says otherwise.
  v.object({
    kind: v.literal("session.opened"),
    agent: AgentName,
    workspace: v.pipe(v.string(), v.maxLength(MAX_PATH_CHARS)),
    ...settings,
    /** Of a terminal: what runs in it; the person's shell when absent. */
    command: v.optional(Command),
    /** The conversation of the agent's that it goes on with. */
    from: v.optional(Continued),
    /** It runs where this host did not start it, and is seen from here. */
    outside: v.optional(v.boolean()),
    /** Absent when nobody asked: the host found it. */
    by: v.optional(DeviceId),
  }),
  v.object({
    kind: v.literal("prompt.accepted"),
    prompt: PromptId,
    text: v.pipe(v.string(), v.maxLength(MAX_PROMPT_CHARS)),
    attachments: v.optional(Attachments),
    delivery: Delivery,
    by: DeviceId,
  }),
  v.object({ kind: v.literal("prompt.withdrawn"), prompt: PromptId, by: DeviceId }),
  v.object({ kind: v.literal("interrupt.asked"), by: DeviceId }),
  v.object({
    kind: v.literal("session.configured"),
    ...settings,
    title: v.optional(label),
    /** One of the agent's own settings. */
    setting: v.optional(v.object({ setting: label, value: label })),
    by: DeviceId,
  }),
  v.object({ kind: v.literal("session.stopped"), by: DeviceId }),
  v.object({ kind: v.literal("session.resumed"), by: DeviceId }),
  v.object({ kind: v.literal("ask.dismissed"), ask: AskId, by: DeviceId }),

  // What came of it, and what the agent does by itself.
  v.object({ kind: v.literal("agent.started"), pid: v.number() }),
  /** What the agent says it runs with, whenever that changes. */
  v.object({
    kind: v.literal("agent.reported"),
    ...settings,
    title: v.optional(label),
    version: v.optional(label),
    ...Offered,
  }),
  v.object({
    kind: v.literal("agent.ended"),
    /** `stopped`: a device asked for it. `exited`: by itself, code 0. `failed`: otherwise, or it never started. */
    cause: v.picklist(["stopped", "exited", "failed"]),
    code: v.nullable(v.number()),
    signal: v.nullable(label),
    /** What happened, what it means, how to mend it. */
    detail: v.optional(words),
  }),
  /** The agent has the prompt; from here on it cannot be withdrawn. */
  v.object({ kind: v.literal("prompt.taken"), prompt: PromptId }),
  v.object({ kind: v.literal("turn.began"), turn: TurnId }),
  v.object({
    kind: v.literal("turn.ended"),
    turn: TurnId,
    outcome: v.picklist(["completed", "interrupted", "failed"]),
    detail: v.optional(words),
    usage: v.optional(Usage),
  }),
  v.object({ kind: v.literal("item.began"), item: Item }),
  /** A checkpoint: `text` was appended to the body at `offset` (UTF-16 code units). */
  v.object({
    kind: v.literal("item.grew"),
    item: ItemId,
    offset: v.number(),
    text: v.pipe(v.string(), v.maxLength(MAX_BODY_CHARS)),
  }),
  /** The whole item, final. `began` is the entry it began with, which gives its place. */
  v.object({ kind: v.literal("item.completed"), item: Item, began: v.optional(Seq) }),
  v.object({ kind: v.literal("ask.opened"), ask: Ask }),
  v.object({ kind: v.literal("ask.settled"), ask: AskId, settlement: Settlement }),
  /** Something worth telling that fits nothing else; `raw` is what the agent wrote, where we did not know it. */
  v.object({
    kind: v.literal("notice"),
    level: v.picklist(["info", "warning", "error"]),
    text: words,
    raw: v.optional(words),
  }),
]);
export type Fact = v.InferOutput<typeof Fact>;
export type FactOf<Kind extends Fact["kind"]> = Extract<Fact, { kind: Kind }>;

const Place = v.object({ seq: Seq, at: Time });
export const Entry = v.object({ ...Place.entries, fact: Fact });
export type Entry = v.InferOutput<typeof Entry>;

/** Text appended to the body of an item that streams; `offset` counts UTF-16 code units from the body's beginning. */
export const Delta = v.object({ item: ItemId, offset: v.number(), text: v.string() });
export type Delta = v.InferOutput<typeof Delta>;

const FACTS: ReadonlyMap<unknown, v.GenericSchema<unknown, Fact>> = new Map(
  Fact.options.map((option) => [option.entries.kind.literal, option]),
);

/**
 * What `v.parse(Entry, json)` gives, in a third of the time: the fact's schema is looked up by its kind, where a
 * variant tries one after the other, and a device that was away parses a hundred thousand of these. Throws likewise.
 */
export function entryFrom(json: unknown): Entry {
  const { fact, ...place } = (json ?? {}) as { fact?: { kind?: unknown } };
  return { ...v.parse(Place, place), fact: v.parse(FACTS.get(fact?.kind) ?? Fact, fact) };
}
