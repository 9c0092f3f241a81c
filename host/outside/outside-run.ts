/**
 * What runs a session whose process was started elsewhere: nothing here does. Its process is looked at while it lives;
 * what it says becomes facts, and what it asks can be seen, and answered where a hook of the agent's asks it here.
 */
import type { Ask } from "@flybridge/protocol/ask.ts";
import type { Fact } from "@flybridge/protocol/entry.ts";
import type { AgentName, AskId, ItemId, SessionId, TurnId } from "@flybridge/protocol/ids.ts";
import type { Item, ToolItem } from "@flybridge/protocol/item.ts";
import type { Outside, Stranger } from "../agents/agent.ts";
import type { AgentMark, Journal } from "../core/ports.ts";
import { ending } from "../live/ending.ts";
import type { Ledger } from "../live/ledger.ts";
import type { Running, RunStep } from "../live/running.ts";

/** Its process was never this host's, and counts as one: the next, which will be, is the second. */
const LAUNCH = 1;
/** How long an ask may be without a hook that raises it before it is told as one that is answered elsewhere. */
const ELSEWHERE_MS = 700;
/** What was said last may be written a moment after the process says that it is at rest. */
const REST_MS = 250;

export interface OutsideRunOptions {
  readonly ledger: Ledger;
  readonly mark: AgentMark;
  readonly grown: () => void;
  readonly outside: Outside;
  readonly env: Readonly<Record<string, string>>;
  readonly journal: Journal;
  readonly now: () => number;
  /** Looks again after so many milliseconds. */
  readonly again: (milliseconds: number) => void;
  /** Where an ask that is seen there can be answered. */
  readonly elsewhere: () => Promise<string>;
  readonly log: (message: string, detail: Record<string, unknown>) => void;
  /** The session goes on without this run. */
  readonly over: () => void;
}

export class OutsideRun implements Running {
  readonly #options: OutsideRunOptions;
  readonly #ledger: Ledger;
  /** What the agent keeps of how far it was read: replaced, never changed. */
  #memory: unknown;
  #items: Map<ItemId, Item> | undefined;
  /** Since when it waits and no hook asks. */
  #bare: number | undefined;
  /** It was looked at since this host started. */
  #isSeen = false;

  constructor(options: OutsideRunOptions) {
    this.#options = options;
    this.#ledger = options.ledger;
    this.#memory = JSON.parse(options.mark.memory) as unknown;
  }

  get name(): string {
    return `${this.#ledger.stored.session}.${LAUNCH}`;
  }

  get session(): SessionId {
    return this.#ledger.stored.session;
  }

  get agent(): AgentName {
    return this.#ledger.stored.agent;
  }

  get conversation(): string {
    return this.#ledger.stored.from?.conversation ?? "";
  }

  get isAlive(): boolean {
    return this.#ledger.written.status.kind !== "ended";
  }

  /** Nothing is started: its process runs already, and is seen next. */
  start(): Promise<void> {
    return Promise.resolve();
  }

  /** Whether its process is still there is known once all are looked at. */
  recover(): void {}

  /** The keeper never held it. */
  lost(): void {}

  lengthOf(item: ItemId): number {
    return this.#open().get(item)?.body.length ?? 0;
  }

  textFrom(item: ItemId, offset: number): string {
    return (this.#open().get(item)?.body ?? "").slice(offset);
  }

  write(facts: readonly Fact[], { marked, stored, flushed, first, intent }: RunStep): void {
    for (const fact of facts) this.#track(fact);
    const mark: AgentMark | undefined = marked
      ? { launch: LAUNCH, offset: 0, acted: this.#ledger.written.last, memory: JSON.stringify(this.#memory ?? null) }
      : undefined;
    this.#ledger.write(facts, { flushed, first: first ?? [], intent, mark }, (_, failure) => {
      if (failure) {
        this.#options.log("nothing could be stored", { session: this.#ledger.stored.session, fault: failure.fault });
        // What was read and not stored is read again from the mark that is.
        this.#items = undefined;
        this.#memory = null;
      }
      stored?.(failure);
      this.#options.grown();
    });
  }

  [Symbol.dispose](): void {
    this.#options.over();
  }

  /** Its process is there, in this state. Rejects never. */
  async seen(stranger: Stranger): Promise<void> {
    const { outside, env } = this.#options;
    const read = await outside.read?.(env, stranger.conversation, this.#memory);
    const before = this.#ledger.written;
    const facts: Fact[] = [];
    if (before.pid === undefined || before.pid !== (stranger.pid ?? before.pid) || before.status.kind === "ended") {
      if (before.pid !== undefined) facts.push(...this.#end());
      facts.push({ kind: "agent.started", pid: stranger.pid ?? 0 });
    }
    const version = stranger.version ?? "unknown";
    const isNew = facts.length > 0;
    if (isNew || before.version !== version)
      facts.push({
        kind: "agent.reported",
        version,
        ...(stranger.title === undefined ? {} : { title: stranger.title }),
      });
    facts.push(...(read?.facts ?? []));
    const running = isNew ? undefined : before.running;
    const isBusy = stranger.state !== "idle";
    if (isBusy && !running) facts.push({ kind: "turn.began", turn: `o${before.last + facts.length + 1}` as TurnId });
    const isResting = !isBusy && running !== undefined;
    if (isResting && this.#options.now() - stranger.since < REST_MS) this.#options.again(REST_MS);
    else if (isResting) facts.push(...this.#endTurn(running.turn, read?.facts ?? []));
    const changed = read !== undefined && read.facts.length > 0;
    if (read) this.#memory = read.mark;
    this.#isSeen = true;
    if (facts.length > 0) this.write(facts, { flushed: false, marked: changed || isNew });
    await this.#settleElsewhere(stranger);
  }

  /** Its process is not there any more. */
  gone(): void {
    if (!this.isAlive) return;
    this.write(this.#end(), { flushed: false, marked: true });
  }

  /** Asks that are only seen, not raised by the agent itself: opened while it waits with none that can be answered. */
  async #settleElsewhere(stranger: Stranger): Promise<void> {
    const { asks } = this.#ledger.written;
    const seenOnly = asks.filter(({ ask }) => ask.elsewhere !== undefined);
    const isBare = stranger.state === "waiting" && asks.length === seenOnly.length;
    if (!isBare) {
      this.#bare = undefined;
      const facts = seenOnly.map(({ ask }): Fact => ({
        kind: "ask.settled",
        ask: ask.ask,
        settlement: { kind: "withdrawn" },
      }));
      if (facts.length > 0) this.write(facts, { flushed: false });
      return;
    }
    const now = this.#options.now();
    this.#bare ??= now;
    const id = `elsewhere.${stranger.since}`;
    // Another one than before: that was answered, and this came right after it.
    const old = seenOnly.filter(({ ask }) => ask.ask !== (id as AskId));
    if (old.length > 0) {
      const facts = old.map(({ ask }): Fact => ({
        kind: "ask.settled",
        ask: ask.ask,
        settlement: { kind: "withdrawn" },
      }));
      this.write(facts, { flushed: false });
    }
    if (seenOnly.length > old.length) return;
    const wait = this.#bare + ELSEWHERE_MS - now;
    if (wait > 0) return this.#options.again(wait);
    const elsewhere = await this.#options.elsewhere();
    const ask = this.#seenAsk(stranger, id, elsewhere);
    // Meanwhile a hook may have come in.
    if (ask && this.#bare !== undefined && this.#ledger.written.asks.length === 0)
      this.write([{ kind: "ask.opened", ask }], { flushed: false });
  }

  #seenAsk(stranger: Stranger, id: string, elsewhere: string): Ask | undefined {
    const tools = [...this.#open().values()].filter((item): item is ToolItem => item.kind === "tool");
    const ask = this.#options.outside.asks?.(stranger, tools, id);
    return ask && { ...ask, ask: id as AskId, source: "signal", elsewhere };
  }

  /** A turn that is over leaves no tool running; what it came to follows from what was said, which is read by now. */
  #endTurn(turn: TurnId, read: readonly Fact[]): Fact[] {
    for (const fact of read) this.#track(fact);
    const open = [...this.#open().values()];
    return [...open.map(closed), { kind: "turn.ended", turn, outcome: "completed" }];
  }

  #end(): Fact[] {
    const detail = this.#isSeen
      ? "It ended where it was started. Send a prompt to continue here."
      : "It ended while this host was away. Send a prompt to continue here.";
    return ending(this.#ledger.written, [...this.#open().values()], { code: 0, signal: null, errors: "" }, detail);
  }

  /** The items that are open, from the journal where this host has not seen them begin. */
  #open(): Map<ItemId, Item> {
    if (this.#items) return this.#items;
    const { session, items, last } = this.#ledger.stored;
    this.#items = new Map();
    for (const { item } of items)
      for (const { fact } of this.#options.journal.readItem(session, item, last + 1))
        if (fact.kind === "item.began") this.#items.set(item, fact.item);
    return this.#items;
  }

  #track(fact: Fact): void {
    const open = this.#open();
    if (fact.kind === "item.began") open.set(fact.item.item, fact.item);
    else if (fact.kind === "item.completed") open.delete(fact.item.item);
    else if (fact.kind === "agent.ended") open.clear();
  }
}

function closed(item: Item): Fact {
  return {
    kind: "item.completed",
    item: item.kind === "tool" ? { ...item, tool: { ...item.tool, state: "failed" } } : item,
  };
}
